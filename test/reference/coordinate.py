"""Coordinate attention on x [b, c, y, x]: the means along the rows and along the columns, side by side on one axis of H + W places, pass one layer of m channels with a norm (folded into
weight and bias) and h-swish(t) = t relu6(t + 3) / 6; apart again, each is taken to c channels and through a sigmoid; x is multiplied by both."""

import numpy as np

from layers import cast, sigmoid
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    x, w1, b1, wh, bh, ww, bw = cast(inputs, dtype, "x", "w1", "b1", "wh", "bh", "ww", "bw")
    t = x.dtype.type
    n, w = x.shape[-2:]
    u = np.concatenate([x.sum(-1, dtype=t) / t(w), x.sum(-2, dtype=t) / t(n)], axis=-1)
    u = np.matmul(w1, u) + b1[:, None]
    u = u * np.minimum(np.maximum(u + t(3), t(0)), t(6)) / t(6)
    rows, columns = sigmoid(np.matmul(wh, u[..., :n]) + bh[:, None]), sigmoid(np.matmul(ww, u[..., n:]) + bw[:, None])
    return {"out": x * rows[..., None] * columns[..., None, :]}


def operands(c):
    n, m = c.settings["channels"], max(8, c.settings["channels"] // 32)
    return {"x": (c.batch, n, c.i, c.j), "w1": (m, n), "b1": (m,), "wh": (n, m), "bh": (n,), "ww": (n, m), "bw": (n,)}


def adjust(c, x, rng):
    for n in ("w1", "wh", "ww"):
        x[n] /= x[n].shape[-1] ** 0.5


def captured(c, rng, channels):
    return {}, {}


def fit(i, j, **settings):
    return max(i, 1), max(j, 1)


ROW = Row(knobs={str(n): {"channels": n} for n in (16, 3, 65)}, operands=operands, captured=captured, adjust=adjust, fit=fit, base=(12, 17), outputs={"out": "flat"}, hides=False,
          layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
