"""Sparsemax: P_ij = max(s_ij - tau_i, 0) with tau_i such that the row sums to 1, causal: the point of the simplex that is nearest to the scores.

tau exactly, by sorting: (sum of the k largest scores - 1) / k for the largest k with 1 + k s_(k) > sum of the k largest.
"""

import numpy as np

from common import default_scale, positions, real, scores
from dense import Pairs, combine
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def weights(s, seen, t):
    pairs = Pairs(s, seen)
    if s.shape[-1] == 0:
        return np.zeros_like(s)
    top = np.where(pairs.empty | pairs.bad, t(0), pairs.largest())[..., None]
    z = np.where(pairs.at, pairs.score - top, t(-np.inf))
    x = np.maximum(-np.sort(-z, axis=-1), t(-2))  # below -1 no score has weight
    k = np.arange(1, z.shape[-1] + 1).astype(t)
    total = np.cumsum(x, axis=-1, dtype=t)
    count = np.sum(1 + k * x > total, axis=-1, keepdims=True)
    tau = (np.take_along_axis(total, count - 1, -1) - t(1)) / count.astype(t)
    return pairs.keep(np.where(pairs.at, np.maximum(z - tau, t(0)), t(0)))


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    return {"o": combine(weights(s, visible(inputs, params), real(dtype)), inputs["v"], dtype)}


ROW = Row(outputs={"o": "value"}, few=True)
