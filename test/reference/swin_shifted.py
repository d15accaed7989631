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


def buffers(n, width, m, shift):
    """What the released code keeps beside the table: the number of every pixel's window, in an order of no meaning; its place there; which row of the table two places have."""
    y, x = np.divmod(np.arange(n), width)
    y, x = y + m - shift, x + m - shift
    row, column = np.divmod(np.arange(m * m), m)
    index = (row[:, None] - row + m - 1) * (2 * m - 1) + column[:, None] - column + m - 1
    return {name: t.astype(np.int32) for name, t in (("window", (x // m * 1000 + y // m) * 7919 % 1000003), ("place", y % m * m + x % m), ("index", index))}


def captured(c, rng, width, block, shift):
    tensors, params = swin_bias.captured(c, rng, width, block)
    of = {"places": f"{block ** 2}x{block ** 2}", "least": f"0, {block ** 2}", "rows": f"0, {(2 * block - 1) ** 2}"}
    return tensors | buffers(c.i, width, block, shift), {"width": params["width"], "block": block, "shift": shift} | of


def knob(width, block, shift):
    return {"width": width, "block": block, "shift": shift}


ROW = Row(knobs={"4": knob(8, 4, 2), "7": knob(14, 7, 3), "odd": knob(9, 4, 1), "none": knob(9, 4, 0)}, captured=captured, square=True, base=(70, 70), layouts=("bhsd", "bshd"), few=True,
          text={"places": ["%index: tensor<{}xi32>", "%index[%x, %y] : tensor<{}xi32>"], "least": ["%place: !i {attn.range = array<i64: {}>}"],
                "rows": ["xi32> {attn.range = array<i64: {}>}"]})
