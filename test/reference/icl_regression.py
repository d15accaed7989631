"""In-context linear regression by softmax heads: yhat_i = sum_h mu_h sum_l softmax_l(q_hi . x_l) y_l with q_hi = w_h x_i given. With w = (+w, -w), mu = (+1, -1) / 2w it tends to one
step of gradient descent without bias, mean_l (y_l - mean y) x_l . x_i, as w -> 0."""

import numpy as np

from common import real, scores
from dense import combine, f32, rounded, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    p, _ = softmax(scores(inputs["q"], inputs["x"][:, None], 1.0, dtype), True, dtype)
    o = combine(p, inputs["y"][:, None], dtype).astype(t)
    return {"yhat": rounded((o * inputs["mu"].astype(t)[:, None, None]).sum(axis=1, dtype=t), dtype)}


def captured(c, rng, w):
    return {"mu": np.array([0.5, -0.5]) / f32(w)}, {}


def adjust(c, x, rng):
    x["q"] *= c.settings["w"]
    x["q"][:, 1] = -x["q"][:, 0]


ROW = Row(knobs={str(w): {"w": w} for w in (0.25, 1.0, 0.01)}, captured=captured, adjust=adjust,
          operands=lambda c: {"q": (c.batch, 2, c.i, 8), "x": (c.batch, c.j, 8), "y": (c.batch, c.j, 1)},
          outputs={"yhat": "flat"}, hides=False, layouts=("bhsd",), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
