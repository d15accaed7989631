#include "attn/Schedule/Lists.h"

#include <numeric>

using namespace mlir;
using namespace attn;

static SetListOp gatherableIn(Value set, unsigned queryDim) {
  Operation *op = set.getDefiningOp();
  if (auto both = dyn_cast<SetAndOp>(op)) {
    SetListOp found = gatherableIn(both.getLhs(), queryDim);
    return found ? found : gatherableIn(both.getRhs(), queryDim);
  }
  if (auto minus = dyn_cast<SetMinusOp>(op))
    return gatherableIn(minus.getLhs(), queryDim);
  auto list = dyn_cast<SetListOp>(op);
  return list && !list.getMap().isFunctionOfDim(queryDim) ? list : SetListOp();
}

SetListOp attn::gatherable(AttendOp attend) {
  if (attend.getSet().empty())
    return {};
  return gatherableIn(attend.getSet().front().getTerminator()->getOperand(0), attend.queryDim());
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
        if (auto binary = dyn_cast<AffineBinaryOpExpr>(e);
            binary && binary.getLHS().isFunctionOfDim(attend.queryDim()))
          rows = std::gcd(rows, cast<AffineConstantExpr>(binary.getRHS()).getValue());
      }
  });
  return rows;
}
