// The tile dialect: how an attention is computed, target-neutral.
#ifndef ATTN_DIALECT_TILE_TILE_H
#define ATTN_DIALECT_TILE_TILE_H

#include "attn/Dialect/Attn/Attn.h"

#include "attn/Dialect/Tile/TileDialect.h.inc"

#include "attn/Dialect/Tile/TileEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "attn/Dialect/Tile/TileAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "attn/Dialect/Tile/TileTypes.h.inc"
#define GET_OP_CLASSES
#include "attn/Dialect/Tile/TileOps.h.inc"

#endif
