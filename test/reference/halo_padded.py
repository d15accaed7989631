"""HaloNet's blocked local attention as its paper words it: the image has h rows and columns of zeros around it, which take part.

Keys are those of the padded image, so a query of the block that starts at s sees the window from s on: B + 2 h rows and columns of it.
"""

import numpy as np

from common import attention
from grid import coordinates, places
from row import Row


def visible(inputs, params):
    x, y, seen = coordinates(inputs["q"], inputs["k"], params["width"], params["key_width"])
    block, halo = np.array(params["block"]), np.array(params["halo"])
    start = x // block * block
    return seen & np.all((start <= y) & (y < start + block + 2 * halo), axis=-1)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def knob(width, block, halo):
    return {"width": (width,), "key_width": (width + 2 * halo[1],), "block": block, "halo": halo}


def fit(i, j, width, key_width, halo, **rest):
    return i, (-(-i // width[0]) + 2 * halo[0]) * key_width[0]


def adjust(c, x, rng):
    """Zeros around the image."""
    knob = c.settings
    at, _ = places(c.j, knob["key_width"])
    inside = np.array([-(-c.i // knob["width"][0]), *knob["width"]])
    frame = np.any((at < knob["halo"]) | (at >= inside + knob["halo"]), axis=-1)
    x["k"][..., frame, :] = x["v"][..., frame, :] = 0


ROW = Row(knobs={"4+1": knob(9, (4, 4), (1, 1)), "exact": knob(8, (4, 2), (1, 3)), "none": knob(10, (3, 5), (0, 0)), "line": knob(64, (2, 8), (3, 3)),
                 "wide": knob(6, (64, 64), (3, 2))},
          text={"width": ["i[?, {}]"], "key_width": ["j[?, {}]"], "block": ["block = [{}]"], "halo": ["halo = [{}]"]},
          base=(63, 0), fit=fit, adjust=adjust, layouts=("bhsd", "bshd"))
