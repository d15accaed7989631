"""Softmax attention over t - w <= j <= t, where t = i + (J - I) is the position of query i among the keys."""

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    t = i + (j.size - i.size)
    return (t - params["w"] <= j) & (j <= t)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


ROW = Row(knobs={str(w): {"w": w} for w in (16, 0, 1, 100, 100000, -1)}, thorough=True)
