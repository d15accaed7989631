"""Pruned heads: y = sum over the heads h of a list of softmax(q_h k_h^T / sqrt d) v_h W_O[h]; an empty list gives 0."""

import numpy as np

from common import attend, default_scale, real, scores
from row import Row
from tpla import project


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    b, _, n, d = inputs["q"].shape
    kept = inputs["heads"]
    if not kept.size:
        return {"y": np.zeros((b, n, inputs["wo"].shape[-1]), t)}
    q, k, v = (inputs[x][:, kept] for x in "qkv")
    o = attend(scores(q, k, default_scale(q, dtype), dtype), True, v, dtype)["o"]
    return {"y": project(o, inputs["wo"][kept], dtype)}


def operands(c):
    n, h = c.settings["total"], c.d
    return {"q": (c.batch, n, c.i, h), "k": (c.batch, n, c.j, h), "v": (c.batch, n, c.j, h), "wo": (n, h, 48)}


def adjust(c, x, rng):
    x["wo"] /= 8


def captured(c, rng, total, kept):
    return {"heads": rng.permutation(total)[:kept].astype(np.int32)}, {"d": c.d, "w": f"{c.d}x48", "out": 48}


def knob(kept, total=12):
    return {"total": total, "kept": kept}


# What heads leave is stored between the steps, in the type of the operands: 16 bits would round it once more.
ROW = Row(knobs={"4": knob(4), "all": knob(12), "one": knob(1), "none": knob(0), "5": knob(5, 7)}, operands=operands, captured=captured, adjust=adjust, hides=False,
          text={"d": ["c = {}, e", "e = {})"], "w": ["!w = tensor<?x{}xf32>"], "out": ["tensor<?x?x{}xf32>"]}, outputs={"y": "rows"}, same_width=True, layouts=("bhsd",), elements=("f32", "f64"),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
