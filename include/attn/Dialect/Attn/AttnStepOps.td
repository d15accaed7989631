// What stands beside attends in a kernel of several steps: elementwise maps, merged states, calls.
#ifndef ATTN_DIALECT_ATTN_STEPOPS
#define ATTN_DIALECT_ATTN_STEPOPS

include "attn/Dialect/Attn/AttnBase.td"

def Attn_MapReduction : I32EnumAttr<"MapReduction", "How a map's elements become one", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Sum", 1, "sum">, I32EnumAttrCase<"Max", 2, "max">]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_MapReductionAttr : EnumAttr<Attn_Dialect, Attn_MapReduction, "map_reduction">;

def MapOp : Attn_Op<"map", [ParentOneOf<["KernelOp", "RepeatOp"]>, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "an elementwise step of a kernel, perhaps summed over some dimensions";
  let description = [{
    ```
    y[out] = f(x[..], g[..], .. ; indices)                           without sum and max
    y[out] = sum (max) over the listed dimensions of f(..)           one after the other, the last dimension fastest; 0 (-inf) where there is nothing to sum
    ```
    Each operand has one index an axis: a dimension, a dimension floordiv a constant, or a constant. The region gets, by name, one element of every operand and the indices that the
    text asks for, computes with arith, math, attn.load (captured tensors), attn.member and attn.random as a score does, and with attn.extent of its indices, and yields one number. Elements of float operands come as the accumulation
    type: f64 where an operand is f64, else f32; integers come in their own type. Float results are computed in the accumulation type and rounded once when they are stored; integer
    results in the type that is stored (a sum wraps, the largest of none is the smallest integer). A max of which one number is NaN is NaN.

    A dimension's extent is that of the operands' axes it indexes alone, or static in the result's type. A read outside a captured tensor makes the call report it (edge contract 8) and its element
    absent: nothing is added for it, and without sum or max the result is 0 there.

    Constraints: `map_c1`: dimension names are unique identifiers, at most 8. `map_c2`: an operand has one index an axis: a dimension, a dimension floordiv a constant, or a constant.
    `map_c3`: the result is indexed by plain dimensions, once each: all that are not summed over, and none that is; there is at least one. `map_c4`: sum and max have dimensions, each once. `map_c5`: static extents of one dimension
    agree, a constant index is inside a static extent, and every dimension indexes an axis of an operand alone or has a static extent in the result. `map_c6`: the region takes the operands' elements and one index for each dimension and yields one
    number: the accumulation type for a float result, the result's element type for an integer one. `map_c7`: the region holds only arith, math, attn.load, attn.member, attn.random and attn.extent on scalars, as a
    score does (attend_c9). `map_c8`: operands are of f64, f32, bf16, f16, i64, i32, i8 or i1, results of f64, f32, bf16, f16, i64, i32 or i8.

    Example:
    ```mlir
    %y = attn.map dims(b, h, i, e) sum(h) (%x = %o[b, h, i, e], %g = %gate[b, h]) {
      %z = arith.mulf %x, %g : f32
      attn.yield %z : f32
    } -> [b, i, e] : (tensor<?x?x?x64xf32>, tensor<?x?xf32>) -> tensor<?x?x64xf32>
    ```
    With an index: `attn.map dims(i, e) (i = %i, %x = %o[i, e]) { .. } -> [i, e] : ..`.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, StrArrayAttr:$dim_names, AffineMapArrayAttr:$in_maps, AffineMapAttr:$out_map,
                       Attn_MapReductionAttr:$reduction, DenseI64ArrayAttr:$reduced);
  let results = (outs AnyRankedTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    unsigned numDims() { return getDimNames().size(); }
    mlir::StringRef dimName(unsigned d) { return mlir::cast<mlir::StringAttr>(getDimNames()[d]).getValue(); }
    mlir::AffineMap inMap(unsigned n) { return mlir::cast<mlir::AffineMapAttr>(getInMaps()[n]).getValue(); }
    /// Whether the dimension is summed over.
    bool isReduced(unsigned d) { return llvm::is_contained(getReduced(), (int64_t)d); }
    bool hasReduction() { return getReduction() != MapReduction::None; }
    /// f64 where an operand is f64, f32 otherwise.
    mlir::FloatType accumulationType();
    /// What the region yields and the reduction is made in: the accumulation type, for an integer result its element type.
    mlir::Type yieldType();
    /// What an element of operand `n` is in the region.
    mlir::Type elementArgType(unsigned n);
    /// The region's arguments: one element of every operand, then one index for every dimension.
    mlir::BlockArgument elementArg(unsigned n) { return getBody().getArgument(n); }
    mlir::BlockArgument indexArg(unsigned d) { return getBody().getArgument(getInputs().size() + d); }
    mlir::Value yielded() { return getBody().front().getTerminator()->getOperand(0); }
  }];
}

def MergeOp : Attn_Op<"merge", [ParentOneOf<["KernelOp", "RepeatOp"]>, AttrSizedOperandSegments]> {
  let summary = "the outputs of one attention over the union of disjoint key sets, from those over each of them";
  let description = [{
    Each part is the o and lse of an attend over some of a row's keys. With the gauge and the finish of the normalizer, and the parts as states r = lse, l = 1, n = o:
    ```
    r = max(lse_1, .., lse_P)     l = sum_p gauge(lse_p, r)     n = sum_p gauge(lse_p, r) o_p     (o, lse) = finish(r, l, n)
    ```
    For softmax: o = sum_p exp(lse_p - r) o_p / sum_p exp(lse_p - r), lse = r + log sum_p exp(lse_p - r). A part whose lse is -inf is empty and takes no share; where all are, the outputs are the
    finish's empty values. A normalizer's seed (a sink) is one more state, which enters here once: so the parts are those of the normalizer without it. Index lists may be left out: o goes by all dimensions
    in order, lse by all but the last. The pass `--attn-expand-merge` writes a merge as attn.map ops.

    Constraints: `merge_c1`: dimension names are unique identifiers, at most 8. `merge_c2`: o and lse, of every part and the result, go by plain dimensions, each once, o by all of them, lse by all but one, the value feature, which is the same
    for all. `merge_c3`: two or more parts. `merge_c4`: the normalizer exists; it has one pass, with a reference, a sum of `one` and one of `value` of one weight over all keys, no statistics, and outputs o and lse, of which o is
    n and lse is r where l is 1. `merge_c5`: static extents of one dimension agree. `merge_c6`: element types: all f64, or o of f32, bf16 or f16 and lse f32. `merge_c7`: one argument for each parameter of the normalizer: a constant, an f32 scalar
    (f64 with f64), or a tensor of f32, bf16 or f16 (f64 too with f64) indexed by dimensions (also floordiv) but not the value feature, and constants.

    Example:
    ```mlir
    %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %lse1), (%o2[b, i, h, e], %lse2) -> ([b, h, i, e], [b, h, i])
      : (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$part_outs, Variadic<AnyRankedTensor>:$part_lses, Variadic<AnyType>:$norm_args, StrArrayAttr:$dim_names,
                       AffineMapArrayAttr:$part_out_maps, AffineMapArrayAttr:$part_lse_maps, AffineMapAttr:$out_map, AffineMapAttr:$lse_map,
                       FlatSymbolRefAttr:$normalizer, OptionalAttr<ArrayAttr>:$norm_values);
  let results = (outs AnyRankedTensor:$out, AnyRankedTensor:$lse);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned numDims() { return getDimNames().size(); }
    unsigned numParts() { return getPartOuts().size(); }
    mlir::StringRef dimName(unsigned d) { return mlir::cast<mlir::StringAttr>(getDimNames()[d]).getValue(); }
    mlir::AffineMap partOutMap(unsigned p) { return mlir::cast<mlir::AffineMapAttr>(getPartOutMaps()[p]).getValue(); }
    mlir::AffineMap partLseMap(unsigned p) { return mlir::cast<mlir::AffineMapAttr>(getPartLseMaps()[p]).getValue(); }
    /// f64 where o is f64, f32 otherwise.
    mlir::FloatType accumulationType();
    /// The dimension that lse has not.
    unsigned valueDim();
    unsigned numNormArgs() { return getNormValues() ? getNormValues()->size() : 0; }
    /// What the normalizer's parameter `n` is, as for an attend.
    AttendOp::NormArg normArg(unsigned n);
  }];
}

def RepeatOp : Attn_Op<"repeat", [ParentOneOf<["KernelOp", "RepeatOp"]>, SingleBlock]> {
  let summary = "steps that are run several times, each time on what the last one gave";
  let description = [{
    ```
    x_0 = init      x_n+1 = steps(x_n)      the results are x_count
    ```
    The region holds steps and ends with attn.yield: as many values as it takes, of their types. Tensors of the kernel are captured. The steps are written out `count` times when the module is linked, so
    what holds of a kernel's steps holds of all of them.

    Constraints: `repeat_c1`: a count of 1 to 64. `repeat_c2`: the region takes, yields and returns values of the same types, one or more. `repeat_c3`: the region holds steps alone and yields results of them.

    Example:
    ```mlir
    %mu = attn.repeat 3 (%m = %mu0) {
      %next = attn.attend dims(b | i | j | c, e) q = %m[b, i, c] k = %x[b, j, c] v = %x[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> !t
      attn.yield %next : !t
    }
    ```
  }];
  let arguments = (ins I64Attr:$count, Variadic<AnyRankedTensor>:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def CallOp : Attn_Op<"call", [HasParent<"KernelOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "one step of a kernel that was split: a call of a kernel with that step alone";
  let description = [{
    The results are those of the kernel that is called, for these arguments. Written by the compiler where it splits kernels of several steps; the kernels that are called are private
    and have one step themselves.

    Constraints: `call_c1`: there is such a kernel in the module, and it takes and returns these types.

    Example: `%0:2 = attn.call @k__0(%q, %w) : (tensor<?x64xf32>, index) -> (tensor<?x64xf32>, tensor<?xf32>)`
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = "$callee `(` $operands `)` attr-dict `:` functional-type($operands, $outputs)";
}

#endif
