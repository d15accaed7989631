"""Power law graph attention from the metric A [b, h, d, d]: A_LM = f(W A + b) + 1e-9 with f(z) = z silu(z), A_P = A_LM ** p elementwise, G = a A_P + c; then attention with s = q G k^T / sqrt d."""

import numpy as np

import plga
from dense import exact
from layers import cast, constant, in_order, sigmoid
from row import Row


def visible(inputs, params):
    return plga.visible(inputs, params)


def product(a, b, dtype):
    """A product of matrices; the yardstick sums in order."""
    return np.matmul(a, b) if exact(dtype) else in_order(a[..., :, None, :] * np.swapaxes(b, -1, -2)[..., None, :, :])


def graph(a, w, b, power, coupling, shift, dtype):
    z = product(w, a, dtype) + b
    metric = z * (z * sigmoid(z)) + constant(1e-9, dtype)
    curved = metric ** power if exact(dtype) else np.exp(np.log(metric) * power)
    return product(coupling, curved, dtype) + shift


def reference(inputs, params, dtype):
    a, w, b, power, coupling, shift = cast(inputs, dtype, "metric", "w", "b", "power", "a", "c")
    g = graph(a, w, b, power, coupling, shift, dtype)
    return {"o": plga.reference(inputs | {"g": g}, params, dtype)["o"], "g": g}


def operands(c):
    n = c.settings["d"]
    shapes = {"q": (c.batch, c.heads, c.i, n), "k": (c.batch, c.heads, c.j, n), "v": (c.batch, c.heads, c.j, n), "metric": (c.batch, c.heads, n, n)}
    return shapes | {x: (c.heads, n, n) for x in ("w", "b", "power", "a", "c")}


def adjust(c, x, rng):
    """Without A_LM near 0, whose powers would say more of the last bit of a sum than of anything else."""
    n = c.settings["d"]
    x["w"] /= n
    x["b"] = 2 + 0.3 * x["b"]
    x["a"] /= n
    x["c"] /= n ** 0.5
    x["power"] = 0.3 * np.abs(x["power"])


ROW = Row(knobs={str(d): {"d": d} for d in (16, 64, 5)}, operands=operands, captured=lambda c, rng, d: ({}, {"d": d, "square": f"{d}x{d}"}), adjust=adjust, same_width=True,
          text={"d": ["!t = tensor<?x?x?x{}xf32>"], "square": ["!g = tensor<?x?x{}xf32>", "!w = tensor<?x{}xf32>"]}, outputs={"o": "rows", "g": "flat"}, layouts=("bhsd",),
          elements=("f32", "f64"), axes=("length", "unequal", "layout", "batch", "parameter"), few=True)
