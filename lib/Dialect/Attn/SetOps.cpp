// Rules of the named sets.
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;

static LogicalResult verifyLengths(Operation *op, StringRef label, Alignment alignment, Value q, Value k) {
  if (!q != !k)
    return op->emitOpError("[") << label << "] give both q and k lengths, or none";
  if (q && alignment != Alignment::BottomRight)
    return op->emitOpError("[") << label << "] lengths move the bottom right corner; write bottom_right, or leave them out";
  for (Value v : {q, k})
    if (v && cast<RankedTensorType>(v.getType()).getRank() != 1)
      return op->emitOpError("[") << label << "] lengths are rank-1 tensors over the first batch dimension";
  return success();
}

LogicalResult SetCausalOp::verify() { return verifyLengths(*this, "causal_c1", getAlignment(), getQLengths(), getKLengths()); }

LogicalResult SetWindowOp::verify() {
  if (!getLeft() && !getRight())
    return emitOpError("[window_c2] give left, right or both; `full` is the window without bounds");
  return verifyLengths(*this, "window_c1", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetLengthsOp::verify() {
  if (!getQ() && !getK())
    return emitOpError("[lengths_c1] give q, k or both");
  for (Value v : {getQ(), getK()})
    if (v && cast<RankedTensorType>(v.getType()).getRank() != 1)
      return emitOpError("[lengths_c1] lengths are rank-1 tensors over the first batch dimension");
  return success();
}

LogicalResult SetSegmentOp::verify() {
  for (Value v : {getQ(), getK()}) {
    int64_t rank = cast<RankedTensorType>(v.getType()).getRank();
    if (rank != 1 && rank != 2)
      return emitOpError("[same_segment_c1] segment ids are over (token) or (first batch dimension, token), not rank ") << rank;
  }
  return success();
}

LogicalResult SetMaskOp::verify() {
  auto type = cast<RankedTensorType>(getMask().getType());
  if (getMap().getNumResults() != type.getRank())
    return emitOpError("[mask_c1] ") << getMap().getNumResults() << " indices for a mask of rank " << type.getRank();
  auto attend = (*this)->getParentOfType<AttendOp>();
  for (AffineExpr e : getMap().getResults()) {
    for (unsigned d = attend ? attend.numBatch() + 2 : getMap().getNumDims(); d < getMap().getNumDims(); ++d)
      if (e.isFunctionOfDim(d))
        return emitOpError("[mask_c1] a mask has no feature dimension");
  }
  return success();
}

LogicalResult SetWhereOp::verify() {
  auto attend = (*this)->getParentOfType<AttendOp>();
  if (attend && getBody().getNumArguments() != attend.numBatch() + 2)
    return emitOpError("[where_c1] the region takes one index for each batch, query and key dimension");
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getNumOperands() != 1 || !yield.getOperand(0).getType().isSignlessInteger(1))
    return emitOpError("[where_c1] end the region with `attn.yield %p : i1`");
  return success();
}
