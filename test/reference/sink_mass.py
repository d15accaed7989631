"""Mass on every key: mass_j = mean over the queries i >= j of P_ij, causal attention of one sequence over itself."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from dense import softmax
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    s = scores(q, k, default_scale(q, dtype), dtype)
    seen = visible(inputs, params)
    p, _ = softmax(s, seen, dtype)
    n = p.shape[-1]
    return {"o": attend(s, seen, v, dtype)["o"], "mass": p.sum(axis=-2, dtype=t) / (n - np.arange(n)).astype(t)}


def captured(c, rng):
    return {}, {"tokens": float(c.j)}


ROW = Row(captured=captured, square=True, outputs={"o": "value", "mass": "column"}, few=True)
