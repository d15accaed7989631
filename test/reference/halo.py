"""HaloNet's blocked local attention: a query at (y, x) of block (floor(y / B), floor(x / B)) sees the pixels of that block and of h rows and
columns around it. Pixels outside the image do not exist (the released code masks them)."""

import numpy as np

from common import attention
from grid import coordinates
from row import Row


def visible(inputs, params):
    x, y, seen = coordinates(inputs["q"], inputs["k"], params["width"])
    block, halo = np.array(params["block"]), np.array(params["halo"])
    start = x // block * block
    return seen & np.all((start - halo <= y) & (y < start + block + halo), axis=-1)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def knob(width, block, halo):
    return {"width": (width,), "block": block, "halo": halo}


ROW = Row(knobs={"4+1": knob(9, (4, 4), (1, 1)), "exact": knob(8, (4, 2), (1, 3)), "none": knob(10, (3, 5), (0, 0)), "line": knob(64, (2, 8), (3, 3)),
                 "column": knob(1, (3, 3), (1, 1)), "pixel": knob(7, (1, 1), (2, 1)), "wide": knob(6, (64, 64), (3, 3))},
          text={"width": ["i[?, {}]", "j[?, {}]"], "block": ["block = [{}]"], "halo": ["halo = [{}]"]}, base=(70, 70))
