# Run as: <llvm's lit> build/test       (scripts/test does)
import os
import shutil
import sys

import lit.formats

config.name = "attn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".test", ".mlir"]
config.excludes = ["Inputs", "unit", "reference", "data", "gallery", "runtime"]
config.test_source_root = os.path.join(config.attn_source_dir, "test")
config.test_exec_root = os.path.join(config.attn_build_dir, "test")

# FileCheck, not, split-file, llvm-objdump and mlir-tblgen are found without a version suffix.
bin_dir = os.path.join(config.attn_build_dir, "bin")
config.environment["PATH"] = os.pathsep.join([bin_dir, config.llvm_tools_dir, config.environment["PATH"]])
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
# What is tested is the same on every CPU; tests of other levels name them.
config.environment["ATTN_TARGET"] = "x86-64-v3"

for tool in ("attn-opt", "attnc", "attn-run", "attn-sim"):
    config.substitutions.append((rf"%{tool}(?![\w-])", os.path.join(bin_dir, tool)))
config.substitutions += [
    ("%python", sys.executable),
    ("%gallery", os.path.join(config.attn_source_dir, "gallery")),
    ("%build", config.attn_build_dir),
    ("%tools", config.llvm_tools_dir),
    ("%root", config.attn_source_dir),
]

# Tests that execute AVX-512 itself say `REQUIRES: avx512`, those of its products of bf16 `avx512_bf16`; others run with %emulate-v4 or %emulate-v4-bf16
# before a command, by which what the CPU lacks is emulated.
with open("/proc/cpuinfo") as cpuinfo:
    flags = set(next((line for line in cpuinfo if line.startswith("flags")), "").split())
if {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"} <= flags:
    config.available_features.add("avx512")
    if "avx512_bf16" in flags:
        config.available_features.add("avx512_bf16")
for level in ("avx512_bf16", "avx512"):
    setting = "env" if level in config.available_features else "env ATTN_EMULATE=avx512"
    config.substitutions.append(("%emulate-v4-bf16" if level == "avx512_bf16" else r"%emulate-v4(?!-)", setting))

# Tests that need NVIDIA's assembler say `REQUIRES: ptxas`; it is looked for where the compiler looks, and in CUDA's usual place.
home = os.environ.get("CUDA_HOME") or "/usr/local/cuda"
ptxas = os.environ.get("ATTN_PTXAS") or shutil.which("ptxas", path=os.path.join(home, "bin") + os.pathsep + os.environ["PATH"])
if ptxas and os.access(ptxas, os.X_OK):
    config.available_features.add("ptxas")
    config.environment["ATTN_PTXAS"] = ptxas
    config.substitutions.append(("%ptxas", ptxas))
else:
    lit_config.note("there is no ptxas: tests that assemble PTX are not run")
