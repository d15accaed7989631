"""Sparsifiner's last step, its lists given: row i of head h sees the keys of its list, row 0 (the class token) all of them."""

import lists
from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return lists.held(inputs["ids"], j.size) | (i == 0)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, part, kind, type):
    return {"ids": lists.make(rng, (c.batch, c.heads, c.i), c.j, part, kind, type)}, {"type": type, "facts": "".join(", " + fact for fact in lists.facts(kind))}


def knob(part, kind, type="i32"):
    return {"part": part, "kind": kind, "type": type}


ROW = Row(knobs={"quarter": knob(0.25, "any"), "one": knob(0, "any"), "empty": knob(0.1, "empty"), "no-room": knob(0, "no-room"), "full": knob(1, "full"),
                 "repeats": knob(0.3, "repeats", "i64"), "ascending": knob(0.25, "ascending", "i64"), "sorted": knob(0.3, "sorted")},
          captured=captured, text={"type": ["%ids: tensor<?x?x?x?x{}>"], "facts": ["%ids[b, h, i]{}>"]})
