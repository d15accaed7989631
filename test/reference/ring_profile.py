"""Attention mass by distance: ring_k(i) = sum of P_ij over the patches j at Chebyshev distance k from patch i, for k = 0, 1, 2 and 3 or more. Token 0 is no patch, and nothing is at
a distance from it. (The strength of a head at ring k is the mean over i of ring_k(i) / number of such j.)"""

import numpy as np

from common import attend, default_scale, real, scores
from dense import softmax, weighted
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def distances(queries, keys, width):
    """Chebyshev distances [queries, keys] of tokens behind the class token, -1 where one is that."""
    i, j = np.arange(queries)[:, None] - 1, np.arange(keys)[None, :] - 1
    far = np.maximum(np.abs(i // width - j // width), np.abs(i % width - j % width))
    return np.where((i < 0) | (j < 0), -1, far).astype(np.int32)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    s = scores(q, k, default_scale(q, dtype), dtype)
    p, _ = softmax(s, True, dtype)
    far = distances(q.shape[2], k.shape[2], params["width"])
    rings = {f"ring{n}": weighted(p, (far == n if n < 3 else far >= 3).astype(t), dtype) for n in range(4)}
    return {"o": attend(s, True, v, dtype)["o"]} | rings


def captured(c, rng, width):
    return {"ring": distances(c.i, c.j, width)}, {"width": width}


ROW = Row(knobs={"14": {"width": 14}, "4": {"width": 4}}, captured=captured, hides=False, outputs={"o": "value"} | {f"ring{n}": "row" for n in range(4)}, few=True)
