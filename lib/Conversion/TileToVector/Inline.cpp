// Regions over the pairs of a microtile in registers: reductions (tile.weigh's values).
//
// The code of a region is there for every vector of the microtile, so it has to be short. What depends on the query
// alone is computed once a strip, what depends on the key alone once a panel. Indices are 32-bit numbers whose squares
// are, too, where both axes are short enough for that; a call for which they are not takes the rows of Reduce.cpp.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

/// The square of the largest index is still an i32; lanes may reach past the last key by less than two panels.
static constexpr int64_t kLargestIndex = 46340, kLongestAxis = kLargestIndex - 40;
static constexpr unsigned kMostOps = 40;

/// The arguments that a value is made of: 1 the first one (the score), 2 the query, 4 the key. 8: it cannot be here.
static unsigned usesOf(V v, Block &block, unsigned query, unsigned key, DenseMap<V, unsigned> &known) {
  if (auto it = known.find(v); it != known.end())
    return it->second;
  unsigned uses = 0;
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    if (arg.getOwner() == &block)
      uses = arg.getArgNumber() == 0 ? 1 : arg.getArgNumber() == query ? 2 : arg.getArgNumber() == key ? 4 : 0;
  } else {
    Operation *op = v.getDefiningOp();
    StringRef dialect = op->getName().getDialectNamespace();
    if (op->getNumRegions() || (dialect != "arith" && dialect != "math"))
      uses = 8;
    for (V operand : op->getOperands())
      uses |= usesOf(operand, block, query, key, known);
  }
  return known[v] = uses;
}

bool MainEmitter::InlineRegion::match(Block &of, unsigned firstIndex, unsigned queryDim, unsigned keyDim) {
  block = &of;
  query = firstIndex + queryDim, key = firstIndex + keyDim;
  uses.clear(), ofRows.clear(), ofKeys.clear();
  unsigned ops = 0;
  for (Operation &op : of.without_terminator())
    for (V result : op.getResults()) {
      ops += (usesOf(result, of, query, key, uses) & 5) == 5 || uses[result] == 6;
      if (uses[result] & 8)
        return false;
    }
  V yielded = of.getTerminator()->getOperand(0);
  (void)usesOf(yielded, of, query, key, uses);
  hasIndices = !of.getArgument(query).use_empty() || !of.getArgument(key).use_empty();
  return ops <= kMostOps && (!hasIndices || !of.getArgument(0).getType().isF64());
}

/// What the text says of one row or one vector of keys, without the score.
void MainEmitter::emitPart(InlineRegion &of, RegionEmitter &region, unsigned part, DenseMap<V, Val> &into) {
  for (Operation &op : of.block->without_terminator())
    for (V result : op.getResults())
      if (of.uses.lookup(result) == part)
        if (auto x = region.emit(result); succeeded(x))
          into[result] = *x;
}

void MainEmitter::bindBatch(InlineRegion &of, RegionEmitter &region) {
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    region.bind(of.block->getArgument(of.query - t.queryDim() + d), region.indexScalar(t.index[d], d));
}

/// At the head of a strip.
void MainEmitter::hoistRows(InlineRegion &of) {
  of.ofRows.clear();
  if (!of.hasIndices)
    return;
  for (int64_t r = 0; r < l.tileRows; ++r) {
    RegionEmitter region = makeRegion();
    bindBatch(of, region);
    Val i = queryIndex(region, e.min(e.add(rowLo, r), lastRow));
    i.hi = kLargestIndex;
    region.bind(of.block->getArgument(of.query), i);
    auto &row = of.ofRows.emplace_back();
    row[of.block->getArgument(of.query)] = i;
    emitPart(of, region, 2, row);
  }
}

/// At the head of a microtile.
void MainEmitter::hoistKeys(InlineRegion &of, V panel) {
  of.ofKeys.clear();
  if (!of.hasIndices)
    return;
  for (int64_t half = 0; half < 2; ++half) {
    RegionEmitter region = makeRegion();
    bindBatch(of, region);
    Val j = region.indexLanes(e.add(keyAt(panel), half * e.lanes), t.keyDim());
    j.hi = kLargestIndex;
    region.bind(of.block->getArgument(of.key), j);
    auto &keys = of.ofKeys.emplace_back();
    keys[of.block->getArgument(of.key)] = j;
    emitPart(of, region, 4, keys);
  }
}

V MainEmitter::inlined(InlineRegion &of, int64_t r, int64_t half, V score) {
  RegionEmitter region = makeRegion();
  bindBatch(of, region);
  region.bind(of.block->getArgument(0), region.real(score));
  if (of.hasIndices)
    for (auto &values : {of.ofRows[r], of.ofKeys[half]})
      for (auto &[from, to] : values)
        region.bind(from, to);
  auto y = region.emit(of.block->getTerminator()->getOperand(0));
  return succeeded(y) ? region.asVector(y->v) : score;
}

/// i1: indices of this call are as short as the code takes them to be.
V MainEmitter::hasShortAxes() {
  return e.both(e.le(t.extents[t.queryDim()], e.i64(kLongestAxis)), e.le(t.extents[t.keyDim()], e.i64(kLongestAxis)));
}

/// Where a region is the score, or a number above 0 times it: the number; 0: it is not.
static double timesOf(Block &region) {
  V y = region.getTerminator()->getOperand(0);
  if (y == region.getArgument(0))
    return 1;
  auto product = y.getDefiningOp<arith::MulFOp>();
  FloatAttr by;
  bool isMultiple =
      product && product.getLhs() == region.getArgument(0) && matchPattern(product.getRhs(), m_Constant(&by));
  return isMultiple && by.getValue().isFinite() ? std::max(by.getValueAsDouble(), 0.0) : 0;
}

/// Whether the sums of this sweep are taken in registers, and of which regions.
void MainEmitter::matchInline() {
  inlineValues.clear();
  inlineSums = false;
  if (simple || weighOp.getSpreadTo() || !weighOp.getClasses().empty() || e.real.isF64())
    return;
  inlineValues.resize(weighOp.getValues().size());
  for (auto [n, op] : llvm::enumerate(weighOp.getSumOps())) {
    int64_t value = weighOp.getSumValues()[n];
    if (op > 3)
      return;
    if (value < 0)
      continue;
    Block &region = weighOp.getValues()[value].front();
    for (unsigned d = 0; d < t.program.getNumBatch(); ++d) // one number for all rows of the strip
      if (l.together && t.program.getShare()[d] != 1 && !region.getArgument(1 + d).use_empty())
        return;
    InlineRegion &of = inlineValues[value];
    if (!of.match(weighOp.getValues()[value].front(), 1, t.queryDim(), t.keyDim()))
      return;
    if (of.hasIndices && (op || t.keysAreAnywhere()))
      return;
    // Extremes are of the score itself: a present pair's is above -inf.
    if (op && timesOf(*of.block) <= 0)
      return;
  }
  inlineSums = true;
}

/// Whether sums are all that takes scores, and each takes a multiple of them.
bool MainEmitter::sumsScores() {
  return inlineSums && llvm::all_of(weighOp.getSumOps(), [](int64_t op) { return op == 0; }) &&
         llvm::all_of(inlineValues, [](InlineRegion &of) { return of.block && timesOf(*of.block) > 0; });
}

/// Sums, weights and a question after extremes, all from registers.
V MainEmitter::reduceInline(ArrayRef<V> s, V panel) {
  bool indices = llvm::any_of(inlineValues, [](InlineRegion &of) { return of.hasIndices; });
  if (!indices)
    return reduceTile(s, panel);
  V zero = e.choose(
      hasShortAxes(), {e.b.getI1Type()},
      [&] {
        V zero = reduceTile(s, panel);
        return SmallVector<V>{zero ? zero : e.i1(false)};
      },
      [&] {
        V zero = reduceRows(s, panel);
        return SmallVector<V>{zero ? zero : e.i1(false)};
      })[0];
  return accumulates.empty() ? V() : zero;
}

V MainEmitter::reduceTile(ArrayRef<V> s, V panel) {
  for (InlineRegion &of : inlineValues)
    hoistKeys(of, panel);
  double inf = std::numeric_limits<double>::infinity();
  V absent = e.splat(-inf), zero = e.splat(0);
  Type words = e.vecOf(e.b.getIntegerType(e.bytes * 8));
  V some, beyond; // patterns of all weights together; lanes that a present score exceeds an extreme in
  auto join = [&](V &all, V v) { all = all ? e.either(all, v) : v; };
  bool extremes = llvm::any_of(weighOp.getSumOps(), [](int64_t op) { return op != 0; });
  for (int64_t r = 0; r < l.tileRows; ++r) {
    SmallVector<V> before;
    for (unsigned n = 0; n < sums.size(); ++n)
      before.push_back(e.load(e.vec, e.at(sums[n], r * e.lanes * e.bytes)));
    V reference;
    if (addsReference) // in every mode
      reference = e.broadcast(e.load(e.real, e.at(negRef, l.absRef() - l.negRef() + r * e.bytes)));
    for (int64_t half = 0; half < 2; ++half) {
      V x = s[2 * r + half];
      SmallVector<V> p = phiOf(x, e.i64(r));
      V present = e.cmpf(arith::CmpFPredicate::UNE, x, absent);
      // From -127 down a weight is 0, and so is its product with what is finite: absent pairs need no code.
      V score = keepsScores ? keptScore(r, half) : addsReference ? e.fadd(e.maxKeep(e.splat(-127), x), reference) : x;
      for (unsigned n = 0; n < sums.size(); ++n) {
        int64_t phi = weighOp.getSumPhis()[n], value = weighOp.getSumValues()[n], op = weighOp.getSumOps()[n];
        V y = value < 0 ? e.splat(1) : inlined(inlineValues[value], r, half, score);
        if (op == 0 && phi >= 0 && value < 0) // a weight of an absent pair is 0
          before[n] = e.fadd(before[n], p[phi]);
        else if (op == 0 && phi >= 0)
          before[n] = e.fma(p[phi], addsReference ? y : e.select(present, y, zero), before[n]);
        else if (op == 0)
          before[n] = e.fadd(before[n], e.select(present, y, zero));
        else if (op == 2)
          join(beyond, e.both(present, e.cmpf(arith::CmpFPredicate::ULT, y, before[n])));
        else
          join(beyond, e.both(present, e.cmpf(arith::CmpFPredicate::UGT, y, before[n])));
      }
      for (unsigned n = 0; n < accumulates.size(); ++n) {
        V w = p[weighOp.getWeightPhis()[n]];
        if (!weighOp.getFactor().empty())
          w = e.fmul(w, valueFactor(e.i64(r), panel, half));
        keepWeight(n, e.i64(r), panel, half, w);
        if (!plainPhi) // one that may be 0 as a rule
          join(some, e.bitcast(w, words));
      }
    }
    for (unsigned n = 0; n < sums.size(); ++n)
      if (weighOp.getSumOps()[n] == 0)
        e.store(before[n], e.at(sums[n], r * e.lanes * e.bytes));
  }
  V none = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
  if (!hasRef)
    e.when(e.ne(e.load(e.b.getI32Type(), stripUnset), none), [&] { noteSeen(s); });
  if (extremes)
    e.when(e.anyLane(beyond), [&] {
      storeTile(s);
      e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) { reduceRow(r, panel, /*extremes=*/true); });
    });
  return some ? e.invert(e.anyLane(e.cmpf(arith::CmpFPredicate::UNE, e.bitcast(some, e.vec), e.splat(0)))) : V();
}
