"""Solvable attention, the teacher: y = (1 - mix) softmax(z z^T) x + mix A x, z = x Q / sqrt d with one column, A a fixed matrix over the positions."""

import numpy as np

from common import real
from layers import cast
from row import Row
from solvable import tied


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    x, w, a = cast(inputs, dtype, "x", "w", "a")
    mix = t(params["mix"])
    return {"y": (t(1) - mix) * np.matmul(tied(x, w, t(params["root"])), x) + mix * np.matmul(a, x)}


def operands(c):
    return {"x": (c.settings["problems"], c.i, c.d), "w": (c.d, 1), "a": (c.i, c.i)}


def captured(c, rng, mix, problems):
    return {}, {"mix": float(np.float32(mix)), "root": float(np.float32(c.d ** -0.5))}


ROW = Row(knobs={"0.3": {"mix": 0.3, "problems": 20}, "attention": {"mix": 0, "problems": 5}, "matrix": {"mix": 1, "problems": 5}, "many": {"mix": 0.5, "problems": 2000}}, operands=operands,
          captured=captured, outputs={"y": "rows"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), square=True,
          fit=lambda i, j, **rest: (min(i, 16), min(i, 16)), axes=("length", "layout", "parameter"), few=True)
