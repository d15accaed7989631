"""Softmax attention over j <= i, whatever the lengths."""

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


ROW = Row(thorough=True)
