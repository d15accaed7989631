"""Attention mixed with a prior a over the keys (rows sum to 1, given from elsewhere): P'_ij = g_i P_ij + (1 - g_i) a_ij, o = P' v."""

import numpy as np

import log_prior
from common import default_scale, real, scores
from dense import combine, exact, rounded, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    p, _ = softmax(scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype), True, dtype)
    a = np.broadcast_to(inputs["prior"].astype(t)[:, None], p.shape)
    g = inputs["g"].astype(t)[:, None, :, None]
    if exact(dtype):
        return {"o": combine(g * p + (1 - g) * a, inputs["v"], dtype)}
    own, given = (combine(w, inputs["v"], dtype).astype(t) for w in (p, a))
    return {"o": rounded(given + g * (own - given), dtype)}


def captured(c, rng, kind):
    g = {"random": rng.random((c.batch, c.i)), "own": np.ones((c.batch, c.i)), "given": np.zeros((c.batch, c.i))}[kind]
    return {"prior": log_prior.make(rng, (c.batch, c.i, c.j)), "g": g}, {}


ROW = Row(knobs={kind: {"kind": kind} for kind in ("random", "own", "given")}, captured=captured, outputs={"o": "value"}, hides=False, layouts=("bhsd",), same_width=True,
          axes=("length", "unequal", "dims", "layout", "logits", "batch", "parameter"), few=True)
