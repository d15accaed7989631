#!/usr/bin/env python3
"""The simulator's acceptance: what nvcc made of ordinary CUDA C++ runs clean and right, with every time of asynchronous copies and several seeds.

    accept.py --attn-sim TOOL [--seed N] [--only NAME]

The last line is `N passed, N failed`.
"""

import argparse
import sys
from pathlib import Path

from cases import cases
from simulate import simulate


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--attn-sim", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", default="")
    args = p.parse_args()
    passed = failed = 0
    for case in cases(args.seed):
        if args.only not in case.name:
            continue
        for n, when in enumerate(("earliest", "latest", "random")):
            outcome = simulate(args.attn_sim, case, seed=args.seed + n, when=when)
            wrong = [outcome.message] if outcome.status else case.expected(outcome.results)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            if wrong:
                print(f"{case.name} --async {when} --seed {args.seed + n}:", *wrong[:3], sep="\n  ")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
