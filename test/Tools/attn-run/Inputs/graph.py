"""graph.py WINDOW DILATED CROSS UNSUPPORTED: the graph in what attn-run --explain --json says of four programs."""

import json
import sys

window, dilated, cross, unsupported = (json.load(open(path)) for path in sys.argv[1:])

seen = sum(min(i, 8) + 1 for i in range(64))
assert window["density"] == seen / 64**2 and window["pairs"]["visible"] == seen, window
assert window["set"] == {"rows": 64, "of": 64, "keys": 64, "density": seen / 64**2, "empty_rows": 0, "unseen_keys": 0}
g = window["graph"]
assert g["exact"] is True and g["finished"] is True and g["tokens_per_node"] == 1 and (g["nodes"], g["padding"]) == (64, 0)
assert (g["components"], g["closed"], g["connected"], g["radius"]) == (64, 1, True, 8)
assert g["root_sees_itself"] is True
assert g["roots"] == g["centre"] == {"count": 1, "ranges": [[0, 0]]}
assert [h["layers"] for h in g["heard"]] == [1, 2, 4, 8]
for h in g["heard"]:
    reach = [min(i, 8 * h["layers"]) + 1 for i in range(64)]
    assert abs(h["mean"] - sum(reach) / 64**2) < 1e-12 and abs(h["most"] - max(reach) / 64) < 1e-12, h

g = dilated["graph"]
assert (g["components"], g["closed"], g["connected"], g["radius"]) == (64, 2, False, None)
assert g["roots"] == {"count": 0, "ranges": []} and g["root_sees_itself"] is False

assert set(cross["graph"]) == {"absent"} and cross["density"] == 1

x = unsupported
assert x["ok"] is True and x["exit_code"] == 0 and x["unsupported"].startswith("[unsupported_target]")
assert x["pairs"] == {"exact": True, "visible": 820, "visited": None} and x["blocks"] is None and x["variant"] is None
assert x["map"] == {"full": 3, "partial": 3, "skipped": 3, "size": [16, 16]} and x["graph"]["radius"] == 1
