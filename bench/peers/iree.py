"""IREE's attention op (iree_linalg_ext.attention), compiled ahead of time for this CPU and called through its runtime. Its op takes a mask as a tensor of numbers."""

from . import NotMeasured, dense_bias

NAME = "IREE"

TEXT = """
#q = affine_map<(b, m, n, c, j) -> (b, m, c)>
#k = affine_map<(b, m, n, c, j) -> (b, j, c)>
#v = affine_map<(b, m, n, c, j) -> (b, j, n)>
#s = affine_map<(b, m, n, c, j) -> ()>
#x = affine_map<(b, m, n, c, j) -> (m, j)>
#o = affine_map<(b, m, n, c, j) -> (b, m, n)>
func.func @attention(%q: {q}, %k: {k}, %v: {k}{arg}) -> {q} {{
  %scale = arith.constant {scale:.9e} : f32
  %empty = tensor.empty() : {q}
  %o = iree_linalg_ext.attention <{{indexing_maps = [#q, #k, #v, #s{map}, #o]}}> ins(%q, %k, %v, %scale{use} : {q}, {k}, {k}, f32{type}) outs(%empty : {q}) {{
  ^bb0(%score: f32):
    iree_linalg_ext.yield %score : f32
  }} -> {q}
  return %o : {q}
}}
"""


def version():
    import importlib.metadata

    import iree.compiler  # noqa: F401
    import iree.runtime  # noqa: F401

    return importlib.metadata.version("iree-base-compiler")


def prepare(line, inputs, threads):
    import iree.compiler as compiler
    import iree.runtime as runtime
    import numpy as np

    p = line.pattern
    if line.element != "f32":
        raise NotMeasured("measured in f32 alone")
    if p.program not in ("full", "causal"):
        raise NotMeasured("measured where all is visible, and causal")
    if line.hk != line.h:
        raise NotMeasured("its op has no groups")
    if line.b * line.h * line.i * line.j > 1 << 28:
        raise NotMeasured("beyond 2^28 pairs a call takes it a minute")
    mask = dense_bias(line, inputs)
    heads = line.b * line.h
    q, k = f"tensor<{heads}x{line.i}x{line.d}xf32>", f"tensor<{heads}x{line.j}x{line.d}xf32>"
    m = f"tensor<{line.i}x{line.j}xf32>"
    more = dict(arg=f", %x: {m}", map=", #x", use=", %x", type=f", {m}") if mask is not None else dict(arg="", map="", use="", type="")
    text = TEXT.format(q=q, k=k, scale=line.scale, **more)
    try:
        binary = compiler.compile_str(text, target_backends=["llvm-cpu"], extra_args=["--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"])
    except Exception as e:
        why = next((x for x in str(e).splitlines() if "error:" in x), str(e)).split("error:")[-1].strip()
        raise NotMeasured(f"its compiler: {why[:120]}") from e
    runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
    config = runtime.Config("local-task" if threads > 1 else "local-sync")
    module = runtime.load_vm_module(runtime.VmModule.copy_buffer(config.vm_instance, binary), config)
    arrays = [inputs["q"].reshape(heads, line.i, line.d), inputs["k"].reshape(heads, line.j, line.d), inputs["v"].reshape(heads, line.j, line.d)]
    if mask is not None:
        arrays.append(np.ascontiguousarray(mask[0, 0]))
    buffers = [runtime.asdevicearray(config.device, x) for x in arrays]
    function = module.attention

    def call(keep=(binary, config, module, arrays)):  # the function has their memory, not them
        return function(*buffers)

    return call, lambda o: np.array(o.to_host()).reshape(line.b, line.h, line.i, line.d)
