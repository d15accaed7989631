"""A causal window and a sink, the mask with the slowest and the one with the fastest collapse of Wu et al. in one: token i sees 0 and i - w .. i."""

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return (j <= i) & ((j < params["sinks"]) | (j >= i - params["left"]))


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


ROW = Row(knobs={"1+4": {"sinks": 1, "left": 4}, "none": {"sinks": 0, "left": 3}, "2+16": {"sinks": 2, "left": 16}},
          text={"sinks": ["sinks<{}>"], "left": ["left = {}"]})
