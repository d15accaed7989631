"""Probabilistic attention: keys are means of Gaussians of precision alpha_j with prior pi_ij; s_ij = log pi_ij - alpha_j / 2 |q_i - k_j|^2, o = softmax(s) v.

The normalizer of the Gaussian, C / 2 log alpha_j, is left out, as in the authors' layer; it can be put into log pi. The yardstick expands the square as the program does.
"""

import numpy as np

from common import attend, real
from dense import exact
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def halves(q, k, dtype):
    """|q_i - k_j|^2 / 2 as [b, h, i, j]."""
    t = real(dtype)
    q, k = q.astype(t), k.astype(t)
    if not exact(dtype):
        return t(0.5) * ((q * q).sum(-1, dtype=t)[..., :, None] + (k * k).sum(-1, dtype=t)[..., None, :]) - np.matmul(q, np.swapaxes(k, -1, -2))
    out = np.zeros((*q.shape[:3], k.shape[2]), t)
    for b, h, i in np.ndindex(q.shape[:3]):
        out[b, h, i] = ((q[b, h, i] - k[b, h]) ** 2).sum(-1, dtype=t) / 2
    return out


def reference(inputs, params, dtype):
    t = real(dtype)
    s = inputs["logpi"].astype(t)[:, None] - inputs["alpha"].astype(t)[..., None, :] * halves(inputs["q"], inputs["k"], dtype)
    # What the scores of a row are differences of, at least.
    q, alpha = inputs["q"].astype(t), inputs["alpha"].astype(t)
    squares = t(0.5) * (q * q).sum(-1, dtype=t) * alpha.max(-1, keepdims=True, initial=0)
    return attend(s, True, inputs["v"], dtype) | {"squares": squares}


def captured(c, rng, kind):
    shape = (c.batch, c.heads, c.j)
    alpha = np.full(shape, c.d ** -0.5) if kind == "equal" else c.d ** -0.5 * np.exp(0.3 * rng.standard_normal(shape))
    return {"alpha": alpha, "logpi": np.log(rng.random((c.batch, c.i, c.j)) + 1e-3)}, {}


ROW = Row(knobs={"any": {"kind": "any"}, "equal": {"kind": "equal"}}, captured=captured, hides=False, scale=1.0, terms={"lse": "squares"}, layouts=("bhsd",),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), same_width=True, few=True)
