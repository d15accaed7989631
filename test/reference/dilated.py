"""Longformer's dilated sliding window: query i sees i, i +- g, i +- 2 g, .. as far as the window reaches."""

import numpy as np

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    far = j - i - (j.size - i.size if params["align"] == "bottom_right" else 0)
    return (far >= -params["left"]) & (far <= params["right"]) & (np.abs(far) % params["step"] == 0)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def knob(step, left, right, align="top_left"):
    return {"step": step, "left": left, "right": right, "align": align}


ROW = Row(knobs={"3": knob(3, 12, 12), "plain": knob(1, 5, 8), "large": knob(1000, 40, 40), "wide": knob(7, 100000, 100000),
                 "newest": knob(4, 30, 0, "bottom_right"), "both": knob(5, 11, 17, "bottom_right")},
          text={"step": ["step = {}"], "left": ["left = {}"], "right": ["right = {}"], "align": ["window<{}, left", "dilated<{}, step"]})
