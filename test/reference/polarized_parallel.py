"""Polarized self-attention as released, parallel: y = sigmoid(W_z ctx) x + sigmoid(softmax_n(mean_n(W_s x)^T W_u x)) x. No norm; the softmax is over the pixels."""

import numpy as np

import polarized
from layers import cast, sigmoid, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    x, wq, wv, wz, ws, wu = cast(inputs, dtype, "x", "wq", "wv", "wz", "ws", "wu")
    channel = sigmoid(np.matmul(polarized.seen(x, wq, wv), wz.T))[..., None]
    spatial = sigmoid(softmax(np.matmul(polarized.mean_query(x, ws)[:, None], np.matmul(wu, x))))
    return {"y": channel * x + spatial * x}


def operands(c):
    n = c.settings["channels"]
    return {"x": (c.batch, n, c.j), "wq": (1, n), "wv": (c.i, n), "wz": (n, c.i), "ws": (c.i, n), "wu": (c.i, n)}


def captured(c, rng, channels):
    return {}, {"channels": channels}


ROW = Row(knobs={str(n): {"channels": n} for n in (24, 8, 1, 64)}, operands=operands, captured=captured, adjust=polarized.shrink, fit=polarized.fit, base=(12, 70),
          text={"channels": ["!x = tensor<?x{}x?xf32>", "!w = tensor<?x{}xf32>", "!m = tensor<?x1x{}xf32>"]},
          outputs={"y": "flat"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
