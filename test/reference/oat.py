"""Object-level pointer: logits u_h = q_h . k_h / sqrt d of two heads, mixed, u = sum_h mix_h u_h; beside the objects a stop with logit 0 (mixed from the zeros of all heads, it stays 0);
p = softmax over objects and stop. `id` and `top` are the best object and its logit."""

import numpy as np

from common import real, scores
from dense import first_largest, softmax
from layers import cast
from row import Row
from talking_heads import apart


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    t = real(dtype)
    q, k, mix = cast(inputs, dtype, "q", "k", "mix")
    q, k = (apart(x, mix.size) for x in (q, k))
    u = (mix[:, None, None] * scores(q, k, t(np.float32(params["scale"])), dtype)).sum(1, dtype=t)
    p, lse = softmax(u, True, dtype, np.zeros(()))
    stop = np.exp(-lse)
    top = u.max(-1, initial=-np.inf)
    return {"p": p, "stop": stop, "id": first_largest(u, np.ones(u.shape, bool)), "top": top}


def operands(c):
    n = c.settings["heads"] * c.settings["width"]
    return {"q": (c.batch, c.i, n), "k": (c.batch, c.j, n)}


def adjust(c, x, rng):
    """In steps of 1/4 and few features: which logit is larger is no matter of rounding, and there are ties."""
    for t in x.values():
        t[...] = np.round(t * 2) / 4


def captured(c, rng, heads, width):
    return {"mix": np.round(rng.standard_normal(heads) * 4) / 8}, {"heads": heads, "width": width, "all": heads * width, "scale": float(np.float32(width ** -0.5))}


ROW = Row(knobs={"2": {"heads": 2, "width": 64}, "narrow": {"heads": 2, "width": 15}, "3": {"heads": 3, "width": 32}}, operands=operands, captured=captured, adjust=adjust,
          text={"all": ["!t = tensor<?x?x{}xf32>"], "width": ["%mix[x floordiv {}]"], "scale": ["scale = {} normalize"], "heads": ["%mix: tensor<{}xf32>", "(!t, tensor<{}xf32>)"]},
          outputs={"p": "rows", "stop": "flat", "id": "id", "top": "flat"}, hides=False, layouts=("bhsd",), same_width=True, elements=("f32", "f64"),
          axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
