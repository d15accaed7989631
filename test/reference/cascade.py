"""Cascade: all sequences share a prefix of keys (one for each head), in front of their own; the prefix is seen by all queries, the own keys causally. One softmax over both."""

import numpy as np

from common import attend, default_scale, positions, real, scores
from dense import exact, rounded
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def merge(parts, dtype):
    """Outputs of disjoint key sets as one: each weighs exp(its lse)."""
    t = real(dtype)
    lse = np.stack([p["lse"] for p in parts])
    top = np.max(lse, axis=0)
    with np.errstate(all="ignore"):
        share = np.where(lse == -np.inf, t(0), np.exp(lse - np.where(top == -np.inf, t(0), top)))
        total = share.sum(0, dtype=t)
        o = sum(s[..., None] * p["o"].astype(t) for s, p in zip(share, parts)) / np.where(top == -np.inf, t(1), total)[..., None]
        return o, np.where(top == -np.inf, top, top + np.log(np.where(top == -np.inf, t(1), total)))


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    pk, pv = (np.broadcast_to(inputs[n][None], (q.shape[0], *inputs[n].shape)) for n in ("pk", "pv"))
    scale = default_scale(q, dtype)
    seen = visible(inputs, params)
    if exact(dtype):
        everything = np.concatenate([np.ones((q.shape[2], pk.shape[2]), bool), seen], axis=1)
        return attend(scores(q, np.concatenate([pk, k], 2), scale, dtype), everything, np.concatenate([pv, v], 2), dtype)
    o, lse = merge([attend(scores(q, pk, scale, dtype), True, pv, dtype), attend(scores(q, k, scale, dtype), seen, v, dtype)], dtype)
    return {"o": rounded(o, dtype), "lse": lse}


def extra(c):
    n = c.settings["prefix"]
    return {"pk": (c.heads, n, c.d), "pv": (c.heads, n, c.e)}


ROW = Row(knobs={str(n): {"prefix": n} for n in (50, 0, 1, 300)}, extra=extra, outputs={"o": "flat", "lse": "flat"}, same_width=True, layouts=("bhsd",),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
