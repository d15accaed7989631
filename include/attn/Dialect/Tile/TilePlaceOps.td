// Where a tile is held: what is set late, and for GPUs.
#ifndef ATTN_DIALECT_TILE_PLACEOPS
#define ATTN_DIALECT_TILE_PLACEOPS

include "mlir/IR/EnumAttr.td"

def Tile_FragmentRole : I32EnumAttr<"FragmentRole", "what a fragment is to a product of tensor cores",
                                    [I32EnumAttrCase<"Left", 0, "left">, I32EnumAttrCase<"Right", 1, "right">,
                                     I32EnumAttrCase<"Accumulator", 2, "accumulator">]> {
  let cppNamespace = "::attn::tile";
}

class Tile_Attr<string name, string mnem> : AttrDef<Tile_Dialect, name> { let mnemonic = mnem; }

def Tile_SharedAttr : Tile_Attr<"Shared", "shared"> {
  let summary = "rows in shared memory";
  let description = [{
    ```
    byte(stage, plane, row, column) = at + stage stage_bytes + (plane rows + row) row_bytes + column size(element)
    ```
    An element of the tile is the sum of its planes. Features are padded with zeros to whole steps of 16. Of two stages one is filled while the other is used. attn/Layout/SharedRows.h says why rows
    are longer than their features.

    Constraints: `shared_c1`: elements have 16 or 32 bits; there is a row, a feature, a plane and a stage; `at`, `row_bytes` and `stage_bytes` are multiples of 16; a row holds its padded features, and
    a stage of several its planes.
  }];
  let parameters = (ins "::mlir::Type":$element, "int64_t":$rows, "int64_t":$features, "int64_t":$row_bytes, "int64_t":$planes,
                        "int64_t":$stages, "int64_t":$stage_bytes, "int64_t":$at);
  let assemblyFormat = "`<` $element `,` struct($rows, $features, $row_bytes, $planes, $stages, $stage_bytes, $at) `>`";
  let genVerifyDecl = 1;
}

def Tile_FragmentAttr : Tile_Attr<"Fragment", "fragment"> {
  let summary = "registers of a warp, 16 rows for each";
  let description = [{
    The registers of an operand or of the sums of `nv.mma`, which has the formulas (attn/Layout/FragmentLayout.h): `columns` of them, and of a right operand so many rows. An element is the sum of its planes.

    Constraints: `fragment_c1`: there is a plane; an operand has elements of 16 or 32 bits and whole steps of 256 bits along what is summed, accumulators are f32 in one plane and whole tiles of 8
    columns.
  }];
  let parameters = (ins EnumParameter<Tile_FragmentRole>:$role, "::mlir::Type":$element, "int64_t":$columns, "int64_t":$planes);
  let assemblyFormat = "`<` $role `,` $element `,` struct($columns, $planes) `>`";
  let genVerifyDecl = 1;
}

def PlaceOp : Tile_Op<"place", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "the same tile, held where the attribute says";
  let description = [{
    ```
    result[r, c] = value[r, c]
    ```
    to the precision of `where`: an element of one plane is rounded, of three planes it is exact. Inside of a `tile.for` the tile is a block of keys or the weights of one, and it is placed anew for each.
    `--tile-place` inserts these ops; every change of role is one of them: memory to a left operand, accumulators to a left operand.

    Constraints: `place_c1`: what is placed has rows and columns; rows in shared memory are those of a tile, and features, or columns but for their padding to 16, no more than there are (a slice of
    values has fewer).
  }];
  let arguments = (ins AnyTypeOf<[Tile_TileType, Tile_PanelsType]>:$value, AnyAttrOf<[Tile_SharedAttr, Tile_FragmentAttr]>:$where);
  let results = (outs AnyTypeOf<[Tile_TileType, Tile_PanelsType]>:$result);
  let assemblyFormat = "$value `:` type($value) `in` $where attr-dict";
  let hasVerifier = 1;
}

#endif
