"""Softmax attention over j <= i + (J - I) with seg_b(i) = seg_b(j): no token sees another document."""

from common import attend, default_scale, positions, scores


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    seg = inputs["seg"]
    return (seg[:, None, :, None] == seg[:, None, None, :]) & (j <= i + (j.size - i.size))


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)
