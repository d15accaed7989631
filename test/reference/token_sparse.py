"""Token sparse attention after its selection: gather the kept tokens of a head, causal attention among them, scatter into rows of zeros.

The gathered order is ascending, so that causal among the gathered is causal among the tokens."""

import numpy as np

import lists
from common import attention, real
from row import Row


def visible(inputs, params):
    kept = lists.held(inputs["kept"], inputs["k"].shape[2])
    return kept[..., :, None] & kept[..., None, :] & np.tri(kept.shape[-1], dtype=bool)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    b, h, n, e = (*q.shape[:3], v.shape[3])
    out = {"o": np.zeros((b, h, n, e), real(dtype)), "lse": np.full((b, h, n), -np.inf, real(dtype))}
    for at in np.ndindex(b, h):
        tokens = sorted({int(t) for t in inputs["kept"][at] if t >= 0})
        part = {name: inputs[name][at][tokens][None, None] for name in "qkv"}
        compact = attention(part, np.tri(len(tokens), dtype=bool), dtype)
        for name, rows in compact.items():
            out[name][at][tokens] = rows[0, 0]
    return out


def captured(c, rng, part, kind, type):
    return {"kept": lists.make(rng, (c.batch, c.heads), c.j, part, kind, type)}, {"type": type, "facts": "".join(", " + fact for fact in lists.facts(kind))}


def knob(part, kind="ascending", type="i32"):
    return {"part": part, "kind": kind, "type": type}


ROW = Row(knobs={"half": knob(0.5), "few": knob(0.1), "any-order": knob(0.4, "any"), "repeats": knob(0.6, "repeats", "i64"), "empty": knob(0.2, "empty"),
                 "no-room": knob(0, "no-room"), "full": knob(1, "full"), "sorted": knob(0.5, "sorted")},
          captured=captured, text={"type": ["%kept: tensor<?x?x?x{}>", "in %kept[%b, %h] : tensor<?x?x?x{}>"], "facts": ["tokens<%kept[b, h]{}>"]}, square=True)
