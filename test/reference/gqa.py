"""Causal; query head h uses key and value head h // g, with g = (query heads) / (key heads)."""

import numpy as np

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q = inputs["q"]
    k, v = (np.repeat(inputs[n], params["group"], axis=1) for n in ("k", "v"))
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def captured(c, rng):
    return {}, {"group": c.group}


ROW = Row(captured=captured, text={"group": ["h floordiv {}, j"]}, groups=(3, 1, 8), layouts=("bhsd", "bshd"), thorough=True)
