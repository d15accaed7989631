"""Causal, s_ij = q_i . k_j / sqrt d + m_h (j - i), a slope m_h per head."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    i, j = positions(q, k)
    slope = inputs["slopes"].astype(real(dtype))[:, None, None]
    s = scores(q, k, default_scale(q, dtype), dtype) + slope * (j - i).astype(real(dtype))
    return attend(s, visible(inputs, params), v, dtype)


def captured(c, rng, kind):
    h = c.heads
    return {"slopes": {"paper": 2.0 ** (-8.0 * np.arange(1, h + 1) / h), "zero": np.zeros(h), "steep": np.full(h, 20.0),
                       "rising": np.full(h, -0.125)}[kind]}, {}


ROW = Row(knobs={kind: {"kind": kind} for kind in ("paper", "zero", "steep", "rising")}, captured=captured, thorough=True)
