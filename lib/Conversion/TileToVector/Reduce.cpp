// Weights and sums of other kinds than one weight and its sums: several weights, classes of keys, sums of what regions
// say, largest and least, argmax (tile.weigh), as far as they are not in registers (Inline.cpp). Row by row through L1,
// so that the code of the regions is emitted once.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

V MainEmitter::reduceRows(ArrayRef<V> s, V panel) {
  storeTile(s);
  auto some = e.loop(e.i64(0), e.i64(l.tileRows), 1, ValueRange{e.i1(false)},
                     [&](V r, ValueRange any) { return SmallVector<V>{e.either(any[0], reduceRow(r, panel))}; });
  return accumulates.empty() ? V() : e.invert(some[0]);
}

void MainEmitter::bindIndices(RegionEmitter &region, SetEmitter &set, Block &block, unsigned first, V r, V keyLo) {
  TaskEmitter::Row own(t, e.min(e.add(rowLo, r), lastRow));
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    region.bind(block.getArgument(first + d), region.indexScalar(t.index[d], d));
  region.bind(block.getArgument(first + t.queryDim()), queryIndex(region, e.min(e.add(rowLo, r), lastRow)));
  region.bind(block.getArgument(first + t.keyDim()), bindKey(region, set, keyLo));
}

/// One row of the microtile; whether any weight that meets a value is not 0.
V MainEmitter::reduceRow(V r, V panel, bool extremes) {
  V keyPosition = keyAt(panel);
  V rowAt = e.at(e.at(t.scratch, l.tile()), e.mul(r, l.width * e.bytes));
  double inf = std::numeric_limits<double>::infinity();
  V absent = e.splat(-inf), some = e.i1(false);
  for (unsigned half = 0; half < 2; ++half) {
    V x = e.load(e.vec, e.at(rowAt, half * e.lanes * e.bytes));
    V present = e.cmpf(arith::CmpFPredicate::UNE, x, absent);
    V keyLo = e.add(keyPosition, half * e.lanes);
    SmallVector<V> p = extremes ? SmallVector<V>() : phiOf(x, r);

    RegionEmitter region = makeRegion();
    SetEmitter set = makeSet(region);
    RegionEmitter::Val key = bindKey(region, set, keyLo), label;
    if (!weighOp.getClasses().empty()) {
      Block &block = weighOp.getClasses().front();
      bindIndices(region, set, block, 0, r, keyLo);
      auto emitted = region.emit(block.getTerminator()->getOperand(0));
      label = succeeded(emitted) ? *emitted : region.constantInt(-1);
      report(region.checks, present);
      for (const RegionEmitter::BoundsCheck &check : region.checks)
        present = e.both(present, region.asVector(check.ok));
    }
    auto inClass = [&](int64_t cls) -> V {
      return cls < 0
                 ? present
                 : e.both(present,
                          region.asVector(region.compare(arith::CmpIPredicate::eq, label, region.constantInt(cls))));
    };
    V score = x; // in the kernel's units
    if (keepsScores)
      score = keptScore(e.mul(r, l.width * e.bytes), half);

    unsigned top = 0;
    for (unsigned n = 0; n < sums.size(); ++n) {
      int64_t phi = weighOp.getSumPhis()[n], value = weighOp.getSumValues()[n], op = weighOp.getSumOps()[n];
      if (extremes && op == 0)
        continue;
      V in = inClass(weighOp.getSumClasses()[n]), y = e.splat(1);
      if (value >= 0) {
        Block &block = weighOp.getValues()[value].front();
        RegionEmitter of = makeRegion();
        SetEmitter ofSet = makeSet(of);
        of.bind(block.getArgument(0), of.real(score));
        bindIndices(of, ofSet, block, 1, r, keyLo);
        auto emitted = of.emit(block.getTerminator()->getOperand(0));
        y = succeeded(emitted) ? of.asVector(emitted->v) : x;
        report(of.checks, in);
        for (const RegionEmitter::BoundsCheck &check : of.checks)
          in = e.both(in, of.asVector(check.ok));
      }
      V at = e.at(sums[n], e.mul(r, e.lanes * e.bytes)), before = e.load(e.vec, at);
      switch (op) {
      case 0: {
        V term = phi < 0 ? y : value < 0 ? p[phi] : e.fmul(p[phi], y);
        e.store(e.fadd(before, e.select(in, term, e.splat(0))), at);
        break;
      }
      case 1: // a NaN stays
        e.store(e.select(in, arith::MaximumFOp::create(e.b, e.loc, before, y), before), at);
        break;
      case 2:
        e.store(e.select(in, arith::MinimumFOp::create(e.b, e.loc, before, y), before), at);
        break;
      case 4: {
        V now = region.asVector(key.v);
        Type integer = e.vecOf(e.b.getIntegerType(e.bytes * 8));
        if (now.getType() != integer)
          now = e.bytes == 8 ? (V)arith::ExtSIOp::create(e.b, e.loc, integer, now)
                             : (V)arith::TruncIOp::create(e.b, e.loc, integer, now);
        addToTop(top++, sumSlots[n], e.add(e.sub(rowLo, first), r), y, now, in);
        break;
      }
      default: {
        // Greater, or NaN where none was, or equal and of a lower key (positions need not ascend by key).
        V keysAt = e.at(e.at(at, l.sum(1) - l.sum(0)), (int64_t)0);
        Type integer = e.vecOf(e.b.getIntegerType(e.bytes * 8));
        V keys = e.load(integer, keysAt), now = region.asVector(key.v);
        if (now.getType() != integer)
          now = e.bytes == 8 ? (V)arith::ExtSIOp::create(e.b, e.loc, integer, now)
                             : (V)arith::TruncIOp::create(e.b, e.loc, integer, now);
        V nan = e.cmpf(arith::CmpFPredicate::UNO, y, y), wasNan = e.cmpf(arith::CmpFPredicate::UNO, before, before);
        V ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
        V notBefore = arith::XOrIOp::create(e.b, e.loc, wasNan, ones);
        V greater = e.both(notBefore, e.cmpf(arith::CmpFPredicate::UGT, y, before));
        V same = e.either(e.cmpf(arith::CmpFPredicate::OEQ, y, before), e.both(nan, wasNan));
        V none = e.cmp(arith::CmpIPredicate::slt, keys, e.splatInt(cast<VectorType>(integer), 0));
        V lower = e.both(same, e.either(none, e.cmp(arith::CmpIPredicate::slt, now, keys)));
        V take = e.both(in, e.either(greater, lower));
        e.store(e.select(take, y, before), at);
        e.store(e.select(take, now, keys), keysAt);
      }
      }
    }
    for (unsigned n = 0; n < accumulates.size() && !extremes; ++n) {
      int64_t cls = weighOp.getWeightClasses()[n];
      V w = p[weighOp.getWeightPhis()[n]];
      if (cls >= 0 || !region.checks.empty())
        w = e.select(inClass(cls), w, e.splat(0));
      if (!weighOp.getFactor().empty())
        w = e.fmul(w, valueFactor(r, panel, half));
      keepWeight(n, r, panel, half, w);
      some = e.either(some, e.anyLane(e.cmpf(arith::CmpFPredicate::UNE, w, e.splat(0))));
    }
    if (!hasRef && !extremes)
      e.when(e.anyLane(present), [&] {
        e.store(arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0)), e.at(unset, e.mul(r, 4)));
      });
  }
  return some;
}
