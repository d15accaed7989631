"""IR that the text cannot express, from a hostile or broken tool: attn-opt answers each case with an error and status 1, never a crash.

Usage: malformed.py ATTN_OPT. Each case is (name, what the error contains, module).
"""
import subprocess
import sys

HEAD = """#q = affine_map<(b, h, i, j, c, e) -> (b, h, i, c)>
#k = affine_map<(b, h, i, j, c, e) -> (b, h, j, c)>
#v = affine_map<(b, h, i, j, c, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, c, e) -> (b, h, i, e)>
#l = affine_map<(b, h, i, j, c, e) -> (b, h, i)>
!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
"""
PROPS = (
    'dim_names = ["b", "h", "i", "j", "c", "e"], num_batch = 2 : i64, q_map = #q, k_map = #k, v_map = #v, '
    'out_names = ["o", "lse"], out_maps = [#o, #l], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0>'
)
WITH_SCALE = PROPS.replace("1, 1, 1, 0,", "1, 1, 1, 1,")
FULL = '%s = "attn.set.full"() : () -> !attn.set "attn.yield"(%s) : (!attn.set) -> ()'
SCORE = "^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):\n"
WHERE = "^bb0(%b: index, %h: index, %i: index, %j: index):\n"
TRUE = '%t = "arith.constant"() <{value = true}> : () -> i1 "attn.yield"(%t) : (i1) -> ()'
CASES = []


def attend(name, error, set="", score="", props=PROPS, regions=None, operands="%q, %k, %v", types="!t, !t, !t", extra=None, before="", after=""):
    """A kernel whose attend is malformed; `extra` is the type of one more argument %x."""
    arg, arg_name, arg_type = (f", %x: {extra}", ', "x"', f", {extra}") if extra else ("", "", "")
    regions = "({%s}, {%s})" % (set, score) if regions is None else regions
    CASES.append((name, error, f"""{HEAD}{before}
"attn.kernel"() <{{arg_names = ["q", "k", "v"{arg_name}], res_names = ["o", "lse"], sym_name = "f",
                   function_type = (!t, !t, !t{arg_type}) -> (!t, !l)}}> ({{
^bb0(%q: !t, %k: !t, %v: !t{arg}):
  %0:2 = "attn.attend"({operands}) <{{{props}}}> {regions} : ({types}) -> (!t, !l)
  "attn.return"(%0#0, %0#1) : (!t, !l) -> ()
}}) : () -> ()
{after}"""))


def props(name, error, old, new):
    assert old in PROPS
    attend(name, error, props=PROPS.replace(old, new))


# Regions of the attend.
attend("set of an empty block", "empty block", "^bb0:\n")
attend("set with an argument", "[attend_c7] the set region has no arguments", "^bb0(%x: index):\n" + FULL)
attend("set yields twice", "[attend_c7] the set region", FULL.replace("(%s) : (!attn.set)", "(%s, %s) : (!attn.set, !attn.set)"))
attend("set yields nothing", "[attend_c7] the set region", '"attn.yield"() : () -> ()')
attend("set in a circle", "does not dominate", '%s = "attn.set.not"(%s) : (!attn.set) -> !attn.set "attn.yield"(%s) : (!attn.set) -> ()')
attend("set of two blocks", "at most 1 block", FULL + '\n^bb1:\n"attn.yield"() : () -> ()')
attend("set by arith.select", "[attend_c7] is not allowed in a set", """%a = "attn.set.full"() : () -> !attn.set
  %c = "arith.constant"() <{value = true}> : () -> i1
  %s = "arith.select"(%c, %a, %a) : (i1, !attn.set, !attn.set) -> !attn.set "attn.yield"(%s) : (!attn.set) -> ()""")
attend("bound that is computed", "[attend_c7] is not allowed in a set", """%d = "arith.addi"(%x, %x) : (index, index) -> index
  %s = "attn.set.prefix"(%d) : (index) -> !attn.set "attn.yield"(%s) : (!attn.set) -> ()""", extra="index")
attend("score of an empty block", "empty block", score=SCORE)
attend("score without yield", "block with no terminator", score=SCORE + '%1 = "arith.addf"(%s, %s) : (f32, f32) -> f32')
attend("score with few arguments", "[attend_c7] the score region takes", score='^bb0(%s: f32):\n"attn.yield"(%s) : (f32) -> ()')
attend("score with odd arguments", "[attend_c7] the score region takes",
       score='^bb0(%s: f32, %b: f32, %h: i64, %i: tensor<4xf32>, %j: !attn.set):\n"attn.yield"(%s) : (f32) -> ()')
attend("no region", "expected 2 or more regions", regions="")
attend("one region", "expected 2 or more regions", regions="({})")
attend("three regions", "[attend_c17] one region for every reduction", regions="({}, {}, {})")

# Its operands and properties.
attend("two operands", "expected 3 or more operands", operands="%q, %k", types="!t, !t")
attend("two scales", "requires 0 or 1 element", operands="%q, %k, %v, %x, %x", types="!t, !t, !t, f32, f32", extra="f32",
       props=PROPS.replace("1, 1, 1, 0,", "1, 1, 1, 2,"))
attend("wrong segments", "does not match with the total size", operands="%q, %k, %v, %x", types="!t, !t, !t, f32", extra="f32")
attend("both scales", "[attend_c12] give one scale", operands="%q, %k, %v, %x", types="!t, !t, !t, f32", extra="f32", props=WITH_SCALE + ", scale_value = 2.0 : f64")
attend("both firsts", "[attend_c13] give one `first`", operands="%q, %k, %v, %x", types="!t, !t, !t, i64", extra="i64",
       props=PROPS.replace("1, 1, 1, 0, 0,", "1, 1, 1, 0, 1,") + ", first_value = 2 : i64, key_grid = array<i64: 4>")
attend("empty grid", "[attend_c13] the grid of 'i' has 0 extents", props=PROPS + ", query_grid = array<i64>")
attend("grid that overflows", "[attend_c13] the grid of 'i' has more than 2^31 - 1 tokens", props=PROPS + ", query_grid = array<i64: 2147483647, 2147483647, 2147483647>")
attend("both seeds", "[attend_c14] give dropout one seed", operands="%q, %k, %v, %x", types="!t, !t, !t, i64", extra="i64",
       props=PROPS.replace("0, 0, 0, 0>", "1, 0, 0, 0>") + ", drop_seed_value = 2 : i64, drop_probability_value = 0.5 : f64")
attend("seed without probability", "[attend_c14] give dropout one seed", props=PROPS + ", drop_seed_value = 2 : i64")
attend("probability without seed", "[attend_c14] give dropout one seed", props=PROPS + ", drop_probability_value = 0.5 : f64")
attend("scale is not a number", "[attend_c12] the scale is a finite number", props=PROPS + ", scale_value = 0x7FF8000000000000 : f64")
attend("scale is infinite", "[attend_c12] the scale is a finite number", props=PROPS + ", scale_value = 0x7FF0000000000000 : f64")
attend("no properties", "does not match with the total size", props="")
attend("segments alone", "requires attribute", props="operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0>")
props("negative num_batch", "[attend_c1] dims are", "num_batch = 2", "num_batch = -1")
props("num_batch beyond 32 bits", "[attend_c1] dims are", "num_batch = 2", "num_batch = 4294967298")
props("num_batch of i32", "64-bit signless integer", "2 : i64", "2 : i32")
props("one dimension", "[attend_c1] dims are", '"b", "h", "i", "j", "c", "e"', '"b"')
props("no dimension", "[attend_c1] dims are", '"b", "h", "i", "j", "c", "e"', "")
props("unreadable dimension", "[attend_c1] 'b b' is no identifier", '"b", "h"', '"b b", ""')
props("dimensions that are numbers", "string array", '"b", "h"', "1, 2")
props("few output names", "[attend_c5] one result type", '["o", "lse"]', '["o"]')
props("few output maps", "[attend_c5] one result type", "[#o, #l]", "[#o]")
DIMS = "(b, h, i, j, c, e)"
for what, text in {
    "symbol": f"{DIMS}[s] -> (b, h, j, c + s)", "few dims": "(b, h, j, c) -> (b, h, j, c)", "more dims": "(b, h, i, j, c, e, x) -> (b, h, j, x)",
    "sum": f"{DIMS} -> (b + h, h, j, c)", "mod": f"{DIMS} -> (b mod 2, h, j, c)", "ceildiv": f"{DIMS} -> (b ceildiv 2, h, j, c)",
    "by zero": f"{DIMS} -> (b floordiv 0, h, j, c)", "by a negative": f"{DIMS} -> (b floordiv -2, h, j, c)",
    "of a key": f"{DIMS} -> (b, h, j floordiv 2, c)", "nested": f"{DIMS} -> (b, (h + 1) floordiv 2, j, c)", "empty": "() -> ()",
}.items():
    props("k map: " + what, "[attend_c2]", "k_map = #k", f"k_map = affine_map<{text}>")

# Sets.
def one_set(name, error, op, extra=None):
    attend(name, error, f'%s = {op} "attn.yield"(%s) : (!attn.set) -> ()', extra=extra)


one_set("where of an empty block", "non-empty block", '"attn.set.where"() ({' + WHERE + "}) : () -> !attn.set")
one_set("where of an empty region", "region with 1 blocks", '"attn.set.where"() ({}) : () -> !attn.set')
one_set("where without region", "requires one region", '"attn.set.where"() : () -> !attn.set')
one_set("where with odd arguments", "[where_c1] the region takes", '"attn.set.where"() ({^bb0(%b: f32, %h: !attn.set, %i: tensor<3xf32>, %j: i1):\n' + TRUE + "}) : () -> !attn.set")
one_set("where with few arguments", "[where_c1] the region takes", '"attn.set.where"() ({^bb0(%b: index):\n' + TRUE + "}) : () -> !attn.set")
one_set("where inside where", "[attend_c9] is not allowed here",
        '"attn.set.where"() ({' + WHERE + '%n = "attn.set.where"() ({^bb0(%b1: index, %h1: index, %i1: index, %j1: index):\n'
        + TRUE.replace("%t", "%u") + "}) : () -> !attn.set\n" + TRUE + "}) : () -> !attn.set")
for what, text in {
    "symbol": f"{DIMS}[s] -> (b, s)", "sum": f"{DIMS} -> (b + i, j)", "few dims": "(b) -> (b, b)", "more dims": "(b, h, i, j, c, e, x) -> (b, x)",
    "no dims": "() -> (0, 0)", "by zero": f"{DIMS} -> (b floordiv 0, j)", "mod": f"{DIMS} -> (b, j mod 2)",
}.items():
    one_set("mask: " + what, "[mask_c1]", f'"attn.set.mask"(%x) <{{map = affine_map<{text}>}}> : (tensor<?x?xf32>) -> !attn.set', "tensor<?x?xf32>")
for what, text in {
    "symbol": f"{DIMS}[s] -> (s)", "sum": f"{DIMS} -> (b + i)", "few dims": "(b) -> (b)", "mod": f"{DIMS} -> (b mod 2)", "by zero": f"{DIMS} -> (b floordiv 0)",
}.items():
    one_set("list: " + what, "[list_c1]", f'"attn.set.list"(%x) <{{map = affine_map<{text}>, block = 1 : i64, kind = "tokens"}}> : (tensor<?x?xi32>) -> !attn.set', "tensor<?x?xi32>")
    one_set("bits: " + what, "[bits_c1]", f'"attn.set.bits"(%x) <{{map = affine_map<{text}>}}> : (tensor<?x?xi32>) -> !attn.set', "tensor<?x?xi32>")
for kind, block, error in ("heaps", 1, "there are tokens, blocks and pages"), ("tokens", 2, "elements of tokens are single keys"), ("pages", -1, "a block is at least 1"):
    one_set(f"list: {kind} of {block}", "[list_c2] " + error,
            f'"attn.set.list"(%x) <{{map = affine_map<{DIMS} -> ()>, block = {block} : i64, kind = "{kind}"}}> : (tensor<?xi32>) -> !attn.set', "tensor<?xi32>")
one_set("list of rank 0", "[list_c1] a list is a tensor", f'"attn.set.list"(%x) <{{map = affine_map<{DIMS} -> ()>, block = 1 : i64, kind = "tokens"}}> : (f32) -> !attn.set', "f32")
one_set("dilated without segments", "does not match with the total size",
        '"attn.set.dilated"() <{alignment = #attn<alignment top_left>, step = 2 : i64, operandSegmentSizes = array<i32: 1, 0>}> : () -> !attn.set')
one_set("halo without lists", "requires attribute 'block'", '"attn.set.halo"() : () -> !attn.set')
MEMBER = '%p = "attn.member"(%j, %x, %i) <{operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>}> : (index, tensor<?xi32>, index) -> i1\n"attn.yield"(%p) : (i1) -> ()'
one_set("member with from alone", "[member_c2] give `from` and `to`", '"attn.set.where"() ({' + WHERE + MEMBER + "}) : () -> !attn.set", "tensor<?xi32>")
one_set("causal without alignment", "requires attribute 'alignment'", '"attn.set.causal"() <{operandSegmentSizes = array<i32: 0, 0>}> : () -> !attn.set')
one_set("causal with a number", "invalid properties", '"attn.set.causal"() <{alignment = 5 : i32, operandSegmentSizes = array<i32: 0, 0>}> : () -> !attn.set')
one_set("causal with wrong segments", "does not match with the total size",
        '"attn.set.causal"() <{alignment = #attn<alignment top_left>, operandSegmentSizes = array<i32: 1, 0>}> : () -> !attn.set')
attend("set without result", "requires one result", '"attn.set.full"() : () -> () "attn.yield"() : () -> ()')

# Kernels.
KERNEL = 'arg_names = ["q"], function_type = (tensor<4xf32>) -> (), res_names = [], sym_name = "f"'
RETURN = '"attn.return"() : () -> ()'


def kernel(name, error, properties=KERNEL, body="^bb0(%q: tensor<4xf32>):\n" + RETURN):
    CASES.append((name, error, '"attn.kernel"() <{%s}> ({%s}) : () -> ()' % (properties, body)))


kernel("kernel of an empty region", "region with 1 blocks", body="")
kernel("kernel of an empty block", "non-empty block", body="^bb0(%q: tensor<4xf32>):")
kernel("kernel without arguments", "entry block must have 1 arguments", body=RETURN)
kernel("kernel with another argument", "must match the type", body="^bb0(%q: f32):\n" + RETURN)
kernel("kernel with more arguments", "entry block must have 1 arguments", body="^bb0(%q: tensor<4xf32>, %r: f32):\n" + RETURN)
kernel("kernel without names", "[kernel_c2] one name for every argument", KERNEL.replace('["q"]', "[]"))
kernel("kernel without type", "requires attribute 'function_type'", KERNEL.replace("function_type = (tensor<4xf32>) -> (), ", ""))
kernel("kernel of another type", "type attribute of function type", KERNEL.replace("(tensor<4xf32>) -> ()", "i32"))
kernel("kernel without properties", "requires attribute", "")
kernel("argument attributes too many", "argument attribute array", KERNEL + ", arg_attrs = [{}, {}]")
kernel("facts of a result", "[kernel_c4] results have no facts", KERNEL.replace("(tensor<4xf32>) -> ()", "(tensor<4xf32>) -> tensor<4xf32>").replace("res_names = []", 'res_names = ["o"]')
       + ", res_attrs = [{attn.sorted}]", body='^bb0(%q: tensor<4xf32>):\n"attn.return"(%q) : (tensor<4xf32>) -> ()')
kernel("argument attributes of numbers", "dictionary attributes", KERNEL + ", arg_attrs = [1]")
CASES.append(("return outside", "expects parent op", RETURN))
CASES.append(("kernel without region", "requires one region", f'"attn.kernel"() <{{{KERNEL}}}> : () -> ()'))

# Normalizers, alone and where an attend before or after them looks at them.
GAUGE = '({^bb0(%a: f32, %b: f32): "attn.yield"(%a) : (f32) -> ()}, '
PHI = '{^bb0(%s: f32, %r: f32): "attn.yield"(%s) : (f32) -> ()})'
PASS = '"attn.pass"() <{ref = #attn<reference max>, sum_kinds = [0 : i32, 1 : i32], sum_names = ["l", "n"]}> ' + GAUGE + PHI + " : () -> ()\n"
FINISH_PROPS = '<{out_names = ["o", "lse"], empty = [0.0, 0.0]}>'
FINISH_BODY = '({^bb0(%r: f32, %l: f32, %n: f32): "attn.yield"(%n, %l) : (f32, f32) -> ()})'
FINISH = f'"attn.finish"() {FINISH_PROPS} {FINISH_BODY} : () -> ()\n'


def normalizer(name, error, body, attended=None):
    """`attended`: the error where an attend comes first and finds the flaw itself."""
    text = '"attn.normalizer"() <{sym_name = "g"}> ({' + body + "}) : () -> ()\n"
    CASES.append((name, error, text))
    attend(name + ", used after", error, FULL, props=PROPS + ", normalizer = @g", before=text)
    attend(name + ", used before", attended or error, FULL, props=PROPS + ", normalizer = @g", after=text)


normalizer("normalizer of an empty region", "region with 1 blocks", "")
normalizer("normalizer of an empty block", "[normalizer_c1] a normalizer ends", "^bb0:")
normalizer("normalizer with an argument", "[normalizer_c1] parameters of a normalizer are f32", "^bb0(%x: index):" + PASS + FINISH)
normalizer("pass without properties", "requires attribute", '"attn.pass"() ' + GAUGE + PHI + " : () -> ()\n" + FINISH)
normalizer("pass without regions", "expected 2 or more regions", PASS.replace(GAUGE + PHI, "") + FINISH)
normalizer("pass of empty regions", "region with 1 blocks", PASS.replace(GAUGE + PHI, "({}, {})") + FINISH)
normalizer("pass of empty blocks", "empty block", PASS.replace(GAUGE + PHI, "({^bb0(%a: f32, %b: f32):}, {^bb0(%s: f32, %r: f32):})") + FINISH)
normalizer("pass with unknown kinds", "[pass_c3] a sum is of", PASS.replace("[0 : i32, 1 : i32]", "[7 : i32, -1 : i32]") + FINISH)
normalizer("pass with i64 kinds", "32-bit integer array", PASS.replace("[0 : i32, 1 : i32]", "[0, 1]") + FINISH)
normalizer("pass with few kinds", "[pass_c3] one kind, weight and class for every sum", PASS.replace("[0 : i32, 1 : i32]", "[0 : i32]") + FINISH)
normalizer("pass with an unreadable sum", '[pass_c3] "l l" is no identifier', PASS.replace('"l"', '"l l"') + FINISH)
normalizer("finish without properties", "requires attribute", PASS + FINISH.replace(FINISH_PROPS, ""))
normalizer("finish without region", "requires one region", PASS + FINISH.replace(FINISH_BODY, ""))
normalizer("finish of an empty region", "region with 1 blocks", PASS + FINISH.replace(FINISH_BODY, "({})"))
normalizer("finish of an empty block", "empty block", PASS + FINISH.replace(FINISH_BODY, "({^bb0(%r: f32, %l: f32, %n: f32):})"))
normalizer("finish with f32 values", "64-bit float array", PASS + FINISH.replace("[0.0, 0.0]", "[0.0 : f32, 0.0 : f32]"))
normalizer("finish with an unreadable output", '[finish_c2] "o o" is no identifier', PASS + FINISH.replace('"o"', '"o o"'), "[attend_c10] @g has no output 'o'")
attend("normalizer that is a kernel", "[attend_c10] there is no normalizer @f", FULL, props=PROPS + ", normalizer = @f")
attend("normalizer without name", "[attend_c10] there is no normalizer @", FULL, props=PROPS + ', normalizer = @""')


def main():
    failed = 0
    for name, error, module in CASES:
        run = subprocess.run([sys.argv[1], "-", "-o", "-"], input=module, capture_output=True, text=True)
        errors = [line for line in run.stderr.splitlines() if " error: " in line]
        if run.returncode == 1 and any(error in line for line in errors) and not run.stdout:
            continue
        failed += 1
        print(f"FAILED {name}: exit {run.returncode}, expected an error with '{error}'\n{run.stderr}")
    print(f"{len(CASES) - failed} of {len(CASES)} cases")
    return failed != 0


sys.exit(main())
