#include "attn/Analysis/OperandBounds.h"

#include <numeric>

using namespace mlir;
using namespace attn;

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

/// The indices that may be outside of their axes.
static SmallVector<Value> doubtfulIndices(const AttendOp::Operand &operand) {
  SmallVector<Value> doubtful;
  if (!operand.region)
    return doubtful;
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
        doubtful.push_back(index);
    }
  }
  return doubtful;
}

bool attn::mayBeAbsent(const AttendOp::Operand &operand) { return !doubtfulIndices(operand).empty(); }

int64_t attn::absentTogether(const AttendOp::Operand &operand) {
  int64_t together = 0;
  SmallVector<Value> from = doubtfulIndices(operand);
  DenseSet<Value> seen;
  while (!from.empty()) {
    Value v = from.pop_back_val();
    if (!seen.insert(v).second)
      continue;
    if (Operation *op = v.getDefiningOp()) {
      llvm::append_range(from, op->getOperands());
      continue;
    }
    auto arg = cast<BlockArgument>(v);
    if (arg.getOwner() != &operand.region->front())
      continue; // a number of the call
    if (arg.getArgNumber() + 2 == arg.getOwner()->getNumArguments())
      return 1; // the token itself
    if (arg.getArgNumber() > 0)
      continue;
    for (AffineExpr e : operand.map.getResults()) {
      if (!e.isFunctionOfDim(operand.token))
        continue;
      auto binary = dyn_cast<AffineBinaryOpExpr>(e);
      bool divides = binary && e.getKind() == AffineExprKind::FloorDiv && isa<AffineDimExpr>(binary.getLHS());
      together = std::gcd(together, divides ? cast<AffineConstantExpr>(binary.getRHS()).getValue() : 1);
    }
  }
  return together;
}
