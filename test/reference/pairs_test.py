"""The references that are told by which pairs they see, against predicates of one pair in plain Python, for every knob they declare.

Run by self_test.py. Each predicate is written from the words of its paper in another way than the reference's broadcasting:
neighborhoods by searching for the best window, lists by `in`, random numbers in Python integers.
"""

import importlib
from types import SimpleNamespace

import numpy as np

import axial
import common
import philox


def word(counter, key):
    """The first word of philox4x32-10, in Python integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [b // 2 ** 32 ^ c[1] ^ k[0], b % 2 ** 32, a // 2 ** 32 ^ c[3] ^ k[1], a % 2 ** 32]
        k = [(k[0] + 0x9E3779B9) % 2 ** 32, (k[1] + 0xBB67AE85) % 2 ** 32]
    return c[0]


def number(seed, *indices):
    counter = [*reversed(indices), 0, 0, 0][:4]
    return word(counter, (seed % 2 ** 32, seed // 2 ** 32 % 2 ** 32)) // 2 ** 8 / 2 ** 24


def shift(x):
    return x["J"] - x["I"] if x["align"] == "bottom_right" else 0


def place(t, width):
    """Coordinates of token t on the grid."""
    at = []
    for w in reversed(width):
        t, r = divmod(t, w)
        at.insert(0, r)
    return [t, *at]


def neighbor(x, y, extent, size, dilation, stride, causal):
    """Whether y is in the window of x: of all windows of `size` tokens of x's class, the one that is centered best on the leader."""
    tokens = [t for t in range(extent) if t % dilation == x % dilation]
    if y not in tokens:
        return False
    group = [p for p in range(x + stride) if p // stride == x // dilation // stride]
    if causal:
        last = min(group[-1], len(tokens) - 1)
        return last - size < tokens.index(y) <= x // dilation
    leader = min(group[len(group) // 2], len(tokens) - 1)
    starts = range(max(0, len(tokens) - size) + 1)
    start = min(starts, key=lambda s: abs(s + size // 2 - leader))
    return y in tokens[start:start + size]


def natten(b, h, i, j, x):
    width = x.get("width", ())
    area = int(np.prod(width, dtype=int))
    extents = [(x["J"] + area - 1) // area, *width]
    a, c = place(i, width), place(j, width)
    return all(neighbor(a[n], c[n], extents[n], x["size"][n], x["dilation"][n], x["stride"][n], x["causal"][n]) for n in range(len(a)))


def halo(b, h, i, j, x, padded=False):
    a, c = place(i, x["width"]), place(j, x["key_width"] if padded else x["width"])
    for n in range(2):
        size, ring = x["block"][n], x["halo"][n]
        at = c[n] - ring if padded else c[n]  # in the coordinates of the image
        block = range(a[n] // size * size, (a[n] // size + 1) * size)
        if all(abs(at - m) > ring for m in block):  # farther than the halo from every pixel of the block
            return False
    return True


def clear(b, h, i, j, x):
    if i < x["t"] or j < x["t"]:
        return True
    a, c = place(i - x["t"], x["width"]), place(j - x["t"], x["width"])
    return x["r"] > 0 and (a[0] - c[0]) ** 2 + (a[1] - c[1]) ** 2 < x["r"] ** 2


def prflash(b, h, i, j, x):
    rows, columns = x["block"]
    table = x["p"].astype(np.float32)
    far = abs(i // rows - j // columns)
    return j <= i and number(x["seed"], b, h, i // rows, j // columns) < table[min(far, len(table) - 1)]


def toeplitz(b, h, i, j, x):
    far = i + shift(x) - j
    return (abs(far) if "symmetric" in x["symmetric"] else far) in x["offsets"][h].tolist()


def bit(b, h, i, j, x):
    w = int(x["type"][1:])
    return int(x["words"][b, h, i, j // w]) % 2 ** w // 2 ** (j % w) % 2 == 1


PAIRS = {
    "natten_1d": natten, "natten_2d": natten, "natten_2d_dilated": natten, "natten_2d_strided": natten, "natten_2d_causal": natten, "natten_3d": natten,
    "halo": halo, "halo_padded": lambda *a: halo(*a, padded=True), "clear": clear, "prflash": prflash,
    "sinks": lambda b, h, i, j, x: j <= i + x["J"] - x["I"] and (j < x["sinks"] or j >= i + x["J"] - x["I"] - x["left"]),
    "mask_graph": lambda b, h, i, j, x: j <= i and (j < x["sinks"] or j in range(i - x["left"], i + 1)),
    "parallel_context": lambda b, h, i, j, x: j <= i and (x["seg"][b, j] in (x["seg"][b, i], x["shared"]) or x["seg"][b, i] == x["all"]),
    "waiver": lambda b, h, i, j, x: j == i if i == x["w"] else j <= i,
    "sparsebert": toeplitz, "sparsebert_not_self": lambda b, h, i, j, x: toeplitz(b, h, i, j, x) and j != i + shift(x),
    "sparsifiner": lambda b, h, i, j, x: i == 0 or j in x["ids"][b, h, i].tolist(),
    "dilated": lambda b, h, i, j, x: j in range(i + shift(x), i + shift(x) + x["right"] + 1, x["step"])
    or j in range(i + shift(x), i + shift(x) - x["left"] - 1, -x["step"]),
    "block_causal": lambda b, h, i, j, x: j // x["block"] <= (i + shift(x)) // x["block"],
    "block_sparse": lambda b, h, i, j, x: j // x["block"] in x["list"][b, h, i // x["rows"]].tolist(),
    "bit_mask": bit,
    "dropout": lambda b, h, i, j, x: j <= i + x["J"] - x["I"],
    "routing": lambda b, h, i, j, x: j <= i and j in x["keys"][b, h, x["cluster"][b, h, i]].tolist(),
    "token_sparse": lambda b, h, i, j, x: j <= i and {i, j} <= set(x["kept"][b, h].tolist()),
    "csr": lambda b, h, i, j, x: j in x["columns"][b, x["offsets"][b, i]:x["offsets"][b, i + 1]].tolist(),
    "pages": lambda b, h, i, j, x: j // x["block"] in x["table"][b].tolist(),
}


def rows(report, seed):
    for row, sees in PAIRS.items():
        module = importlib.import_module(row)
        spec = module.ROW
        for n, (knob, settings) in enumerate(spec.knobs.items()):
            for i, j in ((13, 13), (23, 23)) if spec.square else ((13, 17), (23, 11), (20, 20)):
                rng = np.random.default_rng([seed, i, j, n, *row.encode()])
                i, j = spec.fit(i, j, **settings) if spec.fit else (i, j)
                c = SimpleNamespace(row=row, batch=2, heads=2, group=1, i=i, j=j, settings=settings)
                x = {"q": rng.standard_normal((2, 2, i, 3)), "k": rng.standard_normal((*spec.keys(c), 3)), "v": rng.standard_normal((*spec.keys(c), 2))}
                captured, params = spec.captured(c, rng, **settings)
                x |= captured
                known = x | params | {"I": i, "J": j}
                want = np.array([[[[bool(sees(b, h, r, k, known)) for k in range(j)] for r in range(i)] for h in range(2)] for b in range(2)])
                got = np.broadcast_to(module.visible(x, params), want.shape)
                report(f"{row} {knob} {i}x{j}: visible", np.array_equal(got, want))
                dense = {name: spec.view(x[name]) if name in "kv" else x[name] for name in "qkv"}
                out = module.reference(x, params, "f64")
                if row != "dropout":
                    exact = common.attention(dense, want, "f64")
                    report(f"{row} {knob} {i}x{j}: o and lse", all(np.allclose(out[name], exact[name], 1e-12, 1e-12) for name in exact))


def dropout(report, seed):
    module = importlib.import_module("dropout")
    rng = np.random.default_rng(seed)
    x = {name: rng.standard_normal((2, 2, n, 3)) for name, n in (("q", 5), ("k", 7), ("v", 7))}
    for settings in module.ROW.knobs.values():
        p = float(np.float32(settings["p"]))
        want = np.zeros((2, 2, 5, 3))
        for b, h, i in np.ndindex(2, 2, 5):
            weights = [np.exp(x["q"][b, h, i] @ x["k"][b, h, j] / np.sqrt(3)) for j in range(i + 3)]
            want[b, h, i] = sum(w / sum(weights) / (1 - p) * x["v"][b, h, j] for j, w in enumerate(weights) if number(settings["seed"], b, h, i, j) >= p)
        out = module.reference(x, settings, "f64")
        report(f"dropout {settings}: o", np.allclose(out["o"], want, 1e-12, 1e-12))
        report(f"dropout {settings}: the lse is that of no dropout", np.array_equal(out["lse"], module.reference(x, {"p": 0, "seed": 0}, "f64")["lse"]))


def lines(report, seed):
    """Axial rows: one line of the tensor at a time."""
    for row, axis, causal in (("axial_row", 2, False), ("axial_column", 1, True), ("axial_frame", 1, False)):
        module, rng = importlib.import_module(row), np.random.default_rng(seed)
        shape = [2, 3, 4, 2] if row != "axial_frame" else [2, 3, 2, 4, 2]
        longer = [n + (a == axis) for a, n in enumerate(shape)]
        x = {"q": rng.standard_normal((*shape, 3)), "k": rng.standard_normal((*longer, 3)), "v": rng.standard_normal((*longer, 2))}
        out = module.reference(x, {}, "f64")
        good = True
        for at in np.ndindex(*(n for a, n in enumerate(shape) if a != axis)):
            line = (*at[:axis], slice(None), *at[axis:])
            q, k, v = (x[name][line] for name in "qkv")
            for i in range(shape[axis]):
                s = k[:i + 1 if causal else None] @ q[i] / np.sqrt(3)
                good &= np.allclose(out["o"][line][i], np.exp(s) / np.exp(s).sum() @ v[:len(s)]) and np.allclose(out["lse"][line][i], np.log(np.exp(s).sum()))
        report(f"{row}: every line", good)
        spec = module.ROW
        logical = rng.standard_normal((2, spec.heads, 5, 3))
        packed = spec.pack(logical)
        report(f"{row}: packing keeps lines", packed.shape[axis] == 5 and np.array_equal(np.moveaxis(packed, axis, -2).reshape(logical.shape), logical))
    report("axial: no line at all", axial.along({name: np.zeros((0, 3, 4, 1, 2)) for name in "qkv"}, 1, False, "f64")["lse"].shape == (0, 3, 4, 1))


def random_numbers(report):
    known = {(0, 0): "6627e8d5e169c58dbc57ac4c9b00dbd8", (2 ** 32 - 1, 2 ** 32 - 1): "408f276d41c83b0ea20bc7c66d5451fd"}
    for (n, key), want in known.items():
        got = "".join(f"{int(w):08x}" for w in philox.philox4x32([n] * 4, [key] * 2))
        report(f"philox of {n:x}, key {key:x}: {got}", got == want)
    for seed in (0, 1, -1, 2 ** 40 + 3, -2 ** 63):
        grid = philox.pairs(seed, 2, 3, 4, 5)
        report(f"random numbers of seed {seed}", all(grid[at] == number(seed, *at) for at in np.ndindex(*grid.shape)))
    u = philox.uniform(7, np.arange(100000))
    report("random numbers are uniform", 0 <= u.min() and u.max() < 1 and abs(u.mean() - 0.5) < 0.005 and abs(np.mean(u < 0.1) - 0.1) < 0.005)


def everything(report, seed):
    random_numbers(report)
    rows(report, seed)
    dropout(report, seed)
    lines(report, seed)
