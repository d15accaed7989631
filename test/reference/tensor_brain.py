"""The index layer of the Tensor Brain: p = softmax_e(a_e . h + bias_e) over concepts e whose embeddings are key and value, o = sum_e p_e a_e; and a concept drawn from p:
id = argmax_e (a_e . h + bias_e - log(-log u_e)), u uniform (philox.py)."""

import numpy as np

import philox
from common import attend, real, scores
from dense import first_largest
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    h, a = inputs["h"], inputs["a"]
    s = scores(h, a, 1.0, dtype) + inputs["bias"].astype(t)
    out = attend(s[:, None], True, a[None, None], dtype)
    u = philox.uniform(params["seed"], *np.ix_(*(np.arange(n) for n in s.shape))).astype(t)
    with np.errstate(divide="ignore"):
        id = first_largest(s - np.log(-np.log(u)), np.ones(s.shape, bool))
    return {"o": out["o"][:, 0], "lse": out["lse"][:, 0], "id": id}


def captured(c, rng, seed):
    return {"bias": rng.standard_normal(c.j)}, {"seed": seed}


def adjust(c, x, rng):
    x["h"] /= 8


ROW = Row(knobs={str(seed): {"seed": seed} for seed in (7, -1)}, captured=captured, operands=lambda c: {"h": (c.batch, c.i, c.d), "a": (c.j, c.d)}, adjust=adjust, base=(1, 300),
          outputs={"o": "flat", "lse": "flat", "id": "id"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "bf16", "f16"),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
