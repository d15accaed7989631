// Which blocks of keys a block of queries may see. The set's predicate gives, for the box of the CTA's rows, ranges of
// keys and conditions on a box of rows and keys (attn/Sets/Solve.h). Each lane of a warp asks about one block of a
// group of 32; two votes give the blocks that may be visible and those that must be. All warps ask alike.
#include "CtaEmitter.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Interval;
using V = Value;

void CtaEmitter::solveSet() {
  predicate = pairPredicate(forOp);
  solution =
      sets::solve(predicate.pred, keyDim(), {{queryDim(), Interval{Expr::var(kRowLo), Expr::var(kRowHi)}}}, 4, facts);
}

void CtaEmitter::bindCommon(RegionEmitter &region, SetEmitter &set) {
  for (unsigned d = 0; d < program.getNumBatch(); ++d)
    set.bind(d, region.indexScalar(index[d], d));
  for (unsigned d : {queryDim(), keyDim()})
    set.bind(extentVar(d), region.make(extents[d], 0, INT32_MAX));
  set.bind(kPositions, region.make(extents[keyDim()], 0, INT32_MAX));
  for (auto [arg, value] : params)
    if (arg.getType().isIntOrIndex()) {
      // Beyond every index is "unbounded"; saturated so that sums of a few stay inside i64.
      const int64_t range = int64_t(1) << 40;
      V wide = arg.getType().isInteger(32) ? (V)arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), value)
                                           : (V)e.min(e.max(value, e.i64(-range)), e.i64(range));
      set.bind(scalarVar(cast<BlockArgument>(arg).getArgNumber()), region.make(wide, -range, range));
      if (arg == forOp.getFirst())
        set.bind(kGridFirst, region.make(e.max(wide, e.i64(0)), 0, range));
    }
}

SetEmitter CtaEmitter::makeSet(RegionEmitter &region) {
  return SetEmitter(e, region, tensorByNumber, {}, predicate.opaques, keyDim(), facts);
}

void CtaEmitter::makeBox() {
  box.clear();
  hoisted = std::make_shared<std::map<Expr, Val>>();
  RegionEmitter region = makeRegion();
  SetEmitter set = makeSet(region);
  bindCommon(region, set);
  set.bind(kRowLo, region.make(firstRow, 0, INT32_MAX));
  set.bind(kRowHi, region.make(lastRow, 0, INT32_MAX));
  set.hoisted = hoisted;
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
    if (r.lo && r.hi)
      r.mayRest = r.mayRest ? e.both(r.mayRest, e.le(r.lo, r.hi)) : e.le(r.lo, r.hi);
    if (!c.mustRest.isTrue())
      r.mustRest = set.pred(c.mustRest);
    if (t.stages == 1) // registers are few: keys have 32 bits, and what is beyond them is as good as -1 or the last
      for (V *bound : {&r.lo, &r.hi, &r.mustLo, &r.mustHi})
        if (*bound)
          *bound = e.min(e.max(*bound, e.i64(-1)), e.i64(INT32_MAX));
    box.push_back(r);
    for (const sets::Pred &p : {sets::mayHold(c, solution, keys), sets::mustHold(c, solution, keys)})
      set.hoist(p, {kKeyLo, kKeyHi});
  }
}

/// Of a range that is held over the sweep, where registers are few 32 bits of each bound and nothing that follows.
CtaEmitter::Range CtaEmitter::held(Range r) {
  if (t.stages == 1)
    for (V *bound : {&r.lo, &r.hi, &r.mustLo, &r.mustHi})
      if (*bound)
        *bound = unknown(*bound, /*isSigned=*/true);
  return r;
}

/// May, must: whether any pair of the CTA's rows and these keys is visible, whether all are.
std::pair<V, V> CtaEmitter::status(V keyLo, V keyHi) {
  RegionEmitter region = makeRegion();
  SetEmitter set = makeSet(region);
  bindCommon(region, set);
  set.bind(kRowLo, region.make(firstRow, 0, INT32_MAX));
  set.bind(kRowHi, region.make(lastRow, 0, INT32_MAX));
  set.bind(kKeyLo, region.make(keyLo, 0, INT32_MAX));
  set.bind(kKeyHi, region.make(keyHi, 0, INT32_MAX));
  set.hoisted = hoisted;
  // Of lists, bits and random blocks nothing is known but pair by pair.
  set.answer = [&](unsigned, SetEmitter::Question q) -> V { return e.i1(q == SetEmitter::kMay); };
  Interval keys{Expr::var(kKeyLo), Expr::var(kKeyHi)};
  V may = e.i1(false), must = e.i1(false);
  for (auto [c, kept] : llvm::zip(solution.conjuncts, box)) {
    Range r = held(kept);
    V some = e.i1(true), every = e.i1(true);
    auto narrow = [&](V &v, V with) {
      if (with)
        v = e.both(v, with);
    };
    narrow(some, r.lo ? e.le(r.lo, keyHi) : V());
    narrow(some, r.hi ? e.ge(r.hi, keyLo) : V());
    narrow(some, r.mayRest);
    if (sets::Pred p = sets::mayHold(c, solution, keys); !p.isTrue())
      narrow(some, set.pred(p, true));
    narrow(every, r.mustLo ? e.le(r.mustLo, keyLo) : V());
    narrow(every, r.mustHi ? e.ge(r.mustHi, keyHi) : V());
    narrow(every, r.mustRest);
    if (sets::Pred p = sets::mustHold(c, solution, keys); !p.isTrue())
      narrow(every, set.pred(p, false));
    may = e.either(may, some);
    must = e.either(must, every);
  }
  return {may, e.both(may, must)};
}

/// The first group of 32 blocks from the cursor on that a conjunct's range touches.
V CtaEmitter::nextGroup(V cursor, V groups) {
  int64_t keys = 32 * t.keys;
  V next = groups;
  for (const Range &kept : box) {
    Range r = held(kept);
    V at = cursor, ok = e.i1(true);
    if (r.lo)
      at = e.max(at, e.divUnsigned(e.max(r.lo, e.i64(0)), keys));
    if (r.hi)
      ok = e.both(e.ge(r.hi, e.i64(0)), e.le(at, e.divUnsigned(e.max(r.hi, e.i64(0)), keys)));
    if (r.mayRest)
      ok = e.both(ok, r.mayRest);
    next = e.min(next, e.select(ok, at, groups));
  }
  return next;
}

/// Adds the blocks of a group to the counts that the caller asked for (attn_gpu.h), once for each block of queries.
void CtaEmitter::countBlocks(V some, V full) {
  if (guarded || forOp != *phase.getBody().getOps<tile::ForOp>().begin())
    return;
  V first = e.eq(thread, e.i64(0));
  if (t.slices > 1)
    first = e.both(first, e.eq(slice, e.i64(0)));
  e.when(first, [&] {
    e.when(e.ne(e.loadI64(workspace, 48), e.i64(0)), [&] {
      V whole = e.both(some, full), partial = arith::XOrIOp::create(e.b, e.loc, some, whole);
      for (auto [lanes, at] : {std::pair{whole, 32}, std::pair{partial, 40}}) {
        V count = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), math::CtPopOp::create(e.b, e.loc, lanes));
        LLVM::AtomicRMWOp::create(e.b, e.loc, LLVM::AtomicBinOp::add, e.at(workspace, at), count,
                                  LLVM::AtomicOrdering::monotonic);
      }
    });
  });
}

/// Blocks of the CTA's chunk in ascending order.
void CtaEmitter::eachBlock(State &state, llvm::function_ref<void(V first, V full, State &)> visit) {
  V keys = extents[keyDim()];
  V all = e.divUnsigned(e.add(keys, t.keys - 1), t.keys), from = e.i64(0), end = all;
  if (splits || phase.getChunks()) {
    // Runs of one length, of which the first ones have a block more.
    V each = divideShort(all, chunks), longer = e.sub(all, e.mul(each, chunks));
    from = e.add(e.mul(chunk, each), e.min(chunk, longer));
    end = e.add(e.add(from, each), e.select(e.lt(chunk, longer), e.i64(1), e.i64(0)));
    if (t.stages == 1) // registers are few: one for each
      from = unknown(from), end = unknown(end);
  }
  makeBox();
  V groups = e.divUnsigned(e.add(end, 31), 32);
  if (t.stages == 1)
    groups = unknown(groups);
  ahead = copiesAhead();
  SmallVector<V> init{nextGroup(e.divUnsigned(from, 32), groups), e.i64(0)};
  llvm::append_range(init, state.flat());
  Type i32Type = e.b.getI32Type();
  auto done = e.whileLoop(
      init, [&](ValueRange args) { return e.lt(args[0], groups); },
      [&](ValueRange args) {
        V group = e.mul(args[0], 32), own = e.add(group, lane);
        V lo = e.mul(own, t.keys), hi = e.add(lo, t.keys - 1);
        auto [may, must] = status(e.min(lo, e.i64(INT32_MAX - 1)), e.min(hi, e.i64(INT32_MAX - 1)));
        may = e.both(may, e.both(e.ge(own, from), e.lt(own, end)));
        // Keys beyond the last are none.
        must = e.both(must, e.lt(hi, keys));
        if (checksKeys || checksQueries)
          must = e.i1(false);
        V some = nv::BallotOp::create(e.b, e.loc, i32Type, may), full = nv::BallotOp::create(e.b, e.loc, i32Type, must);
        countBlocks(some, full);
        SmallVector<V> inner{some, args[1], e.i1(false)};
        llvm::append_range(inner, args.drop_front(2));
        auto visited = e.whileLoop(
            inner, [&](ValueRange a) { return e.ne(a[0], i32(0)); },
            [&](ValueRange a) {
              V n = math::CountTrailingZerosOp::create(e.b, e.loc, a[0]);
              V bit = arith::ShLIOp::create(e.b, e.loc, i32(1), n);
              V first = e.mul(e.add(group, (V)arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), n)), t.keys);
              State now = state.with(a.drop_front(3));
              V rest = arith::XOrIOp::create(e.b, e.loc, a[0], bit);
              V follows = math::CountTrailingZerosOp::create(e.b, e.loc, rest);
              parity = a[1], inFlight = a[2], hasNext = e.ne(rest, i32(0));
              nextFirst = e.mul(e.add(group, (V)arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), follows)), t.keys);
              visit(first, e.ne(e.both(full, bit), i32(0)), now);
              SmallVector<V> next{rest, t.stages > 1 ? e.sub(e.i64(1), a[1]) : a[1], ahead ? inFlight : a[2]};
              llvm::append_range(next, now.flat());
              return next;
            });
        SmallVector<V> next{nextGroup(e.add(args[0], 1), groups), visited[1]};
        next.append(visited.begin() + 3, visited.end());
        return next;
      });
  state = state.with(ValueRange(done).drop_front(2));
}
