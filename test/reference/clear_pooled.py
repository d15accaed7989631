"""CLEAR, the variant with pooled keys. Tokens are t of text, then an image in raster order. Text sees text and image and is seen by all; a pixel sees the pixels at a distance below r, and all
patches of f x f pixels, whose key and value are sums of the pixels' with one weight for each place in a patch. One softmax over all that a token sees."""

import numpy as np

import clear
from common import attend, real, scores
from dense import exact, rounded
from cascade import merge
from row import Row


def visible(inputs, params):
    return clear.visible(inputs, params)


def patches(x, params):
    """[b, h, tokens, feature] -> [b, h, patches, places in a patch, feature]."""
    t, width, f = params["t"], params["width"][0], params["f"]
    image = x[:, :, t:]
    image = image.reshape(*image.shape[:2], image.shape[2] // (f * width), f, width // f, f, image.shape[-1])
    return np.moveaxis(image, 4, 3).reshape(*image.shape[:2], image.shape[2] * image.shape[4], f * f, image.shape[-1])


def reference(inputs, params, dtype):
    t = real(dtype)
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    scale = t(np.float32(params["scale"]))
    weight = inputs["pool"].astype(t)[:, None]
    pk, pv = (rounded((patches(x.astype(t), params) * weight).sum(3, dtype=t), dtype) for x in (k, v))
    i = np.arange(q.shape[2])[:, None]
    seen, pooled = clear.visible(inputs, params), np.broadcast_to(i >= params["t"], (i.size, pk.shape[2]))
    if exact(dtype):
        return attend(scores(q, np.concatenate([k, pk], 2), scale, dtype), np.concatenate([np.broadcast_to(seen, (i.size, k.shape[2])), pooled], 1), np.concatenate([v, pv], 2), dtype)
    o, lse = merge([attend(scores(q, k, scale, dtype), seen, v, dtype), attend(scores(q, pk, scale, dtype), pooled, pv, dtype)], dtype)
    return {"o": rounded(o, dtype), "lse": lse}


def fit(i, j, t, width, r, f):
    """Whole rows of patches, at least one."""
    band = width * f
    n = t + max(1, (i - t) // band) * band
    return n, n


def captured(c, rng, t, width, r, f):
    rows, columns = (c.i - t) // width // f, width // f
    corner = t + (np.arange(rows)[:, None] * f * width + np.arange(columns) * f).ravel()
    return {"corner": corner.astype(np.int32), "pool": 1 / f ** 2 + rng.standard_normal(f * f) / 8}, {
        "t": t, "width": (width,), "r": r, "f": f, "scale": float(np.float32(1.1 * c.d ** -0.5)), "places": f * f}


def knob(t, width, r, f):
    return {"t": t, "width": width, "r": r, "f": f}


ROW = Row(knobs={"text": knob(5, 8, 3, 4), "image": knob(0, 12, 2, 4), "alone": knob(3, 8, 0, 4), "wide": knob(7, 32, 6, 4), "2": knob(3, 6, 2, 2)}, captured=captured, fit=fit, square=True,
          base=(133, 133), layouts=("bhsd",), same_width=True, outputs={"o": "rows", "lse": "flat"}, elements=("f32", "f64"), few=True,
          text={"width": ["i[?, {}]", "j[?, {}]", "%width = arith.constant {} : index"], "f": ["%four = arith.constant {} : index"], "places": ["!w = tensor<{}xf32>"]},
          axes=("length", "dims", "layout", "batch", "parameter", "logits"))
