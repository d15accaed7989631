#!/usr/bin/env python3
"""Makes a bundle: a folder, and the same as OUT.tar.xz of at most 20 MB, that checks kernels on any machine with an NVIDIA GPU
(README.md here).

    scripts/gpu-check --bundle OUT [--rows causal,gqa] [--attnc build/bin/attnc]

Needs a C compiler and numpy; ptxas for the cubins. The programs of the gallery that attnc compiles for a GPU are in it, with what
test/reference says must come out, as many as there is room for, first each in one element type; made.json lists those that attnc
refuses, with its reason, and those that were left out.

What keeps it small: inputs that are random come from seeds (seeded.py); of what the plain program makes the error rule asks two
numbers; what must come out has 32 significant bits, or 16 of 16-bit outputs, which is a part in 256 of what is rounded anyway; and
everything is packed as one, for kernels are like one another.
"""

import argparse
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "test/gallery"), str(ROOT / "test/reference")]
import cases  # noqa: E402
import check  # noqa: E402
import common  # noqa: E402
import probes  # noqa: E402
import program  # noqa: E402
import seeded  # noqa: E402

LIMIT = 20 * 10 ** 6  # bytes of the archive
ROOM = LIMIT - 10 ** 6  # for what is counted while it is made: objects, cubins, cases
# The window is wider than all kernels together, so that the last is packed by what the first has said.
PACKING = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 128 << 20}]
FIRST = ["causal", "gqa", "full", "sliding_window", "softcap", "alibi", "decode", "paged_decode", "varlen", "sinks", "prefix_lm", "dense_bias", "rope", "sigmoid", "mla_absorbed"]
ARCHITECTURES = (80, 90)
HAND_SIZES = [(1, 2, 5, 17), (2, 3, 37, 70), (1, 1, 64, 64), (1, 2, 16, 0), (1, 2, 17, 5), (1, 1, 1, 200)]
# kernel, whether it is causal, b, h, i, j; of those that are in the bundle
TIMES = [("by_hand", True, 1, 16, 1024, 1024), ("by_hand", True, 16, 8, 1, 4096)]
TIMES += [(f"{row}_{element}", row == "causal", *size) for row in ("causal", "full") for element in ("bf16", "f32")
          for size in ((1, 16, 4096, 4096), (4, 16, 1024, 1024), (16, 16, 1, 8192))]


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600, **more)
    if done.returncode:
        sys.exit(f"gpu-check: {' '.join(str(c) for c in command)}\n{done.stderr or done.stdout}")
    return done.stdout


class Bundle:
    def __init__(self, args):
        self.args, self.out, self.work = args, args.out, args.out / "work"
        self.kernels, self.objects, self.listed, self.refused, self.left_out = [], [], [], {}, []
        self.packer, self.packed = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=PACKING), 0  # bytes so far
        cuda = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
        self.ptxas = os.environ.get("ATTN_PTXAS") or shutil.which("ptxas") or shutil.which(cuda / "bin/ptxas")
        for folder in ("cases", "images", "probes", "work"):
            (self.out / folder).mkdir(parents=True, exist_ok=True)

    def count(self, paths):
        self.packed += sum(len(self.packer.compress(p.read_bytes())) for p in paths)

    # --- code ---------------------------------------------------------------------------------------------------------------

    def cubin(self, ptx, sm, *options):
        """The bytes of a cubin, or None without ptxas."""
        if not self.ptxas:
            return None
        path = self.work / "one.cubin"
        run(self.ptxas, f"-arch=sm_{sm}", *options, ptx, "-o", path)
        return path.read_bytes()

    def compile(self, source, name, *options):
        path = self.work / f"{name}.o"
        run(self.args.cc, "-std=c11", "-O2", f"-I{ROOT / 'runtime/include'}", *options, "-c", source, "-o", path)
        return path

    def add_kernel(self, name, symbol, objects, ptx):
        """The kernel's objects, and of the first few the cubins without optimization to compare with."""
        self.kernels.append((name, symbol))
        self.objects += objects
        self.count(objects)
        if len(self.kernels) > self.args.unoptimized or not ptx:
            return
        for sm in ARCHITECTURES if self.ptxas else ():
            (self.out / "images" / name).mkdir(exist_ok=True)
            path = self.out / "images" / name / f"sm_{sm}.O0.cubin"
            path.write_bytes(self.cubin(ptx, sm, "-O0"))
            self.count([path])

    def by_hand(self):
        """The kernel that is written by hand, with cubins where there is ptxas."""
        ptx = HERE / "attention.ptx"
        images = [(sm, 0, self.cubin(ptx, sm)) for sm in ARCHITECTURES if self.ptxas]
        images.append((80, 1, ptx.read_bytes() + b"\0"))
        text = '#include "attn-rt/attn_gpu.h"\n'
        for n, (_, _, data) in enumerate(images):
            text += f"static const unsigned char image_{n}[] = {{{','.join(map(str, data))}}};\n"
        rows = "".join(f"{{{sm}, {ptx_}, image_{n}, sizeof image_{n}}}, " for n, (sm, ptx_, _) in enumerate(images))
        source = self.work / "by_hand_images.c"
        source.write_text(text + f"extern const attn_gpu_image by_hand_images[];\nconst attn_gpu_image by_hand_images[] = {{{rows}{{0, 0, 0, 0}}}};\n")
        self.add_kernel("by_hand", "attn_by_hand_gpu_info", [self.compile(source, "by_hand_images"), self.compile(HERE / "attention_info.c", "by_hand")], ptx)

    def compiled(self, c, name):
        """What attnc said of the case's variant of its program, as a kernel of this name."""
        source = self.work / f"{name}.mlir"
        text = check.text(c, cases.make(replace(c, batch=1)).params)
        source.write_text(re.sub(r"(attn\.kernel @)\w+", rf"\g<1>{name}", text, count=1))
        target = ",".join(f"sm_{sm}" for sm in ARCHITECTURES)
        return subprocess.run([str(self.args.attnc), source.name, "-o", name, f"--target={target}", "--emit=o,ptx"], cwd=self.work, capture_output=True, text=True,
                              timeout=600)

    def gallery(self, name, done):
        """Takes in a kernel that was compiled; False if attnc refused it."""
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            self.refused[name] = said[0] if said else f"exit status {done.returncode}"
            return False
        ptx = self.work / f"{name}.ptx"
        self.add_kernel(name, f"attn_{name}_gpu_info", [self.work / f"{name}.o"], ptx if ptx.exists() else None)
        return True

    def link(self):
        table = self.work / "kernels.c"
        text = '#include "gpu_check.h"\n' + "".join(f"extern const attn_gpu_info {symbol};\n" for _, symbol in self.kernels)
        rows = "".join(f'{{"{name}", &{symbol}}}, ' for name, symbol in self.kernels)
        table.write_text(text + f"const gpu_check_kernel gpu_check_kernels[] = {{{rows}{{0, 0}}}};\n")
        sources = [p for p in sorted(HERE.glob("*.c")) if p.name != "attention_info.c"] + sorted((ROOT / "runtime").glob("*.c"))
        run(self.args.cc, "-std=c11", "-O2", f"-I{ROOT / 'runtime/include'}", f"-I{HERE}", *sources, table, *self.objects, "-lm", "-ldl", "-lpthread", "-s", "-o",
            self.out / "gpu-check-run")
        shutil.copy(HERE / "run.sh", self.out / "gpu-check")
        (self.out / "gpu-check").chmod(0o755)

    # --- cases --------------------------------------------------------------------------------------------------------------

    def add_case(self, name, kernel, lines, arrays):
        folder = self.out / "cases" / name
        folder.mkdir(parents=True)
        for file, array in arrays.items():
            np.save(folder / f"{file}.npy", array)
        (folder / "case.txt").write_text("\n".join([f"kernel {kernel}", *lines]) + "\n")
        self.listed.append(name)
        self.count(folder.iterdir())

    def add_check(self, c, kernel, name):
        """The inputs of a gallery case and what its reference says of the outputs."""
        numbers = seeded.Generator(c.seed)
        problem, module, kinds = cases.make(c, numbers), cases.reference(c.row), c.spec.outputs
        text = check.text(c, problem.params)
        x = problem.packed(c.spec)
        exact = module.reference(x, problem.params, common.EXACT[c.element])
        plain = module.reference(x, problem.params, common.PLAIN[c.element])
        elements = program.results(text)
        arrays, lines = {}, []
        given = check.files(c, problem)
        arguments = text[text.index("attn.kernel"):]
        arguments = arguments[:arguments.index("->")]
        for n in re.findall(r"%(\w+): (?:!|tensor)", arguments):
            if seed := seed_of(numbers, given[n]):
                lines.append(f"random {seed} {' '.join(map(str, given[n].shape))}")
                continue
            arrays[n] = given[n]
            lines.append(f"input {n}.npy")
        for n, element in elements.items():
            errors = (0, 0)
            if kinds.get(n, "id") == "id":
                whole = np.int64 if exact[n].dtype.kind in "iu" or kinds.get(n) == "id" else np.float64
                arrays[f"{n}.exact"] = exact[n].astype(whole)
            else:
                narrow = element in common.ROUNDED
                arrays[f"{n}.exact"] = with_bits(exact[n].astype(np.float64), 16 if narrow else 32).astype(np.float32 if narrow else np.float64)
                errors = plain_errors(exact[n], plain[n])
            row = exact[n].shape[-1] if kinds.get(n) in ("value", "rows") and exact[n].ndim > 1 else 1
            lines.append(f"output {n}.exact.npy {errors[0]:.9g} {errors[1]:.9g} {max(row, 1)}")
            if n in c.spec.terms:
                arrays[f"{n}.terms"] = np.broadcast_to(exact[c.spec.terms[n]], exact[n].shape).astype(np.float32)
                lines[-1] += f" {n}.terms.npy"
        scalars = program.scalars(text, problem.params)
        for n in re.findall(r"%(\w+): (?:index|i32|i64|f32|f64)\b", arguments):
            lines.append(f"{'real' if isinstance(scalars[n], float) else 'integer'} {scalars[n]}")
        self.add_case(name, kernel, lines, {n: np.ascontiguousarray(a) for n, a in arrays.items()})

    def add_time(self, kernel, causal, b, h, i, j):
        """2 (d + e) FLOPs for each pair that is visible."""
        if kernel not in [name for name, _ in self.kernels]:
            return
        d = e = 64
        seen = (np.clip(np.arange(i) + 1 + j - i, 0, j).sum() if causal else i * j) * b * h
        lines = [f"time {2.0 * (d + e) * seen:.17g}"]
        lines += [f"random {seed} {b} {h} {n} {d}" for seed, n in enumerate((i, j, j, i), 1)] + [f"random 5 {b} {h} {i}"]
        self.add_case(f"time-{kernel}-b{b}h{h}-{i}x{j}", kernel, lines, {})


def seed_of(numbers, array):
    """The seed of which an input is all numbers; None: it has to be carried."""
    if array.dtype == np.float32:
        return numbers.seed_of(array, lambda x: x)
    return numbers.seed_of(array, common.bf16_bits) if array.dtype == np.uint16 else None


def with_bits(x, bits):
    """x rounded to so many significant bits; the others, zeros, pack well."""
    mantissa, exponent = np.frexp(x)
    return np.where(np.isfinite(x), np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits), x)


def plain_errors(exact, plain):
    """The largest and the mean of |plain - exact| where both are finite (rule_plain of gpu_check.h)."""
    exact, plain = exact.astype(np.float64), plain.astype(np.float64)
    counts = np.isfinite(exact) & np.isfinite(plain)
    error = np.abs(np.where(counts, plain, 0) - np.where(counts, exact, 0))
    return error.max(initial=0), error.sum() / max(error.size, 1)


def small(c, element):
    """A case that is cheap to carry."""
    return replace(c, batch=1, threads=1, blocks=(), element=element)


def chosen(rows, elements):
    """(row, cases): one in each element type that the row has, of some tens of queries where it can be."""
    every = cases.all_cases(1)
    for row in rows:
        mine = [c for c in every if c.row == row and c.i and c.j and c.layout in ("bhsd", c.spec.layouts[0])]
        if not mine:
            sys.exit(f"gpu-check: {row} has no case")
        best = min(mine, key=lambda c: (c.logits != "normal", c.poison != "none", c.axis not in ("layout", "length", "more"), not 30 <= c.i <= 70, abs(c.i * c.j - 33 * 33)))
        yield row, [small(best, e) for e in elements if e in best.spec.elements]


def in_turns(every, most):
    """Cases of all rows: each row in one element type, now this, now that, before any comes in another; in so many at most."""
    turned = [some[n % len(some):] + some[:n % len(some)] for n, (_, some) in enumerate(every) if some]
    for turn in range(min(most, max(map(len, turned), default=0))):
        yield from (some[turn] for some in turned if turn < len(some))


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path)
    p.add_argument("--rows", help="rows of the gallery, by commas (default: all)")
    p.add_argument("--elements", default="f32,bf16", help="element types, by commas (default: f32,bf16)")
    p.add_argument("--types", type=int, default=99, help="of these, in how many a row is at most (default: all that it has)")
    p.add_argument("--attnc", type=Path, default=Path(os.environ.get("ATTNC", ROOT / "build/bin/attnc")))
    p.add_argument("--unoptimized", type=int, default=8, help="of how many kernels there are cubins by ptxas -O0 too (default: 8)")
    p.add_argument("--jobs", type=int, default=os.cpu_count(), help="kernels that are compiled at a time (default: CPUs)")
    p.add_argument("--cc", default=os.environ.get("CC", "cc"))
    args = p.parse_args()
    args.out = args.out.resolve()
    if args.out.exists() and any(args.out.iterdir()):
        sys.exit(f"gpu-check: {args.out} is not empty")
    args.attnc = args.attnc.resolve()
    return args


def main():
    args = arguments()
    rows = args.rows.split(",") if args.rows else sorted(cases.rows(), key=lambda r: FIRST.index(r) if r in FIRST else len(FIRST))
    unknown = set(rows) - set(cases.rows())
    if unknown:
        sys.exit(f"gpu-check: the gallery has no {', '.join(sorted(unknown))}")
    b = Bundle(args)
    print(f"{len(probes.write(b.out / 'probes'))} probes")
    b.by_hand()
    base = next(c for c in cases.all_cases(1) if c.row == "causal")
    for batch, heads, i, j in HAND_SIZES:
        c = replace(base, batch=batch, i=i, j=j, d=64, e=64, element="f32", layout="bhsd", logits="normal", poison="none", knob="", seed=i * 1000 + j)
        b.add_check(c, "by_hand", f"by_hand-b{batch}-{i}x{j}")
    if args.attnc.exists():
        named = [(c, f"{c.row}_{c.element}") for c in in_turns(list(chosen(rows, args.elements.split(","))), args.types)]
        with ThreadPoolExecutor(args.jobs) as pool:
            for (c, name), done in zip(named, pool.map(lambda one: b.compiled(*one), named)):
                if b.packed > ROOM:
                    b.left_out.append(name)
                elif b.gallery(name, done):
                    b.add_check(c, name, c.name)
    else:
        print(f"no attnc at {args.attnc}: only what is written by hand is in the bundle")
    for one in TIMES:
        b.add_time(*one)
    b.link()
    (b.out / "cases/list.txt").write_text("\n".join(b.listed) + "\n")
    shutil.rmtree(b.work)
    made = {"kernels": [n for n, _ in b.kernels], "cases": b.listed, "refused": b.refused, "left_out": b.left_out}
    (b.out / "made.json").write_text(json.dumps(made, indent=1) + "\n")
    archive = b.out.with_name(b.out.name + ".tar.xz")
    with lzma.open(archive, "wb", filters=PACKING) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(b.out, b.out.name)
    bytes_ = archive.stat().st_size
    print(f"{len(b.kernels)} kernels, {len(b.listed)} cases, {len(b.refused)} programs refused, {len(b.left_out)} kernels left out for lack of room (made.json says which)")
    print(f"{archive.name}: {bytes_ / 1e6:.1f} MB")
    if bytes_ > LIMIT:
        sys.exit(f"gpu-check: that is more than {LIMIT / 1e6:.0f} MB: choose fewer --rows")


if __name__ == "__main__":
    main()
