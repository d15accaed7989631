"""Softmax attention over j < p_b (the prompt) or j <= i + (J - I)."""

import numpy as np

from common import attend, default_scale, positions, scores


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    prompt = j < inputs["p"].astype(np.int64)[:, None, None, None]
    return prompt | (j <= i + (j.size - i.size))


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)
