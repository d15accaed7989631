// Elementwise programs, and kernels that are sequences of programs.
#ifndef ATTN_DIALECT_TILE_STEPOPS
#define ATTN_DIALECT_TILE_STEPOPS

def MapOp : Tile_Op<"map", [HasParent<"PhaseOp">]> {
  let summary = "an elementwise step, perhaps reduced over some dimensions: attn.map into a destination";
  let description = [{
    ```
    dest[out_map(d)] = reduce over `reduced`, in ascending order, the last one listed fastest, of body(input_n[in_map_n(d)].., d..)
    ```
    The region's arguments are one element of every input, in the accumulation type (integers in their own), then one index for each dimension of the program. Tasks are blocks
    of elements of the destination; which, and how many, follows from the extents when the program runs.

    Constraints: `tile_map_c1`: one map for each input, over the program's dimensions; the reduction is none, sum or max. `tile_map_c2`: the region takes the inputs' elements and an index for
    each dimension and yields one number.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, AnyRankedTensor:$dest, AffineMapArrayAttr:$in_maps, AffineMapAttr:$out_map, StrAttr:$reduction,
                       DenseI64ArrayAttr:$reduced);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $reduction `(` ($inputs^ `:` type($inputs))? `)` `by` $in_maps `to` $dest `by` $out_map `over` $reduced attr-dict-with-keyword $body `:` type($dest) }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def SequenceOp : Tile_Op<"sequence", [IsolatedFromAbove, Symbol, NoTerminator, SingleBlock]> {
  let summary = "a kernel that runs programs one after the other";
  let description = [{
    The block arguments are the kernel's arguments, then its results as destinations. The body is made of temporaries and calls.

    Constraints: `sequence_c1`: the body holds tile.temporary and tile.call alone. `sequence_c2`: a value is written by one call, before any reads it, and arguments by none.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$arg_names, I64Attr:$num_outputs, OptionalAttr<DictArrayAttr>:$arg_attrs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def TemporaryOp : Tile_Op<"temporary", [HasParent<"SequenceOp">]> {
  let summary = "a tensor that one call writes and later ones may read: dense, its extents those of the call that writes it";
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def CallOp : Tile_Op<"call", [HasParent<"SequenceOp">, AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a program: its arguments, then where its results go";
  let description = [{
    Constraints: `tile_call_c1`: there is such a program in the module, with as many destinations, and its block arguments have these types.
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$inputs, Variadic<AnyRankedTensor>:$dests);
  let assemblyFormat = "$callee `(` $inputs `)` `to` `(` $dests `)` attr-dict `:` `(` type($inputs) `)` `to` `(` type($dests) `)`";
}

#endif
