"""Polarized self-attention, spatial branch of the paper: y = sigmoid(a^T W_v x) x, a = softmax over the C' channels of mean_n(W_q x)."""

import numpy as np

import polarized
from layers import cast, sigmoid, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    x, wq, wv = cast(inputs, dtype, "x", "wq", "wv")
    a = softmax(polarized.mean_query(x, wq))
    return {"y": sigmoid(np.matmul(a[:, None], np.matmul(wv, x))) * x}


def operands(c):
    n = c.settings["channels"]
    return {"x": (c.batch, n, c.j), "wq": (c.i, n), "wv": (c.i, n)}


def captured(c, rng, channels):
    return {}, {"channels": channels}


ROW = Row(knobs={str(n): {"channels": n} for n in (24, 8, 1, 64)}, operands=operands, captured=captured, adjust=polarized.shrink, fit=polarized.fit, base=(12, 70),
          text={"channels": ["!x = tensor<?x{}x?xf32>", "!w = tensor<?x{}xf32>", "!m = tensor<?x1x{}xf32>"]},
          outputs={"y": "flat"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
