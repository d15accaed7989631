"""Decode: one query (or a few) for each sequence, over the first length_b tokens of its cache; query head h uses key and value head h // g."""

import numpy as np

from common import attend, default_scale, scores
from row import Row


def visible(inputs, params):
    j = np.arange(inputs["k"].shape[-2])
    return (j < inputs["length"][:, None])[:, None, None, :]


def reference(inputs, params, dtype):
    q = inputs["q"]
    k, v = (np.repeat(inputs[n], params["group"], axis=1) for n in ("k", "v"))
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def captured(c, rng, least):
    return {"length": rng.integers(int(least * c.j), c.j + 1, c.batch).astype(np.int32)}, {"group": c.group}


ROW = Row(knobs={"ragged": {"least": 0}, "full": {"least": 1}}, captured=captured, text={"group": ["h floordiv {}, j"]}, groups=(4, 1, 3, 8), layouts=("bhsd", "bshd"),
          fit=lambda i, j, least: (min(i, 2), j), base=(1, 257), more=({"i": 1, "j": 4096, "element": "bf16"}, {"i": 1, "j": 1, "group": 1}))
