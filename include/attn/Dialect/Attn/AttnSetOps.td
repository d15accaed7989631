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

def SetWhereOp : Attn_SetOp<"where", [SingleBlock, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "the pairs for which a region of arith, math and attn.load yields true";
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
