"""Keys in three shards: one softmax over the keys of all of them and a sink, a logit b_h per head without a value, which counts once however many shards there are."""

import numpy as np

from cascade import merge
from common import attend, default_scale, real, scores
from dense import combine, exact, rounded, softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    q = inputs["q"]
    scale = default_scale(q, dtype)
    shards = [(inputs[k], inputs[v]) for k, v in (("k", "v"), ("k1", "v1"), ("k2", "v2"))]
    sink = np.broadcast_to(inputs["b"].astype(t)[:, None], q.shape[:3])
    if exact(dtype):
        k, v = (np.concatenate(x, axis=2) for x in zip(*shards))
        p, lse = softmax(scores(q, k, scale, dtype), True, dtype, sink)
        return {"o": combine(p, v, dtype), "lse": lse}
    parts = [attend(scores(q, k, scale, dtype), True, v, dtype) for k, v in shards]
    o, lse = merge([*parts, {"o": np.zeros_like(parts[0]["o"]), "lse": sink}], dtype)
    return {"o": rounded(o, dtype), "lse": lse}


def extra(c):
    s = c.settings
    return {n: (c.batch, c.heads, s["second" if "1" in n else "third"], c.e if "v" in n else c.d) for n in ("k1", "v1", "k2", "v2")}


def captured(c, rng, second, third, sink):
    return {"b": rng.standard_normal(c.heads) if sink is None else np.full(c.heads, float(sink))}, {}


def knob(second, third, sink=None):
    return {"second": second, "third": third, "sink": sink}


ROW = Row(knobs={"uneven": knob(33, 100), "no-sink": knob(40, 40, -np.inf), "empty": knob(0, 17), "all-empty": knob(0, 0), "high": knob(20, 1, 20), "sunk": knob(5, 5, 0.5)},
          extra=extra, captured=captured, outputs={"o": "flat", "lse": "flat"}, same_width=True, hides=False, layouts=("bhsd",),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
