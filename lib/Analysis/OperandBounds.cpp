#include "attn/Analysis/OperandBounds.h"

#include <numeric>

using namespace mlir;
using namespace attn;

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

namespace {

constexpr int64_t kIndexMost = (int64_t(1) << 31) - 1;

/// Least and greatest value; nullopt where nothing is known.
struct Range {
  int64_t lo, hi;
};
using Known = std::optional<Range>;

class RangeFinder {
public:
  RangeFinder(const AttendOp::Operand &operand) : operand(operand) {}

  Known of(Value v) {
    auto it = found.find(v);
    if (it != found.end())
      return it->second;
    Known r = compute(v);
    // Sums and products of these stay far inside i64; whatever is larger is no index.
    if (r && (r->lo < -(int64_t(1) << 40) || r->hi > (int64_t(1) << 40)))
      r = std::nullopt;
    if (r && !v.getType().isIndex() && v.getType().getIntOrFloatBitWidth() < 64) {
      int64_t most = (int64_t(1) << (v.getType().getIntOrFloatBitWidth() - 1)) - 1;
      if (r->lo < -most - 1 || r->hi > most) // it may have wrapped
        r = std::nullopt;
    }
    found[v] = r;
    return r;
  }

private:
  Known compute(Value v) {
    APInt constant;
    if (matchPattern(v, m_ConstantInt(&constant)))
      return constant.getSignificantBits() > 62 ? Known() : Known({constant.getSExtValue(), constant.getSExtValue()});
    if (auto arg = dyn_cast<BlockArgument>(v)) {
      if (!operand.region || arg.getOwner() != &operand.region->front() || arg.getArgNumber() == 0)
        return std::nullopt;
      bool feature = arg.getArgNumber() + 1 == arg.getOwner()->getNumArguments();
      return Range{0, feature ? operand.extent - 1 : kIndexMost};
    }
    Operation *op = v.getDefiningOp();
    if (!v.getType().isIntOrIndex() || isa<LoadOp>(op))
      return std::nullopt;
    SmallVector<Known> in;
    for (Value o : op->getOperands())
      in.push_back(o.getType().isIntOrIndex() ? of(o) : Known());
    auto corners = [&](auto f) -> Known {
      if (!in[0] || !in[1])
        return std::nullopt;
      int64_t c[] = {f(in[0]->lo, in[1]->lo), f(in[0]->lo, in[1]->hi), f(in[0]->hi, in[1]->lo),
                     f(in[0]->hi, in[1]->hi)};
      return Range{*std::min_element(c, c + 4), *std::max_element(c, c + 4)};
    };
    auto isNatural = [&](unsigned n) { return in[n] && in[n]->lo >= 0; };
    bool byConstant = in.size() == 2 && in[1] && in[1]->lo == in[1]->hi && in[1]->lo > 0;
    if (isa<arith::AddIOp>(op))
      return corners([](int64_t a, int64_t c) { return a + c; });
    if (isa<arith::SubIOp>(op))
      return corners([](int64_t a, int64_t c) { return a - c; });
    if (isa<arith::MulIOp>(op)) {
      bool small =
          in[0] && in[1] && llvm::all_of(in, [](Known r) { return r->hi <= kIndexMost && r->lo >= -kIndexMost; });
      return small ? corners([](int64_t a, int64_t c) { return a * c; }) : Known();
    }
    if (isa<arith::MinSIOp>(op) && in[0] && in[1])
      return Range{std::min(in[0]->lo, in[1]->lo), std::min(in[0]->hi, in[1]->hi)};
    if (isa<arith::MaxSIOp>(op) && in[0] && in[1])
      return Range{std::max(in[0]->lo, in[1]->lo), std::max(in[0]->hi, in[1]->hi)};
    if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(op) && isNatural(0) && byConstant)
      return Range{in[0]->lo / in[1]->lo, in[0]->hi / in[1]->lo};
    if (isa<arith::RemSIOp, arith::RemUIOp>(op) && byConstant) {
      bool whole = isNatural(0) && in[0]->hi < in[1]->lo;
      if (whole)
        return in[0];
      if (isNatural(0) || isa<arith::RemUIOp>(op))
        return Range{0, in[1]->lo - 1};
      return Range{1 - in[1]->lo, in[1]->lo - 1};
    }
    if (isa<arith::AndIOp>(op) && in.size() == 2 && (isNatural(0) || isNatural(1)))
      return Range{0, !isNatural(0) ? in[1]->hi : !isNatural(1) ? in[0]->hi : std::min(in[0]->hi, in[1]->hi)};
    if (isa<arith::OrIOp, arith::XOrIOp>(op) && isNatural(0) && isNatural(1))
      return Range{0, (int64_t)llvm::NextPowerOf2(std::max(in[0]->hi, in[1]->hi)) - 1};
    if (isa<arith::ShRSIOp, arith::ShRUIOp>(op) && isNatural(0))
      return Range{0, in[0]->hi};
    if (isa<arith::ShLIOp>(op) && isNatural(0) && isNatural(1) && in[0]->hi <= kIndexMost && in[1]->hi < 8)
      return Range{0, in[0]->hi << in[1]->hi};
    if (isa<arith::SelectOp>(op) && in[1] && in[2])
      return Range{std::min(in[1]->lo, in[2]->lo), std::max(in[1]->hi, in[2]->hi)};
    if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op) && !op->getOperand(0).getType().isInteger(1))
      return in[0]; // `of` looks at what fits
    if (isa<arith::ExtUIOp, arith::IndexCastUIOp>(op) && isNatural(0))
      return in[0];
    if (isa<arith::ExtUIOp, arith::IndexCastUIOp>(op) && op->getOperand(0).getType().isInteger() &&
        op->getOperand(0).getType().getIntOrFloatBitWidth() < 32)
      return Range{0, (int64_t(1) << op->getOperand(0).getType().getIntOrFloatBitWidth()) - 1};
    return std::nullopt;
  }

  const AttendOp::Operand &operand;
  DenseMap<Value, Known> found;
};

} // namespace

bool attn::mayBeAbsent(const AttendOp::Operand &operand) {
  if (!operand.region)
    return false;
  RangeFinder ranges(operand);
  Block &block = operand.region->front();
  for (Operation *op : usedOps(block)) {
    auto load = dyn_cast<LoadOp>(op);
    if (!load)
      continue;
    auto type = cast<RankedTensorType>(load.getTensor().getType());
    for (auto [axis, index] : llvm::enumerate(load.getIndices())) {
      if (auto arg = dyn_cast<BlockArgument>(index); arg && arg.getOwner() == &block)
        continue; // the call's checks
      Known r = ranges.of(index);
      if (!r || r->lo < 0 || type.isDynamicDim(axis) || r->hi >= type.getDimSize(axis))
        return true;
    }
  }
  return false;
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
