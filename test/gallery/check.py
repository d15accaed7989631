#!/usr/bin/env python3
"""Runs gallery programs with attn-run and compares them with the references of test/reference by the error rule.

    python3 test/gallery/check.py --attn-run build/bin/attn-run            a seeded part
    python3 test/gallery/check.py --attn-run build/bin/attn-run --long     every case
    ... --row causal --case bf16 --list                                    what there is

A failing case keeps its folder and prints the command that repeats it. Last line: `N passed, N failed`. Needs numpy.
bf16 has no .npy type: a bf16 tensor is a file of uint16 holding its bits.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import cases  # noqa: E402
import program  # noqa: E402
from cases import ROOT, common  # noqa: E402

STORED = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "bf16": np.uint16, "i32": np.int32, "i64": np.int64, "i8": np.int8}


def stored(x, element):
    """x as it goes into a file: bf16 as its bits."""
    return common.bf16_bits(x) if element == "bf16" else x.astype(STORED[element])


def loaded(path, element):
    x = np.load(path)
    if x.dtype != STORED[element]:
        raise ValueError(f"{path.name} is {x.dtype}, expected {np.dtype(STORED[element])}")
    return common.bf16_value(x) if element == "bf16" else x


def files(c, problem):
    """The arrays of a case by the names of its program's arguments, in its layout."""
    qkv = {n: stored(t, c.element) for n, t in problem.inputs.items()}
    if c.axis == "captured":
        return qkv | problem.captured
    if c.spec.pack:
        qkv = {n: np.ascontiguousarray(c.spec.pack(t)) for n, t in qkv.items()}
    elif c.layout == "bshd":
        qkv = {n: np.ascontiguousarray(t.swapaxes(1, 2)) if t.ndim == 4 else t for n, t in qkv.items()}
    elif c.layout == "packed":
        qkv = {"qkv": np.ascontiguousarray(np.stack([qkv[n] for n in "qkv"], axis=2).transpose(0, 3, 2, 1, 4))}
    return qkv | problem.captured


# What a GPU target may refuse. Any other refusal is a failure, or a lowering that refuses everything would pass.
REFUSED = ("f64 has no lowering for GPUs yet", "the keys of the largest scores (topk) have no lowering for GPUs yet")


def is_gpu(args):
    return (args.target or "").startswith("sm_")


def command(args, names, params, c):
    """The attn-run command of a case, run in its folder; `params` are the run-time scalars."""
    cmd = [args.attn_run, "program.mlir"]
    cmd += [a for n in names for a in ("--input", f"{n}={n}.npy")]
    cmd += [a for n, val in params.items() for a in ("--param", f"{n}={val}")]
    cmd += [a for n in c.spec.outputs for a in ("--save", f"{n}={n}.out.npy")]
    cmd += ["--block-rows", str(c.blocks[0]), "--block-keys", str(c.blocks[1])] if c.blocks else []
    cmd += ["--target", args.target] if args.target else []
    cmd += ["--f32-products", args.f32_products] if args.f32_products else []
    return cmd + ["--threads", "1" if is_gpu(args) else str(c.threads), "--json"]


def text(c, params):
    """The case's variant of its gallery program."""
    program_text = (ROOT / "gallery" / f"{c.row}.mlir").read_text()
    if c.axis == "captured":
        return program_text
    for name, places in c.spec.text.items():
        program_text = program.stated(program_text, places, params[name])
    return program.variant(program_text, c.element, c.layout, c.d, c.e, c.spec.keeps)


def magnitudes(c, problem, kinds):
    """How large an error of each output may be (common.magnitudes), by its name; None: one scale for the whole."""
    size = {}
    if not c.spec.operands:
        known = c.axis == "captured"
        q = problem.inputs["q"]
        k, v = (problem.inputs.get(n, problem.inputs["k"]) for n in "kv")
        k, v = (k, v) if known else (c.spec.view(k), c.spec.view(v))
        k, v = (np.repeat(t, q.shape[1] // t.shape[1], axis=1) if 1 < t.shape[1] < q.shape[1] else t for t in (k, v))
        rows = common.magnitudes(v, q, k, problem.scale, problem.visible)
        size = {"value": rows["o"], "row": rows["lse"]}
        if not known and c.spec.pack:
            size = {n: c.spec.pack(t) for n, t in size.items()}
        if "column" in kinds.values():
            seen = np.broadcast_to(problem.visible, (*rows["lse"].shape, c.j))
            size["column"] = np.max(np.where(seen, rows["lse"][..., None], 0), axis=-2, initial=0)
    return {n: size.get(kind) for n, kind in kinds.items()}


MADE = re.compile(r"%\w+\[[^\]]*\] as \(")  # an operand that goes through a region
DOT = re.compile(r"\bdot *\(%")  # products that are a region's, not tensor cores'


def yardstick(module, x, problem, c, tf32):
    """What a plain program makes of it; `tf32`: one whose operands of products are rounded so, as they come and where references make them.

    Operands of 16 bits meet as they are; what a region makes of them is an f32.
    """
    program_text = text(c, problem.params) if tf32 else ""
    if not tf32 or c.element == "f64" or DOT.search(program_text) or (c.element != "f32" and not MADE.search(program_text)):
        return module.reference(x, problem.params, common.PLAIN[c.element])
    rounded = {n: common.tf32_value(t) if n in problem.inputs and t.dtype == np.float32 else t for n, t in x.items()}
    return module.reference(rounded, problem.params, "plain-tf32")


def compare(folder, c, problem, tf32=False):
    """None, or what is wrong with the outputs in the folder."""
    module = cases.reference(c.row)
    kinds = c.spec.outputs
    elements = program.results((folder / "program.mlir").read_text())
    got = {n: loaded(folder / f"{n}.out.npy", elements[n]) for n in kinds}
    if c.layout == "bshd":
        got = {n: t.swapaxes(1, 2) if n == "lse" or kinds[n] == "value" else t for n, t in got.items()}
    x = problem.inputs | problem.captured if c.axis == "captured" else problem.packed(c.spec)
    exact = module.reference(x, problem.params, common.EXACT[c.element])
    plain = yardstick(module, x, problem, c, tf32)
    size = magnitudes(c, problem, kinds)
    size |= {n: np.ones(exact[n].shape[:-1]) for n, kind in kinds.items() if kind == "rows"}
    for name, kind in kinds.items():
        if kind == "id":
            wrong = common.check_ids(got[name], exact[name])
        else:
            terms = exact[c.spec.terms[name]] if name in c.spec.terms else None
            wrong = common.check(got[name], exact[name], plain[name], elements[name], size[name], terms)
        if wrong:
            return f"{name}: {wrong}"
    return common.empty_rows(got["o"], got["lse"], exact["lse"]) if {"o": "value", "lse": "row"}.items() <= kinds.items() else None


def captured():
    """The sample of test/data/minilm, as `cases.make` returns it."""
    x = {n: np.load(ROOT / "test/data/minilm" / f"{n}.npy") for n in ("q", "k", "v", "mask")}
    visible = cases.reference("minilm").visible(x, {})
    return cases.Problem({n: x[n] for n in "qkv"}, {"mask": x["mask"]}, {}, x["q"].shape[-1] ** -0.5, visible)


def run_case(args, folder, c):
    """(passed, text); passed is None where the compiler refuses the program for GPUs with its reason."""
    folder.mkdir(parents=True)
    problem = captured() if c.axis == "captured" else cases.make(c)
    arrays = files(c, problem)
    for n, t in arrays.items():
        np.save(folder / f"{n}.npy", t)
    (folder / "program.mlir").write_text(text(c, problem.params))
    cmd = command(args, arrays, program.scalars((folder / "program.mlir").read_text(), problem.params), c)
    try:
        done = subprocess.run(cmd, capture_output=True, text=True, timeout=args.timeout, cwd=folder)
        if done.returncode == 3 and is_gpu(args) and any("[unsupported_gpu] " + why in done.stderr for why in REFUSED):
            return None, f"REFUSED {c.name}: {done.stderr.split('[unsupported_gpu] ')[1].splitlines()[0]}"
        if done.returncode:
            wrong = f"attn-run ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}"
        else:
            wrong = compare(folder, c, problem, args.f32_products == "tf32")
    except subprocess.TimeoutExpired:
        wrong = f"no answer within {args.timeout} s"
    except (OSError, ValueError) as error:
        wrong = str(error)
    if wrong:
        return False, f"FAILED {c.name}\n  {wrong}\n  (cd {shlex.quote(str(folder))} && {shlex.join(cmd)})"
    if not args.keep:
        shutil.rmtree(folder)
    return True, c.name


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--attn-run", default=os.environ.get("ATTN_RUN", str(ROOT / "build/bin/attn-run")), help="the tool (default: build/bin/attn-run)")
    p.add_argument("--long", action="store_true", help="every case")
    p.add_argument("--count", type=int, default=4, help="cases of each row without --long, three times as many of the rows made thorough (default: 4)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--row", help="only this row")
    p.add_argument("--case", help="only cases with this in their name (out of all of them)")
    p.add_argument("--element", choices=sorted(STORED), help="only cases of this element type, of which then the seeded part is drawn")
    p.add_argument("--target", help="as attn-run's; of GPUs, sm_80, kernels run in the simulator")
    p.add_argument("--f32-products", help="as attn-run's; of tf32, the error rule's plain program rounds operands so too")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--timeout", type=float, default=60)
    p.add_argument("--folder", help="where to put inputs and outputs (default: a new temporary folder)")
    p.add_argument("--keep", action="store_true", help="keep the folders of passing cases too")
    p.add_argument("--list", action="store_true", help="print the names and stop")
    return p.parse_args()


def main():
    args = arguments()
    todo = [c for c in cases.all_cases(args.seed) if args.row in (None, c.row) and args.element in (None, c.element)]
    if args.case:
        todo = [c for c in todo if args.case in c.name]
    elif not args.long:
        todo = cases.chosen(todo, args.seed, args.count)
    if not args.case and args.row in (None, "minilm") and args.element in (None, "f32"):
        todo.append(cases.Case("minilm", "captured", d=32, e=32))
    print(f"seed {args.seed}, {len(todo)} cases")
    if args.list:
        print("\n".join(c.name for c in todo))
        return 0
    if not shutil.which(args.attn_run):
        print(f"no attn-run at {args.attn_run}: build it, or say --attn-run PATH")
        return 2
    args.attn_run = str(Path(shutil.which(args.attn_run)).resolve())
    top = Path(args.folder or tempfile.mkdtemp(prefix="attn-check-")).resolve()
    passed = refused = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for good, text in pool.map(lambda p: run_case(args, top / f"{p[0]:04d}-{p[1].name}", p[1]), enumerate(todo)):
            passed += good is True
            refused += good is None
            if not good:
                print(text, flush=True)
    if passed + refused == len(todo) and not args.keep and not args.folder:
        shutil.rmtree(top)
    failed = len(todo) - passed - refused
    print(f"{passed} passed, {failed} failed" + (f", {refused} skipped" if refused else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
