"""Paged decode: token j of sequence b lies in slot j mod 16 of page table[b, j // 16] of the pools [page, 16, head, feature]; a page of -1 holds nothing; a sequence sees its first length_b
tokens; query head h uses key head h // g. All slots that no sequence sees are NaN."""

import numpy as np

from common import attend, default_scale, scores
from row import Row


def visible(inputs, params):
    size = params["size"]
    j = np.arange(inputs["table"].shape[1] * size)
    held = np.repeat(inputs["table"] >= 0, size, axis=1)
    return (held & (j < inputs["length"][:, None]))[:, None, None, :]


def gathered(pool, table, group):
    """[b, query heads, j, feature]."""
    x = pool[np.maximum(table, 0)]                                        # [b, page, slot, head, feature]
    x = x.reshape(table.shape[0], table.shape[1] * pool.shape[1], *pool.shape[2:])
    return np.repeat(np.moveaxis(x, 2, 1), group, axis=1)


def reference(inputs, params, dtype):
    q = inputs["q"]
    if inputs["kpool"].shape[0] == 0:
        k = v = np.zeros((*q.shape[:2], inputs["table"].shape[1] * params["size"], q.shape[-1]))
    else:
        k, v = (gathered(inputs[n], inputs["table"], params["group"]) for n in ("kpool", "vpool"))
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible(inputs, params), v, dtype)


def pages(c):
    return -(-c.j // c.settings["size"])


def operands(c):
    n = c.batch * pages(c) + 3
    pool = (n, c.settings["size"], c.heads // c.group, c.d)
    return {"q": (c.batch, c.heads, c.i, c.d), "kpool": pool, "vpool": pool}


def tables(c):
    """(table, length) of a case."""
    rng = np.random.default_rng([c.batch, c.heads, c.i, c.j])
    size, kind, n = c.settings["size"], c.settings["kind"], pages(c)
    table = rng.permutation(c.batch * n + 3)[:c.batch * n].reshape(c.batch, n).astype(np.int32)
    length = rng.integers(0, c.j + 1, c.batch).astype(np.int32) if kind != "full" else np.full(c.batch, c.j, np.int32)
    if kind == "holes":
        table[rng.random(table.shape) < 0.3] = -1
    for b in range(c.batch):
        table[b, -(-int(length[b]) // size):] = -1
    if kind == "shared":
        table[1:], length[1:] = table[:1], length[:1]
    return table, length


def captured(c, rng, size, kind):
    table, length = tables(c)
    return {"table": table, "length": length}, {"size": size, "group": c.group, "d": c.d}


def adjust(c, x, rng):
    """NaN where nobody looks."""
    (table, length), size = tables(c), c.settings["size"]
    seen = np.zeros(x["kpool"].shape[:2], bool)
    for b in range(c.batch):
        for j in range(int(length[b])):
            if table[b, j // size] >= 0:
                seen[table[b, j // size], j % size] = True
    for n in ("kpool", "vpool"):
        x[n][~seen] = np.nan


def knob(kind, size=16):
    return {"kind": kind, "size": size}


ROW = Row(knobs={"ragged": knob("ragged"), "full": knob("full"), "holes": knob("holes"), "shared": knob("shared"), "7": knob("holes", 7), "1": knob("ragged", 1)}, operands=operands,
          captured=captured, adjust=adjust, groups=(4, 1, 8), same_width=True, base=(1, 250), outputs={"o": "rows", "lse": "flat"}, layouts=("bhsd",),
          text={"size": ["j floordiv {}] as", "%size = arith.constant {} : index", "!p = tensor<?x{}x?x"], "group": ["%group = arith.constant {} : index"], "d": ["c = {}, e", "e = {})"]},
          axes=("length", "unequal", "dims", "layout", "batch", "group", "parameter"), more=({"i": 1, "j": 2048, "element": "bf16"},))
