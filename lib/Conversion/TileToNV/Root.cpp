// The root of a sum over the keys that falls with x (tile.root): sweeps that narrow a bracket for every row.
//
// F(lo) >= c > F(hi) at all times once both are known. The first sweep is at hi (whose row is done where F(hi) >= c),
// the second at lo, then at the secant's zero with the Illinois rule (Dowell, Jarratt 1971: an end that stays halves
// its distance), and at the middle in every third sweep, which bounds their number. A row is done when its bracket is
// 2^-22 of the larger end wide, and then stands still, whatever its neighbours do. The CTA sweeps until all rows are.
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {
enum { Sought, Lo, Hi, AtLo, AtHi, Side, X, Done, Fields }; // AtLo, AtHi: F - c; Side: which end moved last; Done: i1
}

void CtaEmitter::root(tile::RootOp op) {
  Block &body = op.getSweep().front();
  auto less = [&](V a, V c) { return e.cmpf(arith::CmpFPredicate::OLT, a, c); };
  V zero = e.scalar(0), one = e.scalar(1);
  constexpr double narrow = 0x1p-22;
  SmallVector<V> init{e.i64(0), e.i1(true)};
  for (unsigned r = 0; r < 2; ++r) {
    SmallVector<V> to = evaluate(op.getTo(), op.getGiven(), r);
    // A bracket that is none, or not finite: its lower end is the result.
    V sound = less(to[1], to[2]);
    init.append({to[0], to[1], to[2], zero, zero, zero, e.select(sound, to[2], to[1]), e.invert(sound)});
  }
  auto found = e.whileLoop(
      init, [&](ValueRange args) { return e.both(args[1], e.lt(args[0], e.i64(op.getAtMost()))); },
      [&](ValueRange args) {
        V sweepNumber = args[0];
        Place x;
        for (unsigned r = 0; r < 2; ++r)
          x.row[r] = args[2 + Fields * r + X];
        places[body.getArgument(0)] = x;
        for (Operation &inner : body.without_terminator())
          runStep(inner);
        V sumTile = body.getTerminator()->getOperand(0);
        SmallVector<V> next{e.add(sweepNumber, 1), V()};
        V left = e.i1(false);
        for (unsigned r = 0; r < 2; ++r) {
          auto get = [&](unsigned n) { return args[2 + Fields * r + n]; };
          V f = e.fsub(rowNumber(sumTile, r), get(Sought)), at0 = get(X), running = e.invert(get(Done));
          V above = e.cmpf(arith::CmpFPredicate::OGE, f, zero);
          V isFirst = e.eq(sweepNumber, e.i64(0)), isSecond = e.eq(sweepNumber, e.i64(1));
          // Which end x becomes; an end that stays twice counts half.
          V movesLo = e.both(e.invert(isFirst), e.either(above, isSecond)), movesHi = e.invert(movesLo);
          V stays = e.cmpf(arith::CmpFPredicate::OEQ, get(Side), e.select(movesLo, one, e.scalar(-1)));
          V half = e.select(e.both(stays, e.invert(isSecond)), e.scalar(0.5), one);
          V lo = e.select(movesLo, at0, get(Lo)), hi = e.select(movesHi, at0, get(Hi));
          V atLo = e.select(movesLo, f, e.fmul(get(AtLo), half)), atHi = e.select(movesHi, f, e.fmul(get(AtHi), half));
          // F(hi) reaches the target: hi is the root. F(lo) does not: nor does anything above it.
          V hiIsRoot = e.both(isFirst, above), loFails = e.both(isSecond, e.invert(above));
          lo = e.select(hiIsRoot, get(Hi), lo);
          auto size = [&](V v) -> V { return math::AbsFOp::create(e.b, e.loc, v); };
          V most = arith::MaximumFOp::create(e.b, e.loc, size(lo), size(hi)), width = e.fsub(hi, lo);
          V closed =
              e.both(e.invert(isFirst), e.cmpf(arith::CmpFPredicate::OLE, width, e.fmul(most, e.scalar(narrow))));
          V done = e.either(e.either(hiIsRoot, loFails), closed);
          V third = e.eq(e.sub(sweepNumber, e.mul(e.divUnsigned(sweepNumber, 3), 3)), e.i64(0));
          V middle = e.fadd(lo, e.fmul(width, e.scalar(0.5)));
          V secant = e.fadd(lo, e.fmul(width, e.fdiv(atLo, e.fsub(atLo, atHi))));
          // Not nearer to an end than the bracket has to become: where that end is the root, the next sweep closes it.
          V step = e.fmul(most, e.scalar(0.75 * narrow));
          secant = arith::MaximumFOp::create(e.b, e.loc, secant, e.fadd(lo, step));
          secant = arith::MinimumFOp::create(e.b, e.loc, secant, e.fsub(hi, step));
          V inside = e.both(less(lo, secant), less(secant, hi));
          V to = e.select(e.either(third, e.invert(inside)), middle, secant);
          // Numbers between the ends may have run out.
          done = e.either(done, e.both(e.invert(isFirst), e.invert(e.both(less(lo, to), less(to, hi)))));
          to = e.select(isFirst, lo, to);
          V now[Fields] = {
              get(Sought), lo, hi, atLo, atHi, e.select(movesLo, one, e.scalar(-1)), e.select(done, lo, to), done};
          for (unsigned n = 0; n < Fields; ++n)
            next.push_back(e.select(running, now[n], get(n)));
          left = e.either(left, e.both(live[r], e.both(running, e.invert(done))));
        }
        next[1] = anyThread(left);
        return next;
      });
  Place result;
  for (unsigned r = 0; r < 2; ++r)
    result.row[r] = found[2 + Fields * r + Lo];
  places[op.getResult()] = result;
}
