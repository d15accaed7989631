"""Streaming attention with sinks: of the keys up to itself, a token sees the first s and the last w (itself and w - 1 before). The last query
is the newest token."""

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    now = i + (j.size - i.size)
    return (j <= now) & ((j < params["sinks"]) | (now - j <= params["left"]))


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def knob(sinks, left):
    return {"sinks": sinks, "left": left}


ROW = Row(knobs={"4+20": knob(4, 19), "none": knob(0, 6), "only": knob(3, 0), "long": knob(1, 100), "meet": knob(20, 31), "all": knob(100000, 0)},
          text={"sinks": ["sinks<{}>"], "left": ["left = {}"]})
