"""Solvable attention, the student: y = softmax(z z^T) a with a = x + p, z = a Q / sqrt d, Q of rank 2: queries and keys are one, scores are not scaled again, values are the tokens."""

import numpy as np

from common import real
from dense import rounded
from layers import cast, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def tied(x, w, root):
    z = np.matmul(x, w) * root
    return softmax(np.matmul(z, z.swapaxes(-1, -2)))


def reference(inputs, params, dtype):
    x, p, w = cast(inputs, dtype, "x", "p", "w")
    return {"y": rounded(np.matmul(tied(x + p, w, real(dtype)(params["root"])), x + p), dtype)}


def operands(c):
    return {"x": (c.settings["problems"], c.i, c.d), "p": (c.i, c.d), "w": (c.d, c.settings["rank"])}


def captured(c, rng, rank, problems):
    return {}, {"rank": rank, "root": float(np.float32(c.d ** -0.5)), "width": c.d}


ROW = Row(knobs={"2": {"rank": 2, "problems": 20}, "1": {"rank": 1, "problems": 3}, "8": {"rank": 8, "problems": 5}, "many": {"rank": 2, "problems": 2000}}, operands=operands,
          captured=captured, text={"rank": ["!z = tensor<?x?x{}xf32>", "%w: tensor<64x{}xf32>", "!t, tensor<64x{}xf32>"], "width": ["%p: tensor<?x{}xf32>", "!t, tensor<?x{}xf32>"]},
          outputs={"y": "rows"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), square=True, fit=lambda i, j, problems, **rest: (min(i, 16), min(i, 16)),
          axes=("length", "layout", "parameter"), few=True)
