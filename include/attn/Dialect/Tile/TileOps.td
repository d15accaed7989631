// The tile dialect: how an attention is computed, target-neutral.
#ifndef ATTN_DIALECT_TILE_OPS
#define ATTN_DIALECT_TILE_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::attn::tile";
  let summary = "How an attention is computed: variants, phases, ranges, sweeps over tiles.";
  let description = [{
    Value-semantic: a tile is a value; which registers or buffer it lives in is decided when it is lowered, or said by `tile.place`. A program is an ordered list of
    variants; a variant is a list of phases, each one parallel launch; a phase's body computes one task.
  }];
  let dependentDialects = ["attn::AttnDialect", "mlir::arith::ArithDialect", "mlir::math::MathDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;
class Tile_Type<string name, string mnem> : TypeDef<Tile_Dialect, name> { let mnemonic = mnem; }

def Tile_TileType : Tile_Type<"Tile", "tile"> {
  let summary = "a small dense matrix or vector of one task, by extent";
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "mlir::Type":$element);
  let assemblyFormat = "`<` `[` $shape `]` `x` $element `>`";
}
def Tile_PanelsType : Tile_Type<"Panels", "panels"> {
  let summary = "all keys of one key/value head, packed for streaming";
  let description = [{
    `lanes_keys`: K, panels of `width` keys, each [feature][width]. Otherwise: V, inside each key block panels of `width` features, each [key][width]. Padded with zeros
    to whole panels.
  }];
  let parameters = (ins "int64_t":$features, "int64_t":$width, "int64_t":$block, "bool":$lanes_keys, "mlir::Type":$element);
  let assemblyFormat = "`<` params `>`";
}
def Tile_SummaryType : Tile_Type<"Summary", "summary"> {
  let summary = "least and greatest element of a captured per-key tensor in each panel of keys";
  let parameters = (ins "int64_t":$width);
  let assemblyFormat = "`<` params `>`";
}

def Tile_OrderType : Tile_Type<"Order", "order"> {
  let summary = "the logical key of every position of the key axis, -1 where a position holds none";
}

def Tile_RowsType : Tile_Type<"Rows", "rows"> {
  let summary = "all keys of one key/value head, where they lie";
  let description = [{ `features` elements a key, in the tensor's own strides; converted to `element` when they are used. }];
  let parameters = (ins "int64_t":$features, "mlir::Type":$element);
  let assemblyFormat = "`<` params `>`";
}

def Tile_ListsType : Tile_Type<"Lists", "lists"> {
  let summary = "the keys of each query of the task, a list of its own for every query";
}

def Tile_StateType : Tile_Type<"State", "state"> {
  let summary = "what the tasks of a main phase leave of every chunk of the keys: reference, sums and accumulators of every row";
}

def Tile_Keys : AnyTypeOf<[Tile_PanelsType, Tile_RowsType]>;
def Tile_KeyOrder : AnyTypeOf<[Tile_OrderType, Tile_ListsType]>;

def ProgramOp : Tile_Op<"program", [IsolatedFromAbove, Symbol, NoTerminator, SingleBlock]> {
  let summary = "a kernel as an ordered list of variants";
  let description = [{
    The block arguments are the kernel's arguments, then its results as destinations. `share` says for every batch dimension how many consecutive indices use the same
    keys and values (0: all).
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$arg_names, I64Attr:$num_outputs, StrArrayAttr:$dim_names, I64Attr:$num_batch,
                       DenseI64ArrayAttr:$share, DenseI64ArrayAttr:$features, ArrayAttr:$arg_facts,
                       OptionalAttr<DictArrayAttr>:$arg_attrs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let extraClassDeclaration = [{
    unsigned queryDim() { return getNumBatch(); }
    unsigned keyDim() { return getNumBatch() + 1; }
  }];
}

def VariantOp : Tile_Op<"variant", [HasParent<"ProgramOp">, NoTerminator, SingleBlock]> {
  let summary = "one way to run the program, with its sizes";
  let description = [{
    Tasks of the main phase are `block_rows` queries; keys go by blocks of `block_keys`; a microtile is `tile_rows` x `tile_keys`. A reference is raised when a score exceeds
    it by more than `threshold`.

    Constraints: `variant_c1`: a block is a whole number of microtiles.
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$block_rows, I64Attr:$block_keys, I64Attr:$tile_rows, I64Attr:$tile_keys, F64Attr:$threshold);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def PhaseOp : Tile_Op<"phase", [HasParent<"VariantOp">, SingleBlock]> {
  let summary = "one parallel launch";
  let description = [{
    `order`: one task for each key/value head. `pack`: a task is a block of key positions of one key/value head. `main`: a task is a block of queries of one member of a
    head's group. A variant whose keys are read where they lie has a main phase alone. With `chunks`: a task is such a block against one of so many runs of key blocks, chunk n of N
    the blocks [n B / N, (n + 1) B / N) of B, and the phase ends with a `tile.save` in the place of the finish. `merge`: a task is a block of queries of one member, whose saved
    states it merges and finishes. `map`: the only phase of an elementwise program, whose tasks are `block` runs of elements of its result.

    A `pack` phase with `in_tasks` is no launch of its own: a task of the main phase packs each block of keys when it comes to it, for itself, and keeps no other. With `alone` that is so
    where one task has all queries of its keys. An `order` phase with `in_tasks` is made by each task of the main phase, of the list of its own queries, whose index may be divided.

    Constraints: `phase_c1`: there is one chunk or more, and a main phase with chunks, and no other, results in a state.
  }];
  let arguments = (ins StrAttr:$kind, I64Attr:$block, UnitAttr:$descending, OptionalAttr<I64Attr>:$chunks, UnitAttr:$in_tasks);
  let regions = (region SizedRegion<1>:$body);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$kind `by` $block (`descending` $descending^)? (`chunks` $chunks^)? (`in_tasks` $in_tasks^)? attr-dict-with-keyword $body (`:` type($results)^)?";
  let hasVerifier = 1;
}

def YieldOp : Tile_Op<"yield", [Terminator]> {
  let summary = "ends a region";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def OrderOp : Tile_Op<"order"> {
  let summary = "the keys go by a list: position p holds key list[map(indices), p floordiv block] * block + p mod block";
  let description = [{
    Elements of -1, those that were met before, and keys beyond the end give positions that hold none. There are `block` positions for each element of the last axis of
    the list.
  }];
  let arguments = (ins AnyRankedTensor:$list, AffineMapAttr:$map, I64Attr:$block);
  let results = (outs Tile_OrderType:$order);
  let assemblyFormat = "$list `by` $map `block` $block attr-dict `:` type($list)";
}

def BoxesOp : Tile_Op<"boxes"> {
  let summary = "queries and keys go by boxes of their grids: box by box, inner box by inner box, row-major inside";
  let description = [{
    The tokens before `first` come first, the keys' filled up to a whole panel. A panel of keys is an inner box, a block an outer one, where the extents are multiples;
    the same for strips and blocks of queries. Extents of boxes are listed by axis.
  }];
  let arguments = (ins Optional<AnyType>:$first, I64Attr:$first_value, DenseI64ArrayAttr:$query_grid, DenseI64ArrayAttr:$key_grid, DenseI64ArrayAttr:$query_outer,
                       DenseI64ArrayAttr:$query_inner, DenseI64ArrayAttr:$key_outer, DenseI64ArrayAttr:$key_inner);
  let results = (outs Tile_OrderType:$order);
  let assemblyFormat = "(`first` $first^ `:` type($first))? attr-dict";
}

def PackOp : Tile_Op<"pack", [AttrSizedOperandSegments]> {
  let summary = "the task's block of keys or values, converted and packed, by an order if there is one";
  let description = [{
    ```
    key (j, feature f_p + c) = producer_p(source_p[map_p(batch, j, c)], batch, j, c)      0 <= c < extent_p, f_p the extents before p
    ```
    Parts stand side by side. A map's indices are dimensions, constants, the token or a feature floordiv a constant, a feature plus a constant. A producer, a region or empty, takes the element,
    floats in the accumulation type and integers in their own, the indices of the batch dimensions, the token and the feature; an empty one converts. Where `checked`, an index of a load in a
    producer may lie outside of its axis: then the token is absent from all pairs.

    Constraints: `pack_c1`: one map for each source, and extents that are together the panels' features, absent where one source has them all; no producers or one for each source, which takes the element and the indices of the batch
    dimensions, the token and the feature, and yields one number.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$sources, Optional<Tile_OrderType>:$order, AffineMapArrayAttr:$maps, OptionalAttr<DenseI64ArrayAttr>:$extents, UnitAttr:$checked);
  let regions = (region VariadicRegion<MaxSizedRegion<1>>:$producers);
  let results = (outs Tile_PanelsType:$panels);
  let assemblyFormat = "$sources (`order` $order^)? `by` $maps (`extents` $extents^)? (`checked` $checked^)? (`through` $producers^)? attr-dict `:` type($sources) `->` type($panels)";
  let hasRegionVerifier = 1;
}

def RowsOp : Tile_Op<"rows"> {
  let summary = "a key or value tensor, read where it lies";
  let arguments = (ins AnyRankedTensor:$source, AffineMapAttr:$map);
  let results = (outs Tile_RowsType:$rows);
  let assemblyFormat = "$source `by` $map attr-dict `:` type($source) `->` type($rows)";
}

def ListsOp : Tile_Op<"lists"> {
  let summary = "every query goes by a list of keys of its own";
  let description = [{
    ```
    list_i = list[map(indices, i), n] * block + m           for all n, 0 <= m < block
    list_i = list[map(indices), n]                          offsets[map(indices), i] <= n < offsets[map(indices), i + 1], where there are offsets
    ```
    in this order, without keys that were met before and keys beyond the end. An element outside [0, ceil(J / block)) names no key; -1 is padding where there are no
    offsets, any other such element is a bad index.

    Constraints: `lists_c1`: one index for every axis of the list but the last, the query among them unless there are offsets; with offsets the block is 1.
  }];
  let arguments = (ins AnyRankedTensor:$list, Optional<AnyRankedTensor>:$offsets, AffineMapAttr:$map, I64Attr:$block);
  let results = (outs Tile_ListsType:$lists);
  let assemblyFormat = "$list (`offsets` $offsets^ `:` type($offsets))? `by` $map `block` $block attr-dict `:` type($list)";
  let hasVerifier = 1;
}

def SummaryOp : Tile_Op<"summary"> {
  let summary = "least and greatest element of source[map(indices)] in each panel of the task's block of keys";
  let arguments = (ins AnyRankedTensor:$source, AffineMapAttr:$map);
  let results = (outs Tile_SummaryType:$result);
  let assemblyFormat = "$source `by` $map attr-dict `:` type($source) `->` type($result)";
}

def LoadOp : Tile_Op<"load"> {
  let summary = "the task's block of queries, in the accumulation type";
  let description = [{
    Sources, maps, extents and producers are those of `tile.pack`, with queries in the place of keys.

    Constraints: `tile_load_c1`: those of `pack_c1`, with the tile's features.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$sources, AffineMapArrayAttr:$maps, OptionalAttr<DenseI64ArrayAttr>:$extents, UnitAttr:$checked);
  let regions = (region VariadicRegion<MaxSizedRegion<1>>:$producers);
  let results = (outs Tile_TileType:$result);
  let assemblyFormat = "$sources `by` $maps (`extents` $extents^)? (`checked` $checked^)? (`through` $producers^)? attr-dict `:` type($sources) `->` type($result)";
  let hasRegionVerifier = 1;
}

def FillOp : Tile_Op<"fill", [Pure]> {
  let summary = "a tile of one value";
  let arguments = (ins F64Attr:$value);
  let results = (outs Tile_TileType:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
}

def ForOp : Tile_Op<"for", [AttrSizedOperandSegments]> {
  let summary = "sweeps the strips of the query block over the ranges of keys that the set leaves";
  let description = [{
    `solve(set, keys, rows)` gives sorted disjoint ranges for the block and, inside, for each strip of `tile_rows` rows; every microtile in them is empty (skipped), full or
    partial. The body computes one strip against one run of microtiles; the carried tiles are those of the whole query block. The set region is the program's
    set, absent for all pairs. Grids and `first` are those of the attend's token axes. With an order the key axis is that of positions: of the head's, with `boxes`
    the query axis too; or, with lists, of each query's own, which go from 0 to the length of its list.

    Constraints: `for_c1`: the body takes, yields and returns the carried tiles. `for_c2`: keys and values are rows where queries go by lists, and panels elsewhere.
  }];
  let arguments = (ins Variadic<Tile_TileType>:$init, Optional<Tile_KeyOrder>:$order, Optional<AnyType>:$first,
                       OptionalAttr<I64Attr>:$first_value, OptionalAttr<DenseI64ArrayAttr>:$query_grid, OptionalAttr<DenseI64ArrayAttr>:$key_grid,
                       UnitAttr:$boxes);
  let regions = (region MaxSizedRegion<1>:$set, SizedRegion<1>:$body);
  let results = (outs Variadic<Tile_TileType>:$results);
  let assemblyFormat = [{ `carry` `(` ($init^ `:` type($init))? `)` (`order` $order^ `:` type($order))? (`first` $first^ `:` type($first))? attr-dict-with-keyword
    `solve` $set `do` $body (`->` type($results)^)? }];
  let hasRegionVerifier = 1;
}

def ParamOp : Tile_Op<"param"> {
  let summary = "one element of a captured tensor of floats for each row of the query block, in the accumulation type";
  let arguments = (ins AnyRankedTensor:$source, AffineMapAttr:$map);
  let results = (outs Tile_TileType:$result);
  let assemblyFormat = "$source `by` $map attr-dict `:` type($source) `->` type($result)";
}

def WeighOp : Tile_Op<"weigh", [AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "scores of a strip, their weights against a reference that may be stale, and what is reduced over the keys";
  let description = [{
    ```
    s_rj = score(sum_c q_rc k_jc)                          for visible (r, j), absent otherwise
    where s_rj > ref_r + threshold, or ref_r is unset:     ref'_r = max(ref_r, max_j s_rj), everything carried times gauge(ref_r, ref'_r)
    p_k,rj = phi_k(s_rj, ref'_r), 0 where absent           sum'_r = sum_r + sum_j p_k,rj x_rj
    ```
    One sum for each entry of `sum_phis`: k, or -1 where nothing weighs (then the gauge leaves it alone); `sum_classes`: over the keys of one class, or -1; `sum_values`: which of the
    regions `values` gives x, from the score and the indices, or -1 for 1; `sum_ops`: 0 for a sum as above, 1 and 2 for the largest and least x instead, 3 for the key of the
    largest x (a tile of two numbers a row: x and the key), 4 for the keys of the K largest x (a tile of K numbers a row).
    `weights` are those that meet values, one for each entry of `weight_phis` (k) and `weight_classes`. The `factor` region, where there is one, gives what they are multiplied by
    before, from the indices: dropout. The `class` region gives the class of a pair from the indices. The `product` region, where there is one, gives what is summed over c in the place of
    q_rc k_jc, from q_rc, k_jc, the batch indices and c.

    phi takes s - ref, then the reference where `uses_ref`, then `given`, numbers of the rows; without reference it takes the score instead. `rescaled` are the other accumulators that the
    gauge multiplies. `exact`: the reference is raised by every greater score. One op, because on every target the weight is taken while the score is in registers.

    With `spread_to` the weights themselves are stored: nothing is carried, the reference is that of an earlier sweep, and the one region of `values` maps the weights that `weight_phis` and
    `weight_classes` list, then `spread_state`, numbers of the rows, to what is stored at the pair, by `spread_map`; 0 where absent.
  }];
  let arguments = (ins Tile_TileType:$queries, Tile_Keys:$keys, Optional<Tile_TileType>:$ref, Variadic<Tile_TileType>:$sums,
                       Variadic<Tile_TileType>:$rescaled, Variadic<Tile_TileType>:$given, Variadic<Tile_TileType>:$spread_state, Optional<AnyRankedTensor>:$spread_to,
                       OptionalAttr<AffineMapAttr>:$spread_map, DenseI64ArrayAttr:$sum_phis, DenseI64ArrayAttr:$sum_classes,
                       DenseI64ArrayAttr:$sum_values, DenseI64ArrayAttr:$sum_ops, DenseI64ArrayAttr:$weight_phis, DenseI64ArrayAttr:$weight_classes,
                       UnitAttr:$uses_ref, UnitAttr:$exact);
  let regions = (region SizedRegion<1>:$score, MaxSizedRegion<1>:$gauge, SizedRegion<1>:$phi, MaxSizedRegion<1>:$factor, MaxSizedRegion<1>:$classes,
                        MaxSizedRegion<1>:$product, VariadicRegion<SizedRegion<1>>:$values);
  let results = (outs Variadic<Tile_TileType>:$weights, Optional<Tile_TileType>:$new_ref, Variadic<Tile_TileType>:$new_sums,
                      Variadic<Tile_TileType>:$new_rescaled);
  let assemblyFormat = [{ `dot` `(` $queries `,` $keys `)` (`ref` $ref^)? `sums` `(` ($sums^)? `)` `rescale` `(` ($rescaled^)? `)` (`given` $given^)? (`spread` $spread_state `to` $spread_to^)?
    `score` $score `gauge` $gauge `phi` $phi `factor` $factor `class` $classes (`product` $product^)? (`values` $values^)? attr-dict `:` type(operands) `->` type(results) }];
}

def AccumulateOp : Tile_Op<"accumulate", [Pure]> {
  let summary = "acc_re + sum_j p_rj v_je over the run's keys";
  let description = [{ A value that a row does not see never reaches it: where the weight is absent the product is not taken (guarded path). }];
  let arguments = (ins Tile_TileType:$weights, Tile_Keys:$values, Tile_TileType:$acc);
  let results = (outs Tile_TileType:$result);
  let assemblyFormat = "$weights `,` $values `into` $acc attr-dict `:` type(operands) `->` type($result)";
}

def SaveOp : Tile_Op<"save", [AttrSizedOperandSegments]> {
  let summary = "keeps what a sweep left of the task's chunk of the keys";
  let description = [{ A row that met no key is kept as that alone. A block whose sums are not finite is computed once more on the guarded path before. }];
  let arguments = (ins Optional<Tile_TileType>:$ref, Variadic<Tile_TileType>:$sums, Variadic<Tile_TileType>:$accs);
  let results = (outs Tile_StateType:$state);
  let assemblyFormat = "(`ref` $ref^)? `sums` `(` ($sums^)? `)` (`acc` $accs^)? attr-dict `:` type(operands)";
}

def MergeOp : Tile_Op<"merge", [AttrSizedResultSegments]> {
  let summary = "one state of every row out of those of all chunks";
  let description = [{
    ```
    r = max_n ref_n        sum = sum_n gauge(ref_n - r) sum_n        acc = sum_n gauge(ref_n - r) acc_n
    ```
    over the chunks n in which the row met a key, in ascending order; the gauge is 1 where ref_n = r. `sum_ops` and `sum_phis` are those of the sweep (see tile.weigh): a sum that nothing
    weighs takes no gauge, largest and least are those of all chunks, an argmax is the largest of all, of equals that of the lowest key, a topk the K largest of all. Without a reference all gauges are 1.

    Constraints: `merge_c1`: one entry of `sum_ops` and `sum_phis` for each sum; a gauge where there is a reference, and only there.
  }];
  let arguments = (ins Tile_StateType:$state, DenseI64ArrayAttr:$sum_phis, DenseI64ArrayAttr:$sum_ops);
  let regions = (region MaxSizedRegion<1>:$gauge);
  let results = (outs Optional<Tile_TileType>:$ref, Variadic<Tile_TileType>:$sums, Variadic<Tile_TileType>:$accs);
  let assemblyFormat = [{ $state `ops` $sum_ops `phis` $sum_phis attr-dict `gauge` $gauge `->` `(` type(results) `)` }];
  let hasVerifier = 1;
}

def SeedOp : Tile_Op<"seed", [AttrSizedOperandSegments]> {
  let summary = "merges a state into that of every row, once";
  let description = [{
    ```
    r = max(ref, b)      sum = gauge(ref - r) sum + gauge(b - r) x
    ```
    The region gives b, then x for each of `seeded`, indices into sums.., accs.. (x is there the same for all features), from `given`, numbers of the rows. A row
    without any score takes the seed's state; a b of -inf changes nothing. What is not seeded is left alone.
  }];
  let arguments = (ins Tile_TileType:$ref, Variadic<Tile_TileType>:$sums, Variadic<Tile_TileType>:$accs, Variadic<Tile_TileType>:$given,
                       DenseI64ArrayAttr:$seeded);
  let regions = (region SizedRegion<1>:$seed, SizedRegion<1>:$gauge);
  let results = (outs Variadic<Tile_TileType>:$results);
  let assemblyFormat = [{ `ref` $ref `sums` `(` ($sums^)? `)` `acc` `(` ($accs^)? `)` (`given` $given^)? attr-dict-with-keyword $seed `gauge` $gauge `:` type(operands)
    (`->` type($results)^)? }];
}

def StatOp : Tile_Op<"stat"> {
  let summary = "numbers of every row from its reference and sums";
  let arguments = (ins Variadic<Tile_TileType>:$state);
  let regions = (region SizedRegion<1>:$body);
  let results = (outs Variadic<Tile_TileType>:$results);
  let assemblyFormat = "$state attr-dict-with-keyword $body `:` type(operands) `->` type($results)";
}

def RootOp : Tile_Op<"root"> {
  let summary = "the largest x at which a sum over the keys reaches a target, for every row";
  let description = [{
    `to` gives target, lo and hi from `given`. `sweep` takes x, one number a row, and yields the sum at x; it is run until every row's bracket is narrow enough, at most `at_most` times. What
    a row finds depends on that row alone.
  }];
  let arguments = (ins Variadic<Tile_TileType>:$given, I64Attr:$at_most);
  let regions = (region SizedRegion<1>:$to, SizedRegion<1>:$sweep);
  let results = (outs Tile_TileType:$result);
  let assemblyFormat = "(`given` $given^ `:` type($given))? `at_most` $at_most attr-dict-with-keyword `to` $to `sweep` $sweep `->` type($result)";
}

def PickOp : Tile_Op<"pick"> {
  let summary = "the value of the key that an argmax found, and its score, for every row";
  let description = [{ The producer, if it is not empty, is that of `tile.pack`. }];
  let arguments = (ins Tile_TileType:$found, AnyRankedTensor:$source, AffineMapAttr:$map);
  let regions = (region MaxSizedRegion<1>:$producer);
  let results = (outs Tile_TileType:$score, Tile_TileType:$value);
  let assemblyFormat = "$found `from` $source `by` $map attr-dict (`through` $producer^)? `:` type(operands) `->` type(results)";
}

def TopOp : Tile_Op<"top"> {
  let summary = "stores the keys that a topk found, the largest first, for every row";
  let description = [{ Among equals the lowest key comes first, a NaN before all; -1 behind them where a row has fewer. }];
  let arguments = (ins Tile_TileType:$found, AnyRankedTensor:$output, AffineMapAttr:$map);
  let assemblyFormat = "$found `to` $output `by` $map attr-dict `:` type(operands)";
}

def FinishOp : Tile_Op<"finish", [AttrSizedOperandSegments]> {
  let summary = "maps reference, sums and numbers of every row to the outputs and stores them";
  let description = [{
    The region's arguments are those of reference, sums, accumulators and given numbers that `order` names, by their position in ref, sums.., accs.., given..; where `indexed`, then an i1, the
    row being empty, and the indices of the batch dimensions, the query and the value feature. Rows without any visible score get `empty`, where that is not NaN. A block whose outputs are not
    finite is computed once more on the guarded path.
  }];
  let arguments = (ins Optional<Tile_TileType>:$ref, Variadic<Tile_TileType>:$sums, Variadic<Tile_TileType>:$accs, Variadic<Tile_TileType>:$given,
                       Variadic<AnyRankedTensor>:$outputs, AffineMapArrayAttr:$maps, DenseI64ArrayAttr:$yields, F64ArrayAttr:$empty, DenseI64ArrayAttr:$order,
                       UnitAttr:$indexed);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ (`ref` $ref^)? `sums` `(` ($sums^)? `)` (`acc` $accs^)? (`given` $given^)? `to` $outputs attr-dict-with-keyword $body `:` type(operands) }];
}

include "attn/Dialect/Tile/TilePlaceOps.td"
include "attn/Dialect/Tile/TileStepOps.td"

#endif
