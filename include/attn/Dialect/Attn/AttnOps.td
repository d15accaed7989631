// Kernels, the attend op, captured loads.
#ifndef ATTN_DIALECT_ATTN_OPS
#define ATTN_DIALECT_ATTN_OPS

include "attn/Dialect/Attn/AttnBase.td"
include "attn/Dialect/Attn/AttnSetOps.td"
include "attn/Dialect/Attn/AttnNormalizerOps.td"

def KernelOp : Attn_Op<"kernel", [IsolatedFromAbove, FunctionOpInterface, SingleBlock,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a function with named tensor arguments, run-time scalars and named results";
  let description = [{
    Names are part of the interface: tools and bindings address arguments and results by them.

    Constraints: `kernel_c1`: tensors are ranked, rank 1 to 6, of f64, f32, bf16, f16, i64, i32, i8 or i1, arguments also of f8E4M3FN or f8E5M2; scalars are
    index, i64, i32, f32 or f64. `kernel_c2`: names are unique identifiers. `kernel_c3`: the return's types are the result types. `kernel_c4`: facts are attn.sorted and attn.range, of
    arguments that are tensors of i32 or i64.

    An argument's facts are promises of the caller: `attn.sorted`, its elements ascend along the last axis, and `attn.range = array<i64: lo, hi>`, lo <= x < hi for each of them.
    Every call checks them before any work: ATTN_E_FACT.

    Example:
    ```mlir
    attn.kernel @f(%q: tensor<?x?x64xf32>, %seg: tensor<?xi32> {attn.sorted}, %w: index) -> (o: tensor<?x?x64xf32>) { ... }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, StrArrayAttr:$arg_names,
                       StrArrayAttr:$res_names, OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    mlir::ArrayRef<mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    mlir::ArrayRef<mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    mlir::Region *getCallableRegion() { return &getBody(); }
    mlir::StringRef argName(unsigned i) { return mlir::cast<mlir::StringAttr>(getArgNames()[i]).getValue(); }
    mlir::StringRef resName(unsigned i) { return mlir::cast<mlir::StringAttr>(getResNames()[i]).getValue(); }
  }];
}

def ReturnOp : Attn_Op<"return", [Terminator, HasParent<"KernelOp">]> {
  let summary = "ends a kernel";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def YieldOp : Attn_Op<"yield", [Terminator, Pure]> {
  let summary = "ends a region of the dialect";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def LoadOp : Attn_Op<"load", [Pure]> {
  let summary = "one element of a captured tensor";
  let description = [{
    `x = t[indices]`. Used only at visible positions; an index outside the extent there makes the pair absent and the call report it
    (edge contract 8). An i1 element is the truth of its byte.

    Constraints: `load_c1`: one index an axis.

    Example: `%x = attn.load %bias[%h, %i, %j] : tensor<?x?x?xf32>`
  }];
  let arguments = (ins AnyRankedTensor:$tensor, Variadic<AnyTypeOf<[Index, I64, I32]>>:$indices);
  let results = (outs AnyType:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def MemberOp : Attn_Op<"member", [Pure, AttrSizedOperandSegments]> {
  let summary = "whether a value is an element of a captured list";
  let description = [{
    `list[indices, n] == value` for some n of the last axis, or for some n in [from, to) where those are given. Elements may repeat and stand in any order; `sorted` and
    `unique` promise more. An index outside the leading axes, or `from`, `to` outside the last, is a bad index as for attn.load.

    Constraints: `member_c1`: an i32 or i64 tensor, one index for every axis but the last. `member_c2`: `from` and `to` together.

    Example: `%p = attn.member %d in %offsets[%h] : tensor<?x?xi32>`, `%p = attn.member %j in %columns[] from %lo to %hi : tensor<?xi32>`
  }];
  let arguments = (ins Index:$value, AnyRankedTensor:$list, Variadic<Index>:$indices, Optional<Index>:$from, Optional<Index>:$to,
                       UnitAttr:$sorted, UnitAttr:$unique);
  let results = (outs I1:$result);
  let assemblyFormat = "$value `in` $list `[` $indices `]` (`from` $from^ `to` $to)? attr-dict `:` type($list)";
  let hasVerifier = 1;
}

def RandomOp : Attn_Op<"random", [Pure]> {
  let summary = "a uniform number in [0, 1) that depends on a seed and up to four indices alone";
  let description = [{
    ```
    w = philox4x32_10(counter = (n0, n1, n2, n3), key = (seed mod 2^32, floor(seed / 2^32)))[0]         u = (w floordiv 2^8) 2^-24
    ```
    n0.. are the indices, the last one first, each modulo 2^32, missing ones 0. Counter based (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011): a schedule changes
    nothing.

    Constraints: `random_c1`: one to four indices.

    Example: `%u = attn.random %seed[%b, %h, %i, %j] : i64 -> f32`
  }];
  let arguments = (ins AnyTypeOf<[Index, I64, I32]>:$seed, Variadic<Index>:$indices);
  let results = (outs F32:$result);
  let assemblyFormat = "$seed `[` $indices `]` attr-dict `:` type($seed) `->` type($result)";
  let hasVerifier = 1;
}

def ExtentOp : Attn_Op<"extent", [Pure]> {
  let summary = "how many values an index of attn.map has";
  let description = [{
    The extent of the dimension whose index it is, as an index or as a number: of a mean's sum, how many terms it has. Extents above 2^24 are rounded to f32.

    Constraints: `extent_c1`: it stands in the region of an attn.map, and its operand is one of the region's indices.

    Example: `%count = attn.extent %n : f32`
  }];
  let arguments = (ins Index:$index);
  let results = (outs AnyTypeOf<[Index, F32, F64]>:$result);
  let assemblyFormat = "$index attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def AttendOp : Attn_Op<"attend", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "one attention";
  let description = [{
    ```
    s_ij = score(scale * sum_c dot(q[..i..c], k[..j..c]))  for (i, j) in set, absent otherwise; dot is the product unless given
    w_ij = normalize_j(s_i.)       o[..i..e] = finish(sum_j w_ij v[..j..e])
    ```
    q and k may come in parts, whose products are added; with a bilinear tensor the sum is sum_cr q[..i..c] g[..c..r] k[..j..r]. What a part, or v, reads may pass through a region.
    With dropout the weights of the value sums alone are multiplied by (random(seed; batch, i, j) >= p) / (1 - p).

    Dimensions come from the maps, extents of features also from dims. Accumulation is f64 where an operand is f64 or passes through a region that yields f64, f32 otherwise. See docs/language.md.

    Constraints:
    `attend_c1`: dimension names are unique identifiers; one query and one key dimension; two features (one where q, k and v share it), with parts or a bilinear tensor as many contracted ones as
    they have, then the value's.
    `attend_c2`: a map has one index an axis: a dimension, a constant, or a batch dimension floordiv a constant; of operands also their token floordiv a constant and a feature floordiv or + a constant.
    `attend_c3`: feature extents are static, of axes that agree or written in dims.
    `attend_c4`: q is indexed by the query and its contracted feature, k by the key and its contracted feature, v by the key and the value feature; each once, and k and v not by the query, q not by
    the key. Where there is a region the token and the feature may be missing; some input is indexed by each of the two tokens, and by each batch dimension alone.
    `attend_c5`: an output's map names plain dimensions: every batch dimension and the query, o also the value feature, lse no feature.
    `attend_c6`: static extents of one dimension agree, in captured tensors too, and with a static grid behind a constant `first`; a constant index is inside a static extent, and so is what a feature of written extent indexes.
    `attend_c7`: the set region holds set ops and constants (integers, and f32 for probabilities) and yields one set; the score region takes the score and the indices and yields
    its type.
    `attend_c8`: element types: operands are f64, f32, bf16, f16, f8E4M3FN or f8E5M2, with a region also i64, i32, i8 or i1, each of its own; o is f32, bf16 or f16 and lse f32, both f64 where scores are.
    `attend_c9`: the score region and the regions of `where` hold only arith, math, attn.load, attn.member and attn.random on scalars: index, i1 to i64, f16, bf16, f32, f64; ops
    have one result, and none looks at the bits of a float.
    `attend_c10`: the normalizer exists, and its outputs include the attend's.
    `attend_c11`: what is given for each batch element (lengths, tensors of prefix, global and sinks, segments of rank 2) needs a batch dimension.
    `attend_c12`: one scale, a finite constant or an f32 or f64.
    `attend_c13`: a grid has 1 to 3 extents of at least 1, of which only the first may be dynamic, and at most 2^31 - 1 tokens; `first` is an integer constant >= 0 or an index, i64 or i32 scalar, and stands beside a grid.
    `attend_c14`: dropout has a seed, an integer constant or an index, i64 or i32 scalar, and a probability, a constant in [0, 1) or an f32 scalar; at most two batch dimensions.
    `attend_c15`: the normalizer gets one argument for each parameter: a constant, an f32 scalar (f64 with f64), or a tensor of floats indexed by batch dimensions (also floordiv), constants and the query.
    `attend_c16`: the class region takes the indices and yields an index, i64 or i32.
    `attend_c17`: names of reductions, columns and aggregates are unique identifiers; a reduction's region takes the score and the indices and yields the score's type; an argmax is stored as i32 or i64.
    `attend_c18`: the epilogue names what it yields and takes outputs of the finish and reductions that are floats, by name, and indices of batch dimensions, the query and the value feature.
    `attend_c19`: a column's region takes the weight, the score and the indices and yields the score's type; an aggregated tensor is indexed by the batch dimensions, the query and a feature, which is its output's. Columns need a weight: a finish output o.
    `attend_c21`: an operand's region takes the element (floats in the accumulation type, integers in their own) and the indices of the batch dimensions, its token and its feature, and yields the
    accumulation type. A token floordiv a constant needs a region; a feature floordiv or + a constant, or one that does not index, an extent in dims.
    `attend_c22`: q and k have the same number of parts, each with a contracted feature of its own; with a bilinear tensor or a dot region there is one part.
    `attend_c23`: the dot region takes an element of q, one of k and the indices of the batch dimensions and the contracted feature and yields the accumulation type. A bilinear tensor is indexed by batch dimensions, constants, q's
    feature and k's, and stands without a dot region.
    `attend_c24`: a topk has a count of at least 1 and a name for the axis of ranks, which is that of no dimension; its output's map has it as its last index, and its type the count as extent there.
    `attend_c20`: without v no output needs values, and there is one feature; the output p is indexed by the batch dimensions, the query and the key.
  }];
  let arguments = (ins AnyRankedTensor:$q, AnyRankedTensor:$k, AnyRankedTensor:$v, Optional<AnyType>:$scale, Optional<AnyType>:$first,
                       Optional<AnyType>:$drop_seed, Optional<AnyType>:$drop_probability, Variadic<AnyType>:$norm_args, Variadic<AnyRankedTensor>:$aggregated,
                       Variadic<AnyRankedTensor>:$parts, Optional<AnyRankedTensor>:$bilinear, OptionalAttr<F64Attr>:$scale_value,
                       OptionalAttr<I64Attr>:$first_value, OptionalAttr<I64Attr>:$drop_seed_value, OptionalAttr<F64Attr>:$drop_probability_value,
                       OptionalAttr<DenseI64ArrayAttr>:$query_grid, OptionalAttr<DenseI64ArrayAttr>:$key_grid, StrArrayAttr:$dim_names, I64Attr:$num_batch, AffineMapAttr:$q_map,
                       AffineMapAttr:$k_map, AffineMapAttr:$v_map, StrArrayAttr:$out_names, AffineMapArrayAttr:$out_maps,
                       OptionalAttr<FlatSymbolRefAttr>:$normalizer, OptionalAttr<ArrayAttr>:$norm_values, UnitAttr:$valueless, OptionalAttr<StrArrayAttr>:$reduce_names,
                       OptionalAttr<DenseI64ArrayAttr>:$reduce_kinds, OptionalAttr<StrArrayAttr>:$epilogue_args, OptionalAttr<StrArrayAttr>:$epilogue_outs,
                       OptionalAttr<StrArrayAttr>:$column_names, OptionalAttr<StrArrayAttr>:$aggregate_names, OptionalAttr<AffineMapArrayAttr>:$aggregate_maps,
                       OptionalAttr<AffineMapArrayAttr>:$part_maps, OptionalAttr<AffineMapAttr>:$bilinear_map, OptionalAttr<DenseI64ArrayAttr>:$feature_extents,
                       OptionalAttr<DenseI64ArrayAttr>:$reduce_counts, OptionalAttr<StrArrayAttr>:$reduce_ranks);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region MaxSizedRegion<1>:$set, MaxSizedRegion<1>:$score, VariadicRegion<MaxSizedRegion<1>>:$more);
  let useCustomPropertiesEncoding = 1; // bytecode of older versions: AttnDialect.cpp
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Dimensions are numbered batch..., query, key, features...
    unsigned numBatch() { return getNumBatch(); }
    unsigned numDims() { return getDimNames().size(); }
    unsigned queryDim() { return getNumBatch(); }
    unsigned keyDim() { return getNumBatch() + 1; }
    /// The first contracted feature; further parts of q and k have the ones behind it.
    unsigned dotDim() { return getNumBatch() + 2; }
    unsigned valueDim() { return getValueless() ? dotDim() : numDims() - 1; }
    unsigned numParts() { return 1 + getParts().size() / 2; }
    mlir::StringRef dimName(unsigned d) { return mlir::cast<mlir::StringAttr>(getDimNames()[d]).getValue(); }
    mlir::AffineMap outMap(unsigned r) { return mlir::cast<mlir::AffineMapAttr>(getOutMaps()[r]).getValue(); }
    mlir::StringRef outName(unsigned r) { return mlir::cast<mlir::StringAttr>(getOutNames()[r]).getValue(); }
    /// Static extent of a feature dimension.
    int64_t featureExtent(unsigned dim);
    /// f64 for f64 operands, f32 otherwise.
    mlir::FloatType accumulationType();
    bool hasDropout() { return getDropSeed() || getDropSeedValue(); }
    mlir::StringRef normalizerName() { return getNormalizer().value_or("softmax"); }

    /// q, k or v, or a further part of q or k.
    struct Operand {
      mlir::Value tensor;
      mlir::AffineMap map;
      mlir::Region *region = nullptr; // what its elements pass through
      unsigned token = 0, feature = 0; // dimensions
      int64_t extent = 0;              // of the feature
    };
    /// Part `n` of q and of k, and v.
    Operand qPart(unsigned n);
    Operand kPart(unsigned n);
    Operand vPart();
    /// Products of a score: the extents of all parts.
    int64_t dotExtent();
    /// Where every operand is a plain tensor of floats that the score contracts: neither regions, parts, bilinear nor a dot region.
    bool hasPlainOperands();

    /// `more` is empty, or: class, epilogue, one for each reduction, one for each column; then, where any of these is there, the regions of q, k and v, the dot region, and
    /// those of q and k of each further part. Null: not there.
    mlir::Region *moreRegion(unsigned n) { return n < getMore().size() && !getMore()[n].empty() ? &getMore()[n] : nullptr; }
    mlir::Region *classRegion() { return moreRegion(0); }
    mlir::Region *epilogueRegion() { return moreRegion(1); }
    unsigned numReductions() { return getReduceNames() ? getReduceNames()->size() : 0; }
    mlir::StringRef reductionName(unsigned n) { return mlir::cast<mlir::StringAttr>((*getReduceNames())[n]).getValue(); }
    ReduceKind reductionKind(unsigned n) { return (ReduceKind)(*getReduceKinds())[n]; }
    /// Null: the score itself.
    mlir::Region *reductionRegion(unsigned n) { return moreRegion(2 + n); }
    unsigned numColumns() { return getColumnNames() ? getColumnNames()->size() : 0; }
    mlir::Region *columnRegion(unsigned n) { return moreRegion(2 + numReductions() + n); }
    mlir::Region *operandRegion(unsigned n) { return moreRegion(2 + numReductions() + numColumns() + n); }
    mlir::Region *dotRegion() { return operandRegion(3); }
    mlir::Region *partRegion(unsigned n) { return operandRegion(4 + n); }
    /// How many ids a topk has, 0 for other reductions; the name of the axis of its ranks.
    int64_t reductionCount(unsigned n) { return getReduceCounts() && n < getReduceCounts()->size() ? (*getReduceCounts())[n] : 0; }
    mlir::StringRef reductionRank(unsigned n) { return getReduceRanks() && n < getReduceRanks()->size() ? mlir::cast<mlir::StringAttr>((*getReduceRanks())[n]).getValue() : mlir::StringRef(); }
    unsigned numAggregates() { return getAggregateNames() ? getAggregateNames()->size() : 0; }
    /// Dimensions whose indices an epilogue takes behind its named values: batch, query, value feature.
    llvm::SmallVector<unsigned> epilogueDims();
    /// The dimension whose index a region of the op, or of a where in its set, takes as this argument; -1: none.
    int dimOf(mlir::BlockArgument arg);
    /// What the normalizer's parameter `n` is: a constant, a scalar, or an element of a tensor.
    struct NormArg {
      double constant = 0;
      mlir::Value value;   // null: the constant
      mlir::AffineMap map; // of a tensor's indices
    };
    NormArg normArg(unsigned n);
    unsigned numNormArgs() { return getNormValues() ? getNormValues()->size() : 0; }
  }];
}

include "attn/Dialect/Attn/AttnStepOps.td"

#endif
