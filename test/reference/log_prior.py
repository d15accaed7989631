"""A prior over the keys, rows of which sum to 1, as a product of experts: s'_ij = s_ij + w log a_ij, and KL(a_i || P_i) = sum_j a_ij log(a_ij / P_ij)."""

import numpy as np

from common import attend, default_scale, real, scores
from dense import exact, f32, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def make(rng, shape):
    """Random rows that sum to 1, none of them 0."""
    a = np.exp(rng.standard_normal(shape))
    return a / a.sum(-1, keepdims=True) if a.size else a


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    t = real(dtype)
    a = inputs["prior"].astype(t)[:, None]
    s = scores(q, k, default_scale(q, dtype), dtype) + t(np.float32(params["w"])) * np.log(a)
    p, lse = softmax(s, True, dtype)
    with np.errstate(all="ignore"):
        if exact(dtype):
            kl = np.sum(a * (np.log(a) - (s - lse[..., None])), axis=-1, dtype=t)
        else:
            kl = np.sum(a * (np.log(a) - s), axis=-1, dtype=t) + lse
        kl = np.where(lse == -np.inf, lse, kl)  # a row without keys
    return attend(s, True, v, dtype) | {"kl": kl}


def captured(c, rng, w):
    return {"prior": make(rng, (c.batch, c.i, c.j))}, {"w": f32(w)}


ROW = Row(knobs={"half": {"w": 0.5}, "one": {"w": 1}, "none": {"w": 0}}, captured=captured, hides=False, outputs={"o": "value", "lse": "row", "kl": "flat"}, terms={"kl": "lse"}, elements=("f32", "bf16", "f16"),
          layouts=("bhsd",), axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
