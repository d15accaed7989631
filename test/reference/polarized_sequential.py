"""Polarized self-attention as released, sequential: x1 = sigmoid(W_b relu(LN(W_a ctx))) x, then y = sigmoid(mean_n(W_s x1)^T softmax_n(W_u x1)) x1, a softmax for each hidden channel."""

import numpy as np

import polarized
from layers import cast, constant, layer_norm, sigmoid, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    x, wq, wv, wa, wb, ws, wu, gain, shift = cast(inputs, dtype, "x", "wq", "wv", "wa", "wb", "ws", "wu", "gain", "shift")
    low = layer_norm(np.matmul(polarized.seen(x, wq, wv), wa.T), gain, shift, constant(1e-5, dtype))
    x1 = sigmoid(np.matmul(np.maximum(low, low.dtype.type(0)), wb.T))[..., None] * x
    return {"y": sigmoid(np.matmul(polarized.mean_query(x1, ws)[:, None], softmax(np.matmul(wu, x1)))) * x1}


def hidden(c):
    return max(1, c.i // 4)


def operands(c):
    n = c.settings["channels"]
    return {"x": (c.batch, n, c.j), "wq": (1, n), "wv": (c.i, n), "wa": (hidden(c), c.i), "wb": (n, hidden(c)), "ws": (c.i, n), "wu": (c.i, n)}


def captured(c, rng, channels):
    return {"gain": rng.standard_normal(hidden(c)), "shift": rng.standard_normal(hidden(c))}, {"channels": channels}


ROW = Row(knobs={str(n): {"channels": n} for n in (24, 8, 1, 64)}, operands=operands, captured=captured, adjust=polarized.shrink, fit=polarized.fit, base=(12, 70),
          text={"channels": ["!x = tensor<?x{}x?xf32>", "!w = tensor<?x{}xf32>", "!m = tensor<?x?x{}xf32>"]},
          outputs={"y": "flat"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
