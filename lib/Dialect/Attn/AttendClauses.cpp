// Rules of the clauses of attn.attend: scale, grids and first, dropout.
#include "AttendRules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

static LogicalResult verifyScale(AttendOp op) { // attend_c12
  if (op.getScale() && op.getScaleValue())
    return op.emitOpError("[attend_c12] give one scale: a constant or a scalar");
  if (op.getScale() && !op.getScale().getType().isF32() && !op.getScale().getType().isF64())
    return op.emitOpError("[attend_c12] the scale is a constant or a scalar f32 or f64, not ")
           << op.getScale().getType();
  if (op.getScaleValue() && !op.getScaleValue()->isFinite())
    return op.emitOpError("[attend_c12] the scale is a finite number");
  return success();
}

static LogicalResult verifyGrid(AttendOp op, unsigned dim, ArrayRef<int64_t> grid) { // attend_c13
  auto error = [&] { return op.emitOpError("[attend_c13] the grid of '") << op.dimName(dim) << "' "; };
  if (grid.empty() || grid.size() > 3)
    return error() << "has " << grid.size() << " extents; there are grids of 1 to 3, e.g. " << op.dimName(dim)
                   << "[?, 64]";
  if (llvm::any_of(grid.drop_front(), ShapedType::isDynamic))
    return error() << "has a `?` behind the first extent; only the first may be dynamic";
  int64_t tokens = 1;
  for (int64_t extent : grid) {
    if (ShapedType::isDynamic(extent))
      continue;
    if (extent < 1)
      return error() << "has the extent " << extent << "; an extent is at least 1, or `?` for the first";
    if (extent > kMaxExtent || (tokens *= extent) > kMaxExtent)
      return error() << "has more than 2^31 - 1 tokens, and no axis has so many";
  }
  return success();
}

static LogicalResult verifyFirst(AttendOp op) { // attend_c13
  if (!op.getFirst() && !op.getFirstValue())
    return success();
  if (op.getFirst() && op.getFirstValue())
    return op.emitOpError("[attend_c13] give one `first`: a constant or a scalar");
  if (!op.getQueryGrid() && !op.getKeyGrid())
    return op.emitOpError("[attend_c13] `first` says where the grids begin, and there is none; write one, e.g. dims(.. "
                          "| i[?, 64] | j[?, 64] | ..), or leave `first` out");
  if (op.getFirst() && !isScalar(op.getFirst().getType()))
    return op.emitOpError("[attend_c13] `first` is an integer constant or an index, i64 or i32, not ")
           << op.getFirst().getType();
  if (auto value = op.getFirstValue(); value && ((int64_t)*value < 0 || (int64_t)*value > kMaxExtent))
    return op.emitOpError("[attend_c13] `first` is a number of tokens, at least 0 and below 2^31, not ")
           << (int64_t)*value;
  return success();
}

static LogicalResult verifyDropout(AttendOp op) { // attend_c14
  bool seed = op.hasDropout(), probability = op.getDropProbability() || op.getDropProbabilityValue();
  if (!seed && !probability)
    return success();
  if (!seed || !probability || (op.getDropSeed() && op.getDropSeedValue()) ||
      (op.getDropProbability() && op.getDropProbabilityValue()))
    return op.emitOpError("[attend_c14] give dropout one seed and one probability: `dropout(seed = %s, probability = "
                          "0.1)`");
  if (op.getDropSeed() && !isScalar(op.getDropSeed().getType()))
    return op.emitOpError("[attend_c14] the seed of dropout is an integer constant or an index, i64 or i32, not ")
           << op.getDropSeed().getType();
  if (op.getDropProbability() && !op.getDropProbability().getType().isF32())
    return op.emitOpError("[attend_c14] the probability of dropout is a constant or an f32, not ")
           << op.getDropProbability().getType();
  // Not written as < 0 or >= 1, which a NaN is not either.
  if (auto value = op.getDropProbabilityValue())
    if (double p = value->convertToDouble(); !(p >= 0.0 && p < 1.0))
      return op.emitOpError("[attend_c14] the probability of dropout is in [0, 1); with 1 nothing would be left");
  if (op.numBatch() > 2)
    return op.emitOpError("[attend_c14] dropout draws by at most two batch dimensions, the query and the key; dims(..) "
                          "has ")
           << op.numBatch() << " batch dimensions: fold some into one";
  return success();
}

LogicalResult attn::rules::verifyClauses(AttendOp op) {
  if (failed(verifyScale(op)))
    return failure();
  const std::optional<ArrayRef<int64_t>> grids[] = {op.getQueryGrid(), op.getKeyGrid()};
  for (unsigned n = 0; n < 2; ++n)
    if (grids[n] && failed(verifyGrid(op, op.queryDim() + n, *grids[n])))
      return failure();
  return failure(failed(verifyFirst(op)) || failed(verifyDropout(op)));
}
