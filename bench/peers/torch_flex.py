"""torch.nn.attention.flex_attention, compiled (it needs a C++ compiler at run time). The block mask is made before the clock starts."""

from . import NotMeasured, torch_sdpa

NAME = "torch FlexAttention"
version = torch_sdpa.version


def mods(line, inputs):
    """(mask_mod, score_mod) of the line's pattern."""
    import torch

    p, offset = line.pattern, line.j - line.i
    a = {n: torch.from_numpy(x) for n, x in inputs.items() if n not in ("q", "k", "v")}

    def causal(b, h, i, j):
        return j <= i + offset

    def near(x, y, n, size):
        start = torch.clamp(x - size // 2, 0, n - size)
        return (y >= start) & (y < start + size)

    def score(f):
        return lambda s, b, h, i, j: f(s, h, i, j)

    if p.program == "sliding_window":
        w = p.params["w"]
        return (lambda b, h, i, j: (j <= i + offset) & (j >= i + offset - w)), None
    if p.program == "document":
        seg = a["seg"]
        return (lambda b, h, i, j: (j <= i) & (seg[b, i] == seg[b, j])), None
    if p.program == "prefix_lm":
        prefix = a["p"]
        return (lambda b, h, i, j: (j <= i) | (j < prefix[b])), None
    if p.program == "natten_2d":
        w, n, size = p.width, line.i // p.width, p.size
        return (lambda b, h, i, j: near(i // w, j // w, n, size) & near(i % w, j % w, w, size)), None
    if p.program == "alibi":
        slopes = a["slopes"]
        return causal, score(lambda s, h, i, j: s + slopes[h] * (j - i))
    if p.program == "softcap":
        cap = p.params["cap"]
        return causal, score(lambda s, h, i, j: cap * torch.tanh(s / cap))
    if p.program == "t5_bias":
        buckets, table = a["buckets"], a["table"]
        return causal, score(lambda s, h, i, j: s + table[buckets[torch.clamp(i - j, 0, 127)], h])
    if p.program in ("causal", "gqa"):
        return causal, None
    if p.program in ("full", "minilm"):
        return None, None
    raise NotMeasured(f"no modifier was written for {p.program}")


_compiled = None


def prepare(line, inputs, threads):
    global _compiled
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    q, k, v = torch_sdpa.operands(line, inputs)
    mask_mod, score_mod = mods(line, inputs)
    if mask_mod and line.i * line.j > 1 << 30:
        raise NotMeasured(f"create_block_mask evaluates all {line.i} x {line.j} pairs")
    mask = create_block_mask(mask_mod, line.b if line.pattern.program == "document" else None, None, line.i, line.j, device="cpu") if mask_mod else None
    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)

    def call():
        return compiled(q, k, v, score_mod=score_mod, block_mask=mask, scale=line.scale, enable_gqa=line.hk != line.h)

    try:
        call()
    except Exception as e:  # the compiler says in many ways that it has no such kernel
        raise NotMeasured(f"{type(e).__name__}: {str(e).splitlines()[0][:120]}") from e
    return call, lambda o: o.float().numpy()
