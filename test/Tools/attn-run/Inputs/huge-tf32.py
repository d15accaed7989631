"""q.npy, k.npy, v.npy of causal attention at the edge of tf32. A key that rounds to an infinity meets queries so small that the product is near 1: with the infinity its
weight would be 0 or all there is. With the argument `values` so does a value, and a key that only the last query sees is NaN."""
import sys
import numpy as np

rng = np.random.default_rng(7)
q, k, v = (rng.standard_normal((1, 2, 70, 64)).astype(np.float32) for _ in range(3))
most = np.finfo(np.float32).max
q[..., 0] = np.where(np.arange(70) % 2, 2e-38, -2e-38)
k[..., 0] = 0
k[:, :, 3, 0] = most
if "values" in sys.argv:
    v[:, 0, 5, 9] = -most
    k[:, 1, 69, 7] = np.nan
for name, x in (("q", q), ("k", k), ("v", v)):
    np.save(f"{name}.npy", x)
