#!/usr/bin/env python3
"""Runs every suite of a finished build and counts honestly; scripts/test calls it.

A suite is a command whose output is read for its own counts (see `Counts`). One that crashes, times out or prints no count is
one more failure, and so is one that says it passed but exits with an error. Skipped tests are shown and count as neither.
The last line is `N passed, N failed` over all suites.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Counts:
    """What a suite's output says: passed, failed, skipped, and whether it came to its own end."""

    def __init__(self, passed=0, failed=0, skipped=0, complete=False):
        self.passed, self.failed, self.skipped, self.complete = passed, failed, skipped, complete

    @staticmethod
    def of_gtest(text):
        """GoogleTest: a line a test, and at the end a line that says how many ran."""
        def lines(word):
            return len(re.findall(rf"^\[ *{word} *\] [\w/.<>-]+(?:, where .*)? \(\d+ ms\)$", text, re.M))
        ended = re.search(r"^\[==========\] \d+ tests? from .* ran\.", text, re.M)
        return Counts(lines("OK"), lines("FAILED"), lines("SKIPPED"), ended is not None)

    @staticmethod
    def of_line(text):
        """Programs of ours: the last line is `N passed, N failed`; `N skipped` or lines that say so may stand before."""
        lines = text.rstrip().splitlines() or [""]
        end = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", lines[-1])
        skipped = len(re.findall(r"\bskipped\b", "\n".join(lines[:-1])))
        return Counts(int(end[1]), int(end[2]), int(end[3] or skipped), True) if end else Counts()

    @staticmethod
    def of_program(text):
        return Counts.of_gtest(text) if "[==========]" in text else Counts.of_line(text)

    @staticmethod
    def of_lit(path):
        """lit's report: a code a test."""
        codes = [test["code"] for test in json.loads(path.read_text())["tests"]]
        good, absent = ("PASS", "XFAIL", "FLAKYPASS"), ("UNSUPPORTED", "SKIPPED", "EXCLUDED")
        return Counts(sum(c in good for c in codes), sum(c not in good + absent for c in codes), sum(c in absent for c in codes), bool(codes))


def settle(counts, status, one_check):
    """The counts with the exit status taken into account, and a word on what is wrong beyond failed tests."""
    if one_check:
        return Counts(int(status == 0), int(status != 0), 0, True), ""
    if not counts.complete:
        counts.failed += 1
        return counts, f"did not come to its end (exit status {status})"
    if status != 0 and counts.failed == 0:
        counts.failed += 1
        return counts, f"reports no failure, but exit status {status}"
    if counts.passed + counts.failed == 0:
        counts.failed += 1
        return counts, "ran no test"
    return counts, ""


# Levels of x86-64 beside the default one: what /proc/cpuinfo says of a CPU that runs them, beyond the default's. Where the CPU has not all of it, what
# it lacks is emulated (docs/levels.md). Of the execution tests a part runs there by default, those that a level's vectors, products or roundings show in.
# Emulation is slow: of a level of bf16 products then only bf16, for other elements are as at the level below.
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}
BF16 = AVX512 | {"avx512_bf16"}
LEVELS = {"x86-64-v2": set(), "x86-64-v4": AVX512, "x86-64-v4-bf16": BF16, "x86-64-v4-amx": BF16 | {"amx_tile", "amx_bf16"}}
OF_LEVEL = ("Numerics.*", "Math.*", "LogarithmsInF64.*", "Each/Half.*", "Determinism.*", "Stats.*", "Operands.Columns*", "Operands.QueriesOfAll*", "Parts.SteepSlopes")
OF_BF16 = ("Determinism.*", "Numerics.MixedElementTypes", "Numerics.Lse*", "Numerics.FloatingPoint*")


def level_suites(args):
    """The gallery and the execution tests compiled for the other levels."""
    with open("/proc/cpuinfo") as cpuinfo:
        flags = set(next((line for line in cpuinfo if line.startswith("flags")), "").split())
    program = args.build / "bin/attn-execution-test"
    for number, (level, needed) in enumerate(LEVELS.items()):
        emulated = ("amx" if BF16 <= flags else "avx512") if needed - flags else ""
        here, setting = (f"{level}, emulated", [f"ATTN_EMULATE={emulated}"]) if emulated else (level, ["-u", "ATTN_EMULATE"])
        bf16_alone = emulated and needed >= BF16
        elements = ["--element", "bf16"] if bf16_alone and not args.long else []
        yield f"gallery at {here}", ["env", *setting, sys.executable, ROOT / "test/gallery/check.py", "--attn-run", args.build / "bin/attn-run", "--target", level,
                                      "--seed", str(args.seed + number), *(["--long"] if args.long else ["--count", "1"]), *elements], "program"
        part = [] if args.long else ["--gtest_filter=" + ":".join(OF_BF16 if bf16_alone else OF_LEVEL)]
        yield f"execution at {here}", ["env", *setting, f"ATTN_TARGET={level}", program, *part], "shards" if args.jobs > 1 else "program"


def suites(args):
    """(name, command, how to count): `program`, `shards` (of GoogleTest, side by side), `lit`, or `exit` (the whole command is one test)."""
    bin_dir, python = args.build / "bin", sys.executable
    long = ["--long"] if args.long else []
    listed = (args.build / "test/unit-tests.txt").read_text().split()
    for program in sorted(listed):
        name = Path(program).name
        yield f"unit/{name}", [program], "shards" if name == "attn-execution-test" and args.jobs > 1 else "program"
    yield "runtime", ["sh", ROOT / "test/runtime/run.sh", args.build / "test/runtime"], "program"
    yield "reference", [python, ROOT / "test/reference/self_test.py"], "program"
    yield "minilm-data", [python, ROOT / "scripts/capture-minilm", "--check"], "exit"
    tools = re.search(r'llvm_tools_dir = "(.*)"', (args.build / "test/lit.site.cfg.py").read_text())[1]
    yield "lit", [Path(tools) / "lit", "-v", "-j", str(args.jobs), "--output", args.build / "test/lit.json", args.build / "test"], "lit"
    yield "gallery for GPUs", [python, ROOT / "test/gallery/check.py", "--attn-run", bin_dir / "attn-run", "--seed", str(args.seed), "--target", "sm_80",
                               "--count", "4" if args.long else "1", "--timeout", "300"], "program"
    yield "GPU resources", [python, ROOT / "scripts/gpu-resources", "--check", "--bin", bin_dir, "--jobs", str(args.jobs), "--seed", str(args.seed),
                            *([] if args.long else ["--share", "sm_90=0.25"])], "program"
    yield "gallery", [python, ROOT / "test/gallery/check.py", "--attn-run", bin_dir / "attn-run", "--seed", str(args.seed), *long], "program"
    yield from level_suites(args)
    for part in ("golden", "accept", "mutants"):
        yield f"simulator/{part}", [python, ROOT / f"test/Sim/{part}.py", "--attn-sim", bin_dir / "attn-sim"], "program"
    for example in ("aot-causal", "jit-cpp"):
        yield f"example/{example}", ["env", "-u", "ATTN_TARGET", bin_dir / example], "exit"  # as its users have it: compiled for this CPU


def run(name, command, kind, args):
    """Runs one suite; its output is shown only where something is wrong. Returns its counts."""
    environment = os.environ | {"ATTN_SEED": str(args.seed), "ATTN_TARGET": "x86-64-v3", "GTEST_COLOR": "no", "CC": "clang-22", "CMAKE_GENERATOR": "Ninja",
                                "PYTHONDONTWRITEBYTECODE": "1"}
    if args.long:
        environment["ATTN_LONG"] = "1"
    report = args.build / "test/lit.json"
    if kind == "lit":
        report.unlink(missing_ok=True)
    started = time.monotonic()

    def once(shard):
        """(output, exit status) of the command, or of a part of GoogleTest's tests."""
        with tempfile.TemporaryFile("w+", errors="replace") as out:
            try:
                status = subprocess.run([str(x) for x in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                        cwd=ROOT, env=environment | shard, timeout=args.timeout).returncode
            except subprocess.TimeoutExpired:
                status = f"none: still running after {args.timeout} s"
            except OSError as error:
                status = f"none: {error}"
            out.seek(0)
            return out.read(), status

    if kind == "shards":  # the longest suite by far: on all cores, each with tests of its own
        parts = min(args.jobs, 16)  # none may be empty
        shards = [{"GTEST_TOTAL_SHARDS": str(parts), "GTEST_SHARD_INDEX": str(n)} for n in range(parts)]
        with ThreadPoolExecutor(parts) as pool:
            done = list(pool.map(once, shards))
        settled = [settle(Counts.of_program(text), status, False) for text, status in done]
        counts = Counts(sum(c.passed for c, _ in settled), sum(c.failed for c, _ in settled), sum(c.skipped for c, _ in settled), True)
        wrong = "; ".join(w for _, w in settled if w)
        text = "\n".join(text for (text, _), (c, _) in zip(done, settled) if c.failed)
    else:
        text, status = once({})
        counts = (Counts.of_lit(report) if report.exists() else Counts()) if kind == "lit" else Counts.of_program(text)
        counts, wrong = settle(counts, status, kind == "exit")
    if counts.failed:
        print("\n".join(text.splitlines()[-args.lines:]))
        print(f"  repeat: {' '.join(str(x) for x in command)}")
    skipped = f", {counts.skipped} skipped" if counts.skipped else ""
    print(f"{name:<36} {counts.passed:>6} passed, {counts.failed} failed{skipped}   {time.monotonic() - started:.1f} s"
          + (f"   {wrong}" if wrong else ""), flush=True)
    return counts


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", type=Path, default=ROOT / "build")
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--long", action="store_true", help="all of the randomized suites, not a seeded part")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", action="append", metavar="PREFIX", help="suites whose name starts so")
    p.add_argument("--list", action="store_true", help="only the names of the suites")
    p.add_argument("--timeout", type=int, help="seconds for one suite (default: 1800; 14400 with --long)")
    p.add_argument("--lines", type=int, default=500, help="how much of a failed suite's output is shown")
    p.add_argument("--started", type=int, default=0, help="seconds spent before, for the total")
    args = p.parse_args()
    args.build = args.build.resolve()
    args.timeout = args.timeout or (14400 if args.long else 1800)
    started = time.monotonic() - args.started
    chosen = [s for s in suites(args) if not args.only or s[0].startswith(tuple(args.only))]
    if args.list:
        print(*(s[0] for s in chosen), sep="\n")
        return 0
    if not chosen:
        p.error(f"no suite's name starts with {' or '.join(args.only)}; --list shows them")
    print(f"seed {args.seed}{', all of it' if args.long else ', a seeded part of the randomized suites'}", flush=True)
    results = [run(*s, args) for s in chosen]
    skipped = sum(r.skipped for r in results)
    print(f"{len(results)} suites in {time.monotonic() - started:.0f} s with the build, {skipped} tests skipped")
    failed = sum(r.failed for r in results)
    print(f"{sum(r.passed for r in results)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
