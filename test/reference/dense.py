"""Dense weights for references whose weights are not softmax alone, or that put out more than o and lse.

Every function takes whole score matrices s [b, h, i, j] and says what a weight is; nothing is streamed. Rules as in common.attend: an absent
pair (hidden, or a score of -inf) has weight 0 and counts nowhere; a present score that is NaN or +inf makes all float outputs of its row NaN.
"""

import numpy as np

from common import MEETING, ROUNDED, operand, real, round_to


def f32(x):
    """A parameter as the program gets it: rounded to float32."""
    return float(np.float32(x))


def exact(dtype):
    """Whether the formula is evaluated for its truth, not as the yardstick."""
    return not dtype.startswith("plain")


def rounded(x, dtype):
    """x as `dtype` stores an element of the tensors' own type."""
    return round_to(x, dtype[6:]) if dtype[6:] in ROUNDED else x


class Pairs:
    """Which pairs of a score matrix count, and which rows have none or a bad one."""

    def __init__(self, s, visible):
        seen = np.broadcast_to(visible, s.shape)
        self.at = seen & (s != -np.inf)
        self.bad = np.any(seen & (np.isnan(s) | (s == np.inf)), axis=-1)
        self.empty = ~self.at.any(axis=-1)
        self.score = np.where(self.at & ~self.bad[..., None], s, s.dtype.type(0))  # harmless where it does not count

    def keep(self, w):
        """w where a pair counts, 0 elsewhere, NaN in bad rows."""
        w = np.where(self.at, w, w.dtype.type(0))
        return np.where(self.bad[..., None] & self.at, w.dtype.type(np.nan), w)

    def rows(self, r, empty):
        """A number a row: `empty` in empty rows, NaN in bad ones."""
        r = np.where(self.empty, r.dtype.type(empty), r)
        return np.where(self.bad, r.dtype.type(np.nan), r)

    def largest(self):
        """The largest score of a row, -inf in an empty one."""
        return np.max(np.where(self.at, self.score, self.score.dtype.type(-np.inf)), axis=-1, initial=-np.inf)


def softmax(s, visible, dtype, sink=None):
    """(weights, lse). `sink` [h] or [b, h, i]-like: one more logit, whose weight is dropped after the softmax."""
    t = real(dtype)
    pairs = Pairs(s, visible)
    logits = np.where(pairs.at, pairs.score, t(-np.inf))
    with np.errstate(all="ignore"):
        if sink is not None:
            column = np.broadcast_to(np.asarray(sink, t), s.shape[:-1])[..., None]
            logits = np.concatenate([logits, column], axis=-1)
        top = np.max(logits, axis=-1, keepdims=True, initial=-np.inf)
        dead = top == -np.inf
        e = np.where(logits == -np.inf, t(0), np.exp(logits - np.where(dead, t(0), top)))
        total = np.sum(e, axis=-1, keepdims=True, dtype=t)
        p = np.where(dead, t(0), e / np.where(dead, t(1), total))[..., :s.shape[-1]]
        lse = np.where(dead, t(-np.inf), top + np.log(np.where(dead, t(1), total)))[..., 0]
    return pairs.keep(p), np.where(pairs.bad, t(np.nan), lse)


def combine(w, v, dtype):
    """sum_j w_ij v_j; a weight of 0 takes nothing, be v NaN or Inf. As in common.attend, 16 bits and tf32 round the weights and o."""
    t = real(dtype)
    w = (round_to(w, dtype[6:]) if dtype[6:] in MEETING else w).astype(t)
    v = np.broadcast_to(operand(v.astype(t), dtype), (*w.shape[:2], *v.shape[-2:]))
    number = np.isfinite(v)
    with np.errstate(all="ignore"):
        o = np.matmul(w, np.where(number, v, t(0)))
        for b, h, j in zip(*np.nonzero(~np.all(number, axis=-1))):
            part = w[b, h, :, j][:, None] * np.where(number[b, h, j], t(0), v[b, h, j])[None, :]
            o[b, h] += np.where((w[b, h, :, j] != 0)[:, None] & ~number[b, h, j][None, :], part, t(0))
        o = np.where(np.isnan(w).any(axis=-1)[..., None], t(np.nan), o)
    return rounded(o, dtype)


def weighted(w, f, dtype):
    """sum_j w_ij f_ij where a pair has weight."""
    t = real(dtype)
    with np.errstate(all="ignore"):
        return np.sum(np.where(w == 0, t(0), w * np.broadcast_to(f, w.shape)), axis=-1, dtype=t)


def entropy(s, p, lse, dtype):
    """H = - sum_j P_ij log P_ij, in an empty row 0. The yardstick takes the way without a log of P: H = lse - sum_j P_ij s_ij."""
    t = real(dtype)
    with np.errstate(all="ignore"):
        if exact(dtype):
            h = -np.sum(np.where(p == 0, t(0), p * np.log(np.where(p == 0, t(1), p))), axis=-1, dtype=t)
            return np.where(np.isnan(lse), t(np.nan), h)
        return np.where(lse == -np.inf, t(0), np.maximum(lse - weighted(p, s, dtype), t(0)))


def first_largest(x, at):
    """The lowest index of the largest x among the pairs `at`; a NaN is larger than all; -1 where there is no pair."""
    if x.shape[-1] == 0:
        return np.full(x.shape[:-1], -1, np.int64)
    x = np.where(at, x, x.dtype.type(-np.inf))
    nan = np.isnan(x) & at
    id = np.where(nan.any(-1), np.argmax(nan, axis=-1), np.argmax(np.where(np.isnan(x), x.dtype.type(-np.inf), x), axis=-1))
    # where all that counts is -inf, the first pair that counts
    worst = ~nan.any(-1) & at.any(-1) & (np.max(np.where(np.isnan(x), x.dtype.type(-np.inf), x), axis=-1) == -np.inf)
    id = np.where(worst, np.argmax(at, axis=-1), id)
    return np.where(at.any(-1), id, -1).astype(np.int64)
