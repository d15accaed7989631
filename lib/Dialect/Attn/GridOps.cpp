// Rules of the sets along diagonals, of counts and segments, and over grids.
#include "Rules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

static LogicalResult verifyAtLeastOne(Operation *op, StringRef label, StringRef what, int64_t value) {
  if (value >= 1 && value <= kMaxExtent)
    return success();
  return op->emitOpError("[") << label << "] the " << what << " is at least 1 and below 2^31, not " << value;
}

LogicalResult SetDilatedOp::verify() {
  if (failed(verifyAtLeastOne(*this, "dilated_c2", "step", getStep())))
    return failure();
  return verifyShift(*this, "dilated_c1", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetNotSelfOp::verify() {
  return verifyShift(*this, "not_self_c1", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetBlockCausalOp::verify() {
  if (failed(verifyAtLeastOne(*this, "block_causal_c2", "block", getBlock())))
    return failure();
  return verifyShift(*this, "block_causal_c1", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetGlobalOp::verify() {
  return verifyCount(*this, "global_c1", "the count of global tokens", getLength());
}

LogicalResult SetSinksOp::verify() { return verifyCount(*this, "sinks_c1", "the count of sinks", getLength()); }

LogicalResult SetSharedPrefixOp::verify() {
  if (failed(verifySegments(*this, "shared_prefix_c1", {getQ(), getK()})))
    return failure();
  for (Value v : {getShared(), getAll()})
    if (v && !isScalar(v.getType()))
      return emitOpError("[shared_prefix_c3] `shared` and `all` are segment ids: an integer constant or an index, i64 "
                         "or i32, not ")
             << v.getType();
  return success();
}

//===--- Grids ---===//

/// The rank of both grids; failure where there are none or they differ. Where there is no attend around the op, any
/// rank will do.
static FailureOr<size_t> gridRank(Operation *op, StringRef label, size_t otherwise) {
  auto attend = op->getParentOfType<AttendOp>();
  if (!attend)
    return otherwise;
  auto query = attend.getQueryGrid(), key = attend.getKeyGrid();
  if (query && key && query->size() == key->size())
    return query->size();
  return op->emitOpError("[") << label
                              << "] speaks of grids: give the query and the key axis one each, of the same rank, e.g. "
                                 "dims(.. | i[?, 64] | j[?, 64] | ..)";
}

/// One number in [least, 2^31) for each grid axis.
static LogicalResult verifyPerAxis(Operation *op, StringRef label, StringRef what, ArrayRef<int64_t> values,
                                   size_t rank, int64_t least) {
  if (values.size() != rank)
    return op->emitOpError("[") << label << "] give one " << what << " for each grid axis: " << rank << ", not "
                                << values.size();
  for (int64_t value : values)
    if (value < least || value > kMaxExtent)
      return op->emitOpError("[") << label << "] a " << what << " is at least " << least << " and below 2^31, not "
                                  << value;
  return success();
}

LogicalResult SetNeighborhoodOp::verify() {
  FailureOr<size_t> rank = gridRank(*this, "neighborhood_c1", getSize().size());
  StringRef label = "neighborhood_c2";
  if (failed(rank) || failed(verifyPerAxis(*this, label, "size", getSize(), *rank, 1)) ||
      failed(verifyPerAxis(*this, label, "dilation", getDilation(), *rank, 1)) ||
      failed(verifyPerAxis(*this, label, "stride", getStride(), *rank, 1)) ||
      failed(verifyPerAxis(*this, label, "causal flag", getCausal(), *rank, 0)))
    return failure();
  for (auto [size, stride, causal] : llvm::zip(getSize(), getStride(), getCausal())) {
    if (stride > size)
      return emitOpError("[neighborhood_c2] a stride is at most the size (")
             << size << "), not " << stride << ": queries between the windows would see no neighbour";
    if (causal > 1)
      return emitOpError("[neighborhood_c2] a causal flag is 0 or 1, not ") << causal;
  }
  return success();
}

LogicalResult SetHaloOp::verify() {
  FailureOr<size_t> rank = gridRank(*this, "halo_c1", getBlock().size());
  return failure(failed(rank) || failed(verifyPerAxis(*this, "halo_c2", "block", getBlock(), *rank, 1)) ||
                 failed(verifyPerAxis(*this, "halo_c2", "halo", getHalo(), *rank, 0)));
}

LogicalResult SetDiscOp::verify() {
  if (failed(gridRank(*this, "disc_c1", 1)))
    return failure();
  if (!isScalar(getRadius().getType()))
    return emitOpError("[disc_c2] the radius is an integer constant or an index, i64 or i32, not ")
           << getRadius().getType();
  return success();
}
