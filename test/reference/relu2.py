"""Squared ReLU over its sum: P_ij = max(s_ij + b, 0)^2 / (sum_j max(s_ij + b, 0)^2 + eps), causal."""

import numpy as np

from common import default_scale, positions, real, scores
from dense import Pairs, combine, f32
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    pairs = Pairs(s, visible(inputs, params))
    x = np.where(pairs.at, np.maximum(pairs.score + t(np.float32(params["b"])), t(0)) ** 2, t(0))
    w = x / (x.sum(-1, keepdims=True, dtype=t) + t(np.float32(params["eps"])))
    return {"o": combine(pairs.keep(w), inputs["v"], dtype)}


def knob(b, eps):
    return {"b": f32(b), "eps": f32(eps)}


ROW = Row(knobs={"0.5": knob(0.5, 1e-6), "zero": knob(0, 1e-6), "low": knob(-1, 1e-3), "high": knob(10, 1e-6)}, outputs={"o": "value"}, few=True)
