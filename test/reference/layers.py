"""Small pieces that several references share: a gate, a norm, matrix products in the precision of the evaluation."""

import numpy as np

from common import real


def constant(x, dtype):
    """A constant that a program states: of f32, in f64 programs of f64."""
    return real(dtype)(x if dtype in ("f80", "plain-f64") else np.float32(x))


def in_order(x):
    """The sum over the last axis, one number after the other."""
    return np.cumsum(x, axis=-1, dtype=x.dtype)[..., -1] if x.shape[-1] else np.zeros(x.shape[:-1], x.dtype)


def sigmoid(x):
    with np.errstate(over="ignore"):
        return x.dtype.type(1) / (x.dtype.type(1) + np.exp(-x))


def softmax(x, axis=-1):
    """Over one axis, all of it."""
    if x.shape[axis] == 0:
        return x
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True, dtype=x.dtype)


def layer_norm(x, gain, shift, eps):
    """Over the last axis, with the variance of all (not of a sample)."""
    t = x.dtype.type
    off = x - x.sum(-1, keepdims=True, dtype=t) / t(x.shape[-1])
    var = (off * off).sum(-1, keepdims=True, dtype=t) / t(x.shape[-1])
    return off / np.sqrt(var + eps) * gain + shift


def rms_norm(x, gain, eps):
    """Over the last axis."""
    t = x.dtype.type
    return x / np.sqrt((x * x).sum(-1, keepdims=True, dtype=t) / t(x.shape[-1]) + eps) * gain


def cast(inputs, dtype, *names):
    return [inputs[n].astype(real(dtype)) for n in names]
