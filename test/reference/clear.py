"""CLEAR: the first t tokens are text, the others an image in raster order. Text sees all and is seen by all; a pixel sees the pixels at a
(true, Euclidean) distance below r, strictly."""

import numpy as np

from common import attention, positions
from grid import coordinates
from row import Row


def visible(inputs, params):
    t, r = params["t"], params["r"]
    x, y, pixels = coordinates(inputs["q"], inputs["k"], params["width"], first=t)
    i, j = positions(inputs["q"], inputs["k"])
    disc = np.sqrt(np.sum((x - y).astype(np.float64) ** 2, axis=-1)) < r
    return (i < t) | (j < t) | (pixels & disc)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def knob(t, width, r):
    return {"t": t, "width": (width,), "r": r}


ROW = Row(knobs={"text": knob(5, 9, 3), "image": knob(0, 8, 2), "self": knob(3, 7, 1), "nothing": knob(2, 7, 0), "negative": knob(0, 7, -3), "large": knob(9, 11, 5),
                 "all": knob(4, 6, 100000), "line": knob(1, 300, 13), "column": knob(1, 1, 4), "only-text": knob(1000, 8, 2)},
          text={"width": ["i[?, {}]", "j[?, {}]"]}, base=(70, 70))
