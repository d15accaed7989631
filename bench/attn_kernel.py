"""A program of attn as a Python callable: attnc makes an object, cc links it with the runtime into a shared library, ctypes calls its C ABI.

Nothing here is measured: `Kernel.bind` prepares one call with fixed tensors, and what it returns does the call alone.
"""

import ctypes
import hashlib
import os
import subprocess
from pathlib import Path

import numpy as np

ABI_VERSION, MAX_RANK = 4, 6
CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
BF16 = 4  # numpy has no bf16: a uint16 array stands for its bits


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * MAX_RANK), ("stride", ctypes.c_int64 * MAX_RANK)]


class Scalar(ctypes.Union):
    _fields_ = [("i", ctypes.c_int64), ("f", ctypes.c_double)]


class Error(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_int32), ("axis", ctypes.c_int32), ("expected", ctypes.c_int64), ("found", ctypes.c_int64)]


class Call(ctypes.Structure):
    _fields_ = [("abi_version", ctypes.c_uint32), ("size", ctypes.c_uint32), ("args", ctypes.POINTER(Tensor)), ("params", ctypes.POINTER(Scalar)),
                ("n_args", ctypes.c_int32), ("n_params", ctypes.c_int32), ("workspace", ctypes.c_void_p), ("workspace_bytes", ctypes.c_uint64),
                ("parallel_for", ctypes.c_void_p), ("pool", ctypes.c_void_p), ("workers", ctypes.c_int32), ("variant", ctypes.c_int32),
                ("stats", ctypes.c_void_p), ("error", ctypes.POINTER(Error))]


def tensor(array):
    is_bf16 = array.dtype == np.uint16
    code, bits = (BF16, 16) if is_bf16 else (CODES[array.dtype.kind], 8 * array.itemsize)
    t = Tensor(array.ctypes.data, code, bits, 1, array.ndim)
    for a in range(array.ndim):
        t.shape[a], t.stride[a] = array.shape[a], array.strides[a] // array.itemsize
    return t


class Kernel:
    """The kernel `name` of a program's text, compiled by the attnc of `build`; objects are kept in `cache` by the hash of text and compiler."""

    def __init__(self, text, name, target, build, cache):
        compiler = Path(build) / "bin/attnc"
        key = hashlib.sha256(text.encode() + target.encode() + str(os.stat(compiler).st_mtime_ns).encode()).hexdigest()[:16]
        stem = Path(cache) / f"{name}-{key}"
        library = stem.with_suffix(".so")
        if not library.exists():
            stem.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([str(compiler), "-", "-o", str(stem), "--emit=o", f"--target={target}"], input=text, text=True, check=True)
            subprocess.run(["cc", "-shared", "-o", str(library), f"{stem}.o", "-Wl,--whole-archive", str(Path(build) / "lib/libattn_rt.a"),
                            "-Wl,--no-whole-archive", "-lpthread", "-lm"], check=True)
        self.library, self.name = ctypes.CDLL(str(library)), name
        self.library.attn_pool_create.restype = ctypes.c_void_p

    def bind(self, tensors, params, threads):
        """A function of no arguments that does one call. `tensors`: arguments, then results, in the program's order; `params`: numbers in its order."""
        args = (Tensor * len(tensors))(*[tensor(x) for x in tensors])
        scalars = (Scalar * max(1, len(params)))()
        for s, x in zip(scalars, params):
            if isinstance(x, float):
                s.f = x
            else:
                s.i = x
        error = Error()
        pool = self.library.attn_pool_create(threads) if threads > 1 else None
        call = Call(ABI_VERSION, ctypes.sizeof(Call), args, scalars, len(tensors), len(params), None, 0, None, pool, threads, -1, None, ctypes.pointer(error))
        run, need = getattr(self.library, f"attn_{self.name}"), ctypes.c_uint64()

        def checked(status):
            if status:
                raise RuntimeError(f"attn_{self.name}: status {status}, argument {error.arg}, axis {error.axis}: expected {error.expected}, found {error.found}")

        checked(getattr(self.library, f"attn_{self.name}_workspace")(ctypes.byref(call), ctypes.byref(need)))
        workspace = np.zeros(need.value + 64, np.uint8)
        call.workspace, call.workspace_bytes = workspace.ctypes.data, workspace.nbytes

        def once(keep=(tensors, workspace, args, scalars, error)):  # what the call's pointers point to must live as long as it
            checked(run(ctypes.byref(call)))

        once.workspace_bytes = need.value
        return once
