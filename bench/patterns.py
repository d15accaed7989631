"""What the lines of the suites attend to, in numpy: which pairs are visible and what a score becomes, for peers that take a dense mask, and to count pairs.

`i` and `j` are index arrays that broadcast against each other; `a` are the captured tensors that `extras` made. The programs of attn say the same in their own text
(gallery/), the ones of FlexAttention in peers/torch_flex.py; `compare` checks that the outputs agree.
"""

import numpy as np


class Pattern:
    program = None       # of gallery/
    causal = False       # exactly bottom-right causal, for peers with a flag
    params = {}          # run-time scalars of the program

    def extras(self, line, rng):
        """Captured tensors by the program's names."""
        return {}

    def visible(self, line, a, i, j):
        return np.ones(np.broadcast_shapes(i.shape, j.shape), bool)

    def bias(self, line, a, h, i, j):
        """What is added to a score, or None."""
        return None

    def pairs(self, line, a):
        """Visible pairs of one head of the first batch."""
        j = np.arange(line.j)[None, :]
        return sum(int(np.count_nonzero(self.visible(line, a, np.arange(x, min(x + 512, line.i))[:, None], j))) for x in range(0, line.i, 512))


class Full(Pattern):
    program = "full"

    def pairs(self, line, a):
        return line.i * line.j


class Causal(Pattern):
    program, causal = "causal", True

    def visible(self, line, a, i, j):
        return j <= i + (line.j - line.i)

    def pairs(self, line, a):
        return sum(min(line.j, max(0, x + 1 + line.j - line.i)) for x in range(line.i))


class Grouped(Causal):
    program = "gqa"


class Window(Causal):
    """The last `left` keys and the token itself."""
    program, causal = "sliding_window", False

    def __init__(self, left):
        self.params = {"w": left}

    def visible(self, line, a, i, j):
        at = i + (line.j - line.i)
        return (j <= at) & (j >= at - self.params["w"])

    def pairs(self, line, a):
        return sum(min(x, self.params["w"]) + 1 for x in range(line.i))


class Document(Causal):
    """Eight packed documents of seeded lengths."""
    program, causal = "document", False

    def extras(self, line, rng):
        ends = np.sort(rng.choice(np.arange(1, line.j), 7, replace=False))
        return {"seg": np.tile(np.searchsorted(ends, np.arange(line.j), side="right").astype(np.int32), (line.b, 1))}

    def visible(self, line, a, i, j):
        seg = a["seg"][0]
        return super().visible(line, a, i, j) & (seg[i] == seg[j])

    pairs = Pattern.pairs


class Prefix(Causal):
    """A quarter of the tokens is a prompt that all see."""
    program, causal = "prefix_lm", False

    def extras(self, line, rng):
        return {"p": np.full(line.b, line.j // 4, np.int32)}

    def visible(self, line, a, i, j):
        return super().visible(line, a, i, j) | (j < a["p"][0])

    pairs = Pattern.pairs


class Neighborhood(Pattern):
    """7 x 7 pixels around, kept inside an image that is 56 wide, as gallery/natten_2d.mlir says."""
    program, width, size = "natten_2d", 56, 7

    def visible(self, line, a, i, j):
        def near(x, y, n):
            start = np.clip(x - self.size // 2, 0, n - self.size)
            return (y >= start) & (y < start + self.size)
        return near(i // self.width, j // self.width, line.i // self.width) & near(i % self.width, j % self.width, self.width)


class Alibi(Causal):
    program, causal = "alibi", False

    def extras(self, line, rng):
        return {"slopes": (2.0 ** (-8.0 * np.arange(1, line.h + 1) / line.h)).astype(np.float32)}

    def bias(self, line, a, h, i, j):
        return a["slopes"][h] * (j - i).astype(np.float32)


class Softcap(Causal):
    """No peer but FlexAttention has it: a dense bias cannot say it."""
    program, causal, params = "softcap", False, {"cap": 50.0}


class T5Bias(Causal):
    """T5's buckets (Raffel et al., 2020): 16 exact distances, then logarithmic ones up to 128."""
    program, causal = "t5_bias", False

    def extras(self, line, rng):
        d = np.arange(128)
        far = 16 + (np.log(np.maximum(d, 1) / 16) / np.log(128 / 16) * 16).astype(np.int32)
        return {"buckets": np.where(d < 16, d, np.minimum(far, 31)).astype(np.int32), "table": rng.standard_normal((32, line.h), np.float32)}

    def bias(self, line, a, h, i, j):
        return a["table"][a["buckets"][np.clip(i - j, 0, 127)], h]


class Padding(Pattern):
    """A mask of keys: all are real, as in a batch of sentences of one length."""
    program = "minilm"

    def extras(self, line, rng):
        return {"mask": np.ones((line.b, line.j), np.float32)}

    def pairs(self, line, a):
        return line.i * line.j
