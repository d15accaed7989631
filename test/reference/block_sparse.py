"""Block-sparse attention: queries of block floor(i / R) see the key blocks of their list, C keys each (the last may be shorter)."""

import numpy as np

import lists
from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    kept = lists.held(inputs["list"], -(-j.size // params["block"]))
    return kept[:, :, i // params["rows"], j // params["block"]]


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, rows, block, part, kind, type):
    shape = (c.batch, c.heads, -(-c.i // rows))
    return {"list": lists.make(rng, shape, -(-c.j // block), part, kind, type)}, {"rows": rows, "block": block, "type": type, "tail": (block, *lists.facts(kind))}


def knob(rows, block, part=0.3, kind="any", type="i32"):
    return {"rows": rows, "block": block, "part": part, "kind": kind, "type": type}


ROW = Row(knobs={"16": knob(16, 16), "odd": knob(7, 5), "large": knob(128, 64, 0.6), "pairs": knob(1, 1), "flat": knob(3, 40, 0.5), "empty": knob(16, 16, kind="empty"),
                 "no-room": knob(8, 8, kind="no-room"), "full": knob(12, 8, 1, "full"), "repeats": knob(16, 8, 0.5, "repeats", "i64"),
                 "ascending": knob(8, 16, 0.4, "ascending", "i64"),
                 "sorted": knob(16, 7, 0.6, "sorted")},
          captured=captured, text={"rows": ["i floordiv {}"], "tail": ["block = {}>"], "type": ["%list: tensor<?x?x?x?x{}>"]})
