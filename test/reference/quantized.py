"""Codes of quantized keys and values, as a cache writes them, and the numbers they stand for. All in float32, one rounding per operation, so that codes are the same bits everywhere."""

import numpy as np


def symmetric(x, bits=8):
    """One scale for the last axis: code = round(x / scale), scale = max |x| / (2^(bits-1) - 1). -> (codes, scale)."""
    x = x.astype(np.float32)
    top = np.float32(2 ** (bits - 1) - 1)
    scale = np.max(np.abs(x), axis=-1, initial=0) / top
    code = np.rint(x / np.where(scale == 0, np.float32(1), scale)[..., None])
    return np.clip(code, -top, top).astype(np.int8), scale


def asymmetric(x, bits, axis):
    """scale = (max - min) / (2^bits - 1), least = min, code = round((x - least) / scale), 0 where all are equal. -> (codes as integers, scale, least) with `axis` kept as 1."""
    x = x.astype(np.float32)
    top = np.float32(2 ** bits - 1)
    least, most = x.min(axis=axis, keepdims=True), x.max(axis=axis, keepdims=True)
    scale = (most - least) / top
    code = np.rint((x - least) / np.where(scale == 0, np.float32(1), scale))
    return np.clip(code, 0, top).astype(np.uint8), scale, least


def back(code, scale, least, dtype=np.float32):
    return code.astype(dtype) * scale.astype(dtype) + least.astype(dtype)


def packed(code, bits):
    """8 / bits codes of the last axis in a byte, the first in its lowest bits."""
    per = 8 // bits
    code = code.reshape(*code.shape[:-1], code.shape[-1] // per, per).astype(np.uint16)
    return (code << (np.arange(per) * bits)).sum(-1).astype(np.uint8).view(np.int8)


def unpacked(byte, bits):
    per = 8 // bits
    code = (byte.view(np.uint8)[..., None] >> (np.arange(per) * bits).astype(np.uint8)) & np.uint8(2 ** bits - 1)
    return code.reshape(*byte.shape[:-1], byte.shape[-1] * per)


def float8(kind):
    """The 256 numbers of an 8-bit float. E4M3FN: bias 7, no infinities, only the largest code of each sign is NaN. E5M2: as f16 cut to 8 bits."""
    exponent, mantissa, bias = {"E4M3FN": (4, 3, 7), "E5M2": (5, 2, 15)}[kind]
    out = np.zeros(256)
    for n in range(256):
        e, m = n >> mantissa & 2 ** exponent - 1, n & 2 ** mantissa - 1
        x = m * 2.0 ** (1 - bias - mantissa) if e == 0 else (1 + m * 2.0 ** -mantissa) * 2.0 ** (e - bias)
        if kind == "E4M3FN" and n & 127 == 127:
            x = np.nan
        if kind == "E5M2" and e == 31:
            x = np.nan if m else np.inf
        out[n] = -x if n & 128 else x
    return out
