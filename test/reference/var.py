"""Visual attention redistribution. Keys are sinks in the text (label 0), sinks in the image (1), other image keys (2) or the rest (3). With V the image keys, I the sinks and P a
row of the softmax: where

    sum of P over the image's sinks <= rho * sum over V of (P + 1e-6)      and      sum of P over V >= 0.2

the sinks keep the part p of their weight, and the rest, omega = (1 - p) * sum of P over I, goes to the image keys that are no sinks in proportion to their P. p is 1 in rows that are left alone.
"""

import numpy as np

from common import default_scale, positions, real, scores
from dense import Pairs, combine, softmax
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def redistribute(p, at, label, keep, dtype, rho=0.5, least=0.2):
    """P' of weights p [b, h, i, j]; `at` the pairs that count, label [b, j], keep [b, i]."""
    t = real(dtype)
    label = np.broadcast_to(label[:, None, None, :], p.shape)
    keep = keep.astype(t)[:, None, :, None]

    def total(which, x=None):
        return np.sum(np.where(which & at, p if x is None else x, t(0)), axis=-1, keepdims=True, dtype=t)
    image, sink = (label == 1) | (label == 2), label <= 1
    apply = (total(label == 1) <= t(rho) * total(image, p + t(1e-6))) & (total(image) >= t(np.float32(least)))
    omega = (t(1) - keep) * total(sink)
    other = total(label == 2)
    new = np.where(sink, keep * p, np.where(label == 2, p + omega * p / np.where(other == 0, t(1), other), p))
    return np.where(apply & at, new, p)


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    seen = visible(inputs, params)
    p, lse = softmax(s, seen, dtype)
    new = redistribute(p, Pairs(s, seen).at, inputs["label"], inputs["p"], dtype)
    return {"o": combine(new, inputs["v"], dtype), "lse": lse}


def captured(c, rng, image, sinks):
    """An image in the middle part of the keys, sinks at random, and text behind the image that is redistributed."""
    j = np.arange(c.j)
    inside = (j >= c.j * (1 - image) / 2) & (j < c.j * (1 + image) / 2)
    sink = rng.random((c.batch, c.j)) < sinks
    label = np.where(sink, np.where(inside, 1, 0), np.where(inside, 2, 3))
    text = np.arange(c.i) + c.j - c.i >= c.j * (1 + image) / 2
    return {"label": label.astype(np.int32), "p": np.broadcast_to(np.where(text, 0.6, 1.0), (c.batch, c.i)).copy()}, {}


ROW = Row(knobs={"half": {"image": 0.5, "sinks": 0.2}, "small": {"image": 0.2, "sinks": 0.1}, "all": {"image": 0.9, "sinks": 0.5}, "no-sink": {"image": 0.5, "sinks": 0}},
          captured=captured, few=True)
