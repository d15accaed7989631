"""Causal, with every score s = q_i . k_j / sqrt d replaced by cap * tanh(s / cap)."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    cap = real(dtype)(params["cap"])
    s = scores(q, k, default_scale(q, dtype), dtype)
    return attend(cap * np.tanh(s / cap), visible(inputs, params), v, dtype)


ROW = Row(knobs={str(cap): {"cap": cap} for cap in (0.5, 5.0, 50.0, 1000.0)}, thorough=True)
