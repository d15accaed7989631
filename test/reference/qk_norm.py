"""Query and key norm: q' = q / sqrt(mean_c q_c^2 + 1e-6) gain_q, k' likewise, over the features of a head, before any rotation; then causal attention with 1 / sqrt d."""

import numpy as np

from common import attend, default_scale, positions, scores
from layers import cast, constant, rms_norm
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, gq, gk = cast(inputs, dtype, "q", "k", "gq", "gk")
    with np.errstate(all="ignore"):
        q, k = rms_norm(q, gq, constant(1e-6, dtype)), rms_norm(k, gk, constant(1e-6, dtype))
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), inputs["v"], dtype)


def captured(c, rng, spread):
    return {"gq": 1 + spread * rng.standard_normal(c.d), "gk": 1 + spread * rng.standard_normal(c.d)}, {"d": c.d, "count": f"{c.d}.0"}


ROW = Row(knobs={"learned": {"spread": 0.3}, "ones": {"spread": 0}}, captured=captured, layouts=("bhsd",), outputs={"o": "rows", "lse": "flat"}, same_width=True,
          text={"d": ["%gq: tensor<{}xf32>", "%gk: tensor<{}xf32>", "%c] : tensor<{}xf32>"], "count": ["%n = arith.constant {} : f32"]},
          axes=("length", "unequal", "dims", "layout", "batch", "parameter", "logits"), more=tuple({"poison": "hidden", "element": x} for x in ("f32", "bf16")))
