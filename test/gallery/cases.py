"""The cases of every gallery row (the edge cases every row has, and what its reference says of it: row.py), and their inputs."""

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test/reference"))
import common  # noqa: E402
from row import Row  # noqa: E402

CAPTURED = ["minilm"]  # a recorded sample, no generated cases
LENGTHS = [0, 1, 5, 6, 7, 15, 16, 17, 33, 65, 255, 256, 257]
UNEQUAL = [(1, 257), (5, 17), (17, 5), (16, 255), (257, 1), (0, 16), (16, 0), (100, 37), (37, 100), (1, 1024), (255, 65)]
HEAD_DIMS = [(x, x) for x in (8, 63, 80, 111, 128, 192, 256)] + [(64, 128), (192, 128), (8, 64), (63, 111), (128, 80), (64, 1)]
ELEMENTS = ["f32", "bf16", "f16", "f64"]
LOGITS = ["normal", "rising", "falling", "ties", "huge", "dominating"]
POISON = ["hidden", "some-keys", "some-values", "minus-inf"]


def rows():
    """The names of the rows: every program of the gallery."""
    return [p.stem for p in sorted((ROOT / "gallery").glob("*.mlir")) if p.stem not in CAPTURED]


def reference(row):
    """The module of a row."""
    return importlib.import_module(row)


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
    knob: str = ""
    blocks: tuple = ()
    threads: int = 2
    seed: int = 0

    @property
    def spec(self):
        return getattr(reference(self.row), "ROW", Row())

    @property
    def settings(self):
        """What the knob stands for."""
        return self.spec.knobs[self.knob]

    @property
    def heads(self):
        """Query heads: a multiple of the group; more when rows are few, so that the error rule has numbers to go by."""
        if self.spec.heads:
            return self.spec.heads
        pairs = 2 if self.i > 16 else 8
        return self.group if self.spec.one_key_head else max(1, pairs // self.group) * self.group

    @property
    def name(self):
        if self.axis == "captured":
            return f"{self.row}-captured-t{self.threads}"
        parts = [self.row, self.axis, self.element, self.layout, f"d{self.d}" + (f"v{self.e}" if self.e != self.d else ""),
                 f"b{self.batch}h{self.heads}" + (f"g{self.group}" if self.group > 1 else ""), f"{self.i}x{self.j}", self.logits]
        parts += [self.poison] if self.poison != "none" else []
        parts += [f"k{self.knob}"] if self.knob else []
        parts += ["blocks" + "x".join(map(str, self.blocks))] if self.blocks else []
        return "-".join(parts + [f"t{self.threads}"])


# --- which cases --------------------------------------------------------------------------------------------------------

def _thorough(row, spec, add):
    """Every axis with every element type, for the rows that the others are made of."""
    square = spec.square
    for n in LENGTHS:
        add("length", i=n, j=n)
        add("length", i=n, j=n, element=["bf16", "f16", "f64"][n % 3])
    for i, j in [] if square else UNEQUAL:
        add("unequal", i=i, j=j)
        add("unequal", i=i, j=j, layout="bshd")
    for d, e in HEAD_DIMS:
        add("dims", d=d, e=e)
        add("dims", d=d, e=e, element=["bf16", "f16", "f64"][d % 3], i=17, j=17 if square else 70)
    for element in ELEMENTS:
        for layout in spec.layouts:
            add("layout", element=element, layout=layout, i=33, j=33)
            add("layout", element=element, layout=layout, i=257, j=257, d=80, e=80)
        for logits in LOGITS:
            add("logits", element=element, logits=logits, blocks=(6, 16))
            add("logits", element=element, logits=logits, i=100, j=100 if square else 257)
    for poison in POISON[0 if spec.hides else 1:]:
        for element in ELEMENTS:
            add("poison", element=element, poison=poison, blocks=(6, 16))
            add("poison", element=element, poison=poison, i=70, j=70)
            if not square:
                add("poison", element=element, poison=poison, i=70, j=37, d=63, e=63)
    for batch in (0, 1, 2, 5):
        add("batch", batch=batch)
    for group in spec.groups if len(spec.groups) > 1 else ():
        for i, j in ((1, 257), (17, 17), (65, 70)):
            for element in ("f32", "bf16"):
                add("group", group=group, i=i, j=j, element=element)
    for knob in spec.knobs if len(spec.knobs) > 1 else ():
        for i, j in ((33, 33), (70, 70)) if square else ((33, 33), (17, 257), (70, 37)):
            add("parameter", knob=knob, i=i, j=j)
        add("parameter", knob=knob, element="bf16")


def _brief(row, spec, add):
    """About 60 cases: every axis, with whatever element type is drawn."""
    for n in [0, 1, 5, 6, 7, 16, 17, 33, 65, 257]:
        add("length", i=n, j=n, element="any")
    for i, j in [] if spec.square else [(1, 257), (5, 17), (17, 5), (0, 16), (16, 0), (100, 37)]:
        add("unequal", i=i, j=j, element="any")
    for d, e in [(8, 8), (63, 63), (80, 80), (111, 111), (128, 128), (256, 256), (192, 128), (8, 64), (64, 1)]:
        add("dims", d=d, e=e, element="any")
    for element in ELEMENTS:
        for layout in spec.layouts:
            add("layout", element=element, layout=layout, i=33, j=33)
    for logits in LOGITS[1:]:
        add("logits", element="any", logits=logits, blocks=(6, 16))
    for poison in POISON[0 if spec.hides else 1:]:
        add("poison", element="f32", poison=poison, blocks=(6, 16))
        add("poison", element="any", poison=poison, i=65, j=65, d=63, e=63)
    for batch in (0, 5):
        add("batch", batch=batch, element="any")
    for group in spec.groups[1:]:
        for i, j in ((33, 33), (1, 100), (65, 37)):
            add("group", group=group, i=i, j=j, element="any")
    for knob in list(spec.knobs)[1:]:
        for i, j in ((37, 37), (100, 100)) if spec.square else ((65, 65), (33, 100)):
            add("parameter", knob=knob, i=i, j=j, element="any")
        add("parameter", knob=knob, poison="hidden" if spec.hides and not spec.operands else "none", blocks=(5, 7))
    for more in spec.more:
        add("more", **more)


def all_cases(seed):
    """Every case of every row, in a fixed order; what a sweep does not vary (threads, forced blocks) is drawn from the seed."""
    cases = []
    for number, row in enumerate(rows()):
        spec = reference(row).ROW
        i, j = spec.base
        base = Case(row, "length", d=spec.d, e=spec.d, group=spec.groups[0], i=i, j=i if spec.square else j, knob=next(iter(spec.knobs)))
        first = len(cases)

        def add(axis, **change):
            if spec.axes and axis not in (*spec.axes, "more"):
                return
            if spec.d != 64 and change.get("d") in (64, 256):
                return
            c = replace(base, axis=axis, **change)
            c = replace(c, e=c.d) if spec.same_width or not spec.values else c
            rng = np.random.default_rng([seed, number, len(cases) - first])
            if c.element == "any":
                c = replace(c, element=rng.choice(ELEMENTS, p=[0.4, 0.25, 0.25, 0.1]).item())
            if c.element not in spec.elements:
                c = replace(c, element="f32")
            if spec.fit:
                i, j = spec.fit(c.i, c.j, **c.settings)
                c = replace(c, i=i, j=j)
            blocks = c.blocks or [(), (6, 16), (), (5, 7), (12, 32)][rng.integers(5)]
            cases.append(replace(c, blocks=blocks, threads=int(rng.integers(1, 3)), seed=int(rng.integers(2 ** 31))))
        (_thorough if spec.thorough else _brief)(row, spec, add)
    return cases


def chosen(cases, seed, count):
    """A seeded part of `cases`: `count` of each row, of as many axes as there are, and three times as many of the thorough ones."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(cases))
    picked = []
    for row in rows():
        first, rest = {}, []  # one of each axis before others
        for c in (cases[x] for x in order if cases[x].row == row):
            if first.setdefault(c.axis, c) is not c:
                rest.append(c)
        spec = reference(row).ROW
        number = count * 3 if spec.thorough else max(1, count // 4) if spec.few else count
        picked += sorted([*first.values(), *rest][:number], key=lambda c: c.name)
    return picked


# --- inputs -------------------------------------------------------------------------------------------------------------

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
    q = x["q"]
    if c.poison == "none" or 0 in q.shape or 0 in x["k"].shape:
        return
    kk = c.spec.view(x["k"])
    vv = c.spec.view(x["v"]) if "v" in x else np.zeros_like(kk)
    batch, heads = kk.shape[:2]
    seen = np.broadcast_to(visible, (c.batch, c.heads, c.i, c.j))
    by_key = seen.reshape(batch, c.batch // batch, heads, c.heads // heads, c.i, c.j).transpose(0, 2, 1, 3, 4, 5).reshape(batch, heads, -1, c.j)
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
        for b, h in np.ndindex(batch, heads):
            keys = np.nonzero(part[b, h])[0]
            keys = keys[len(keys) // 2:] if len(keys) else np.arange(c.j)[:1 if (b, h) == (0, 0) else 0]
            for j in rng.permutation(keys)[:2]:
                if c.poison == "some-keys":
                    kk[b, h, j] = np.nan if rng.integers(2) else np.inf
                else:
                    vv[b, h, j, rng.integers(c.e):] = np.nan


@dataclass
class Problem:
    """What a case runs on. q, k and v are logical: q [b, h, i, c], k and v as their row says, rounded to the element type."""
    inputs: dict
    captured: dict
    params: dict
    scale: float
    visible: np.ndarray

    def packed(self, spec):
        """All inputs in the axes of the program's own operands: what its reference works on."""
        return {n: spec.pack(t) if spec.pack else t for n, t in self.inputs.items()} | self.captured


def make(c, rng=None):
    """The problem of a case; `rng`: what its numbers are drawn from."""
    rng = rng or np.random.default_rng(c.seed)
    spec, module = c.spec, reference(c.row)
    if spec.operands:
        x = {n: rng.standard_normal(shape) for n, shape in spec.operands(c).items()}
    else:
        x = {"q": rng.standard_normal((c.batch, c.heads, c.i, c.d))}
        x |= {"k": rng.standard_normal((*spec.keys(c), c.d)), "v": rng.standard_normal((*spec.keys(c), c.e))}
        x |= {n: rng.standard_normal(shape) for n, shape in spec.extra(c).items()}
        if not spec.values:
            del x["v"]
    more, params = spec.captured(c, rng, **c.settings)
    scale = spec.scale if spec.scale is not None else c.d ** -0.5
    if not spec.operands:
        _logits(c, x["q"], x["k"], scale, rng)
    if spec.adjust:
        spec.adjust(c, x, rng)
    real = np.float64 if c.element == "f64" else np.float32
    more = {n: t if t.dtype.kind in "iu" else t.astype(np.float32 if n in spec.keeps else real) for n, t in more.items()}
    p = Problem(x, more, params, scale, np.bool_(True))
    p.visible = module.visible(p.packed(spec), params)
    if not spec.operands:
        _poison(c, x, p.visible, rng)
    p.inputs = {n: common.round_to(t, c.element) for n, t in x.items()}
    return p
