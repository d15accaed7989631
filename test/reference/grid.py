"""Tokens in row-major order on a grid of one to three axes of which the first may be as long as it likes."""

import numpy as np


def places(n, width, first=0):
    """(coordinates [n, axes], whether the token stands on the grid [n]); tokens before `first` stand nowhere.

    `width` holds the extents of all axes but the first.
    """
    t = np.arange(n) - first
    at = []
    for w in reversed(width):
        at.append(t % w)
        t = t // w
    return np.stack([t, *reversed(at)], axis=-1), np.arange(n) >= first


def extents(n, width, first=0):
    """The grid's extents; the last row may be incomplete."""
    return [max(0, -(-(n - first) // int(np.prod(width, dtype=np.int64)))), *width]


def coordinates(q, k, width, key_width=None, first=0):
    """(x [I, 1, axes], y [1, J, axes], pairs of which both stand on the grid [I, J])."""
    x, here = places(q.shape[-2], width, first)
    y, there = places(k.shape[-2], key_width or width, first)
    return x[:, None], y[None], here[:, None] & there[None]
