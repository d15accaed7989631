"""Clipped causal softmax, and every token and head has a gate: o_bhi sigmoid(gate_bhi)."""

import numpy as np

import clipped
from common import positions, real
from dense import rounded
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    out = clipped.clipped(inputs, params, visible(inputs, params), dtype)
    with np.errstate(over="ignore"):
        gate = t(1) / (t(1) + np.exp(-inputs["gate"].astype(t)))
    return {"o": rounded(out["o"].astype(t) * gate[..., None], dtype), "lse": out["lse"]}


def captured(c, rng, zeta, gamma, spread):
    return {"gate": spread * rng.standard_normal((c.batch, c.heads, c.i))}, {"zeta": zeta, "gamma": gamma}


ROW = Row(knobs={"opt": clipped.knob(1, -0.0234375) | {"spread": 1}, "gate": clipped.knob(1, 0) | {"spread": 1}, "shut": clipped.knob(1, -0.01) | {"spread": 100}},
          captured=captured, few=True)
