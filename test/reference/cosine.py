"""Cosine attention of Swin V2: s_ij = cos(q_i, k_j) / max(tau_h, 0.01) + bias_hij, the cosine of a vector of length below 1e-12 counted as if it were so long."""

import numpy as np

from common import attend, real
from dense import exact
from layers import constant
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    q, k = inputs["q"].astype(t), inputs["k"].astype(t)
    tau = np.maximum(inputs["tau"].astype(t), constant(0.01, dtype))[:, None, None]
    with np.errstate(all="ignore"):
        m, n = (np.maximum(np.sqrt((x * x).sum(-1, dtype=t)), constant(1e-12, dtype))[..., None] for x in (q, k))
        if exact(dtype):
            s = np.matmul(q / m, np.swapaxes(k / n, -1, -2)) / tau
        else:
            s = np.matmul(q, np.swapaxes(k, -1, -2)) / (m * np.swapaxes(n, -1, -2) * tau)
    return attend(s + inputs["bias"].astype(t), visible(inputs, params), inputs["v"], dtype)


def captured(c, rng, tau):
    return {"tau": np.full(c.heads, float(tau)) * (1 + np.arange(c.heads)), "bias": rng.standard_normal((c.heads, c.i, c.j))}, {}


ROW = Row(knobs={"tenth": {"tau": 0.1}, "one": {"tau": 1}, "least": {"tau": 0.001}, "below": {"tau": -1}}, captured=captured, hides=False, layouts=("bhsd",),
          outputs={"o": "rows", "lse": "flat"}, more=({"element": "f64", "knob": "least"}, {"element": "f64", "knob": "below", "logits": "ties"}),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter", "logits"), few=True)
