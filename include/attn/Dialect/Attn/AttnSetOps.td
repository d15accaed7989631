// Named sets and their algebra. All live in the `set` region of an attend; i and j are its query and key index, I and J the extents of those
// axes, b the first batch index.
#ifndef ATTN_DIALECT_ATTN_SETOPS
#define ATTN_DIALECT_ATTN_SETOPS

include "attn/Dialect/Attn/AttnBase.td"

// Operands are typed by the verifiers, whose errors carry a label and the mend.
class Attn_SetOp<string name, list<Trait> traits = []> : Attn_Op<"set." # name, !listconcat([Pure], traits)> {
  let results = (outs Attn_SetType:$result);
}
class Attn_SetBinary<string name, string formula> : Attn_SetOp<name> {
  let summary = formula;
  let arguments = (ins Attn_SetType:$lhs, Attn_SetType:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
}

def SetFullOp : Attn_SetOp<"full"> { let summary = "every pair"; let assemblyFormat = "attr-dict"; }
def SetEmptyOp : Attn_SetOp<"empty"> { let summary = "no pair"; let assemblyFormat = "attr-dict"; }
def SetAndOp : Attn_SetBinary<"and", "lhs and rhs">;
def SetOrOp : Attn_SetBinary<"or", "lhs or rhs">;
def SetMinusOp : Attn_SetBinary<"minus", "lhs and not rhs">;
def SetNotOp : Attn_SetOp<"not"> {
  let summary = "the pairs that are not in the operand";
  let arguments = (ins Attn_SetType:$operand);
  let assemblyFormat = "$operand attr-dict";
}

def SetCausalOp : Attn_SetOp<"causal", [AttrSizedOperandSegments]> {
  let summary = "j <= i + s, s = 0 (top_left), J - I (bottom_right) or klen[b] - qlen[b]";
  let description = [{
    Alignment is always written: for different lengths the two conventions differ (edge contract 6).

    Constraints: `causal_c1`: q_lengths and k_lengths are rank-1 tensors of i32 or i64, given together, and only with bottom_right.

    Example: `set = causal<bottom_right>`
  }];
  let arguments = (ins Attn_AlignmentAttr:$alignment, Optional<AnyType>:$q_lengths, Optional<AnyType>:$k_lengths);
  let assemblyFormat = "$alignment (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict";
  let hasVerifier = 1;
}

def SetWindowOp : Attn_SetOp<"window", [AttrSizedOperandSegments]> {
  let summary = "i + s - left <= j <= i + s + right, s as in causal; a bound that is left out is unbounded";
  let description = [{
    Constraints: `window_c1`: lengths as in causal_c1. `window_c2`: at least one bound. `window_c3`: a bound is an index, i64 or i32.

    Example: `set = window<top_left, left = 64, right = %r>`
  }];
  let arguments = (ins Attn_AlignmentAttr:$alignment, Optional<AnyType>:$left, Optional<AnyType>:$right,
                       Optional<AnyType>:$q_lengths, Optional<AnyType>:$k_lengths);
  let assemblyFormat = [{ $alignment (`left` $left^ `:` type($left))? (`right` $right^ `:` type($right))?
    (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict }];
  let hasVerifier = 1;
}

def SetPrefixOp : Attn_SetOp<"prefix"> {
  let summary = "j < p, with p a scalar or p[b]";
  let description = [{ Constraints: `prefix_c1`: an index, i64 or i32, or a rank-1 tensor of i32 or i64. }];
  let arguments = (ins AnyType:$length);
  let assemblyFormat = "$length `:` type($length) attr-dict";
  let hasVerifier = 1;
}

def SetLengthsOp : Attn_SetOp<"lengths", [AttrSizedOperandSegments]> {
  let summary = "i < q[b] and j < k[b]; a side that is left out is unbounded";
  let description = [{ Constraints: `lengths_c1`: at least one side, rank-1 tensors of i32 or i64. }];
  let arguments = (ins Optional<AnyType>:$q, Optional<AnyType>:$k);
  let assemblyFormat = "(`q` $q^ `:` type($q))? (`k` $k^ `:` type($k))? attr-dict";
  let hasVerifier = 1;
}

def SetSegmentOp : Attn_SetOp<"same_segment"> {
  let summary = "q[b, i] == k[b, j]; rank-1 tensors are over tokens alone";
  let description = [{ Constraints: `same_segment_c1`: tensors of i32 or i64, of rank 1 or 2. `same_segment_c2`: in the text, one tensor for both, or q and k. }];
  let arguments = (ins AnyType:$q, AnyType:$k);
  let assemblyFormat = "$q `,` $k attr-dict `:` type($q) `,` type($k)";
  let hasVerifier = 1;
}

def SetMaskOp : Attn_SetOp<"mask"> {
  let summary = "m[map(indices)] != 0";
  let description = [{
    Constraints: `mask_c1`: a tensor of booleans, integers or floats; one index for every axis: a dimension, a constant, or a batch dimension floordiv a
    constant; no feature dimension.
  }];
  let arguments = (ins AnyType:$mask, AffineMapAttr:$map);
  let assemblyFormat = "$mask `by` $map attr-dict `:` type($mask)";
  let hasVerifier = 1;
}

//===--- Distances and blocks ---===//

class Attn_AlignedSet<string name, string formula, dag extra = (ins)> : Attn_SetOp<name, [AttrSizedOperandSegments]> {
  let summary = formula;
  let arguments = !con((ins Attn_AlignmentAttr:$alignment, Optional<AnyType>:$q_lengths, Optional<AnyType>:$k_lengths), extra);
  let hasVerifier = 1;
}
def SetDilatedOp : Attn_AlignedSet<"dilated", "(i + s - j) mod step == 0, s as in causal", (ins I64Attr:$step)> {
  let description = [{
    Constraints: `dilated_c1`: lengths as in causal_c1. `dilated_c2`: the step is at least 1 and below 2^31.

    Example: `set = window<top_left, left = 64, right = 64> and dilated<top_left, step = 4>`
  }];
  let assemblyFormat = "$alignment `step` $step (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict";
}
def SetNotSelfOp : Attn_AlignedSet<"not_self", "j != i + s, s as in causal"> {
  let description = [{
    Constraints: `not_self_c1`: lengths as in causal_c1.

    Example: `set = full minus window<top_left, left = 1, right = 1> and not_self<top_left>`
  }];
  let assemblyFormat = "$alignment (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict";
}
def SetBlockCausalOp : Attn_AlignedSet<"block_causal", "j floordiv block <= (i + s) floordiv block, s as in causal", (ins I64Attr:$block)> {
  let description = [{
    Constraints: `block_causal_c1`: lengths as in causal_c1. `block_causal_c2`: the block is at least 1 and below 2^31.

    Example: `set = block_causal<top_left, block = 128>`
  }];
  let assemblyFormat = "$alignment `block` $block (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict";
}
def SetGlobalOp : Attn_SetOp<"global"> {
  let summary = "i < g or j < g, with g a scalar or g[b]: the first g tokens see and are seen by all";
  let description = [{
    Constraints: `global_c1`: as prefix_c1.

    Example: `set = global<%text> or disc<radius = 8>`
  }];
  let arguments = (ins AnyType:$length);
  let assemblyFormat = "$length `:` type($length) attr-dict";
  let hasVerifier = 1;
}
def SetSinksOp : Attn_SetOp<"sinks"> {
  let summary = "j < n, with n a scalar or n[b]: the first n keys stay visible";
  let description = [{
    Constraints: `sinks_c1`: as prefix_c1.

    Example: `set = (sinks<4> or window<bottom_right, left = 1019>) and causal<bottom_right>`
  }];
  let arguments = (ins AnyType:$length);
  let assemblyFormat = "$length `:` type($length) attr-dict";
  let hasVerifier = 1;
}
def SetSharedPrefixOp : Attn_SetOp<"shared_prefix"> {
  let summary = "k[b, j] == q[b, i] or k[b, j] == shared or q[b, i] == all";
  let description = [{
    Segments of which one (`shared`, 0 unless given) is seen by every query, and one (`all`, none unless given) sees every key: pieces of a context that are
    encoded side by side behind a common prefix, before a question (parallel context encoding, Zhang et al., ACL 2025).

    Constraints: `shared_prefix_c1`: tensors as in same_segment_c1. `shared_prefix_c2`: in the text, one tensor for both, or q and k. `shared_prefix_c3`: `shared` and `all` are
    integer constants or index, i64 or i32 scalars.

    Example: `set = causal<top_left> and shared_prefix<%piece, shared = 0, all = %question>`
  }];
  let arguments = (ins AnyType:$q, AnyType:$k, AnyType:$shared, Optional<AnyType>:$all);
  let assemblyFormat = "$q `,` $k `shared` $shared (`all` $all^ `:` type($all))? attr-dict `:` type($q) `,` type($k) `,` type($shared)";
  let hasVerifier = 1;
}

//===--- Sets over the grids of the token axes ---===//
//
// Token t of an axis with grid [n0, n1, n2] and `first` = f stands at the coordinates of (t - f) in row-major order; tokens before f stand nowhere and are in no such
// pair. x_a and y_a are the coordinates of i and j along grid axis a; N_a is the extent of the key grid, N_0 = ceil((J - f) / (N_1 N_2)) where it is dynamic.

def SetNeighborhoodOp : Attn_SetOp<"neighborhood"> {
  let summary = "a window of size k along every grid axis around the query, kept inside the grid (neighborhood attention)";
  let description = [{
    For every grid axis a, with k = size, d = dilation, t = stride, g = x mod d, p = x floordiv d, n = ceil((N - g) / d) (the tokens of the query's residue class):
    ```
    y mod d == g   and   lo <= y floordiv d < hi
    not causal:  c = min((p floordiv t) t + t floordiv 2, n - 1)      lo = max(min(c - k floordiv 2, n - k), 0)    hi = lo + k
    causal:      c = min((p floordiv t) t + t - 1, n - 1)             lo = max(c - k + 1, 0)                       hi = p + 1
    ```
    Hassani et al., Neighborhood Attention Transformer (CVPR 2023); Generalized Neighborhood Attention (2025) for the stride.

    Constraints: `neighborhood_c1`: query and key axis have grids of one rank. `neighborhood_c2`: one size, dilation, stride and causal flag (0, 1) for each grid axis; sizes, dilations and strides are at
    least 1 and below 2^31, a stride at most the size.

    Example: `set = neighborhood<size = [7, 7], dilation = [2, 2], stride = [1, 1], causal = [0, 0]>`
  }];
  let arguments = (ins DenseI64ArrayAttr:$size, DenseI64ArrayAttr:$dilation, DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$causal);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}
def SetHaloOp : Attn_SetOp<"halo"> {
  let summary = "the query's block of the grid and a halo around it (blocked local attention)";
  let description = [{
    ```
    (x floordiv B) B - h <= y < (x floordiv B) B + B + h                for every grid axis, B = block, h = halo
    (x floordiv B) B     <= y < (x floordiv B) B + B + 2 h              with `padded`
    ```
    Keys outside the image are absent; with `padded` the key grid has h more tokens on every side of each axis, whose scores and values are what the caller put there (zeros in
    HaloNet, Vaswani et al. 2021: they take their share of the softmax).

    Constraints: `halo_c1`: query and key axis have grids of one rank. `halo_c2`: one block (at least 1) and halo (at least 0), below 2^31, for each grid axis.

    Example: `set = halo<block = [8, 8], halo = [3, 3]>`
  }];
  let arguments = (ins DenseI64ArrayAttr:$block, DenseI64ArrayAttr:$halo, UnitAttr:$padded);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}
def SetDiscOp : Attn_SetOp<"disc"> {
  let summary = "sum over grid axes of (x - y)^2 < radius^2: the Euclidean disc, border excluded";
  let description = [{
    Liu et al., CLEAR (2024).

    Constraints: `disc_c1`: query and key axis have grids of one rank. `disc_c2`: the radius is an integer constant or an index, i64 or i32 scalar; a negative one is an empty disc,
    one beyond 32767 (26754 on three axes) counts as that.

    Example: `set = global<%text> or disc<radius = %r>`
  }];
  let arguments = (ins AnyType:$radius);
  let assemblyFormat = "$radius `:` type($radius) attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// So that as many squares as there are axes add up to less than 2^31.
    static int64_t largestRadius(size_t axes) { return axes > 2 ? 26754 : 32767; }
  }];
}

//===--- Lists that the caller gives ---===//

def SetListOp : Attn_SetOp<"list"> {
  let summary = "j floordiv block is an element of list[map(indices), :]";
  let description = [{
    One list for each value of the leading indices: dimensions, constants, or a batch or query dimension floordiv a constant. -1 is padding; another element outside
    [0, ceil(J / block)) names no key and makes the call report ATTN_E_INDEX. Elements may repeat and stand in any order; `sorted` (ascending, padding last) and `unique`
    promise more; kernels rely on neither, so a broken promise changes nothing.

    `kind` is how it is written: `tokens` (block 1), `blocks` and `pages`.

    Constraints: `list_c1`: an i32 or i64 tensor of rank 1 or more, with one index for every axis but the last. `list_c2`: the block is at least 1 and below 2^31, and 1 for tokens.

    Example: `set = tokens<%kept[b, h]> and causal<top_left>`, `set = blocks<%ids[b, h, i floordiv 64], block = 64>`, `set = pages<%table[b], block = 16>`
  }];
  let arguments = (ins AnyType:$list, AffineMapAttr:$map, I64Attr:$block, StrAttr:$kind, UnitAttr:$sorted, UnitAttr:$unique);
  let assemblyFormat = "$kind $list `by` $map `block` $block attr-dict `:` type($list)";
  let hasVerifier = 1;
}
def SetDiagonalsOp : Attn_SetOp<"diagonals", [AttrSizedOperandSegments]> {
  let summary = "i + s - j, or its absolute value (symmetric), is an element of list[map(indices), :], s as in causal";
  let description = [{
    Elements may repeat (which is how a shorter list is padded) and stand in any order. Positive elements are keys before the query.

    Constraints: `diagonals_c1`: an i32 or i64 tensor of rank 1 or more, with one index, a batch dimension, such a dimension floordiv a constant, or a constant, for every axis but the last.
    `diagonals_c2`: lengths as in causal_c1.

    Example: `set = diagonals<top_left, %offsets[h], symmetric>`
  }];
  let arguments = (ins Attn_AlignmentAttr:$alignment, AnyType:$list, AffineMapAttr:$map, UnitAttr:$symmetric, UnitAttr:$sorted, UnitAttr:$unique,
                       Optional<AnyType>:$q_lengths, Optional<AnyType>:$k_lengths);
  let assemblyFormat = [{ $alignment $list `by` $map (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))?
    attr-dict `:` type($list) }];
  let hasVerifier = 1;
}
def SetCsrOp : Attn_SetOp<"csr"> {
  let summary = "j is one of columns[map(indices), n], offsets[map(indices), i] <= n < offsets[map(indices), i + 1]";
  let description = [{
    The rows of a sparse matrix or a graph in CSR form. Columns may repeat and stand in any order; a column outside [0, J) names no key and makes the call report
    ATTN_E_INDEX, as does an offset that is negative, beyond the columns, or below the one before it.

    Constraints: `csr_c1`: i32 or i64 tensors of one rank, with one index, a batch dimension, such a dimension floordiv a constant, or a constant, for every axis but the last; the
    last axis of the offsets has I + 1 elements.

    Example: `set = csr<%offsets[b], %columns[b]>`
  }];
  let arguments = (ins AnyType:$offsets, AnyType:$columns, AffineMapAttr:$map);
  let assemblyFormat = "$offsets `,` $columns `by` $map attr-dict `:` type($offsets) `,` type($columns)";
  let hasVerifier = 1;
}
def SetBitsOp : Attn_SetOp<"bits"> {
  let summary = "bit (j mod w) of words[map(indices), j floordiv w], w bits in a word, the least significant first";
  let description = [{
    Constraints: `bits_c1`: an i8, i32 or i64 tensor, with one index, a constant, the query, a batch dimension or such a dimension floordiv a constant, for every axis but the last, which
    has ceil(J / w) words.

    Example: `set = bits<%m[b, h, i]>`
  }];
  let arguments = (ins AnyType:$words, AffineMapAttr:$map);
  let assemblyFormat = "$words `by` $map attr-dict `:` type($words)";
  let hasVerifier = 1;
}
def SetRandomBlocksOp : Attn_SetOp<"random_blocks"> {
  let summary = "random(seed; batch indices, i floordiv B0, j floordiv B1) < p: each block of pairs takes part with probability p";
  let description = [{
    `random` is attn.random: the same blocks for the same seed, whatever the schedule; the block is a part of the meaning. p is a number, a scalar, or p[D] for blocks at
    distance D = |i floordiv B0 - j floordiv B1| (beyond its end, its last element).

    Constraints: `random_blocks_c1`: the seed is an integer constant or an index, i64 or i32 scalar. `random_blocks_c2`: a constant p in [0, 1], an f32 scalar, or a rank-1 tensor of f32 with an element. `random_blocks_c3`: two
    extents of at least 1 and below 2^31. `random_blocks_c4`: at most two batch dimensions.

    Example: `set = causal<top_left> and random_blocks<seed = %seed, probability = 0.5, block = [64, 64]>`
  }];
  let arguments = (ins AnyType:$seed, AnyType:$probability, DenseI64ArrayAttr:$block);
  let assemblyFormat = "$seed `,` $probability `block` $block attr-dict `:` type($seed) `,` type($probability)";
  let hasVerifier = 1;
}

def SetWhereOp : Attn_SetOp<"where", [SingleBlock, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "the pairs for which a region of arith, math, attn.load, attn.member and attn.random yields true";
  let description = [{
    The block arguments are the batch indices, i and j, in the order of dims.

    Constraints: `where_c1`: the region takes one index for each batch, query and key dimension and yields one i1.

    Example: `set = where(i = %i, j = %j) { %p = arith.cmpi sle, %j, %i : index  attn.yield %p : i1 }`
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let hasRegionVerifier = 1;
}

#endif
