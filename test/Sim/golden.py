#!/usr/bin/env python3
"""The simulator against the golden facts in golden/: each becomes a small kernel whose registers are compared bit by bit.

    golden.py --attn-sim TOOL [--only WORD]

The last line is `N passed, N failed`.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from simulate import simulate

GOLDEN = Path(__file__).resolve().parent / "golden"


class Kernel:
    """A generated kernel: `words` 32-bit inputs a thread are loaded into %i0.., `body` runs, %o0.. are stored."""

    kernel, grid, shared = "k", 1, 0

    def __init__(self, inputs, outputs, body, threads=32, registers=""):
        inputs = np.asarray(inputs, np.uint32).reshape(threads, -1)
        self.block, self.count = threads, inputs.shape[1]
        self.arguments = [inputs.view(np.int32), f"out:i32:{threads}x{outputs}=o"]
        lines = [".version 8.4", ".target sm_90", ".address_size 64", ".visible .entry k(.param .u64 in, .param .u64 out) {",
                 f".reg .b32 %i<{self.count + 1}>, %o<{outputs}>, %t<64>;", ".reg .b64 %a<4>, %d<8>;", ".reg .b16 %h<8>;", ".reg .f32 %f<8>;", ".reg .pred %p<8>;",
                 ".shared .align 16 .b8 memory[4096];", registers, "ld.param.u64 %a0, [in];", "ld.param.u64 %a1, [out];", "mov.u32 %t0, %tid.x;",
                 f"mad.wide.u32 %a0, %t0, {4 * self.count}, %a0;", f"mad.wide.u32 %a1, %t0, {4 * outputs}, %a1;"]
        lines += [f"ld.global.b32 %i{n}, [%a0+{4 * n}];" for n in range(self.count)]
        lines += body if isinstance(body, list) else body.splitlines()
        lines += [f"st.global.b32 [%a1+{4 * n}], %o{n};" for n in range(outputs)] + ["ret;", "}"]
        self.text = "\n".join(lines)
        self.file = Path("k.ptx")

    def run(self, tool, when="random", seed=1):
        outcome = simulate(tool, self, ptx=self.text, seed=seed, when=when)
        if outcome.status:
            raise AssertionError(outcome.message)
        return outcome.results["o"].view(np.uint32)


def load(name):
    return json.loads((GOLDEN / name).read_text())


def hexes(rows):
    return np.array([[int(w, 16) for w in row] for row in rows], np.uint32)


def braces(letter, first, count):
    return "{" + ", ".join(f"%{letter}{first + n}" for n in range(count)) + "}"


def equal(got, want):
    got, want = np.asarray(got), np.asarray(want)
    if not np.array_equal(got, want):
        at = tuple(int(x[0]) for x in np.nonzero(got != want))
        raise AssertionError(f"{list(at)} is {int(got[at]):08x}, expected {int(want[at]):08x}; {int((got != want).sum())} differ")


def mma_kernel(instruction, a, b, c):
    na, nb, nc = a.shape[1], b.shape[1], c.shape[1]
    nd = 2 if ".col.f16." in instruction else 4
    return Kernel(np.hstack([a, b, c]), nd, f"{instruction} {braces('o', 0, nd)}, {braces('i', 0, na)}, {braces('i', na, nb)}, {braces('i', na + nb, nc)};")


def mma_tests():
    for case in load("mma.json")["cases"]:
        r = {name: hexes(rows) for name, rows in case["registers"].items()}
        yield case["instruction"], lambda tool, case=case, r=r: equal(mma_kernel(case["instruction"], r["A"], r["B"], r["C"]).run(tool), r["D"])


def pack(matrix, table, encode, bits):
    """The registers of all lanes of a fragment."""
    words = np.zeros((32, len(table[0])), np.uint32)
    for lane, registers in enumerate(table):
        for n, elements in enumerate(registers):
            for e, (row, column) in enumerate(elements):
                words[lane, n] |= np.uint32(encode(matrix[row, column]) << (bits * e))
    return words


def fragment_tests():
    golden = load("mma_fragments.json")
    f32 = lambda x: int(np.float32(x).view(np.uint32))
    half = lambda x: int(np.float16(x).view(np.uint16))
    encode = {"f16": (half, 16), "bf16": (lambda x: f32(x) >> 16, 16), "tf32": (f32, 32), "s8": (lambda x: int(x) & 255, 8), "u8": (lambda x: int(x) & 255, 8),
              "e4m3": (lambda x: {0: 0, 1: 0x38, 2: 0x40, 3: 0x44}[abs(int(x))] | (128 if x < 0 else 0), 8),
              "e5m2": (lambda x: {0: 0, 1: 0x3C, 2: 0x40, 3: 0x42}[abs(int(x))] | (128 if x < 0 else 0), 8)}
    rng = np.random.default_rng(7)
    for shape in golden["shapes"]:
        for kind in shape["types"]:
            for accumulator in (["f32", "f16"] if kind == "f16" else ["s32"] if kind in ("s8", "u8") else ["f32"]):
                low = 0 if kind == "u8" else -3
                a, b, c = (rng.integers(low, 4, s) for s in (shape["A"]["matrix"], shape["B"]["matrix"], (16, 8)))
                table = golden["CD"]["f16" if accumulator == "f16" else "32-bit"]["map"]
                how = (half, 16) if accumulator == "f16" else (f32, 32) if accumulator == "f32" else (lambda x: int(x) & 0xFFFFFFFF, 32)
                instruction = f"mma.sync.aligned.{shape['shape']}.row.col.{accumulator}.{kind}.{kind}.{accumulator}"

                def test(tool, a=a, b=b, c=c, table=table, how=how, instruction=instruction, shape=shape, kind=kind):
                    kernel = mma_kernel(instruction, pack(a, shape["A"]["map"], *encode[kind]), pack(b, shape["B"]["map"], *encode[kind]), pack(c, table, *how))
                    equal(kernel.run(tool), pack(a @ b + c, table, *how))

                yield f"fragments of {instruction}", test


def matrix_tests():
    golden = load("ldmatrix.json")
    for case in golden["loads"]:
        count = int(case["num"][1])
        trans = ".trans" if case["trans"] else ""
        want = hexes(case["registers"])
        # Row r of matrix m lies at 16 * (8m + r); its element e is 64m + 8r + e.
        image = np.zeros((32, 4), np.uint32)
        for row in range(32):
            for e in range(8):
                image[row, e // 2] |= np.uint32((8 * row + e) << (16 * (e % 2)))
        place = ["mov.u32 %t1, memory;", "mad.lo.u32 %t2, %t0, 16, %t1;"]
        fill = place + ["st.shared.v4.b32 [%t2], {%i0, %i1, %i2, %i3};", "bar.sync 0;"]
        yield (f"ldmatrix {case['num']}{trans}", lambda tool, count=count, trans=trans, want=want, image=image, fill=fill: equal(
            Kernel(image, count, fill + [f"ldmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 {braces('o', 0, count)}, [%t2];"]).run(tool), want))
        back = place + [f"stmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 [%t2], {braces('i', 0, count)};", "bar.sync 0;",
                        f"setp.lt.u32 %p1, %t0, {8 * count};"] + [f"mov.u32 %o{n}, 0;" for n in range(4)] + ["@%p1 ld.shared.v4.b32 {%o0, %o1, %o2, %o3}, [%t2];"]
        stored = np.where(np.arange(32)[:, None] < 8 * count, image, 0)
        yield (f"stmatrix {case['num']}{trans}", lambda tool, back=back, want=want, stored=stored: equal(Kernel(want, 4, back).run(tool), stored))
    a = np.arange(32, dtype=np.uint32) * 0x20001 + 0x7000
    halves = [a & 0xFFFF, a >> 16]
    moved = [[int(halves[h][l]) for l, h in pair] for pair in golden["movmatrix"]["map"]]
    want = np.array([[low | high << 16] for low, high in moved], np.uint32)
    yield "movmatrix", lambda tool: equal(Kernel(a, 1, "movmatrix.sync.aligned.m8n8.trans.b16 %o0, %i0;").run(tool), want)


def shuffle_tests():
    for case in load("shfl.json")["cases"]:
        b = np.array(case["b"], np.uint32) * np.ones(32, np.uint32)  # one for all lanes, or one each
        text = f"shfl.sync.{case['mode']}.b32 %o0|%p1, %i0, %i1, {case['c']}, 0xffffffff;\nselp.u32 %o1, 1, 0, %p1;"
        inputs = np.stack([100 + np.arange(32, dtype=np.uint32), b], 1)
        want = np.stack([100 + np.array(case["source"], np.uint32), np.array(case["predicate"], np.uint32)], 1)
        yield f"shfl.{case['mode']} {case['b']}, {case['c']}", lambda tool, text=text, want=want, inputs=inputs: equal(Kernel(inputs, 2, text).run(tool), want)


CONVERSIONS = {"bf16.rn": ("cvt.rn.bf16.f32 %h0, %f0;", 16, 0x7F80), "f16.rn": ("cvt.rn.f16.f32 %h0, %f0;", 16, 0x7C00),
               "e4m3.rn.satfinite": ("cvt.rn.satfinite.e4m3x2.f32 %h0, %f0, %f0;", 8, 0x7E), "e5m2.rn.satfinite": ("cvt.rn.satfinite.e5m2x2.f32 %h0, %f0, %f0;", 8, 0x7C),
               "tf32.rna": ("cvt.rna.tf32.f32 %o0, %f0;", 32, 0x7F800000)}


def number_tests():
    golden = load("numbers.json")
    rows = golden["conversions"]["scalar"]
    for name, (instruction, bits, infinity) in CONVERSIONS.items():
        def test(tool, name=name, instruction=instruction, bits=bits, infinity=infinity):
            words = np.array([int(r["f32"], 16) for r in rows], np.uint32)
            padded = np.resize(words, -(-len(words) // 32) * 32)
            body = ["mov.b32 %f0, %i0;", instruction] + ([] if bits == 32 else ["mov.b32 %o0, {%h0, %h0};"])
            got = Kernel(padded, 1, body, threads=len(padded)).run(tool)[: len(rows), 0] & (0xFFFFFFFF >> (32 - bits))
            for r, g in zip(rows, got):
                if r[name] is None:  # any NaN
                    assert (int(g) & (2 ** (bits - 1) - 1)) > infinity, f"{r['f32']} gives {int(g):x}, no NaN"
                else:
                    assert int(g) == int(r[name], 16), f"{r['f32']} gives {int(g):x}, expected {r[name]}"
        yield f"cvt to {name}", test
    for row in golden["conversions"]["packed"]["cases"]:
        for name in (k for k in row if k.startswith("cvt")):
            narrow = "x2.f32" in name and "e4m3" in name
            body = ["mov.b32 %f0, %i0;", "mov.b32 %f1, %i1;", f"{name} {'%h0' if narrow else '%o0'}, %f0, %f1;"] + (["cvt.u32.u16 %o0, %h0;"] if narrow else [])
            inputs = np.tile(np.array([int(row["a"], 16), int(row["b"], 16)], np.uint32), (32, 1))
            yield f"{name} {row['a']}, {row['b']}", lambda tool, body=body, inputs=inputs, want=int(row[name], 16): equal(
                Kernel(inputs, 1, body).run(tool), np.full((32, 1), want, np.uint32))
    yield "ex2.approx within its bounds", lambda tool: ex2(tool, golden["ex2"]["points"], "")
    yield "ex2.approx.ftz within its bounds", lambda tool: ex2(tool, golden["ex2"]["points"], ".ftz")


def ex2(tool, points, ftz):
    words = np.array([int(p["x"], 16) for p in points], np.uint32)
    padded = np.resize(words, -(-len(words) // 32) * 32)
    seen = set()
    for seed in range(1, 6):
        got = Kernel(padded, 1, ["mov.b32 %f0, %i0;", f"ex2.approx{ftz}.f32 %f1, %f0;", "mov.b32 %o0, %f1;"], threads=len(padded)).run(tool, seed=seed)
        seen.add(got.tobytes())
        for p, g in zip(points, got[:, 0]):
            value = lambda word: np.array(word, np.uint32).view(np.float32)[()]
            low, high, g = value(int(p["low"], 16)), value(int(p["high"], 16)), value(int(g))
            near_zero = ftz and abs(value(int(p["nearest"], 16))) <= 2.0**-125
            good = (np.isnan(low) and np.isnan(g)) or low <= g <= high or (near_zero and g in (0.0, 2.0**-126))
            if ftz and not good:
                good = int(p["ftz_nearest"], 16) == int(np.float32(g).view(np.uint32))
            assert good, f"ex2 of {p['x']} is {g}, allowed are {low} to {high}"
    assert len(seen) > 1, "five seeds gave the same bits: the bounds are not used"


def mbarrier_tests():
    """Each trace by one thread; its pending count is read from the state of an arrival's token where there is one, and both parities are tested after each step."""
    for trace in load("sync.json")["mbarrier"]["traces"]:
        if any("cp.async" in s["op"] for s in trace["steps"]):
            continue  # the two with copies are in the unit tests, which see when arrivals happen
        body, outputs = ["mov.u32 %t1, memory;", "setp.ne.u32 %p7, %t0, 0;"], []
        for s in trace["steps"]:
            op, n = s["op"], s.get("n")
            text = {"init": f"mbarrier.init.shared.b64 [%t1], {s.get('count')};",
                    "arrive": "mbarrier.arrive.shared.b64 _, [%t1]" + (f", {n};" if n else ";"),
                    "arrive_drop": "mbarrier.arrive_drop.shared.b64 _, [%t1];",
                    "expect_tx": f"mbarrier.expect_tx.relaxed.cta.shared.b64 [%t1], {n};",
                    "arrive.expect_tx": f"mbarrier.arrive.expect_tx.shared.b64 _, [%t1], {n};",
                    "complete_tx": f"mbarrier.complete_tx.relaxed.cta.shared.b64 [%t1], {n};"}[op]
            body.append(f"@!%p7 {text}")
            for parity in (0, 1):
                body += [f"mov.u32 %o{len(outputs)}, 0;", f"@!%p7 mbarrier.test_wait.parity.shared.b64 %p1, [%t1], {parity};", f"@!%p7 selp.u32 %o{len(outputs)}, 1, 0, %p1;"]
                outputs.append(int(s[f"wait_parity_{parity}"]))
        yield f"mbarrier: {trace['name']}", lambda tool, body=body, outputs=outputs: equal(
            Kernel(np.zeros(32), len(outputs), body).run(tool)[0], np.array(outputs, np.uint32))


def group_tests():
    """After each wait the copies that it covers must be readable, and the others must be reported."""
    steps = load("sync.json")["cp_async_groups"]["steps"]
    names = sorted({s["op"][-1] for s in steps if s["op"].startswith("copy")})
    for n, s in enumerate(steps):
        if not s["op"].startswith("wait"):
            continue
        for name in names:
            issued = any(t["op"] == f"copy {name}" for t in steps[:n])
            if not issued:
                continue
            body = ["mov.u32 %t1, memory;", "mad.lo.u32 %t1, %t0, 64, %t1;"]
            for t in steps[: n + 1]:
                if t["op"].startswith("copy"):
                    body.append(f"cp.async.ca.shared.global [%t1+{4 * names.index(t['op'][-1])}], [%a0], 4;")
                elif t["op"] == "commit":
                    body.append("cp.async.commit_group;")
                else:
                    body.append("cp.async.wait_all;" if t["op"] == "wait_all" else f"cp.async.wait_group {t['op'].split()[1]};")
            body.append(f"ld.shared.b32 %o0, [%t1+{4 * names.index(name)}];")

            def test(tool, body=body, complete=name in s["complete"]):
                kernel = Kernel(np.arange(32) + 5, 1, body)
                outcome = simulate(tool, kernel, ptx=kernel.text, when="latest")
                if complete:
                    assert outcome.status == 0, outcome.message
                    equal(outcome.results["o"].view(np.uint32)[:, 0], np.arange(32) + 5)
                else:
                    assert outcome.status == 1 and any(f["kind"] == "async" for f in outcome.findings), f"nothing was found: {outcome.message}"

            yield f"cp.async groups: {name} after step {n} ({s['op']})", test


def barrier_tests():
    """An edge between two warps orders a write of one before its step and a read of the other behind its step; without the edge that is a race."""
    for case in load("sync.json")["named_barrier"]["cases"]:
        warps = sorted({s["warp"] for s in case["steps"]})
        finals = {}
        for s in case["steps"]:
            for edge in s["edges"]:
                finals.setdefault(tuple(edge), True)
        if len(case["steps"]) != len(warps):
            continue  # one generation at a time; the reuse is in the unit tests
        for source in warps:
            for sink in warps:
                if source == sink:
                    continue
                if next(s["op"] for s in case["steps"] if s["warp"] == sink) == "arrive" and (source, sink) in finals:
                    raise AssertionError("an arriving warp acquires nothing")
                body = ["shr.u32 %t1, %t0, 5;", "mov.u32 %t2, memory;", "mov.u32 %o0, 0;", "and.b32 %t4, %t0, 31;", "setp.eq.u32 %p0, %t4, 0;"]
                for n, warp in enumerate(warps):
                    op = next(s["op"] for s in case["steps"] if s["warp"] == warp)
                    body += [f"setp.ne.u32 %p1, %t1, {n};", f"@%p1 bra W{n};"]
                    if warp == source:
                        body.append("@%p0 st.shared.b32 [%t2], 7;")
                    body.append(f"bar.{op} 1, {case['thread_count']};")
                    if warp == sink:
                        body.append("@%p0 ld.shared.b32 %t3, [%t2];")
                    body.append(f"W{n}:")

                def test(tool, body=body, edge=(source, sink) in finals, threads=32 * len(warps)):
                    kernel = Kernel(np.zeros(threads), 1, body, threads=threads)
                    raced = False
                    for seed in range(1, 5):
                        outcome = simulate(tool, kernel, ptx=kernel.text, seed=seed)
                        raced |= any(f["kind"] == "race" for f in outcome.findings)
                        if edge:
                            assert outcome.status == 0, outcome.message
                    assert raced != edge, "the race was not found"

                yield f"bar: {case['name']}, {source} before {sink}", test


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--attn-sim", type=Path, required=True)
    p.add_argument("--only", default="")
    args = p.parse_args()
    passed = failed = 0
    for family in (mma_tests, fragment_tests, matrix_tests, shuffle_tests, number_tests, mbarrier_tests, group_tests, barrier_tests):
        for name, test in family():
            if args.only not in name:
                continue
            try:
                test(args.attn_sim)
                passed += 1
            except AssertionError as error:
                failed += 1
                print(f"{name}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
