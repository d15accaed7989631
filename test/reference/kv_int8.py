"""Keys and values in 8 bits, k = code * scale with a scale for each token and head, v the same; each sequence sees the first length_b tokens. Scales behind them are NaN."""

import numpy as np

import quantized
from common import attend, default_scale, real, scores
from row import Row


def visible(inputs, params):
    return (np.arange(inputs["k"].shape[2]) < inputs["length"][:, None])[:, None, None, :]


def reference(inputs, params, dtype):
    t = real(dtype)
    k, v = (inputs[n].astype(t) * inputs[s].astype(t)[..., None] for n, s in (("k", "ks"), ("v", "vs")))
    q = inputs["q"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def lengths(c, rng, ragged):
    return rng.integers(0, c.j + 1, c.batch).astype(np.int32) if ragged else np.full(c.batch, c.j, np.int32)


def hide(length, *tensors):
    """NaN behind the end of each sequence."""
    for t in tensors:
        for b, n in enumerate(length):
            t[b, :, n:] = np.nan


def captured(c, rng, ragged):
    length = lengths(c, rng, ragged)
    k, ks = quantized.symmetric(rng.standard_normal((c.batch, c.heads, c.j, c.d)))
    v, vs = quantized.symmetric(rng.standard_normal((c.batch, c.heads, c.j, c.d)))
    hide(length, ks, vs)
    return {"k": k, "ks": ks, "v": v, "vs": vs, "length": length}, {"d": c.d}


ROW = Row(knobs={"all": {"ragged": False}, "ragged": {"ragged": True}}, operands=lambda c: {"q": (c.batch, c.heads, c.i, c.d)}, captured=captured, text={"d": ["!k = tensor<?x?x?x{}xi8>"]},
          base=(3, 257), outputs={"o": "rows", "lse": "flat"}, same_width=True, layouts=("bhsd",), axes=("length", "unequal", "dims", "layout", "batch", "parameter"),
          more=({"i": 1, "j": 4096, "element": "bf16"},))
