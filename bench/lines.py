"""The lines of the comparison: suites of workloads, each a pattern at one size."""

from dataclasses import dataclass, field

import patterns as p


@dataclass
class Line:
    """b batches of h heads (hk of keys and values), i queries against j keys of d features, in the element type `element`."""
    suite: str
    name: str
    pattern: p.Pattern
    i: int
    j: int
    d: int
    b: int = 1
    h: int = 8
    hk: int = 0
    element: str = "f32"
    scale: float = field(default=0.0)  # 0: 1 / sqrt(d)

    def __post_init__(self):
        self.hk = self.hk or self.h
        self.scale = self.scale or (1.0 if isinstance(self.pattern, p.T5Bias) else self.d ** -0.5)

    def flops(self, visible):
        """Two products of d for each visible pair (measuring: FLOPs = 2 (d + dv))."""
        return 4 * self.d * visible * self.b * self.h

    def bytes(self):
        """Of keys and values, each read once."""
        return 2 * self.b * self.hk * self.j * self.d * (4 if self.element == "f32" else 2)


def suites():
    K = 1024
    lines = []
    for s, h in ((K, 8), (4 * K, 8), (16 * K, 2)):
        for d in (64, 128):
            lines += [Line("prefill", f"full/{s // K}k/d{d}", p.Full(), s, s, d, h=h), Line("prefill", f"causal/{s // K}k/d{d}", p.Causal(), s, s, d, h=h)]
    n = 4 * K
    for name, pattern in (("window1024", p.Window(1024)), ("document8", p.Document()), ("prefix", p.Prefix()), ("alibi", p.Alibi()), ("softcap", p.Softcap()), ("t5_bias", p.T5Bias())):
        lines.append(Line("masks", f"{name}/4k/d64", pattern, n, n, 64))
    lines.append(Line("masks", "natten_2d/56x56/d64", p.Neighborhood(), 56 * 56, 56 * 56, 64))
    lines.append(Line("grouped", "gqa4/4k/d128", p.Grouped(), n, n, 128, h=16, hk=4))
    for element in ("bf16", "f16"):
        for d in (64, 128):
            lines += [Line("sixteen", f"{name}/{element}/4k/d{d}", pattern, n, n, d, element=element) for name, pattern in (("full", p.Full()), ("causal", p.Causal()))]
    for element in ("f32", "bf16"):
        for queries in (1, 4, 16):
            for keys in (4 * K, 32 * K):
                lines.append(Line("decode", f"q{queries}/{element}/{keys // K}k/d128", p.Grouped(), queries, keys, 128, h=32, hk=8, element=element))
    lines.append(Line("models", "vit_b/197/d64", p.Full(), 197, 197, 64, b=8, h=12))
    lines.append(Line("models", "minilm/128/d32", p.Padding(), 128, 128, 32, b=8, h=12))
    for s in (16, 64, 256, 1024):
        lines.append(Line("linear", f"window1024/{s}k/d64", p.Window(1024), s * K, s * K, 64, h=1))
    return lines
