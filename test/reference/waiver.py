"""Causal attention in which row w sees itself alone."""

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return ((j <= i) & (i != params["w"])) | ((i == params["w"]) & (j == i))


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


ROW = Row(knobs={str(w): {"w": w} for w in (1, 0, 20, 36, 100000, -1)})
