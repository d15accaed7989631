"""Checks the two loops of AVX512-BF16 of a kernel's main phase in AT&T assembly. Usage: check_bf16.py FILE.s...

    scores   14 x 2 vectors, unrolled by 4 words of features:  112 vdpbf16ps, 8 vector loads
    values   14 x 2 vectors, unrolled by 8 words of keys:      224 vdpbf16ps, 16 vector loads

A word of a row is broadcast by a load of its own or by the instruction that multiplies it. Nothing else: no vector that comes from the stack, no shuffle, no
copy of a register, no store. At most two addresses or bounds may come from the stack, which in so long a step costs nothing.
"""
import re

from check_asm import Problem, blocks_that_loop, main, main_function, split

EXPECTED = {112: 8, 224: 16}
COUNTERS = re.compile(r"(add|sub|inc|dec|cmp|test|lea)[bwlq]?$")


def check_loop(body):
    """How many products there are."""
    products = loads = scalars = 0
    for line in body:
        name, operands = split(line)
        memory = [o for o in operands if "(" in o]
        stack = any("%rsp" in o for o in memory)
        if re.match(r"(mov|cmp)q$", name) and stack and (name == "cmpq" or "(" not in operands[-1]):
            scalars += 1
            continue
        if stack or memory and "(" in operands[-1]:
            raise Problem(f"not expected here: {line}")
        if name == "vdpbf16ps":
            products += 1
            loads += sum("{1to16}" not in o for o in memory)
        elif name in ("vmovups", "vmovaps", "vmovdqu64", "vmovdqa64") and memory:
            loads += 1
        elif not (name in ("vbroadcastss", "vpbroadcastd") and memory or COUNTERS.match(name) and not memory or name.startswith("j")):
            raise Problem(f"not expected here: {line}")
    if scalars > 2:
        raise Problem(f"{scalars} addresses or bounds of a step come from the stack")
    if products in EXPECTED and loads != EXPECTED[products]:
        raise Problem(f"a step of {products} vdpbf16ps has {loads} vector loads, expected {EXPECTED[products]}")
    return products


def check(path):
    lines = main_function(open(path).read())
    bodies = [lines[first + 1 : last + 1] for first, last in blocks_that_loop(lines)]
    bodies = [b for b in bodies if sum(line.startswith("vdpbf16ps") for line in b) > 1]
    found = sorted(check_loop(b) for b in bodies)
    if found != sorted(EXPECTED):
        raise Problem(f"found loops of {found} vdpbf16ps, expected {sorted(EXPECTED)}")
    return f"{path}: " + ", ".join(f"{n} vdpbf16ps in {len(b)} instructions" for n, b in zip(found, sorted(bodies, key=len)))


main(check)
