// Rules of the named sets.
#include "Rules.h"

using namespace mlir;
using namespace attn;

static bool isScalar(Type t) { return t.isIndex() || t.isSignlessInteger(64) || t.isSignlessInteger(32); }

static bool isIntTensor(Type t, int64_t minRank, int64_t maxRank) {
  auto tensor = dyn_cast<RankedTensorType>(t);
  return tensor && (tensor.getElementType().isSignlessInteger(64) || tensor.getElementType().isSignlessInteger(32)) &&
         tensor.getRank() >= minRank && tensor.getRank() <= maxRank;
}

static LogicalResult verifyLengths(Operation *op, StringRef label, ArrayRef<Value> lengths) {
  for (Value v : lengths)
    if (v && !isIntTensor(v.getType(), 1, 1))
      return op->emitOpError("[") << label
                                  << "] lengths are a rank-1 tensor of i32 or i64 over the first batch dimension, not "
                                  << v.getType();
  return success();
}

static LogicalResult verifyShift(Operation *op, StringRef label, Alignment alignment, Value q, Value k) {
  if (!q != !k)
    return op->emitOpError("[") << label << "] give both q and k lengths, or none";
  if (q && alignment != Alignment::BottomRight)
    return op->emitOpError("[") << label
                                << "] lengths move the bottom right corner; write bottom_right, or leave them out";
  return verifyLengths(op, label, {q, k});
}

LogicalResult SetCausalOp::verify() {
  return verifyShift(*this, "causal_c1", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetWindowOp::verify() {
  if (!getLeft() && !getRight())
    return emitOpError("[window_c2] give left, right or both; `full` is the window without bounds");
  for (Value v : {getLeft(), getRight()})
    if (v && !isScalar(v.getType()))
      return emitOpError("[window_c3] a bound is an integer constant or an index, i64 or i32, not ") << v.getType();
  return verifyShift(*this, "window_c1", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetPrefixOp::verify() {
  Type t = getLength().getType();
  if (!isScalar(t) && !isIntTensor(t, 1, 1))
    return emitOpError("[prefix_c1] a prefix is an integer constant, an index, i64 or i32, or a rank-1 tensor of i32 "
                       "or i64 over the first batch "
                       "dimension, not ")
           << t;
  return success();
}

LogicalResult SetLengthsOp::verify() {
  if (!getQ() && !getK())
    return emitOpError("[lengths_c1] give q, k or both");
  return verifyLengths(*this, "lengths_c1", {getQ(), getK()});
}

LogicalResult SetSegmentOp::verify() {
  for (Value v : {getQ(), getK()})
    if (!isIntTensor(v.getType(), 1, 2))
      return emitOpError(
                 "[same_segment_c1] segment ids are i32 or i64 over (token) or (first batch dimension, token), not ")
             << v.getType();
  return success();
}

LogicalResult SetMaskOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getMask().getType());
  if (!type || !type.getElementType().isIntOrFloat())
    return emitOpError("[mask_c1] a mask is a ranked tensor of booleans, integers or floats, not ")
           << getMask().getType();
  AffineMap map = getMap();
  auto attend = (*this)->getParentOfType<AttendOp>();
  if (map.getNumResults() != type.getRank() || map.getNumSymbols() != 0 ||
      (attend && map.getNumDims() != attend.numDims()))
    return emitOpError("[mask_c1] ") << map.getNumResults() << " indices for a mask of rank " << type.getRank();
  for (auto [axis, e] : llvm::enumerate(map.getResults())) {
    auto a = rules::classify(e);
    if (!a || (attend && a->divisor != 1 && a->dim >= (int)attend.numBatch()))
      return emitOpError("[mask_c1] index ")
             << axis << " must be a dimension, a constant, or a batch dimension floordiv a constant";
    if (attend && a->dim >= (int)attend.numBatch() + 2)
      return emitOpError("[mask_c1] a mask has no feature dimension");
  }
  return success();
}

LogicalResult SetWhereOp::verifyRegions() {
  auto attend = (*this)->getParentOfType<AttendOp>();
  if ((attend && getBody().getNumArguments() != attend.numBatch() + 2) ||
      llvm::any_of(getBody().getArgumentTypes(), [](Type t) { return !t.isIndex(); }))
    return emitOpError("[where_c1] the region takes one index for each batch, query and key dimension");
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getNumOperands() != 1 || !yield.getOperand(0).getType().isSignlessInteger(1))
    return emitOpError("[where_c1] end the region with `attn.yield %p : i1`");
  return success();
}
