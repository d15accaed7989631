"""Three steps of key adaptation of probabilistic attention: in each P = softmax_j(-alpha / 2 |q_i - k_j|^2) with the keys as they stand, then
k_j <- (tau_j k0_j + alpha sum_i P_ij q_i) / (tau_j + alpha sum_i P_ij) with the keys k0 of the beginning."""

import numpy as np

import probabilistic_em
from common import real
from dense import exact, rounded, softmax
from probabilistic import halves
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    q, k0, tau = (inputs[n].astype(t) for n in ("q", "k", "tau"))
    alpha, k = t(np.float32(params["alpha"])), k0
    for _ in range(3):
        s = -alpha * halves(q, k, dtype) if exact(dtype) else alpha * np.matmul(q, np.swapaxes(k, -1, -2)) - alpha * (t(0.5) * (k * k).sum(-1, dtype=t))[..., None, :]
        p, _ = softmax(s, True, dtype)
        k = (tau[..., None] * k0 + alpha * np.matmul(np.swapaxes(p, -1, -2), q)) / (tau + alpha * p.sum(-2, dtype=t))[..., None]
        k = rounded(k, dtype)
    # A weight is off by as many roundings as the terms are large that its score is a difference of, and a key by that part of the queries.
    terms = alpha * t(0.5) * (k * k).sum(-1, dtype=t).max(initial=0) * np.abs(q).max(initial=0)
    return {"key": k, "terms": np.full(k.shape, terms, t)}


ROW = Row(knobs={"0.125": {"alpha": 0.125}, "0.02": {"alpha": 0.02}}, captured=probabilistic_em.captured, values=False, outputs={"key": "flat"}, terms={"key": "terms"}, hides=False,
          layouts=("bhsd",), axes=("length", "unequal", "dims", "layout", "batch", "parameter"), elements=("f32", "f64"), few=True)
