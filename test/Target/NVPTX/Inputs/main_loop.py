"""The main loop of dense bf16 programs, instruction by instruction, in the PTX that attnc makes: scripts/gpu-model finds it. Usage: main_loop.py ROOT BUILD
PROGRAM FEATURES KEYS: so many keys of a block are expected."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root, build, program, features, keys = sys.argv[1:]
features, keys = int(features), int(keys)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "program.mlir"
    path.write_text(Path(program).read_text().replace("x64xf32", f"x{features}xbf16"))
    model = [sys.executable, f"{root}/scripts/gpu-model", str(path), "--build", build, "--ptx", "--list", "--target=sm_80", "--least=0.7"]
    run = subprocess.run(model, capture_output=True, text=True)
print(run.stdout.splitlines()[-1] if run.stdout else "", run.stderr)
code = run.stdout[: run.stdout.find(" for sm_80:")]
tiles = keys // 8 * (features // 8)  # of both products, 8 keys or 8 values by 16 of what is contracted: half of that each
expected = {
    r"mma\.sync\.aligned\.m16n8k16": tiles,
    r"ldmatrix\.sync\.aligned\.m8n8\.x4": tiles // 2,
    r"ldmatrix": tiles // 2,  # no other
    r"ex2\.approx\.ftz\.f32": keys // 2,  # 16 rows of 32 lanes
    r"cvt\.rn\.bf16x2\.f32": keys // 4,
    r"cp\.async\.cg\.shared\.global \[[^]]*\], \[[^]]*\], 16": keys * features * 2 // 8 // 128,
    r"cp\.async\.commit_group": 1,
    r"cp\.async\.wait_group": 1,
    r"bar\.sync": 2,
    r"vote\.sync": 1,
    r"shfl\.": 0,
    r"(ld|st)\.(local|global|shared)": 0,
    r"\b(div|rem)\.": 0,
    r"call": 0,
    # The loop, the last block of a group, what is on its way, what follows (and is whole: keys, values), partial blocks, references (and accumulators).
    r"\bbra": 9,
}
wrong = [f"{found} of '{what}', expected {n}" for what, n in expected.items() if (found := len(re.findall(what, code))) != n]
print("\n".join(wrong) or f"{features} features: as expected")
sys.exit(bool(wrong) or run.returncode)
