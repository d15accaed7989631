"""npy.py FILE DTYPE SHAPE [--order fortran] [--values V,V,...]: a .npy file, without numpy.

DTYPE is numpy's (<f4), SHAPE comma separated. Values repeat; without them every byte of the data is zero.
npy.py FILE --raw HEADER BYTES: any header, any amount of data."""

import struct
import sys


def write(path, header, data):
    head = header.encode("latin-1")
    head += b" " * (63 - (10 + len(head)) % 64) + b"\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data)


args = sys.argv[1:]
if args[1] == "--raw":
    write(args[0], args[2], bytes(int(args[3])))
    sys.exit()
path, dtype, shape = args[0], args[1], [int(n) for n in args[2].split(",")]
count = 1
for n in shape:
    count *= n
fortran = "--order" in args
code = {"f8": "d", "f4": "f", "i8": "q", "i4": "i", "i1": "b", "b1": "?", "u2": "H", "f2": "e"}[dtype[1:]]
values = [float(v) if code in "dfe" else int(v) for v in args[args.index("--values") + 1].split(",")] if "--values" in args else [0]
data = struct.pack(f"<{count}{code}", *(values[n % len(values)] for n in range(count)))
write(path, f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': ({', '.join(map(str, shape))},), }}", data)
