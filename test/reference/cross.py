"""o_i = sum_j softmax_j(q_i . k_j / sqrt d) v_j over all j: the keys are another sequence, of its own length."""

import numpy as np

from common import attend, default_scale, scores
from row import Row


def visible(inputs, params):
    return np.ones((inputs["q"].shape[-2], inputs["k"].shape[-2]), bool)


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


ROW = Row(hides=False, thorough=True)
