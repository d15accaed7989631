"""T5 decoder: causal, unscaled, s_ij = q_i . k_j + table[bucket(max(i - j, 0)), h].

`buckets(128)` is the paper's bucketing, exact below 16 and logarithmic up to 128: all distances from 127 on share the last bucket.
"""

import math

import numpy as np

from common import attend, positions, real, scores
from row import Row


def buckets(n, count=32, farthest=128):
    exact = count // 2
    wide = [exact + int(math.log(x / exact) / math.log(farthest / exact) * (count - exact)) for x in range(exact, n)]
    return np.array([*range(min(exact, n)), *(min(x, count - 1) for x in wide)], np.int32)


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    i, j = positions(q, k)
    bucket = inputs["buckets"][np.minimum(np.maximum(i - j, 0), 127)]
    bias = np.moveaxis(inputs["table"].astype(real(dtype))[bucket], -1, 0)
    return attend(scores(q, k, 1.0, dtype) + bias, visible(inputs, params), v, dtype)


def captured(c, rng):
    return {"buckets": buckets(128), "table": rng.standard_normal((32, c.heads))}, {}


ROW = Row(captured=captured, scale=1.0, thorough=True)
