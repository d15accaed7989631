"""Parallel context encoding: causal, and a token of piece c sees piece c and the shared prefix (piece 0); a token of the question sees all."""

import numpy as np

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    piece = inputs["seg"].astype(np.int64)
    mine, other = piece[:, None, :, None], piece[:, None, None, :]
    return (j <= i) & ((other == mine) | (other == params["shared"]) | (mine == params["all"]))


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, pieces, prefix, question, shared, all, type):
    seg = np.full((c.batch, c.j), shared, np.int64)
    if pieces is None:  # in any order
        seg[:] = rng.integers(-2, 5, seg.shape)
    else:
        lo, hi = int(prefix * c.j), c.j - int(question * c.j)
        for row in seg:
            row[lo:hi] = 1 + np.sort(rng.integers(0, pieces, max(0, hi - lo)))
            row[hi:] = all
    return {"seg": seg.astype("int" + type[1:])}, {"shared": shared, "all": all, "type": type}


def knob(pieces=4, prefix=0.1, question=0.2, shared=0, all=5, type="i32"):
    return {"pieces": pieces, "prefix": prefix, "question": question, "shared": shared, "all": all, "type": type}


ROW = Row(knobs={"4": knob(), "one": knob(1), "many": knob(30, all=99, type="i64"), "no-prefix": knob(5, prefix=0, all=9), "no-question": knob(3, question=0, all=-1),
                 "any-order": knob(None, all=3), "shared-7": knob(3, shared=7, all=2 ** 31 - 1)},
          captured=captured, text={"shared": ["shared = {}"], "type": ["%seg: tensor<?x?x{}>"]}, square=True)
