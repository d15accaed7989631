// Registration and rules of the tile dialect.
#include "attn/Dialect/Tile/Tile.h"

#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace mlir;
using namespace attn::tile;

#include "attn/Dialect/Tile/TileDialect.cpp.inc"

#include "attn/Dialect/Tile/TileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "attn/Dialect/Tile/TileAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "attn/Dialect/Tile/TileTypes.cpp.inc"
#define GET_OP_CLASSES
#include "attn/Dialect/Tile/TileOps.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "attn/Dialect/Tile/TileAttrs.cpp.inc"
      >();
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

LogicalResult PhaseOp::verify() {
  bool state = llvm::any_of(getResultTypes(), llvm::IsaPred<StateType>), main = getKind() == "main";
  if ((getChunks() && (*getChunks() < 1 || !main)) || state != getChunks().has_value())
    return emitOpError(
        "[phase_c1] there is one chunk or more, and a main phase with chunks, and no other, results in a "
        "state");
  return success();
}

/// pack_c1, tile_load_c1
template <typename Op> static LogicalResult verifySources(Op op, StringRef label, int64_t features) {
  unsigned count = op.getSources().size();
  auto extents = op.getExtents();
  bool fits = count > 0 && op.getMaps().size() == count && (extents ? extents->size() == count : count == 1) &&
              (!extents || std::accumulate(extents->begin(), extents->end(), int64_t(0)) == features);
  auto program = op->template getParentOfType<ProgramOp>();
  for (auto [source, map] : llvm::zip(op.getSources(), op.getMaps()))
    fits &= (int64_t)cast<AffineMapAttr>(map).getValue().getNumResults() ==
            cast<RankedTensorType>(source.getType()).getRank();
  if (!fits)
    return op.emitOpError("[") << label << "] one map for each source, and extents that are together the " << features
                               << " features, absent where one source has them all";
  bool regions = op.getProducers().empty() || op.getProducers().size() == count;
  for (Region &region : op.getProducers()) {
    if (region.empty())
      continue;
    auto yield = dyn_cast<YieldOp>(region.front().back());
    regions &=
        region.getNumArguments() == (program ? program.getNumBatch() + 3 : region.getNumArguments()) &&
        region.getNumArguments() > 0 &&
        llvm::all_of(region.getArguments().drop_front(), [](BlockArgument a) { return a.getType().isIndex(); }) &&
        yield && yield.getNumOperands() == 1 && isa<FloatType>(yield.getOperand(0).getType());
  }
  if (!regions)
    return op.emitOpError("[") << label
                               << "] no producers or one for each source, which takes the element and the indices of "
                                  "the batch dimensions, the token and the feature, and yields one number";
  return success();
}

LogicalResult PackOp::verifyRegions() { return verifySources(*this, "pack_c1", getPanels().getType().getFeatures()); }
LogicalResult LoadOp::verifyRegions() {
  return verifySources(*this, "tile_load_c1", getResult().getType().getShape().back());
}

LogicalResult MergeOp::verify() {
  if (getSumOps().size() != getSums().size() || getSumPhis().size() != getSums().size() ||
      getGauge().empty() != !getRef())
    return emitOpError("[merge_c1] one entry of ops and phis for each sum, and a gauge where there is a reference, and "
                       "only there");
  return success();
}

LogicalResult ListsOp::verify() {
  AffineMap map = getMap();
  auto program = (*this)->getParentOfType<ProgramOp>();
  unsigned leading = cast<RankedTensorType>(getList().getType()).getRank() - 1;
  bool byQuery = program && llvm::any_of(map.getResults(), [&](AffineExpr e) {
                   auto dim = dyn_cast<AffineDimExpr>(e);
                   return dim && dim.getPosition() == program.queryDim();
                 });
  bool ranks = map.getNumResults() == leading &&
               (!getOffsets() || cast<RankedTensorType>(getOffsets().getType()).getRank() - 1 == leading);
  if (!ranks || getBlock() < 1 || (getOffsets() ? byQuery || getBlock() != 1 : !byQuery))
    return emitOpError("[lists_c1] one index for every axis of the list but the last, the query among them unless "
                       "there are offsets; with offsets the block is 1");
  return success();
}

LogicalResult ForOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getOperandTypes() != getInit().getTypes() || getResultTypes() != getInit().getTypes() ||
      getBody().front().getArgumentTypes() != getInit().getTypes())
    return emitOpError("[for_c1] the body takes, yields and returns the carried tiles");
  bool lists = getOrder() && isa<ListsType>(getOrder().getType());
  for (Operation &op : getBody().front().without_terminator()) {
    Value read = isa<WeighOp>(op)        ? cast<WeighOp>(op).getKeys()
                 : isa<AccumulateOp>(op) ? cast<AccumulateOp>(op).getValues()
                                         : Value();
    if (read && isa<RowsType>(read.getType()) != lists)
      return op.emitOpError("[for_c2] keys and values are ")
             << (lists ? "rows where queries go by lists" : "panels where queries go by no lists") << ", not "
             << read.getType();
  }
  return success();
}
