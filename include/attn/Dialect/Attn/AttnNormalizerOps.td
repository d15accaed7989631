// The one form in which every normalizer is written: passes over the keys, then a finish.
#ifndef ATTN_DIALECT_ATTN_NORMALIZEROPS
#define ATTN_DIALECT_ATTN_NORMALIZEROPS

include "attn/Dialect/Attn/AttnBase.td"

def NormalizerOp : Attn_Op<"normalizer", [Symbol, IsolatedFromAbove, NoTerminator, SingleBlock]> {
  let summary = "how the scores of a row become weights and outputs";
  let description = [{
    Passes over the keys in order, then one finish. f32 stands for the accumulation type of the attend that uses it. Merge, lazy raising of the
    reference, empty rows and the guarded path are derived from the form; lowering never looks at the name.

    Constraints: `normalizer_c1`: no arguments; one or more attn.pass, then exactly one attn.finish. `normalizer_c2`: the finish takes, in order, the reference (where
    the last pass has one) and that pass's sums.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def PassOp : Attn_Op<"pass", [HasParent<"NormalizerOp">]> {
  let summary = "one pass over the keys";
  let description = [{
    With reference r, weights phi(s, r) and sums N_x = sum_j phi(s_ij, r) x_j. The gauge obeys

        phi(s, r1) = gauge(r0, r1) phi(s, r0)

    Constraints: `pass_c1`: with ref = max there are a gauge (two arguments) and phi (two arguments); with none no gauge and phi of one argument.
    `pass_c2`: each region yields one f32. `pass_c3`: sums are of `one` or of `value`, at most one of `value`, their names unique identifiers.
    `pass_c4`: regions hold only arith and math on scalars, of floats f32 alone.
  }];
  let arguments = (ins Attn_ReferenceAttr:$ref, StrArrayAttr:$sum_names, I32ArrayAttr:$sum_kinds);
  let regions = (region MaxSizedRegion<1>:$gauge, SizedRegion<1>:$phi);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def FinishOp : Attn_Op<"finish", [HasParent<"NormalizerOp">]> {
  let summary = "maps the reference and the sums of a row to its outputs";
  let description = [{
    Elementwise over the value feature for outputs that depend on a `value` sum. `empty` lists the outputs of a row without any visible score.

    Constraints: `finish_c1`: as many yielded f32 values and empty values as outputs. `finish_c2`: output names are unique
    identifiers. `finish_c3`: the region holds only arith and math on scalars, of floats f32 alone. `finish_c4`: an empty value is not NaN.
  }];
  let arguments = (ins StrArrayAttr:$out_names, F64ArrayAttr:$empty);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

#endif
