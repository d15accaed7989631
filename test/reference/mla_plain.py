"""Multi-head latent attention before absorption: keys k [c] of each head without positions beside one rotated key kr [r] for all, s = (q . k + qr . kr) / sqrt(c + r), values of each head."""

import numpy as np

from common import attend
from mla import split
from row import Row


def visible(inputs, params):
    i, j = np.arange(inputs["q"].shape[2])[:, None], np.arange(inputs["k"].shape[2])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    scale = (np.longdouble(1) if dtype == "f80" else np.float64(1)) / np.sqrt(inputs["q"].shape[-1] + inputs["qr"].shape[-1], dtype=np.longdouble if dtype == "f80" else np.float64)
    return attend(split(inputs["q"], inputs["qr"], inputs["k"], inputs["kr"][:, None], scale, dtype), visible(inputs, params), inputs["v"], dtype)


def operands(c):
    dn, dr = c.settings["dn"], c.settings["dr"]
    return {"q": (c.batch, c.heads, c.i, dn), "qr": (c.batch, c.heads, c.i, dr), "k": (c.batch, c.heads, c.j, dn), "kr": (c.batch, c.j, dr), "v": (c.batch, c.heads, c.j, dn)}


def captured(c, rng, dn, dr):
    return {}, {"dn": dn, "dr": dr}


def knob(dn, dr):
    return {"dn": dn, "dr": dr}


ROW = Row(knobs={"128+64": knob(128, 64), "8+2": knob(8, 2), "63+5": knob(63, 5), "4+9": knob(4, 9)}, operands=operands, captured=captured,
          text={"dn": ["!t = tensor<?x?x?x{}xf32>"], "dr": ["!r = tensor<?x?x?x{}xf32>", "!s = tensor<?x?x{}xf32>"]},
          outputs={"o": "rows", "lse": "flat"}, layouts=("bhsd",), same_width=True, axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
