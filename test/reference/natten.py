"""Neighborhood attention by NATTEN's published rules, per axis and without loops over the window.

Along every axis of the grid, with window k, dilation d, stride t: a query at x belongs to the residue class x mod d, whose n tokens are
numbered p = floor(. / d). Queries share the window of the leader of their group of t, which is the group's middle (causal: its last
token) or, at the end of the axis, the last token there is. The window reaches floor(k / 2) to the left of the leader and
floor((k - 1) / 2) to its right and is moved into [0, n) where it would leave it; causal: it ends at the query and reaches k - 1
to the left of the leader, cut at 0. A query sees the tokens that are in its window along every axis.

    NATTEN (Hassani et al., CVPR 2023), dilated (Hassani and Shi, 2022), causal (Hassani et al., Faster Neighborhood Attention, 2024),
    strided (Hassani et al., Generalized Neighborhood Attention, 2025)

Beyond those papers: a window larger than the axis sees all of it, the last row of the grid may be incomplete, and the keys' grid may have
another number of rows than the queries'.
"""

import numpy as np

from common import attention
from grid import coordinates, extents
from row import Row


def along(x, y, extent, size, dilation, stride, causal):
    """Which coordinates y (of an axis of `extent`) are in the window of x."""
    mine, p = x % dilation, x // dilation
    n = np.maximum(0, -(-(extent - mine) // dilation))
    group = p // stride * stride
    if causal:
        leader = np.minimum(group + stride - 1, n - 1)
        start, end = np.maximum(leader - (size - 1), 0), p + 1
    else:
        leader = np.minimum(group + stride // 2, n - 1)
        start = np.minimum(np.maximum(leader - size // 2, 0), np.maximum(n - size, 0))
        end = start + size
    return (y % dilation == mine) & (start <= y // dilation) & (y // dilation < end)


def visible(inputs, params):
    width = params.get("width", ())
    x, y, seen = coordinates(inputs["q"], inputs["k"], width)
    for a, n in enumerate(extents(inputs["k"].shape[-2], width)):
        seen = seen & along(x[..., a], y[..., a], n, *(params[name][a] for name in ("size", "dilation", "stride", "causal")))
    return seen


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def row(knobs):
    """The row of a program, with the grids and windows its cases use: (width, size, dilation, stride, causal)."""
    names = ("width", "size", "dilation", "stride", "causal")
    knobs = {name: dict(zip(names, knob)) for name, knob in knobs.items()}
    text = {name: [name + " = [{}]"] for name in names[1:]}
    if all(k["width"] for k in knobs.values()):
        text["width"] = ["i[?, {}]", "j[?, {}]"]
    return Row(knobs=knobs, text=text, base=(70, 70))
