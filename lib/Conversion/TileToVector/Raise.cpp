// The rare path of tile.weigh: a row whose scores exceed its stale reference, or that sees its first key, moves the
// reference, and everything carried so far is multiplied by the gauge. Decided row by row from the row's own scores, so
// that results do not depend on neighbours.
//
// Returns true where the microtile must be computed once more: scores relative to a reference that was off by much have
// lost digits to it.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

// Two chains of maxima with the running value as second operand: a NaN among the others drops out, one in the first
// stays and takes the rare path.
V MainEmitter::needsRaise(ArrayRef<V> s) {
  V threshold = e.splat(variant.getThreshold().convertToDouble());
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

LogicalResult MainEmitter::emitRaise() {
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToEnd(module.getBody());
  Type ptr = e.ptrType(), i64 = e.i64Type(), i32 = e.b.getI32Type();
  auto type = LLVM::LLVMFunctionType::get(e.b.getI1Type(), {ptr, i64, i64, i64});
  auto func = LLVM::LLVMFuncOp::create(e.b, e.loc, prefix + "_raise", type, LLVM::Linkage::Internal);
  func.setNoInline(true);
  Block *entry = func.addEntryBlock(e.b);
  e.b.setInsertionPointToEnd(entry);
  V scratch = entry->getArgument(0), r0 = entry->getArgument(1), panel = entry->getArgument(2),
    runStart = entry->getArgument(3);
  V zero32 = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
  V minusInf = e.scalar(-std::numeric_limits<double>::infinity());

  auto done = e.loop(e.i64(0), e.i64(l.tileRows), 1, ValueRange{zero32, e.i1(false)}, [&](V r, ValueRange state) {
    V row = e.add(r0, r);
    V tileAt = e.at(e.at(scratch, l.tile()), e.mul(r, l.width * e.bytes));
    V s0 = e.load(e.vec, tileAt), s1 = e.load(e.vec, e.at(tileAt, e.lanes * e.bytes));
    // Largest score of the row that is no NaN.
    V m = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXNUMF,
                                      arith::MaxNumFOp::create(e.b, e.loc, s0, s1));
    V unsetAt = e.at(e.at(scratch, l.unset()), e.mul(row, 4));
    V isUnset = e.ne(e.load(i32, unsetAt), zero32);
    V threshold = e.scalar(variant.getThreshold().convertToDouble());
    V raise = e.cmpf(arith::CmpFPredicate::OGT, m, e.select(isUnset, minusInf, threshold));
    // A visible NaN makes the row seen: it ends as NaN, not as an empty row.
    V nan = e.either(e.cmpf(arith::CmpFPredicate::UNO, s0, s0), e.cmpf(arith::CmpFPredicate::UNO, s1, s1));
    e.when(e.anyLane(nan), [&] { e.store(zero32, unsetAt); });
    V far = e.cmpf(arith::CmpFPredicate::OGT, math::AbsFOp::create(e.b, e.loc, m), e.scalar(16));
    V again = e.both(raise, e.either(e.invert(isUnset), far));
    e.when(raise, [&] {
      // r' = r + m; s' = s - m
      V negAt = e.at(e.at(scratch, l.negRef()), e.mul(row, e.bytes));
      e.store(e.fsub(e.load(e.real, negAt), m), negAt);
      V shift = e.broadcast(m);
      // -inf stays absent even when the reference itself becomes infinite.
      auto moved = [&](V s) {
        return e.select(e.cmpf(arith::CmpFPredicate::OEQ, s, e.broadcast(minusInf)), s, e.fsub(s, shift));
      };
      e.store(moved(s0), tileAt);
      e.store(moved(s1), e.at(tileAt, e.lanes * e.bytes));
      e.store(zero32, unsetAt);
      // Nothing is carried before the first key; there the gauge could be infinite.
      e.when(e.invert(isUnset), [&] {
        RegionEmitter region(e, t.tensors, t.params, e.at(scratch, l.gather()));
        Block &gauge = weighOp.getGauge().front();
        region.bind(gauge.getArgument(0), region.real(e.fsub(e.scalar(0), m)));
        auto factor = region.emit(gauge.getTerminator()->getOperand(0));
        V g = e.broadcast(succeeded(factor) ? factor->v : e.scalar(1));
        auto scale = [&](V base, V from, V to) {
          e.loop(from, to, e.lanes * e.bytes,
                 [&](V at) { e.store(e.fmul(e.load(e.vec, e.at(base, at)), g), e.at(base, at)); });
        };
        for (unsigned n = 0; n < l.numSums; ++n)
          scale(e.at(e.at(scratch, l.sum(n)), e.mul(row, l.lanes * l.element)), e.i64(0), e.i64(l.lanes * l.element));
        scale(e.at(e.at(scratch, l.acc()), e.mul(row, l.valueRowBytes())), e.i64(0), e.i64(l.valueRowBytes()));
        // Weights of this run that wait for their product with the values.
        scale(e.at(e.at(scratch, l.weights()), e.mul(r, l.blockKeys * e.bytes)), e.mul(runStart, l.width * e.bytes),
              e.mul(panel, l.width * e.bytes));
      });
    });
    return SmallVector<V>{arith::OrIOp::create(e.b, e.loc, state[0], e.load(i32, unsetAt)), e.either(state[1], again)};
  });
  V strip = e.divUnsigned(r0, l.tileRows);
  e.store(done[0], e.at(e.at(scratch, l.stripUnset()), e.mul(strip, 4)));
  LLVM::ReturnOp::create(e.b, e.loc, done[1]);
  return success();
}
