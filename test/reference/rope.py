"""Rotary positions, half-split: with w = d / 2, features c and c + w of a vector at position p are a complex number that is turned by the angle p base^(-c / w):

    (x_c + i x_{c+w}) e^{i p f_c}

for queries and keys, before the product. Positions are given for every token; cos and sin come as tables over positions, rounded. Causal."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def tables(n, w, base=100.0):
    """cos and sin of p base^(-c / w), p < n."""
    angle = np.arange(n)[:, None] * base ** (-np.arange(w) / w)
    return {"cos": np.cos(angle), "sin": np.sin(angle)}


def turn(x, y, cos, sin):
    """(x + i y) (cos + i sin) as two reals."""
    with np.errstate(all="ignore"):
        return x * cos - y * sin, y * cos + x * sin


def halves(x, cos, sin):
    w = x.shape[-1] // 2
    return np.concatenate(turn(x[..., :w], x[..., w:], cos, sin), axis=-1)


def pairs(x, cos, sin):
    a, b = turn(x[..., 0::2], x[..., 1::2], cos, sin)
    return np.stack([a, b], axis=-1).reshape(x.shape)


def reference(inputs, params, dtype, rotate=halves):
    t = real(dtype)
    cos, sin = inputs["cos"].astype(t), inputs["sin"].astype(t)
    q, k = inputs["q"].astype(t), inputs["k"].astype(t)
    at = inputs["at"]
    q = rotate(q, *(x[at[:, :q.shape[2]]][:, None] for x in (cos, sin)))
    k = rotate(k, *(x[at[:, :k.shape[2]]][:, None] for x in (cos, sin)))
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), inputs["v"], dtype)


def captured(c, rng, order):
    n = c.j
    at = {"rising": lambda: np.arange(n), "random": lambda: rng.integers(0, n, n), "pieces": lambda: np.arange(n) % max(1, n // 3)}[order]
    return {"at": np.array([at() for _ in range(c.batch)]).reshape(c.batch, n).astype(np.int32), **tables(max(n, 1), c.d // 2)}, {"half": c.d // 2, "all": c.d}


# One tensor of positions is indexed by queries and by keys, so there are as many of one as of the other.
ROW = Row(knobs={order: {"order": order} for order in ("rising", "random", "pieces")}, captured=captured, square=True, layouts=("bhsd",), outputs={"o": "rows", "lse": "flat"}, same_width=True,
          text={"half": ["%half = arith.constant {} : index", "%cos: tensor<?x{}xf32>", "%sin: tensor<?x{}xf32>", ": tensor<?x{}xf32>  %s", ": tensor<?x{}xf32>  %m"],
                "all": ["%all = arith.constant {} : index"]},
          axes=("length", "layout", "batch", "parameter", "logits"),
          more=tuple({"d": d, "e": d, "element": x} for d, x in ((8, "f32"), (80, "bf16"), (128, "f16"), (192, "f64"))) + tuple({"poison": "hidden", "element": x} for x in ("f32", "bf16")))
