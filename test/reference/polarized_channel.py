"""Polarized self-attention, channel branch of the paper: y = sigmoid(LN(W_z ctx)) x, ctx = (W_v x) softmax_n(w_q x)^T."""

import numpy as np

import polarized
from layers import cast, constant, in_order, layer_norm, sigmoid
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    x, wq, wv, wz, gain, shift = cast(inputs, dtype, "x", "wq", "wv", "wz", "gain", "shift")
    up = in_order(polarized.seen(x, wq, wv)[:, None, :] * wz)
    return {"y": sigmoid(layer_norm(up, gain, shift, constant(1e-5, dtype)))[..., None] * x}


def operands(c):
    n = c.settings["channels"]
    return {"x": (c.batch, n, c.j), "wq": (1, n), "wv": (c.i, n), "wz": (n, c.i)}


def captured(c, rng, channels):
    return {"gain": rng.standard_normal(channels), "shift": rng.standard_normal(channels)}, {"channels": channels}


ROW = Row(knobs={str(n): {"channels": n} for n in (24, 8, 1, 64)}, operands=operands, captured=captured, adjust=polarized.shrink, fit=polarized.fit, base=(12, 70),
          text={"channels": ["!x = tensor<?x{}x?xf32>", "!q = tensor<?x{}xf32>", "!w = tensor<?x?x{}xf32>"]},
          outputs={"y": "flat"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
