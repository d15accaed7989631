"""The cases of every gallery row (the edge cases of design rows.md and the inputs of measuring.md), and their inputs."""

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "reference"))
import common  # noqa: E402

ROWS = ["full", "causal", "causal_top_left", "sliding_window", "prefix_lm", "document", "alibi", "softcap", "t5_bias", "gqa", "mqa", "cross", "varlen"]
LENGTHS = [0, 1, 5, 6, 7, 15, 16, 17, 33, 65, 255, 256, 257]
UNEQUAL = [(1, 257), (5, 17), (17, 5), (16, 255), (257, 1), (0, 16), (16, 0), (100, 37), (37, 100), (1, 1024), (255, 65)]
HEAD_DIMS = [(x, x) for x in (8, 63, 80, 111, 128, 192, 256)] + [(64, 128), (192, 128), (8, 64), (63, 111), (128, 80), (64, 1)]
LOGITS = ["normal", "rising", "falling", "ties", "huge", "dominating"]
POISON = ["hidden", "some-keys", "some-values", "minus-inf"]
KNOBS = {"sliding_window": [0, 1, 16, 100, 100000, -1], "softcap": [0.5, 5.0, 50.0, 1000.0],
         "prefix_lm": ["random", "zero", "all"], "varlen": ["random", "zero", "all", "one"],
         "document": ["random", "one", "each", "back"], "alibi": ["paper", "zero", "steep", "rising"]}


@dataclass(frozen=True)
class Case:
    """One run. `axis` is what it was made to vary."""
    row: str
    axis: str
    element: str = "f32"
    layout: str = "bhsd"
    d: int = 64
    e: int = 64
    batch: int = 2
    group: int = 1
    i: int = 37
    j: int = 70
    logits: str = "normal"
    poison: str = "none"
    knob: object = None
    blocks: tuple = ()
    threads: int = 2
    seed: int = 0

    @property
    def heads(self):
        """Query heads: a multiple of the group; more when rows are few, so that the error rule has numbers to go by."""
        pairs = 2 if self.i > 16 else 8
        return self.group if self.row == "mqa" else max(1, pairs // self.group) * self.group

    @property
    def name(self):
        if self.axis == "captured":
            return f"{self.row}-captured-t{self.threads}"
        parts = [self.row, self.axis, self.element, self.layout, f"d{self.d}" + (f"v{self.e}" if self.e != self.d else ""),
                 f"b{self.batch}h{self.heads}" + (f"g{self.group}" if self.group > 1 else ""), f"{self.i}x{self.j}", self.logits]
        parts += [self.poison] if self.poison != "none" else []
        parts += [f"k{self.knob}"] if self.knob is not None else []
        parts += ["blocks" + "x".join(map(str, self.blocks))] if self.blocks else []
        return "-".join(parts + [f"t{self.threads}"])


def all_cases(seed):
    """Every case of every row, in a fixed order; what a sweep does not vary (threads, forced blocks) is drawn from the seed."""
    cases = []
    for row in ROWS:
        square = row in ("document",)
        base = Case(row, "length", group={"gqa": 3, "mqa": 8}.get(row, 1), j=37 if square else 70, knob=KNOBS.get(row, [None])[0])
        if row == "sliding_window":
            base = replace(base, knob=16)

        def add(axis, **change):
            c = replace(base, axis=axis, **change)
            rng = np.random.default_rng([seed, len(cases)])
            blocks = c.blocks or [(), (6, 16), (), (5, 7), (12, 32)][rng.integers(5)]
            cases.append(replace(c, blocks=blocks, threads=int(rng.integers(1, 3)), seed=int(rng.integers(2 ** 31))))
        for n in LENGTHS:
            add("length", i=n, j=n)
            add("length", i=n, j=n, element=["bf16", "f16", "f64"][n % 3])
        for i, j in [] if square else UNEQUAL:
            add("unequal", i=i, j=j)
            add("unequal", i=i, j=j, layout="bshd")
        for d, e in HEAD_DIMS:
            add("dims", d=d, e=e)
            add("dims", d=d, e=e, element=["bf16", "f16", "f64"][d % 3], i=17, j=17 if square else 70)
        for element in ("f32", "bf16", "f16", "f64"):
            for layout in ("bhsd", "bshd") if row in ("gqa", "mqa") else ("bhsd", "bshd", "packed"):
                add("layout", element=element, layout=layout, i=33, j=33)
                add("layout", element=element, layout=layout, i=257, j=257, d=80, e=80)
            for logits in LOGITS:
                add("logits", element=element, logits=logits, blocks=(6, 16))
                add("logits", element=element, logits=logits, i=100, j=100 if square else 257)
        for poison in POISON:
            if poison == "hidden" and row in ("full", "cross"):
                continue
            for element in ("f32", "bf16", "f16", "f64"):
                add("poison", element=element, poison=poison, blocks=(6, 16))
                add("poison", element=element, poison=poison, i=70, j=70)
                if not square:
                    add("poison", element=element, poison=poison, i=70, j=37, d=63, e=63)
        for batch in (0, 1, 2, 5):
            add("batch", batch=batch)
        for group in (1, 3, 8) if row in ("gqa", "mqa") else ():
            for i, j in ((1, 257), (17, 17), (65, 70)):
                for element in ("f32", "bf16"):
                    add("group", group=group, i=i, j=j, element=element)
        for knob in KNOBS.get(row, ()):
            for i, j in ((33, 33), (70, 70)) if square else ((33, 33), (17, 257), (70, 37)):
                add("parameter", knob=knob, i=i, j=j)
            add("parameter", knob=knob, element="bf16")
    return cases


def chosen(cases, seed, count):
    """A seeded part of `cases`: one of each row and axis, then any others."""
    rng = np.random.default_rng(seed)
    order = [cases[x] for x in rng.permutation(len(cases))]
    first, rest, met = [], [], set()
    for c in order:
        (rest if (c.row, c.axis) in met else first).append(c)
        met.add((c.row, c.axis))
    return sorted((first + rest)[:max(count, len(first))], key=lambda c: (ROWS.index(c.row), c.name))


# --- inputs -------------------------------------------------------------------------------------------------------------

def _captured(c, rng):
    """The captured tensors and run-time scalars of the row: (inputs, params)."""
    h = c.heads
    if c.row == "sliding_window":
        return {}, {"w": c.knob}
    if c.row == "softcap":
        return {}, {"cap": c.knob}
    if c.row == "prefix_lm":
        p = {"random": rng.integers(0, c.j + 1, c.batch), "zero": np.zeros(c.batch), "all": np.full(c.batch, c.j)}[c.knob]
        return {"p": p.astype(np.int32)}, {}
    if c.row == "varlen":
        def lengths(n):
            least = {"random": 0, "zero": 0, "all": n, "one": min(n, 1)}[c.knob]
            most = {"random": n, "zero": 0, "all": n, "one": min(n, 1)}[c.knob]
            return rng.integers(least, most + 1, c.batch).astype(np.int32)
        return {"ql": lengths(c.i), "kl": lengths(c.j)}, {}
    if c.row == "document":
        if c.knob == "back":  # a document may come back: segments need not be sorted
            seg = rng.integers(0, 3, (c.batch, c.j)) - 1
        else:
            odds = {"random": 0.1, "one": 0.0, "each": 1.0}[c.knob]
            seg = np.cumsum(rng.random((c.batch, c.j)) < odds, axis=1)
        return {"seg": seg.astype(np.int32)}, {}
    if c.row == "alibi":
        slopes = {"paper": 2.0 ** (-8.0 * np.arange(1, h + 1) / h), "zero": np.zeros(h), "steep": np.full(h, 20.0), "rising": np.full(h, -0.125)}
        return {"slopes": slopes[c.knob]}, {}
    if c.row == "t5_bias":
        return {"buckets": importlib.import_module("t5_bias").buckets(128), "table": rng.standard_normal((32, h))}, {}
    return {}, {"group": c.group} if c.row == "gqa" else {}


def _logits(c, q, k, scale, rng):
    """Shapes the scores through one feature: q's is a constant, k's what the score should be."""
    j = np.arange(c.j)
    if c.logits == "ties":
        k[..., :, :] = k[..., :1, :] if rng.integers(2) else np.take(k, j % 3, axis=-2)
        return
    if c.logits == "normal":
        return
    want = {"rising": 40.0 * j / max(c.j, 1), "falling": 40.0 - 40.0 * j / max(c.j, 1), "huge": rng.choice([-1e4, 1e4], k.shape[:-1]),
            "dominating": np.where(j % 16 == rng.integers(16), 30.0, 0.0)}[c.logits]
    q[..., 0] = 100.0 if c.logits == "huge" else 4.0
    k[..., 0] = want / scale / (100.0 if c.logits == "huge" else 4.0)


def _poison(c, x, visible, rng):
    """Puts NaN and Inf where they must not count, and (all but `hidden`) where they count for some rows only."""
    q, k, v = x["q"], x["k"], x["v"]
    if 0 in q.shape or 0 in k.shape:
        return
    seen = np.broadcast_to(visible, (c.batch, c.heads, c.i, c.j))
    heads = k.shape[1] if k.ndim == 4 else 1
    by_key = seen.reshape(c.batch, heads, -1, c.j)
    kk, vv = (t if t.ndim == 4 else t[:, None] for t in (k, v))
    if c.poison == "hidden":
        bad = np.array([np.nan, np.inf, -np.inf])
        for at in zip(*np.nonzero(~by_key.any(2))):
            kk[at], vv[at] = bad[at[2] % 3], bad[(at[2] + 1) % 3]
        q[~seen.any(-1)] = np.nan
    elif c.poison == "minus-inf":
        q[..., 0] = 1 + np.abs(q[..., 0])
        kk[..., 0] = np.where(rng.random(kk.shape[:-1]) < 0.2, -np.inf, kk[..., 0])
        kk[:, :, 0, 0] = -np.inf
    else:
        part = by_key.any(2) & ~by_key.all(2)  # seen by some queries, hidden from others: inside a partial block
        for b, h in np.ndindex(c.batch, heads):
            keys = np.nonzero(part[b, h])[0]
            keys = keys[len(keys) // 2:] if len(keys) else np.arange(c.j)[:1 if (b, h) == (0, 0) else 0]
            for j in rng.permutation(keys)[:2]:
                if c.poison == "some-keys":
                    kk[b, h, j] = np.nan if rng.integers(2) else np.inf
                else:
                    vv[b, h, j, rng.integers(c.e):] = np.nan


def make(c):
    """(inputs, params, scale, visible): logical arrays q [b, h, i, c], k and v, rounded to the element type."""
    rng = np.random.default_rng(c.seed)
    h = c.heads
    key = {"gqa": (c.batch, h // c.group, c.j), "mqa": (c.batch, c.j)}.get(c.row, (c.batch, h, c.j))
    x = {"q": rng.standard_normal((c.batch, h, c.i, c.d)), "k": rng.standard_normal((*key, c.d)), "v": rng.standard_normal((*key, c.e))}
    more, params = _captured(c, rng)
    module = importlib.import_module(c.row)
    scale = 1.0 if c.row == "t5_bias" else c.d ** -0.5
    _logits(c, x["q"], x["k"], scale, rng)
    visible = module.visible(x | more, params)
    _poison(c, x, visible, rng)
    x = {n: common.round_to(t, c.element) for n, t in x.items()}
    x |= {n: t if t.dtype == np.int32 else t.astype(np.float64 if c.element == "f64" else np.float32) for n, t in more.items()}
    return x, params, scale, visible
