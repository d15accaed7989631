"""onnxruntime's MultiHeadAttention and GroupQueryAttention are fed other layouts; the standard op Attention (opset 23) takes ours."""

from . import NotMeasured, dense_bias

NAME = "onnxruntime"


def version():
    import onnx  # noqa: F401  makes the model
    import onnxruntime

    return onnxruntime.__version__


def prepare(line, inputs, threads):
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper

    if line.element == "bf16":
        raise NotMeasured("no bf16 arrays from numpy")
    element, numbers = (TensorProto.FLOAT, np.float32) if line.element == "f32" else (TensorProto.FLOAT16, np.float16)
    p = line.pattern
    flag = p.causal and line.i == line.j
    softcap = float(p.params["cap"]) if p.program == "softcap" else 0.0
    flag = flag or p.program == "softcap"
    bias = None if flag else dense_bias(line, inputs)
    feeds = {n: inputs[n].astype(numbers) for n in ("q", "k", "v")}
    if bias is not None:
        feeds["bias"] = bias.astype(numbers)
    values = [helper.make_tensor_value_info(n, element, x.shape) for n, x in feeds.items()]
    node = helper.make_node("Attention", list(feeds), ["o"], scale=line.scale, is_causal=int(flag), softcap=softcap)
    graph = helper.make_graph([node], "attention", values, [helper.make_tensor_value_info("o", element, [line.b, line.h, line.i, line.d])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # its threads would spin while the others are measured
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        session.run(None, feeds)
    except Exception as e:
        raise NotMeasured(f"{type(e).__name__}: {str(e).splitlines()[0][:120]}") from e
    return (lambda: session.run(None, feeds)[0]), lambda o: o.astype(np.float32)
