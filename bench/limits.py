"""What the machine can do, as contestants of their own: fused multiply-adds without a load, and a read of memory."""

import ctypes
import subprocess
import threading
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "tools/run"
# What each is compiled for: attn-run's CMakeLists.txt says the same.
SOURCES = {
    ROOT / "bench/limits.cpp": [], RUN / "PeakLoop.cpp": [], RUN / "ReadLoop.cpp": ["-mavx2"], RUN / "PeakLoopAVX2.cpp": ["-mavx2", "-mfma"],
    RUN / "PeakLoopAVX512.cpp": ["-mavx512f"], RUN / "PeakLoopTiles.cpp": ["-mamx-tile", "-mamx-bf16"],
}


def library(build):
    path = Path(build) / "bench/limits.so"
    if not path.exists() or any(s.stat().st_mtime > path.stat().st_mtime for s in SOURCES):
        path.parent.mkdir(parents=True, exist_ok=True)
        objects = []
        for source, options in SOURCES.items():
            objects.append(str(path.parent / f"limits-{source.stem}.o"))
            subprocess.run(["c++", "-std=c++17", "-O2", "-fPIC", *options, "-c", str(source), "-o", objects[-1]], check=True)
        subprocess.run(["c++", "-shared", *objects, "-o", str(path)], check=True)
    found = ctypes.CDLL(str(path))
    found.attn_peak_flops.argtypes, found.attn_peak_flops.restype = [ctypes.c_bool], ctypes.c_int64
    found.attn_peak_iterations.argtypes, found.attn_peak_iterations.restype = [ctypes.c_bool, ctypes.c_int64], ctypes.c_int64
    found.attn_peak_loop.argtypes, found.attn_peak_loop.restype = [ctypes.c_bool, ctypes.c_int64], ctypes.c_double
    found.attn_read_lines.argtypes = [ctypes.c_void_p, ctypes.c_int64]
    return found


def on_threads(work, threads):
    """A call that runs work(0) .. work(threads - 1) side by side: ctypes lets go of Python's lock."""
    def call():
        others = [threading.Thread(target=work, args=(n,)) for n in range(1, threads)]
        for t in others:
            t.start()
        work(0)
        for t in others:
            t.join()
    return call


def peak(lib, threads, bf16):
    """(call, FLOPs of a call): a millisecond, or ten where threads have to be started. Of the widest vectors of this CPU, for bf16 of its tiles."""
    iterations = lib.attn_peak_iterations(bf16, 2_400_000 if threads == 1 else 24_000_000)
    return on_threads(lambda n: lib.attn_peak_loop(bf16, iterations), threads), lib.attn_peak_flops(bf16) * iterations * threads


def read(lib, threads, megabytes=512):
    """(call, bytes of a call): far more than any cache, each thread its own part."""
    memory = np.ones(megabytes << 20, np.uint8)
    part = memory.nbytes // threads

    def work(n, keep=memory):
        lib.attn_read_lines(memory.ctypes.data + n * part, part)

    return on_threads(work, threads), part * threads
