"""Probabilistic flash: causal; the tile of rows floor(i / R) and columns floor(j / C) takes part iff its number is below p(distance in tiles).

The number is philox.py's for (b, h, tile row, tile column); a distance beyond the table has its last entry.
"""

import numpy as np

import philox
from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    rows, columns = params["block"]
    b, h = inputs["q"].shape[:2]
    u = philox.pairs(params["seed"], b, h, -(-i.size // rows), -(-j.size // columns))
    table = inputs["p"].astype(np.float32)
    far = np.abs(np.arange(u.shape[2])[:, None] - np.arange(u.shape[3])[None, :])
    keep = u < table[np.minimum(far, table.size - 1)]
    return (j <= i) & keep[:, :, i // rows, j // columns]


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, p, block, seed):
    return {"p": np.array(p)}, {"block": block, "seed": seed}


def knob(p, block=(16, 16), seed=1):
    return {"p": p, "block": block, "seed": seed}


ROW = Row(knobs={"falling": knob([1, 0.7, 0.5, 0.3, 0.1], (8, 8)), "half": knob([0.5]), "never": knob([0.0]), "always": knob([1.0]),
                 "own": knob([1.0, 0.0], (7, 7), 2 ** 40 + 3), "wide": knob([0.6, 0.4], (3, 50), -1), "tall": knob([0.5, 0.25], (64, 5), 0),
                 "pairs": knob([0.3], (1, 1), -2 ** 63)},
          captured=captured, text={"block": ["block = [{}]"]}, keeps=("p",))
