"""Many ReLU heads, summed: f_i = sum_m 1/n sum_j max(q_mi . x_j, 0) u_mj, with q_mi = W_m^T x_i and u_mj = v_m . x_j given."""

import numpy as np

from common import real, scores
from dense import combine, rounded
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    w = np.maximum(scores(inputs["q"], inputs["x"][:, None], 1.0, dtype), t(0)) / t(max(inputs["x"].shape[1], 1))
    return {"f": rounded(combine(w, inputs["u"], dtype).astype(t).sum(axis=1, dtype=t), dtype)}


def operands(c):
    m = c.settings["m"]
    return {"q": (c.batch, m, c.i, 16), "x": (c.batch, c.j, 16), "u": (c.batch, m, c.j, 1)}


ROW = Row(knobs={"40": {"m": 40}, "one": {"m": 1}, "many": {"m": 500}}, operands=operands, captured=lambda c, rng, m: ({}, {}), outputs={"f": "flat"}, hides=False, layouts=("bhsd",),
          axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
