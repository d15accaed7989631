"""Power law graph attention with a cached graph: s = q G k^T / sqrt d, G [d, d] for every batch row and head."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    q = inputs["q"].astype(t)
    with np.errstate(all="ignore"):
        qg = np.matmul(q, inputs["g"].astype(t))
    return attend(scores(qg, inputs["k"], default_scale(q, dtype), dtype), visible(inputs, params), inputs["v"], dtype)


def adjust(c, x, rng):
    x["g"] /= c.d ** 0.5


ROW = Row(extra=lambda c: {"g": (c.batch, c.heads, c.d, c.d)}, captured=lambda c, rng: ({}, {"square": f"{c.d}x{c.d}"}), adjust=adjust, text={"square": ["!g = tensor<?x?x{}xf32>"]}, same_width=True,
          outputs={"o": "rows", "lse": "flat"}, layouts=("bhsd",), axes=("length", "unequal", "dims", "layout", "batch"), few=True)
