"""Causal; every query head uses the one key head k [b, j, c] and value head v [b, j, e]."""

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"][:, None], inputs["v"][:, None]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


ROW = Row(groups=(8, 1, 3), one_key_head=True, layouts=("bhsd", "bshd"), keys=lambda c: (c.batch, c.j), view=lambda t: t[:, None], thorough=True)
