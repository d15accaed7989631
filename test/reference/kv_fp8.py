"""Keys in E4M3 and values in E5M2 with a scale for each head; each sequence sees the first length_b tokens. Behind them codes are NaN or Inf."""

import numpy as np

import kv_int8
import quantized
from common import attend, default_scale, real, scores
from row import Row


def visible(inputs, params):
    return kv_int8.visible(inputs, params)


def reference(inputs, params, dtype):
    t, q = real(dtype), inputs["q"]
    k, v = (quantized.float8(kind).astype(t)[inputs[n]] * inputs[n + "s"].astype(t)[:, None, None] for n, kind in (("k", "E4M3FN"), ("v", "E5M2")))
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def nearest(x, kind):
    """Codes of the numbers nearest to x."""
    table = quantized.float8(kind)
    order = np.argsort(np.where(np.isfinite(table), table, np.inf), kind="stable")[:int(np.isfinite(table).sum())]
    at = np.clip(np.searchsorted(table[order], x), 1, order.size - 1)
    down = x - table[order[at - 1]] < table[order[at]] - x
    return order[np.where(down, at - 1, at)].astype(np.uint8)


def captured(c, rng, ragged):
    length = kv_int8.lengths(c, rng, ragged)
    k, v = (nearest(rng.standard_normal((c.batch, c.heads, c.j, c.d)) * size, kind) for size, kind in ((8, "E4M3FN"), (1e3, "E5M2")))
    for b, n in enumerate(length):
        k[b, :, n:], v[b, :, n:] = 0x7F, 0xFC
    return {"k": k, "v": v, "length": length, "ks": rng.uniform(0.1, 0.15, c.heads), "vs": rng.uniform(0.5e-3, 1e-3, c.heads)}, {"d": c.d}


ROW = Row(knobs={"all": {"ragged": False}, "ragged": {"ragged": True}}, operands=lambda c: {"q": (c.batch, c.heads, c.i, c.d)}, captured=captured,
          text={"d": ["!k = tensor<?x?x?x{}xf8E4M3FN>", "!v = tensor<?x?x?x{}xf8E5M2>"]}, base=(3, 257), outputs={"o": "rows", "lse": "flat"}, same_width=True, layouts=("bhsd",),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), more=({"i": 1, "j": 4096, "element": "bf16"},))
