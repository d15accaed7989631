"""rows.py FOLDER: lists of 40 queries over 90 keys that are empty, unsorted, repeat elements, have padding anywhere; values that no list reaches,
and values that only a causal set hides, are NaN; lists with one bad element each."""

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(3)
rows, keys, length = 40, 90, 20


def filled(i):
    listed = rng.permutation(70)[:rng.integers(0, length + 1)]
    row = np.full(length, -1)
    if i % 5 == 0:
        return row
    if i % 5 == 1:
        row[:len(listed)] = np.sort(listed)
    elif i % 5 == 2:
        row[:len(listed)] = listed
    elif i % 5 == 3:
        row[length - len(listed):] = listed
    else:
        row[:] = rng.choice(listed if len(listed) else [7], length)
        row[rng.random(length) < 0.3] = -1
    return row


ids = np.array([[[filled(i) for i in range(rows)] for h in range(2)]]).astype(np.int32)
np.save(folder / "ids.npy", ids)
k, v = rng.standard_normal((1, 2, keys, 63)).astype(np.float32), rng.standard_normal((1, 2, keys, 40)).astype(np.float32)
k[:, :, 70:] = v[:, :, 70:] = np.nan
np.save(folder / "k.npy", k)
np.save(folder / "v.npy", v)
np.save(folder / "k1.npy", k[:, :1])
hidden = v[:, :1].copy()
hidden[:, :, rows:] = np.nan
np.save(folder / "hidden.npy", hidden)
for name, bad in (("beyond", keys), ("negative", -2)):
    wrong = ids.copy()
    wrong[0, 1, 11, 2] = bad
    np.save(folder / f"{name}.npy", wrong)
offsets = np.array([[*range(0, 5 * rows + 1, 5)]])
columns = rng.integers(0, keys, (1, 5 * rows))
np.save(folder / "offsets.npy", offsets)
columns[0, 77] = -1
np.save(folder / "columns.npy", columns)
falling = offsets.copy()
falling[0, 9] = 7
np.save(folder / "falling.npy", falling)
