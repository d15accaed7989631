"""Quotients by the kernel of division.mlir against numpy's. Usage: division.py ATTN_SIM PTX. Denormal ones may be one unit off."""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sim, ptx = sys.argv[1:]
rare = np.array([0.0, 1.0, 3.0, 2.0**-149, 3 * 2.0**-149, 2.0**-127, 2.0**-126, 2.0**-125, 2.0**-62, 2.0**62, 2.0**126, 2.0**127, 1.9999999,
                 np.finfo(np.float32).max, np.inf, np.nan, 1.1754942e-38, 7.0 * 2.0**120], np.float32)
rare = np.concatenate([rare, -rare])
n, d = (x.ravel() for x in np.meshgrid(rare, rare))
random = np.random.default_rng(7)
bits = random.integers(0, 2**32, (2, 6144), dtype=np.uint32).view(np.float32)
near = random.uniform(0.5, 2, (2, 2048)).astype(np.float32)
n, d = (np.concatenate([a, b, c]) for a, b, c in zip((n, d), bits, near))
pad = -len(n) % 128
n, d = (np.concatenate([x, np.ones(pad, np.float32)]) for x in (n, d))
with np.errstate(all="ignore"):
    expected = n / d
with tempfile.TemporaryDirectory() as folder:
    at = Path(folder)
    np.save(at / "n.npy", n)
    np.save(at / "d.npy", d)
    command = [sim, ptx, "--kernel", "quotients", "--grid", str(len(n) // 128), "--block", "128", "--arg", f"{at}/n.npy", "--arg", f"{at}/d.npy",
               "--arg", f"out:f32:{len(n)}={at}/q.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    q = np.load(at / "q.npy")
distance = np.abs(q.view(np.int32).astype(np.int64) - expected.view(np.int32))
allowed = np.where(np.abs(expected) < np.finfo(np.float32).tiny, 1, 0)
wrong = ~np.where(np.isnan(expected), np.isnan(q), distance <= allowed)
for a, b, c, e in list(zip(n[wrong], d[wrong], q[wrong], expected[wrong]))[:10]:
    print(f"{a!r} / {b!r} is {c!r}, expected {e!r}")
print(f"{wrong.sum()} of {len(n)} quotients are wrong")
