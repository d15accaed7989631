"""Softmax attention over j <= i + (J - I) with seg_b(i) = seg_b(j): no token sees another document."""

import numpy as np

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    seg = inputs["seg"]
    return (seg[:, None, :, None] == seg[:, None, None, :]) & (j <= i + (j.size - i.size))


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def captured(c, rng, odds):
    if odds is None:  # a document may come back: segments need not be sorted
        seg = rng.integers(0, 3, (c.batch, c.j)) - 1
    else:
        seg = np.cumsum(rng.random((c.batch, c.j)) < odds, axis=1)
    return {"seg": seg.astype(np.int32)}, {}


ROW = Row(knobs={"random": {"odds": 0.1}, "one": {"odds": 0.0}, "each": {"odds": 1.0}, "back": {"odds": None}}, captured=captured,
          square=True, thorough=True)
