"""Grouped latent attention: head h takes the latent of group h // g as key and value, and the rotated key that all share; out = sum over heads of O_h W_h."""

import numpy as np

from common import attend
from mla import split
from row import Row
from tpla import TEXT, adjust, knob, project


def visible(inputs, params):
    i, j = np.arange(inputs["q"].shape[2])[:, None], np.arange(inputs["kr"].shape[1])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    c = np.repeat(inputs["latent"], params["group"], axis=1)
    o = attend(split(inputs["q"], inputs["qr"], c, inputs["kr"][:, None], np.float32(params["scale"]), dtype), visible(inputs, params), c, dtype)["o"]
    return {"out": project(o, inputs["w"], dtype)}


def operands(c):
    s = c.settings
    return {"q": (c.batch, c.heads, c.i, s["dc"]), "qr": (c.batch, c.heads, c.i, s["dr"]), "latent": (c.batch, c.heads // c.group, c.j, s["dc"]), "kr": (c.batch, c.j, s["dr"]),
            "w": (c.heads, s["dc"], 24)}


def captured(c, rng, dc, dr):
    return {}, {"dc": dc, "dr": dr, "scale": float(np.float32((dc / 2 + dr) ** -0.5)), "group": c.group}


ROW = Row(knobs={"32+16": knob(32, 16), "256+64": knob(256, 64), "8+2": knob(8, 2), "63+5": knob(63, 5)}, operands=operands, captured=captured, adjust=adjust,
          text=TEXT | {"dc": [*TEXT["dc"], "!l = tensor<?x?x?x{}xf32>"], "group": ["h floordiv {}, j"]}, outputs={"out": "rows"}, layouts=("bhsd",), same_width=True, elements=("f32", "f64"),
          groups=(2, 1, 4), axes=("length", "unequal", "layout", "batch", "group", "parameter"), few=True)
