"""HaloNet with relative positions as its paper words it: the image has h rows and columns of zeros around it, which take part, with their relative positions."""

import halo_padded
import halo_relative
from row import Row


def visible(inputs, params):
    return halo_padded.visible(inputs, params)


def reference(inputs, params, dtype):
    return halo_relative.reference(inputs, params, dtype, padded=True)


def captured(c, rng, **settings):
    return halo_relative.captured(c, rng, padded=True, **settings)


def fit(i, j, width, block, ring):
    return i, (-(-i // width) + 2 * ring[0]) * (width + 2 * ring[1])


def adjust(c, x, rng):
    s = c.settings
    c = type("Case", (), {"i": c.i, "j": c.j, "settings": {"width": (s["width"],), "key_width": (s["width"] + 2 * s["ring"][1],), "halo": s["ring"]}})
    halo_padded.adjust(c, x, rng)


ROW = Row(knobs={n: halo_relative.ROW.knobs[n] for n in ("4+1", "2+3", "alone")}, extra=halo_relative.extra, captured=captured, fit=fit, adjust=adjust,
          text=halo_relative.TEXT | {"width": ["i[?, {}]", "%w = arith.constant {} : index"], "key_width": ["j[?, {}]", "%u = arith.constant {} : index"]},
          base=(63, 0), layouts=("bhsd",), few=True, same_width=True, outputs={"o": "rows", "lse": "flat"}, axes=("length", "dims", "layout", "batch", "parameter", "logits"))
