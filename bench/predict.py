#!/usr/bin/env python3
"""Runs lines of the suites, or programs of the gallery, by attn-run --bench and says how near the cost model's prediction comes to what is measured.

    bench/predict.py                          the lines of bench/lines.py whose inputs fit
    bench/predict.py --suite decode           one suite (repeatable); --line causal/4k/d64: one line
    bench/predict.py --gallery                every program of the gallery with the options that it says it needs
    bench/predict.py --store FILE             keeps each figure as JSON, line by line
    bench/predict.py --choice                 forces every variant in turn, twice around: is the one that is chosen the fastest?

Printed are predicted / measured time, the measured one twice: the median of the rounds, and the best tenth of them by the peak loop that alternates with the
kernel, which is what the code takes when neighbours are quiet. The last line says how many are within a quarter.
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


def ratios(found):
    """(predicted / median, predicted / best tenth), or the reason why there is none."""
    if found.get("error"):
        return found["error"]
    p = found.get("predicted") or {"absent": "nothing was predicted"}
    if "absent" in p:
        return p["absent"]
    quiet = found["seconds"] * found["peak"]["by_time"] / found["peak"]["quiet_by_time"] if found["peak"]["quiet_by_time"] else found["seconds"]
    return p["seconds"] / found["seconds"], p["seconds"] / quiet


def show(name, found):
    r = ratios(found)
    if isinstance(r, str):
        print(f"{name:30} no prediction: {r}", flush=True)
        return None
    parts = {n: x / found["predicted"]["seconds"] for n, x in found["predicted"]["parts"].items()}
    text = ", ".join(f"{n} {100 * x:.0f}" for n, x in parts.items() if x >= 0.005)
    print(f"{name:30} {found['variant']:10} measured {1e3 * found['seconds']:10.3f} ms, predicted {1e3 * found['predicted']['seconds']:10.3f} ms: {r[0]:.2f}, of the best tenth {r[1]:.2f}   ({text} %)", flush=True)
    return r


def choose(name, options, args):
    """Medians of every variant, the rounds of all of them mixed: each is measured twice, once in either order."""
    first = attn_run(args, *options, "--bench", "--rounds", 5, "--explain")
    if first.get("error"):
        print(f"{name:30} {first['error']}")
        return None
    text = subprocess.run([str(args.attn_run), *map(str, options), "--explain", "--threads", str(args.threads)], capture_output=True, text=True, timeout=120).stdout
    names = re.findall(r"^variant +(\w+): ", text, re.M)
    if len(names) < 2:
        return None
    times = {n: [] for n in names}
    predicted = {}
    for n in [*names, *reversed(names)]:
        found = attn_run(args, *options, "--bench", "--rounds", args.rounds, "--variant", n)
        if found.get("error"):
            continue
        times[n].append(found["seconds"] * found["peak"]["by_time"] / found["peak"]["quiet_by_time"] * found["peak"]["gflops"])  # by the peak loop beside it
        predicted[n] = (found.get("predicted") or {}).get("seconds")
    times = {n: min(t) for n, t in times.items() if t}
    chosen = first["variant"]
    best = min(times, key=times.get)
    model = min((n for n in times if predicted.get(n)), key=lambda n: predicted[n], default="-")
    words = ", ".join(f"{n} {t / times[chosen]:.2f}" for n, t in times.items())
    print(f"{name:30} chosen {chosen}; time of it: {words}; by the model {model}{'' if times[best] > 0.95 * times[chosen] else '   <- ' + best + ' is faster'}", flush=True)
    return times[best] > 0.95 * times[chosen]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--suite", action="append")
    p.add_argument("--line", action="append")
    p.add_argument("--gallery", action="store_true")
    p.add_argument("--choice", action="store_true")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=10)
    p.add_argument("--most", type=int, default=1 << 32, help="leave out lines with more pairs of all heads")
    p.add_argument("--store")
    p.add_argument("--attn-run", type=Path, default=ROOT / "build/bin/attn-run")
    p.add_argument("program", nargs="*", type=Path, help="these programs alone")
    args = p.parse_args()
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
            found[name] = one
            show(name, one)
            if args.store:
                Path(args.store).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        if args.choice:
            known = [x for x in agreed if x is not None]
            print(f"the variant that is chosen is the fastest, within 5 %, on {sum(known)} of {len(known)}")
            return 0
        pairs = [r for r in map(ratios, found.values()) if not isinstance(r, str)]
        for n, what in enumerate(("the median", "the best tenth")):
            if pairs:
                near = sum(0.75 <= r[n] <= 1.25 for r in pairs)
                print(f"{near} of {len(pairs)} within a quarter of {what}; predicted / measured from {min(r[n] for r in pairs):.2f} over {statistics.median(r[n] for r in pairs):.2f} to {max(r[n] for r in pairs):.2f}")
        if len(found) > len(pairs):
            print(f"{len(found) - len(pairs)} without a prediction")
    return 0


if __name__ == "__main__":
    sys.exit(main())
