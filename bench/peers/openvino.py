"""OpenVINO's ScaledDotProductAttention (opset 13) on its CPU plugin, compiled for latency."""

from . import NotMeasured, dense_bias

NAME = "OpenVINO"


def version():
    import openvino

    return openvino.__version__.split("-")[0]


def stored(x, element):
    """numpy has no bf16: its bits are of the type that ov.Tensor takes for any."""
    import numpy as np

    if element == "bf16":
        return (x.view(np.uint32) >> 16).astype(np.uint16)
    return x.astype(np.float16) if element == "f16" else x


def loaded(o, element):
    import numpy as np

    return (o.view(np.uint16).astype(np.uint32) << 16).view(np.float32) if element == "bf16" else np.array(o, np.float32)


def prepare(line, inputs, threads):
    import numpy as np
    import openvino as ov
    from openvino import opset13 as op

    core = ov.Core()
    if {"f32": "FP32", "f16": "FP16", "bf16": "BF16"}[line.element] not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise NotMeasured(f"its plugin has no {line.element} on this CPU")
    if line.hk != line.h:
        raise NotMeasured("the op has no groups")
    flag = line.pattern.causal and line.i == line.j
    bias = None if flag else dense_bias(line, inputs)
    arrays = [inputs[n] for n in ("q", "k", "v")] + ([] if bias is None else [bias])
    element = {"f32": ov.Type.f32, "f16": ov.Type.f16, "bf16": ov.Type.bf16}[line.element]
    tensors = [stored(x, line.element) for x in arrays]
    nodes = [op.parameter(list(x.shape), element) for x in arrays]

    def constant(x):
        return op.constant(x) if line.element == "f32" else op.convert(op.constant(x), line.element)

    mask = [constant(np.zeros((1, 1, line.i, line.j), np.float32))] if bias is None and not flag else nodes[3:]
    scale = constant(np.float32(line.scale))
    inner = op.scaled_dot_product_attention(*nodes[:3], *(mask or [constant(np.float32(0))]), scale, causal=flag)
    compiled = core.compile_model(ov.Model([inner], nodes, "attention"), "CPU",
                                  {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": line.element})
    request = compiled.create_infer_request()
    for n, x in enumerate(tensors):
        request.set_input_tensor(n, ov.Tensor(x, shared_memory=True) if line.element != "bf16" else ov.Tensor(x, list(x.shape), element))

    def call(keep=tensors):  # the request has their memory, not them
        request.infer()
        return request.get_output_tensor().data

    return call, lambda o: loaded(o, line.element)
