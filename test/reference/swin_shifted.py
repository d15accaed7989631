"""Swin, shifted windows. The image is rolled up and left by `shift`, cut into windows of M x M, attended, and rolled back; pixels that the roll brought together from opposite sides do not
see each other: pixels x and y of the image as it stands share a window where floor((x + M - shift) / M) is equal, on both axes."""

import numpy as np

import swin_bias
from common import attend, default_scale, scores
from row import Row


def visible(inputs, params):
    n = np.arange(inputs["q"].shape[-2])
    m, width = params["block"], params["width"][0]
    row, column = (n // width + m - params["shift"]) // m, (n % width + m - params["shift"]) // m
    return (row[:, None] == row) & (column[:, None] == column)


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype) + swin_bias.bias(inputs, params, dtype)
    return attend(s, visible(inputs, params), inputs["v"], dtype)


def windows(n, width, m, shift):
    """The number of every pixel's window, in an order of no meaning."""
    y, x = np.divmod(np.arange(n), width)
    return (((x + m - shift) // m * 1000 + (y + m - shift) // m) * 7919 % 1000003).astype(np.int32)


def captured(c, rng, width, block, shift):
    tensors, params = swin_bias.captured(c, rng, width, block)
    return tensors | {"window": windows(c.i, width, block, shift)}, params | {"shift": shift}


def knob(width, block, shift):
    return {"width": width, "block": block, "shift": shift}


ROW = Row(knobs={"4": knob(8, 4, 2), "7": knob(14, 7, 3), "odd": knob(9, 4, 1), "none": knob(9, 4, 0)}, captured=captured, square=True, base=(70, 70), layouts=("bhsd", "bshd"), few=True,
          text={"width": ["%w = arith.constant {} : index"], "last": ["%last = arith.constant {} : index"], "row": ["%row = arith.constant {} : index"]})
