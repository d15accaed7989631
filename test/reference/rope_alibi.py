"""Rotary positions and ALiBi mixed by the distance n = i - j >= 0: s_ij = a(n) (R q_i) . (R k_j) / sqrt d - b(n) m_h n, with R half-split at the token's own index, a and b tables over the
distance (here a = 1 / (1 + n), b = 1 - a: our reading of a harmonic mix; the paper's own formula was not to be had). Causal."""

import numpy as np

import rope
from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i


def reference(inputs, params, dtype):
    t = real(dtype)
    cos, sin, a, b, slope = (inputs[n].astype(t) for n in ("cos", "sin", "a", "near", "slope"))
    q, k = (rope.halves(inputs[n].astype(t), cos[:inputs[n].shape[2]], sin[:inputs[n].shape[2]]) for n in ("q", "k"))
    i, j = positions(q, k)
    far = np.maximum(i - j, 0)
    s = a[far] * scores(q, k, default_scale(q, dtype), dtype) - b[far] * (slope[:, None, None] * far.astype(t))
    return attend(s, visible(inputs, params), inputs["v"], dtype)


def captured(c, rng, mix):
    n = np.arange(max(c.i, c.j))
    a = {"harmonic": 1 / (1 + n), "rope": np.ones(n.size), "alibi": np.zeros(n.size)}[mix]
    return {**rope.tables(n.size, c.d // 2), "a": a, "near": 1 - a, "slope": 2.0 ** (-8.0 * np.arange(1, c.heads + 1) / c.heads)}, {"half": c.d // 2, "all": c.d}


ROW = Row(knobs={mix: {"mix": mix} for mix in ("harmonic", "rope", "alibi")}, captured=captured, square=True, layouts=("bhsd",), outputs={"o": "rows", "lse": "flat"}, same_width=True, few=True,
          text={"half": ["%half = arith.constant {} : index"], "all": ["%all = arith.constant {} : index"]}, axes=("length", "layout", "batch", "parameter", "logits"),
          more=tuple({"d": d, "e": d, "element": x} for d, x in ((8, "f32"), (80, "bf16"), (128, "f16"))))
