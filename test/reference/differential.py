"""Differential attention: per head x = (softmax(q1 k1) - lambda softmax(q2 k2)) v, causal, then (1 - lambda0) gain x / sqrt(mean x^2 + 1e-5)."""

import numpy as np

from common import default_scale, positions, real, scores
from dense import combine, exact, f32, rounded, softmax
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    seen = visible(inputs, params)
    scale = default_scale(inputs["q"], dtype)
    p, p2 = (softmax(scores(inputs["q"][:, :, n], inputs["k"][:, :, n], scale, dtype), seen, dtype)[0] for n in (0, 1))
    own, start = t(np.float32(params["lambda"])), t(np.float32(params["lambda0"]))
    if exact(dtype):
        x = combine(p - own * p2, inputs["v"], dtype)
    else:
        a, c = (combine(w, inputs["v"], dtype).astype(t) for w in (p, p2))
        x = rounded(a - own * c, dtype).astype(t)
    mean = (x * x).sum(-1, keepdims=True, dtype=t) / t(x.shape[-1])
    return {"o": rounded(x / np.sqrt(mean + t(1e-5)) * (inputs["gain"].astype(t) * (1 - start)), dtype)}


def operands(c):
    return {"q": (c.batch, c.heads, 2, c.i, c.d), "k": (c.batch, c.heads, 2, c.j, c.d), "v": (c.batch, c.heads, c.j, c.e)}


def captured(c, rng, own, start):
    return {"gain": rng.random(c.e) + 0.5}, {"lambda": f32(own), "lambda0": f32(start), "width": c.e}


def knob(own, start):
    return {"own": own, "start": start}


ROW = Row(knobs={"0.5": knob(0.5, 0.2), "none": knob(0, 0), "late": knob(-0.3, 0.78)}, operands=operands, captured=captured, outputs={"o": "flat"}, same_width=True, layouts=("bhsd",),
          text={"width": ["%gain: tensor<{}xf32>", "!r, tensor<{}xf32>) -> !t"]},
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
