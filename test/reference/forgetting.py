"""Forgetting attention: causal, s_ij = q_i . k_j / sqrt d + c_i - c_j, where c is the prefix sum of log f along the sequence: the log of the product of the gates
between j and i. The program is given c at the queries (the last tokens) and at the keys."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    s = scores(q, k, default_scale(q, dtype), dtype)
    return attend(s + (inputs["ci"].astype(t)[..., :, None] - inputs["cj"].astype(t)[..., None, :]), visible(inputs, params), v, dtype)


def captured(c, rng, mean):
    n = max(c.i, c.j)
    gate = 1 / (1 + np.exp(-(rng.standard_normal((c.batch, c.heads, n)) + mean)))
    total = np.cumsum(np.log(gate), axis=-1).astype(np.float32)
    return {"ci": total[..., n - c.i:], "cj": total[..., n - c.j:]}, {}


ROW = Row(knobs={"slow": {"mean": 3}, "fast": {"mean": -2}, "never": {"mean": 40}}, captured=captured, few=True)
