"""Ourselves: the gallery's program with the line's element type and features, ahead of time, through the C ABI."""

import importlib.util
import re
from pathlib import Path

NAME = "attn"
ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TARGET = "x86-64-v3"


def version():
    return "this tree"


def arguments(text):
    """[(name, is a tensor)] of the program's arguments, in order."""
    signature = re.search(r"attn\.kernel @\w+\((.*?)\) -> ", text, re.S)[1]
    return [(n, t[0] in "!t") for n, t in re.findall(r"%(\w+): (!\w+|tensor<[^>]*>|\w+)", signature)]


def prepare(line, inputs, threads):
    import numpy as np

    from attn_kernel import Kernel

    spec = importlib.util.spec_from_file_location("program", ROOT / "test/gallery/program.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    text = (ROOT / f"gallery/{line.pattern.program}.mlir").read_text()
    text = text.replace("x32xf32>", "x64xf32>") if line.pattern.program == "minilm" else text
    text = program.variant(text, line.element, d=line.d, e=line.d)
    kernel = Kernel(text, line.pattern.program, TARGET, BUILD, BUILD / "bench")

    def stored(x):
        if line.element == "f32" or x.dtype != np.float32:
            return x
        return x.astype(np.float16) if line.element == "f16" else (x.view(np.uint32) >> 16).astype(np.uint16)  # inputs are exact in 16 bits

    o = stored(np.zeros((line.b, line.h, line.i, line.d), np.float32))
    lse = np.zeros((line.b, line.h, line.i), np.float32)
    names = arguments(text)
    tensors = [stored(inputs[n]) if n in ("q", "k", "v") else inputs[n] for n, is_tensor in names if is_tensor]
    once = kernel.bind([*tensors, o, lse], [line.pattern.params[n] for n, is_tensor in names if not is_tensor], threads)

    def call():
        once()
        return o

    call.bytes = sum(x.nbytes for x in tensors) + o.nbytes + lse.nbytes + once.workspace_bytes  # all that a call touches
    return call, lambda x: (x.astype(np.uint32) << 16).view(np.float32) if x.dtype == np.uint16 else x.astype(np.float32)
