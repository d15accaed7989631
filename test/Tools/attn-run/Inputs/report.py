"""report.py FILE: what attn-run --json says of causal.mlir with n=96 h=2 --check --bench --explain."""

import json
import sys

x = json.load(open(sys.argv[1]))
assert x["ok"] is True and x["exit_code"] == 0 and x["error"] is None, x
assert 0 <= x["error_ratio"] <= 1 and 0 < x["max_abs_error"] < 1e-4
assert x["seconds"] > 0 and x["gflops"] > 0 and x["compile_ms"] > 0 and x["workspace_bytes"] > 0
assert set(x["blocks"]) == {"full", "partial", "skipped", "size"} and len(x["blocks"]["size"]) == 2
assert x["pairs"]["visible"] == 2 * 96 * 97 // 2 and x["pairs"]["exact"] is True
assert x["pairs"]["visited"] >= x["pairs"]["visible"]
assert x["sizes"] == {"b": 1, "h": 2, "i": 96, "j": 96, "c": 64, "e": 64}
assert x["compared"] == {"rows": 192, "of": 192} and set(x["outputs"]) == {"o", "lse"}
assert (x["kernel"], x["dtype"], x["threads"], x["seed"], x["logits"]) == ("causal", "f32", 1, 0, "normal")
assert x["peak"]["rounds"] >= 5 and isinstance(x["peak"]["method"], str) and isinstance(x["variant"], str)
assert x["peak_fraction"] is None or 0 < x["peak_fraction"] < 3
for kind in ("full", "partial", "skipped"):
    assert x["blocks"][kind] == 2 * x["map"][kind], x
