"""LEHD, compact: the list of open nodes gives which tokens are queries and keys; entry m of the list is query and key m. -1 is no token: its row is empty and no other sees it."""

import numpy as np

from common import attend, default_scale, scores
from row import Row


def visible(inputs, params):
    there = inputs["open"] >= 0
    return (there[:, :, None] & there[:, None, :])[:, None]


def reference(inputs, params, dtype):
    at = np.maximum(inputs["open"], 0)[:, None, :, None]
    if inputs["q"].shape[2] == 0:
        at = at[:, :, :0]
    q, k, v = (np.take_along_axis(inputs[n], at, 2) for n in "qkv")
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def operands(c):
    return {n: (c.batch, 8, c.j, c.d) for n in "qkv"}


def captured(c, rng, left):
    """Every batch row has other nodes left, as many as all others have; the first has three fewer."""
    n = int(left * c.j)
    rows = np.full((c.batch, n), -1, np.int32)
    for b in range(c.batch):
        m = n if b else max(0, n - 3)
        rows[b, rng.permutation(n)[:m]] = rng.permutation(c.j)[:m]
    return {"open": rows}, {"d": c.d}


ROW = Row(knobs={str(part): {"left": part} for part in (0.6, 1, 0.03, 0)}, operands=operands, captured=captured, square=True, base=(102, 102), d=16, same_width=True, layouts=("bhsd",), few=True,
          text={"d": ["!t = tensor<?x?x?x{}xf32>", "c = {}, e", "e = {})"]}, outputs={"o": "rows", "lse": "flat"}, axes=("length", "dims", "layout", "batch", "parameter"))
