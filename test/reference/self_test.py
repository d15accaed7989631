#!/usr/bin/env python3
"""The references against brute-force Python loops at tiny sizes, and the error rule against right and wrong evaluations.

    python3 test/reference/self_test.py [--seed S]

Prints what failed and last `N passed, N failed`. Needs numpy.
"""

import argparse
import importlib
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import common  # noqa: E402
import operands_test  # noqa: E402
import pairs_test  # noqa: E402
import weights_test  # noqa: E402

B, H, I, J, D, E = 2, 4, 5, 7, 3, 2

# (visible(b, h, i, j, x), score(s, b, h, i, j, x)) of each row, one number at a time; x holds inputs and parameters.
ROWS = {
    "full": (lambda b, h, i, j, x: True, None),
    "cross": (lambda b, h, i, j, x: True, None),
    "causal": (lambda b, h, i, j, x: j <= i + x["J"] - x["I"], None),
    "causal_top_left": (lambda b, h, i, j, x: j <= i, None),
    "sliding_window": (lambda b, h, i, j, x: 0 <= i + x["J"] - x["I"] - j <= x["w"], None),
    "prefix_lm": (lambda b, h, i, j, x: j < x["p"][b] or j <= i + x["J"] - x["I"], None),
    "document": (lambda b, h, i, j, x: x["seg"][b][i] == x["seg"][b][j] and j <= i, None),
    "varlen": (lambda b, h, i, j, x: i < x["ql"][b] and j < x["kl"][b] and j <= i + int(x["kl"][b]) - int(x["ql"][b]), None),
    "gqa": (lambda b, h, i, j, x: j <= i + x["J"] - x["I"], None),
    "mqa": (lambda b, h, i, j, x: j <= i + x["J"] - x["I"], None),
    "softcap": (lambda b, h, i, j, x: j <= i + x["J"] - x["I"], lambda s, b, h, i, j, x: x["cap"] * math.tanh(s / x["cap"])),
    "alibi": (lambda b, h, i, j, x: j <= i + x["J"] - x["I"], lambda s, b, h, i, j, x: s + float(x["slopes"][h]) * (j - i)),
    "t5_bias": (lambda b, h, i, j, x: j <= i + x["J"] - x["I"],
                lambda s, b, h, i, j, x: s * math.sqrt(D) + float(x["table"][x["buckets"][min(max(i - j, 0), 127)]][h])),
}


def add(terms):
    """The exact sum rounded once, or with NaN or Inf among the terms what they make of it."""
    terms = list(terms)
    return math.fsum(terms) if all(map(math.isfinite, terms)) else sum(terms)


def brute(row, x):
    """The formula in loops over Python floats; math.fsum, and no array operation."""
    sees, modify = ROWS[row]
    n = x["q"].shape[2]
    group = x.get("group", 1)
    o, lse = np.zeros((B, H, n, E)), np.full((B, H, n), -np.inf)
    for b, h, i in np.ndindex(B, H, n):
        def key(name, j, c):
            a = x[name]
            return float(a[b, j, c] if a.ndim == 3 else a[b, h // group, j, c])
        pairs = []
        for j in range(x["J"]):
            if not sees(b, h, i, j, x):
                continue
            s = add(float(x["q"][b, h, i, c]) * key("k", j, c) for c in range(D)) / math.sqrt(D)
            s = modify(s, b, h, i, j, x) if modify else s
            if s != -math.inf:
                pairs.append((j, s))
        if not pairs:
            continue
        if any(math.isnan(s) or s == math.inf for _, s in pairs):
            o[b, h, i], lse[b, h, i] = math.nan, math.nan
            continue
        top = max(s for _, s in pairs)
        total = math.fsum(math.exp(s - top) for _, s in pairs)
        lse[b, h, i] = top + math.log(total)
        for e in range(E):
            o[b, h, i, e] = add(math.exp(s - top) / total * key("v", j, e) for j, s in pairs)
    return {"o": o, "lse": lse}


def tiny(row, rng):
    """Inputs of one row; document has as many queries as keys."""
    n = J if row == "document" else int(rng.choice([I, J, J + 2]))
    heads = {"gqa": 1, "mqa": 0}.get(row, H)
    x = {"q": rng.standard_normal((B, H, n, D)), "I": n, "J": J,
         "k": rng.standard_normal((B, heads, J, D)), "v": rng.standard_normal((B, heads, J, E))}
    if row == "mqa":
        x["k"], x["v"] = rng.standard_normal((B, J, D)), rng.standard_normal((B, J, E))
    x = {key: val.astype(np.float32) if isinstance(val, np.ndarray) else val for key, val in x.items()}
    x |= {"sliding_window": {"w": int(rng.integers(-1, 5))}, "prefix_lm": {"p": rng.integers(0, J + 1, B)}, "gqa": {"group": 4},
          "document": {"seg": np.cumsum(rng.integers(0, 2, (B, J)), 1).astype(np.int32)}, "softcap": {"cap": 1.5},
          "varlen": {"ql": rng.integers(0, n + 1, B), "kl": rng.integers(0, J + 1, B)},
          "alibi": {"slopes": 2.0 ** -np.arange(1, H + 1, dtype=np.float32)}}.get(row, {})
    if row == "t5_bias":
        x |= {"buckets": importlib.import_module(row).buckets(128), "table": rng.standard_normal((32, H)).astype(np.float32)}
    return x


def same(a, b, tolerance):
    return np.array_equal(np.isnan(a), np.isnan(b)) and np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


def rows(report, seed):
    for row in ROWS:
        module = importlib.import_module(row)
        for kind in ("plain", "nan-key", "nan-value", "inf-value", "inf-key", "minus-inf-score", "f80"):
            rng = np.random.default_rng([seed, *kind.encode(), *row.encode()])
            x = tiny(row, rng)
            j = int(rng.integers(J))
            if kind == "nan-key":
                x["k"][..., j, :] = np.nan
            elif kind == "nan-value":
                x["v"][..., j, 0] = np.nan
            elif kind == "inf-value":
                x["v"][..., j, -1] = -np.inf
            elif kind == "inf-key":
                x["k"][..., j, :] = np.inf
            elif kind == "minus-inf-score":
                x["q"][..., 0] = 1 + np.abs(x["q"][..., 0])
                x["k"][..., j, 0] = -np.inf
            if kind == "minus-inf-score" and row == "softcap":
                continue
            want = brute(row, x)
            got = module.reference(x, x, "f80" if kind == "f80" else "f64")
            seen = np.broadcast_to(module.visible(x, x), (B, H, x["I"], J))
            report(f"{row} {kind} o", same(got["o"], want["o"], 1e-12))
            report(f"{row} {kind} lse", same(got["lse"], want["lse"], 1e-12))
            sees = np.array([[[[ROWS[row][0](b, h, i, j, x) for j in range(J)] for i in range(x["I"])] for h in range(H)] for b in range(B)])
            report(f"{row} {kind} visible", np.array_equal(seen, sees))
            if kind == "plain":
                plain = module.reference(x, x, "plain-f32")
                report(f"{row} plain is float32", plain["o"].dtype == np.float32 and plain["lse"].dtype == np.float32)
                report(f"{row} plain", same(plain["o"], want["o"], 1e-4) and same(plain["lse"], want["lse"], 1e-4))
    x = tiny("full", np.random.default_rng(seed))
    x["k"], x["v"], x["J"] = x["k"][:, :, :0], x["v"][:, :, :0], 0
    got = importlib.import_module("full").reference(x, x, "f64")
    report("no key at all", (got["o"] == 0).all() and (got["lse"] == -np.inf).all())


def blockwise(q, k, v, scale, block, element, rng):
    """What a right kernel does: blocks of keys in any order, running maximum, float32 throughout; its own rounding at the end."""
    top = np.full(q.shape[:-1], -np.inf, np.float32)
    total, num = np.zeros_like(top), np.zeros((*top.shape, v.shape[-1]), np.float32)
    for lo in rng.permutation(np.arange(0, k.shape[-2], block)):
        part = slice(lo, lo + block)
        s = np.einsum("...ic,...jc->...ij", q, k[..., part, :], dtype=np.float32) * np.float32(scale * 1.4426950408889634)
        new = np.maximum(top, s.max(-1))
        p, keep = np.exp2(s - new[..., None]), np.exp2(top - new)
        total, num, top = total * keep + p.sum(-1), num * keep[..., None] + p @ v[..., part, :], new
    return common.round_to(num / total[..., None], element), top * np.float32(0.6931471805599453) + np.log(total)


def rule(report, seed):
    full = importlib.import_module("full")
    for element in ("f32", "bf16", "f16"):
        for kind in ("normal", "large", "small-row"):
            rng = np.random.default_rng([seed, *kind.encode()])
            q, k, v = (common.round_to(rng.standard_normal((2, 2, 50, 32)), element) for _ in range(3))
            q = common.round_to(q * 40, element) if kind == "large" else q
            scale = 1 / math.sqrt(32)
            if kind == "small-row":
                v[1] *= np.float32(2 ** -8)
            x = {"q": q, "k": k, "v": v}
            exact, plain = full.reference(x, {}, "f64"), full.reference(x, {}, common.PLAIN[element])
            mag = common.magnitudes(v, q, k, scale, np.bool_(True))
            o, lse = blockwise(q, k, v, scale, 16, element, rng)
            name = f"rule {element} {kind}"
            says = common.check(o, exact["o"], plain["o"], element, mag["o"])
            report(f"{name}: a blockwise kernel passes: {says}", says is None)
            says = common.check(lse, exact["lse"], plain["lse"], "f32", mag["lse"])
            report(f"{name}: its lse passes: {says}", says is None)
            report(f"{name}: plain passes", common.check(plain["o"], exact["o"], plain["o"], element, mag["o"]) is None)
            wrong = {"a lost key": blockwise(q, k[..., 1:, :], v[..., 1:, :], scale, 16, element, rng)[0],
                     "a wrong scale": blockwise(q, k, v, scale * (1.01 if element == "f32" else 1.2), 16, element, rng)[0],
                     "one wrong element": np.where(np.arange(o.size).reshape(o.shape) == 77, o * 1.5 + 0.1, o)}
            if element == "f32":
                wrong["16-bit values"] = blockwise(q, k, common.round_to(v, "bf16"), scale, 16, element, rng)[0]
                wrong["16-bit keys"] = blockwise(q, common.round_to(k, "bf16"), v, scale, 16, element, rng)[0]
            if element == "f32" and kind == "small-row":
                wrong["a small row wrong by a small amount"] = np.where(np.arange(2)[:, None, None, None] == 1, o * np.float32(1 + 2e-4), o)
            wrong["a NaN"] = np.where(np.arange(o.size).reshape(o.shape) == 5, np.nan, o)
            wrong["an Inf"] = np.where(np.arange(o.size).reshape(o.shape) == 5, np.inf, o)
            for what, bad in wrong.items():
                report(f"{name}: {what} fails", common.check(bad, exact["o"], plain["o"], element, mag["o"]) is not None)
    report("rule: shapes differ", common.check(np.zeros((1, 2)), np.zeros((2, 1)), np.zeros((2, 1)), "f32") is not None)
    report("rule: nothing to compare", common.check(*[np.zeros((0, 3))] * 3, "f32") is None)
    exact, plain, got = (np.array([x], np.float32) for x in (1e-6, 1e-6, 1.1e-6))
    report("rule: a small difference off by much fails", common.check(got, exact, plain, "f32") is not None)
    report("rule: unless its terms are large", common.check(got, exact, plain, "f32", None, np.array([4.0])) is None)
    report("rule: and then no more than theirs", common.check(got + np.float32(1e-5), exact, plain, "f32", None, np.array([4.0])) is not None)
    report("ids: equal", common.check_ids(np.array([[1, -1]]), np.array([[1, -1]])) is None)
    report("ids: one differs", "first at [0, 1]: 0, expected -1" in (common.check_ids(np.array([[1, 0]]), np.array([[1, -1]])) or ""))
    report("ids: shapes differ", common.check_ids(np.array([1]), np.array([[1]])) is not None)
    report("rule: an empty row off by little", common.empty_rows(np.full((1, 2), 1e-30), None, np.array([-np.inf])) is not None)


def formats(report):
    bits = np.arange(65536, dtype=np.uint16)
    value = common.bf16_value(bits)
    keep = ~np.isnan(value)
    report("bf16 round trip", np.array_equal(common.bf16_bits(value)[keep], bits[keep]))
    report("bf16 NaN stays NaN", np.isnan(common.bf16_value(common.bf16_bits(value[~keep]))).all())
    ties = {1 + 2.0 ** -8: 1.0, 1 + 3 * 2.0 ** -8: 1 + 2.0 ** -6, 1 + 2.0 ** -8 + 2.0 ** -20: 1 + 2.0 ** -7, 3.4e38: np.inf, -1 - 2.0 ** -9: -1.0}
    for x, want in ties.items():
        report(f"bf16({x})", common.round_to(np.array([x]), "bf16")[0] == want)
    for element, want in (("f32", 2.0 ** -23), ("f64", 2.0 ** -52), ("f16", 2.0 ** -10), ("bf16", 2.0 ** -7)):
        report(f"ulp {element}", common.ulp(1.0, element) == want and common.ulp(1.999, element) == want and common.ulp(0.5, element) == want / 2)
    report("ulp of 0", common.ulp(0.0, "f16") == 2.0 ** -24)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seed", type=int, default=1)
    seed = p.parse_args().seed
    count = [0, 0]

    def report(what, good):
        count[0 if good else 1] += 1
        if not good:
            print("FAILED", what)
    print(f"seed {seed}")
    formats(report)
    rows(report, seed)
    rule(report, seed)
    pairs_test.everything(report, seed)
    weights_test.everything(report, seed)
    operands_test.everything(report, seed)
    print(f"{count[0]} passed, {count[1]} failed")
    return 1 if count[1] else 0


if __name__ == "__main__":
    sys.exit(main())
