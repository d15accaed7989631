"""Pointer network: u_ij = w . tanh(k_j + q_i), with k_j = W1 e_j and q_i = W2 d_i given; p_ij = softmax_j(u_ij) over the first length_b inputs, nll_i = -log p_i,target, id_i = argmax_j u_ij."""

import numpy as np

import pointer
from common import real, round_to
from dense import Pairs, exact, first_largest, softmax
from layers import in_order
from row import Row


def visible(inputs, params):
    return pointer.visible(inputs, params)


def scores(q, k, w):
    with np.errstate(all="ignore"):
        return in_order(w * np.tanh(q[:, :, None] + k[:, None]))


def reference(inputs, params, dtype):
    t = real(dtype)
    s = scores(*(inputs[n].astype(t) for n in ("q", "k", "w")))
    seen = visible(inputs, params)
    p, lse = softmax(s, seen, dtype)
    if s.shape[-1] == 0:
        return {"p": p, "nll": lse, "lse": lse, "id": np.full(lse.shape, -1, np.int64)}
    target = inputs["target"].astype(np.int64)[..., None]
    if exact(dtype):
        nll = -np.log(np.take_along_axis(p, target, -1))[..., 0]
    else:
        nll = lse - np.take_along_axis(s, target, -1)[..., 0]
    return {"p": p, "nll": nll.astype(t), "lse": lse, "id": first_largest(s, Pairs(s, seen).at)}


def captured(c, rng, ragged):
    tensors, params = pointer.captured(c, rng, ragged)
    return tensors | {"w": rng.standard_normal(c.d)}, params | {"d": c.d}


def adjust(c, x, rng):
    """Queries for which the best input is best by more than rounding, or exactly as good as a copy of it."""
    if 0 in (c.batch, c.i, c.j):
        return
    if c.j > 3:
        x["k"][:, -1] = x["k"][:, 0]
    for n in "qk":
        x[n][...] = round_to(x[n], c.element)


ROW = Row(knobs={"ragged": {"ragged": True}, "all": {"ragged": False}}, captured=captured, operands=lambda c: {"q": (c.batch, c.i, c.d), "k": (c.batch, c.j, c.d)}, adjust=adjust,
          text={"d": ["%w: tensor<{}xf32>", "%w[%c] : tensor<{}xf32>"]}, outputs={"p": "rows", "nll": "flat", "id": "id"}, terms={"nll": "lse"}, same_width=True, layouts=("bhsd",),
          axes=("length", "unequal", "dims", "layout", "batch", "parameter"), few=True)
