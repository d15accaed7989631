"""Squared ReLU over the number of keys that the query sees: P_ij = max(s_ij, 0)^2 / n_i, causal."""

import numpy as np

from common import default_scale, positions, real, scores
from dense import Pairs, combine
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    pairs = Pairs(s, visible(inputs, params))
    n = np.maximum(pairs.at.sum(-1, keepdims=True), 1).astype(t)
    return {"o": combine(pairs.keep(np.maximum(pairs.score, t(0)) ** 2 / n), inputs["v"], dtype)}


ROW = Row(outputs={"o": "value"}, few=True)
