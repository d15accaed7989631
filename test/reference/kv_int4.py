"""Keys and values in 4 bits, two in a byte, code * scale + least for each token and group of 32 channels; each sequence sees the first length_b tokens. Scales behind them are NaN."""

import numpy as np

import kv_int8
import quantized
from common import attend, default_scale, real, scores
from row import Row


def visible(inputs, params):
    return kv_int8.visible(inputs, params)


def numbers(byte, scale, least, size, t):
    code = quantized.unpacked(byte, 4)
    wide = [np.repeat(x, size, axis=-1)[..., :code.shape[-1]] for x in (scale, least)]
    return quantized.back(code, *wide, t)


def reference(inputs, params, dtype):
    t, q = real(dtype), inputs["q"]
    k, v = (numbers(inputs[n], inputs[n + "s"], inputs[n + "z"], params["size"], t) for n in "kv")
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def captured(c, rng, ragged, d, size):
    length = kv_int8.lengths(c, rng, ragged)
    tensors = {"length": length}
    for n in "kv":
        x = rng.standard_normal((c.batch, c.heads, c.j, d)) * np.exp(rng.standard_normal(d))        # channels differ
        code, scale, least = quantized.asymmetric(x.reshape(*x.shape[:3], d // size, size), 4, -1)
        scale, least = scale[..., 0], least[..., 0]
        kv_int8.hide(length, scale, least)
        tensors |= {n: quantized.packed(code.reshape(x.shape), 4), n + "s": scale, n + "z": least}
    return tensors, {"size": size, "d": d, "bytes": d // 2, "groups": d // size}


def knob(ragged, d=64, size=32):
    return {"ragged": ragged, "d": d, "size": size}


ROW = Row(knobs={"all": knob(False), "ragged": knob(True), "128": knob(True, 128, 32), "channel": knob(False, 16, 1), "whole": knob(False, 80, 80)},
          operands=lambda c: {"q": (c.batch, c.heads, c.i, c.settings["d"])}, captured=captured,
          text={"d": ["!t = tensor<?x?x?x{}xf32>", "c = {}, e", "e = {})"], "bytes": ["!k = tensor<?x?x?x{}xi8>"], "groups": ["z: tensor<?x?x?x{}xf32>", "s: tensor<?x?x?x{}xf32>",
                ": tensor<?x?x?x{}xf32>  %z", ": tensor<?x?x?x{}xf32>\n      %m"], "size": ["%size = arith.constant {} : index"]},
          base=(3, 257), outputs={"o": "rows", "lse": "flat"}, same_width=True, layouts=("bhsd",), axes=("length", "unequal", "layout", "batch", "parameter"),
          more=({"i": 1, "j": 4096, "element": "bf16"},))
