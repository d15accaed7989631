#include "NormalizerForm.h"
#include "attn/Dialect/Tile/Tile.h"

using namespace mlir;
using namespace attn;

SmallVector<Value> RegionBuilder::given() const {
  SmallVector<Value> tiles;
  for (auto [_, tile] : rows)
    tiles.push_back(tile);
  return tiles;
}

Block *RegionBuilder::open(Region &region, unsigned numbers, Location loc) {
  SmallVector<Type> types(numbers, real);
  return b.createBlock(&region, {}, types, SmallVector<Location>(numbers, loc));
}

void RegionBuilder::bindGiven(IRMapping &map, ValueRange givenArgs) {
  for (auto [n, row] : llvm::enumerate(rows))
    if (n < givenArgs.size())
      map.map(row.first, givenArgs[n]);
  for (auto [v, programArgument] : scalars)
    map.map(v, programArgument);
}

Value RegionBuilder::natural(Value v, bool base2) {
  if (!base2)
    return v;
  // r = r' / log2 e
  Value ln2 = arith::ConstantOp::create(b, v.getLoc(), b.getFloatAttr(real, kLn2));
  return arith::MulFOp::create(b, v.getLoc(), v, ln2);
}

/// f32 becomes `real`.
SmallVector<Value> RegionBuilder::inlined(Block &body, IRMapping &map, ValueRange givenArgs) {
  bindGiven(map, givenArgs);
  auto bindConstants = [&](Operation &op) {
    for (Value v : op.getOperands())
      if (auto it = constants.find(v); it != constants.end() && !map.contains(v))
        map.map(v, arith::ConstantOp::create(b, op.getLoc(), b.getFloatAttr(real, it->second)));
  };
  for (Operation &op : body.without_terminator()) {
    bindConstants(op);
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
  bindConstants(*body.getTerminator());
  SmallVector<Value> results;
  for (Value v : body.getTerminator()->getOperands())
    results.push_back(map.lookupOrDefault(v));
  return results;
}

void RegionBuilder::phi(const PassForm &form, Region &region) {
  OpBuilder::InsertionGuard guard(b);
  Region &from = const_cast<PassOp &>(form.pass).getPhi();
  unsigned own = form.usesRef ? 2 : 1;
  Block *block = open(region, own + rows.size(), from.getLoc());
  IRMapping map;
  map.map(from.getArgument(0), block->getArgument(0));
  if (form.hasRef)
    map.map(from.getArgument(1), block->getArgument(form.usesRef ? 1 : 0));
  SmallVector<Value> results = inlined(from.front(), map, block->getArguments().drop_front(own));
  tile::YieldOp::create(b, from.getLoc(), results);
  if (!form.hasRef)
    return;
  foldDistance(*block, block->getArgument(0), block->getArgument(form.usesRef ? 1 : 0));
  if (form.base2)
    toBase2(b, block->getArguments().take_front(own));
}

void RegionBuilder::gauge(const PassForm &form, Region &region) {
  if (!form.hasRef)
    return;
  OpBuilder::InsertionGuard guard(b);
  Region &from = const_cast<PassOp &>(form.pass).getGauge();
  Block *block = open(region, 1, from.getLoc());
  IRMapping map;
  for (BlockArgument arg : from.getArguments())
    map.map(arg, block->getArgument(0));
  SmallVector<Value> results = inlined(from.front(), map, {});
  tile::YieldOp::create(b, from.getLoc(), results);
  foldDistance(*block, block->getArgument(0), block->getArgument(0));
  if (form.base2)
    toBase2(b, block->getArgument(0));
}

void RegionBuilder::seed(const PassForm &form, Region &region, ArrayRef<unsigned> sums) {
  OpBuilder::InsertionGuard guard(b);
  Region &from = *const_cast<PassOp &>(form.pass).seedRegion();
  Block *block = open(region, rows.size(), from.getLoc());
  IRMapping map;
  SmallVector<Value> all = inlined(from.front(), map, block->getArguments()), results{all[0]};
  if (form.base2) {
    Value log2e = arith::ConstantOp::create(b, from.getLoc(), b.getFloatAttr(real, kLog2e));
    results[0] = arith::MulFOp::create(b, from.getLoc(), all[0], log2e);
  }
  for (unsigned n : sums)
    results.push_back(n == kZero ? arith::ConstantOp::create(b, from.getLoc(), b.getFloatAttr(real, 0.0)).getResult()
                                 : all[1 + n]);
  tile::YieldOp::create(b, from.getLoc(), results);
}

void RegionBuilder::plain(Region &from, Region &region, bool base2, int reference) {
  OpBuilder::InsertionGuard guard(b);
  unsigned own = from.getNumArguments();
  Block *block = open(region, own + rows.size(), from.getLoc());
  IRMapping map;
  map.map(from.getArguments(), block->getArguments().take_front(own));
  if (reference >= 0)
    map.map(from.getArgument(reference), natural(block->getArgument(reference), base2));
  SmallVector<Value> results = inlined(from.front(), map, block->getArguments().drop_front(own));
  tile::YieldOp::create(b, from.getLoc(), results);
}
