"""Routing: a query that is routed to cluster c sees the keys routed to c up to its own position; a key may be routed to several clusters or none."""

import numpy as np

import lists
from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    members = lists.held(inputs["keys"], j.size)
    b, h = np.ix_(*(np.arange(n) for n in inputs["cluster"].shape[:2]))
    return members[b[..., None], h[..., None], inputs["cluster"]] & (j <= i)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, clusters, part, kind, type):
    own = rng.integers(0, clusters, (c.batch, c.heads, c.i)).astype(np.int32)
    keys = lists.make(rng, (c.batch, c.heads, clusters), c.j, part, kind, type)
    return {"cluster": own, "keys": keys}, {"type": type}


def knob(clusters, part, kind="any", type="i32"):
    return {"clusters": clusters, "part": part, "kind": kind, "type": type}


ROW = Row(knobs={"4": knob(4, 0.3), "one": knob(1, 1, "full"), "many": knob(20, 0.1), "repeats": knob(3, 0.5, "repeats", "i64"), "empty": knob(2, 0.2, "empty"),
                 "no-room": knob(3, 0, "no-room"), "ascending": knob(5, 0.4, "ascending")},
          captured=captured, text={"type": ["%keys: tensor<?x?x?x?x{}>", "%n] : tensor<?x?x?x?x{}>"]})
