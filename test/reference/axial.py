"""Axial attention: along one axis of an n-dimensional tensor, for every setting of the others, ordinary attention over that axis alone.

References of these rows work on the tensors of the program, [b, .., h, feature], and know the axis.
"""

import numpy as np

from common import attention
from row import Row


def along(inputs, axis, causal, dtype):
    def lines(t):  # [other axes, h, along, feature]
        t = np.moveaxis(np.moveaxis(t, -2, 0), axis + 1, -2)
        t = np.moveaxis(t, 0, -3)
        return t.reshape(int(np.prod(t.shape[:-3])), *t.shape[-3:]), t.shape[:-3]
    q, others = lines(inputs["q"])
    k, v = lines(inputs["k"])[0], lines(inputs["v"])[0]
    n, m = q.shape[-2], k.shape[-2]
    seen = np.tri(n, m, dtype=bool) if causal else np.ones((n, m), bool)
    out = attention({"q": q, "k": k, "v": v}, seen, dtype)

    def back(t):
        t = t.reshape(*others, *t.shape[1:])
        where = len(others)
        return np.moveaxis(np.moveaxis(t, where, 0), where + 1, axis + 1)
    o, lse = back(out["o"]), back(out["lse"])
    return {"o": np.moveaxis(o, 0, -2), "lse": np.moveaxis(lse, 0, -1)}


def row(axis, others, heads, **more):
    """The row of attention along `axis` (of the program's tensors), whose other axes but batch and heads have the extents `others`."""
    def pack(t):  # [b, (others, h), i, ..] -> [b, others with i among them, h, ..]
        t = t.reshape(t.shape[0], *others, heads, *t.shape[2:])
        t = np.moveaxis(t, len(others) + 2, 1)            # [b, i, others, h, ..]
        return np.moveaxis(t, 1, axis)
    return Row(heads=int(np.prod(others)) * heads, pack=pack, layouts=("bhsd",), base=(33, 40), **more)
