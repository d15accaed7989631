// Registration and rules of the tile dialect.
#include "attn/Dialect/Tile/Tile.h"

using namespace mlir;
using namespace attn::tile;

#include "attn/Dialect/Tile/TileDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "attn/Dialect/Tile/TileTypes.cpp.inc"
#define GET_OP_CLASSES
#include "attn/Dialect/Tile/TileOps.cpp.inc"

void TileDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "attn/Dialect/Tile/TileTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "attn/Dialect/Tile/TileOps.cpp.inc"
      >();
}

LogicalResult VariantOp::verify() {
  if (getTileRows() < 1 || getTileKeys() < 1 || getBlockRows() % getTileRows() || getBlockKeys() % getTileKeys() ||
      getBlockRows() < 1 || getBlockKeys() < 1)
    return emitOpError("[variant_c1] a block is a whole number of microtiles: ")
           << getBlockRows() << "x" << getBlockKeys() << " of " << getTileRows() << "x" << getTileKeys();
  return success();
}

LogicalResult ForOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getOperandTypes() != getInit().getTypes() || getResultTypes() != getInit().getTypes() ||
      getBody().front().getArgumentTypes() != getInit().getTypes())
    return emitOpError("[for_c1] the body takes, yields and returns the carried tiles");
  return success();
}
