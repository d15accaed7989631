"""The kernels of cuda/*.cu: how each is launched and what must come out. nvcc made the .ptx files (cuda/README.md); the simulator must run each clean and right."""

from pathlib import Path

import numpy as np

CUDA = Path(__file__).resolve().parent / "cuda"


class Case:
    """One launch. `inputs` and `outputs` are in the order of the kernel's parameters, as (name, value): an array is a buffer that is only read, a string a scalar or
    `out:type:shape`, a pair ("inout", array) a buffer that is written. `expected(results)` says what is wrong, or nothing."""

    def __init__(self, file, kernel, grid, block, arguments, expected, shared=0):
        self.file, self.kernel, self.grid, self.block = CUDA / f"{file}.ptx", kernel, grid, block
        self.arguments, self.expected, self.shared = arguments, expected, shared
        self.name = f"{file}.{kernel}"


def bits_of_bf16(x):
    u = np.asarray(x, np.float32).view(np.uint32)
    return ((u + 0x7FFF + (u >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(u):
    return (np.asarray(u).astype(np.uint32) << 16).view(np.float32)


def differ(what, got, want, tolerance=0.0):
    got, want = np.asarray(got), np.asarray(want)
    with np.errstate(invalid="ignore"):
        wrong = ~((got == want) | (np.isnan(got) & np.isnan(want)) | (np.abs(got - want) <= tolerance)) if got.dtype.kind == "f" else got != want
    if wrong.any():
        at = tuple(int(n[0]) for n in np.nonzero(wrong))
        return [f"{what}{list(at)} is {got[at]}, expected {want[at]} ({int(wrong.sum())} of {wrong.size} differ)"]
    return []


def reduce_cases(rng):
    x = rng.standard_normal((5, 300)).astype(np.float32)
    yield Case("reduce", "row_sums", 5, 128, [x, "out:f32:5=s", "out:f32:5=m", "i32:300"],
               lambda r: differ("s", r["s"], x.sum(1, dtype=np.float64).astype(np.float32), 1e-4) + differ("m", r["m"], x.max(1)))
    y = rng.integers(-1000, 1000, 5000).astype(np.int32)
    yield Case("reduce", "total", 7, 128, [y, "out:i32:7", "out:i32:1=r", ("inout", "t", np.zeros(1, np.int32)), "i32:5000"],
               lambda r: differ("r", r["r"], y.sum(keepdims=True)) + differ("t", r["t"], [7]))
    z = rng.standard_normal(512).astype(np.float32)
    above = z > 0.25
    masks = (above.reshape(16, 32) * (1 << np.arange(32, dtype=np.int64))).sum(1).astype(np.uint32).view(np.int32)
    yield Case("reduce", "votes", 4, 128, [z, "out:i32:16=k", "out:i32:4=c", "f32:0.25"],
               lambda r: differ("k", r["k"], masks) + differ("c", r["c"], above.reshape(4, 128).sum(1)))


def gemm_cases(rng):
    # M, N and K have tails; small integers make every sum exact.
    m, n, k = 96, 80, 104
    a, b = rng.integers(-4, 5, (m, k)).astype(np.float32), rng.integers(-4, 5, (n, k)).astype(np.float32)
    yield Case("gemm", "gemm", "2,2", 128, [bits_of_bf16(a), bits_of_bf16(b), f"out:f32:{m}x{n}=c", f"i32:{m}", f"i32:{n}", f"i32:{k}"],
               lambda r: differ("c", r["c"], a @ b.T))


def attention_cases(rng):
    heads, n, scale = 2, 150, 0.125 * np.log2(np.e)  # three blocks of 64, the last with a tail
    q, k, v = (from_bf16(bits_of_bf16(rng.standard_normal((heads, n, 64)))).astype(np.float64) for _ in range(3))
    s = np.where(np.tril(np.ones((n, n), bool)), q @ k.transpose(0, 2, 1) * 0.125, -np.inf)
    p = np.exp(s - s.max(-1, keepdims=True))
    want = p / p.sum(-1, keepdims=True) @ v
    bits = [bits_of_bf16(x) for x in (q, k, v)]
    yield Case("attention", "attention", f"{-(-n // 64)},{heads}", 128, [*bits, f"out:f32:{heads}x{n}x64=o", f"i32:{n}", f"f32:{scale}"],
               lambda r: differ("o", r["o"].astype(np.float64), want, 0.015))  # P is rounded to bf16


def scan_cases(rng):
    x = rng.integers(-50, 50, (3, 256)).astype(np.int32)
    yield Case("scan", "scan", 3, 256, [x, "out:i32:3x256=y"], lambda r: differ("y", r["y"], np.cumsum(x, 1)))
    kept = np.zeros_like(x)
    for row, out in zip(x, kept):
        out[: (row > 0).sum()] = row[row > 0]
    yield Case("scan", "compact", 3, 256, [x, "out:i32:3x256=y", "out:i32:3=c"],
               lambda r: differ("y", r["y"], kept) + differ("c", r["c"], (x > 0).sum(1)))
    t = rng.standard_normal((64, 64)).astype(np.float32)
    yield Case("scan", "transpose", "2,2", "32,8", [t, "out:f32:64x64=y", "i32:64"], lambda r: differ("y", r["y"], t.T))


def histogram_cases(rng):
    x = rng.integers(0, 128, 3000).astype(np.int8)
    start = rng.integers(0, 9, 64).astype(np.int32)
    yield Case("histogram", "histogram", 3, 128, [x, ("inout", "b", start), "i32:3000"],
               lambda r: differ("b", r["b"], start + np.bincount(x % 64, minlength=64)))
    z = np.abs(rng.standard_normal(128)).astype(np.float32)
    yield Case("histogram", "extremes", 2, 64,
               [z, ("inout", "max", np.zeros(1, np.float32)), ("inout", "min", np.full(1, 2**30, np.int32)), ("inout", "flags", np.zeros(1, np.int32)),
                ("inout", "sum", np.zeros(1, np.float32))],
               lambda r: differ("max", r["max"], [z.max()]) + differ("min", r["min"], [int((z * np.float32(100)).astype(np.int32).min())])
               + differ("flags", r["flags"], [-1]) + differ("sum", r["sum"], [128.0]))
    want = 1
    for _ in range(6):
        want = want * 3 + 1
    yield Case("histogram", "locked", 2, 96, [("inout", "lock", np.zeros(1, np.int32)), ("inout", "v", np.ones(1, np.int32))],
               lambda r: differ("v", r["v"], [want]) + differ("lock", r["lock"], [0]))


def float_inputs(rng, n):
    x = rng.standard_normal(n) * np.exp2(rng.integers(-12, 12, n))
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 65504.0, 65520.0, 6e-8, 1e-40, 0.5, 2.0**-14, 3.0]
    x[: len(special)] = special
    return x.astype(np.float32)


def halves_expected(x, y):
    with np.errstate(all="ignore"):
        hx, hy = x.astype(np.float16), y.astype(np.float16)
        fma = lambda a, b, c: (a.astype(np.float64) * b.astype(np.float64) + c.astype(np.float64)).astype(np.float16)  # the sum is exact enough: 11-bit factors
        low, high = fma(hx, hy, hx), fma(hy, hx, hx)
        sub, neg = (hx.astype(np.float64) - hy).astype(np.float16), -hy
        biggest = np.where(np.isnan(sub), neg, np.where(np.isnan(neg), sub, np.maximum(sub, neg)))
        h = np.stack([(hx.astype(np.float64) + hy).astype(np.float16), (hx.astype(np.float64) * hy).astype(np.float16), low, biggest], 1)
        back = hx.astype(np.float32) + high.astype(np.float32)
    return h, back


def numbers_cases(rng):
    n = 128
    x, y = float_inputs(rng, n), rng.permutation(float_inputs(rng, n))

    def halves(r):
        h, back = halves_expected(x, y)
        wrong = differ("h", r["h"].reshape(n, 4).astype(np.float64), h.astype(np.float64))
        got = from_bf16(r["b"]).reshape(n, 4)
        with np.errstate(all="ignore"):
            bx, by = (np.where(np.isnan(v), np.float32(np.nan), from_bf16(bits_of_bf16(np.where(np.isnan(v), 0, v)))) for v in (x, y))
            smallest = np.where(np.isnan(bx), by, np.where(np.isnan(by), bx, np.minimum(bx, by)))
            fma = from_bf16(bits_of_bf16((bx.astype(np.float64) * by + bx).astype(np.float32)))
            fma = np.where(np.isnan(bx.astype(np.float64) * by + bx), np.float32(np.nan), fma)
        for k, want in enumerate((bx, by, fma, smallest)):
            wrong += differ(f"b{k}", got[:, k], want)
        return wrong + differ("back", r["back"].reshape(n, 2)[:, 0], back) + differ("back1", r["back"].reshape(n, 2)[:, 1], by)

    yield Case("numbers", "halves", 2, 64, [x, y, f"out:f16:{4 * n}=h", f"out:bf16:{4 * n}=b", f"out:f32:{2 * n}=back"], halves)

    def floats(r):
        got, wrong = r["o"].reshape(n, 16), []
        a, b = x.astype(np.float64), y.astype(np.float64)
        with np.errstate(all="ignore"):
            def toward(v, direction):  # f32 next to the exact double in a direction; the doubles here are exact or have a sticky bit
                f = v.astype(np.float32)
                g = f.astype(np.float64)
                step = {"zero": np.where(np.abs(g) > np.abs(v), np.nextafter(f, np.float32(0)), f),
                        "up": np.where(g < v, np.nextafter(f, np.float32(np.inf)), f), "down": np.where(g > v, np.nextafter(f, np.float32(-np.inf)), f)}[direction]
                return np.where(np.isnan(v), np.float32(np.nan), step)
            number = lambda p, q, best: np.where(np.isnan(p), q, np.where(np.isnan(q), p, best(p, q)))
            exact = {0: toward(a + b, "zero"), 1: toward(a * b, "up"), 3: x / y, 4: np.sqrt(np.abs(x)), 5: np.float32(1) / y,
                     6: number(x, y, np.minimum), 7: number(x, y, np.maximum), 8: np.where(np.isnan(x), 0, np.clip(x, 0, 1)),
                     10: np.copysign(x, y), 13: (a * b).astype(np.float32), 15: np.where(np.isnan(x), 1, np.where(x < y, 2, 3))}
            # Sums whose double is rounded itself, and infinities, say nothing about the direction.
            vague = ((a + b) - a != b) | ((a + b) - b != a) | ~np.isfinite(a * b)
        for k, want in exact.items():
            keep = ~vague if k in (0, 1) else np.ones(n, bool)
            wrong += differ(f"o{k}", got[keep, k], want.astype(np.float32)[keep])
        return wrong

    yield Case("numbers", "floats", 2, 64, [x, y, f"out:f32:{16 * n}=o"], floats)

    z = (rng.standard_normal(n) * 3).astype(np.float32)

    def functions(r):
        got, v = r["o"].reshape(n, 8).astype(np.float64), z.astype(np.float64)
        want = [np.exp(v), np.log(np.abs(v) + 0.01), np.exp(v), 1 / v, 1 / np.sqrt(np.abs(v) + 0.5), np.tanh(v), np.sin(v), np.exp2(v)]
        wrong = []
        for k, w in enumerate(want):
            wrong += differ(f"o{k}", got[:, k], w, 4e-6 * np.maximum(np.abs(w), 1e-1))
        return wrong

    yield Case("numbers", "functions", 2, 64, [z, f"out:f32:{8 * n}=o"], functions)

    i, j = rng.integers(-2**31, 2**31, n).astype(np.int32), rng.integers(-2**31, 2**31, n).astype(np.int32)
    j[:16] %= 32

    def integers(r):
        got, wrong = r["o"].reshape(n, 16), []
        for t in range(n):
            for k, w in enumerate(integer_row(int(i[t]), int(j[t]))):
                if int(got[t, k]) != w:
                    wrong.append(f"o{k} of {i[t]}, {j[t]} is {got[t, k]}, expected {w}")
        return wrong

    yield Case("numbers", "integers", 2, 64, [i, j, f"out:i64:{16 * n}=o"], integers)


def integer_row(a, b):
    """What the kernel `integers` computes, in Python's integers."""
    u = lambda v: v & 0xFFFFFFFF
    s = lambda v: (u(v) ^ 0x80000000) - 0x80000000
    s64 = lambda v: ((v & (2**64 - 1)) ^ 2**63) - 2**63
    quotient = lambda p, q: abs(p) // abs(q) * (1 if (p < 0) == (q < 0) else -1)
    signed_bytes = lambda v: [((u(v) >> 8 * n & 255) ^ 128) - 128 for n in range(4)]
    odd = s(b | 1)
    both = [u(a) >> 8 * n & 255 for n in range(4)] + [u(b) >> 8 * n & 255 for n in range(4)]
    yield a * b
    yield s(a * b >> 32)
    yield s(quotient(a, odd))
    yield s(a - quotient(a, odd) * odd)
    yield u(a) // (u(b) | 1)
    yield bin(u(a)).count("1") + 100 * (32 - u(b).bit_length()) + 10000 * ((u(a) & -u(a)).bit_length())
    yield int(f"{u(a):032b}"[::-1], 2)
    yield sum(both[0x6250 >> 4 * n & 7] << 8 * n for n in range(4))
    yield u((u(b) << 32 | u(a)) << 7 >> 32)
    yield u(u(a >> (b & 31)) ^ (u(a) >> (b & 31)) ^ u(a << (b & 15)))
    yield s64(quotient(a << 20, b | 1))
    yield s(min(a, b) - max(a, b) + abs(a))
    yield s(sum(p * q for p, q in zip(signed_bytes(a), signed_bytes(b))) + 5)
    short = lambda v: ((v & 0xFFFF) ^ 0x8000) - 0x8000
    yield s(short(a) * short(b) + signed_bytes(a)[0])
    yield s((a & b) | (~a & 0x0F0F0F0F))
    yield u((a & 0xFFFFFF) * (b & 0xFF) + abs(a - b) + 1)


def cases(seed):
    rng = np.random.default_rng(seed)
    for make in (reduce_cases, gemm_cases, attention_cases, scan_cases, histogram_cases, numbers_cases):
        yield from make(rng)
