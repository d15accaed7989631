"""For every key the diagonal of the softmax Jacobian summed over the queries: signal_j = sum_i P_ij (1 - P_ij)."""

import numpy as np

from common import default_scale, real, scores
from dense import softmax
from row import Row


def visible(inputs, params):
    return np.bool_(True)


def reference(inputs, params, dtype):
    p, _ = softmax(scores(inputs["q"], inputs["k"], default_scale(inputs["q"], dtype), dtype), True, dtype)
    return {"signal": np.sum(p * (1 - p), axis=-2, dtype=real(dtype)), "mass": np.sum(p, axis=-2, dtype=real(dtype))}


ROW = Row(hides=False, values=False, outputs={"signal": "column"}, terms={"signal": "mass"}, layouts=("bhsd",), few=True)
