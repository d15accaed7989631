// Scores, reference, weights and sums of a block (tile.weigh).
//
//   s = score(product)                                  -inf where absent
//   r' = max(r, max_j s), over the four lanes of a row, where that is above r + threshold; a NaN stays
//   p = phi(s - r'), 0 where absent                     what is carried times gauge(r, r')
//
// Whether a reference of the warp is to be raised is one vote, and seldom so: each lane asks for its own columns, and
// only then are rows looked at as a whole, and what is carried multiplied.
//
// Where scores are f u with a constant f > 0, the reference is carried as that of u, and s - r' is f (u - u'): exactly
// 0 for the largest, whose weight so is exactly that of phi(0), and rounded for its own size, not for that of the
// scores. Where a statistic shows the reference, scores are rounded first, as later passes have them (PassForm.h).
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

/// The arguments of a region from number `from` on: batch indices, query, key.
void CtaEmitter::bindPair(RegionEmitter &region, Block &block, unsigned from, unsigned r, V j) {
  for (unsigned d = 0; d < program.getNumBatch(); ++d)
    region.bind(block.getArgument(from + d), region.indexScalar(rowIndex[r][d], d));
  region.bind(block.getArgument(from + queryDim()), region.indexScalar(rowAt[r], queryDim()));
  V last = e.max(e.sub(extents[keyDim()], e.i64(1)), e.i64(0));
  region.bind(block.getArgument(from + keyDim()), region.indexScalar(e.min(j, last), keyDim()));
}

/// What a region over (score, indices), or over the indices alone, yields. A bad index makes the pair absent.
V CtaEmitter::regionOfPair(Region &of, V score, unsigned r, V j, V &present, Val *integer) {
  Block &block = of.front();
  RegionEmitter region = makeRegion();
  if (score)
    region.bind(block.getArgument(0), region.real(score));
  bindPair(region, block, score ? 1 : 0, r, j);
  auto x = region.emit(block.getTerminator()->getOperand(0));
  present = report(region.checks, present);
  if (integer)
    *integer = succeeded(x) ? *x : region.constantInt(-1);
  return succeeded(x) ? x->v : e.scalar(0);
}

/// Exactly 1 where nothing moves or nothing is carried yet.
V CtaEmitter::gaugeOf(Region &gauge, V from, V to, V factor) {
  Block &body = gauge.front();
  RegionEmitter region = makeRegion();
  V distance = e.fsub(from, to);
  region.bind(body.getArgument(0), region.real(factor ? e.fmul(distance, factor) : distance));
  auto g = region.emit(body.getTerminator()->getOperand(0));
  V same = e.either(e.cmpf(arith::CmpFPredicate::OEQ, from, to), e.cmpf(arith::CmpFPredicate::OEQ, from, inf()));
  return e.select(same, e.scalar(1), succeeded(g) ? g->v : e.scalar(1));
}

/// x gauge; in the careful pass what overflowed counts for nothing where the gauge is 0.
V CtaEmitter::rescaled(V x, V gauge) {
  V product = e.fmul(x, gauge);
  if (!guarded)
    return product;
  V size = math::AbsFOp::create(e.b, e.loc, x);
  V lost = e.both(e.cmpf(arith::CmpFPredicate::OEQ, size, e.scalar(std::numeric_limits<double>::infinity())),
                  e.cmpf(arith::CmpFPredicate::OEQ, gauge, e.scalar(0)));
  return e.select(lost, e.scalar(0), product);
}

/// (x, key) before (y, other): greater, NaN where none was, equal and of a lower key. -1 is no key.
V CtaEmitter::isBetter(V x, V key, V y, V other) {
  auto isNaN = [&](V v) { return e.cmpf(arith::CmpFPredicate::UNO, v, v); };
  V nan = isNaN(x), wasNaN = isNaN(y), none = e.lt(other, i32(0));
  V greater = e.both(e.invert(wasNaN), e.cmpf(arith::CmpFPredicate::UGT, x, y));
  V same = e.either(e.cmpf(arith::CmpFPredicate::OEQ, x, y), e.both(nan, wasNaN));
  V better = e.either(greater, e.both(same, e.lt(key, other)));
  return e.both(e.ge(key, i32(0)), e.either(none, better));
}

/// f of scores f u with a constant f > 0; 0: they are not.
double CtaEmitter::scoreFactor(tile::WeighOp weigh) {
  auto product = weigh.getScore().front().getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
  FloatAttr factor;
  bool has = product && matchPattern(product.getRhs(), m_Constant(&factor)) && factor.getValue().isFiniteNonZero() &&
             !factor.getValue().isNegative();
  return has ? factor.getValueAsDouble() : 0;
}

/// The same of a sweep that carries a reference, and u.
double CtaEmitter::factorOf(tile::WeighOp weigh) {
  return weigh.getRef() && !weigh.getSpreadTo() && !weigh.getExact() ? scoreFactor(weigh) : 0;
}

V CtaEmitter::unitOf(tile::WeighOp weigh) {
  if (factorOf(weigh) == 0)
    return {};
  return weigh.getScore().front().getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>().getLhs();
}

SmallVector<V> CtaEmitter::phi(V x, unsigned r) {
  Block &body = weighOp.getPhi().front();
  RegionEmitter region = makeRegion();
  region.boundedExp2 = plainPhi;
  region.bind(body.getArgument(0), region.real(x));
  unsigned n = 1;
  if (weighOp.getUsesRef())
    region.bind(body.getArgument(n++), region.real(reference[r]));
  for (V tile : weighOp.getGiven()) {
    if (BlockArgument arg = body.getArgument(n++); !arg.use_empty())
      region.bind(arg, region.real(rowNumber(tile, r)));
  }
  SmallVector<V> weights;
  for (V yielded : body.getTerminator()->getOperands()) {
    auto w = region.emit(yielded);
    weights.push_back(succeeded(w) ? w->v : x);
  }
  return weights;
}

void CtaEmitter::addToSums(ArrayRef<V> p, V score, unsigned r, V j, V present, ArrayRef<V> inClass, State &state) {
  unsigned slot = 0;
  for (unsigned n = 0; n < weighOp.getSums().size(); ++n) {
    int64_t of = weighOp.getSumPhis()[n], value = weighOp.getSumValues()[n], op = weighOp.getSumOps()[n],
            cls = weighOp.getSumClasses()[n];
    V in = cls < 0 ? present : inClass[cls], y;
    if (value >= 0)
      y = regionOfPair(weighOp.getValues()[value], score, r, j, in);
    V &sum = state.sums[slot][r];
    if (op == 0) {
      V term = of < 0 ? (y ? y : e.scalar(1)) : y ? e.fmul(p[of], y) : p[of];
      bool isZero = of >= 0 && !y && cls < 0; // an absent weight is 0 already
      sum = e.fadd(sum, isZero ? term : e.select(in, term, e.scalar(0)));
    } else if (op == 3) {
      V &keys = state.sums[slot + 1][r];
      V now = arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), j);
      V take = e.both(in, isBetter(y, now, sum, keys));
      sum = e.select(take, y, sum), keys = e.select(take, now, keys);
      ++slot;
    } else {
      V both =
          op == 1 ? (V)arith::MaximumFOp::create(e.b, e.loc, sum, y) : (V)arith::MinimumFOp::create(e.b, e.loc, sum, y);
      sum = e.select(in, both, sum);
    }
    ++slot;
  }
}

/// References of the rows, gauges, and whether any of the warp moves. `factor`: of the units that scores are in, or
/// null.
void CtaEmitter::raise(ArrayRef<V> units, V factor, State &state, Weighed &result) {
  auto max = [&](V a, V b) -> V { return arith::MaximumFOp::create(e.b, e.loc, a, b); };
  double threshold =
      weighOp.getExact() ? 0 : phase->getParentOfType<tile::VariantOp>().getThreshold().convertToDouble();
  if (factor)
    threshold /= factorOf(weighOp);
  auto isAbove = [&](V m, V ref) {
    return e.cmpf(arith::CmpFPredicate::UGT, m, threshold == 0 ? ref : e.fadd(ref, e.scalar(threshold)));
  };
  Pair most, before = state.ref;
  V above;
  for (unsigned r = 0; r < 2; ++r) {
    for (unsigned n = 0; n < units.size(); ++n)
      if (halfOf(n) == r)
        most[r] = most[r] ? max(most[r], units[n]) : units[n];
    V own = isAbove(most[r], before[r]);
    above = above ? e.either(above, own) : own;
  }
  result.moves = e.ne(nv::BallotOp::create(e.b, e.loc, e.b.getI32Type(), above), i32(0));
  SmallVector<V> all = e.choose(
      result.moves, SmallVector<Type>(4, e.real),
      [&] {
        SmallVector<V> refs, gauges;
        for (unsigned r = 0; r < 2; ++r) {
          V m = quad(most[r], max), to = e.select(isAbove(m, before[r]), max(before[r], m), before[r]);
          refs.push_back(to), gauges.push_back(gaugeOf(weighOp.getGauge(), before[r], to, factor));
        }
        refs.append(gauges);
        return refs;
      },
      [&] { return SmallVector<V>{before[0], before[1], e.scalar(1), e.scalar(1)}; });
  state.ref = {all[0], all[1]}, result.gauge = {all[2], all[3]};
}

CtaEmitter::Weighed CtaEmitter::weigh(ArrayRef<V> products, V first, bool masked, State &state) {
  Weighed result;
  unsigned count = products.size();
  SmallVector<V> s(count), units(count), present(count, e.i1(true));
  auto rowOfElement = [](unsigned n) { return halfOf(n); };
  auto keyOf = [&](unsigned n) { return key(first, n); };
  Block &score = weighOp.getScore().front();
  V yielded = score.getTerminator()->getOperand(0), unit = unitOf(weighOp);
  V factor = unit ? e.scalar(factorOf(weighOp)) : V();
  for (unsigned n = 0; n < count; ++n) {
    RegionEmitter region = makeRegion();
    region.contracts = true;
    region.bind(score.getArgument(0), region.real(products[n]));
    bindPair(region, score, 1, rowOfElement(n), keyOf(n));
    auto x = region.emit(unit ? unit : yielded);
    units[n] = succeeded(x) ? x->v : e.scalar(0);
    if (masked)
      present[n] = visible(rowOfElement(n), keyOf(n));
    if (!region.checks.empty())
      present[n] = report(region.checks, present[n]);
    if (masked || !region.checks.empty())
      units[n] = e.select(present[n], units[n], inf());
    s[n] = unit ? e.fmul(units[n], factor) : units[n];
  }
  if (hasRef)
    raise(units, unit ? factor : V(), state, result);
  std::array<V, 2> shift;
  for (unsigned r = 0; r < 2 && hasRef; ++r) {
    V now = state.ref[r];
    reference[r] = unit ? e.fmul(now, factor) : now;
    shift[r] = e.select(e.cmpf(arith::CmpFPredicate::OEQ, now, inf()), e.scalar(0), now);
    unsigned slot = 0;
    for (auto [phi, op] : llvm::zip(weighOp.getSumPhis(), weighOp.getSumOps())) {
      if (phi >= 0 && op == 0)
        state.sums[slot][r] = rescaled(state.sums[slot][r], result.gauge[r]);
      slot += op == 3 ? 2 : 1;
    }
  }
  result.weights.resize(weighOp.getRescaled().size());
  for (unsigned n = 0; n < count; ++n) {
    unsigned r = rowOfElement(n);
    V hidden = e.cmpf(arith::CmpFPredicate::OEQ, s[n], inf()); // absent, or a visible -inf
    V x = s[n];
    if (hasRef)
      x = e.fsub(units[n], shift[r]);
    if (hasRef && unit)
      x = e.fmul(x, factor);
    SmallVector<V> p = phi(x, r);
    for (V &w : p) {
      if (plainPhi)
        continue;
      if (!hasRef) // a score of +inf makes its row NaN, whatever the weight is
        w = e.fma(x, e.scalar(0), w);
      w = e.select(hidden, e.scalar(0), w);
    }
    V seen = e.invert(hidden);
    if (!hasRef)
      state.seen[r] = e.either(state.seen[r], seen);
    V in = seen;
    // Which class the pair is of, as a condition for each.
    SmallVector<V> inClass;
    if (!weighOp.getClasses().empty()) {
      Val label;
      regionOfPair(weighOp.getClasses(), V(), r, keyOf(n), in, &label);
      RegionEmitter region = makeRegion();
      int64_t most = -1;
      for (int64_t c : weighOp.getSumClasses())
        most = std::max(most, c);
      for (int64_t c : weighOp.getWeightClasses())
        most = std::max(most, c);
      for (int64_t c = 0; c <= most; ++c)
        inClass.push_back(e.both(in, region.compare(arith::CmpIPredicate::eq, label, region.constantInt(c))));
    }
    addToSums(p, s[n], r, keyOf(n), in, inClass, state);
    V dropped;
    if (!weighOp.getFactor().empty()) {
      V whatever = in;
      dropped = regionOfPair(weighOp.getFactor(), V(), r, keyOf(n), whatever);
    }
    for (auto [m, weights] : llvm::enumerate(result.weights)) {
      V w = p[weighOp.getWeightPhis()[m]];
      if (int64_t cls = weighOp.getWeightClasses()[m]; cls >= 0)
        w = e.select(inClass[cls], w, e.scalar(0));
      weights.push_back(dropped ? e.fmul(w, dropped) : w);
    }
    result.visible.push_back(in);
  }
  return result;
}
