#include "NormalizerForm.h"
#include "attn/Dialect/Tile/Tile.h"

using namespace mlir;
using namespace attn;

/// All uses of the two arguments are `subf(a, b)`, in this order.
static bool isRelative(Region &region) {
  Value a = region.getArgument(0), b = region.getArgument(1);
  auto through = [&](Value v) {
    return llvm::all_of(v.getUsers(), [&](Operation *user) {
      auto sub = dyn_cast<arith::SubFOp>(user);
      return sub && sub.getLhs() == a && sub.getRhs() == b;
    });
  };
  return through(a) && through(b);
}

/// Every use of the distance is an exponential.
static bool isExponential(Region &region) {
  for (Operation *sub : region.getArgument(0).getUsers())
    for (Operation *user : sub->getUsers())
      if (!isa<math::ExpOp>(user))
        return false;
  return true;
}

FailureOr<NormalizerForm> attn::analyzeNormalizer(AttendOp attend) {
  NormalizerOp normalizer = lookupNormalizer(attend);
  if (!normalizer) {
    attend.emitError("[unsupported_normalizer] @")
        << attend.normalizerName() << " is not linked; run --attn-link-normalizers first";
    return failure();
  }
  NormalizerForm form;
  unsigned passes = 0;
  for (Operation &op : normalizer.getBody().front()) {
    if (auto pass = dyn_cast<PassOp>(op)) {
      form.pass = pass;
      ++passes;
    } else {
      form.finish = cast<FinishOp>(op);
    }
  }
  if (passes != 1) {
    normalizer.emitError("[unsupported_normalizer] a normalizer of ")
        << passes << " passes has no lowering yet; one pass has";
    return failure();
  }
  form.hasRef = form.pass.getRef() == Reference::Max;
  if (form.hasRef) {
    if (!isRelative(form.pass.getPhi()) || !isRelative(form.pass.getGauge())) {
      form.pass.emitError("[unsupported_phi] phi and gauge must use score and reference through their difference "
                          "alone: `arith.subf %s, %r`");
      return failure();
    }
    form.base2 = isExponential(form.pass.getPhi()) && isExponential(form.pass.getGauge());
  }
  return form;
}

/// Clones the ops of `from` (without terminator), f32 becoming `real`.
static void cloneBody(OpBuilder &b, Block &from, IRMapping &map, FloatType real) {
  for (Operation &op : from.without_terminator()) {
    Operation *copy = b.clone(op, map);
    if (real.isF32())
      continue;
    for (OpResult r : copy->getResults())
      if (r.getType().isF32())
        r.setType(real);
    if (auto constant = dyn_cast<arith::ConstantOp>(copy))
      if (auto value = dyn_cast<FloatAttr>(constant.getValue()); value && value.getType().isF32())
        constant.setValueAttr(b.getFloatAttr(real, value.getValueAsDouble()));
  }
}

static void buildRelative(OpBuilder &b, Region &source, Region &region, FloatType real, bool hasRef, bool base2) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = source.getLoc();
  Block *block = b.createBlock(&region, {}, {real}, {loc});
  Block &from = source.front();
  IRMapping map;
  if (!hasRef)
    map.map(from.getArgument(0), block->getArgument(0));
  else // The difference itself is the new argument; the arguments have no other use.
    for (BlockArgument arg : from.getArguments())
      map.map(arg, block->getArgument(0));
  cloneBody(b, from, map, real);
  Value result = map.lookupOrDefault(from.getTerminator()->getOperand(0));
  tile::YieldOp::create(b, loc, result);
  if (!hasRef)
    return;
  // subf(d, d), which stood for s - r, is d.
  SmallVector<Operation *> subs;
  for (Operation &op : *block)
    if (auto sub = dyn_cast<arith::SubFOp>(op);
        sub && sub.getLhs() == block->getArgument(0) && sub.getRhs() == block->getArgument(0))
      subs.push_back(&op);
  for (Operation *sub : subs) {
    sub->getResult(0).replaceAllUsesWith(block->getArgument(0));
    sub->erase();
  }
  if (!base2)
    return;
  SmallVector<math::ExpOp> exps;
  for (Operation *user : block->getArgument(0).getUsers())
    if (auto exp = dyn_cast<math::ExpOp>(user))
      exps.push_back(exp);
  for (math::ExpOp exp : exps) {
    OpBuilder at(exp);
    exp.replaceAllUsesWith(math::Exp2Op::create(at, exp.getLoc(), exp.getOperand()).getResult());
    exp.erase();
  }
}

void NormalizerForm::buildPhi(OpBuilder &b, Region &region, FloatType real) const {
  buildRelative(b, const_cast<PassOp &>(pass).getPhi(), region, real, hasRef, base2);
}

void NormalizerForm::buildGauge(OpBuilder &b, Region &region, FloatType real) const {
  if (hasRef)
    buildRelative(b, const_cast<PassOp &>(pass).getGauge(), region, real, true, base2);
}

void NormalizerForm::buildFinish(OpBuilder &b, Region &region, FloatType real, ArrayRef<unsigned> outputs) const {
  OpBuilder::InsertionGuard guard(b);
  Block &from = const_cast<FinishOp &>(finish).getBody().front();
  Location loc = const_cast<FinishOp &>(finish).getLoc();
  SmallVector<Type> types(from.getNumArguments(), real);
  SmallVector<Location> locs(from.getNumArguments(), loc);
  Block *block = b.createBlock(&region, {}, types, locs);
  IRMapping map;
  map.map(from.getArguments(), block->getArguments());
  if (base2) {
    // r = r' / log2 e
    Value ln2 = arith::ConstantOp::create(b, loc, b.getFloatAttr(real, 0.693147180559945309417));
    map.map(from.getArgument(0), arith::MulFOp::create(b, loc, block->getArgument(0), ln2));
  }
  cloneBody(b, from, map, real);
  SmallVector<Value> results;
  for (unsigned n : outputs)
    results.push_back(map.lookupOrDefault(from.getTerminator()->getOperand(n)));
  tile::YieldOp::create(b, loc, results);
}
