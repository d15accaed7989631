// The rare path of tile.weigh: a row whose scores exceed its stale reference, or that sees its first key, moves the
// reference, and everything carried so far is multiplied by the gauge. Decided row by row from the row's own scores, so
// that results do not depend on neighbours: after a move the microtile is computed once more against the new
// references, which gives every other row the bits it had.
//
// A row is in one of three modes:
//   1 unset     no visible score yet; reference 0
//   0 relative  scores arrive as s - r, rounded once; the hot path
//   2 absolute  |r| >= 2^21 (2^50 in f64): r + 32 may be no number apart from r, so scores arrive as s and r is
//   subtracted here, microtile by microtile
//
#include "MainEmitter.h"

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
  V first = e.ne(e.load(e.b.getI32Type(), stripUnset), arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0)));
  return e.either(e.anyLane(big), first);
}

void MainEmitter::emitRaise() {
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToEnd(module.getBody());
  Type ptr = e.ptrType(), i64 = e.i64Type(), i32 = e.b.getI32Type();
  auto type = LLVM::LLVMFunctionType::get(e.b.getI1Type(), {ptr, i64, i64, i64});
  auto func = LLVM::LLVMFuncOp::create(e.b, e.loc, raiseName, type, LLVM::Linkage::Internal);
  func.setNoInline(true);
  Block *entry = func.addEntryBlock(e.b);
  e.b.setInsertionPointToEnd(entry);
  V scratch = entry->getArgument(0), r0 = entry->getArgument(1), panel = entry->getArgument(2),
    runStart = entry->getArgument(3);
  V zero32 = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
  V minusInf = e.scalar(-std::numeric_limits<double>::infinity());

  V two32 = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(2));
  double limit = e.real.isF64() ? 0x1p50 : 0x1p21;
  auto isLarge = [&](V r) {
    return e.cmpf(arith::CmpFPredicate::OGE, math::AbsFOp::create(e.b, e.loc, r), e.scalar(limit));
  };
  auto done = e.loop(e.i64(0), e.i64(l.tileRows), 1, ValueRange{zero32, e.i1(false)}, [&](V r, ValueRange state) {
    V row = e.add(r0, r);
    V tileAt = e.at(e.at(scratch, l.tile()), e.mul(r, l.width * e.bytes));
    V s0 = e.load(e.vec, tileAt), s1 = e.load(e.vec, e.at(tileAt, e.lanes * e.bytes));
    // Largest score of the row that is no NaN: a NaN as first operand of maxKeep drops out.
    V m = e.maxKeep(s1, e.maxKeep(s0, e.broadcast(minusInf)));
    for (int64_t step = e.lanes / 2; step >= 1; step /= 2) {
      SmallVector<int64_t> rotated;
      for (int64_t n = 0; n < e.lanes; ++n)
        rotated.push_back((n + step) % e.lanes);
      m = e.maxKeep(vector::ShuffleOp::create(e.b, e.loc, m, m, rotated), m);
    }
    m = vector::ExtractOp::create(e.b, e.loc, m, ArrayRef<int64_t>{0});
    V modeAt = e.at(e.at(scratch, l.unset()), e.mul(row, 4));
    V negAt = e.at(e.at(scratch, l.negRef()), e.mul(row, e.bytes)),
      absAt = e.at(e.at(scratch, l.absRef()), e.mul(row, e.bytes));
    V mode = e.load(i32, modeAt), neg = e.load(e.real, negAt), absolute = e.load(e.real, absAt);
    V isUnset = e.eq(mode, arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(1))),
      isAbsolute = e.eq(mode, two32);
    // A visible NaN makes the row seen: it ends as NaN, not as an empty row.
    V nan = e.anyLane(e.either(e.cmpf(arith::CmpFPredicate::UNO, s0, s0), e.cmpf(arith::CmpFPredicate::UNO, s1, s1)));
    e.when(e.both(nan, isUnset), [&] { e.store(zero32, modeAt); });

    V threshold = e.select(isUnset, minusInf, e.select(isAbsolute, absolute, e.scalar(raiseThreshold())));
    // r' = max(r, s): what has arrived is s - r in relative mode, s otherwise. Where a small difference is lost in r, r
    // stays.
    V reference = e.select(isAbsolute, m, e.fsub(m, neg));
    V moves =
        e.either(e.either(isUnset, isAbsolute), e.cmpf(arith::CmpFPredicate::UNE, reference, e.fsub(e.scalar(0), neg)));
    V raise = e.both(moves, e.cmpf(arith::CmpFPredicate::OGT, m, threshold));
    e.when(raise, [&] {
      V large = e.either(isAbsolute, isLarge(reference));
      e.store(e.select(large, e.scalar(0), e.fsub(e.scalar(0), reference)), negAt);
      e.store(reference, absAt);
      e.store(e.select(large, two32, zero32), modeAt);
      // Nothing is carried before the first key; there the gauge could be infinite.
      e.when(e.invert(isUnset), [&] {
        RegionEmitter region(e, t.tensors, t.params, e.at(scratch, l.gather()));
        Block &gauge = weighOp.getGauge().front();
        region.bind(gauge.getArgument(0),
                    region.real(e.select(isAbsolute, e.fsub(absolute, m), e.fsub(e.scalar(0), m))));
        auto factor = region.emit(gauge.getTerminator()->getOperand(0));
        V g = e.broadcast(succeeded(factor) ? factor->v : e.scalar(1));
        auto scale = [&](V base, V from, V to) {
          e.loop(from, to, e.lanes * e.bytes,
                 [&](V at) { e.store(rescaled(e.load(e.vec, e.at(base, at)), g), e.at(base, at)); });
        };
        for (unsigned slot : weighedSlots)
          scale(e.at(e.at(scratch, l.sum(slot)), e.mul(row, l.lanes * l.element)), e.i64(0),
                e.i64(l.lanes * l.element));
        for (unsigned n = 0; n < accumulates.size(); ++n) {
          scale(e.at(e.at(scratch, l.acc(n)), e.mul(row, l.valueRowBytes())), e.i64(0), e.i64(l.valueRowBytes()));
          // Weights of this run that wait for their product with the values.
          scale(e.at(e.at(scratch, l.weights(n)), e.mul(r, l.blockKeys * e.bytes)), e.mul(runStart, l.width * e.bytes),
                e.mul(panel, l.width * e.bytes));
        }
      });
    });
    // Absolute rows are made relative here; -inf stays absent even where the reference is infinite.
    V nowAbsolute = e.eq(e.load(i32, modeAt), two32);
    V again = e.both(raise, e.invert(e.both(nowAbsolute, e.either(isAbsolute, isUnset))));
    e.when(e.both(nowAbsolute, e.invert(again)), [&] {
      V shift = e.broadcast(e.load(e.real, absAt));
      for (auto [s, at] : {std::pair<V, V>(s0, tileAt), std::pair<V, V>(s1, e.at(tileAt, e.lanes * e.bytes))})
        e.store(e.select(e.cmpf(arith::CmpFPredicate::OEQ, s, e.broadcast(minusInf)), s, e.fsub(s, shift)), at);
    });
    return SmallVector<V>{arith::OrIOp::create(e.b, e.loc, state[0], e.load(i32, modeAt)), e.either(state[1], again)};
  });
  V strip = e.divUnsigned(r0, l.tileRows);
  e.store(done[0], e.at(e.at(scratch, l.stripUnset()), e.mul(strip, 4)));
  LLVM::ReturnOp::create(e.b, e.loc, done[1]);
}
