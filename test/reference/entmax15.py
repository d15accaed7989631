"""1.5-entmax: P_ij = max(s_ij / 2 - tau_i, 0)^2 with tau_i such that the row sums to 1, causal.

tau exactly, by sorting: with the k largest z = s / 2 of mean m and mean square u, tau_k = m - sqrt((1 / k) - (u - m^2)); the support is the largest k whose
least z is above tau_k.
"""

import numpy as np

from common import default_scale, positions, real, scores
from dense import Pairs, combine
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def weights(s, seen, t):
    pairs = Pairs(s, seen)
    top = np.where(pairs.empty | pairs.bad, t(0), pairs.largest())[..., None]
    z = np.where(pairs.at, (pairs.score - top) / t(2), t(-np.inf))
    w = np.zeros_like(z)
    for at in np.ndindex(z.shape[:-1]):
        x = -np.sort(-z[at][z[at] > t(-1)])  # the largest has 0, so tau >= -1
        if not x.size:
            continue
        k = np.arange(1, x.size + 1).astype(t)
        mean = np.cumsum(x, dtype=t) / k
        spread = np.cumsum(x * x, dtype=t) - k * mean * mean  # of the k largest around their mean
        tau = mean - np.sqrt(np.maximum((t(1) - spread) / k, t(0)))
        count = int(np.sum((x > tau) & (spread <= t(1)))) or 1
        w[at] = np.where(pairs.at[at], np.maximum(z[at] - tau[count - 1], t(0)) ** 2, t(0))
    return pairs.keep(w)


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    return {"o": combine(weights(s, visible(inputs, params), real(dtype)), inputs["v"], dtype)}


ROW = Row(outputs={"o": "value"}, few=True)
