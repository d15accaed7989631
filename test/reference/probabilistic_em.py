"""One step of key adaptation of probabilistic attention: with P = softmax_j(-alpha / 2 |q_i - k_j|^2), the key becomes the mean of its queries and itself,
k_j <- (tau_j k_j + alpha sum_i P_ij q_i) / (tau_j + alpha sum_i P_ij)."""

import numpy as np

from common import real
from dense import exact, f32, rounded, softmax
from probabilistic import halves
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def step(q, k, tau, alpha, dtype):
    t = real(dtype)
    q, k, tau = q.astype(t), k.astype(t), tau.astype(t)
    alpha = t(np.float32(alpha))
    if exact(dtype):
        s = -alpha * halves(q, k, dtype)
    else:  # what is the same for all keys of a row does not matter
        s = alpha * np.matmul(q, np.swapaxes(k, -1, -2)) - alpha * (t(0.5) * (k * k).sum(-1, dtype=t))[..., None, :]
    p, _ = softmax(s, True, dtype)
    mass = p.sum(-2, dtype=t)
    moved = np.matmul(np.swapaxes(p, -1, -2), q)
    return (tau[..., None] * k + alpha * moved) / (tau + alpha * mass)[..., None]


def reference(inputs, params, dtype):
    return {"key": rounded(step(inputs["q"], inputs["k"], inputs["tau"], params["alpha"], dtype), dtype)}


def captured(c, rng, alpha):
    return {"tau": rng.random((c.batch, c.heads, c.j)) + 0.1}, {"alpha": f32(alpha)}


ROW = Row(knobs={"0.125": {"alpha": 0.125}, "0.02": {"alpha": 0.02}}, captured=captured, values=False, outputs={"key": "flat"}, hides=False, layouts=("bhsd",),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
