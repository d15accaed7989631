"""Talking heads: logits l_h = q_h k_h^T / sqrt d; m_g = sum_h pre_gh l_h; p_g = softmax of m_g; n_f = sum_g post_fg p_g; o_f = n_f v_f. Causal. The heads of q, k, v and o stand side by side
in one axis, as a projection leaves them."""

import numpy as np

from common import real, scores
from dense import exact, rounded, softmax
from layers import cast
from row import Row


def visible(inputs, params):
    i, j = np.arange(inputs["q"].shape[1])[:, None], np.arange(inputs["k"].shape[1])
    return j <= i + (j.size - i.size)


def apart(x, heads):
    return np.moveaxis(x.reshape(*x.shape[:2], heads, x.shape[2] // heads), 2, 1)


def reference(inputs, params, dtype):
    t = real(dtype)
    q, k, v, pre, post = cast(inputs, dtype, "q", "k", "v", "pre", "post")
    heads = pre.shape[1]
    scale = t(np.float32(params["scale"]))
    if exact(dtype):
        mixed = (pre[:, :, None, None] * scores(apart(q, heads), apart(k, heads), scale, dtype)[:, None]).sum(2, dtype=t)
    else:
        mixed = scores(np.repeat(pre, q.shape[2] // heads, axis=1)[:, None] * q[:, None], k[:, None], scale, dtype)
    v = apart(v, heads)
    p, _ = softmax(mixed, visible(inputs, params), dtype)
    weights = (post[:, :, None, None] * p[:, None]).sum(2, dtype=t)
    o = np.matmul(weights, v)
    return {"o": rounded(np.moveaxis(o, 1, 2).reshape(*inputs["q"].shape), dtype)}


def operands(c):
    n = c.settings["heads"] * c.settings["width"]
    return {"q": (c.batch, c.i, n), "k": (c.batch, c.j, n), "v": (c.batch, c.j, n)}


def captured(c, rng, heads, inner, width):
    return {"pre": rng.standard_normal((inner, heads)), "post": rng.standard_normal((heads, inner))}, {
        "heads": heads, "width": width, "all": heads * width, "scale": float(np.float32(width ** -0.5))}


def knob(heads, inner, width):
    return {"heads": heads, "inner": inner, "width": width}


ROW = Row(knobs={"2": knob(2, 2, 64), "narrow": knob(4, 4, 16), "more": knob(2, 5, 32), "one": knob(1, 1, 80)}, operands=operands, captured=captured,
          text={"all": ["!t = tensor<?x?x{}xf32>", "!w = tensor<?x?x?x{}xf32>"], "width": ["%pre[g, x floordiv {}]", "%post[x floordiv {}, g]"], "scale": ["scale = {} outputs"],
                "heads": ["%pre: tensor<?x{}xf32>", "%post: tensor<{}x?xf32>", "(!t, tensor<?x{}xf32>)", "(!w, tensor<{}x?xf32>)"]},
          outputs={"o": "rows"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
