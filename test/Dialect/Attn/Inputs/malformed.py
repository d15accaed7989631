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
    'out_names = ["o", "lse"], out_maps = [#o, #l], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>'
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
       props=PROPS.replace("0, 0, 0, 0, 0, 0>", "1, 0, 0, 0, 0, 0>") + ", drop_seed_value = 2 : i64, drop_probability_value = 0.5 : f64")
attend("seed without probability", "[attend_c14] give dropout one seed", props=PROPS + ", drop_seed_value = 2 : i64")
attend("probability without seed", "[attend_c14] give dropout one seed", props=PROPS + ", drop_probability_value = 0.5 : f64")
attend("scale is not a number", "[attend_c12] the scale is a finite number", props=PROPS + ", scale_value = 0x7FF8000000000000 : f64")
attend("scale is infinite", "[attend_c12] the scale is a finite number", props=PROPS + ", scale_value = 0x7FF0000000000000 : f64")
attend("no properties", "does not match with the total size", props="")
attend("segments alone", "requires attribute", props="operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>")

# What it reads beside q, k and v.
PARTS = PROPS.replace("0, 0>", "%d, 0>")
BILINEAR = PROPS.replace("0, 0>", "0, 1>")
attend("one more part", "[attend_c22] further parts come in pairs", operands="%q, %k, %v, %q", types="!t, !t, !t, !t", props=PARTS % 1 + ", part_maps = [#q]")
attend("parts without maps", "[attend_c22] further parts come in pairs", operands="%q, %k, %v, %q, %k", types="!t, !t, !t, !t, !t", props=PARTS % 2)
attend("maps without parts", "[attend_c22] further parts come in pairs", props=PROPS + ", part_maps = [#q, #k]")
attend("bilinear without a map", "[attend_c23] a bilinear tensor has a map", operands="%q, %k, %v, %q", types="!t, !t, !t, !t", props=BILINEAR)
attend("map without bilinear", "[attend_c23] a bilinear tensor has a map", props=PROPS + ", bilinear_map = #q")
attend("parts and too few dimensions", "[attend_c1] dims have one or two features", operands="%q, %k, %v, %q, %k", types="!t, !t, !t, !t, !t", props=PARTS % 2 + ", part_maps = [#q, #k]")
attend("one extent for two features", "[attend_c3] one extent for each feature", props=PROPS + ", feature_extents = array<i64: 64>")
attend("negative extent", "[attend_c3] one extent for each feature", props=PROPS + ", feature_extents = array<i64: 64, -1>")
attend("region of an operand in an empty block", "empty block", regions="({}, {}, {}, {}, {^bb0(%x: f32):}, {}, {}, {})")
attend("region of an operand without arguments", "[attend_c21] the region of q takes 1 numbers and 4 indices", regions='({}, {}, {}, {}, {"attn.yield"() : () -> ()}, {}, {}, {})')
attend("dot region without arguments", "[attend_c23] the dot region takes 2 numbers and 3 indices", regions='({}, {}, {}, {}, {}, {}, {}, {"attn.yield"() : () -> ()})')
attend("too many regions", "[attend_c17] one region for every reduction", regions="({}, {}, {}, {}, {}, {}, {}, {}, {}, {})")
attend("too few regions", "[attend_c17] one region for every reduction", regions="({}, {}, {}, {}, {}, {}, {})")
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

# What comes out of an attend.
MORE = ", reduce_names = %s, reduce_kinds = array<i64: %s>"
REDUCED = "({}, {}, {}, {}, {%s})"
ROW = "^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):\n"
YIELD = '"attn.yield"(%s) : (f32) -> ()'
attend("reductions without kinds", "[attend_c17] one kind for every reduction", props=PROPS + ', reduce_names = ["m"]')
attend("kinds without reductions", "[attend_c17] one kind for every reduction", props=PROPS + ", reduce_kinds = array<i64: 2>")
attend("reductions without regions", "[attend_c17] one region for every reduction", props=PROPS + MORE % ('["m"]', "2"))
attend("few regions", "[attend_c17] one region for every reduction", props=PROPS + MORE % ('["m", "n"]', "2, 2"), regions="({}, {}, {}, {}, {})")
attend("reduction of an unknown kind", "[attend_c17] a reduction is weighted, sum", props=PROPS + MORE % ('["m"]', "6"), regions=REDUCED % "")
attend("reduction of a negative kind", "[attend_c17] a reduction is weighted, sum", props=PROPS + MORE % ('["m"]', "-1"), regions=REDUCED % "")
attend("reduction of a kind beyond 32 bits", "[attend_c17] a reduction is weighted, sum", props=PROPS + MORE % ('["m"]', "4294967296"), regions=REDUCED % "")
attend("reduction that is a number", "string array", props=PROPS + MORE % ("[3]", "2"), regions=REDUCED % "")
attend("reduction with an unreadable name", "[attend_c17] 'm m' is no identifier", props=PROPS + MORE % ('["m m"]', "2"), regions=REDUCED % "")
attend("reduction of few arguments", "[attend_c17] a reduction takes 1 numbers and 4 indices", props=PROPS + MORE % ('["m"]', "2"), regions=REDUCED % ("^bb0(%s: f32):\n" + YIELD))
attend("reduction of no argument", "[attend_c17] a reduction takes 1 numbers and 4 indices", props=PROPS + MORE % ('["m"]', "2"), regions=REDUCED % '"attn.yield"() : () -> ()')
attend("reduction of odd arguments", "[attend_c17] numbers in a reduction", props=PROPS + MORE % ('["m"]', "2"), regions=REDUCED % (ROW.replace("%j: index", "%j: f32") + YIELD))
attend("reduction of an empty block", "empty block", props=PROPS + MORE % ('["m"]', "2"), regions=REDUCED % ROW)
attend("reduction of two blocks", "at most 1 block", props=PROPS + MORE % ('["m"]', "2"), regions=REDUCED % (ROW + YIELD + "\n^bb1:\n" + '"attn.yield"() : () -> ()'))
attend("reduction without yield", "block with no terminator", props=PROPS + MORE % ('["m"]', "2"), regions=REDUCED % (ROW + '%1 = "arith.addf"(%s, %s) : (f32, f32) -> f32'))
attend("class of odd arguments", "[attend_c16] numbers in the class region", regions="({}, {}, {" + ROW.replace("%s: f32, ", "").replace("%b: index", "%b: i64") + '"attn.yield"(%j) : (index) -> ()}, {})')
attend("class of few arguments", "[attend_c16] the class region takes 0 numbers and 4 indices", regions='({}, {}, {"attn.yield"() : () -> ()}, {})')
attend("class that yields nothing", "[attend_c16] the class region yields one", regions="({}, {}, {" + ROW.replace("%s: f32, ", "") + '"attn.yield"() : () -> ()}, {})')
EPILOGUE = "({}, {}, {}, {^bb0(%o: f32, %b: index, %h: index, %i: index, %e: index):\n" + YIELD.replace("%s", "%o") + "})"
attend("epilogue without outputs", "[attend_c18] an epilogue has a region and names what it yields", props=PROPS + ', epilogue_args = ["lse"]', regions=EPILOGUE)
attend("epilogue without region", "[attend_c18] an epilogue has a region and names what it yields", props=PROPS + ', epilogue_outs = ["y"]')
attend("arguments without epilogue", "[attend_c18] an epilogue has a region and names what it yields", props=PROPS + ', epilogue_args = ["lse"]')
attend("epilogue of few names", "[attend_c18] the epilogue takes 0 numbers and 4 indices", props=PROPS + ', epilogue_outs = ["y"]', regions=EPILOGUE)
attend("epilogue of an unreadable name", "[attend_c18] 'y y' is no identifier", props=PROPS + ', epilogue_args = ["lse"], epilogue_outs = ["y y"]', regions=EPILOGUE)
attend("epilogue of numbers", "string array", props=PROPS + ', epilogue_args = ["lse"], epilogue_outs = [1]', regions=EPILOGUE)
attend("column without regions", "[attend_c17] one region for every reduction and every column", props=PROPS + ', column_names = ["m"]')
attend("column of an empty region", "[attend_c19] a column has a region", props=PROPS + ', column_names = ["m"]', regions=REDUCED % "")
attend("column of one argument", "[attend_c19] a column takes 2 numbers and 4 indices", props=PROPS + ', column_names = ["m"]', regions=REDUCED % ("^bb0(%s: f32):\n" + YIELD))
attend("column of no argument", "[attend_c19] a column takes 2 numbers and 4 indices", props=PROPS + ', column_names = ["m"]', regions=REDUCED % '"attn.yield"() : () -> ()')
AGGREGATED = PROPS.replace("0, 0, 0, 0, 0, 0>", "0, 0, 0, 1, 0, 0>")
attend("aggregate without map", "[attend_c19] one tensor and one map for every aggregate", props=AGGREGATED + ', aggregate_names = ["u"]', operands="%q, %k, %v, %x", types="!t, !t, !t, !t", extra="!t")
attend("aggregate without tensor", "[attend_c19] one tensor and one map for every aggregate", props=PROPS + ', aggregate_names = ["u"], aggregate_maps = [#o]')
attend("aggregate without name", "[attend_c19] one tensor and one map for every aggregate", props=AGGREGATED + ", aggregate_maps = [#o]", operands="%q, %k, %v, %x", types="!t, !t, !t, !t", extra="!t")
attend("aggregate of a scalar", "must be variadic of ranked tensor", props=AGGREGATED + ', aggregate_names = ["u"], aggregate_maps = [#o]', operands="%q, %k, %v, %x", types="!t, !t, !t, f32", extra="f32")
for what, text in {
    "more dims": "(b, h, i, j, c, e, x) -> (b, h, i, x)", "few dims": "(b, h, i) -> (b, h, i, 0)", "symbol": f"{DIMS}[s] -> (b, h, i, s)", "sum": f"{DIMS} -> (b, h, i, e + 1)",
}.items():
    attend("aggregate map: " + what, "[attend_c19] what is aggregated", props=AGGREGATED + f', aggregate_names = ["u"], aggregate_maps = [affine_map<{text}>]', operands="%q, %k, %v, %x",
           types="!t, !t, !t, !t", extra="!t")
ARGUED = PROPS.replace("0, 0, 0, 0, 0, 0>", "0, 0, 1, 0, 0, 0>") + ", normalizer = @sigmoid"
attend("argument without operand", "[attend_c15] one operand for every argument", props=PROPS + ", norm_values = [affine_map<() -> ()>], normalizer = @sigmoid".replace("() ->", DIMS + " ->"))
attend("operand without argument", "[attend_c15] one operand for every argument", props=ARGUED, operands="%q, %k, %v, %x", types="!t, !t, !t, f32", extra="f32")
attend("operand for a constant", "[attend_c15] one operand for every argument", props=ARGUED + ", norm_values = [1.0]", operands="%q, %k, %v, %x", types="!t, !t, !t, f32", extra="f32")
for what, text in {
    "a string": '"b"', "an integer": "1", "an f32": "1.0 : f32", "more dims": "affine_map<(b, h, i, j, c, e, x) -> ()>", "few dims": "affine_map<() -> ()>", "symbol": f"affine_map<{DIMS}[s] -> (s)>",
}.items():
    attend("argument that is " + what, "[attend_c15] argument 0 of @sigmoid is an f64 attribute", props=ARGUED + f", norm_values = [{text}]", operands="%q, %k, %v, %x", types="!t, !t, !t, f32", extra="f32")
attend("argument by a sum", "[attend_c15] argument 0 of @sigmoid has one number for each row", props=ARGUED + f", norm_values = [affine_map<{DIMS} -> (b + i)>]", operands="%q, %k, %v, %x",
       types="!t, !t, !t, tensor<?xf32>", extra="tensor<?xf32>")
attend("valueless with v", "[attend_c20] without v there is one feature", props=PROPS + ", valueless")
attend("valueless with two features", "[attend_c20] without v there is one feature", props=PROPS.replace("v_map = #v", "v_map = #k") + ", valueless", operands="%q, %k, %k")

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
GAUGE = '({^bb0(%a: f32, %b: f32): %g = "arith.constant"() <{value = 1.0 : f32}> : () -> f32 "attn.yield"(%g) : (f32) -> ()}, '
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
normalizer("normalizer with an odd parameter", "[normalizer_c1] parameters", "^bb0(%x: !attn.set):" + PASS + FINISH)
normalizer("pass with kinds that are words", "32-bit integer array", PASS.replace("[0 : i32, 1 : i32]", '["one", "value"]') + FINISH)
normalizer("pass with names that are numbers", "string array", PASS.replace('["l", "n"]', "[1, 2]") + FINISH)
WEIGHTED = '"n"], sum_weights = array<i64: %s>'
normalizer("pass with few weights", "[pass_c3] one kind, weight and class", PASS.replace('"n"]', WEIGHTED % "0") + FINISH)
normalizer("pass with a negative weight", "[pass_c3] the sum \"n\" is of weight -1", PASS.replace('"n"]', WEIGHTED % "0, -1") + FINISH)
normalizer("pass with a weight beyond 32 bits", "[pass_c3] the sum \"l\" is of weight 4294967296", PASS.replace('"n"]', WEIGHTED % "4294967296, 0") + FINISH)
normalizer("pass with few classes", "[pass_c3] one kind, weight and class", PASS.replace('"n"]', '"n"], sum_classes = array<i64: 1>') + FINISH)
normalizer("pass with a class beyond 32 bits", "[pass_c3] the sum \"l\" is over class 4294967296", PASS.replace('"n"]', '"n"], sum_classes = array<i64: 4294967296, 0>') + FINISH, "[attend_c16]")
THREE = PASS.replace(PHI, PHI[:-1] + ", {})")


def four(seed, stat):
    return PASS.replace(PHI, PHI[:-1] + ", {" + seed + "}, {" + stat + "})")


normalizer("pass of three regions", "[pass_c6] behind gauge and phi", THREE + FINISH)
normalizer("pass of five regions", "[pass_c6] behind gauge and phi", PASS.replace(PHI, PHI[:-1] + ", {}, {}, {})") + FINISH)
normalizer("seed of an empty block", "empty block", four("^bb0:", "") + FINISH)
normalizer("seed with an argument", "[pass_c6] a seed", four('^bb0(%x: f32): "attn.yield"(%x, %x, %x) : (f32, f32, f32) -> ()', "") + FINISH)
normalizer("seed that yields nothing", "[pass_c6] a seed", four('"attn.yield"() : () -> ()', "") + FINISH)
normalizer("stat without results", "[pass_c7] stat", four("", '^bb0(%x: f32, %y: f32): "attn.yield"(%x) : (f32) -> ()') + FINISH)
normalizer("results without stat", "[pass_c7] the results of a pass", "%t = " + PASS.replace(": () -> ()\n", ": () -> f32\n") + FINISH)
normalizer("result that is no number", "must be variadic of 32-bit float", "%t = " + PASS.replace(": () -> ()\n", ": () -> index\n") + FINISH)
ROOT = '%t = "attn.root"() <{at_most = 40}> ({^bb0(%s: f32, %x: f32): "attn.yield"(%s) : (f32) -> ()}, {%c = "arith.constant"() <{value = 1.0 : f32}> : () -> f32 "attn.yield"(%c, %c, %c) : (f32, f32, f32) -> ()}) : () -> f32\n'
normalizer("statistic before its pass", "does not dominate",
           ROOT.replace("%t =", "%u =").replace('"attn.yield"(%s)', '"attn.yield"(%t)') + "%t = " + four("", '^bb0(%x: f32, %y: f32): "attn.yield"(%x) : (f32) -> ()').replace(": () -> ()\n", ": () -> f32\n") + FINISH)
normalizer("root without sweeps", "requires attribute 'at_most'", ROOT.replace("<{at_most = 40}> ", "") + PASS + FINISH)
normalizer("root of sweeps beyond 32 bits", "[root_c3] a root is found in at most 1 to 200 sweeps", ROOT.replace("40", "4294967297") + PASS + FINISH)
normalizer("root of one region", "expected 2 regions", ROOT[:ROOT.index(", {%c")] + ") : () -> f32\n" + PASS + FINISH)
normalizer("root of empty regions", "region with 1 blocks", '%t = "attn.root"() <{at_most = 40}> ({}, {}) : () -> f32\n' + PASS + FINISH)
normalizer("root of an empty block", "empty block", '%t = "attn.root"() <{at_most = 40}> ({^bb0(%s: f32, %x: f32):}, {^bb0:}) : () -> f32\n' + PASS + FINISH)
normalizer("root that uses its result", "does not dominate", ROOT.replace('"attn.yield"(%s)', '"attn.yield"(%t)') + PASS + FINISH)
normalizer("root that is a word", "must be 32-bit float", ROOT.replace(": () -> f32\n", ": () -> index\n") + PASS + FINISH)
normalizer("a weight in a circle", "does not dominate", PASS.replace('%r: f32): "attn.yield"(%s)', '%r: f32): %z = "arith.addf"(%z, %s) : (f32, f32) -> f32 "attn.yield"(%z)') + FINISH)
SELECT = '"attn.select"() : () -> ()\n'
normalizer("select with an operand", "requires zero operands", '%c = "arith.constant"() <{value = 1.0 : f32}> : () -> f32\n"attn.select"(%c) : (f32) -> ()\n' + FINISH)
normalizer("select with a region", "requires zero regions", '"attn.select"() ({}) : () -> ()\n' + FINISH)
normalizer("select and a finish of three", "[normalizer_c2] the finish takes 2", SELECT + FINISH)
normalizer("finish with empty values that are words", "64-bit float array", PASS + FINISH.replace("[0.0, 0.0]", '["a", "b"]'))
normalizer("finish with names that are numbers", "string array", PASS + FINISH.replace('["o", "lse"]', "[1, 2]"))
CASES.append(("pass outside", "expects parent op 'attn.normalizer'", PASS))
CASES.append(("root outside", "expects parent op 'attn.normalizer'", ROOT))
CASES.append(("select outside", "expects parent op 'attn.normalizer'", SELECT))
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
