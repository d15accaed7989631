"""Hard retrieval: o_i = v_j* with j* = argmax_j q_i . k_j over the visible keys, the lowest on ties, causal; id = j*, -1 where nothing is visible.
A score that is NaN counts as larger than all."""

import numpy as np

from common import positions, real, scores
from dense import Pairs, first_largest
from row import Row, steps


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    s = scores(inputs["q"], inputs["k"], 1.0, dtype)
    pairs = Pairs(s, visible(inputs, params))
    id = first_largest(s, pairs.at)
    v = np.broadcast_to(inputs["v"].astype(t), (*s.shape[:2], *inputs["v"].shape[2:]))
    o = np.zeros((*s.shape[:3], v.shape[-1]), t)
    for at in np.ndindex(id.shape):
        if id[at] >= 0:
            o[at] = v[at[0], at[1], id[at]]
    return {"o": o, "id": id}


# Scores are in steps that every type holds, so that the index is no matter of rounding.
ROW = Row(outputs={"o": "value", "id": "id"}, scale=1.0, adjust=steps, few=True)
