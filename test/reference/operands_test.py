"""The references whose queries, keys and values come in parts, turned, normed, quantized, by pages or by lists, and those of layers around an attention: against identities of their papers, worked
examples, and loops over Python numbers. Run by self_test.py."""

import importlib
import math

import numpy as np

import common
import cosine
import dense
import halo_relative
import kv_fp8
import layers
import mla
import polarized
import quantized
import rope
import saq
import sparsifiner_predict
import swin_shifted
from weights_test import case, near, precisions, run

NEW = ["decode", "cosine", "swin_bias", "swin_shifted", "halo_relative", "halo_relative_padded", "polarized_channel", "polarized_spatial", "polarized_parallel", "polarized_sequential", "coordinate",
       "solvable", "solvable_teacher", "feature_axis", "talking_heads", "oat", "lehd", "lehd_mask", "clear_pooled", "mla", "mla_plain", "mla_absorbed", "tpla", "grouped_latent", "plga", "plga_graph",
       "pointer_tanh", "rope", "rope_interleaved", "rope_partial", "rope_alibi", "qk_norm", "kv_int8", "kv_int4", "kv_fp8", "paged_decode", "head_subset", "sparsifiner_predict", "saq"]


def same(a, b, names=("o", "lse")):
    return all(near(a[n], b[n]) for n in names)


def latent(report, rng):
    x, params = case("mla_plain", rng, knob="8+2")
    joined = {"q": np.concatenate([x["q"], x["qr"]], -1), "k": np.concatenate([x["k"], np.broadcast_to(x["kr"][:, None], (2, 2, 13, 2))], -1), "v": x["v"]}
    report("a sum of two products is one of both features", same(run("mla_plain", x, params), run("causal", joined, {})))
    x, params = case("mla_absorbed", rng, knob="8")
    k, v = np.einsum("bjc,hnc->bhjn", x["latent"], x["wuk"]), np.einsum("bjc,hce->bhje", x["latent"], x["wuv"])
    naive = run("mla_plain", {"q": x["q"], "qr": x["qr"], "k": k, "kr": x["kr"], "v": v}, {})["o"]
    report("absorbed is plain: from weights", near(run("mla_absorbed", x, params, "f80")["o"], naive) and near(run("mla_absorbed", x, params, "plain-f64")["o"], naive))
    q = np.einsum("bhin,hnc->bhic", x["q"], x["wuk"])
    cached = {"q": q, "qr": x["qr"], "latent": np.concatenate([x["latent"], x["kr"]], -1)}
    o = run("mla", cached, {"scale": np.float32(6 ** -0.5)})["o"]
    report("absorbed is plain: on the cache", near(np.einsum("bhic,hce->bhie", o, x["wuv"]), naive, 1e-6))
    x, params = case("tpla", rng, knob="8+2")
    params |= {"mu0": 1.0, "mu1": 1.0}
    twice = x | {"q1": x["q0"], "l1": x["l0"], "w1": 0 * x["w0"]}
    whole = run("mla", {"q": x["q0"], "qr": x["qr"], "latent": np.concatenate([x["l0"], x["kr"]], -1)}, params)["o"]
    report("one shard is latent attention", near(run("tpla", twice, params)["out"], np.einsum("bhie,hed->bid", whole, x["w0"])))
    both = {"q": np.concatenate([x["q0"], x["q1"]], -1), "qr": x["qr"], "latent": np.concatenate([x["l0"], x["l1"], x["kr"]], -1)}
    out = np.einsum("bhie,hed->bid", run("mla", both, params)["o"], np.concatenate([x["w0"], x["w1"]], 1))
    report("two shards are not attention over the whole latent", not near(run("tpla", x, params)["out"], out, 1e-2))
    x, params = case("grouped_latent", rng, knob="8+2", group=2)
    o = run("mla", {"q": x["q"], "qr": x["qr"], "latent": np.concatenate([x["latent"][:, 0], x["kr"]], -1)}, params)["o"]
    report("one group is latent attention", near(run("grouped_latent", x, params)["out"], np.einsum("bhie,hed->bid", o, x["w"])))


def graphs(report, rng):
    x, _ = case("plga", rng)
    report("G = I is attention", same(run("plga", x | {"g": np.broadcast_to(np.eye(4), (2, 2, 4, 4))}, {}), run("causal", x, {})))
    report("G goes into the keys", same(run("plga", x, {}), run("causal", x | {"k": np.einsum("bhcr,bhjr->bhjc", x["g"], x["k"])}, {})))
    x, params = case("plga_graph", rng, knob="5")
    out = run("plga_graph", x, params)
    report("with its graph cached", near(run("plga", x | {"g": out["g"]}, {})["o"], out["o"]))
    z = [[math.fsum(x["w"][1, r, n] * x["metric"][0, 1, n, c] for n in range(5)) + x["b"][1, r, c] for c in range(5)] for r in range(5)]
    ap = [[(y * y / (1 + math.exp(-y)) + np.float32(1e-9)) ** x["power"][1, r, c] for c, y in enumerate(row)] for r, row in enumerate(z)]
    g = math.fsum(x["a"][1, 3, n] * ap[n][2] for n in range(5)) + x["c"][1, 3, 2]
    report("one number of a graph", near(out["g"][0, 1, 3, 2], g))


def positions(report, rng):
    for row in ("rope", "rope_interleaved"):
        x, params = case(row, rng, 11, 11)
        wide = x | rope.tables(40, 2)
        out = run(row, wide, params)
        report(f"{row}: only differences of positions matter", same(run(row, wide | {"at": x["at"] + 17}, params), out))
        report(f"{row}: all at one place is attention", same(run(row, x | {"at": 0 * x["at"] + 5}, params), run("causal", x, {})))
        report(f"{row}: positions matter", not near(out["o"], run("causal", x, {})["o"], 1e-3))
    x, params = case("rope", rng, 11, 11, "random")
    order = [0, 2, 1, 3]
    mixed = x | {n: x[n][..., order] for n in "qk"}
    report("interleaved is half-split with the features in another order", same(run("rope_interleaved", mixed, params), run("rope", x, params)))
    q = rope.halves(x["q"], x["cos"][3], x["sin"][3])
    report("turning keeps lengths", near((q * q).sum(-1), (x["q"] ** 2).sum(-1)))
    angle = 3 * 100.0 ** (-np.arange(2) / 2)
    turned = (x["q"][..., :2] + 1j * x["q"][..., 2:]) * np.exp(1j * angle)
    report("turning is a product of complex numbers", near(q, np.concatenate([turned.real, turned.imag], -1)))
    x, params = case("rope_partial", rng, 11, 11)
    report("partial: without angles it is attention", same(run("rope_partial", x | {"cos": 0 * x["cos"] + 1, "sin": 0 * x["sin"]}, params), run("causal", x, {})))
    first = x | {n: np.concatenate([x[n][..., :2], 0 * x[n][..., 2:]], -1) for n in "qk"}
    small = x | {"q": x["q"][..., :2] / 2 ** 0.5, "k": x["k"][..., :2], "at": np.broadcast_to(np.arange(11), (2, 11))}
    report("partial: the first half is turned", same(run("rope_partial", first, params), run("rope", small, {})))
    x, params = case("rope_alibi", rng, 11, 11, "rope")
    report("a = 1, b = 0 is rope", same(run("rope_alibi", x, params), run("rope", x | {"at": np.broadcast_to(np.arange(11), (2, 11))}, {})))
    x, params = case("rope_alibi", rng, 11, 11, "alibi")
    report("a = 0, b = 1 is ALiBi without a product", same(run("rope_alibi", x, params), run("alibi", x | {"q": 0 * x["q"], "slopes": x["slope"]}, {})))
    x, params = case("rope_alibi", rng, 11, 11)
    e = []
    for j in range(7):
        q, k = (rope.halves(x[n][1, 1, p], x["cos"][p], x["sin"][p]) for n, p in (("q", 6), ("k", j)))
        a = 1 / (1 + 6 - j)
        e.append(math.exp(a * 0.5 * math.fsum(q * k) - (1 - a) * x["slope"][1] * (6 - j)))
    report("harmonic mix: one row", near(run("rope_alibi", x, params)["o"][1, 1, 6], np.array(e) / sum(e) @ x["v"][1, 1, :7]))


def norms(report, rng):
    x, params = case("qk_norm", rng, 11, 11, "ones")
    out = run("qk_norm", x, params)
    report("qk_norm: lengths do not matter", near(run("qk_norm", x | {"q": 100 * x["q"], "k": 7 * x["k"]}, params)["o"], out["o"], 1e-4))
    plain = cosine.reference(x | {"tau": np.full(2, 0.5), "bias": np.zeros((2, 11, 11))}, {}, "f64")
    report("qk_norm of gains 1 is cosine attention with 1 / sqrt d", near(out["o"][:, :, -1], plain["o"][:, :, -1], 1e-4))
    x, params = case("cosine", rng)
    out = run("cosine", x, params)
    report("cosine: lengths do not matter", same(run("cosine", x | {"q": 3 * x["q"], "k": 5 * x["k"]}, params), out))
    report("cosine: a zero query has the bias alone", near(run("cosine", x | {"q": 0 * x["q"]}, params)["o"], dense.combine(dense.softmax(np.broadcast_to(x["bias"], (2, 2, 9, 13)), True, "f64")[0], x["v"], "f64")))
    report("cosine: tau is 0.01 at least", same(run("cosine", x | {"tau": np.full(2, 1e-9)}, params), run("cosine", x | {"tau": np.full(2, np.float32(0.01))}, params)))
    y = rng.standard_normal((3, 7))
    n = layers.layer_norm(y, np.ones(7), np.zeros(7), 0)
    report("layer norm: mean 0, variance 1", near(n.mean(-1), 0) and near(n.var(-1), 1))
    report("rms norm: mean square 1", near((layers.rms_norm(y, np.ones(7), 0) ** 2).mean(-1), 1))
    report("a sum in order", near(layers.in_order(y), y.sum(-1)) and layers.in_order(y[:, :0]).tolist() == [0, 0, 0])


def codes(report, rng):
    code, scale = quantized.symmetric(np.array([[1.0, -0.5, 0.25, 0.0], [0.0, 0, 0, 0]]))
    report("int8 codes", code.tolist() == [[127, -64, 32, 0], [0, 0, 0, 0]] and scale[0] == np.float32(1) / np.float32(127) and scale[1] == 0)
    code, scale, least = quantized.asymmetric(np.array([[-1.0, 0.5, 2.0, 0.6], [3, 3, 3, 3]]), 2, -1)
    report("2-bit codes", code.tolist() == [[0, 2, 3, 2], [0, 0, 0, 0]] and scale.tolist() == [[1], [0]] and least.tolist() == [[-1], [3]])
    for bits in (2, 4, 8):
        code = rng.integers(0, 2 ** bits, (3, 16)).astype(np.uint8)
        byte = quantized.packed(code, bits)
        report(f"{bits} bits: packed and back", byte.shape == (3, 2 * bits) and byte.dtype == np.int8 and np.array_equal(quantized.unpacked(byte, bits), code))
        x = rng.standard_normal((5, 16))
        c, s, z = quantized.asymmetric(x, bits, -1)
        report(f"{bits} bits: half a step away at most", (np.abs(quantized.back(c, s, z) - x) <= s * 0.5001 + 1e-6).all() and c.max() == 2 ** bits - 1 and c.min() == 0)
    report("the first of two in a byte is its low half", quantized.packed(np.array([[0x3, 0xA]], np.uint8), 4).view(np.uint8)[0, 0] == 0xA3)
    e4, e5 = quantized.float8("E4M3FN"), quantized.float8("E5M2")
    report("E4M3FN", (e4[0x7E], e4[0x08], e4[0x01], e4[0xFE], e4[0x38]) == (448.0, 2.0 ** -6, 2.0 ** -9, -448.0, 1.0) and np.isnan(e4[[0x7F, 0xFF]]).all() and np.isfinite(e4).sum() == 254)
    with np.errstate(all="ignore"):
        halves = (np.arange(256, dtype=np.uint16) << 8).view(np.float16).astype(np.float64)
    report("E5M2 is the upper byte of f16", np.array_equal(e5, halves, equal_nan=True))
    x = rng.standard_normal(1000) * 10.0 ** rng.integers(-4, 3, 1000)
    for kind, table in (("E4M3FN", e4), ("E5M2", e5)):
        best = np.nanmin(np.where(np.isfinite(table), np.abs(x[:, None] - table), np.nan), axis=1)
        report(f"nearest {kind}", near(np.abs(table[kv_fp8.nearest(x, kind)] - x), best))
    for row in ("kv_int8", "kv_int4", "kv_fp8"):
        x, params = case(row, rng, 3, 13, "ragged")
        out = run(row, x, params)
        for b, n in enumerate(x["length"]):
            cut = {m: t[:, :, :n] if t.ndim > 2 and m != "q" else t for m, t in x.items()} | {"length": np.full(2, n)}
            report(f"{row}: nothing behind the end counts", near(run(row, cut, params)["o"][b], out["o"][b]) and not np.isnan(out["o"]).any())
    x, params = case("kv_int4", rng, 3, 13, "channel")
    k = np.zeros((2, 2, 13, 16))
    for at in np.ndindex(k.shape):
        c = at[-1]
        k[at] = (x["k"].view(np.uint8)[*at[:3], c // 2] >> 4 * (c % 2) & 15) * x["ks"][*at[:3], c] + x["kz"][*at[:3], c]
    v = quantized.back(quantized.unpacked(x["v"], 4), x["vs"], x["vz"])
    report("kv_int4: numbers one by one", near(run("kv_int4", x, params)["o"], run("full", {"q": x["q"], "k": k, "v": v}, {})["o"], 1e-6))


def staircase(report, rng):
    """Forty tokens, a step of 8: the codes of every token by following it through all its levels."""
    step, group, d = 8, 4, 6
    k, v = (rng.standard_normal((1, 40, d)).astype(np.float32) for _ in "kv")
    _, _, segments = saq.cache(k, v, step, group)
    report("staircase: bits and tokens", [(s.bits, s.k.shape[1]) for s in segments] == [(8, 8), (4, 8), (2, 24)])
    one = np.float32

    def quantize(x, bits):
        least, most = min(x), max(x)
        scale = one(one(most - least) / one(2 ** bits - 1))
        code = [int(np.rint(one(one(y - least) / scale))) if scale else 0 for y in x]
        return code, [one(one(one(c) * scale) + least) for c in code]
    age = {4: (8,), 3: (8, 4), 2: (8, 4, 2), 1: (8, 4, 2), 0: (8, 4, 2)}
    good = True
    for block in range(5):
        s = segments[min(4 - block, 2)]
        first = block * step if block < 3 else 0                          # of the block in its segment
        for n in range(step // group):
            rows = slice(block * step + n * group, block * step + (n + 1) * group)
            for c in range(d):
                x = [one(y) for y in k[0, rows, c]]
                for bits in age[block]:
                    code, x = quantize(x, bits)
                good &= s.k[0, first + n * group:first + (n + 1) * group, c].tolist() == code
        for n in range(step):
            x = [one(y) for y in v[0, block * step + n]]
            for bits in age[block]:
                code, x = quantize(x, bits)
            good &= s.v[0, first + n].tolist() == code
    report("staircase: the codes of 40 tokens after five steps, bit by bit", good)
    straight = saq.Segment(k[:, :24], v[:, :24], 2, group)
    # 3 divides 15 and 15 divides 255, so the steps of fewer bits end where steps of more bits end
    report("staircase: 8, 4, 2 bits in a row leave the codes of 2 bits at once", np.mean(straight.k != segments[2].k) < 0.01 and np.mean(straight.v != segments[2].v) < 0.01)
    x, params = case("saq", rng, 3, 45, "8")
    segments = saq.cache(*(np.random.default_rng([2, 45, 64]).standard_normal((2, 45, 64)) for _ in "k"), np.zeros((2, 45, 64)), 8, 4)[2]
    report("staircase: a case's tensors are the cache's", np.array_equal(quantized.unpacked(x["k2"], 4), segments[1].k) and x["k0"].shape[1] == 5 and x["k3"].shape[1] == 24)


def gathered(report, rng):
    x, params = case("paged_decode", rng, 1, 40, "full")
    k, v = (np.zeros((2, 4, 48, 4)) for _ in "kv")
    for b, h, j in np.ndindex(2, 4, 40):
        page = x["table"][b, j // 16]
        k[b, h, j], v[b, h, j] = x["kpool"][page, j % 16, h // 4], x["vpool"][page, j % 16, h // 4]
    c = {"q": x["q"], "k": k, "v": v, "length": np.full(2, 40)}
    report("pages in a row are a cache", same(run("paged_decode", x, params), run("decode", c, {"group": 1})))
    report("a cache up to its length is full attention", same(run("decode", c, {"group": 1}), run("full", c | {n: c[n][:, :, :40] for n in "kv"}, {})))
    x, params = case("head_subset", rng)
    y = run("head_subset", x, params)["y"]
    o = run("full", x, {})["o"]
    kept = np.zeros((2, 12))
    kept[:, x["heads"]] = 1
    report("a list of heads is all heads with the others at 0", near(y, np.einsum("bhie,hed,bh->bid", o, x["wo"], kept)))
    report("the order of heads does not matter", near(run("head_subset", x | {"heads": x["heads"][::-1]}, params)["y"], y))
    report("no head gives 0", (run("head_subset", x | {"heads": x["heads"][:0]}, params)["y"] == 0).all())
    x, params = case("lehd", rng, 20, 20)
    out, masked = run("lehd", x, params), run("lehd_mask", x, {})
    good = True
    for b, m in np.ndindex(2, x["open"].shape[1]):
        at = x["open"][b, m]
        good &= (out["lse"][b, :, m] == -np.inf).all() if at < 0 else near(out["o"][b, :, m], masked["o"][b, :, at])
    report("open nodes gathered are the others masked", good)
    x, params = case("sparsifiner_predict", rng, 60, 60)
    out = run("sparsifiner_predict", x, params)
    coef, estimate = sparsifiner_predict.predictor(x, params, "f64")
    seen = np.broadcast_to(sparsifiner_predict.visible(x, params), (2, 2, 60, 60))
    report("sparsifiner: 50 keys a row, the class token all", (seen[:, :, 1:].sum(-1) == 50).all() and seen[:, :, 0].all())
    kl = [[math.fsum(x["kd"][1, 0, j, c] * x["down"][j, r] for j in range(60)) for r in range(32)] for c in range(32)]
    logits = [math.fsum(x["qd"][1, 0, 7, c] * kl[c][r] for c in range(32)) * np.float32(2 ** -0.5) for r in range(32)]
    p = [math.exp(y - max(logits)) for y in logits]
    p = [y / math.fsum(p) if sorted(p)[-8] <= y else 0.0 for y in p]
    row = [math.fsum(p[r] * abs(x["up"][j, r]) * (abs(x["up"][j, r]) > np.float32(0.02)) for r in range(32)) for j in range(60)]
    report("sparsifiner: one row of estimates", near(estimate[1, 0, 7], row) and set(out["ids"][1, 0, 7]) == set(sorted(range(60), key=lambda j: -row[j])[:50]))
    report("sparsifiner: with room for all it is attention", same(run("sparsifiner_predict", x, params | {"budget": 60}), run("full", x, {})))
    report("the largest of a row", sparsifiner_predict.largest(np.array([1.0, 3, 3, 0]), 5).tolist() == [1, 2, 0, 3, -1])


def images(report, rng):
    x, params = case("swin_bias", rng, 70, 70)
    report("Swin without a bias is attention in blocks", same(run("swin_bias", x | {"table": 0 * x["table"]}, params), run("halo", x, {"width": (9,), "block": (4, 4), "halo": (0, 0)})))
    # the way of the released code: roll, cut, attend with a mask of strips, roll back
    h, w, m, s = 12, 8, 4, 1
    x, params = case("swin_shifted", rng, h * w, h * w)
    window = swin_shifted.buffers(h * w, w, m, s)["window"]
    params |= {"shift": s, "width": (w,), "block": m}
    out = run("swin_shifted", x, params)["o"]
    rolled = {n: np.roll(x[n].reshape(2, 2, h, w, 4), (-s, -s), (2, 3)) for n in "qkv"}
    strip = lambda n: np.r_[np.zeros(n - m), np.ones(m - s), np.full(s, 2)]  # noqa: E731
    region = strip(h)[:, None] * 3 + strip(w)
    back = np.zeros((2, 2, h, w, 4))
    yy, xx = np.divmod(np.arange(m * m), m)
    bias = x["table"][(yy[:, None] - yy + m - 1) * (2 * m - 1) + xx[:, None] - xx + m - 1]
    for a in range(0, h, m):
        for b in range(0, w, m):
            q, k, v = (rolled[n][:, :, a:a + m, b:b + m].reshape(2, 2, m * m, 4) for n in "qkv")
            r = region[a:a + m, b:b + m].ravel()
            back[:, :, a:a + m, b:b + m] = common.attend(common.scores(q, k, 0.5, "f64") + np.moveaxis(bias, -1, 0), r[:, None] == r, v, "f64")["o"].reshape(2, 2, m, m, 4)
    report("shifted windows: roll, cut, mask, roll back", near(out, np.roll(back, (s, s), (2, 3)).reshape(2, 2, h * w, 4)))
    same_window = np.array_equal(window[:, None] == window, np.broadcast_to(swin_shifted.visible(x, params), (h * w, h * w)))
    report("shifted windows: numbers of windows", same_window)
    for row, padded in (("halo_relative", False), ("halo_relative_padded", True)):
        x, params = case(row, rng, 54, 54)
        width, b, r = 9, 4, 6
        out = run(row, x, params)["o"]
        i = 31
        yi, xi = divmod(i, width)
        top, left = yi // b * b - 1, xi // b * b - 1                      # of the window, in the image
        e, values = [], []
        for y in range(top, top + r):
            for z in range(left, left + r):
                if not padded and not (0 <= y < 6 and 0 <= z < width):
                    continue
                j = (y + 1) * (width + 2) + z + 1 if padded else y * width + z
                q = x["q"][1, 1, i]
                s = q @ x["k"][1, 1, j] + q @ x["ry"][r - 1 + y - top - yi % b] + q @ x["rx"][r - 1 + z - left - xi % b]
                e.append(math.exp(params["scale"] * s))
                values.append(x["v"][1, 1, j])
        report(f"{row}: one pixel", near(out[1, 1, i], np.array(e) / sum(e) @ np.array(values)))
        zero = run(row, x | {"ry": 0 * x["ry"], "rx": 0 * x["rx"]}, params)
        report(f"{row}: without tables it is {row.replace('_relative', '')}", near(zero["o"], run(row.replace("_relative", ""), x, params)["o"], 1e-6))
    x, params = case("clear_pooled", rng, 133, 133)
    report("CLEAR with pooled keys: parts merged are the whole", same(run("clear_pooled", x, params), run("clear_pooled", x, params, "plain-f64")))
    i, t, w = 5 + 2 * 8 + 3, 5, 8                                         # the pixel at (2, 3)
    weight = x["pool"].reshape(4, 4)
    e, values = [], []
    for j in range(133):
        if j < t or (divmod(j - t, w)[0] - 2) ** 2 + (divmod(j - t, w)[1] - 3) ** 2 < 9:
            e.append(x["k"][0, 1, j])
            values.append(x["v"][0, 1, j])
    for corner in x["corner"]:
        patch = [(weight[a, b], corner + a * w + b) for a in range(4) for b in range(4)]
        e.append(sum(g * x["k"][0, 1, j] for g, j in patch))
        values.append(sum(g * x["v"][0, 1, j] for g, j in patch))
    e = np.exp(params["scale"] * (np.array(e) @ x["q"][0, 1, i]))
    report("CLEAR with pooled keys: one pixel", near(run("clear_pooled", x, params)["o"][0, 1, i], e / e.sum() @ np.array(values)))


def gates(report, rng):
    x, params = case("polarized_sequential", rng, 12, 15)
    out = run("polarized_sequential", x, params)["y"]
    b = 1
    image = x["x"][b]                                                     # [24, 15]
    z = np.exp(x["wq"][0] @ image)
    ctx = x["wv"] @ (image * (z / z.sum())).sum(1)
    low = x["wa"] @ ctx
    low = (low - low.mean()) / math.sqrt(low.var() + np.float32(1e-5)) * x["gain"] + x["shift"]
    image = image / (1 + np.exp(-(x["wb"] @ np.maximum(low, 0))))[:, None]
    e = np.exp(x["wu"] @ image)
    gate = (x["ws"] @ image).mean(1) @ (e / e.sum(1, keepdims=True))
    report("polarized, sequential: one image", near(out[b], image / (1 + np.exp(-gate))))
    x, params = case("polarized_parallel", rng, 12, 15)
    flat = run("polarized_parallel", x | {"wz": 0 * x["wz"], "ws": 0 * x["ws"]}, params)["y"]
    report("polarized, parallel: without weights the gates are 1/2 and sigmoid(1/n)", near(flat, x["x"] * (0.5 + 1 / (1 + math.exp(-1 / 15)))))
    x, params = case("polarized_spatial", rng, 12, 15)
    out = run("polarized_spatial", x, params)["y"]
    q = np.einsum("mc,bcn->bm", x["wq"], x["x"]) / 15
    a = np.exp(q) / np.exp(q).sum(1, keepdims=True)
    report("polarized, the paper's spatial gate", near(out, x["x"] / (1 + np.exp(-np.einsum("bm,mc,bcn->bn", a, x["wv"], x["x"])))[:, None]))
    once = polarized.seen(x["x"], x["wq"][:1], x["wv"])
    p = dense.softmax(np.einsum("c,bcn->bn", x["wq"][0], x["x"])[:, None, None], True, "f64")[0][:, 0, 0]
    report("polarized: the learned query is attention with one", near(once, np.einsum("bn,bcn,mc->bm", p, x["x"], x["wv"])))
    x, params = case("coordinate", rng, 5, 7)
    out = run("coordinate", x, params)["out"]

    def gate(means, w, bias, c):
        u = [x["w1"][m] @ means + x["b1"][m] for m in range(8)]
        h = [t * min(max(t + 3, 0), 6) / 6 for t in u]
        return 1 / (1 + math.exp(-(w[c] @ np.array(h) + bias[c])))
    want = x["x"][1, 3, 2, 6] * gate(x["x"][1, :, 2].mean(-1), x["wh"], x["bh"], 3) * gate(x["x"][1, :, :, 6].mean(-1), x["ww"], x["bw"], 3)
    report("coordinate attention: one number", near(out[1, 3, 2, 6], want))


def heads(report, rng):
    x, params = case("talking_heads", rng, knob="narrow")
    params |= {"scale": 0.25}
    still = run("talking_heads", x | {"pre": np.eye(4), "post": np.eye(4)}, params)["o"]
    apart = {n: np.moveaxis(x[n].reshape(2, -1, 4, 16), 2, 1) for n in "qkv"}
    report("talking heads that say nothing", near(np.moveaxis(still.reshape(2, 9, 4, 16), 2, 1), run("causal", apart, {})["o"]))
    out = run("talking_heads", x, params)["o"].reshape(2, 9, 4, 16)
    s = [np.exp(0.25 * sum(x["pre"][g, h] * apart["k"][1, h] @ apart["q"][1, h, 8] for h in range(4))) for g in range(4)]
    report("talking heads: one row", near(out[1, 8, 2], sum(x["post"][2, g] * s[g] / s[g].sum() for g in range(4)) @ apart["v"][1, 2]))
    x, params = case("oat", rng)
    out = run("oat", x, params)
    report("OAT: objects and stop make 1", near(out["p"].sum(-1) + out["stop"], 1))
    alone = run("oat", x | {"mix": np.array([1.0, 0.0])}, params)
    s = np.float32(0.125) * np.einsum("bic,bjc->bij", x["q"][..., :64], x["k"][..., :64])
    e = np.exp(s)
    report("OAT: one head and a stop of logit 0", near(alone["p"], e / (1 + e.sum(-1, keepdims=True))) and near(alone["stop"], 1 / (1 + e.sum(-1))) and np.array_equal(alone["id"], s.argmax(-1)))
    x, params = case("feature_axis", rng)
    out = run("feature_axis", x, params)
    one = run("full", {n: np.moveaxis(x[n][:, 1], 2, 1) for n in "qkv"}, {})["o"]
    report("over features: a transpose away from attention", near(np.moveaxis(out["o"][:, 1], 2, 1), one) and near(out["mass"].sum(2), 9) and near(out["p"].sum(-1), 1))
    x, params = case("solvable", rng, 3, 3)
    z = (x["x"] + x["p"]) @ x["w"] * params["root"]
    s = z @ z.swapaxes(1, 2)
    report("solvable: the scores are symmetric, the weights are theirs", near(s, s.swapaxes(1, 2)) and near(run("solvable", x, params)["y"], dense.softmax(s[:, None], True, "f64")[0][:, 0] @ (x["x"] + x["p"])))
    tx, tp = case("solvable_teacher", rng, 3, 3)
    report("the teacher without its matrix is the student without positions", near(run("solvable_teacher", tx, tp | {"mix": 0.0})["y"], run("solvable", {"x": tx["x"], "p": np.zeros((3, 4)), "w": tx["w"]}, tp)["y"]))
    report("the teacher that only looks at positions", near(run("solvable_teacher", tx, tp | {"mix": 1.0})["y"], np.einsum("ij,bjc->bic", tx["a"], tx["x"])))
    x, params = case("pointer_tanh", rng)
    x["length"], x["target"] = np.array([7, 3], np.int32), x["target"] % 3
    out = run("pointer_tanh", x, params)
    u = [math.fsum(x["w"][c] * math.tanh(x["q"][0, 2, c] + x["k"][0, j, c]) for c in range(4)) for j in range(7)]
    report("tanh pointer: one row", near(out["p"][0, 2, :7], np.exp(u) / np.exp(u).sum()) and out["id"][0, 2] == u.index(max(u)) and (out["p"][1, :, 3:] == 0).all())
    report("tanh pointer: loss", near(out["nll"][0, 2], math.log(sum(map(math.exp, u))) - u[x["target"][0, 2]]))


def everything(report, seed):
    for n, part in enumerate((latent, graphs, positions, norms, codes, staircase, gathered, images, gates, heads)):
        part(report, np.random.default_rng([seed, 100 + n]))
    precisions(report, seed, NEW)
