#!/usr/bin/env python3
"""Runs lines of the suites, or programs of the gallery, by attn-run --bench and says how near the cost model's prediction comes to what is measured.

    bench/predict.py                          the lines of bench/lines.py whose inputs fit
    bench/predict.py --suite decode           one suite (repeatable); --line causal/4k/d64: one line
    bench/predict.py --gallery                every program of the gallery with the options that it says it needs
    bench/predict.py --store FILE             keeps each figure as JSON, line by line
    bench/predict.py --choice                 forces every variant in turn, there and back, undisturbed tasks: is the one that is chosen the fastest?

Printed are predicted / measured time, the median of rounds that alternate with the peak loop. With --quiet N the measured one is that of fraction-of-peak, N seconds (or
15 calls) of tasks between two runs of the peak loop that agree: what the code takes when nobody disturbs it, on a machine where neighbours do. The last line says how many are within
a quarter.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def attn_run(args, *options):
    done = subprocess.run([str(args.attn_run), *map(str, options), "--json", "--threads", str(args.threads)], capture_output=True, text=True, timeout=120)
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        return {"error": (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]}


def options_of_line(line, folder):
    """The program as a file, and what attn-run needs to run the line."""
    import numpy as np

    text = (ROOT / f"gallery/{line.pattern.program}.mlir").read_text()
    width = re.search(r"x(\d+)xf32>", text)[1]
    text = text.replace(f"x{width}xf32>", f"x{line.d}xf32>")
    path = Path(folder) / f"{line.pattern.program}.mlir"
    path.write_text(text)
    options = [path, "--dtype", line.element] if line.element != "f32" else [path]
    sizes = {"b": line.b, "h": line.h, "i": line.i, "j": line.j}
    if line.pattern.program == "natten_2d":
        sizes = {"b": line.b, "h": line.h, "n": line.i}
    for name, n in sizes.items():
        options += ["--size", f"{name}={n}"]
    for name, value in line.pattern.params.items():
        options += ["--param", f"{name}={value}"]
    for name, array in line.pattern.extras(line, np.random.default_rng(0)).items():
        np.save(Path(folder) / f"{name}.npy", array)
        options += ["--input", f"{name}={folder}/{name}.npy"]
    return options


def options_of_program(path):
    """What the program's comment says: `// attn-run: OPTIONS`."""
    words = [w for line in path.read_text().splitlines() if line.startswith("// attn-run:") for w in line.split(":", 1)[1].split()]
    return [path, *words]


def quiet(options, seconds, args):
    """Cycles of an undisturbed call, or the reason why there is no such figure."""
    case = f"{options[0]}:64:" + ",".join(str(x) for x in options[1:])
    done = subprocess.run([str(args.attn_run.parent / "fraction-of-peak"), "--json", "--seconds", str(max(args.quiet, 15 * seconds)), case], capture_output=True, text=True)
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        return done.stderr.strip().splitlines()[-1]
    return found["flops"] / 32 / found["quiet"]


def ratio(found):
    """Predicted to measured, or the reason why there is none."""
    if found.get("error"):
        return found["error"]
    p = found.get("predicted") or {"absent": "nothing was predicted"}
    if "absent" in p:
        return p["absent"]
    cycles = found.get("quiet")
    return cycles if isinstance(cycles, str) else p["seconds"] * p["cycles_per_second"] / cycles if cycles else p["seconds"] / found["seconds"]


def show(name, found):
    r = ratio(found)
    if isinstance(r, str):
        print(f"{name:30} no prediction: {r}", flush=True)
        return
    p = found["predicted"]
    text = ", ".join(f"{n} {100 * x / p['seconds']:.0f}" for n, x in p["parts"].items() if x >= 0.005 * p["seconds"])
    measured = f"quiet {found['quiet'] / 1e6:10.3f} Mcycles, predicted {p['seconds'] * p['cycles_per_second'] / 1e6:10.3f}" if found.get("quiet") else f"measured {1e3 * found['seconds']:10.3f} ms, predicted {1e3 * p['seconds']:10.3f}"
    print(f"{name:30} {found['variant']:10} {measured}: {r:.2f}   ({text} %)", flush=True)


def choose(name, options, args):
    """Undisturbed cycles of every variant that takes such a call, twice, in either order."""
    first = attn_run(args, *options, "--bench", "--rounds", 5)
    if first.get("error"):
        print(f"{name:30} {first['error']}")
        return None
    text = subprocess.run([str(args.attn_run), *map(str, options), "--explain", "--threads", str(args.threads)], capture_output=True, text=True, timeout=120).stdout
    names = re.findall(r"^variant +(\w+): ", text, re.M)
    if len(names) < 2:
        return None
    cycles, predicted = {n: [] for n in names}, {}
    for n in [*names, *reversed(names)]:
        found = quiet([*options, "--variant", n], first["seconds"], args)
        if isinstance(found, str):
            continue
        cycles[n].append(found)
        if n not in predicted:
            p = attn_run(args, *options, "--bench", "--rounds", 3, "--variant", n).get("predicted") or {}
            predicted[n] = p.get("seconds", float("inf")) * p.get("cycles_per_second", 1)
    cycles = {n: min(t) for n, t in cycles.items() if t}
    chosen = first["variant"]
    if chosen not in cycles:
        print(f"{name:30} {chosen}: no task was timed between equal peaks; run longer")
        return None
    best, model = min(cycles, key=cycles.get), min(predicted, key=predicted.get)
    words = ", ".join(f"{n} {t / cycles[chosen]:.2f} ({predicted[n] / cycles[chosen]:.2f})" for n, t in cycles.items())
    agrees = cycles[best] > 0.95 * cycles[chosen]
    print(f"{name:30} chosen {chosen}; time of each (predicted), of that of {chosen}: {words}; by the model {model}{'' if agrees else '   <- ' + best + ' is faster'}", flush=True)
    return agrees


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--suite", action="append")
    p.add_argument("--line", action="append")
    p.add_argument("--gallery", action="store_true")
    p.add_argument("--choice", action="store_true")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=10)
    p.add_argument("--most", type=int, default=1 << 32, help="leave out lines with more pairs of all heads")
    p.add_argument("--quiet", type=float, default=0)
    p.add_argument("--store")
    p.add_argument("--attn-run", type=Path, default=ROOT / "build/bin/attn-run")
    p.add_argument("program", nargs="*", type=Path, help="these programs alone")
    args = p.parse_args()
    args.quiet = args.quiet or (1 if args.choice else 0)
    sys.path.insert(0, str(HERE))
    with tempfile.TemporaryDirectory() as folder:
        if args.gallery or args.program:
            work = [(x.stem, lambda x=x: options_of_program(x)) for x in args.program or sorted((ROOT / "gallery").glob("*.mlir"))]
        else:
            from lines import suites

            chosen = [x for x in suites() if (not args.suite or x.suite in args.suite) and (not args.line or x.name in args.line) and x.b * x.h * x.i * x.j <= args.most]
            work = [(x.name, lambda x=x: options_of_line(x, folder)) for x in chosen]
        found, agreed = {}, []
        for name, options in work:
            if args.choice:
                agreed.append(choose(name, options(), args))
                continue
            one = attn_run(args, *options(), "--bench", "--rounds", args.rounds)
            if args.quiet and not isinstance(ratio(one), str):
                one["quiet"] = quiet(options(), one["seconds"], args)
            found[name] = one
            show(name, one)
            if args.store:
                Path(args.store).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        if args.choice:
            known = [x for x in agreed if x is not None]
            print(f"the variant that is chosen is the fastest, within 5 %, on {sum(known)} of {len(known)}")
            return 0
        known = [r for r in map(ratio, found.values()) if not isinstance(r, str)]
        if known:
            near = sum(0.75 <= r <= 1.25 for r in known)
            print(f"{near} of {len(known)} within a quarter; predicted / measured from {min(known):.2f} over {statistics.median(known):.2f} to {max(known):.2f}")
        if len(found) > len(known):
            print(f"{len(found) - len(known)} without a prediction")
    return 0


if __name__ == "__main__":
    sys.exit(main())
