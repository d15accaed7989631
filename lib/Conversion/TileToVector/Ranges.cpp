// Which keys a box of rows may see: ranges, status of blocks and panels, masks of lanes.
//
// A descent over boxes. For a query block the ranges of the set's conjuncts, and marks of lists, give groups of blocks;
// a group that may be visible is asked about block by block, a block that is visited, for each strip of rows, panel by
// panel. Blocks of a group and panels of a block are lanes of one question, unless lists or bits have to be looked up.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Interval;
using sets::Pred;
using V = Value;

/// How many extremes of captured tensors the questions about a box ask for.
static size_t countExtremes(const sets::Solution &solution) {
  std::set<Expr> found;
  auto walk = [&](auto &self, const Expr &e) -> void {
    if (e.is(sets::ExprKind::LoadMin) || e.is(sets::ExprKind::LoadMax))
      found.insert(e);
    for (const Expr &operand : e.operands())
      self(self, operand);
  };
  auto ask = [&](auto &self, const Pred &p) -> void {
    for (const Pred &operand : p.operands())
      self(self, operand);
    if (p.isAtom() && !p.is(sets::PredKind::Opaque))
      walk(walk, p.expr());
  };
  size_t sum = 0;
  const Interval keys{Expr::var(kKeyLo), Expr::var(kKeyHi)};
  for (const sets::Conjunct &c : solution.conjuncts) {
    found.clear();
    for (const Pred &p : {sets::mayHold(c, solution, keys), sets::mustHold(c, solution, keys), c.mayRest, c.mustRest})
      ask(ask, p);
    for (const Expr &end : {c.may.lo, c.may.hi, c.must.lo, c.must.hi})
      walk(walk, end);
    sum += found.size();
  }
  return sum;
}

void MainEmitter::solveSet() {
  TokenAxes axes = tokenAxes(forOp);
  axes.keyDims = keyDims();
  predicate = buildSetPredicate(forOp.getSet(), axes);
  unsigned i = t.queryDim(), j = t.keyDim();
  // Where many conjuncts each ask for extremes of captured tensors, which are loops, fewer conjuncts with an `or`
  // inside are nearly as sharp, and the kernel stays of a size that code generation can take.
  const sets::Box rowBox{{i, Interval{Expr::var(kRowLo), Expr::var(kRowHi)}}};
  for (unsigned limit : {16u, 4u, 1u}) {
    solution = sets::solve(predicate.pred, j, rowBox, limit, argumentFactsOf(t.program));
    if (countExtremes(solution) <= 48)
      break;
  }
  members.emplace(t, predicate);
  auto unitsOf = [&](int64_t keys) { return e.divUnsigned(e.add(t.positions, keys - 1), keys); };
  int64_t groupKeys = l.blockKeys * Layout::kGroupBlocks;
  V panels = t.panels(), blocks = unitsOf(l.blockKeys);
  unsigned n = 0;
  if (pack)
    for (auto summary : pack.getBody().getOps<tile::SummaryOp>())
      summaries.push_back({cast<BlockArgument>(summary.getSource()).getArgNumber(), summary.getMap(),
                           t.summaryBase(n++), panels, blocks, V(), l.width, l.blockKeys, groupKeys});
  bindLists();
  bindAbsent();
  AffineMap ofKeys = AffineMap::get(i + 2, 0, getAffineDimExpr(j, e.b.getContext()));
  V held = e.mul(panels, l.width);
  for (unsigned n = 0; t.ordered() && n <= t.numAxes(); ++n) { // tensors like any other
    unsigned id = n ? kKeyCoordinate + n - 1 : kOrderTable;
    auto rangeOf = [&](ArrayRef<int64_t> grid) -> std::pair<int64_t, int64_t> {
      if (n == 0)
        return {-1, INT32_MAX - 2};
      if (!ShapedType::isDynamic(grid[n - 1]))
        return {0, std::max<int64_t>(grid[n - 1] - 1, 0)};
      int64_t below = 1; // only the first extent is dynamic
      for (int64_t extent : grid.drop_front())
        below *= std::max<int64_t>(extent, 1);
      return {0, INT32_MAX / below};
    };
    bindTable(id, t.keyTable(n), held, j, rangeOf(axes.keyGrid));
    summaries.push_back(
        {id, ofKeys, t.keyTableSummary(n), panels, blocks, unitsOf(groupKeys), l.width, l.blockKeys, groupKeys});
    if (t.boxes)
      bindTable(n ? kQueryCoordinate + n - 1 : kQueryOrder, t.queryTable(n), t.extents[i], i, rangeOf(axes.queryGrid));
  }
}

/// The query at a position, as the value of an index.
MainEmitter::Val MainEmitter::queryIndex(RegionEmitter &region, V position) {
  return region.indexScalar(t.queryAt(position), t.queryDim());
}

/// A table over positions of an axis.
void MainEmitter::bindTable(unsigned id, V base, V extent, unsigned dim, std::pair<int64_t, int64_t> range) {
  TensorRef ref;
  ref.type = RankedTensorType::get({ShapedType::kDynamic}, e.b.getI32Type());
  ref.data = base;
  ref.strides = {e.i64(1)};
  ref.extents = {extent};
  AxisFact position;
  position.dim = dim;
  position.free = 0;
  ref.fact.axes = {position};
  ref.range = range;
  tables[id] = ref;
}

void MainEmitter::bindCommon(RegionEmitter &region, SetEmitter &set) {
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    set.bind(d, region.indexScalar(t.index[d], d));
  for (unsigned d : {t.queryDim(), t.keyDim()})
    set.bind(extentVar(d), region.make(t.extents[d], 0, INT32_MAX));
  set.bind(kPositions, region.make(t.positions, 0, INT32_MAX));
  for (auto [arg, value] : t.params)
    if (arg.getType().isIntOrIndex()) {
      // Windows and offsets beyond every index mean "unbounded"; saturated so that sums of a few stay inside i64.
      const int64_t range = int64_t(1) << 40;
      V wide = arg.getType().isInteger(32) ? (V)arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), value)
                                           : (V)e.min(e.max(value, e.i64(-range)), e.i64(range));
      set.bind(scalarVar(cast<BlockArgument>(arg).getArgNumber()), region.make(wide, -range, range));
      if (arg == forOp.getFirst())
        set.bind(kGridFirst, region.make(e.max(wide, e.i64(0)), 0, range));
    }
}

SetEmitter MainEmitter::makeSet(RegionEmitter &region) {
  return SetEmitter(e, region, tensorOf, summaries, predicate.opaques, t.keyDim(), solution.facts);
}

/// Both ends of a range as the 32-bit numbers that lanes compare with.
static RegionEmitter::Val saturated(Emit &e, RegionEmitter &region, V v) {
  return region.make(e.min(e.max(v, e.i64(-1)), e.i64(INT32_MAX)), -1, INT32_MAX);
}

MainEmitter::Box MainEmitter::makeBox(V lo, V hi) {
  if (l.together) { // rows of one member are consecutive queries; those of several have any
    V from = t.queryAt(lo), to = t.queryAt(hi), same = e.eq(e.sub(hi, lo), e.sub(to, from));
    lo = e.select(same, from, e.i64(0));
    hi = e.select(same, to, e.sub(t.extents[t.queryDim()], e.i64(1)));
  }
  Box box{lo, hi, {}, std::make_shared<std::map<Expr, Val>>()};
  RegionEmitter region = makeRegion();
  SetEmitter set = makeSet(region);
  bindCommon(region, set);
  set.bind(kRowLo, region.make(lo, 0, INT32_MAX));
  set.bind(kRowHi, region.make(hi, 0, INT32_MAX));
  set.hoisted = box.hoisted;
  Interval keys{Expr::var(kKeyLo), Expr::var(kKeyHi)};
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
    r.leader = members->leader(c);
    box.ranges.push_back(r);
    // What does not depend on the keys is computed once a box.
    for (const Pred &p : {sets::mayHold(c, solution, keys), sets::mustHold(c, solution, keys)})
      set.hoist(p, {kKeyLo, kKeyHi});
  }
  return box;
}

/// May, must: for one unit of keys, or for lanes of them.
std::pair<V, V> MainEmitter::status(const Box &box, const Val &keyLo, const Val &keyHi, SetEmitter::Span span) {
  RegionEmitter region = makeRegion();
  SetEmitter set = makeSet(region);
  bindCommon(region, set);
  set.bind(kRowLo, region.make(box.lo, 0, INT32_MAX));
  set.bind(kRowHi, region.make(box.hi, 0, INT32_MAX));
  set.bind(kKeyLo, keyLo);
  set.bind(kKeyHi, keyHi);
  set.span = span;
  set.hoisted = box.hoisted;
  Members::Box asked{box.lo, box.hi, keyLo, keyHi, span == SetEmitter::kPanel ? l.width : 0};
  set.answer = [&](unsigned id, SetEmitter::Question q) {
    bool must = q == SetEmitter::kMust;
    return keyAtom(id) ? askKeys(id, must, keyLo, span) : members->ask(id, must, asked, set, region);
  };
  Interval keys{Expr::var(kKeyLo), Expr::var(kKeyHi)};
  auto logic = [&](V a, V c, bool both) -> V {
    if (isa<VectorType>(a.getType()) || isa<VectorType>(c.getType()))
      a = region.asVector(a), c = region.asVector(c);
    return both ? e.both(a, c) : e.either(a, c);
  };
  using P = arith::CmpIPredicate;
  V may = e.i1(false), must = e.i1(false);
  for (auto [c, r] : llvm::zip(solution.conjuncts, box.ranges)) {
    V some = e.i1(true), every = e.i1(true);
    auto narrow = [&](V &v, V with) {
      if (with)
        v = logic(v, with, true);
    };
    auto bound = [&](V &v, V end, P p, const Val &key) {
      if (end)
        v = logic(v, region.compare(p, saturated(e, region, end), key), true);
    };
    auto test = [&](V &v, const Pred &p) {
      if (!p.isTrue())
        v = logic(v, set.pred(p), true);
    };
    bound(some, r.lo, P::sle, keyHi);
    bound(some, r.hi, P::sge, keyLo);
    narrow(some, r.mayRest);
    if (r.leader && span == SetEmitter::kBlock)
      narrow(some, members->marked(*r.leader, e.divUnsigned(region.wide(keyLo), l.blockKeys), 1));
    test(some, sets::mayHold(c, solution, keys));
    bound(every, r.mustLo, P::sle, keyLo);
    bound(every, r.mustHi, P::sge, keyHi);
    narrow(every, r.mustRest);
    test(every, sets::mustHold(c, solution, keys));
    may = logic(may, some, false);
    must = logic(must, every, false);
  }
  return {may, logic(may, must, true)};
}

/// Status bytes of the units first, first + 1, .. of a block or a group, whose first key is `base`.
void MainEmitter::classify(const Box &box, V base, V first, V end, int64_t unit, SetEmitter::Span span, V bytes) {
  Type i8 = e.b.getI8Type(), i32 = e.b.getI32Type();
  auto byteOf = [&](V may, V must, Type type) -> V {
    auto constant = [&](int64_t n) -> V {
      if (auto vector = dyn_cast<VectorType>(type))
        return e.splatInt(vector, n);
      return arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(type, n));
    };
    return e.select(may, e.select(must, constant(2), constant(1)), constant(0));
  };
  RegionEmitter region = makeRegion();
  auto keysOf = [&](V lo) {
    RegionEmitter::Int most = INT32_MAX - 1;
    bool lanes = isa<VectorType>(lo.getType());
    Val keyLo = lanes ? Val{lo, 0, most} : region.make(lo, 0, most);
    V step = lanes ? e.splatInt(cast<VectorType>(lo.getType()), unit - 1) : e.i64(unit - 1);
    V hi = e.add(lo, step);
    if (span != SetEmitter::kPanel) { // the last block ends with its last panel
      V last = e.sub(e.mul(t.panels(), l.width), e.i64(1));
      hi = e.min(hi, lanes ? region.asVector(arith::TruncIOp::create(e.b, e.loc, i32, last)) : last);
    }
    return std::pair<Val, Val>{keyLo, lanes ? Val{hi, 0, most} : region.make(hi, 0, most)};
  };
  // Bits of lists and words are looked up unit by unit.
  bool byLanes = llvm::all_of(predicate.answerables, [](auto &a) {
    return std::holds_alternative<RandomAtom>(a) || std::holds_alternative<KeyAtom>(a);
  });
  if (!byLanes) {
    e.loop(first, end, 1, [&](V n) {
      auto [lo, hi] = keysOf(e.add(base, e.mul(n, unit)));
      auto [may, must] = status(box, lo, hi, span);
      e.store(byteOf(may, must, i8), e.at(bytes, n));
    });
    return;
  }
  V lane = e.mul(e.iota(i32), e.splatInt(e.vecOf(i32), unit));
  e.loop(first, end, e.lanes, [&](V n) {
    V at = arith::TruncIOp::create(e.b, e.loc, i32, e.add(base, e.mul(n, unit)));
    auto [lo, hi] = keysOf(e.add(e.broadcast(at), lane));
    auto [may, must] = status(box, lo, hi, span);
    e.store(byteOf(region.asVector(may), region.asVector(must), e.vecOf(i8)), e.at(bytes, n));
  });
}

/// The first unit of `unitKeys` keys at or after the cursor that a conjunct's range touches; beyond all units if there
/// is none. Visits the union of the ranges in order, each unit once, without sorting them. Where `mirror` is not
/// negative, the cursor and the result stand for the unit `mirror` less them: the order is the other one.
V MainEmitter::nextUnit(const Box &box, V cursor, int64_t unitKeys, V units, V mirror) {
  V none = e.i64(int64_t(1) << 40), next = none;
  for (const Range &r : box.ranges) {
    V at = cursor;
    V ok = e.i1(true);
    if (mirror) {
      V descends = e.ge(mirror, e.i64(0));
      V lo = r.lo ? e.divFloor(e.max(r.lo, e.i64(0)), unitKeys) : e.i64(0);
      V hi = r.hi ? e.divFloor(e.max(r.hi, e.i64(0)), unitKeys) : e.sub(units, e.i64(1));
      at = e.max(at, e.select(descends, e.sub(mirror, hi), lo));
      ok = e.le(at, e.select(descends, e.sub(mirror, lo), hi));
      if (r.hi)
        ok = e.both(ok, e.ge(r.hi, e.i64(0)));
      if (r.mayRest)
        ok = e.both(ok, r.mayRest);
      next = e.min(next, e.select(ok, at, none));
      continue;
    }
    if (r.lo)
      at = e.max(at, e.divFloor(e.max(r.lo, e.i64(0)), unitKeys));
    if (r.leader) {
      int64_t blocks = unitKeys / l.blockKeys;
      at = e.whileLoop(
          {at},
          [&](ValueRange args) {
            return e.choose(
                e.lt(args[0], units), {e.b.getI1Type()},
                [&] { return SmallVector<V>{e.invert(members->marked(*r.leader, e.mul(args[0], blocks), blocks))}; },
                [&] { return SmallVector<V>{e.i1(false)}; })[0];
          },
          [&](ValueRange args) { return SmallVector<V>{e.add(args[0], 1)}; })[0];
    }
    if (r.hi)
      ok = e.both(e.ge(r.hi, e.i64(0)), e.le(at, e.divFloor(e.max(r.hi, e.i64(0)), unitKeys)));
    if (r.mayRest)
      ok = e.both(ok, r.mayRest);
    next = e.min(next, e.select(ok, at, none));
  }
  return next;
}

static bool hasFind(const Expr &x) { return x.is(sets::ExprKind::Find) || llvm::any_of(x.operands(), hasFind); }

/// What lanes test of a conjunct: bounds of one row, and the rest. A place in a sorted tensor, worth a search for the
/// range of many rows, is none for one row and panel: there the elements themselves are compared.
static std::pair<Interval, Pred> laneTests(const sets::Conjunct &c, const sets::Solution &solution) {
  Pred rest = c.rest();
  SmallVector<Expr> lower, upper;
  for (const Pred &atom : c.boundAtoms) {
    std::vector<sets::AxisBound> bounds = *sets::solveAtom(atom, solution.axis, solution.facts);
    if (llvm::any_of(bounds, [](const sets::AxisBound &b) { return hasFind(b.bound); })) {
      rest = rest && atom;
      continue;
    }
    for (const sets::AxisBound &b : bounds)
      (b.isLower ? lower : upper).push_back(b.bound);
  }
  Interval interval = Interval::all();
  if (!lower.empty())
    interval.lo = sets::maxOf({lower.begin(), lower.end()});
  if (!upper.empty())
    interval.hi = sets::minOf({upper.begin(), upper.end()});
  return {interval, rest};
}

bool MainEmitter::masksAreBounds() {
  return llvm::all_of(solution.conjuncts, [&](auto &c) { return isOfKeysAlone(laneTests(c, solution).second); });
}

/// The logical key of positions that are bound to the key's variable.
RegionEmitter::Val MainEmitter::bindKey(RegionEmitter &region, SetEmitter &set, V keyLo) {
  RegionEmitter::Val lanes = region.indexLanes(keyLo, t.keyDim());
  set.bind(t.keyDim(), lanes);
  if (!t.keysAreAnywhere())
    return lanes;
  RegionEmitter::Val key = set.expr(predicate.key);
  set.logicalKey = key;
  return key;
}

MainEmitter::LaneMask MainEmitter::laneMask(RegionEmitter &region, V row, V keyLo, unsigned half) {
  SetEmitter set = makeSet(region);
  bindCommon(region, set);
  unsigned i = t.queryDim();
  V first = e.add(keyLo, half * e.lanes);
  RegionEmitter::Val rowIndex = l.together ? queryIndex(region, row) : region.indexScalar(row, i),
                     key = bindKey(region, set, first);
  set.bind(i, rowIndex);
  RegionEmitter::Val query = queryIndex(region, row);
  set.logicalQuery = query;
  set.answer = [&](unsigned id, SetEmitter::Question) {
    return keyAtom(id) ? lanesOfKeys(id, keyLo, half) : members->lanes(id, row, first, key, set, region);
  };
  bindConditions(region, query, key);

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
      auto [interval, rest] = laneTests(c, solution);
      V m;
      auto narrow = [&](V with) { m = m ? e.both(region.asVector(m), region.asVector(with)) : region.asVector(with); };
      if (interval.hasLo())
        narrow(e.ge(lane, relative(interval.lo)));
      if (interval.hasHi())
        narrow(e.le(lane, relative(interval.hi)));
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
