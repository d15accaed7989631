"""Counter-based random numbers (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011), vectorised.

    w = philox4x32_10(counter = (n0, n1, n2, n3), key = (seed mod 2^32, floor(seed / 2^32)))[0]       u = floor(w / 2^8) 2^-24
"""

import numpy as np

WORD = np.uint64(0xFFFFFFFF)


def philox4x32(counter, key, rounds=10):
    """The four words of every counter; counter: four and key: two arrays (or numbers) of unsigned words."""
    x = [np.asarray(c, np.uint64) & WORD for c in counter]
    k0, k1 = (int(k) for k in key)
    for _ in range(rounds):
        a, b = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)  # 32 x 32 bits: no carry is lost
        x = [(b >> np.uint64(32)) ^ x[1] ^ np.uint64(k0), b & WORD, (a >> np.uint64(32)) ^ x[3] ^ np.uint64(k1), a & WORD]
        k0, k1 = (k0 + 0x9E3779B9) % 2 ** 32, (k1 + 0xBB67AE85) % 2 ** 32
    return x


def uniform(seed, *indices):
    """The number in [0, 1) of one to four indices (arrays that broadcast); the last index is the first word of the counter."""
    words = [np.asarray(n, np.int64).astype(np.uint64) for n in reversed(indices)]
    w = philox4x32(np.broadcast_arrays(*words, *[np.uint64(0)] * (4 - len(words))), (seed % 2 ** 32, seed // 2 ** 32 % 2 ** 32))[0]
    return (w >> np.uint64(8)).astype(np.float64) * 2.0 ** -24


def pairs(seed, b, h, rows, columns):
    """The number of every (b, h, row, column) as an array of that shape."""
    n = np.ix_(np.arange(b), np.arange(h), np.arange(rows), np.arange(columns))
    return uniform(seed, *n)
