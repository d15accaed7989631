"""Predictions that follow from what the model counts."""

import json
import math
import sys

one, four, capped = (json.load(open(x)) for x in sys.argv[1:])
for x in (one, four, capped):
    p = x["predicted"]
    assert math.isclose(sum(p["parts"].values()), p["seconds"], rel_tol=1e-9), p
    assert all(v >= 0 for v in p["parts"].values()), p
    assert math.isclose(p["of_measured"], p["seconds"] / x["seconds"], rel_tol=1e-9), p


def cycles(x, part):
    return x["predicted"]["parts"][part] * x["predicted"]["cycles_per_second"]


# Threads = 1: all is one after the other.
for x, n in ((one, 384), (four, 768)):
    assert 1 <= cycles(x, "products") / (4 * 64 * n * n / 32) < 1.05, cycles(x, "products")
assert math.isclose(cycles(four, "products") / cycles(one, "products"), 4, rel_tol=1e-6)
assert math.isclose(cycles(four, "weights") / cycles(one, "weights"), 4, rel_tol=1e-6)
assert math.isclose(cycles(four, "packing") / cycles(one, "packing"), 2, rel_tol=1e-6)
assert math.isclose(cycles(four, "rows") / cycles(one, "rows"), 2, rel_tol=1e-6)
assert cycles(one, "masks") == 0 and cycles(capped, "masks") > 0
# Half of the pairs, each with a tanh more: a weight takes more than twice as much.
tiles = lambda x: x["pairs"]["visited"]
assert cycles(capped, "weights") / tiles(capped) > 2 * cycles(four, "weights") / tiles(four)
