"""Checks what AMX does in a kernel's main phase, in AT&T assembly. Usage: check_amx.py FILE.s...

    scores   2 x 2 tiles of sums, a step of 32 features:   4 tdpbf16ps, 4 tileloadd; of a run's first panel, and of the
             next one where a strip is weighed
    values   2 x 2 tiles of sums, a step of 32 keys:       4 tdpbf16ps, 4 tileloadd

Nothing else in these loops but addresses and counters: no vector, no store, no call, and at most three addresses or bounds that come from the stack. Tiles are
configured once, before the first of them is used, and released once. No tile goes to the stack. Around the products of scores, where strips of the
group are weighed, no vector register is spilled.
"""
import re

from check_asm import Problem, blocks_that_loop, main, main_function, split

COUNTERS = re.compile(r"(add|sub|inc|dec|cmp|test|lea|mov|imul|shl)[bwlq]?$")
TILES = ("tdpbf16ps", "tileloadd", "tilestored", "tilezero")


def check_loop(body):
    """Only products, loads of tiles and counters."""
    counts = {"tdpbf16ps": 0, "tileloadd": 0}
    scalars = 0
    for line in body:
        name, operands = split(line)
        if name in counts:
            if any("%rsp" in o for o in operands):
                raise Problem(f"a tile on the stack: {line}")
            counts[name] += 1
            continue
        memory = [o for o in operands if "(" in o and not name.startswith("lea")]
        if memory and (not re.match(r"(mov|cmp|add)q$", name) or "%rsp" not in memory[0] or "(" in operands[-1] and name != "cmpq"):
            raise Problem(f"not expected here: {line}")
        scalars += bool(memory)
        if not (COUNTERS.match(name) or name.startswith("j")):
            raise Problem(f"not expected here: {line}")
    if counts["tdpbf16ps"] % 4 or counts["tileloadd"] != counts["tdpbf16ps"]:
        raise Problem(f"a step has {counts}, expected as many loads as products, four by four")
    if scalars > 3:
        raise Problem(f"{scalars} addresses or bounds of a step come from the stack")


def weighing(lines):
    """The smallest loop that rounds weights: what is done for one strip."""
    labels = {line[:-1]: n for n, line in enumerate(lines) if line.endswith(":")}
    loops = [
        (n - labels[line.split()[-1]], labels[line.split()[-1]], n)
        for n, line in enumerate(lines)
        if line.startswith("j") and labels.get(line.split()[-1], n) < n
        and sum(inner.startswith("vcvtne2ps2bf16") for inner in lines[labels[line.split()[-1]] : n]) >= 8
    ]
    if not loops:
        raise Problem("there is no loop over strips")
    _, first, last = min(loops)
    return lines[first : last + 1]


def check(path):
    lines = main_function(open(path).read())
    names = [line.split()[0] for line in lines]
    for name in ("ldtilecfg", "tilerelease"):
        if names.count(name) != 1:
            raise Problem(f"{names.count(name)} {name}, expected one")
    used = [n for n, name in enumerate(names) if name in TILES]
    if names.index("ldtilecfg") > used[0]:
        raise Problem("a tile is used before ldtilecfg")
    for n in used:
        if "%rsp" in lines[n]:
            raise Problem(f"a tile on the stack: {lines[n]}")
    bodies = [(first, last) for first, last in blocks_that_loop(lines) if any(name == "tdpbf16ps" for name in names[first:last])]
    if len(bodies) != 3:
        raise Problem(f"found {len(bodies)} loops of tdpbf16ps, expected 3")
    for first, last in bodies:
        check_loop(lines[first + 1 : last + 1])
    strip = weighing(lines)
    if sum(line.startswith("tdpbf16ps") for line in strip) != 4:
        raise Problem("no part of the next panel's product is made where a strip is weighed")
    for line in strip:
        if re.search(r"\(%r[sb]p\b.*%zmm|%zmm.*\(%r[sb]p\b", line):
            raise Problem(f"where strips are weighed: spill: {line}")
    return f"{path}: products in {', '.join(str(last - first) for first, last in bodies)} instructions, a strip in {len(strip)}"


main(check)
