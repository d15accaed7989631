// Rules of placements.
#include "attn/Dialect/Tile/Tile.h"
#include "attn/Layout/SharedRows.h"

using namespace mlir;
using namespace attn::tile;
using attn::layout::SharedRows;

/// 16 or 32; 0: no element of an operand.
static int64_t bitsOf(Type element) {
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
  return isa<FloatType>(element) && (bits == 16 || bits == 32) ? bits : 0;
}

LogicalResult SharedAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Type element, int64_t rows,
                                 int64_t features, int64_t rowBytes, int64_t planes, int64_t stages, int64_t stageBytes,
                                 int64_t at) {
  int64_t bits = bitsOf(element);
  bool some = bits && rows > 0 && features > 0 && planes > 0 && stages > 0;
  bool aligned = at >= 0 && at % 16 == 0 && rowBytes % 16 == 0 && stageBytes >= 0 && stageBytes % 16 == 0;
  if (!some || !aligned || rowBytes < SharedRows::padded(features) * bits / 8 ||
      (stages > 1 && stageBytes < planes * rows * rowBytes))
    return emitError() << "[shared_c1] elements of 16 or 32 bits; a row, a feature, a plane and a stage; at, row_bytes "
                          "and stage_bytes multiples of 16; a row that holds its padded features, and a stage of "
                          "several that holds its planes";
  return success();
}

LogicalResult FragmentAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, FragmentRole role, Type element,
                                   int64_t columns, int64_t planes) {
  int64_t bits = bitsOf(element);
  bool fits = role == FragmentRole::Accumulator ? element.isF32() && planes == 1 && columns % 8 == 0
                                                : bits && columns % (256 / bits) == 0;
  if (!fits || columns <= 0 || planes <= 0)
    return emitError() << "[fragment_c1] a plane; operands of elements of 16 or 32 bits in whole steps of 256 bits, "
                          "accumulators of f32 in one plane and whole tiles of 8 columns";
  return success();
}

LogicalResult PlaceOp::verify() {
  int64_t rows = 0, columns = 0; // 0 rows: as many as there are keys
  if (auto tile = dyn_cast<TileType>(getValue().getType())) {
    if (tile.getShape().size() == 2)
      rows = tile.getShape()[0], columns = tile.getShape()[1];
  } else {
    columns = cast<PanelsType>(getValue().getType()).getFeatures();
  }
  bool fits = columns > 0;
  if (auto shared = dyn_cast<SharedAttr>(getWhere()))
    fits = fits && (!rows || shared.getRows() == rows) && shared.getFeatures() <= columns;
  else
    fits = fits && cast<FragmentAttr>(getWhere()).getColumns() <= SharedRows::padded(columns);
  if (!fits)
    return emitOpError("[place_c1] rows and columns; rows in shared memory are a tile's, and no more features, or "
                       "columns but for their padding to 16, than the ")
           << columns << " of " << getValue().getType();
  return success();
}
