"""What every reference shares: number formats, dense masked softmax, and the error rule.

A reference is written from the formula of its paper, never from what the compiler does:

    def reference(inputs, params, dtype) -> {"o": [b, h, i, e], "lse": [b, h, i]}

`inputs` are logical arrays (q [b, h, i, c]; k, v [b, h, j, .] or the shape the row names) and `dtype` says how to evaluate:

    "f64"          the reference of f32, bf16 and f16 programs: every operation in float64
    "f80"          the reference of f64 programs: every operation in numpy's longdouble (64-bit mantissa on x86)
    "plain-f32"    the yardstick: matmul, modifiers, max, exp, sum, matmul in numpy float32, one rounding per operation
    "plain-f64"    the same in float64, yardstick of f64 programs
    "plain-bf16"   float32 as above, with the probabilities rounded to 16 bits before they meet v, and o rounded at the end
    "plain-f16"
    "plain-tf32"   float32 as above, of products in tf32 on request: queries, keys, values and probabilities rounded to 11 bits where they meet

The rules of masked, NaN and empty are in `attend`; the error rule is `check`.
"""

import numpy as np

PLAIN = {"f32": "plain-f32", "f64": "plain-f64", "bf16": "plain-bf16", "f16": "plain-f16"}
EXACT = {"f32": "f64", "f64": "f80", "bf16": "f64", "f16": "f64"}
ROUNDED = ("bf16", "f16")
MEETING = (*ROUNDED, "tf32")  # in which weights meet values


# --- number formats -----------------------------------------------------------------------------------------------------

def bf16_bits(x):
    """float32 -> the uint16 bits of bf16, round to nearest even; a NaN stays a (quiet) NaN."""
    u = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    r = ((u.astype(np.uint64) + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(x), ((u >> 16) | 0x40).astype(np.uint16), r)


def bf16_value(bits):
    """The uint16 bits of bf16 -> float32, exactly."""
    return (np.ascontiguousarray(bits, dtype=np.uint16).astype(np.uint32) << 16).view(np.float32)


def tf32_value(x):
    """x as float32 with 11 significant bits, ties away from zero; at most the largest such number."""
    u = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    up = (u.astype(np.uint64) + 0x1000).astype(np.uint32) & np.uint32(0xFFFFE000)
    r = np.where(up & np.uint32(0x7F800000) == 0x7F800000, u & np.uint32(0xFFFFE000), up).view(np.float32)
    return np.where(np.isfinite(x), r, np.asarray(x, np.float32))


def operand(x, dtype):
    """x as it meets another operand in a product."""
    return tf32_value(x) if dtype == "plain-tf32" else x


def round_to(x, element):
    """x rounded once to `element`, in the smallest numpy type that holds every value of it."""
    with np.errstate(all="ignore"):
        if element == "bf16":
            return bf16_value(bf16_bits(np.asarray(x).astype(np.float32)))
        if element == "tf32":
            return tf32_value(x)
        if element == "f16":
            return np.asarray(x).astype(np.float16).astype(np.float32)
        return np.asarray(x).astype(np.float64 if element == "f64" else np.float32)


def ulp(x, element):
    """The distance between neighbours of `element` at |x| (of the smallest normal number below it)."""
    bits, least = {"f64": (52, -1022), "f32": (23, -126), "bf16": (7, -126), "f16": (10, -14)}[element]
    a = np.abs(np.asarray(x, dtype=np.float64))
    _, e = np.frexp(np.where(np.isfinite(a), a, 0.0))
    return np.ldexp(1.0, np.maximum(np.where(a > 0, e - 1, least), least) - bits)


def real(dtype):
    """The numpy type in which `dtype` is evaluated."""
    return {"f80": np.longdouble, "f64": np.float64, "plain-f64": np.float64}.get(dtype, np.float32)


# --- dense masked attention ---------------------------------------------------------------------------------------------

def scores(q, k, scale, dtype):
    """scale * q k^T; q [..., i, c], k [..., j, c]."""
    t = real(dtype)
    with np.errstate(all="ignore"):
        return np.matmul(operand(q.astype(t), dtype), np.swapaxes(operand(k.astype(t), dtype), -1, -2)) * t(scale)


def default_scale(q, dtype):
    """1 / sqrt(d), computed in the precision of the evaluation."""
    return real(dtype)(1) / np.sqrt(real(dtype)(q.shape[-1]))


def attend(s, visible, v, dtype, factor=None):
    """softmax over the visible keys of s [b, h, i, j], times v [b, h, j, e] (broadcast over b and h where v has one of them).

    A masked pair is absent: neither its score nor its value takes part, be they NaN or Inf. A visible score of -inf has
    weight 0. A visible score that is NaN or +inf makes its row NaN, and no other. A row without a visible key, or with
    only scores of -inf, is empty: o = 0, lse = -inf. `factor` [b, h, i, j] multiplies the weights of the values alone (dropout).
    """
    t = real(dtype)
    b, h, n, m = s.shape
    e = v.shape[-1]
    visible = np.broadcast_to(visible, s.shape)
    v = np.broadcast_to(operand(v.astype(t), dtype), (b, h, m, e))
    if m == 0:
        return {"o": np.zeros((b, h, n, e), t), "lse": np.full((b, h, n), -np.inf, t)}
    with np.errstate(all="ignore"):
        s = np.where(visible, s, t(-np.inf))
        top = np.max(s, axis=-1, keepdims=True)
        dead = top[..., 0] == -np.inf
        p = np.where(s == -np.inf, t(0), np.exp(s - np.where(dead[..., None], t(0), top)))
        total = np.sum(p, axis=-1, dtype=t)
        weights = p if factor is None else p * factor.astype(t)
        weights = round_to(weights, dtype[6:]).astype(t) if dtype[6:] in MEETING else weights
        number = np.isfinite(v)
        num = np.matmul(weights, np.where(number, v, t(0)))
        for at in zip(*np.nonzero(~np.all(number, axis=-1))):
            col = weights[at[0], at[1], :, at[2]][:, None] * np.where(number[at], t(0), v[at])[None, :]
            seen = visible[at[0], at[1], :, at[2]] & (s[at[0], at[1], :, at[2]] != -np.inf)
            num[at[0], at[1]] += np.where(seen[:, None] & ~number[at][None, :], col, t(0))
        o = np.where(dead[..., None], t(0), num / total[..., None])
        lse = np.where(dead, t(-np.inf), top[..., 0] + np.log(total))
        bad = np.isnan(top[..., 0]) | (top[..., 0] == np.inf)
        o, lse = np.where(bad[..., None], t(np.nan), o), np.where(bad, t(np.nan), lse)
    return {"o": round_to(o, dtype[6:]) if dtype[6:] in ROUNDED else o, "lse": lse}


def attention(inputs, visible, dtype):
    """softmax(q k^T / sqrt(d)) v over the visible pairs."""
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    return attend(scores(q, k, default_scale(q, dtype), dtype), visible, v, dtype)


def positions(q, k):
    """Query and key indices as a column and a row: i [I, 1], j [1, J]."""
    return np.arange(q.shape[-2])[:, None], np.arange(k.shape[-2])[None, :]


# --- the error rule -----------------------------------------------------------------------------------------------------

def magnitudes(v, q, k, scale, visible):
    """How large an error each row may have by its own numbers, up to a factor common to the tensor.

    A row's output is a weighted mean of the values it sees, so its error is proportional to the largest of them and to the
    largest |q||k| * scale behind its scores (that is where rounding a score hurts); its lse's error to the latter alone.
    Returned for o and lse as [b, h, i]; where nothing is seen, or it is not finite, 0 and then only the exact comparisons count.
    """
    def tame(x):
        return np.where(np.isfinite(x), np.abs(x.astype(np.float64)), 0.0)
    b, h, n = q.shape[:3]
    m = k.shape[-2]
    if m == 0 or n == 0 or b == 0 or h == 0:
        return {"o": np.zeros((b, h, n)), "lse": np.zeros((b, h, n))}
    norm_q, norm_k = np.sqrt(np.sum(tame(q) ** 2, -1)), np.sqrt(np.sum(tame(k) ** 2, -1))
    seen = np.broadcast_to(visible, (b, h, n, m))
    cond = 1 + abs(float(scale)) * norm_q * np.max(np.where(seen, norm_k[..., None, :], 0), -1)
    size = np.max(np.where(seen, np.max(tame(v), -1, initial=0)[..., None, :], 0), -1)
    return {"o": cond * size, "lse": cond * np.any(seen, -1)}


def check(got, exact, plain, element, magnitude=None, terms=None):
    """THE error rule (measuring.md): None, or a sentence that says what is wrong.

    NaN, Inf and exact zeros of empty rows (lse = -inf) are compared exactly, the rest as

      f32, f64   max|got - exact| <= 2 max|plain - exact| + 2 eps max|got|      over the tensor, and over each row
      bf16, f16  max|got - exact| <= 1.5 max|plain - exact| + ulp(max|got|)     over the tensor
                 mean|got - exact| <= 1.05 mean|plain - exact| + mean ulp(got)

    A row is what shares every index but the last (an lse is a row by itself). One row's plain error may be tiny by luck (one
    number of an lse can be exact), so per row it counts as at least the tensor's: magnitude[row] times the largest
    plain_error / magnitude of any row (see `magnitudes`). A row of small numbers is so held to its own scale, not to luck.
    `magnitude` None: one scale for all rows. `terms`: what is a difference of larger numbers is held to their size, so eps is times max(|got|, terms).
    """
    wide = np.longdouble if element == "f64" else np.float64
    got, exact, plain = (np.asarray(x).astype(wide) for x in (got, exact, plain))
    if got.shape != exact.shape:
        return f"shape {got.shape}, expected {exact.shape}"
    if got.size == 0:
        return None

    def at(bad):
        first = tuple(int(x[0]) for x in np.nonzero(bad))
        return f"{int(bad.sum())} of {bad.size}, first at {list(first)}: {got[first]!s}, expected {exact[first]!s}"
    with np.errstate(all="ignore"):
        for what, of in (("NaN", np.isnan), ("+Inf", lambda x: x == np.inf), ("-Inf", lambda x: x == -np.inf)):
            bad = of(got) != of(exact)
            if bad.any():
                return f"{what} differs in {at(bad)}"
        number = np.isfinite(exact)
        ours = np.where(number, np.abs(got - exact), 0)
        theirs = np.where(number & np.isfinite(plain), np.abs(plain - exact), 0)
        size = np.where(number, np.abs(got), 0)
        if terms is not None:
            size = np.maximum(size, np.where(np.isfinite(terms), np.abs(terms.astype(wide)), 0))
    if element in ROUNDED:
        bound = 1.5 * theirs.max() + ulp(size.max(), element)
        if ours.max() > bound:
            return f"max error {ours.max():.3g} > {bound:.3g} = 1.5 x {theirs.max():.3g} + ulp, {at(ours > bound)}"
        bound = 1.05 * theirs.mean() + ulp(size, element).mean()
        return f"mean error {ours.mean():.3g} > {bound:.3g}" if ours.mean() > bound else None
    eps = np.finfo(np.float64 if element == "f64" else np.float32).eps
    bound = 2 * theirs.max() + 2 * eps * size.max()
    if ours.max() > bound:
        return f"max error {ours.max():.3g} > {bound:.3g} = 2 x {theirs.max():.3g} + 2 eps x {size.max():.3g}, {at(ours > bound)}"
    rows = -1 if magnitude is not None and magnitude.ndim == got.ndim - 1 else ()
    row = (lambda x: x.max(axis=-1)) if rows == -1 else (lambda x: x)
    scale = np.ones_like(row(ours)) if magnitude is None else magnitude.astype(wide)
    worst, own = row(ours), row(theirs)
    ratio = np.max(np.where(scale > 0, own / np.where(scale > 0, scale, 1), 0))
    bound = 2 * np.maximum(own, ratio * scale) + 2 * eps * row(size)
    if (worst > bound).any():
        r = np.unravel_index(np.argmax(worst - bound), worst.shape)
        return f"row {[int(x) for x in r]}: error {worst[r]:.3g} > {bound[r]:.3g} (plain's {own[r]:.3g}, {int((worst > bound).sum())} rows)"
    return None


def check_ids(got, exact):
    """Indices are compared exactly: None, or what differs."""
    if got.shape != exact.shape:
        return f"shape {got.shape}, expected {exact.shape}"
    bad = got != exact
    if not bad.any():
        return None
    first = tuple(int(x[0]) for x in np.nonzero(bad))
    return f"{int(bad.sum())} of {bad.size} differ, first at {list(first)}: {got[first]}, expected {exact[first]}"


def empty_rows(got_o, got_lse, exact_lse):
    """Empty rows are exact: o = 0 and lse = -inf."""
    dead = exact_lse == -np.inf
    if got_lse is not None and not (got_lse[dead] == -np.inf).all():
        return "an empty row's lse is not -inf"
    return None if (got_o[dead] == 0).all() else "an empty row's o is not 0"
