"""Multi-head latent attention from its weights: k_j = c_j W_UK, v_j = c_j W_UV for each head, beside one rotated key for all; s = (q . k + qr . kr) scale, o = softmax(s) v. (The program never
makes k and v: it takes W_UK to the query and W_UV to the result.)"""

import numpy as np

from common import attend, real
from dense import exact, rounded
from mla import split
from row import Row


def visible(inputs, params):
    i, j = np.arange(inputs["q"].shape[2])[:, None], np.arange(inputs["latent"].shape[1])
    return j <= i + (j.size - i.size)


def reference(inputs, params, dtype):
    t = real(dtype)
    c, kr, wuk, wuv = inputs["latent"][:, None].astype(t), inputs["kr"][:, None], inputs["wuk"].astype(t), inputs["wuv"].astype(t)
    scale = params["scale"] if dtype in ("f80", "plain-f64") else np.float32(params["scale"])
    if exact(dtype):
        k, v = np.matmul(c, np.swapaxes(wuk, -1, -2)), np.matmul(c, wuv)
        return {"o": attend(split(inputs["q"], inputs["qr"], k, kr, scale, dtype), visible(inputs, params), v, dtype)["o"]}
    o = attend(split(np.matmul(inputs["q"].astype(t), wuk), inputs["qr"], c, kr, scale, dtype), visible(inputs, params), c, dtype)["o"]
    return {"o": rounded(np.matmul(o.astype(t), wuv), dtype)}


def operands(c):
    s = c.settings
    dc, dn, dr = s["dc"], s["dn"], s["dr"]
    return {"q": (c.batch, c.heads, c.i, dn), "qr": (c.batch, c.heads, c.i, dr), "latent": (c.batch, c.j, dc), "kr": (c.batch, c.j, dr), "wuk": (c.heads, dn, dc), "wuv": (c.heads, dc, dn)}


def adjust(c, x, rng):
    x["wuk"] /= x["wuk"].shape[-1] ** 0.5
    x["wuv"] /= x["wuv"].shape[1] ** 0.5


def captured(c, rng, dc, dn, dr):
    return {}, {"dc": dc, "dn": dn, "dr": dr, "uk": f"{dn}x{dc}", "uv": f"{dc}x{dn}", "scale": (dn + dr) ** -0.5}


def knob(dc, dn, dr):
    return {"dc": dc, "dn": dn, "dr": dr}


ROW = Row(knobs={"64": knob(64, 32, 16), "512": knob(512, 128, 64), "8": knob(8, 4, 2), "odd": knob(33, 15, 7)}, operands=operands, captured=captured, adjust=adjust,
          text={"dn": ["!n = tensor<?x?x?x{}xf32>"], "dr": ["!r = tensor<?x?x?x{}xf32>", "!s = tensor<?x?x{}xf32>"], "dc": ["!l = tensor<?x?x{}xf32>", "!q = tensor<?x?x?x{}xf32>"],
                "uk": ["%wuk: tensor<?x{}xf32>", "(!n, tensor<?x{}xf32>"], "uv": ["%wuv: tensor<?x{}xf32>", "(!q, tensor<?x{}xf32>"], "scale": ["scale = {} outputs"]},
          outputs={"o": "rows"}, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
