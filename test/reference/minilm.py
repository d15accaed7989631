"""Self-attention of a BERT encoder: softmax over the keys that are not padding (mask[b, j] != 0), scale 1 / sqrt d."""

from common import attend, default_scale, scores


def visible(inputs, params):
    return (inputs["mask"] != 0)[:, None, None, :]


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)
