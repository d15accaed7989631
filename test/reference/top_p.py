"""Top-p: of the softmax weights of a row the fewest largest that sum to at least p are kept (with all that equal the least of them), and made to sum
to 1 again; causal."""

import numpy as np

from common import default_scale, positions, real, scores
from dense import Pairs, combine, f32, softmax
from row import Row, steps


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def weights(s, seen, p, dtype):
    t = real(dtype)
    w, _ = softmax(s, seen, dtype)
    if s.shape[-1] == 0:
        return w
    pairs = Pairs(s, seen)
    # by score, for two scores may differ where their weights do not
    order = np.argsort(-np.where(pairs.at, pairs.score, t(-np.inf)), axis=-1, kind="stable")
    total = np.cumsum(np.take_along_axis(w, order, -1), axis=-1, dtype=t)
    last = np.minimum(np.sum(total < t(p), axis=-1, keepdims=True), s.shape[-1] - 1)
    least = np.take_along_axis(pairs.score, np.take_along_axis(order, last, -1), -1)
    kept = pairs.at & (pairs.score >= np.where(np.take_along_axis(np.take_along_axis(pairs.at, order, -1), last, -1), least, t(-np.inf)))
    return softmax(s, kept | (pairs.at & pairs.bad[..., None]), dtype)[0]


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype)
    return {"o": combine(weights(s, visible(inputs, params), np.float32(params["p"]), dtype), inputs["v"], dtype)}


# Scores are in steps, so that which keys are kept is no matter of rounding.
ROW = Row(knobs={str(p): {"p": f32(p)} for p in (0.9, 0.5, 0.05, 0.999, 0)}, outputs={"o": "value"}, adjust=steps, d=60, few=True)
