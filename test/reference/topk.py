"""Top-k attention: of the keys a query may see, causally, the 16 with the largest products q . k, the largest first, of equals the lowest key; -1 behind them.
Then softmax attention over these. A product that is NaN counts as larger than all; one of -inf is no key."""

import numpy as np

from common import attention, positions, scores
from row import Row, steps


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return j <= i + (j.size - i.size)


def largest(s, at, count):
    """The keys of the `count` largest s among the pairs `at`, along the last axis."""
    nan = np.isnan(s)
    order = np.lexsort((np.where(nan, 0, -s), ~nan, ~at), axis=-1)[..., :count]
    ids = np.full((*s.shape[:-1], count), -1, np.int64)
    ids[..., :order.shape[-1]] = np.where(np.take_along_axis(at, order, -1), order, -1)
    return ids


def reference(inputs, params, dtype):
    s = scores(inputs["q"], inputs["k"], 1.0, dtype)
    ids = largest(s, np.broadcast_to(visible(inputs, params), s.shape) & (s != -np.inf), 16)
    chosen = (ids[..., None] == np.arange(s.shape[-1])).any(-2)
    return attention(inputs, chosen, dtype) | {"ids": ids}


ROW = Row(outputs={"o": "value", "lse": "row", "ids": "id"}, adjust=steps, layouts=("bhsd", "bshd"))
