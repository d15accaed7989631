"""Random lists of indices as callers write them, and which indices they hold: for the rows whose keys are given by lists."""

import numpy as np


def held(lists, count):
    """[.., n] indices with -1 as padding -> [.., count], whether each index is in its list."""
    out = np.zeros((*lists.shape[:-1], count), bool)
    flat, into = lists.reshape(int(np.prod(lists.shape[:-1])), lists.shape[-1]), out.reshape(int(np.prod(out.shape[:-1])), count)
    for row, seen in zip(flat, into):
        seen[[n for n in row if n >= 0]] = True
    return out


def make(rng, shape, count, part, kind="any", type="i32"):
    """Lists of indices below `count`, one for each index of `shape`, about part * count of them in each.

    any        in any order, some shorter than others, padding anywhere
    ascending  no repeats, padding last
    repeats    some indices twice or more
    sorted     the same in ascending order, padding last
    empty      nothing but padding
    no-room    not even that: the last axis has no element
    full       every index
    """
    room = 0 if kind == "no-room" else count if kind == "full" else max(1, int(np.ceil(part * count)))
    out = np.full((*shape, room), -1, np.int64)
    for at in np.ndindex(*shape):
        if kind in ("empty", "no-room") or count == 0:
            continue
        pick = rng.permutation(count)[:room]
        if kind in ("repeats", "sorted"):
            pick = rng.choice(pick[:max(1, room // 2)], room)
        if kind in ("any", "ascending", "sorted"):
            pick = pick[:rng.integers(len(pick) + 1) if rng.integers(3) == 0 else len(pick)]
        pick = np.sort(pick) if kind in ("ascending", "sorted") else pick
        place = np.arange(len(pick)) if kind != "any" else rng.permutation(room)[:len(pick)]
        out[at][place] = pick
    return out.astype("int" + type[1:])


def facts(kind):
    """What a program may promise of such lists."""
    return {"ascending": ("sorted", "unique"), "empty": ("sorted", "unique"), "sorted": ("sorted",), "full": ("unique",)}.get(kind, ())
