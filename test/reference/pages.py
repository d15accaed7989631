"""Paged keys: one pool [h, j, feature] for all sequences, in pages of P tokens (the last may be shorter); sequence b sees the pages of its table."""

import numpy as np

import lists
from common import attention
from row import Row


def visible(inputs, params):
    count = inputs["k"].shape[1]
    held = lists.held(inputs["table"], -(-count // params["block"]))
    return held[:, np.arange(count) // params["block"]][:, None, None, :]


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attention({"q": q, "k": k[None], "v": v[None]}, visible(inputs, params), dtype)


def captured(c, rng, block, part, kind, type):
    return {"table": lists.make(rng, (c.batch,), -(-c.j // block), part, kind, type)}, {"block": block, "type": type, "tail": (block, *lists.facts(kind))}


def knob(block, part, kind="any", type="i32"):
    return {"block": block, "part": part, "kind": kind, "type": type}


ROW = Row(knobs={"16": knob(16, 0.5), "odd": knob(7, 0.4), "tokens": knob(1, 0.3), "large": knob(128, 0.5), "empty": knob(16, 0.5, "empty"), "no-room": knob(16, 0, "no-room"),
                 "full": knob(16, 1, "full"), "repeats": knob(8, 0.5, "repeats", "i64"), "ascending": knob(16, 0.6, "ascending"),
                 "sorted": knob(5, 0.7, "sorted")},
          captured=captured, text={"tail": ["block = {}>"], "type": ["%table: tensor<?x?x{}>"]}, layouts=("bhsd", "bshd"),
          keys=lambda c: (c.heads, c.j), view=lambda t: t[None])
