"""Softpick: P_ij = max(e^s_ij - 1, 0) / (sum_j |e^s_ij - 1| + eps), eps = 1e-8 (as a float32), causal. A hidden key is in neither sum. A row of which no score is
above 0 is 0."""

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
    top = np.maximum(pairs.largest(), t(0))[..., None]  # numerator and denominator times e^-top, so that no e^s is too large
    x = np.where(pairs.at, np.exp(pairs.score - top) - np.exp(-top), t(0))
    w = np.maximum(x, t(0)) / (np.abs(x).sum(-1, keepdims=True, dtype=t) + t(np.float32(1e-8)) * np.exp(-top))
    return {"o": combine(pairs.keep(w), inputs["v"], dtype)}


def adjust(c, x, rng):
    """All scores far below 0: nothing has weight, and no exponential may overflow."""
    if c.settings["low"]:
        x["q"][...], x["k"][...] = 300 * np.abs(x["q"]), -np.abs(x["k"])


ROW = Row(knobs={"any": {"low": False}, "low": {"low": True}}, adjust=adjust, outputs={"o": "value"}, few=True)
