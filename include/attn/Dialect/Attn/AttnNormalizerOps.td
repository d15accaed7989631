// The one form in which every normalizer is written: passes over the keys, then a finish.
#ifndef ATTN_DIALECT_ATTN_NORMALIZEROPS
#define ATTN_DIALECT_ATTN_NORMALIZEROPS

include "attn/Dialect/Attn/AttnBase.td"

def NormalizerOp : Attn_Op<"normalizer", [Symbol, IsolatedFromAbove, NoTerminator, SingleBlock]> {
  let summary = "how the scores of a row become weights and outputs";
  let description = [{
    Passes over the keys in order, roots and at most one selection among them, then one finish. f32 stands for the accumulation type of the attend that uses it. Parameters have
    one value for each row. Merge, lazy raising of the reference, split keys, empty rows and the guarded path are derived from the form; lowering never looks at the name.

    Constraints: `normalizer_c1`: parameters are f32; one or more of attn.pass, attn.root and attn.select, a selection the last of them, then exactly one attn.finish behind a pass or a
    selection. `normalizer_c2`: the finish takes, in order, the reference (where the last pass has one) and that pass's sums; behind a selection the selected score and value.
    `normalizer_c3`: weights change with the reference by the gauge alone. `normalizer_c4`: results of stat and of the finish are the same from sums against another reference; stat may
    yield the reference itself.

    The last two, and `root_c4` and `root_c5`, are looked at on samples whenever a normalizer is verified: five rows of four scores (equal ones, large ones, negative ones), three references for
    each, in double, to a relative 1e-5; for `normalizer_c4` two rows have to agree. Samples that overflow or have no number are passed over, and a law counts as broken only where it is for every parameter that was tried. So an error is
    a counterexample, but a normalizer without an error is not proved.

    Example: see lib/Dialect/Attn/normalizers.mlir.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    unsigned numParams() { return getBody().getNumArguments(); }
    FinishOp finish() { return mlir::cast<FinishOp>(getBody().front().back()); }
    /// The pass or selection whose state the finish takes.
    mlir::Operation *lastStep() { return getBody().front().back().getPrevNode(); }
    /// Results of the finish, and values in it, that have one number for each value feature.
    llvm::DenseSet<mlir::Value> perFeature();
  }];
}

def PassOp : Attn_Op<"pass", [HasParent<"NormalizerOp">]> {
  let summary = "one pass over the keys";
  let description = [{
    With reference r, weights phi_k(s, r) and sums N = sum_j phi_k(s_ij, r) x_ij over the keys of one class, or of all. The gauge obeys, for all weights,

        phi_k(s, r1) = gauge(r0, r1) phi_k(s, r0)

    x is 1 (`one`) or the value (`value`); `count` is the number of present pairs, without weight and gauge. A `seed` is a state (reference, then one number for each sum) that is merged
    exactly once at the end of the pass: r = max(ra, rb), N = gauge(ra, r) Na + gauge(rb, r) Nb. `stat` maps the reference and the sums but those of values to statistics that what follows may use.

    Example: `attn.pass ref = none phi(%s) { attn.yield %s : f32 } sums(a = one in 0, n = value)`

    Constraints: `pass_c1`: with ref = max there are a gauge (two arguments) and phi (two arguments); with none no gauge and phi of one argument.
    `pass_c2`: a gauge yields one f32, phi one or more. `pass_c3`: sums are of `one`, of `value` or of `count`, at most one of `value` for each weight and class, their names unique identifiers, their
    weights among phi's, their classes 0 to 15. `pass_c4`: regions hold only arith and math on scalars, of floats f32 alone. `pass_c5`: only the last pass sums values.
    `pass_c6`: a seed needs a reference and yields one f32 for it and one for each sum. `pass_c7`: stat takes one f32 for the reference, where there is one, and for each sum but those of values, and yields the results.
  }];
  let arguments = (ins Attn_ReferenceAttr:$ref, StrArrayAttr:$sum_names, I32ArrayAttr:$sum_kinds, OptionalAttr<DenseI64ArrayAttr>:$sum_weights,
                       OptionalAttr<DenseI64ArrayAttr>:$sum_classes);
  let results = (outs Variadic<F32>:$stats);
  let regions = (region MaxSizedRegion<1>:$gauge, SizedRegion<1>:$phi, VariadicRegion<MaxSizedRegion<1>>:$more);
  let useCustomPropertiesEncoding = 1; // bytecode of older versions: AttnDialect.cpp
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    bool hasRef() { return getRef() == Reference::Max; }
    unsigned numSums() { return getSumNames().size(); }
    SumKind kindOf(unsigned sum) { return (SumKind)mlir::cast<mlir::IntegerAttr>(getSumKinds()[sum]).getInt(); }
    /// Which of phi's results the sum is of.
    unsigned weightOf(unsigned sum) { return getSumWeights() ? (*getSumWeights())[sum] : 0; }
    /// The class of keys it is over; -1: all.
    int64_t classOf(unsigned sum) { return getSumClasses() ? (*getSumClasses())[sum] : -1; }
    /// Null where there is none.
    mlir::Region *seedRegion() { return getMore().size() == 2 && !getMore()[0].empty() ? &getMore()[0] : nullptr; }
    mlir::Region *statRegion() { return getMore().size() == 2 && !getMore()[1].empty() ? &getMore()[1] : nullptr; }
  }];
}

def RootOp : Attn_Op<"root", [HasParent<"NormalizerOp">]> {
  let summary = "the x at which weights sum to a target";
  let description = [{
    ```
    F(x) = sum_j phi(s_ij, x)        tau = the largest x in [lo, hi] with F(x) >= target
    ```
    F falls with x, and F(lo) >= target; hi is the result where F(hi) >= target too. Found by sweeps over the keys that narrow the bracket; it ends when the bracket is
    2^-22 max(|lo|, |hi|) wide (2^-48 in f64), or after `at_most` sweeps. The lower end is the result.

    Constraints: `root_c1`: phi takes the score and x and yields one f32; `to` yields the target, lo and hi. `root_c2`: regions hold only arith and math on scalars, of floats f32 alone.
    `root_c3`: the sweeps are 1 to 200. `root_c4`: phi falls with x between lo and hi (on samples, see attn.normalizer). `root_c5`: lo <= hi and F(lo) >= target (on samples).
  }];
  let arguments = (ins I64Attr:$at_most);
  let results = (outs F32:$tau);
  let regions = (region SizedRegion<1>:$phi, SizedRegion<1>:$to);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def SelectOp : Attn_Op<"select", [HasParent<"NormalizerOp">]> {
  let summary = "the key of the largest score";
  let description = [{
    Ties go to the lowest key; a NaN wins. The finish takes its score and its value.

    Example: `attn.select largest`
  }];
  let assemblyFormat = "`largest` attr-dict";
}

def FinishOp : Attn_Op<"finish", [HasParent<"NormalizerOp">]> {
  let summary = "maps the reference and the sums of a row to its outputs";
  let description = [{
    Elementwise over the value feature for outputs that depend on a `value` sum. `empty` lists the outputs of a row without any visible score (and without a seed).

    Constraints: `finish_c1`: as many yielded f32 values and empty values as outputs. `finish_c2`: output names are unique
    identifiers. `finish_c3`: the region holds only arith and math on scalars, of floats f32 alone. `finish_c4`: an empty value is not NaN.
  }];
  let arguments = (ins StrArrayAttr:$out_names, F64ArrayAttr:$empty);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

#endif
