"""The probes: one small PTX for each form of an instruction that kernels of this compiler use, what goes in, and what must
come out. The expectations are made here, from the PTX ISA's own tables and numpy, not from the compiler or its simulator.

    python3 tools/gpu-check/probes.py FOLDER       writes them (see README.md)

A probe is `.entry probe(.u64 in, .u64 out)`: each of its threads reads `ins` words at in[thread * ins] into %i0.., and writes
%o0.. to out[thread * outs].
"""

import sys
from pathlib import Path

import numpy as np

rng = np.random.default_rng(7)
LANES = np.arange(32)


class Probe:
    def __init__(self, name, body, given, expect, threads=32, compare="exact", registers=""):
        self.name, self.body, self.threads, self.compare, self.registers = name, body, threads, compare, registers
        self.given = np.ascontiguousarray(given).view(np.uint32).reshape(threads, -1)
        self.expect = np.ascontiguousarray(expect).view(np.uint32).reshape(threads, -1)

    def ptx(self):
        ins, outs = self.given.shape[1], self.expect.shape[1]
        lines = [".version 7.0", ".target sm_80", ".address_size 64", "", ".extern .shared .align 1024 .b8 dynamic[];", "",
                 ".visible .entry probe(.param .u64 in, .param .u64 out)", "{",
                 f"\t.reg .b32 %i<{ins + 1}>;", f"\t.reg .b32 %o<{outs + 1}>;", "\t.reg .b32 %r<16>;", "\t.reg .b64 %rd<8>;", "\t.reg .pred %p<4>;"]
        lines += [f"\t{x}" for x in self.registers.split("\n") if x]
        lines += ["\tld.param.u64 %rd0, [in];", "\tld.param.u64 %rd1, [out];", "\tcvta.to.global.u64 %rd0, %rd0;", "\tcvta.to.global.u64 %rd1, %rd1;",
                  "\tmov.u32 %r0, %tid.x;", f"\tmul.wide.u32 %rd2, %r0, {4 * ins};", f"\tmul.wide.u32 %rd3, %r0, {4 * outs};",
                  "\tadd.s64 %rd2, %rd0, %rd2;", "\tadd.s64 %rd3, %rd1, %rd3;"]
        lines += [f"\tld.global.u32 %i{n}, [%rd2+{4 * n}];" for n in range(ins)]
        lines += [f"\t{x}" for x in self.body.split("\n") if x.strip()]
        lines += [f"\tst.global.u32 [%rd3+{4 * n}], %o{n};" for n in range(outs)]
        return "\n".join(lines + ["\tret;", "}", ""])


# --- numbers --------------------------------------------------------------------------------------------------------------

def bf16(x):
    """Round to nearest even, as bits."""
    u = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return np.where(np.isnan(x), 0x7FFF, (u + 0x7FFF + (u >> 16 & 1)) >> 16).astype(np.uint32)


def f16(x):
    with np.errstate(all="ignore"):
        return np.where(np.isnan(x), 0x7FFF, np.asarray(x, np.float32).astype(np.float16).view(np.uint16)).astype(np.uint32)


def bits(x):
    return np.asarray(x, np.float32).view(np.uint32)


# --- mma: fragments by the tables of the ISA ----------------------------------------------------------------------------------

def mma(kind, whole):
    """m16n8k16 of 16-bit numbers, m16n8k8 of tf32. Small whole numbers: every sum is exact in any order. Else only recorded."""
    k, wide = (8, True) if kind == "tf32" else (16, False)
    draw = (lambda *s: rng.integers(-8, 9, s).astype(np.float32)) if whole else (lambda *s: rng.standard_normal(s).astype(np.float32))
    a, b, c = draw(16, k), draw(k, 8), draw(16, 8)
    encode = {"bf16": bf16, "f16": f16, "tf32": lambda x: bits(x) & 0xFFFFE000}[kind]
    g, t = LANES // 4, LANES % 4

    def pair(m, rows, columns):
        return encode(m[rows, columns]) | encode(m[rows, columns + 1]) << 16

    if wide:
        fa = [encode(a[g, t]), encode(a[g + 8, t]), encode(a[g, t + 4]), encode(a[g + 8, t + 4])]
        fb = [encode(b[t, g]), encode(b[t + 4, g])]
    else:
        fa = [pair(a, g, 2 * t), pair(a, g + 8, 2 * t), pair(a, g, 2 * t + 8), pair(a, g + 8, 2 * t + 8)]
        fb = [pair(b.T, g, 2 * t), pair(b.T, g, 2 * t + 8)]
    at = [(g, 2 * t), (g, 2 * t + 1), (g + 8, 2 * t), (g + 8, 2 * t + 1)]
    fc = [bits(c[r, n]) for r, n in at]
    d = (a.astype(np.float64) @ b.astype(np.float64) + c).astype(np.float32)
    fd = [bits(d[r, n]) for r, n in at]
    shape = "m16n8k8" if wide else "m16n8k16"
    body = "".join(f"mov.b32 %c{n}, %i{6 + n};\n" for n in range(4))
    body += (f"mma.sync.aligned.{shape}.row.col.f32.{kind}.{kind}.f32 {{%d0,%d1,%d2,%d3}}, {{%i0,%i1,%i2,%i3}}, {{%i4,%i5}}, {{%c0,%c1,%c2,%c3}};\n")
    body += "".join(f"mov.b32 %o{n}, %d{n};\n" for n in range(4))
    return Probe(f"mma_{kind}" + ("" if whole else "_rounding"), body, np.stack(fa + fb + fc, 1), np.stack(fd, 1),
                 compare="exact" if whole else "record", registers=".reg .f32 %c<4>;\n.reg .f32 %d<4>;")


# --- shared memory ------------------------------------------------------------------------------------------------------------

ADDRESS = "mov.u32 %r1, dynamic;\n"  # the dynamic shared memory


def ldmatrix(num, trans):
    """Lane l stores 16 bytes at row l; matrix m has its rows from lanes 8 m to 8 m + 7."""
    rows = rng.integers(0, 2 ** 16, (32, 8)).astype(np.uint32)
    out = []
    for m in range(num):
        matrix = rows[8 * m:8 * m + 8]
        matrix = matrix.T if trans else matrix
        r, c = LANES // 4, 2 * (LANES % 4)
        out.append(matrix[r, c] | matrix[r, c + 1] << 16)
    body = ADDRESS + "shl.b32 %r2, %r0, 4;\nadd.u32 %r2, %r1, %r2;\nst.shared.v4.u32 [%r2], {%i0,%i1,%i2,%i3};\nbar.warp.sync 0xffffffff;\n"
    registers = ",".join(f"%o{n}" for n in range(num))
    body += f"ldmatrix.sync.aligned.m8n8.x{num}{'.trans' if trans else ''}.shared.b16 {{{registers}}}, [%r2];"
    return Probe(f"ldmatrix_x{num}" + ("_trans" if trans else ""), body, rows[:, 0::2] | rows[:, 1::2] << 16, np.stack(out, 1))


def copy_async(size):
    """Each lane copies its own `size` bytes, of which only the first few are read: the rest is zeros. The counts go round."""
    words = size // 4
    data = rng.integers(0, 2 ** 32, (32, words), dtype=np.uint64).astype(np.uint32)
    # whole words, so that the expectation is words; 0 and all are among them
    counts = (LANES % (words + 1) * 4).astype(np.uint32)
    expect = np.where(np.arange(words)[None, :] * 4 < counts[:, None], data, 0).astype(np.uint32)
    given = np.concatenate([data, np.full((32, 4 - words), 0xDEADBEEF, np.uint32), counts[:, None], np.zeros((32, 3), np.uint32)], 1)
    cache = "cg" if size == 16 else "ca"
    body = ADDRESS + "shl.b32 %r2, %r0, 4;\nadd.u32 %r2, %r1, %r2;\n"
    body += "".join(f"st.shared.u32 [%r2+{4 * n}], %r0;\n" for n in range(words))
    body += "bar.warp.sync 0xffffffff;\n"
    body += f"cp.async.{cache}.shared.global [%r2], [%rd2], {size}, %i4;\ncp.async.commit_group;\ncp.async.wait_group 0;\n"
    body += "bar.warp.sync 0xffffffff;\n" + "".join(f"ld.shared.u32 %o{n}, [%r2+{4 * n}];\n" for n in range(words))
    return Probe(f"copy_async_{size}", body, given, expect)


def groups():
    """Two groups in flight; the older one is waited for first."""
    data = rng.integers(0, 2 ** 32, (32, 8), dtype=np.uint64).astype(np.uint32)
    body = ADDRESS + ("shl.b32 %r2, %r0, 5;\nadd.u32 %r2, %r1, %r2;\n"
                      "cp.async.cg.shared.global [%r2], [%rd2], 16;\ncp.async.commit_group;\n"
                      "cp.async.cg.shared.global [%r2+16], [%rd2+16], 16;\ncp.async.commit_group;\n"
                      "cp.async.wait_group 1;\n" + "".join(f"ld.shared.u32 %o{n}, [%r2+{4 * n}];\n" for n in range(4)) +
                      "cp.async.wait_group 0;\n" + "".join(f"ld.shared.u32 %o{n}, [%r2+{4 * n}];\n" for n in range(4, 8)))
    return Probe("wait_group", body, data, data)


def barrier():
    """Four warps write, wait, and read what the thread 127 - x wrote."""
    data = rng.integers(0, 2 ** 32, (128, 1), dtype=np.uint64).astype(np.uint32)
    body = ADDRESS + ("shl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\nst.shared.u32 [%r3], %i0;\nbar.sync 0;\n"
                      "sub.u32 %r4, 508, %r2;\nadd.u32 %r4, %r1, %r4;\nld.shared.u32 %o0, [%r4];")
    return Probe("barrier", body, data, data[::-1], threads=128)


def shared_alignment():
    """The dynamic shared memory begins at a multiple of 1024, and is window 0 of generic shared addresses."""
    return Probe("shared_alignment", ADDRESS + "and.b32 %o0, %r1, 1023;", np.zeros((32, 1), np.uint32), np.zeros((32, 1), np.uint32))


# --- lanes ----------------------------------------------------------------------------------------------------------------------

def shuffles():
    x = rng.integers(0, 2 ** 32, 32, dtype=np.uint64).astype(np.uint32)
    for mask in (1, 2, 4, 8, 16):
        yield Probe(f"shuffle_xor_{mask}", f"shfl.sync.bfly.b32 %o0, %i0, {mask}, 31, 0xffffffff;", x, x[LANES ^ mask])
    lane = rng.integers(0, 32, 32).astype(np.uint32)
    yield Probe("shuffle_idx", "shfl.sync.idx.b32 %o0, %i0, %i1, 31, 0xffffffff;", np.stack([x, lane], 1), x[lane])


def ballot():
    x = rng.integers(0, 2, 32).astype(np.uint32)
    mask = np.uint32((x.astype(np.uint64) << LANES.astype(np.uint64)).sum())
    return Probe("ballot", "setp.ne.u32 %p0, %i0, 0;\nvote.sync.ballot.b32 %o0, %p0, 0xffffffff;", x, np.full(32, mask, np.uint32))


def thread():
    expect = np.stack([np.arange(128), np.zeros(128)], 1).astype(np.uint32)
    return Probe("thread_id", "mov.u32 %o0, %tid.x;\nmov.u32 %o1, %ctaid.x;", np.zeros((128, 1), np.uint32), expect, threads=128)


# --- numbers ----------------------------------------------------------------------------------------------------------------------

SPECIAL = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-40, -1e-45, 65504, 65520, 65519.996, 3.3895314e38, 3.4e38, 1.00390625, 1.01171875,
                    2 ** -24, 2 ** -25, 2 ** -14, 6.1e-5, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.1, -0.1], np.float32)


def exp2():
    """ex2.approx.ftz.f32: relative error of at most 2^-22, beside the rounding of what is expected here; infinities, zeros and NaN are exact, subnormals are 0."""
    x = np.concatenate([np.array([0, -0.0, np.inf, -np.inf, 1, -1, 10, -125, -127, -150, 127, 128, 1e-40], np.float32),
                        rng.uniform(-30, 1, 115).astype(np.float32)]).reshape(32, 4)
    with np.errstate(all="ignore"):
        y = np.exp2(np.where(np.abs(x) < 2 ** -126, 0, x).astype(np.float64)).astype(np.float32)
    y = np.where(np.abs(y) < 2 ** -126, 0, y).astype(np.float32)
    body = "".join(f"mov.b32 %f0, %i{n};\nex2.approx.ftz.f32 %f1, %f0;\nmov.b32 %o{n}, %f1;\n" for n in range(4))
    return Probe("exp2", body, x, y, compare=f"relative {2.0 ** -22 + 2.0 ** -24:.9g}", registers=".reg .f32 %f<2>;")


def pack(kind):
    """Two numbers to nearest even; the first source is the upper half."""
    x = np.resize(np.concatenate([SPECIAL, rng.standard_normal(40).astype(np.float32)]), 64).reshape(32, 2)
    encode = {"bf16": bf16, "f16": f16}[kind]
    body = f"mov.b32 %f0, %i0;\nmov.b32 %f1, %i1;\ncvt.rn.{kind}x2.f32 %o0, %f1, %f0;"
    return Probe(f"pack_{kind}", body, x, encode(x[:, 0]) | encode(x[:, 1]) << 16, registers=".reg .f32 %f<2>;")


def all_probes():
    for kind in ("bf16", "f16", "tf32"):
        yield mma(kind, True)
        yield mma(kind, False)
    for num in (1, 2, 4):
        for trans in (False, True):
            yield ldmatrix(num, trans)
    for size in (16, 8, 4):
        yield copy_async(size)
    yield groups()
    yield barrier()
    yield shared_alignment()
    yield from shuffles()
    yield ballot()
    yield thread()
    yield exp2()
    for kind in ("bf16", "f16"):
        yield pack(kind)


def write(folder):
    """The probes' files; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for p in all_probes():
        (folder / f"{p.name}.ptx").write_text(p.ptx())
        np.save(folder / f"{p.name}.in.npy", p.given.view(np.int32))
        np.save(folder / f"{p.name}.expect.npy", p.expect.view(np.int32))
        listed.append(f"{p.name} {p.threads} {p.compare}")
    (folder / "list.txt").write_text("\n".join(listed) + "\n")
    return listed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{len(write(Path(sys.argv[1])))} probes")
