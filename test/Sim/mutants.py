#!/usr/bin/env python3
"""Spoils the kernels of cases.py one line at a time and counts how many of these mutants the simulator catches.

    mutants.py --attn-sim TOOL [--long] [--list] [--only CASE] [--jobs N]

A mutant lacks one barrier, wait, commit, fence, guard, branch or swizzle, or waits for one group less. It is caught if the simulator finds something, refuses it, the results are
wrong, or (swizzles) shared memory needs more passes. Not counted are mutants that do on these inputs what the original does: the line is never reached, or its guard is true
(false) in every lane that comes by and the mutant drops the guard (the guarded instruction). Others that are as good as the original are listed in EQUIVALENT with the
reason; one that is listed and caught, or not listed and missed, is shown. The last line is `N passed, N failed`: at least 95 % must be caught, and nothing listed.
Without --long a part of the branches, drawn by the seed, is left out.
"""

import argparse
import os
import random
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cases import cases
from simulate import simulate

# (case, line of the .ptx file, what) -> why nothing is wrong with it.
EQUIVALENT = {
    ("reduce.row_sums", 128, "guarded"): "the other warps reduce too, but only thread 0 stores",
    ("reduce.total", 330, "barrier"): "the last step of the tree and what follows are thread 0's alone",
    ("histogram.extremes", 146, "guard"): "after its success the loop goes round once more and leaves through the comparison",
}


def mutations(text):
    """(line number, what, new text of the line) of every mutant of a kernel's body."""
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//")[0].strip()
        if re.match(r"(bar|barrier)\.", code):
            yield number, "barrier", ""
        elif re.match(r"cp\.async\.wait", code):
            yield number, "wait", ""
            groups = re.match(r"cp\.async\.wait_group (\d+);", code)
            if groups:
                yield number, "weaker wait", f"cp.async.wait_group {int(groups[1]) + 1};"
        elif re.match(r"cp\.async\.commit", code):
            yield number, "commit", ""
        elif re.match(r"(membar|fence)", code):
            yield number, "fence", ""
        elif code.startswith("@"):
            yield number, "guard", code.split(None, 1)[1]
            yield number, "guarded", ""
        elif re.match(r"xor\.b32", code):
            operands = [o.strip() for o in code[len("xor.b32"):].rstrip(";").split(",")]
            yield number, "swizzle", f"mov.b32 {operands[0]}, {operands[1]};"


def spans(text):
    """First and last line of each kernel."""
    result, name, start = {}, None, 0
    for number, line in enumerate(text.splitlines(), 1):
        entry = re.search(r"\.entry (\w+)", line)
        if entry:
            name, start = entry[1], number
        elif line.startswith("}") and name:
            result[name] = (start, number)
            name = None
    return result


def same_here(base, number, what):
    """Whether a mutant does on the case's inputs just what the original does."""
    lanes, on = base.guards.get(number, (0, 0))
    if what.startswith("guard"):
        return on == (lanes if what == "guard" else 0)
    return number not in base.executed_lines


def caught(tool, case, lines, number, replacement, base):
    """How the mutant was caught, or None."""
    text = "\n".join([*lines[: number - 1], replacement, *lines[number:]]) + "\n"
    for seed, when in ((1, "latest"), (2, "earliest"), (3, "random")):
        outcome = simulate(tool, case, ptx=text, seed=seed, when=when, max_steps=400_000)
        if outcome.status == 1:
            return outcome.findings[0]["kind"]
        if outcome.status:
            return "refused"
        if case.expected(outcome.results):
            return "wrong result"
        if outcome.wavefronts > base:
            return "bank conflicts"
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--attn-sim", type=Path, required=True)
    p.add_argument("--long", action="store_true", default=bool(os.environ.get("ATTN_LONG")))
    p.add_argument("--list", action="store_true", help="every mutant and what became of it")
    p.add_argument("--only", default="")
    p.add_argument("--seed", type=int, default=int(os.environ.get("ATTN_SEED", "1")))
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    args = p.parse_args()
    work = []
    for case in cases(1):
        if args.only not in case.name:
            continue
        lines = case.file.read_text().splitlines()
        first, last = spans("\n".join(lines))[case.kernel]
        base = simulate(args.attn_sim, case)
        assert base.status == 0 and not case.expected(base.results), f"{case.name} itself: {base.message}"
        drawn = random.Random(f"{args.seed} {case.name}")
        for number, what, replacement in mutations("\n".join(lines)):
            if first <= number <= last and not same_here(base, number, what) and (args.long or not what.startswith("guard") or drawn.random() < 0.5):
                work.append((case, lines, number, what, replacement, base.wavefronts))
    with ThreadPoolExecutor(args.jobs) as pool:
        how = list(pool.map(lambda w: caught(args.attn_sim, w[0], w[1], w[2], w[4], w[5]), work))
    counts, missed, failed = {}, 0, 0
    for (case, lines, number, what, _, _), answer in zip(work, how):
        counts[answer or "missed"] = counts.get(answer or "missed", 0) + 1
        reason = EQUIVALENT.get((case.name, number, what))
        missed += answer is None and reason is None
        if args.list or (answer is None) != (reason is not None):
            print(f"{case.name} line {number}, without its {what}: {answer or 'missed'}{f' (equivalent: {reason})' if reason else ''}: {lines[number - 1].strip()}")
        if answer and reason:
            failed += 1
    real = len(work) - sum(EQUIVALENT.get((c.name, n, w)) is not None for c, _, n, w, _, _ in work)
    share = (real - missed) / real if real else 0
    print(f"{len(work)} mutants, {real} of them not equivalent: {100 * share:.1f} % caught; " + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())))
    failed += share < 0.95
    print(f"{real - missed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
