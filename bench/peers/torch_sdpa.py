"""torch.nn.functional.scaled_dot_product_attention on the CPU (its flash kernel where the arguments admit it)."""

from . import NotMeasured, dense_bias

NAME = "torch SDPA"


def version():
    import torch

    return torch.__version__


def dtype(line):
    import torch

    return {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[line.element]


def operands(line, inputs):
    import torch

    return [torch.from_numpy(inputs[n]).to(dtype(line)) for n in ("q", "k", "v")]


def prepare(line, inputs, threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    q, k, v = operands(line, inputs)
    flag = line.pattern.causal and line.i == line.j
    bias = None if flag else dense_bias(line, inputs)
    mask = None if bias is None else torch.from_numpy(bias).to(q.dtype)
    more = {"enable_gqa": True} if line.hk != line.h else {}

    def call():
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=flag, scale=line.scale, **more)

    return call, lambda o: o.float().numpy()
