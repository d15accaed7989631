"""Row b has ql_b queries and kl_b keys, the rest is padding; query i sees j <= i + (kl_b - ql_b)."""

import numpy as np

from common import attend, default_scale, positions, scores
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    ql, kl = (inputs[n].astype(np.int64)[:, None, None, None] for n in ("ql", "kl"))
    return (i < ql) & (j < kl) & (j <= i + (kl - ql))


def reference(inputs, params, dtype):
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def captured(c, rng, kind):
    def lengths(n):
        least, most = {"random": (0, n), "zero": (0, 0), "all": (n, n), "one": (min(n, 1),) * 2}[kind]
        return rng.integers(least, most + 1, c.batch).astype(np.int32)
    return {"ql": lengths(c.i), "kl": lengths(c.j)}, {}


ROW = Row(knobs={kind: {"kind": kind} for kind in ("random", "zero", "all", "one")}, captured=captured, thorough=True)
