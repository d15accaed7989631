"""Instructions of the machine, as nvdisasm prints them."""

import re

from .machine import Instruction

XU = ("MUFU", "F2I", "I2F", "FRND", "F2F", "POPC", "FLO", "BREV")
FMA = ("FFMA", "FMUL", "FADD", "HFMA2", "HADD2", "HMUL2")
NO_RESULT = ("ST", "STS", "STG", "STL", "LDGSTS", "LDGDEPBAR", "DEPBAR", "BAR", "BRA", "EXIT", "BSYNC", "BSSY", "CALL", "RED", "NOP", "WARPSYNC", "YIELD")
CONTROL = ("BRA", "EXIT", "BSYNC", "BSSY", "CALL", "RET", "LDGDEPBAR", "DEPBAR", "NOP", "WARPSYNC", "BREAK", "YIELD", "ERRBAR")


def classify(op):
    base = op.split(".")[0]
    if base == "HMMA":
        return ("tensor", 1) if ".16816." in op + "." or "TF32" in op else ("tensor", 0.5)
    if base == "LDSM":
        return "ldmatrix", 4 * (int(m[1]) if (m := re.search(r"\.(\d)$", op)) else 1)
    if base == "LDGSTS":
        return "copy", 16 if ".128" in op else 8 if ".64" in op else 4
    if base in ("LDS", "STS", "LDG", "STG", "LDL", "STL"):
        bytes_ = 16 if ".128" in op else 8 if ".64" in op else 2 if "16" in op else 1 if "8" in op else 4
        return {"LDS": "lds", "STS": "sts", "LDG": "ldg", "STG": "stg", "LDL": "local", "STL": "local"}[base], bytes_
    if base == "SHFL":
        return "shuffle", 1
    if base == "BAR":
        return "barrier", 1
    if base in CONTROL:
        return "control", 1
    if base in XU:
        return "xu", 1
    if base in FMA:
        return "fma", 1
    if base == "IMAD":
        return ("imad", 1)
    return "alu", 1


def operands(op, rest):
    """(written, read) registers and predicates."""
    wide = {"HMMA": (4, 4, 2, 4), "LDSM": (4 if op.endswith(".4") else 2 if op.endswith(".2") else 1,)}
    base = op.split(".")[0]
    fields = [f.strip() for f in rest.split(",")] if rest else []
    groups = []
    for n, field in enumerate(fields):
        names = set()
        size = wide[base][n] if base in wide and n < len(wide[base]) else 1
        if base in ("LDS", "LDG") and n == 0:
            size = 4 if ".128" in op else 2 if ".64" in op else 1
        if "WIDE" in op and n in (0, 3):
            size = 2
        for m in re.finditer(r"(?<![U\w])(R|P)(\d+)(\.64)?", field):
            for k in range(2 if m[3] else size if m[1] == "R" else 1):
                names.add(f"{m[1]}{int(m[2]) + k}")
        groups.append(names)
    if base in NO_RESULT or not groups:
        return (), tuple(set().union(*groups)) if groups else ()
    written, at = set(groups[0]), 1
    if fields[0].startswith("P") or (len(fields) > 1 and re.fullmatch(r"P\d|PT", fields[1])):  # a second result
        written |= groups[1] if len(groups) > 1 and re.fullmatch(r"P\d|PT", fields[1]) else set()
        at = 2
    return tuple(written), tuple(set().union(*groups[at:]) if groups[at:] else ())


def parse(text, gpu):
    """{kernel: instructions}"""
    kernels, code = {}, None
    for line in text.splitlines():
        if m := re.match(r"\s*\.section\s+\.text\.(\w+)", line):
            code = kernels.setdefault(m[1], [])
        if code is None:
            continue
        if m := re.match(r"(\.L\w+):", line):
            code.append(Instruction("none", line, label=m[1]))
            continue
        m = re.match(r"\s*/\*[0-9a-f]+\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)\s*(.*?)\s*;", line)
        if not m:
            continue
        guard, op, rest = m.groups()
        kind, amount = classify(op)
        target = re.search(r"`\((\.L\w+)\)", rest)
        base = op.split(".")[0]
        branch = target[1] if target and base in ("BRA", "CALL") else None
        always = not guard and not re.match(r"!?U?P\w+,|~|!?UR", rest) and ".DIV" not in op
        written, read = operands(op, "" if branch or base in CONTROL else rest)
        if guard and (p := re.search(r"P\d", guard)):
            read += (p[0],)
        # @!PT: never executed.
        if guard and guard.strip() == "@!PT":
            kind = "skipped"
        code.append(Instruction(kind, line.split("*/", 1)[1].strip(), amount, written, read, branch=branch, always=always, ends=base in ("EXIT", "RET") and not guard))
    return kernels
