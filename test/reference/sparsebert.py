"""SparseBERT's learned masks: head h keeps a set of distances, and i sees j iff |i - j| is one of them (a symmetric Toeplitz mask).

A row without a kept key is empty (the released code adds -10000 there, which makes it full; absent is what the other rows mean)."""

import numpy as np

from common import attention, positions
from row import Row


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    place = i + (j.size - i.size if params["align"] == "bottom_right" else 0)
    seen = np.zeros((inputs["offsets"].shape[0], i.size, j.size), bool)
    for h, offsets in enumerate(inputs["offsets"]):
        for n in set(offsets.tolist()):
            seen[h] |= (np.abs(place - j) if "symmetric" in params["symmetric"] else place - j) == n
    return seen[None]


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


def captured(c, rng, kind, part, align, type, symmetric):
    n = max(c.i, c.j)
    room = max(1, int(part * n))
    pick = {"some": lambda: rng.permutation(n + 1)[:room], "all": lambda: np.arange(n + 1), "self": lambda: [0], "no-room": lambda: [],
            "repeats": lambda: rng.integers(0, n + 3, 2 * room), "out-of-reach": lambda: [n, n + 7, -1, -n, 2 ** 31 - 1, -2 ** 31],
            "signed": lambda: rng.integers(-n, n + 1, room), "band": lambda: np.arange(room)}[kind]
    lists = [np.array(pick(), np.int64) for _ in range(c.heads)]
    return {"offsets": np.stack(lists).astype("int" + type[1:])}, {"align": align, "type": type, "symmetric": symmetric}


def knob(kind, part=0.1, align="top_left", type="i32", symmetric=", symmetric"):
    return {"kind": kind, "part": part, "align": align, "type": type, "symmetric": symmetric}


TEXT = {"align": ["diagonals<{}, %"], "type": ["%offsets: tensor<?x?x{}>"], "symmetric": ["%offsets[h]{}>"]}

ROW = Row(knobs={"some": knob("some"), "all": knob("all", symmetric=", symmetric, sorted, unique"), "no-room": knob("no-room"), "repeats": knob("repeats", 0.2, type="i64"), "self": knob("self"),
                 "out-of-reach": knob("out-of-reach"), "newest": knob("band", 0.3, "bottom_right"), "signed": knob("signed", 0.3, symmetric=""),
                 "signed-newest": knob("signed", 0.2, "bottom_right", "i64", "")},
          captured=captured, text=TEXT)
