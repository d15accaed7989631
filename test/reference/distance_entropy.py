"""Analysis of a head on a grid of patches in row-major order: sum_j P_ij |pos_i - pos_j| (Euclid) and the entropy of every row, beside o."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from dense import entropy, softmax, weighted
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    i, j = positions(q, k)
    w = params["width"]
    far = np.sqrt(((i // w - j // w) ** 2 + (i % w - j % w) ** 2).astype(t))
    s = scores(q, k, default_scale(q, dtype), dtype)
    p, lse = softmax(s, True, dtype)
    return {"o": attend(s, True, v, dtype)["o"], "distance": weighted(p, far, dtype), "entropy": entropy(s, p, lse, dtype), "lse": lse}


ROW = Row(knobs={"14": {"width": 14}, "8": {"width": 8}, "line": {"width": 1}}, text={"width": ["%w = arith.constant {} : index"]}, hides=False,
          outputs={"o": "value", "distance": "row", "entropy": "row"}, terms={"entropy": "lse"}, few=True)
