"""Tensor-parallel latent attention with two shards: each holds half of the latent and the rotated key, and all heads;

    O_g = softmax((mu_g Q_g c_g^T + qr kr^T) scale) c_g,      out = sum over shards and heads of O_g W_g

Two softmaxes, so this is not the attention over the whole latent."""

import numpy as np

from common import attend, real
from dense import exact
from layers import in_order
from mla import split
from row import Row


def visible(inputs, params):
    i, j = np.arange(inputs["qr"].shape[2])[:, None], np.arange(inputs["kr"].shape[1])
    return j <= i + (j.size - i.size)


def project(o, w, dtype):
    """sum over h, e of o [b, h, i, e] w [h, e, d]."""
    t = real(dtype)
    o, w = o.astype(t), w.astype(t)
    if exact(dtype):
        return np.matmul(o, w).sum(1, dtype=t)
    o = np.moveaxis(o, 1, 2).reshape(o.shape[0], o.shape[2], -1 if o.size else w.shape[0] * w.shape[1])
    w = w.reshape(-1, w.shape[2]).T
    return np.stack([in_order(o * row) for row in w], axis=-1)


def reference(inputs, params, dtype):
    t = real(dtype)
    out = t(0)
    for g in "01":
        c = inputs["l" + g][:, None]
        q = inputs["q" + g].astype(t) * t(np.float32(params["mu" + g]))
        o = attend(split(q, inputs["qr"], c, inputs["kr"][:, None], np.float32(params["scale"]), dtype), visible(inputs, params), c, dtype)["o"]
        out = out + project(o, inputs["w" + g], dtype)
    return {"out": out}


def operands(c):
    s = c.settings
    shapes = {"qr": (c.batch, c.heads, c.i, s["dr"]), "kr": (c.batch, c.j, s["dr"])}
    for g in "01":
        shapes |= {"q" + g: (c.batch, c.heads, c.i, s["dc"]), "l" + g: (c.batch, c.j, s["dc"]), "w" + g: (c.heads, s["dc"], 24)}
    return shapes


def adjust(c, x, rng):
    for n in ("w0", "w1", "w"):
        if n in x:
            x[n] /= x[n].shape[1] ** 0.5


def captured(c, rng, dc, dr):
    return {}, {"dc": dc, "dr": dr, "mu0": 1.5, "mu1": 2.25, "scale": float(np.float32((dc / 2 + dr) ** -0.5))}


def knob(dc, dr):
    return {"dc": dc, "dr": dr}


TEXT = {"dc": ["!q = tensor<?x?x?x{}xf32>", "!w = tensor<?x{}x?xf32>"], "dr": ["!r = tensor<?x?x?x{}xf32>", "!s = tensor<?x?x{}xf32>"]}
ROW = Row(knobs={"32+16": knob(32, 16), "256+64": knob(256, 64), "8+2": knob(8, 2), "63+5": knob(63, 5)}, operands=operands, captured=captured, adjust=adjust,
          text=TEXT | {"dc": [*TEXT["dc"], "!l = tensor<?x?x{}xf32>"]}, outputs={"out": "rows"}, layouts=("bhsd",), same_width=True, elements=("f32", "f64"),
          axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
