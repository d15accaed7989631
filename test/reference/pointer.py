"""Pointer network, dot form: p_ij = softmax_j(q_i . k_j / sqrt d) over the first length_b inputs, nll_i = -log p_i,target, id_i = argmax_j p_ij (the lowest on ties)."""

import numpy as np

from common import default_scale, real, scores
from dense import Pairs, exact, first_largest, softmax
from row import Row, steps


def visible(inputs, params):
    return np.arange(inputs["k"].shape[1])[None, None, :] < inputs["length"][:, None, None]


def reference(inputs, params, dtype):
    t = real(dtype)
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    seen = visible(inputs, params)
    p, lse = softmax(s, seen, dtype)
    if s.shape[-1] == 0:
        return {"p": p, "nll": lse, "lse": lse, "id": np.full(lse.shape, -1, np.int64)}
    target = inputs["target"].astype(np.int64)[..., None]
    if exact(dtype):
        nll = -np.log(np.take_along_axis(p, target, -1))[..., 0]
    else:
        nll = lse - np.take_along_axis(s, target, -1)[..., 0]
    return {"p": p, "nll": nll.astype(t), "lse": lse, "id": first_largest(s, Pairs(s, seen).at)}


def captured(c, rng, ragged):
    length = rng.integers(1, c.j + 1, c.batch) if ragged and c.j else np.full(c.batch, c.j)
    return {"length": length.astype(np.int32), "target": np.array([rng.integers(0, max(n, 1), c.i) for n in length]).reshape(c.batch, c.i).astype(np.int32)}, {}


ROW = Row(knobs={"ragged": {"ragged": True}, "all": {"ragged": False}}, captured=captured, operands=lambda c: {"q": (c.batch, c.i, c.d), "k": (c.batch, c.j, c.d)}, adjust=steps, d=60,
          outputs={"p": "flat", "nll": "flat", "id": "id"}, terms={"nll": "lse"}, same_width=True, layouts=("bhsd",), axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
