"""Polarized self-attention in parts: x [b, C, n] are features of pixels, C' = wv.shape[0] hidden channels.

    seen        z = softmax_n(w_q x), ctx = (W_v x) z^T: one learned query over the pixels
    mean query  q = mean_n(W_s x)
"""

import numpy as np

from layers import softmax


def seen(x, wq, wv):
    """ctx [b, C']."""
    z = softmax(np.matmul(wq, x))                          # [b, 1, n]
    return np.matmul(np.matmul(wv, x), z.swapaxes(-1, -2))[..., 0]


def mean_query(x, ws):
    return np.matmul(ws, x).sum(-1, dtype=x.dtype) / x.dtype.type(x.shape[-1])


def shrink(c, x, rng):
    """Weights of a layer as it is initialized: one over the root of what is summed."""
    for n, t in x.items():
        if n.startswith("w"):
            t /= max(t.shape[-1], 1) ** 0.5


def fit(i, j, **settings):
    return max(i, 1), max(j, 1)
