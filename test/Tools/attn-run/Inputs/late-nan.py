"""q, k, v of 80 tokens for a causal program: the last keys and values have NaN and infinities, the first rows do not see them."""
import numpy as np

random = np.random.default_rng(1)
q, k, v = (random.standard_normal((1, 2, 80, 64)).astype("f4") for _ in range(3))
k[..., 70, 3] = np.nan
v[..., 71, 5] = np.inf
v[..., 75, :] = np.nan
k[..., 60, :] = np.inf
for name, x in zip("qkv", (q, k, v)):
    np.save(name + ".npy", x)
