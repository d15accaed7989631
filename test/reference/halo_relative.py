"""HaloNet with relative positions. In the coordinates of its window a query stands at (iy, ix), 0 <= iy < b, and a key at (y, x), 0 <= y < R with R = b + 2 h;

    s = scale (q . k + q . ry[R - 1 + y - iy] + q . rx[R - 1 + x - ix])

with two tables of 2 R - 1 vectors. Pixels outside the image are no keys."""

import numpy as np

import halo
import halo_padded
from common import attend, real, scores
from dense import exact
from grid import coordinates
from row import Row


def visible(inputs, params):
    return halo.visible(inputs, params)


def places(inputs, params, padded=False):
    """Which row of each table a pair takes [axis][i, j]; pairs out of every window have one that is cut to the table."""
    x, y, _ = coordinates(inputs["q"], inputs["k"], params["width"], params.get("key_width"))
    block, ring = params["block"][0], params["halo"][0]
    size = block + 2 * ring
    corner = x // block * block - (0 if padded else ring)       # of the window, in the coordinates of the keys
    at = size - 1 + (y - corner) - x % block
    return np.moveaxis(np.clip(at, 0, 2 * size - 2), -1, 0)


def reference(inputs, params, dtype, padded=False):
    t = real(dtype)
    q = inputs["q"].astype(t)
    scale = t(np.float32(params["scale"]))
    at = places(inputs, params, padded)
    with np.errstate(all="ignore"):
        terms = [np.take_along_axis(np.matmul(q, inputs[n].astype(t).T), np.broadcast_to(a, (*q.shape[:2], *a.shape)), -1) for n, a in zip(("ry", "rx"), at)]
        if exact(dtype):
            s = scale * (scores(q, inputs["k"], 1.0, dtype) + terms[0] + terms[1])
        else:
            s = scores(q, inputs["k"], scale, dtype) + scale * (terms[0] + terms[1])
    seen = (halo_padded if padded else halo).visible(inputs, params)
    return attend(s, seen, inputs["v"], dtype)


def extra(c):
    n = 2 * (c.settings["block"][0] + 2 * c.settings["ring"][0]) - 1
    return {"ry": (n, c.d), "rx": (n, c.d)}


def captured(c, rng, width, block, ring, padded=False):
    n = block[0] + 2 * ring[0]
    shape = {"width": (width,), "block": block, "halo": ring, "scale": float(np.float32(c.d ** -0.5)), "mid": n - 1 + (0 if padded else ring[0])}
    return {}, shape | ({"key_width": (width + 2 * ring[1],)} if padded else {})


def knob(width, block, ring):
    return {"width": width, "block": block, "ring": ring}


TEXT = {"block": ["block = [{}]"], "halo": ["halo = [{}]"], "mid": ["%mid = arith.constant {} : index"]}
ROW = Row(knobs={"4+1": knob(9, (4, 4), (1, 1)), "2+3": knob(8, (2, 2), (3, 3)), "alone": knob(10, (3, 3), (0, 0)), "8+3": knob(28, (8, 8), (3, 3))}, extra=extra, captured=captured,
          text=TEXT | {"width": ["i[?, {}]", "j[?, {}]", "%w = arith.constant {} : index"]}, square=True, base=(70, 70), layouts=("bhsd",), few=True, same_width=True,
          outputs={"o": "rows", "lse": "flat"}, axes=("length", "dims", "layout", "batch", "parameter", "logits"))
