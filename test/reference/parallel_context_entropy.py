"""The pairs of parallel_context, and beside o and lse the entropy of every row, - sum_j P_ij log P_ij."""

import parallel_context
from common import attend, default_scale, scores
from dense import entropy, softmax
from row import Row

visible = parallel_context.visible


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    s = scores(q, k, default_scale(q, dtype), dtype)
    seen = visible(inputs, params)
    return attend(s, seen, v, dtype) | {"entropy": entropy(s, *softmax(s, seen, dtype), dtype)}


OF = parallel_context.ROW
ROW = Row(knobs={n: OF.knobs[n] for n in ("4", "many", "any-order")}, captured=OF.captured, text=OF.text, square=True,
          outputs={"o": "value", "lse": "row", "entropy": "row"}, terms={"entropy": "lse"}, few=True)
