"""Partial rotary positions: the first half of the features turns, half-split, by the angle of the token's own index; the others carry no position."""

import numpy as np

import rope
from common import attend, default_scale, real, scores
from row import Row


def visible(inputs, params):
    return rope.visible(inputs, params)


def reference(inputs, params, dtype):
    t = real(dtype)
    cos, sin = inputs["cos"].astype(t), inputs["sin"].astype(t)

    def rotate(x):
        x = x.astype(t)
        n, part = x.shape[2], x.shape[-1] // 2
        return np.concatenate([rope.halves(x[..., :part], cos[:n], sin[:n]), x[..., part:]], axis=-1)
    q, k = rotate(inputs["q"]), rotate(inputs["k"])
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), inputs["v"], dtype)


def captured(c, rng):
    return rope.tables(c.j, c.d // 4), {"half": c.d // 4, "part": c.d // 2, "all": c.d}


# cos and sin are indexed by queries and by keys as they are, so there are as many of one as of the other.
ROW = Row(captured=captured, square=True, layouts=("bhsd",), outputs={"o": "rows", "lse": "flat"}, same_width=True, few=True,
          text={"half": ["%half = arith.constant {} : index", "%cos: tensor<?x{}xf32>", "%sin: tensor<?x{}xf32>", ": tensor<?x{}xf32>  %s", ": tensor<?x{}xf32>\n      %m"],
                "part": ["%all = arith.constant {} : index", "c + {}]", "c = {}, r", "r = {}, e"], "all": ["e = {})"]},
          axes=("length", "layout", "batch", "logits"), more=tuple({"d": d, "e": d, "element": x} for d, x in ((8, "f32"), (80, "bf16"), (128, "f16"), (192, "f64"))))
