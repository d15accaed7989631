"""split.py ATTN_RUN FOLDER: programs whose keys are split into chunks, compared with the interpreter and with each other."""
import os
import subprocess
import sys

import numpy as np

RUN, FOLDER = sys.argv[1:3]
ROWS = "o[b, h, i, e]"
LSE = {"lse": ("lse[b, h, i]", "tensor<?x?x?xf32>")}
# name: normalize clause, further outputs, further clauses
PROGRAMS = {
    "softmax": ("@softmax", LSE, ""),
    "sink": ("@softmax_sink(0.5)", LSE, ""),
    "sink_high": ("@softmax_sink(20.0)", LSE, ""),
    "sink_none": ("@softmax_sink(%b[h])", LSE, ""),
    "softmax1": ("@softmax1", LSE, ""),
    "sigmoid": ("@sigmoid(-1.5)", {}, ""),
    "relu": ("@relu_n", {}, ""),
    "relu2": ("@relu2_n", {}, ""),
    "relu2_sum": ("@relu2_sum(0.25, 0.001)", {}, ""),
    "identity": ("@identity", {}, ""),
    "identity_n": ("@identity_n", {}, ""),
    "softpick": ("@softpick", {}, ""),
    "argmax": ("@argmax", {"max": ("max[b, h, i]", "tensor<?x?x?xf32>")}, ""),
    "classes": ("@classes", {}, "class(i = %i, j = %j) {\n"
                "      %two = arith.constant 2 : index\n      %c = arith.remui %j, %two : index\n      attn.yield %c : index\n    }"),
    "reduced": ("@softmax_sink(0.5)",
                LSE | {n: (f"{n}[b, h, i]", "tensor<?x?x?xf32>") for n in ("near", "all", "top", "low")}
                | {"id": ("id[b, h, i]", "tensor<?x?x?xi32>")},
                "reduce near = weighted(%s, i = %i, j = %j) {\n      %x = arith.index_cast %j : index to i64\n"
                "      %f = arith.sitofp %x : i64 to f32\n      %t = arith.constant 0.01 : f32\n      %y = arith.mulf %f, %t : f32\n      attn.yield %y : f32\n    }\n"
                "    reduce all = sum(%s) { attn.yield %s : f32 }\n    reduce top = max(%s) { attn.yield %s : f32 }\n"
                "    reduce low = min(%s) { attn.yield %s : f32 }\n    reduce id = argmax"),
}
# Outputs below all normal numbers, which are compared with no interpreter.
TINY = {"sink_100": ("@softmax_sink(100.0)", LSE, "")}
# Two value sums over the classes of keys; a statistic of the one pass; a seed with a weight of its own.
CLASSES = """
attn.normalizer @classes {
  %t = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    seed {
      %b = arith.constant 0.75 : f32
      %one = arith.constant 1.0 : f32
      %half = arith.constant 0.5 : f32
      %zero = arith.constant 0.0 : f32
      attn.yield %b, %one, %half, %half, %zero : f32, f32, f32, f32, f32
    }
    sums(l = one, l0 = one in 0, n0 = value in 0, n1 = value in 1)
    stat(%r, %l, %l0) {
      %t = arith.divf %l0, %l : f32
      attn.yield %t : f32
    }
  attn.finish(%r, %l, %l0, %n0, %n1) {
    %a = arith.mulf %t, %n1 : f32
    %n = arith.addf %n0, %a : f32
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
"""


def program(name, where="causal<bottom_right>"):
    normalize, more, clauses = (PROGRAMS | TINY)[name]
    extra = ", %b: tensor<?xf32>" if "%b" in normalize else ""
    names = ["o", *more]
    types = ["!t", *(t for _, t in more.values())]
    maps = ", ".join([ROWS, *(m for m, _ in more.values())])
    results = ", ".join(f"%{n}" for n in names)
    return f"""!t = tensor<?x?x?x24xf32>
{CLASSES if name == "classes" else ""}
attn.kernel @k(%q: !t, %k: !t, %v: !t{extra}) -> ({", ".join(f"{n}: {t}" for n, t in zip(names, types))}) {{
  {results} = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = {where}
    normalize = {normalize}
    {clauses}
    outputs {maps}
    : (!t, !t, !t) -> ({", ".join(types)})
  attn.return {results} : {", ".join(types)}
}}
"""


def run(name, chunks, i, j, *options, where="causal<bottom_right>", inputs=None, check=True):
    """The results of one run by name, compared with the interpreter unless told otherwise."""
    path = os.path.join(FOLDER, f"{name}.mlir")
    with open(path, "w") as f:
        f.write(program(name, where))
    cmd = [RUN, path, "--size", "b=1", "--size", "h=2", "--size", f"i={i}", "--size", f"j={j}", "--block-keys", "16", *options]
    cmd += ["--split-keys", str(chunks)] if chunks else []
    cmd += ["--check"] if check else []
    for n, x in (inputs or {}).items():
        np.save(os.path.join(FOLDER, f"{n}.npy"), x)
        cmd += ["--input", f"{n}={FOLDER}/{n}.npy"]
    names = ["o", *(PROGRAMS | TINY)[name][1]]
    for n in names:
        cmd += ["--save", f"{n}={FOLDER}/{n}.out.npy"]
    done = subprocess.run(cmd, capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(f"{' '.join(cmd)}\n{done.stdout}{done.stderr}")
    return {n: np.load(f"{FOLDER}/{n}.out.npy").copy() for n in names}


def same(a, b, what):
    for n in a:
        if a[n].tobytes() != b[n].tobytes():
            sys.exit(f"{what}: bits of {n} differ in {np.sum(a[n].view(np.uint32) != b[n].view(np.uint32))} places")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    sinks = {"b": np.array([-np.inf, 3.0], np.float32)}
    for name in PROGRAMS:
        inputs = sinks if name == "sink_none" else None
        # 9 blocks of keys, the last of 3; the first rows see few.
        stream = run(name, 0, 13, 131, inputs=inputs)
        same(stream, run(name, 1, 13, 131, inputs=inputs), f"{name}, one chunk")
        run(name, 2, 13, 131, inputs=inputs)
        same(run(name, 7, 13, 131, inputs=inputs), run(name, 7, 13, 131, "--threads", "2", inputs=inputs, check=False), f"{name}, 2 threads")
    # No key, one, fewer blocks than chunks.
    for name in ("sink", "sigmoid", "argmax", "reduced"):
        for j in (0, 1, 17):
            run(name, 7, 4, j, where="full")
    # Chunks that the set leaves empty, and rows.
    for name in ("softmax", "sink", "identity_n", "argmax", "reduced"):
        run(name, 7, 30, 150, where="window<top_left, left = 4, right = -1>")
        run(name, 7, 30, 150, where="prefix<3> or window<bottom_right, left = 4>")
    # References far apart, and too large for a difference that is kept.
    for name in ("softmax", "softpick", "reduced"):
        for logits in ("rising", "huge", "spikes"):
            run(name, 7, 6, 140, "--logits", logits)
    # A sink enters once, after the merge: lse = log(e^b + sum e^s).
    zero = {n: np.zeros((1, 2, t, 24), np.float32) for n, t in (("q", 3), ("k", 100), ("v", 100))}
    for name, b in (("sink", 0.5), ("sink_100", 100.0)):
        for chunks in (1, 2, 7):
            lse = run(name, chunks, 3, 100, where="full", inputs=zero, check=b < 50)["lse"]
            want = np.logaddexp(b, np.log(100.0))
            if np.max(np.abs(lse - want)) > 1e-5 * abs(want):
                sys.exit(f"{name}, {chunks} chunks: lse {lse.flat[0]}, expected {want}")
    # What nobody sees may be anything: only the chunks that hold it are done again, guarded.
    rng = np.random.default_rng(1)
    clean = {n: rng.standard_normal((1, 2, t, 24)).astype(np.float32) for n, t in (("q", 9), ("k", 130), ("v", 130))}
    poison = {n: x.copy() for n, x in clean.items()}
    for bad, j in ((np.nan, 40), (np.inf, 41), (-np.inf, 99)):
        poison["k"][:, :, j] = bad
        poison["v"][:, :, j] = bad
    hidden = "where(j = %j) {\n      %a = arith.constant 40 : index\n      %b = arith.constant 41 : index\n      %c = arith.constant 99 : index\n"
    hidden += "".join(f"      %{x}x = arith.cmpi ne, %j, %{x} : index\n" for x in "abc")
    hidden += "      %y = arith.andi %ax, %bx : i1\n      %z = arith.andi %y, %cx : i1\n      attn.yield %z : i1\n    }"
    for name in ("softmax", "sink", "sigmoid", "softpick", "argmax", "reduced"):
        same(run(name, 7, 9, 130, where=hidden, inputs=clean, check=False),
             run(name, 7, 9, 130, where=hidden, inputs=poison, check=False), f"{name}, poison")
    # A visible NaN or +inf makes its row NaN, in whatever chunk it is, and no other.
    for bad in (np.nan, np.inf):
        seen = {n: x.copy() for n, x in clean.items()}
        seen["q"][0, 0, 4] = bad
        for name in ("softmax", "sink", "sigmoid"):
            o, was = run(name, 7, 9, 130, where="full", inputs=seen, check=False), run(name, 7, 9, 130, where="full", inputs=clean, check=False)
            if not np.all(np.isnan(o["o"][0, 0, 4])):
                sys.exit(f"{name}: the row of a query of {bad} is not NaN")
            o["o"][0, 0, 4] = was["o"][0, 0, 4]
            same({"o": o["o"]}, {"o": was["o"]}, f"{name}: rows beside one of {bad}")
    print("ok")


main()
