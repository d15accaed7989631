"""OpenVINO's ScaledDotProductAttention (opset 13) on its CPU plugin, compiled for latency."""

from . import NotMeasured, dense_bias

NAME = "OpenVINO"


def version():
    import openvino

    return openvino.__version__.split("-")[0]


def prepare(line, inputs, threads):
    import numpy as np
    import openvino as ov
    from openvino import opset13 as op

    if line.element != "f32":
        raise NotMeasured("measured in f32 alone: this CPU has no 16-bit arithmetic that its plugin takes")
    if line.hk != line.h:
        raise NotMeasured("the op has no groups")
    flag = line.pattern.causal and line.i == line.j
    bias = None if flag else dense_bias(line, inputs)
    arrays = [inputs[n] for n in ("q", "k", "v")] + ([] if bias is None else [bias])
    nodes = [op.parameter(list(x.shape), np.float32) for x in arrays]
    mask = [op.constant(np.zeros((1, 1, line.i, line.j), np.float32))] if bias is None and not flag else nodes[3:]
    scale = op.constant(np.float32(line.scale))
    inner = op.scaled_dot_product_attention(*nodes[:3], *(mask or [op.constant(np.float32(0))]), scale, causal=flag)
    core = ov.Core()
    compiled = core.compile_model(ov.Model([inner], nodes, "attention"), "CPU",
                                  {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    for n, x in enumerate(arrays):
        request.set_input_tensor(n, ov.Tensor(x, shared_memory=True))

    def call(keep=arrays):  # the request has their memory, not them
        request.infer()
        return request.get_output_tensor().data

    return call, lambda o: np.array(o)
