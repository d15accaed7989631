#!/usr/bin/env python3
"""How long programs of the gallery take from text to callable kernel, cold: each in a process of its own.

    bench/compile_time.py                       every program of gallery/, the best of 3
    bench/compile_time.py --attn-run A --attn-run B     two builds, alternately
    bench/compile_time.py gallery/causal.mlir --rounds 20

The time is the one that attn-run reports (compile_ms): parsing, lowering, code generation and linking, without starting the process. The best of the rounds counts,
since whatever else the machine does only adds. Last lines: the median over the programs, and the slowest."""
import argparse
import glob
import json
import os
import re
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def options_of(path):
    """The options that a program's text says it needs."""
    found = re.search(r"^// attn-run: (.*)$", open(path).read(), re.M)
    return found.group(1).split() if found else []


def compile_ms(tool, path):
    command = [tool, path, *options_of(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"compile_time: {' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)["compile_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", help="default: all of the gallery")
    parser.add_argument("--attn-run", action="append", help="the tool (default: build/bin/attn-run); several: alternately")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one object instead of text")
    args = parser.parse_args()
    tools = args.attn_run or [os.path.join(ROOT, "build/bin/attn-run")]
    programs = args.programs or sorted(glob.glob(os.path.join(ROOT, "gallery/*.mlir")))
    best = {tool: {path: float("inf") for path in programs} for tool in tools}
    for n in range(args.rounds):
        for path in programs:
            for tool in tools if n % 2 == 0 else reversed(tools):
                best[tool][path] = min(best[tool][path], compile_ms(tool, path))
    result = {
        tool: {
            "median_ms": statistics.median(times.values()),
            "slowest": sorted(((ms, os.path.basename(path)) for path, ms in times.items()), reverse=True)[:5],
            "programs": {os.path.basename(path): ms for path, ms in times.items()},
        }
        for tool, times in best.items()
    }
    if args.json:
        print(json.dumps(result))
        return
    for path in programs if len(programs) <= 12 else []:
        print("  ".join(f"{best[tool][path]:6.1f} ms" for tool in tools), os.path.basename(path))
    for tool in tools:
        slowest = ", ".join(f"{name} {ms:.0f}" for ms, name in result[tool]["slowest"])
        print(f"median {result[tool]['median_ms']:.1f} ms over {len(programs)} programs, best of {args.rounds}; slowest: {slowest}    {tool}")


main()
