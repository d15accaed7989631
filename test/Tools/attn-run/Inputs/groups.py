"""Heads that share keys as rows of the same CTAs.

    groups.py ATTN_RUN bits       outputs have the bits that they have where keys are repeated and each head has CTAs of its own
    groups.py ATTN_RUN nan        a head whose queries are not finite changes no bit of another's outputs
    groups.py ATTN_RUN sectors    more heads of a group read their queries more, and no key
"""
import re
import subprocess
import sys

import numpy as np

RUN, WHAT = sys.argv[1:]
PROGRAM = """!t = tensor<?x?x?x64x{t}>
attn.kernel @groups(%q: !t, %k: !t, %v: !t, %slope: tensor<?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {{
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, {kv}, j, c] v = %v[b, {kv}, j, e]
    set = {set}
    score(%s, h = %h, i = %i, j = %j) {{ {score} }}
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}}
"""
PLAIN = "attn.yield %s : f32"
SLOPE = """%m = attn.load %slope[%h] : tensor<?xf32>  %d = arith.subi %j, %i : index  %x = arith.index_cast %d : index to i64
      %y = arith.sitofp %x : i64 to f32  %z = arith.mulf %m, %y : f32  %u = arith.addf %s, %z : f32  attn.yield %u : f32"""
DTYPES = {"f32": np.float32, "f16": np.float16}


def make(t, b, h, kv, i, j, seed=1):
    random = np.random.default_rng(seed)
    shapes = {"q": (b, h, i, 64), "k": (b, kv, j, 64), "v": (b, kv, j, 64)}
    data = {name: random.standard_normal(shape).astype(DTYPES[t]) for name, shape in shapes.items()}
    return data | {"slope": random.random(h).astype(np.float32)}


def run(share, data, t, set="causal<bottom_right>", score=PLAIN, extra=()):
    """Outputs as bits, and what was printed. `share`: heads of a group; 1: none, 0: all."""
    kv = {0: "0", 1: "h"}.get(share, f"h floordiv {share}")
    with open("groups.mlir", "w") as file:
        file.write(PROGRAM.format(t=t, kv=kv, set=set, score=score))
    # By this seed sums of an mma go by no row's place.
    command = [RUN, "groups.mlir", "--target", "sm_80", "--seed", "2", "--explain", *extra]
    for name, x in data.items():
        np.save(name + ".npy", x)
        command += ["--input", f"{name}={name}.npy"]
    for name in ("o", "lse"):
        command += ["--save", f"{name}=out-{name}.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    together = "are rows of the same CTAs" in done.stdout
    if together != (share != 1):
        sys.exit(f"share {share}: together is {together}\n{done.stdout}")
    bits = {"f32": np.uint32, "f16": np.uint16}
    return np.load("out-o.npy").view(bits[t]), np.load("out-lse.npy").view(np.uint32), done.stdout


def same(a, b, what):
    for name, x, y in zip(("o", "lse"), a, b):
        print(f"{what}: {name} {'equal' if np.array_equal(x, y) else f'DIFFERS in {np.sum(x != y)} of {x.size}'}")


def repeated(data, heads):
    """Keys and values once for each head."""
    kv = data["k"].shape[1]
    return data | {n: np.repeat(data[n], -(-heads // kv), axis=1)[:, :heads] for n in "kv"}


if WHAT == "bits":
    split = ("--split-keys", "4")
    for t, share, b, h, i, j, set, score, extra in (
        ("f16", 4, 1, 8, 1, 200, "causal<bottom_right>", PLAIN, ()),
        ("f32", 4, 1, 8, 1, 200, "causal<bottom_right>", PLAIN, split),
        ("f16", 3, 2, 7, 45, 150, "causal<bottom_right>", SLOPE, ()),  # the last group lacks two heads
        ("f32", 2, 1, 4, 70, 70, "window<bottom_right, left = 20>", SLOPE, ()),
        ("f16", 0, 2, 5, 3, 130, "causal<bottom_right>", SLOPE, split),
    ):
        heads = h if share == 0 else share
        data = make(t, b, h, -(-h // heads), i, j)
        alone = run(1, repeated(data, h), t, set, score, extra)
        same(run(share, data, t, set, score, extra), alone, f"{t} {share} {i} x {j}")
        if share == 4:  # as two heads, of keys that are there twice
            half = data | {n: np.repeat(data[n], 2, axis=1) for n in "kv"}
            same(run(2, half, t, set, score, extra), alone, f"{t} 4 as 2 {i} x {j}")
elif WHAT == "nan":
    for t in DTYPES:
        data = make(t, 1, 4, 1, 5, 100)
        clean = run(4, data, t)
        data["q"][0, 2, 3, 7] = np.nan
        dirty = run(4, data, t)
        others = np.ones((1, 4, 5), bool)
        others[0, 2, 3] = False
        same([x[others] for x in clean[:2]], [x[others] for x in dirty[:2]], t)
        print("its own:", "NaN" if np.isnan(np.load("out-lse.npy")[0, 2, 3]) else "WRONG")
else:
    def sectors(h, extra=()):
        out = run(8, make("f16", 1, h, 1, 1, 1024), "f16", "full", PLAIN, extra)[2]
        return int(re.search(r"(\d+) sectors of global", out)[1])

    for variant in ("stage", "split"):
        extra = ("--variant", variant)
        one, two, eight = (sectors(h, extra) for h in (1, 2, 8))
        keys = 2 * 1024 * 128 // 32  # and values
        once = keys < one and eight < keys + keys // 2
        print(f"{variant}: one head {one}, another {two - one}, six more {eight - two}: keys {'once' if once else 'AGAIN'}")
