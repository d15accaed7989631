"""Checks the two FMA loops of a kernel's main phase in AT&T assembly. Usage: check_asm.py FILE.s...

    scores   6 x 2 vectors, unrolled by 4 features:  48 FMA,  8 vector loads, 24 broadcasts
    values   6 x 2 vectors, unrolled by 8 keys:      96 FMA, 16 vector loads, 48 broadcasts

Nothing else: no spill (no reference to the stack), no shuffle, no copy of a vector register, no call, 32-byte registers alone; besides the above only
the counters of the loop. A memory operand of an FMA is a vector load. The code around the score loop has no vcmpunord: comparisons that are there for
NaN alone would be paid once a microtile. It has 48 FMA: scale and reference of 12 vectors, and for each a polynomial of degree 3 beside a table of 8 powers. No
vector register is spilled there: with the constants of the exponentials it has just enough of them.
"""
import re
import sys

EXPECTED = {48: {"fma": 48, "load": 8, "broadcast": 24}, 96: {"fma": 96, "load": 16, "broadcast": 48}}
COUNTERS = re.compile(r"(add|sub|inc|dec|cmp|test)[bwlq]?$")


class Problem(Exception):
    pass


def main_function(text):
    """The lines of attn_*_main, without directives and comments: of the last one, since variants for few queries stand before."""
    found = re.findall(r"^attn_\w+_main:\n(.*?)^\.Lfunc_end", text, re.M | re.S)
    if not found:
        raise Problem("there is no function attn_*_main")
    lines = [" ".join(line.split("#")[0].split()) for line in found[-1].split("\n")]
    return [line for line in lines if line and (not line.startswith(".") or line.startswith(".LBB"))]


def blocks_that_loop(lines):
    """(first, last) of every block that ends in a jump to its own label."""
    start = None
    for n, line in enumerate(lines):
        if line.endswith(":"):
            start = n
        elif line.startswith("j"):
            if start is not None and line.split()[-1] + ":" == lines[start]:
                yield start, n
            start = None


def split(instruction):
    """Mnemonic and operands; commas inside parentheses do not separate."""
    name, _, rest = instruction.partition(" ")
    return name, [o.strip() for o in re.split(r",(?![^(]*\))", rest) if o.strip()]


def check_loop(body, frame_pointer):
    counts = {"fma": 0, "load": 0, "broadcast": 0}
    for line in body:
        name, operands = split(line)
        memory = [o for o in operands if "(" in o]
        registers = [o for o in operands if o.startswith("%")]
        if any("%rsp" in o for o in operands) or frame_pointer and any("%rbp" in o for o in operands):
            raise Problem(f"spill: {line}")
        if name.startswith("v"):
            wrong = [r for r in registers if not r.startswith("%ymm")]
            if wrong:
                raise Problem(f"{wrong[0]} is no 32-byte register: {line}")
            if memory and "(" in operands[-1]:
                raise Problem(f"store: {line}")
        if re.match(r"vfmadd\d+ps$", name):
            counts["fma"] += 1
            counts["load"] += len(memory)
        elif name in ("vmovups", "vmovaps") and memory:
            counts["load"] += 1
        elif name == "vbroadcastss" and memory:
            counts["broadcast"] += 1
        elif not (name.startswith("lea") or COUNTERS.match(name) and not memory or name.startswith("j")):
            raise Problem(f"not expected here: {line}")
    expected = EXPECTED.get(counts["fma"])
    if counts != expected:
        raise Problem(f"a step has {counts}, expected {expected or list(EXPECTED.values())}")
    return counts["fma"]


def is_fma(line):
    """In f32: an lse's logarithm is in f64."""
    return re.match(r"vfmadd\d+ps ", line) is not None


def check(path):
    lines = main_function(open(path).read())
    frame_pointer = any(re.match(r"movq\s+%rsp, %rbp", line) for line in lines)
    loops = [(a, z) for a, z in blocks_that_loop(lines) if sum(is_fma(line) for line in lines[a : z + 1]) >= 12]
    found = sorted(check_loop(lines[a + 1 : z + 1], frame_pointer) for a, z in loops)
    if found != sorted(EXPECTED):
        raise Problem(f"found loops of {found} FMA, expected one of each of {sorted(EXPECTED)}")

    # The loop over microtiles: the smallest one around the loop of scores that also holds the exponentials of the 12 vectors.
    first, last = next((a, z) for a, z in loops if sum(line.startswith("vfmadd") for line in lines[a : z + 1]) == 48)
    labels = {line[:-1]: n for n, line in enumerate(lines) if line.endswith(":")}
    around = [
        (n - labels[line.split()[-1]], labels[line.split()[-1]], n)
        for n, line in enumerate(lines)
        if line.startswith("j") and n > last and labels.get(line.split()[-1], n) < first
        and sum(inner.startswith("vpermps") for inner in lines[labels[line.split()[-1]] : n]) >= 12
    ]
    if not around:
        raise Problem("there is no loop over microtiles")
    _, start, end = min(around)
    for line in lines[start : end + 1]:
        if line.startswith("vcmpunord"):
            raise Problem(f"in the loop over microtiles: {line}")
        if re.search(r"\(%rsp\b.*%ymm|%ymm.*\(%rsp\b", line):
            raise Problem(f"in the loop over microtiles: spill: {line}")
    around = sum(line.startswith("vfmadd") for line in lines[start:first] + lines[last : end + 1])
    if around != 48:
        raise Problem(f"in the loop over microtiles: {around} FMA around that of scores, expected 48")
    return f"{path}: scores {last - first} instructions, values in one loop, {end - start} instructions around"


def main(check):
    failed = False
    for path in sys.argv[1:]:
        try:
            print(check(path))
        except Problem as problem:
            print(f"{path}: {problem}")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main(check)
