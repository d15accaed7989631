// Rules of the sets that the caller gives as lists, bits or a seed, of attn.member and attn.random.
#include "Rules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

namespace {

/// What the index list of a captured tensor may name.
struct Indices {
  bool query;         // the query, beside the batch dimensions
  bool queryDivided;  // ... with floordiv
  const char *wanted; // the same in words
};
constexpr Indices kRows = {true, true, "a constant, or a batch or query dimension with or without floordiv a constant"};
constexpr Indices kWords = {true, false,
                            "a constant, the query, or a batch dimension with or without floordiv a constant"};
constexpr Indices kBatch = {false, false, "a constant, or a batch dimension with or without floordiv a constant"};

} // namespace

/// One index for every axis but the last.
static LogicalResult verifyLeading(Operation *op, StringRef label, StringRef what, int64_t rank, AffineMap map,
                                   const Indices &indices) {
  auto attend = op->getParentOfType<AttendOp>();
  if (map.getNumResults() != rank - 1 || map.getNumSymbols() != 0 || (attend && map.getNumDims() != attend.numDims()))
    return op->emitOpError("[") << label << "] " << map.getNumResults() << " indices for " << what << " of rank "
                                << rank << "; write one for every axis but the last, which is run through";
  for (auto [axis, e] : llvm::enumerate(map.getResults())) {
    auto a = classify(e);
    bool ok = a.has_value();
    if (ok && attend && a->dim >= (int)attend.numBatch())
      ok = indices.query && a->dim == (int)attend.queryDim() && (a->divisor == 1 || indices.queryDivided);
    if (!ok)
      return op->emitOpError("[") << label << "] index " << axis << " of " << what << " must be " << indices.wanted;
  }
  return success();
}

static LogicalResult verifyBlock(Operation *op, StringRef label, int64_t block) {
  if (block >= 1 && block <= kMaxExtent)
    return success();
  return op->emitOpError("[") << label << "] a block is at least 1 and below 2^31, not " << block;
}

LogicalResult SetListOp::verify() {
  if (!isIntTensor(getList().getType(), 1, INT64_MAX))
    return emitOpError("[list_c1] a list is a tensor of i32 or i64, not ") << getList().getType();
  if (failed(verifyLeading(*this, "list_c1", "a list", cast<RankedTensorType>(getList().getType()).getRank(), getMap(),
                           kRows)))
    return failure();
  if (getKind() != "tokens" && getKind() != "blocks" && getKind() != "pages")
    return emitOpError("[list_c2] there are tokens, blocks and pages, not '") << getKind() << "'";
  if (getKind() == "tokens" && getBlock() != 1)
    return emitOpError("[list_c2] elements of tokens are single keys; write blocks for ") << (int64_t)getBlock();
  return verifyBlock(*this, "list_c2", getBlock());
}

LogicalResult SetDiagonalsOp::verify() {
  if (!isIntTensor(getList().getType(), 1, INT64_MAX))
    return emitOpError("[diagonals_c1] diagonals are a tensor of i32 or i64, not ") << getList().getType();
  if (failed(verifyLeading(*this, "diagonals_c1", "diagonals", cast<RankedTensorType>(getList().getType()).getRank(),
                           getMap(), kBatch)))
    return failure();
  return verifyShift(*this, "diagonals_c2", getAlignment(), getQLengths(), getKLengths());
}

LogicalResult SetCsrOp::verify() {
  for (Value v : {getOffsets(), getColumns()})
    if (!isIntTensor(v.getType(), 1, INT64_MAX))
      return emitOpError("[csr_c1] offsets and columns are tensors of i32 or i64, not ") << v.getType();
  auto offsets = cast<RankedTensorType>(getOffsets().getType()),
       columns = cast<RankedTensorType>(getColumns().getType());
  if (offsets.getRank() != columns.getRank())
    return emitOpError("[csr_c1] offsets and columns have one rank, not ")
           << offsets.getRank() << " and " << columns.getRank();
  return verifyLeading(*this, "csr_c1", "offsets and columns", offsets.getRank(), getMap(), kBatch);
}

LogicalResult SetBitsOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getWords().getType());
  Type word = type ? type.getElementType() : Type();
  if (!type || type.getRank() < 1 ||
      !(word.isSignlessInteger(8) || word.isSignlessInteger(32) || word.isSignlessInteger(64)))
    return emitOpError("[bits_c1] the words of bits are a tensor of i8, i32 or i64, not ") << getWords().getType();
  return verifyLeading(*this, "bits_c1", "bits", type.getRank(), getMap(), kWords);
}

LogicalResult SetRandomBlocksOp::verify() {
  if (!isScalar(getSeed().getType()))
    return emitOpError("[random_blocks_c1] the seed is an integer constant or an index, i64 or i32, not ")
           << getSeed().getType();
  Type t = getProbability().getType();
  auto tensor = dyn_cast<RankedTensorType>(t);
  if (!t.isF32() && !(tensor && tensor.getRank() == 1 && tensor.getElementType().isF32()))
    return emitOpError("[random_blocks_c2] the probability is a constant, an f32, or a rank-1 tensor of f32 by "
                       "distance, not ")
           << t;
  // Not written as < 0 or > 1, which a NaN is not either.
  if (APFloat p(0.0f); matchPattern(getProbability(), m_ConstantFloat(&p)))
    if (float f = p.convertToFloat(); !(f >= 0.0f && f <= 1.0f))
      return emitOpError("[random_blocks_c2] a probability is in [0, 1]");
  if (getBlock().size() != 2)
    return emitOpError("[random_blocks_c3] a block has two extents, queries and keys: `block = [64, 64]`");
  for (int64_t extent : getBlock())
    if (failed(verifyBlock(*this, "random_blocks_c3", extent)))
      return failure();
  if (auto attend = (*this)->getParentOfType<AttendOp>(); attend && attend.numBatch() > 2)
    return emitOpError("[random_blocks_c4] blocks are drawn by at most two batch dimensions; dims(..) has ")
           << attend.numBatch() << ": fold some into one";
  return success();
}

LogicalResult MemberOp::verify() {
  if (!isIntTensor(getList().getType(), 1, INT64_MAX))
    return emitOpError("[member_c1] the list is a tensor of i32 or i64, not ") << getList().getType();
  int64_t rank = cast<RankedTensorType>(getList().getType()).getRank();
  if ((int64_t)getIndices().size() != rank - 1)
    return emitOpError("[member_c1] ") << getIndices().size() << " indices for a list of rank " << rank
                                       << "; write one for every axis but the last, which is run through";
  if (!getFrom() != !getTo())
    return emitOpError("[member_c2] give `from` and `to`, or neither");
  return success();
}

LogicalResult ExtentOp::verify() {
  auto index = dyn_cast<BlockArgument>(getIndex());
  if (index && index.getOwner() == (*this)->getBlock() &&
      (isa<MapOp>((*this)->getParentOp()) || !isa<AttnDialect>((*this)->getParentOp()->getDialect())))
    return success();
  return emitOpError("[extent_c1] is the number of values of an index that the region of an attn.map takes: "
                     "`(%x = %u[i], i = %i) { %n = attn.extent %i : f32 ..`");
}

LogicalResult RandomOp::verify() {
  if (getIndices().empty() || getIndices().size() > 4)
    return emitOpError("[random_c1] a number is drawn by one to four indices, not ") << getIndices().size();
  return success();
}
