"""Multi-head latent attention on what the cache holds: a latent c_j [dc] and a rotated key kr_j [dr] for each token, side by side, shared by all heads. In the absorbed form the query of a head
is Q = W_UK q [dc] and qr [dr]: s_ij = scale (Q_i . c_j + qr_i . kr_j), o_i = sum_j softmax_j(s_i.) c_j. Causal, the last query at the last token."""

import numpy as np

from common import attend, real
from row import Row


def visible(inputs, params):
    i, j = np.arange(inputs["q"].shape[2])[:, None], np.arange(inputs["latent"].shape[-2])
    return j <= i + (j.size - i.size)


def split(q, qr, k, kr, scale, dtype):
    """scale (q . k + qr . kr); k [b, h or 1, j, c], kr the same."""
    t = real(dtype)
    q, qr, k, kr = (x.astype(t) for x in (q, qr, k, kr))
    return t(scale) * (np.matmul(q, np.swapaxes(k, -1, -2)) + np.matmul(qr, np.swapaxes(kr, -1, -2)))


def reference(inputs, params, dtype):
    dc = inputs["q"].shape[-1]
    c, kr = inputs["latent"][:, None, :, :dc], inputs["latent"][:, None, :, dc:]
    return attend(split(inputs["q"], inputs["qr"], c, kr, np.float32(params["scale"]), dtype), visible(inputs, params), c, dtype)


def operands(c):
    s = c.settings
    return {"q": (c.batch, c.heads, c.i, s["dc"]), "qr": (c.batch, c.heads, c.i, s["dr"]), "latent": (c.batch, c.j, s["dc"] + s["dr"])}


def captured(c, rng, dc, dr):
    return {}, {"dc": dc, "dr": dr, "all": dc + dr, "scale": float(np.float32((dc / 4 + dr) ** -0.5))}


def knob(dc, dr):
    return {"dc": dc, "dr": dr}


ROW = Row(knobs={"128+64": knob(128, 64), "512+64": knob(512, 64), "256+64": knob(256, 64), "8+2": knob(8, 2), "63+5": knob(63, 5), "1+1": knob(1, 1)}, operands=operands, captured=captured,
          text={"dc": ["!q = tensor<?x?x?x{}xf32>", "c = {}, r", "e = {})", "r + {}]"], "dr": ["!r = tensor<?x?x?x{}xf32>", "r = {}, e"], "all": ["!l = tensor<?x?x{}xf32>"]},
          outputs={"o": "rows", "lse": "flat"}, layouts=("bhsd",), same_width=True, axes=("length", "unequal", "layout", "batch", "parameter"),
          more=({"i": 1, "j": 257, "element": "bf16"}, {"i": 1, "j": 1024, "knob": "512+64"}))
