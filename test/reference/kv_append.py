"""Appending to an int8 cache, a token at a time: scale = max |x| / 127, code = round(x / scale), half to even, 0 where the token is 0."""

import numpy as np

from layers import cast
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    (x,) = cast(inputs, dtype, "x")
    codes, scales = np.zeros(x.shape, np.int8), np.zeros(x.shape[:3], x.dtype)
    for at in np.ndindex(x.shape[:3]):
        # Codes are decisions, and compared exactly: they are those of numbers that are rounded to f32 where the text rounds.
        token = x[at].astype(np.float32)
        scales[at] = np.abs(x[at]).max(initial=0) / x.dtype.type(127)
        step = np.float32(np.abs(token).max(initial=0) / np.float32(127))
        codes[at] = np.rint(token / step) if step else 0
    return {"codes": codes, "scale": scales}


def operands(c):
    return {"x": (c.batch, c.heads, c.j, 64)}


def adjust(c, x, rng):
    if c.j > 3:
        x["x"][..., 2, :] = 0


def fit(i, j, **settings):
    return 1, j


ROW = Row(operands=operands, adjust=adjust, fit=fit, outputs={"codes": "id", "scale": "flat"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32",),
          axes=("length", "batch"), few=True)
