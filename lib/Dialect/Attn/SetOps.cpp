// Rules of the named sets.
#include "Rules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

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

LogicalResult SetPrefixOp::verify() { return verifyCount(*this, "prefix_c1", "a prefix", getLength()); }

LogicalResult SetLengthsOp::verify() {
  if (!getQ() && !getK())
    return emitOpError("[lengths_c1] give q, k or both");
  return verifyLengths(*this, "lengths_c1", {getQ(), getK()});
}

LogicalResult SetSegmentOp::verify() { return verifySegments(*this, "same_segment_c1", {getQ(), getK()}); }

LogicalResult SetMaskOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getMask().getType());
  if (!type || !(type.getElementType().isInteger() || isNumber(type.getElementType())))
    return emitOpError("[mask_c1] a mask is a ranked tensor of booleans, integers or floats, not ")
           << getMask().getType();
  AffineMap map = getMap();
  auto attend = (*this)->getParentOfType<AttendOp>();
  if (map.getNumResults() != type.getRank() || map.getNumSymbols() != 0 ||
      (attend && map.getNumDims() != attend.numDims()))
    return emitOpError("[mask_c1] ") << map.getNumResults() << " indices for a mask of rank " << type.getRank();
  for (auto [axis, e] : llvm::enumerate(map.getResults())) {
    auto a = classify(e);
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
