"""Staircase quantization of a cache (one key head). Levels B1 > B2 > .. > Bq bits, here 32, 8, 4, 2; the newest tokens are kept at B1. When `step` of them have come they are quantized at B2 and become
segment 1; every older segment i (1 the newest before) is dequantized at B(i+1) and quantized again at B(i+2); what is at Bq already stays there, and all of it is one segment.

Choices, where the paper's text could not be had (the scheme is that of KIVI): codes are asymmetric, scale = (max - min) / (2^b - 1), least = min, code = round to even of (x - min) / scale, 0 where
max = min; a number stands for code * scale + least, all in float32 with one rounding an operation; keys have a scale for each channel and `group` tokens, values one for each token; a segment at Bq is not
quantized again (its groups stay what they are). Codes lie in bytes, the first in the lowest bits. One softmax over all tokens."""

import numpy as np

import quantized
from common import attend, default_scale, real, scores
from row import Row

LEVELS = (8, 4, 2)


class Segment:
    """Codes of one level: keys [b, tokens, c] with scales [b, groups, c], values [b, tokens, c] with scales [b, tokens]."""

    def __init__(self, k, v, bits, group):
        self.bits, self.group = bits, group
        b, n, d = k.shape
        code, scale, least = quantized.asymmetric(k.reshape(b, n // group, group, d), bits, 2)
        self.k, self.ks, self.kz = code.reshape(b, n, d), scale[:, :, 0], least[:, :, 0]
        self.v, scale, least = quantized.asymmetric(v, bits, -1)
        self.vs, self.vz = scale[..., 0], least[..., 0]

    def numbers(self, dtype=np.float32):
        wide = [np.repeat(x, self.group, axis=1) for x in (self.ks, self.kz)]
        return quantized.back(self.k, *wide, dtype), quantized.back(self.v, self.vs[..., None], self.vz[..., None], dtype)

    def behind(self, older):
        """This one's tokens behind those of an older segment of the same level."""
        for n in ("k", "ks", "kz", "v", "vs", "vz"):
            setattr(self, n, np.concatenate([getattr(older, n), getattr(self, n)], axis=1))
        return self


def cache(k, v, step, group):
    """The staircase after all tokens of k and v [b, n, d] have come: (newest k, newest v, [segments, the newest first])."""
    k, v = k.astype(np.float32), v.astype(np.float32)
    segments = []
    flushed = k.shape[1] // step * step
    for at in range(0, flushed, step):
        moved = []
        for bits, s in zip((*LEVELS[1:], LEVELS[-1]), segments):
            moved.append(s if s.bits == bits else Segment(*s.numbers(), bits, group))
        segments = [Segment(k[:, at:at + step], v[:, at:at + step], LEVELS[0], group), *moved]
        if len(segments) > len(LEVELS):
            oldest = segments.pop()
            segments[-1] = segments[-1].behind(oldest)
    return k[:, flushed:], v[:, flushed:], segments


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t, q = real(dtype), inputs["q"]
    k, v = [inputs["k0"].astype(t)], [inputs["v0"].astype(t)]
    for n, bits in enumerate(LEVELS, 1):
        code = [quantized.unpacked(inputs[x + str(n)], bits) for x in "kv"]
        ks, kz = (np.repeat(inputs[x + str(n)], params["group"], axis=1) for x in ("ks", "kz"))
        k.append(quantized.back(code[0], ks, kz, t))
        v.append(quantized.back(code[1], inputs[f"vs{n}"][..., None], inputs[f"vz{n}"][..., None], t))
    k, v = (np.concatenate(x, axis=1)[:, None] for x in (k, v))
    return attend(scores(q, k, default_scale(q, dtype), dtype), True, v, dtype)


def stored(c):
    """The cache after c.j tokens, as the program's tensors."""
    step, group, d = (c.settings[n] for n in ("step", "group", "d"))
    rng = np.random.default_rng([c.batch, c.j, d])
    k0, v0, segments = cache(*(rng.standard_normal((c.batch, c.j, d)) for _ in "kv"), step, group)
    nothing = np.zeros((c.batch, 0, d), np.float32)
    segments = dict(zip(LEVELS, segments))
    tensors = {"k0": k0, "v0": v0}
    for n, bits in enumerate(LEVELS, 1):
        s = segments.get(bits)
        if s is None:
            tensors |= {x + str(n): np.zeros((c.batch, 0, d * bits // 8), np.int8) for x in "kv"}
            tensors |= {x + str(n): nothing for x in ("ks", "kz")} | {x + str(n): nothing[..., 0] for x in ("vs", "vz")}
        else:
            tensors |= {f"k{n}": quantized.packed(s.k, bits), f"v{n}": quantized.packed(s.v, bits), f"ks{n}": s.ks, f"kz{n}": s.kz, f"vs{n}": s.vs, f"vz{n}": s.vz}
    return tensors


def operands(c):
    d = c.settings["d"]
    rest = (c.batch, c.j % c.settings["step"], d)
    return {"q": (c.batch, c.heads, c.i, d), "k0": rest, "v0": rest}


def adjust(c, x, rng):
    x |= {n: stored(c)[n] for n in ("k0", "v0")}


def captured(c, rng, step, group, d):
    return {n: t for n, t in stored(c).items() if n not in ("k0", "v0")}, {"group": group, "d": d, "half": d // 2, "quarter": d // 4}


def knob(step, group, d=64):
    return {"step": step, "group": group, "d": d}


ROW = Row(knobs={"32": knob(32, 16), "8": knob(8, 4), "128": knob(128, 32, 128), "4": knob(4, 4, 8)}, operands=operands, captured=captured, adjust=adjust, hides=False, base=(1, 257),
          text={"group": ["%size = arith.constant {} : index"], "d": ["!t = tensor<?x?x?x{}xf32>", "!f = tensor<?x?x{}xf32>", "!b1 = tensor<?x?x{}xi8>", ": tensor<?x?x{}xf32>", "c = {}, e", "e = {})"],
                "half": ["!b2 = tensor<?x?x{}xi8>"], "quarter": ["!b3 = tensor<?x?x{}xi8>"]},
          outputs={"o": "rows", "lse": "flat"}, same_width=True, layouts=("bhsd",), axes=("length", "unequal", "layout", "batch", "parameter"), more=({"i": 1, "j": 40, "knob": "8"},))
