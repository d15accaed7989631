"""A learned sink: softmax over the scores of a row and one more logit b_h, of which the weight is dropped. Rows sum to less than 1; a row that
sees no key is 0 and its lse b_h."""

import numpy as np

from common import default_scale, positions, scores
from dense import combine, f32, softmax
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def sunk(inputs, seen, sink, group, dtype):
    q = inputs["q"]
    k, v = (np.repeat(inputs[n], group, axis=1) for n in ("k", "v"))
    p, lse = softmax(scores(q, k, default_scale(q, dtype), dtype), seen, dtype, sink)
    return {"o": combine(p, v, dtype), "lse": lse}


def reference(inputs, params, dtype):
    return sunk(inputs, visible(inputs, params), inputs["b"][:, None], params["group"], dtype)


def captured(c, rng, b):
    sink = {"random": rng.standard_normal(c.heads), "none": np.full(c.heads, -np.inf)}.get(b)
    return {"b": np.full(c.heads, f32(b)) if sink is None else sink}, {"group": c.group}


def adjust(c, x, rng):
    """Against a sink of 100 scores of about 60, so that what is left of the weights is a normal number."""
    if c.settings["b"] == 100 and c.logits == "normal":
        x["q"][..., 0], x["k"][..., 0] = 8, 7.5 * c.d ** 0.5


ROW = Row(knobs={"random": {"b": "random"}, "0.5": {"b": 0.5}, "100": {"b": 100}, "-100": {"b": -100}, "none": {"b": "none"}, "zero": {"b": 0}},
          captured=captured, adjust=adjust, text={"group": ["h floordiv {}, j"]}, groups=(8, 1, 3), layouts=("bhsd", "bshd"),
          more=tuple({"knob": b, "i": 70, "j": 37, "blocks": blocks} for b in ("0.5", "100", "-100", "none") for blocks in ((), (6, 16))), few=True)
