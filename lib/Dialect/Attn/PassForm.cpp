#include "attn/Dialect/Attn/PassForm.h"

using namespace mlir;
using namespace attn;

static bool onlyExp(Value v) {
  return llvm::all_of(v.getUsers(), [](Operation *user) { return isa<math::ExpOp>(user); });
}

/// How a region of (a, b) uses them: a only in a - b; and whether all uses are exponentials.
static bool analyzeUses(Region &region, bool &usesSecond, bool &exponential) {
  Value a = region.getArgument(0), second = region.getArgument(1);
  auto distance = [&](Operation *user) {
    auto sub = dyn_cast<arith::SubFOp>(user);
    return sub && sub.getLhs() == a && sub.getRhs() == second;
  };
  if (!llvm::all_of(a.getUsers(), distance))
    return false;
  for (Operation *user : a.getUsers())
    exponential &= onlyExp(user->getResult(0));
  for (Operation *user : second.getUsers()) {
    if (distance(user))
      continue;
    usesSecond = true;
    exponential &= isa<math::ExpOp>(user) || (isa<arith::NegFOp>(user) && onlyExp(user->getResult(0)));
  }
  // What is yielded itself is no exponential of a distance.
  for (Value v : region.front().getTerminator()->getOperands())
    exponential &= v != a && v != second;
  return true;
}

FailureOr<PassForm> attn::analyzePass(PassOp pass) {
  PassForm form;
  form.pass = pass;
  form.hasRef = pass.hasRef();
  if (!form.hasRef)
    return form;
  bool gaugeUses = false;
  form.base2 = true;
  if (!analyzeUses(pass.getPhi(), form.usesRef, form.base2) || !analyzeUses(pass.getGauge(), gaugeUses, form.base2) ||
      gaugeUses) {
    pass.emitError("[unsupported_phi] phi must use the score, and gauge both references, through their difference "
                   "alone: `arith.subf %s, %r`");
    return failure();
  }
  bool captures = false;
  pass.getGauge().walk([&](Operation *op) {
    for (Value v : op->getOperands())
      captures |= v.getParentRegion() != &pass.getGauge();
  });
  if (captures) {
    pass.emitError("[unsupported_gauge] a gauge computes with the two references alone");
    return failure();
  }
  if (Region *stat = pass.statRegion())
    form.exact = llvm::is_contained(stat->front().getTerminator()->getOperands(), stat->getArgument(0));
  form.base2 &= !form.exact;
  return form;
}

void attn::toBase2(OpBuilder &b, ValueRange scaled) {
  SmallVector<math::ExpOp> exps;
  auto collect = [&](Value v) {
    for (Operation *user : v.getUsers())
      if (auto exp = dyn_cast<math::ExpOp>(user))
        exps.push_back(exp);
  };
  for (Value v : scaled) {
    collect(v);
    for (Operation *user : v.getUsers())
      if (isa<arith::NegFOp>(user))
        collect(user->getResult(0));
  }
  for (math::ExpOp exp : exps) {
    OpBuilder at(exp);
    exp.replaceAllUsesWith(math::Exp2Op::create(at, exp.getLoc(), exp.getOperand()).getResult());
    exp.erase();
  }
}

void attn::foldDistance(Block &block, Value d, Value second) {
  SmallVector<Operation *> subs;
  for (Operation &op : block)
    if (auto sub = dyn_cast<arith::SubFOp>(op); sub && sub.getLhs() == d && sub.getRhs() == second)
      subs.push_back(&op);
  for (Operation *sub : subs) {
    sub->getResult(0).replaceAllUsesWith(d);
    sub->erase();
  }
}

double attn::scaleOf(AttendOp attend) {
  if (attend.getScale())
    return 1.0;
  if (attend.getScaleValue())
    return attend.getScaleValue()->convertToDouble();
  return attend.dotRegion() ? 1.0 : 1.0 / std::sqrt((double)attend.dotExtent());
}

Value attn::scaleIn(OpBuilder &b, Value scale, FloatType real) {
  unsigned from = scale.getType().getIntOrFloatBitWidth(), to = real.getWidth();
  if (from < to)
    return arith::ExtFOp::create(b, scale.getLoc(), real, scale);
  return from > to ? arith::TruncFOp::create(b, scale.getLoc(), real, scale).getResult() : scale;
}
