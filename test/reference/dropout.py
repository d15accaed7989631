"""Inverted dropout of the weights of causal attention: o_i = sum_j w_ij m_ij v_j / (1 - p), m_ij = 1 iff philox.py's number of (b, h, i, j) is at
least p. The lse is that of the scores: dropout does not touch it."""

import numpy as np

import philox
from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    p = np.float32(params["p"])
    kept = philox.pairs(params["seed"], *q.shape[:3], k.shape[2]) >= p
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype, kept.astype(t) / (t(1) - t(p)))


def knob(p, seed):
    return {"p": p, "seed": seed}


ROW = Row(knobs={"10%": knob(0.1, 1), "none": knob(0.0, 1), "half": knob(0.5, 2 ** 40 + 3), "most": knob(0.95, -1), "third": knob(1 / 3, 0)}, keeps=("p",))
