// From the bare product to the score, and what weights are multiplied by before they meet values.
#include "Lowering.h"

using namespace mlir;
using namespace attn;

/// keep / (1 - p), keep = random(seed; batch, i, j) >= p
void Lowering::buildDropout(Region &region) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types(attend.numBatch() + 2, b.getIndexType());
  Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
  Type f32 = b.getF32Type();
  auto constant = [&](Type type, double x) -> Value {
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, x));
  };
  Value seed = attend.getDropSeed()
                   ? args.lookup(attend.getDropSeed())
                   : arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(*attend.getDropSeedValue()));
  Value p = attend.getDropProbability() ? args.lookup(attend.getDropProbability())
                                        : constant(f32, attend.getDropProbabilityValue()->convertToDouble());
  Value u = attn::RandomOp::create(b, loc, f32, seed, block->getArguments());
  Value keep = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, u, p);
  auto wide = [&](Value x) -> Value { return real.isF32() ? x : arith::ExtFOp::create(b, loc, real, x).getResult(); };
  Value inverse =
      arith::DivFOp::create(b, loc, constant(real, 1), arith::SubFOp::create(b, loc, constant(real, 1), wide(p)));
  tile::YieldOp::create(b, loc, arith::SelectOp::create(b, loc, keep, inverse, constant(real, 0)).getResult());
}

/// (x, y, batch.., c): the text's region.
void Lowering::buildProduct(Region &region) {
  Region *text = attend.dotRegion();
  if (!text)
    return;
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types(attend.numBatch() + 3, b.getIndexType());
  types[0] = types[1] = real;
  Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
  IRMapping map = args;
  Block &from = text->front();
  map.map(from.getArguments(), block->getArguments());
  for (Operation &op : from.without_terminator())
    b.clone(op, map);
  tile::YieldOp::create(b, loc, map.lookupOrDefault(from.getTerminator()->getOperand(0)));
}

/// From the bare product q.k to the score: the scale, rounded once as the text says; the text's region; log2 e where
/// weights are powers of 2. Queries are not scaled themselves: that would round every element once more.
void Lowering::buildScore(Region &region, bool base2) {
  OpBuilder::InsertionGuard guard(b);
  auto constant = [&](double v) -> Value { return arith::ConstantOp::create(b, loc, b.getFloatAttr(real, v)); };
  double unit = base2 ? kLog2e : 1.0;
  if (attend.getScore().empty()) {
    SmallVector<Type> types(attend.numBatch() + 3, b.getIndexType());
    types[0] = real;
    Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
    Value factor = attend.getScale()
                       ? arith::MulFOp::create(b, loc, scaleIn(b, args.lookup(attend.getScale()), real), constant(unit))
                             .getResult()
                       : constant(scaleOf(attend) * unit);
    tile::YieldOp::create(b, loc, arith::MulFOp::create(b, loc, block->getArgument(0), factor).getResult());
    return;
  }
  IRMapping copied = args;
  attend.getScore().cloneInto(&region, copied);
  Value dot = region.getArgument(0);
  if (attend.getScale() || scaleOf(attend) != 1.0) {
    b.setInsertionPointToStart(&region.front());
    Value factor = attend.getScale() ? scaleIn(b, args.lookup(attend.getScale()), real) : constant(scaleOf(attend));
    auto scaled = arith::MulFOp::create(b, loc, dot, factor);
    dot.replaceAllUsesExcept(scaled, scaled);
  }
  Operation *yield = region.front().getTerminator();
  b.setInsertionPoint(yield);
  Value result = yield->getOperand(0);
  if (base2)
    result = arith::MulFOp::create(b, loc, result, constant(unit));
  tile::YieldOp::create(b, loc, result);
  yield->erase();
}
