"""Swin: the image is cut into windows of M x M pixels, each of which is attended by itself, with a bias by the relative position, table[(dy + M - 1) (2 M - 1) + dx + M - 1, h]."""

import numpy as np

from common import attend, default_scale, real, scores
from grid import coordinates
from row import Row


def windows(x, block):
    """In which window a pixel lies."""
    return x // block


def visible(inputs, params):
    x, y, seen = coordinates(inputs["q"], inputs["k"], params["width"])
    return seen & np.all(windows(x, params["block"]) == windows(y, params["block"]), axis=-1)


def bias(inputs, params, dtype):
    """table at the relative position of every pair in one window, 0 elsewhere: [h, i, j]."""
    x, y, _ = coordinates(inputs["q"], inputs["k"], params["width"])
    m = params["block"]
    far = x - y + (m - 1)
    inside = np.all((far >= 0) & (far < 2 * m - 1), axis=-1)
    at = np.where(inside, far[..., 0] * (2 * m - 1) + far[..., 1], 0)
    return np.where(inside, np.moveaxis(inputs["table"].astype(real(dtype))[at], -1, 0), real(dtype)(0))


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype) + bias(inputs, params, dtype)
    return attend(s, visible(inputs, params), inputs["v"], dtype)


def captured(c, rng, width, block):
    return {"table": rng.standard_normal(((2 * block - 1) ** 2, c.heads))}, {"width": (width,), "block": block, "sides": (block, block), "last": block - 1, "row": 2 * block - 1}


def knob(width, block):
    return {"width": width, "block": block}


NUMBERS = {"width": ["i[?, {}]", "j[?, {}]", "%w = arith.constant {} : index"], "last": ["%last = arith.constant {} : index"], "row": ["%row = arith.constant {} : index"]}
ROW = Row(knobs={"4": knob(9, 4), "whole": knob(8, 4), "7": knob(14, 7), "pixel": knob(5, 1), "one": knob(6, 12)}, captured=captured,
          text=NUMBERS | {"sides": ["block = [{}]"]}, base=(70, 70), square=True, layouts=("bhsd", "bshd"), few=True)
