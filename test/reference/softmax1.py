"""Softmax with 1 added to the sum: P_ij = e^s_ij / (1 + sum_j e^s_ij), causal; lse = log(1 + sum_j e^s_ij)."""

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
    top = np.maximum(pairs.largest(), t(0))[..., None]  # numerator and denominator times e^-top
    with np.errstate(all="ignore"):
        e = np.where(pairs.at, np.exp(pairs.score - top), t(0))
        total = np.exp(-top) + e.sum(-1, keepdims=True, dtype=t)
        lse = pairs.rows((top + np.log(total))[..., 0], 0)
    return {"o": combine(pairs.keep(e / total), inputs["v"], dtype), "lse": lse}


ROW = Row(few=True)
