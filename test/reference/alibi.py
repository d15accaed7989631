"""Causal, s_ij = q_i . k_j / sqrt d + m_h (j - i), a slope m_h per head."""

from common import attend, default_scale, positions, real, scores


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    i, j = positions(q, k)
    slope = inputs["slopes"].astype(real(dtype))[:, None, None]
    s = scores(q, k, default_scale(q, dtype), dtype) + slope * (j - i).astype(real(dtype))
    return attend(s, visible(inputs, params), v, dtype)
