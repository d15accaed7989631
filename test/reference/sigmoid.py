"""Sigmoid attention: o_i = sum_j sigmoid(s_ij + b) v_j over the visible keys, no sum over the row; b is -log of the number of keys."""

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
    with np.errstate(over="ignore"):
        w = t(1) / (t(1) + np.exp(-(pairs.score + t(np.float32(params["b"])))))
    return {"o": combine(pairs.keep(w), inputs["v"], dtype)}


def captured(c, rng, b):
    return {}, {"b": f32(-np.log(max(c.j, 1)) if b is None else b)}


ROW = Row(knobs={"-log n": {"b": None}, "zero": {"b": 0}, "high": {"b": 20}, "low": {"b": -20}}, captured=captured, outputs={"o": "value"},
          more=({"i": 4, "j": 32768, "d": 16, "e": 16, "batch": 1},), few=True)
