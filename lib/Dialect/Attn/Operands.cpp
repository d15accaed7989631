// q, k and v of an attend: tensors by maps, in parts, perhaps through regions.
#include "attn/Dialect/Attn/Attn.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <numeric>

using namespace mlir;
using namespace attn;

static AttendOp::Operand operandOf(AttendOp op, Value tensor, AffineMap map, Region *region, unsigned token,
                                   unsigned feature) {
  AttendOp::Operand x{tensor, map, region, token, feature};
  if (auto extents = op.getFeatureExtents())
    if (unsigned n = feature - op.dotDim(); n < extents->size())
      x.extent = (*extents)[n];
  if (x.extent > 0)
    return x;
  x.extent = -1;
  for (auto [axis, e] : llvm::enumerate(map.getResults()))
    if (auto d = dyn_cast<AffineDimExpr>(e); d && d.getPosition() == feature)
      x.extent = cast<RankedTensorType>(tensor.getType()).getDimSize(axis);
  return x;
}

static AffineMap partMap(AttendOp op, unsigned n) { return cast<AffineMapAttr>((*op.getPartMaps())[n]).getValue(); }

AttendOp::Operand AttendOp::qPart(unsigned n) {
  if (n == 0)
    return operandOf(*this, getQ(), getQMap(), operandRegion(0), queryDim(), dotDim());
  unsigned part = 2 * (n - 1);
  return operandOf(*this, getParts()[part], partMap(*this, part), partRegion(part), queryDim(), dotDim() + n);
}

AttendOp::Operand AttendOp::kPart(unsigned n) {
  if (n == 0)
    return operandOf(*this, getK(), getKMap(), operandRegion(1), keyDim(), dotDim() + (getBilinear() ? 1 : 0));
  unsigned part = 2 * (n - 1) + 1;
  return operandOf(*this, getParts()[part], partMap(*this, part), partRegion(part), keyDim(), dotDim() + n);
}

AttendOp::Operand AttendOp::vPart() {
  return operandOf(*this, getV(), getVMap(), getValueless() ? operandRegion(1) : operandRegion(2), keyDim(),
                   valueDim());
}

FloatType AttendOp::accumulationType() {
  auto isF64 = [](Value v) { return cast<RankedTensorType>(v.getType()).getElementType().isF64(); };
  bool f64 = isF64(getQ()) || isF64(getK()) || isF64(getV()) || llvm::any_of(getParts(), isF64) ||
             (getBilinear() && isF64(getBilinear()));
  // The regions of the operands and of dot are not verified yet where this is asked first.
  for (unsigned n = 0, end = 4 + getParts().size(); n < end && !f64; ++n)
    if (Region *region = operandRegion(n); region && !region->front().empty())
      f64 = llvm::any_of(region->front().back().getOperandTypes(), [](Type t) { return t.isF64(); });
  return f64 ? (FloatType)Float64Type::get(getContext()) : (FloatType)Float32Type::get(getContext());
}

int64_t AttendOp::dotExtent() {
  int64_t sum = 0;
  for (unsigned n = 0; n < numParts(); ++n)
    sum += kPart(n).extent;
  return sum;
}

bool AttendOp::hasPlainOperands() {
  for (unsigned n = 0; n < 4; ++n)
    if (operandRegion(n))
      return false;
  auto element = [](Value v) { return cast<RankedTensorType>(v.getType()).getElementType(); };
  auto isFloat = [&](Value v) {
    Type t = element(v);
    return t.isF64() || t.isF32() || t.isF16() || t.isBF16();
  };
  bool f64 = element(getQ()).isF64();
  return getParts().empty() && !getBilinear() && !getFeatureExtents() && isFloat(getQ()) && isFloat(getK()) &&
         isFloat(getV()) && f64 == element(getK()).isF64() && f64 == element(getV()).isF64();
}

int64_t AttendOp::featureExtent(unsigned dim) {
  if (dim == valueDim() && !getValueless())
    return vPart().extent;
  for (unsigned n = 0; n < numParts(); ++n) {
    for (const Operand &x : {qPart(n), kPart(n)})
      if (x.feature == dim)
        return x.extent;
  }
  return -1;
}

SmallVector<Operation *> attn::usedOps(Block &block) {
  DenseSet<Operation *> used;
  SmallVector<Operation *> ops;
  for (Operation &op : llvm::reverse(block)) {
    bool wanted = op.hasTrait<OpTrait::IsTerminator>() ||
                  llvm::any_of(op.getUsers(), [&](Operation *user) { return used.contains(user); });
    if (!wanted)
      continue;
    used.insert(&op);
    if (!op.hasTrait<OpTrait::IsTerminator>())
      ops.push_back(&op);
  }
  std::reverse(ops.begin(), ops.end());
  return ops;
}

int64_t attn::batchShare(const AttendOp::Operand &operand, unsigned dim) {
  int64_t share = 0;
  auto use = [&](int64_t divisor) { share = share == 0 ? divisor : std::gcd(share, divisor); };
  for (AffineExpr e : operand.map.getResults()) {
    auto isDim = [&](AffineExpr x) { return isa<AffineDimExpr>(x) && cast<AffineDimExpr>(x).getPosition() == dim; };
    if (isDim(e))
      use(1);
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(e); binary && isDim(binary.getLHS()))
      use(e.getKind() == AffineExprKind::FloorDiv ? cast<AffineConstantExpr>(binary.getRHS()).getValue() : 1);
  }
  if (!operand.region)
    return share;
  BlockArgument index = operand.region->front().getArgument(1 + dim);
  for (Operation *op : usedOps(operand.region->front()))
    for (Value v : op->getOperands()) {
      if (v != index)
        continue;
      APInt divisor;
      bool divided = isa<arith::FloorDivSIOp, arith::DivSIOp, arith::DivUIOp>(op) && op->getOperand(0) == index &&
                     op->getOperand(1) != index && matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) &&
                     divisor.getSignificantBits() < 62 && divisor.getSExtValue() > 0;
      use(divided ? divisor.getSExtValue() : 1);
    }
  if (operand.region->front().getTerminator()->getOperand(0) == index)
    use(1);
  return share;
}
