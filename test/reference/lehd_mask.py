"""LEHD, masked: queries and keys are the tokens of a list per batch row, all heads the same; the rows of others are 0."""

import numpy as np

import lists
from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    kept = lists.held(inputs["open"], j.size)
    return kept[:, None, :, None] & kept[:, None, None, :]


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, left):
    """Every batch row has other nodes left, as many as all others have; one has fewer."""
    n = max(0, int(left * c.j))
    rows = np.full((c.batch, n), -1, np.int32)
    for b in range(c.batch):
        m = n if b else max(0, n - 3)
        rows[b, :m] = rng.permutation(c.j)[:m]
    return {"open": rows}, {"d": c.d}


ROW = Row(knobs={str(part): {"left": part} for part in (0.6, 1, 0.03, 0)}, captured=captured, text={"d": ["!t = tensor<?x?x?x{}xf32>"]}, square=True, base=(102, 102), heads=8, d=16, same_width=True, layouts=("bhsd", "bshd"), few=True)
