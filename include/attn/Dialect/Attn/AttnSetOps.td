// Named sets and their algebra. All live in the `set` region of an attend; i and j are its query and key index, I and J the extents of those
// axes, b the first batch index.
#ifndef ATTN_DIALECT_ATTN_SETOPS
#define ATTN_DIALECT_ATTN_SETOPS

include "attn/Dialect/Attn/AttnBase.td"

def Attn_Scalar : AnyTypeOf<[Index, I64, I32]>;
def Attn_IntTensor : TensorOf<[I32, I64]>;

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

    Constraints: `causal_c1`: q_lengths and k_lengths are given together, and only with bottom_right.

    Example: `set = causal<bottom_right>`
  }];
  let arguments = (ins Attn_AlignmentAttr:$alignment, Optional<Attn_IntTensor>:$q_lengths, Optional<Attn_IntTensor>:$k_lengths);
  let assemblyFormat = "$alignment (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict";
  let hasVerifier = 1;
}

def SetWindowOp : Attn_SetOp<"window", [AttrSizedOperandSegments]> {
  let summary = "i + s - left <= j <= i + s + right, s as in causal; a bound that is left out is unbounded";
  let description = [{
    Constraints: `window_c1`: lengths as in causal_c1. `window_c2`: at least one bound.

    Example: `set = window<top_left, left = 64, right = %r>`
  }];
  let arguments = (ins Attn_AlignmentAttr:$alignment, Optional<Attn_Scalar>:$left, Optional<Attn_Scalar>:$right,
                       Optional<Attn_IntTensor>:$q_lengths, Optional<Attn_IntTensor>:$k_lengths);
  let assemblyFormat = [{ $alignment (`left` $left^ `:` type($left))? (`right` $right^ `:` type($right))?
    (`q` $q_lengths^ `:` type($q_lengths))? (`k` $k_lengths^ `:` type($k_lengths))? attr-dict }];
  let hasVerifier = 1;
}

def SetPrefixOp : Attn_SetOp<"prefix"> {
  let summary = "j < p, with p a scalar or p[b]";
  let arguments = (ins AnyTypeOf<[Attn_Scalar, Attn_IntTensor]>:$length);
  let assemblyFormat = "$length `:` type($length) attr-dict";
}

def SetLengthsOp : Attn_SetOp<"lengths", [AttrSizedOperandSegments]> {
  let summary = "i < q[b] and j < k[b]; a side that is left out is unbounded";
  let description = [{Constraints: `lengths_c1`: at least one side. }];
  let arguments = (ins Optional<Attn_IntTensor>:$q, Optional<Attn_IntTensor>:$k);
  let hasVerifier = 1;
}

def SetSegmentOp : Attn_SetOp<"same_segment"> {
  let summary = "q[b, i] == k[b, j]; rank-1 tensors are over tokens alone";
  let description = [{Constraints: `same_segment_c1`: rank 1 or 2. }];
  let arguments = (ins Attn_IntTensor:$q, Attn_IntTensor:$k);
  let assemblyFormat = "$q `,` $k attr-dict `:` type($q) `,` type($k)";
  let hasVerifier = 1;
}

def SetMaskOp : Attn_SetOp<"mask"> {
  let summary = "m[map(indices)] != 0";
  let description = [{ Constraints: `mask_c1`: one index for every axis, no feature dimension. }];
  let arguments = (ins AnyRankedTensor:$mask, AffineMapAttr:$map);
  let assemblyFormat = "$mask $map attr-dict `:` type($mask)";
  let hasVerifier = 1;
}

def SetWhereOp : Attn_SetOp<"where", [SingleBlock, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "the pairs for which a region of arith, math and attn.load yields true";
  let description = [{
    The block arguments are the batch indices, i and j, in the order of dims.

    Constraints: `where_c1`: the region yields one i1.

    Example: `set = where(i = %i, j = %j) { %p = arith.cmpi sle, %j, %i : index  attn.yield %p : i1 }`
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let hasVerifier = 1;
}

#endif
