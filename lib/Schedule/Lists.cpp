#include "attn/Schedule/Lists.h"

#include <numeric>

using namespace mlir;
using namespace attn;

/// The first part of the set that every visible pair is in and that is what is sought.
static Operation *necessary(Value set, llvm::function_ref<bool(Operation *)> sought) {
  Operation *op = set.getDefiningOp();
  if (auto both = dyn_cast<SetAndOp>(op)) {
    Operation *found = necessary(both.getLhs(), sought);
    return found ? found : necessary(both.getRhs(), sought);
  }
  if (auto minus = dyn_cast<SetMinusOp>(op))
    return necessary(minus.getLhs(), sought);
  return sought(op) ? op : nullptr;
}

static Operation *necessary(AttendOp attend, llvm::function_ref<bool(Operation *)> sought) {
  if (attend.getSet().empty())
    return nullptr;
  return necessary(attend.getSet().front().getTerminator()->getOperand(0), sought);
}

SetListOp attn::gatherable(AttendOp attend) {
  return dyn_cast_or_null<SetListOp>(necessary(attend, [&](Operation *op) {
    auto list = dyn_cast<SetListOp>(op);
    return list && !list.getMap().isFunctionOfDim(attend.queryDim());
  }));
}

Operation *attn::ownLists(AttendOp attend) {
  return necessary(attend, [&](Operation *op) {
    auto list = dyn_cast<SetListOp>(op);
    if (!list)
      return isa<SetCsrOp>(op);
    unsigned bare = 0, others = 0;
    for (AffineExpr e : list.getMap().getResults())
      if (e.isFunctionOfDim(attend.queryDim()))
        ++(isa<AffineDimExpr>(e) ? bare : others);
    return bare == 1 && others == 0;
  });
}

bool attn::isReadInPlace(AttendOp attend) {
  auto isPlain = [](const AttendOp::Operand &x) {
    // Each feature and the token once, the first perhaps from a constant on.
    auto isOf = [](unsigned dim) {
      return [dim](AffineExpr e) {
        auto sum = dyn_cast<AffineBinaryOpExpr>(e);
        return e.isFunctionOfDim(dim) && (!sum || sum.getKind() == AffineExprKind::Add);
      };
    };
    return !x.region && isa<FloatType>(cast<RankedTensorType>(x.tensor.getType()).getElementType()) &&
           llvm::any_of(x.map.getResults(), isOf(x.token)) && llvm::any_of(x.map.getResults(), isOf(x.feature));
  };
  return attend.numParts() == 1 && isPlain(attend.kPart(0)) && isPlain(attend.vPart()) && !attend.qPart(0).region;
}

int64_t attn::rowsPerList(AttendOp attend) {
  int64_t rows = 0;
  attend.getSet().walk([&](Operation *op) {
    if (isa<SetCsrOp>(op))
      rows = 1;
    if (auto random = dyn_cast<SetRandomBlocksOp>(op))
      rows = std::gcd(rows, random.getBlock()[0]);
    if (auto list = dyn_cast<SetListOp>(op))
      for (AffineExpr e : list.getMap().getResults()) {
        if (auto dim = dyn_cast<AffineDimExpr>(e); dim && dim.getPosition() == attend.queryDim())
          rows = 1;
        if (auto binary = dyn_cast<AffineBinaryOpExpr>(e); binary && binary.getLHS().isFunctionOfDim(attend.queryDim()))
          rows = std::gcd(rows, cast<AffineConstantExpr>(binary.getRHS()).getValue());
      }
  });
  return rows;
}
