"""All that a row can tell besides o: its lse, the largest score (-inf without keys), the smallest (+inf), the index of the largest (the lowest on ties, -1) and the
entropy of its weights; causal."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from dense import Pairs, entropy, first_largest, softmax
from row import Row, steps


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    s = scores(q, k, default_scale(q, dtype), dtype)
    seen = visible(inputs, params)
    pairs = Pairs(s, seen)
    p, lse = softmax(s, seen, dtype)
    low = np.min(np.where(pairs.at, pairs.score, t(np.inf)), axis=-1, initial=np.inf)
    return attend(s, seen, v, dtype) | {"top": pairs.rows(pairs.largest(), -np.inf), "low": pairs.rows(low, np.inf), "id": first_largest(s, pairs.at),
                                        "entropy": entropy(s, p, lse, dtype)}


ROW = Row(outputs={"o": "value", "lse": "row", "top": "row", "low": "row", "id": "id", "entropy": "row"}, terms={"entropy": "lse"}, adjust=steps, d=60, few=True)
