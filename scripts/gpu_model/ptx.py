"""Instructions of PTX. ptxas makes one instruction of most of them; of 64-bit integers two or more, of what it folds none."""

import re

from .machine import Instruction

FOLDED = ("mov", "ld.param", "ld.const", "cvta", "cvt.u64.u32", "cvt.u32.u64", "cvt.s64.s32", "cvt.s32.s64", "pragma", "ret")
ALU = ("add", "sub", "and", "or", "xor", "not", "shl", "shr", "selp", "setp", "min", "max", "prmt", "bfe", "bfi", "lop3", "shf", "neg", "abs", "slct", "vote", "testp", "copysign", "bfind", "clz", "brev", "popc")


def classify(op, gpu):
    """(kind, amount) of an opcode."""
    parts = op.split(".")
    wide = 2 if parts[-1] in ("s64", "u64", "b64") else 1
    if op.startswith(("mma.sync", "wgmma")):
        depth = 16 if "k16" in op else 8
        narrow = "tf32" not in op
        return "tensor", depth / 16 if narrow else depth / 8
    if op.startswith("ldmatrix"):
        return "ldmatrix", 4 * int(re.search(r"\.x(\d)", op)[1])
    if op.startswith("cp.async"):
        return ("copy", 16) if ".shared" in op else ("control", 1)
    if op.startswith(("ld.shared", "st.shared", "ld.global", "st.global")):
        lanes = int(m[1]) if (m := re.search(r"\.v(\d)", op)) else 1
        kind = {"ld.shared": "lds", "st.shared": "sts", "ld.global": "ldg", "st.global": "stg"}[".".join(parts[:2])]
        return kind, lanes * int(re.search(r"(\d+)$", op)[1]) // 8
    if op.startswith("shfl"):
        return "shuffle", 1
    if op.startswith("bar"):
        return "barrier", 1
    if op.startswith(("ex2", "lg2", "rcp", "sqrt", "rsqrt", "tanh", "sin", "cos")):
        return "xu", 1
    if op.startswith(FOLDED):
        return "none", 0
    if op.startswith("cvt"):
        return ("alu", 1) if "x2" in op else ("xu", 1)
    if op.startswith("div") or op.startswith("rem"):
        return "alu", 20 * wide * wide
    if parts[-1] in ("f32", "f64", "f16x2", "bf16x2") and parts[0] in ("fma", "mul", "add", "sub"):
        return "fma", 1
    if parts[0] in ("mul", "mad"):
        return "imad", 4 if wide == 2 and "wide" not in op else 2 if "wide" in op else 1
    if parts[0] in ALU:
        return "alu", wide
    if op.startswith("bra"):
        return "control", 1
    return "alu", 1


def parse(text, gpu):
    """{entry: instructions}"""
    kernels, code = {}, None
    for line in text.splitlines():
        line = line.split("//")[0].strip()
        if m := re.match(r"(?:\.visible )?\.entry (\w+)", line):
            code = kernels.setdefault(m[1], [])
        if code is None or not line or line[0] in ".{}()":
            continue
        if m := re.match(r"(\$\w+):", line):
            code.append(Instruction("none", line, label=m[1]))
            continue
        m = re.match(r"(@!?%p\d+\s+)?([a-z][\w.:]*)\s*(.*?);?$", line)
        if not m:
            continue
        guard, op, rest = m.groups()
        kind, amount = classify(op, gpu)
        branch = rest.split()[-1].rstrip(";") if op.startswith("bra") else None
        code.append(Instruction(kind, line, amount, branch=branch, always=not guard, ends=op in ("ret", "exit", "trap") and not guard))
    return kernels


def registers(report, name):
    """Of ptxas -v."""
    at = report.find(f"'{name}'")
    return int(re.search(r"Used (\d+) registers", report[at:])[1])


def shared_bytes(module):
    """Dynamic shared memory of the last main phase of what attn-opt --attn-pipeline-nv prints."""
    found = None
    for phases in re.findall(r"llvm\.mlir\.global internal constant @\w+_gpu_phases_\d+\(\).*?\n  }", module, re.S):
        constants = dict(re.findall(r"(%\d+) = llvm\.mlir\.constant\((\d+) : i32\)", phases))
        sizes = [int(constants[v]) for v in re.findall(r"insertvalue (%\d+), %\d+\[3\]", phases) if v in constants]
        found = max(sizes, default=found)
    return found
