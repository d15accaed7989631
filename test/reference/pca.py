"""One layer on prompts of tokens x_l that are key and value at once, with q_i = A^T x_i given: softmax, sum_l softmax_l(q_i . x_l) x_l, and linear, the mean over l of
(q_i . x_l) x_l. Both tend to Sigma q_i for many tokens from N(0, Sigma)."""

import numpy as np

from common import real, scores
from dense import combine, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    q, x = inputs["q"][:, None], inputs["x"][:, None]
    s = scores(q, x, 1.0, dtype)
    return {"soft": combine(softmax(s, True, dtype)[0], x, dtype)[:, 0], "linear": combine(s / real(dtype)(max(x.shape[-2], 1)), x, dtype)[:, 0]}


def adjust(c, x, rng):
    x["q"] /= 8


ROW = Row(operands=lambda c: {"q": (c.batch, c.i, c.d), "x": (c.batch, c.j, c.d)}, adjust=adjust, outputs={"soft": "flat", "linear": "flat"}, same_width=True, hides=False,
          layouts=("bhsd",), axes=("length", "unequal", "dims", "layout", "batch"), few=True)
