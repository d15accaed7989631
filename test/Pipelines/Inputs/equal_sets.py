"""Compiles each spelling of a set to the vector stage and compares the results. Usage: equal_sets.py ATTN_OPT."""
import subprocess
import sys

PROGRAM = """!t = tensor<?x?x?x64xf32>
attn.kernel @f(%q: !t, %k: !t, %v: !t, %w: index, %l: tensor<?xi32>, %s: tensor<?x?xi32>, %m: tensor<?x?xi1>) -> (o: !t, lse: tensor<?x?x?xf32>) {{
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    {clause}
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}}
"""
A, B, C = "causal<bottom_right>", "window<bottom_right, left = %w>", "prefix<%l>"
SEG, MASK, LEN = "same_segment<%s>", "mask<%m[b, j]>", "lengths<k = %l>"


def where(body, indices="i = %i, j = %j"):
    return "where(%s) { %s attn.yield %%p : i1 }" % (indices, body)


# Lines of spellings of one set. The first of each is compared with all others of its line, and has to differ from the first of every other line.
GROUPS = [
    # Every pair: there is no code for a set then.
    ["full", None, "not empty", f"full or {A}", f"{A} or not {A}", f"not ({A} and empty)", "full and full", "full minus empty"],
    ["empty", "not full", f"{A} and not {A}", f"{A} and empty", f"{A} minus {A}", f"{A} minus full"],
    # One set, negated twice, doubled, absorbed.
    [A, f"not not {A}", f"not not not not {A}", f"{A} and {A}", f"{A} or {A}", f"{A} and full", f"{A} or empty", f"full minus not {A}",
     f"{A} and ({A} or {B})", f"{A} or ({A} and {B})"],
    # Commuted; De Morgan; minus.
    [f"{A} and {B}", f"{B} and {A}", f"not (not {A} or not {B})", f"{A} minus not {B}", f"{B} minus not {A}"],
    [f"{A} or {C}", f"{C} or {A}", f"not (not {A} and not {C})", f"not (not {C} minus {A})"],
    [f"{A} minus {C}", f"{A} and not {C}", f"not {C} and {A}", f"not ({C} or not {A})"],
    # Associated, distributed over.
    [f"{A} and {B} and {C}", f"{C} and ({B} and {A})", f"({A} and {C}) and {B}", f"not (not {B} or not {A} or not {C})"],
    [f"({A} and {B}) or ({A} and {C})", f"({C} and {A}) or ({B} and {A})"],
    # Sets that read memory.
    [f"{SEG} and {A}", f"{A} and {SEG}", f"{A} minus not {SEG}"],
    [f"{MASK} and {A}", f"{A} and {MASK}", f"{A} and not not {MASK}"],
    [f"{LEN} and {A}", f"{A} and {LEN}", f"not (not {A} or not {LEN})"],
    # A named set and the same as a comparison.
    ["causal<top_left>", where("%p = arith.cmpi sle, %j, %i : index"), where("%p = arith.cmpi sge, %i, %j : index"),
     "not " + where("%p = arith.cmpi slt, %i, %j : index"), "window<top_left, right = 0>"],
    ["prefix<5>", where("%c = arith.constant 5 : index %p = arith.cmpi slt, %j, %c : index", "j = %j"),
     where("%c = arith.constant 4 : index %p = arith.cmpi sle, %j, %c : index", "j = %j")],
    ["window<top_left, left = 3, right = 4>", "window<top_left, right = 4> and window<top_left, left = 3>"],
    [LEN, C], [B], [SEG], [MASK], [f"not {A}"], ["causal<bottom_right, q = %l, k = %l>"],
]


def compile_set(text):
    clause = "" if text is None else "set = " + text
    run = subprocess.run([sys.argv[1], "-", "--attn-pipeline-vector"], input=PROGRAM.format(clause=clause), capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{clause}: exit {run.returncode}\n{run.stderr}")
    return run.stdout


def main():
    failed, firsts = 0, {}
    for group in GROUPS:
        first = compile_set(group[0])
        for other in group[1:]:
            if compile_set(other) != first:
                print(f"differ, but are equal:\n  {group[0]}\n  {other}")
                failed += 1
        if first in firsts:
            print(f"the same code, but differ:\n  {group[0]}\n  {firsts[first]}")
            failed += 1
        firsts[first] = group[0]
    print(f"{sum(map(len, GROUPS))} spellings of {len(GROUPS)} sets, {failed} failed")
    sys.exit(failed != 0)


main()
