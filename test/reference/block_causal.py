"""Block-causal attention: a token sees its own block of n tokens and all blocks before it. bottom_right: the last query is the last token."""

import numpy as np

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    place = i + (j.size - i.size if params["align"] == "bottom_right" else 0)
    end = (np.floor(place / params["block"]) + 1) * params["block"]  # where the query's block ends
    return j < end


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def knob(block, align="top_left"):
    return {"block": block, "align": align}


ROW = Row(knobs={"16": knob(16), "1": knob(1), "5": knob(5), "large": knob(1000), "newest": knob(7, "bottom_right"), "newest-16": knob(16, "bottom_right")},
          text={"block": ["block = {}"], "align": ["block_causal<{}, block"]})
