"""A mask given as bits: i sees j iff bit j mod w of word floor(j / w) of row i is set, the least significant first. Bits from J on mean nothing."""

import numpy as np

from common import attention
from row import Row


def visible(inputs, params):
    words, n = inputs["words"], inputs["k"].shape[2]
    byte = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape[:-1], words.shape[-1] * words.dtype.itemsize)  # little-endian: byte n holds bits 8 n to 8 n + 7
    return np.unpackbits(byte, axis=-1, bitorder="little")[..., :n].astype(bool)


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, part, type):
    w = int(type[1:])
    words = np.zeros((c.batch, c.heads, c.i, -(-c.j // w)), f"uint{w}")
    for n in range(w):
        words |= (rng.random(words.shape) < part).astype(words.dtype) << np.array(n, words.dtype)
    return {"words": words.view(f"int{w}")}, {"type": type}


def knob(part, type="i32"):
    return {"part": part, "type": type}


ROW = Row(knobs={"half": knob(0.5), "bytes": knob(0.5, "i8"), "long": knob(0.5, "i64"), "few": knob(0.03), "most": knob(0.97, "i64"), "none": knob(0.0, "i8"), "all": knob(1.0)},
          captured=captured, text={"type": ["%words: tensor<?x?x?x?x{}>"]})
