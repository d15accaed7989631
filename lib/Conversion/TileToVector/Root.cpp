// The root of a sum over the keys that falls with x (tile.root): sweeps that narrow a bracket for every row.
//
// F(lo) >= c > F(hi) at all times once both are known. The first sweep is at hi (whose row is done where F(hi) >= c),
// the second at lo, then at the secant's zero with the Illinois rule (Dowell, Jarratt 1971: an end that stays halves
// its distance), and at the middle in every third sweep, which bounds their number. A row is done when its bracket is
// 2^-22 (f64: 2^-48) of the larger end wide, and then stands still, whatever its neighbours do.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {
enum { Target, Lo, Hi, AtLo, AtHi, Done, Side }; // AtLo, AtHi: F - c; Side: which end moved last
}

void MainEmitter::root(tile::RootOp op, V pass) {
  unsigned slots = rootSlots.lookup(op);
  V x = op.getSweep().front().getArgument(0);
  auto at = [&](unsigned n, V row) { return rowAddress(slots + n, row); };
  auto get = [&](unsigned n, V row) { return e.load(e.real, at(n, row)); };
  auto put = [&](unsigned n, V row, V v) { e.store(v, at(n, row)); };
  auto xAt = [&](V row) { return rowAddress(places.lookup(x).slot, row); };
  auto less = [&](V a, V c) { return e.cmpf(arith::CmpFPredicate::OLT, a, c); };
  V zero = e.scalar(0), one = e.scalar(1);
  eachRow([&](V row) {
    SmallVector<V> to = evaluate(op.getTo(), op.getGiven(), row);
    put(Target, row, to[0]);
    put(Lo, row, to[1]);
    put(Hi, row, to[2]);
    // A bracket that is none, or not finite: its lower end is the result.
    V sound = less(to[1], to[2]);
    put(Done, row, e.select(sound, zero, one));
    put(Side, row, zero);
    put(AtLo, row, zero);
    put(AtHi, row, zero);
    e.store(e.select(sound, to[2], to[1]), xAt(row));
  });
  double narrow = e.real.isF64() ? 0x1p-51 : 0x1p-22; // in f64 closer than what is promised, as sums allow it
  e.whileLoop(
      ValueRange{e.i64(0), e.i1(true)},
      [&](ValueRange args) { return e.both(args[1], e.lt(args[0], e.i64(op.getAtMost()))); },
      [&](ValueRange args) {
        V sweep = args[0];
        runSteps(op.getSweep().front(), pass);
        Place sum = places.lookup(op.getSweep().front().getTerminator()->getOperand(0));
        auto left = e.loop(e.i64(0), e.mul(strips, l.tileRows), 1, ValueRange{e.i1(false)}, [&](V row, ValueRange any) {
          V f = e.fsub(sumOf(sum, row), get(Target, row)), at0 = e.load(e.real, xAt(row));
          V running = e.cmpf(arith::CmpFPredicate::OEQ, get(Done, row), zero);
          V above = e.cmpf(arith::CmpFPredicate::OGE, f, zero);
          V isFirst = e.eq(sweep, e.i64(0)), isSecond = e.eq(sweep, e.i64(1));
          V lo = get(Lo, row), hi = get(Hi, row), side = get(Side, row);
          V atLo = get(AtLo, row), atHi = get(AtHi, row);
          // Which end x becomes; an end that stays twice counts half.
          V movesLo = e.both(e.invert(isFirst), e.either(above, isSecond)), movesHi = e.invert(movesLo);
          V stays = e.cmpf(arith::CmpFPredicate::OEQ, side, e.select(movesLo, one, e.scalar(-1)));
          V half = e.select(e.both(stays, e.invert(isSecond)), e.scalar(0.5), one);
          V newLo = e.select(movesLo, at0, lo), newHi = e.select(movesHi, at0, hi);
          V newAtLo = e.select(movesLo, f, e.fmul(atLo, half)), newAtHi = e.select(movesHi, f, e.fmul(atHi, half));
          // F(hi) reaches the target: hi is the root. F(lo) does not: nor does anything above it.
          V hiIsRoot = e.both(isFirst, above), loFails = e.both(isSecond, e.invert(above));
          newLo = e.select(hiIsRoot, hi, newLo);
          V size = arith::MaximumFOp::create(e.b, e.loc, math::AbsFOp::create(e.b, e.loc, newLo),
                                             math::AbsFOp::create(e.b, e.loc, newHi));
          V width = e.fsub(newHi, newLo);
          V open = e.both(e.invert(isFirst), e.cmpf(arith::CmpFPredicate::OLE, width, e.fmul(size, e.scalar(narrow))));
          V done = e.either(e.either(hiIsRoot, loFails), open);
          // next x
          V third = e.eq(e.sub(sweep, e.mul(e.divUnsigned(sweep, 3), 3)), e.i64(0));
          V middle = e.fadd(newLo, e.fmul(width, e.scalar(0.5)));
          V secant = e.fadd(newLo, e.fmul(width, e.fdiv(newAtLo, e.fsub(newAtLo, newAtHi))));
          // Not nearer to an end than the bracket has to become: where that end is the root, the next sweep closes the
          // bracket, while its other end would come there by halves alone.
          V step = e.fmul(size, e.scalar(0.75 * narrow));
          secant = arith::MaximumFOp::create(e.b, e.loc, secant, e.fadd(newLo, step));
          secant = arith::MinimumFOp::create(e.b, e.loc, secant, e.fsub(newHi, step));
          V inside = e.both(less(newLo, secant), less(secant, newHi));
          V next = e.select(e.either(third, e.invert(inside)), middle, secant);
          // Numbers between the ends may have run out.
          done = e.either(done, e.both(e.invert(isFirst), e.invert(e.both(less(newLo, next), less(next, newHi)))));
          next = e.select(isFirst, newLo, next);
          e.when(running, [&] {
            put(Lo, row, newLo);
            put(Hi, row, newHi);
            put(AtLo, row, newAtLo);
            put(AtHi, row, newAtHi);
            put(Side, row, e.select(movesLo, one, e.scalar(-1)));
            put(Done, row, e.select(done, one, zero));
            e.store(e.select(done, newLo, next), xAt(row));
          });
          return SmallVector<V>{e.either(any[0], e.both(running, e.invert(done)))};
        });
        return SmallVector<V>{e.add(sweep, 1), left[0]};
      });
  eachRow([&](V row) { e.store(get(Lo, row), rowAddress(places.lookup(op.getResult()).slot, row)); });
}
