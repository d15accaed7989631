"""Causal, s_ij = q_i . k_j / sqrt d + bias_ij, a number for every pair of every head."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    s = scores(q, k, default_scale(q, dtype), dtype) + inputs["bias"].astype(real(dtype))
    return attend(s, visible(inputs, params), v, dtype)


def captured(c, rng, kind):
    shape = (c.batch, c.heads, c.i, c.j)
    bias = rng.standard_normal(shape).astype(np.float32)
    if kind == "large":
        bias *= 1000
    elif kind == "masked":
        bias = np.where(rng.random(shape) < 0.3, -np.inf, bias).astype(np.float32)
        bias[..., -1] = 0
    return {"bias": bias}, {}


ROW = Row(knobs={kind: {"kind": kind} for kind in ("normal", "large", "masked")}, captured=captured)
