"""Attention over the features of a tensor (batch, time, feature, head, d): for every batch, time and head full softmax attention over the third axis; p is the map [b, t, h, i, j] and
mass_j = sum_i p_ij what a feature gets of it [b, t, j, h]."""

import numpy as np

from common import default_scale, scores
from dense import combine, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    q, k, v = (np.moveaxis(inputs[n], 3, 2) for n in "qkv")              # [b, t, h, i, c]
    b, t, h = q.shape[:3]
    q, k, v = (x.reshape(b * t, h, *x.shape[3:]) for x in (q, k, v))
    p, _ = softmax(scores(q, k, default_scale(q, dtype), dtype), True, dtype)
    o = combine(p, v, dtype)
    o, p = (x.reshape(b, t, *x.shape[1:]) for x in (o, p))
    return {"o": np.moveaxis(o, 2, 3), "p": p, "mass": np.moveaxis(p.sum(-2, dtype=p.dtype), 2, 3)}


def operands(c):
    return {n: (c.batch, c.settings["steps"], c.i if n == "q" else c.j, 2, c.d) for n in "qkv"}


ROW = Row(knobs={str(n): {"steps": n} for n in (3, 1, 0)}, operands=operands, captured=lambda c, rng, steps: ({}, {}), outputs={"o": "rows", "p": "rows", "mass": "flat"}, hides=False,
          layouts=("bhsd",), same_width=True, axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
