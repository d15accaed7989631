"""The unfused form by numpy's BLAS: scores by matmul, softmax, matmul. A yardstick, not a peer: what a user without a fused kernel has."""

from . import NotMeasured, dense_bias

NAME = "unfused BLAS"


def version():
    import numpy as np

    return f"numpy {np.__version__}"


def prepare(line, inputs, threads):
    import numpy as np

    if line.element != "f32":
        raise NotMeasured("numpy's BLAS has no 16-bit product")
    if 4 * line.i * line.j > 2 << 30:
        raise NotMeasured("a matrix of scores over 2 GiB")
    q, k, v = (inputs[n] for n in ("q", "k", "v"))
    bias = dense_bias(line, inputs)
    group, o = line.h // line.hk, np.empty_like(q)

    def call():
        for b in range(line.b):
            for h in range(line.h):
                s = (q[b, h] * line.scale) @ k[b, h // group].T
                if bias is not None:
                    s += bias[0, h % bias.shape[1]]
                s -= s.max(1, keepdims=True)
                np.exp(s, out=s)
                s /= s.sum(1, keepdims=True)
                np.matmul(s, v[b, h // group], out=o[b, h])
        return o

    return call, lambda x: x
