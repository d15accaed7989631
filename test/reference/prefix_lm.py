"""Softmax attention over j < p_b (the prompt) or j <= i + (J - I)."""

import numpy as np

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    prompt = j < inputs["p"].astype(np.int64)[:, None, None, None]
    return prompt | (j <= i + (j.size - i.size))


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def captured(c, rng, least, most):
    return {"p": rng.integers(int(least * c.j), int(most * c.j) + 1, c.batch).astype(np.int32)}, {}


ROW = Row(knobs={"random": {"least": 0, "most": 1}, "zero": {"least": 0, "most": 0}, "all": {"least": 1, "most": 1}}, captured=captured, thorough=True)
