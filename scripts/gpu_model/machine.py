"""What an instruction of a warp costs: which pipe it takes, for how many cycles, and after how many its result is there.

All in cycles of one of the four sub-partitions of a multiprocessor. Rates are those of NVIDIA's programming guide (results a
cycle and multiprocessor) and white papers; what they do not say is said here. Shared memory moves 128 bytes a cycle for all four
sub-partitions, so that one of them has a quarter of its time.
"""

from collections import Counter, namedtuple

# kind: a key of COSTS; amount: bytes of a lane for memory, else a factor; writes, reads: registers, where they are known.
Instruction = namedtuple("Instruction", "kind text amount writes reads label branch always ends barrier", defaults=(1, (), (), None, None, False, False, False))

PIPES = ("issue", "tensor", "fma", "alu", "xu", "shared")

# tensor: an m16n8k16 of 16-bit operands is 2048 multiply-adds. GA100 has 256 a cycle and sub-partition. GH100 has 512, but only wgmma
# reaches them: mma.sync has 62.9 % of that in published measurements (Luo and others, arXiv 2402.13499).
# fma: 16 lanes on GA100, 32 on GH100, of which integer products have half. alu: 16 lanes. xu: 4 lanes.
MACHINES = {
    "sm_80": {"tensor": 8.0, "fma": 2, "imad": 2, "alu": 2, "xu": 8, "registers": 65536, "shared": 167936, "most_shared": 166912},
    "sm_90": {"tensor": 4 / 0.629, "fma": 1, "imad": 2, "alu": 2, "xu": 8, "registers": 65536, "shared": 233472, "most_shared": 232448},
}

# Cycles from issue to a result that another instruction may read (published microbenchmarks, rounded).
LATENCY = {"tensor": 33, "fma": 4, "imad": 5, "alu": 5, "xu": 20, "ldmatrix": 30, "lds": 26, "sts": 1, "copy": 1, "shuffle": 24, "ldg": 1, "barrier": 20, "control": 2, "none": 1}


def cost(i, gpu):
    """Cycles by pipe."""
    if i.kind == "none":
        return {}
    slots = i.amount if i.kind in ("fma", "imad", "alu", "xu") else 1
    used = {"issue": slots}
    if i.kind == "tensor":
        used["tensor"] = gpu["tensor"] * i.amount
    elif i.kind in ("fma", "imad"):
        used["fma"] = gpu[i.kind] * i.amount
    elif i.kind in ("alu", "xu"):
        used[i.kind] = gpu[i.kind] * i.amount
    elif i.kind in ("ldmatrix", "lds", "sts", "copy"):  # a pass moves 4 bytes a lane; three of four are other sub-partitions'
        used["shared"] = 4 * max(1, i.amount / 4)
    elif i.kind == "shuffle":
        used["shared"] = 4
    return used


def busy(path, gpu):
    total = dict.fromkeys(PIPES, 0)
    for i in path:
        for pipe, n in cost(i, gpu).items():
            total[pipe] += n
    return total


def counts(path):
    found = Counter(i.kind for i in path if i.kind != "none")
    return dict(found.most_common())


def resident(gpu, threads, registers, shared):
    """CTAs on a multiprocessor."""
    fit = [2048 // threads]
    if registers:
        fit.append(gpu["registers"] // (-(-registers // 8) * 8 * threads))
    if shared:
        fit.append(gpu["shared"] // (shared + 1024))
    return max(1, min(fit))
