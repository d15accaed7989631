"""The peers: one file each. A peer has

    NAME                              as printed
    version()                         of the library; raises ImportError where it is not installed
    prepare(line, inputs, threads)    (call, output): `call()` does one attention on prepared inputs, `output(what call gave)` is a float32 array [b, h, i, d];
                                      raises NotMeasured with the reason where the peer has no such attention

`inputs` has q, k, v (float32 arrays [b, h, n, d] that the element type of the line rounds exactly) and the captured tensors of the pattern.
"""


class NotMeasured(Exception):
    pass


def dense_bias(line, inputs, limit=2 << 30):
    """What a peer without predicates is given: 0 or the bias where a pair is visible, -inf elsewhere, float32 [1, h or 1, i, j]; None where all is visible."""
    import numpy as np

    p = line.pattern
    if p.program in ("full", "minilm"):
        return None
    if p.program == "softcap":
        raise NotMeasured("its scores have no cap")
    i, j = np.arange(line.i)[:, None], np.arange(line.j)[None, :]
    biased = p.program in ("alibi", "t5_bias")
    heads = line.h if biased else 1
    if 4 * heads * line.i * line.j > limit:
        raise NotMeasured(f"a dense mask of {4 * heads * line.i * line.j >> 20} MiB")
    hidden = ~p.visible(line, inputs, i, j)
    out = np.zeros((1, heads, line.i, line.j), np.float32)
    for h in range(heads):
        if biased:
            out[0, h] = p.bias(line, inputs, h, i, j)
        out[0, h][hidden] = -np.inf
    return out
