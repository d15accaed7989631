"""Sparsifiner with its predictor. For every head, token 0 being the class token: down-projected queries and keys qd, kd [n, c]; kl = kd^T D [c, r] over the tokens; coefficients
softmax_r(qd kl * scale), of which the 8 largest of a row stay as they are and the others become 0; a basis [r, n] = |U|^T with entries of 0.02 and below set to 0; estimates = coefficients
times basis; a row attends to the keys of its `budget` largest estimates, the lowest keys first where they are equal; row 0 attends to all."""

import numpy as np

from common import attend, default_scale, positions, real, round_to, scores
from layers import constant, softmax
from row import Row


def largest(x, n):
    """Indices of the n largest of the last axis, the largest first, the lowest index first among equals; -1 behind them where there are fewer."""
    order = np.argsort(-x, axis=-1, kind="stable")[..., :n]
    pad = np.full((*x.shape[:-1], max(0, n - x.shape[-1])), -1)
    return np.concatenate([order, pad], axis=-1).astype(np.int32)


def predictor(inputs, params, dtype):
    """(coefficients, estimates)."""
    t = real(dtype)
    qd, kd, down, up = (inputs[n].astype(t) for n in ("qd", "kd", "down", "up"))
    kl = np.matmul(np.swapaxes(kd, -1, -2), down)
    coef = softmax(np.matmul(qd, kl) * t(np.float32(params["scale"])))
    kept = np.zeros_like(coef)
    top = largest(coef, params["coefficients"])
    np.put_along_axis(kept, top, np.take_along_axis(coef, top, -1), -1)
    basis = np.where(np.abs(up) <= constant(0.02, dtype), t(0), np.abs(up))
    return coef, np.matmul(kept, basis.T)


def chosen(inputs, params, dtype):
    return largest(predictor(inputs, params, dtype)[1], params["budget"])


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    ids = chosen(inputs, params, "f64")
    return (ids[..., None, :] == j[..., None]).any(-1) | (i == 0)


def reference(inputs, params, dtype):
    q, k = inputs["q"], inputs["k"]
    out = attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), inputs["v"], dtype)
    return out | {"ids": chosen(inputs, params, "f64")}


def operands(c):
    s = c.settings
    shapes = {n: (c.batch, c.heads, c.j, c.d) for n in "qkv"} | {n: (c.batch, c.heads, c.j, s["rank"]) for n in ("qd", "kd")}
    return shapes | {n: (c.j, s["rank"]) for n in ("down", "up")}


def adjust(c, x, rng):
    """Queries for which neither the coefficients nor the estimates that stay are a matter of rounding: neighbours in size are equal or far apart."""
    x["down"] /= max(c.j, 1) ** 0.5
    x["up"] *= 0.1
    params = {"scale": np.float32(c.heads ** -0.5), "coefficients": 8, "budget": 50}

    def near(values):
        v = np.sort(values, axis=-1)
        gap = np.diff(v, axis=-1)
        return ((gap > 0) & (gap < 1e-5 * np.abs(v[..., 1:]))).any(-1)
    for _ in range(50):
        for n in x:
            x[n][...] = round_to(x[n], c.element)
        coef, estimates = predictor(x, params, "f64")
        bad = near(coef) | near(estimates)
        if not bad.any():
            return
        x["qd"][bad] = rng.standard_normal(x["qd"][bad].shape)
    raise ValueError("no queries that are clear enough")


def captured(c, rng, rank, budget):
    return {}, {"scale": float(np.float32(c.heads ** -0.5)), "rank": rank, "budget": budget, "coefficients": 8}


ROW = Row(knobs={"50": {"rank": 32, "budget": 50}, "5": {"rank": 32, "budget": 5}, "few": {"rank": 8, "budget": 20}}, operands=operands, captured=captured, adjust=adjust, square=True, same_width=True,
          text={"rank": ["!d = tensor<?x?x?x{}xf32>", "!b = tensor<?x{}xf32>"], "budget": ["!n = tensor<?x?x?x{}xi32>", "ids[s] = topk {} outputs"]}, outputs={"o": "rows", "lse": "flat", "ids": "id"},
          layouts=("bhsd",), elements=("f32", "f64"), axes=("length", "dims", "layout", "batch", "parameter"), few=True, base=(97, 97))
