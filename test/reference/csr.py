"""Attention over a graph: node i sees its neighbors, row i of an adjacency matrix in CSR form. The graph of every batch element is its own.

Columns of a row may repeat and stand in any order; those that no row reaches mean nothing."""

import numpy as np

from common import attention
from row import Row


def visible(inputs, params):
    offsets, columns = inputs["offsets"], inputs["columns"]
    seen = np.zeros((offsets.shape[0], 1, offsets.shape[1] - 1, inputs["k"].shape[2]), bool)
    for b, _, i in np.ndindex(seen.shape[:3]):
        for n in range(offsets[b, i], offsets[b, i + 1]):
            seen[b, 0, i, columns[b, n]] = True
    return seen


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, degree, empty, repeats, spare, type):
    graphs = []
    for _ in range(c.batch):
        rows = []
        for _ in range(c.i):
            n = 0 if c.j == 0 or rng.random() < empty else min(int(rng.integers(0, 2 * degree + 1)), c.j)
            row = rng.permutation(c.j)[:n]
            rows.append(rng.choice(row, 2 * n) if repeats and n else row)
        graphs.append(rows)
    total = max((sum(map(len, rows)) for rows in graphs), default=0) + spare
    offsets, columns = np.zeros((c.batch, c.i + 1), np.int64), np.full((c.batch, total), -1, np.int64)
    for b, rows in enumerate(graphs):
        offsets[b, 1:] = np.cumsum([len(row) for row in rows])
        columns[b, :offsets[b, -1]] = np.concatenate([[], *rows])
    t = "int" + type[1:]
    return {"offsets": offsets.astype(t), "columns": columns.astype(t)}, {"type": type}


def knob(degree, empty=0.2, repeats=False, spare=0, type="i32"):
    return {"degree": degree, "empty": empty, "repeats": repeats, "spare": spare, "type": type}


ROW = Row(knobs={"3": knob(3), "dense": knob(1000, 0), "none": knob(2, 1.0), "one": knob(0.5, 0.5), "repeats": knob(5, 0.1, True, type="i64"), "spare": knob(4, spare=9),
                 "20": knob(20, 0.6, type="i64")},
          captured=captured, text={"type": ["%offsets: tensor<?x?x{}>", "%columns: tensor<?x?x{}>"]})
