// The rare path of tile.weigh: a row whose scores exceed its stale reference, or that sees its first key, moves the
// reference, and everything carried so far is multiplied by the gauge. Decided row by row from the row's own scores, so
// that results do not depend on neighbours: after a move the microtile is computed once more against the new
// references, which gives every other row the bits it had. That takes no product where the microtile's were kept: while
// rows of the strip see their first key, which every strip goes through once, and from a move to the end of the next
// block, for where one row moves another may soon.
//
// A row is in one of three modes:
//   1 unset     no visible score yet; reference 0
//   0 relative  scores arrive as s - r, rounded once; the hot path
//   2 absolute  |r| >= 2^21 (2^50 in f64): r + 32 may be no number apart from r, so scores arrive as s and r is
//   subtracted here, microtile by microtile
//
#include "Bf16.h"
#include "MainEmitter.h"
#include "attn/Dialect/Attn/PassForm.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// A reference that a statistic shows follows the largest score closely; exactly is what a rounded difference cannot
/// do.
double MainEmitter::raiseThreshold() { return weighOp.getExact() ? 0x1p-17 : variant.getThreshold().convertToDouble(); }

// Two chains of maxima with the running value as second operand: a NaN among the others drops out, one in the first
// stays and takes the rare path.
V MainEmitter::needsRaise(ArrayRef<V> s) {
  V threshold = e.splat(raiseThreshold());
  V big;
  for (unsigned half = 0; half < 2; ++half) {
    V m = s[half];
    for (int64_t r = 1; r < l.tileRows; ++r)
      m = e.maxKeep(s[2 * r + half], m);
    V over = e.cmpf(arith::CmpFPredicate::UGT, m, threshold);
    big = big ? e.either(big, over) : over;
  }
  return e.either(e.anyLane(big), hasUnsetRows());
}

// What a strip is in: its rows' modes together, and whether a row has moved since the block before this one (4), in
// this one (8). In either, products are kept.
static constexpr int32_t kModes = 3, kKeeps = 4, kMoved = 8;

static V constant32(Emit &e, int32_t n) { return arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(n)); }

/// Whether a row of the strip has no visible score yet, or is absolute.
V MainEmitter::hasUnsetRows() {
  return e.ne(e.both(e.load(e.b.getI32Type(), stripUnset), constant32(e, kModes)), constant32(e, 0));
}

/// Whether scores may well be raised in this microtile.
V MainEmitter::expectsRaise() { return e.ne(e.load(e.b.getI32Type(), stripUnset), constant32(e, 0)); }

/// At a strip's next block.
void MainEmitter::forgetMoves() {
  V state = e.load(e.b.getI32Type(), stripUnset);
  V moved = arith::ShRUIOp::create(e.b, e.loc, e.both(state, constant32(e, kMoved)), constant32(e, 1));
  static_assert(kMoved >> 1 == kKeeps);
  e.store(e.either(e.both(state, constant32(e, kModes)), moved), stripUnset);
}

/// By lane the larger number of two vectors; -inf if both are NaN.
V MainEmitter::largerOf(V s0, V s1) {
  // A NaN as first operand of maxKeep drops out.
  return e.maxKeep(s1, e.maxKeep(s0, e.splat(-std::numeric_limits<double>::infinity())));
}

/// The largest score of each row of the tile, that is no NaN: a lane for a row, in as many vectors as it takes; -inf in
/// lanes without one.
SmallVector<V> MainEmitter::largestScores(V scratch) {
  SmallVector<V> result;
  for (int64_t from = 0; from < l.tileRows; from += e.lanes) {
    SmallVector<V> rows;
    for (int64_t r = from; r < from + e.lanes; ++r) {
      V at = e.at(scratch, l.tile() + r * l.width * e.bytes);
      rows.push_back(r < l.tileRows ? largerOf(e.load(e.vec, at), e.load(e.vec, e.at(at, e.lanes * e.bytes)))
                                    : e.splat(-std::numeric_limits<double>::infinity()));
    }
    result.push_back(reduceLanes(rows, 0, llvm::Log2_64(e.lanes), [&](V x, V y) { return e.maxKeep(x, y); })[0]);
  }
  return result;
}

void MainEmitter::emitRaise() {
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToEnd(module.getBody());
  Type ptr = e.ptrType(), i64 = e.i64Type(), i32 = e.b.getI32Type();
  auto type = LLVM::LLVMFunctionType::get(e.b.getI1Type(), {ptr, i64, i64, i64, e.real});
  auto func = LLVM::LLVMFuncOp::create(e.b, e.loc, raiseName, type, LLVM::Linkage::Internal);
  func.setNoInline(true);
  Block *entry = func.addEntryBlock(e.b);
  e.b.setInsertionPointToEnd(entry);
  V scratch = entry->getArgument(0), r0 = entry->getArgument(1), panel = entry->getArgument(2),
    runStart = entry->getArgument(3);
  V zero32 = constant32(e, 0), one32 = constant32(e, 1), two32 = constant32(e, 2);
  V minusInf = e.scalar(-std::numeric_limits<double>::infinity());
  V stateAt = e.at(e.at(scratch, l.stripUnset()), e.mul(e.divUnsigned(r0, l.tileRows), 4));
  V state = e.load(i32, stateAt);
  V kept = !keepsFirst() ? e.i1(false) : keepsScores ? e.i1(true) : e.ne(state, zero32); // the latter: expectsRaise
  double limit = largeReference(e.real);
  auto isLarge = [&](V r) {
    return e.cmpf(arith::CmpFPredicate::OGE, math::AbsFOp::create(e.b, e.loc, r), e.scalar(limit));
  };
  auto modeOf = [&](V row) { return e.at(e.at(scratch, l.unset()), e.mul(row, 4)); };
  struct Arrived { // scores of a row, and the largest that is no NaN
    V at, s0, s1, m;
  };
  auto scoresAt = [&](V r) {
    V at = e.at(e.at(scratch, l.tile()), e.mul(r, l.width * e.bytes));
    return Arrived{at, e.load(e.vec, at), e.load(e.vec, e.at(at, e.lanes * e.bytes)), V()};
  };
  auto arrivedAt = [&](V r) {
    Arrived a = scoresAt(r);
    V m = largerOf(a.s0, a.s1);
    for (int64_t step = e.lanes / 2; step >= 1; step /= 2) {
      SmallVector<int64_t> rotated;
      for (int64_t n = 0; n < e.lanes; ++n)
        rotated.push_back((n + step) % e.lanes);
      m = e.maxKeep(vector::ShuffleOp::create(e.b, e.loc, m, m, rotated), m);
    }
    a.m = vector::ExtractOp::create(e.b, e.loc, m, ArrayRef<int64_t>{0});
    return a;
  };
  // -inf stays absent even where the reference is infinite.
  auto subtract = [&](const Arrived &a, V reference) {
    V shift = e.broadcast(reference);
    for (auto [s, at] : {std::pair<V, V>(a.s0, a.at), std::pair<V, V>(a.s1, e.at(a.at, e.lanes * e.bytes))})
      e.store(e.select(e.cmpf(arith::CmpFPredicate::OEQ, s, e.broadcast(minusInf)), s, e.fsub(s, shift)), at);
  };
  auto moveTo = [&](V row, V reference, V large) {
    V offset = e.mul(row, e.bytes);
    e.store(e.select(large, e.scalar(0), e.fsub(e.scalar(0), reference)), e.at(e.at(scratch, l.negRef()), offset));
    e.store(reference, e.at(e.at(scratch, l.absRef()), offset));
    e.store(e.select(large, two32, zero32), modeOf(row));
  };

  // The row's scores from its kept products, as the hot path makes them.
  auto takeAgain = [&](const Arrived &a, V r, V reference) {
    V from = e.at(e.at(scratch, l.scores()), e.mul(r, l.width * e.bytes));
    V scale = e.broadcast(entry->getArgument(4)), neg = e.broadcast(e.fsub(e.scalar(0), reference));
    for (auto [s, offset] : {std::pair<V, int64_t>(a.s0, 0), std::pair<V, int64_t>(a.s1, e.lanes * e.bytes)}) {
      V again = takenOff(e.load(e.vec, e.at(from, offset)), scale, neg);
      e.store(e.select(e.cmpf(arith::CmpFPredicate::OEQ, s, e.broadcast(minusInf)), s, again), e.at(a.at, offset));
    }
  };

  auto gaugeOf = [&](V down) {
    RegionEmitter region(e, t.tensors, t.params, e.at(scratch, l.gather()));
    Block &gauge = weighOp.getGauge().front();
    region.bind(gauge.getArgument(0), region.real(down));
    auto factor = region.emit(gauge.getTerminator()->getOperand(0));
    return succeeded(factor) ? region.asVector(factor->v) : e.splat(1);
  };

  // All that a row carries, times g; `none`: g is 0.
  auto scaleRow = [&](V r, V row, V g, V none) {
    auto scaleAll = [&](llvm::function_ref<V(V)> scaled, llvm::function_ref<V(V)> scaledWeight) {
      auto scale = [&](V base, V from, V to, int64_t vectors, llvm::function_ref<V(V)> scaled) {
        e.loop(from, to, vectors * e.lanes * e.bytes, [&](V offset) {
          for (int64_t n = 0; n < vectors; ++n) {
            V at = e.at(e.at(base, offset), n * e.lanes * e.bytes);
            e.store(scaled(e.load(e.vec, at)), at);
          }
        });
      };
      for (unsigned slot : weighedSlots) {
        V sum = e.at(e.at(scratch, l.sum(slot)), e.mul(row, l.lanes * l.element));
        e.store(scaled(e.load(e.vec, sum)), sum);
      }
      for (unsigned n = 0; n < accumulates.size(); ++n) {
        for (int64_t at : l.nested() ? SmallVector<int64_t>{l.acc(n), l.outer(n)} : SmallVector<int64_t>{l.acc(n)})
          scale(e.at(e.at(scratch, at), e.mul(row, l.valueRowBytes())), e.i64(0), e.i64(l.valueRowBytes()),
                l.valueRowBytes() % (2 * e.lanes * e.bytes) ? 1 : 2, scaled);
        // Weights of this run that wait for their product with the values.
        V inGroup = r;
        if (l.groupStrips > 1)
          inGroup = e.sub(row, e.mul(e.divUnsigned(row, l.groupRows()), l.groupRows()));
        V weights = e.at(e.at(scratch, l.weights(n)), e.mul(inGroup, l.weightRowBytes()));
        V from = e.mul(runStart, l.width * l.weightBytes()), to = e.mul(panel, l.width * l.weightBytes());
        if (!l.bf16Values) {
          scale(weights, from, to, 2, scaledWeight);
          continue;
        }
        // Rounded a second time; the gauge has made them small.
        e.loop(from, to, e.lanes * e.bytes, [&](V at) {
          V words = e.load(bf16::wordsType(e), e.at(weights, at));
          V low = scaledWeight(bf16::even(e, words)), high = scaledWeight(bf16::odd(e, words));
          e.store(bf16::packHalves(e, low, high), e.at(weights, at));
        });
      }
      return SmallVector<V>{};
    };
    // Only 0 * inf is not what is left of a weight. One that would be subnormal is 0, as a score's is that is so far
    // below its reference: Intel cores take an assist of 150 cycles for each vector of such products.
    auto times = [&](V x) { return e.fmul(x, g); };
    auto rest = [&](V x) { return rescaled(x, g); };
    e.choose(
        none, {}, [&] { return scaleAll(rest, rest); },
        [&] {
          V least = e.fdiv(e.splat(e.real.isF64() ? 0x1p-1022 : 0x1p-126), g);
          return scaleAll(times, [&](V x) {
            return times(plainPhi ? e.select(e.cmpf(arith::CmpFPredicate::OLT, x, least), e.splat(0), x) : x);
          });
        });
  };

  // Rows that have a reference. What is returned: whether the product has to be taken again, whether the row moved.
  auto movedRow = [&](V r, V row) {
    V absAt = e.at(e.at(scratch, l.absRef()), e.mul(row, e.bytes));
    V neg = e.load(e.real, e.at(e.at(scratch, l.negRef()), e.mul(row, e.bytes))), absolute = e.load(e.real, absAt);
    V isAbsolute = e.eq(e.load(i32, modeOf(row)), two32);
    Arrived a = arrivedAt(r);
    V threshold = e.select(isAbsolute, absolute, e.scalar(raiseThreshold()));
    // r' = max(r, s): what has arrived is s - r in relative mode, s otherwise. Where a small difference is lost in r, r
    // stays.
    V reference = e.select(isAbsolute, a.m, e.fsub(a.m, neg));
    V moves = e.either(isAbsolute, e.cmpf(arith::CmpFPredicate::UNE, reference, e.fsub(e.scalar(0), neg)));
    V raise = e.both(moves, e.cmpf(arith::CmpFPredicate::OGT, a.m, threshold));
    e.when(raise, [&] {
      moveTo(row, reference, e.either(isAbsolute, isLarge(reference)));
      V down = e.select(isAbsolute, e.fsub(absolute, a.m), e.fsub(e.scalar(0), a.m));
      V g = gaugeOf(e.broadcast(down));
      V none = e.cmpf(arith::CmpFPredicate::OEQ, vector::ExtractOp::create(e.b, e.loc, g, ArrayRef<int64_t>{0}),
                      e.scalar(0));
      scaleRow(r, row, g, none);
    });
    // Absolute rows are made relative here.
    V nowAbsolute = e.eq(e.load(i32, modeOf(row)), two32);
    V relative = e.both(raise, e.both(kept, e.invert(nowAbsolute)));
    if (keepsFirst())
      e.when(relative, [&] { takeAgain(a, r, reference); });
    V again = e.both(raise, e.invert(e.either(relative, e.both(nowAbsolute, isAbsolute))));
    e.when(e.both(nowAbsolute, e.invert(again)), [&] { subtract(a, e.load(e.real, absAt)); });
    return SmallVector<V>{again, raise};
  };

  // Rows without a visible score yet. Nothing is carried; the gauge could be infinite.
  auto firstOfRow = [&](V r, V row) {
    Arrived a = arrivedAt(r);
    // A visible NaN makes the row seen: it ends as NaN, not as an empty row.
    V nan = e.anyLane(
        e.either(e.cmpf(arith::CmpFPredicate::UNO, a.s0, a.s0), e.cmpf(arith::CmpFPredicate::UNO, a.s1, a.s1)));
    e.when(nan, [&] { e.store(zero32, modeOf(row)); });
    V raise = e.cmpf(arith::CmpFPredicate::OGT, a.m, minusInf), large = isLarge(a.m);
    e.when(raise, [&] {
      moveTo(row, a.m, large);
      e.choose(
          large, {},
          [&] {
            subtract(a, a.m);
            return SmallVector<V>{};
          },
          [&] {
            if (keepsFirst())
              takeAgain(a, r, a.m);
            return SmallVector<V>{};
          });
    });
    return SmallVector<V>{keepsFirst() ? e.i1(false) : e.both(raise, e.invert(large)), e.i1(false)};
  };

  auto oneByOne = [&] {
    SmallVector<V> none{zero32, e.i1(false), e.i1(false)};
    return e.loop(e.i64(0), e.i64(l.tileRows), 1, none, [&](V r, ValueRange sums) {
      V row = e.add(r0, r);
      auto found = e.choose(
          e.eq(e.load(i32, modeOf(row)), one32), {e.b.getI1Type(), e.b.getI1Type()}, [&] { return firstOfRow(r, row); },
          [&] { return movedRow(r, row); });
      return SmallVector<V>{e.either(sums[0], e.load(i32, modeOf(row))), e.either(sums[1], found[0]),
                            e.either(sums[2], found[1])};
    });
  };

  // As a rule all rows are relative and stay so: a row in each lane, of as many vectors as it takes. The numbers are
  // those of row by row, for the largest score does not depend on an order, and the rest is lane by lane.
  struct Group {
    V offset, m, neg = {}, reference = {}, raise = {};
  };
  SmallVector<Group> groups;
  V anyRaise, anyLarge;
  for (auto [n, m] : llvm::enumerate(largestScores(scratch))) {
    Group g{e.mul(e.add(r0, n * e.lanes), e.bytes), m};
    g.neg = e.load(e.vec, e.at(e.at(scratch, l.negRef()), g.offset));
    g.reference = e.fsub(m, g.neg);
    V moves = e.cmpf(arith::CmpFPredicate::UNE, g.reference, e.fsub(e.splat(0), g.neg));
    g.raise = e.both(moves, e.cmpf(arith::CmpFPredicate::OGT, m, e.splat(raiseThreshold())));
    V large = e.cmpf(arith::CmpFPredicate::OGE, math::AbsFOp::create(e.b, e.loc, g.reference), e.splat(limit));
    large = e.both(g.raise, large);
    anyRaise = anyRaise ? e.either(anyRaise, g.raise) : g.raise;
    anyLarge = anyLarge ? e.either(anyLarge, large) : large;
    groups.push_back(g);
  }
  auto together = [&] {
    V gauges = e.at(scratch, l.gather()), bits = e.i64(0), anyNone;
    for (auto [n, g] : llvm::enumerate(groups)) {
      for (auto [array, value] : {std::pair<int64_t, V>(l.negRef(), e.fsub(e.splat(0), g.reference)),
                                  std::pair<int64_t, V>(l.absRef(), g.reference)}) {
        V at = e.at(e.at(scratch, array), g.offset);
        e.store(e.select(g.raise, value, e.load(e.vec, at)), at);
      }
      V factor = gaugeOf(e.select(g.raise, e.fsub(e.splat(0), g.m), e.splat(0)));
      V none = e.both(g.raise, e.cmpf(arith::CmpFPredicate::OEQ, factor, e.splat(0)));
      anyNone = anyNone ? e.either(anyNone, none) : none;
      e.store(factor, e.at(gauges, int64_t(n) * e.lanes * e.bytes));
      V those = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.laneBits(g.raise));
      bits = e.either(bits, arith::ShLIOp::create(e.b, e.loc, those, e.i64(int64_t(n) * e.lanes)));
    }
    anyNone = e.anyLane(anyNone);
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) {
      V bit = e.both(arith::ShRUIOp::create(e.b, e.loc, bits, r), e.i64(1));
      e.when(e.ne(bit, e.i64(0)), [&] {
        V row = e.add(r0, r), offset = e.mul(row, e.bytes);
        scaleRow(r, row, e.broadcast(e.load(e.real, e.at(gauges, e.mul(r, e.bytes)))), anyNone);
        if (keepsFirst())
          e.when(kept, [&] { takeAgain(scoresAt(r), r, e.load(e.real, e.at(e.at(scratch, l.absRef()), offset))); });
      });
    });
    V moved = e.anyLane(anyRaise);
    return SmallVector<V>{zero32, e.both(moved, e.invert(kept)), moved};
  };
  V apart = e.either(e.ne(e.both(state, constant32(e, kModes)), zero32), e.anyLane(anyLarge));
  auto done = e.choose(apart, {i32, e.b.getI1Type(), e.b.getI1Type()}, oneByOne, together);
  V moved = e.select(done[2], constant32(e, kKeeps | kMoved), e.both(state, constant32(e, kKeeps | kMoved)));
  e.store(keepsFirst() ? e.either(done[0], moved) : done[0], stateAt);
  LLVM::ReturnOp::create(e.b, e.loc, done[1]);
}
