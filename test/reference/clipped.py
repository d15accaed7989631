"""Clipped softmax: P_ij = clip((zeta - gamma) softmax_j(s_ij) + gamma, 0, 1), o = P v; the lse is that of the softmax."""

import numpy as np

from common import default_scale, real, scores
from dense import Pairs, combine, f32, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def clip(p, zeta, gamma, dtype):
    t = real(dtype)
    zeta, gamma = t(np.float32(zeta)), t(np.float32(gamma))
    return np.clip((zeta - gamma) * p + gamma, t(0), t(1))


def clipped(inputs, params, seen, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    p, lse = softmax(s, seen, dtype)
    return {"o": combine(Pairs(s, seen).keep(clip(p, params["zeta"], params["gamma"], dtype)), inputs["v"], dtype), "lse": lse}


def reference(inputs, params, dtype):
    return clipped(inputs, params, visible(inputs, params), dtype)


def knob(zeta, gamma):
    return {"zeta": f32(zeta), "gamma": f32(gamma)}


KNOBS = {"bert": knob(1, -0.025), "softmax": knob(1, 0), "half": knob(1, -0.5), "wide": knob(1.1, -0.01), "far": knob(2, -0.1)}
ROW = Row(knobs=KNOBS, hides=False, few=True)
