#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Interval;
using sets::Pred;
using V = Value;

void MainEmitter::solveSet() {
  predicate = buildSetPredicate(forOp.getSet(), t.program.getNumBatch());
  unsigned i = t.queryDim(), j = t.keyDim();
  // Padding keys are outside the set like any other.
  Pred all = sets::normalize(predicate.pred && sets::lt(Expr::var(j), Expr::var(extentVar(j))));
  solution = sets::solve(all, j, {{i, Interval{Expr::var(kRowLo), Expr::var(kRowHi)}}});
  unsigned n = 0;
  for (auto summary : pack.getBody().getOps<tile::SummaryOp>()) {
    summaries.push_back(
        {cast<BlockArgument>(summary.getSource()).getArgNumber(), summary.getMap(), t.summaryBase(n), l.width});
    ++n;
  }
}

void MainEmitter::bindCommon(RegionEmitter &region, SetEmitter &set) {
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    set.bind(d, region.indexScalar(t.index[d], d));
  for (unsigned d : {t.queryDim(), t.keyDim()})
    set.bind(extentVar(d), region.make(t.extents[d], 0, INT32_MAX));
  for (auto [arg, value] : t.params)
    if (arg.getType().isIntOrIndex()) {
      auto range = RegionEmitter::Int(1) << 40;
      V wide = arg.getType().isInteger(32) ? (V)arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), value) : value;
      set.bind(scalarVar(cast<BlockArgument>(arg).getArgNumber()), region.make(wide, -range, range));
    }
}

SmallVector<MainEmitter::Range> MainEmitter::ranges(V lo, V hi) {
  RegionEmitter region = makeRegion();
  SetEmitter set(e, region, tensorOf, summaries, predicate.opaques, t.keyDim());
  bindCommon(region, set);
  set.bind(kRowLo, region.make(lo, 0, INT32_MAX));
  set.bind(kRowHi, region.make(hi, 0, INT32_MAX));
  SmallVector<Range> result;
  for (const sets::Conjunct &c : solution.conjuncts) {
    Range r;
    if (c.may.hasLo())
      r.lo = set.scalar(c.may.lo);
    if (c.may.hasHi())
      r.hi = set.scalar(c.may.hi);
    if (c.must.hasLo())
      r.mustLo = set.scalar(c.must.lo);
    if (c.must.hasHi())
      r.mustHi = set.scalar(c.must.hi);
    if (!c.mayRest.isTrue())
      r.mayRest = set.pred(c.mayRest);
    // An inverted range is empty even where both its ends lie in one tile.
    if (r.lo && r.hi)
      r.mayRest = r.mayRest ? e.both(r.mayRest, e.le(r.lo, r.hi)) : e.le(r.lo, r.hi);
    if (!c.mustRest.isTrue())
      r.mustRest = set.pred(c.mustRest);
    result.push_back(r);
  }
  return result;
}

std::pair<V, V> MainEmitter::status(ArrayRef<Range> box, V lo, V hi, V keyLo, V keyHi) {
  RegionEmitter region = makeRegion();
  SetEmitter set(e, region, tensorOf, summaries, predicate.opaques, t.keyDim());
  bindCommon(region, set);
  set.bind(kRowLo, region.make(lo, 0, INT32_MAX));
  set.bind(kRowHi, region.make(hi, 0, INT32_MAX));
  set.bind(kKeyLo, region.make(keyLo, 0, INT32_MAX));
  set.bind(kKeyHi, region.make(keyHi, 0, RegionEmitter::Int(INT32_MAX) + l.blockKeys));
  Interval keys{Expr::var(kKeyLo), Expr::var(kKeyHi)};
  V may = e.i1(false), must = e.i1(false);
  for (auto [c, r] : llvm::zip(solution.conjuncts, box)) {
    V some = e.i1(true), every = e.i1(true);
    auto narrow = [&](V &v, V with) {
      if (with)
        v = e.both(v, with);
    };
    auto test = [&](V &v, const Pred &p) {
      if (!p.isTrue())
        v = e.both(v, set.pred(p));
    };
    if (r.lo)
      narrow(some, e.le(r.lo, keyHi));
    if (r.hi)
      narrow(some, e.ge(r.hi, keyLo));
    narrow(some, r.mayRest);
    test(some, sets::mayHold(c, solution, keys));
    if (r.mustLo)
      narrow(every, e.le(r.mustLo, keyLo));
    if (r.mustHi)
      narrow(every, e.ge(r.mustHi, keyHi));
    narrow(every, r.mustRest);
    test(every, sets::mustHold(c, solution, keys));
    may = e.either(may, some);
    must = e.either(must, every);
  }
  return {may, e.both(may, must)};
}

/// The first block at or after the cursor that a conjunct's range touches; beyond all blocks if there is none. Visits
/// the union of the ranges in order, each block once, without sorting them.
V MainEmitter::nextBlock(ArrayRef<Range> box, V cursor) {
  V none = e.i64(int64_t(1) << 40), next = none;
  for (const Range &r : box) {
    V at = cursor;
    V ok = e.i1(true);
    if (r.lo)
      at = e.max(at, e.divFloor(e.max(r.lo, e.i64(0)), l.blockKeys));
    if (r.hi)
      ok = e.both(e.ge(r.hi, e.i64(0)), e.le(at, e.divFloor(e.max(r.hi, e.i64(0)), l.blockKeys)));
    if (r.mayRest)
      ok = e.both(ok, r.mayRest);
    next = e.min(next, e.select(ok, at, none));
  }
  return next;
}

bool MainEmitter::masksAreBounds() {
  return llvm::all_of(solution.conjuncts, [](const sets::Conjunct &c) { return c.rest().isTrue(); });
}

MainEmitter::LaneMask MainEmitter::laneMask(RegionEmitter &region, V row, V keyLo, unsigned half) {
  SetEmitter set(e, region, tensorOf, summaries, predicate.opaques, t.keyDim());
  bindCommon(region, set);
  unsigned i = t.queryDim(), j = t.keyDim();
  RegionEmitter::Val rowIndex = region.indexScalar(row, i), lanes = region.indexLanes(e.add(keyLo, half * e.lanes), j);
  set.bind(i, rowIndex);
  set.bind(j, lanes);
  for (SetPredicate::Opaque &o : predicate.opaques)
    if (o.condition)
      if (auto where = o.condition.getParentRegion()->getParentOfType<SetWhereOp>())
        for (BlockArgument arg : where.getBody().getArguments()) {
          unsigned d = arg.getArgNumber();
          region.bind(arg, d == i ? rowIndex : d == j ? lanes : region.indexScalar(t.index[d], d));
        }

  // Bounds relative to the panel, saturated to just outside it, so that lanes compare in the element's own width.
  Type word = e.b.getIntegerType(e.real.getWidth());
  VectorType words = e.vecOf(word);
  V lane = e.iota(word);
  if (half)
    lane = e.add(lane, e.splatInt(words, half * e.lanes));
  auto relative = [&](const Expr &bound) {
    V v = e.min(e.max(e.sub(set.scalar(bound), keyLo), e.i64(-1)), e.i64(l.width));
    return e.broadcast(e.real.isF64() ? v : (V)arith::TruncIOp::create(e.b, e.loc, word, v));
  };
  auto build = [&](bool unknownHolds) -> V {
    V mask;
    for (const sets::Conjunct &c : solution.conjuncts) {
      Interval interval = c.rowInterval();
      V m;
      auto narrow = [&](V with) { m = m ? e.both(region.asVector(m), region.asVector(with)) : region.asVector(with); };
      if (interval.hasLo())
        narrow(e.ge(lane, relative(interval.lo)));
      if (interval.hasHi())
        narrow(e.le(lane, relative(interval.hi)));
      Pred rest = c.rest();
      if (!rest.isTrue())
        narrow(set.pred(rest, unknownHolds));
      if (!m)
        m = region.asVector(e.i1(true));
      mask = mask ? e.either(mask, m) : m;
    }
    return mask ? mask : region.asVector(e.i1(false));
  };
  LaneMask result;
  result.visible = build(false);
  if (set.hasUnknown())
    result.unknown = arith::XOrIOp::create(e.b, e.loc, build(true), result.visible);
  return result;
}
