// Numbers of rows (tile.param, tile.stat, tile.seed, tile.pick): each of the four lanes of a row computes them alike.
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

V CtaEmitter::rowNumber(V tile, unsigned r) {
  const Place &place = places[tile];
  switch (place.kind) {
  case Place::Ref:
    return last.ref[r];
  case Place::Sum:
    return last.sums[place.slot][r];
  default:
    return place.row[r];
  }
}

/// Whether a row has no visible score above -inf and no pass had a seed for it.
V CtaEmitter::isEmpty(unsigned r) {
  V empty = last.ref[r] ? e.cmpf(arith::CmpFPredicate::OEQ, last.ref[r], inf()) : e.invert(last.seen[r]);
  for (const Pair &seeded : seedRows)
    empty = e.both(empty, e.invert(seeded[r]));
  return empty;
}

SmallVector<V> CtaEmitter::evaluate(Region &region, ValueRange tiles, unsigned r) {
  Block &body = region.front();
  bool wide = computesInF64(body);
  FloatType f64 = Float64Type::get(e.b.getContext());
  Emit other(e.b, e.loc, wide ? f64 : e.real, wide ? 8 : 4);
  RegionEmitter emitter(other, tensors, params, V());
  for (auto [arg, tile] : llvm::zip(body.getArguments(), tiles)) {
    if (arg.use_empty())
      continue;
    V x = rowNumber(tile, r);
    emitter.bind(arg, emitter.real(wide ? (V)arith::ExtFOp::create(e.b, e.loc, f64, x) : x));
  }
  SmallVector<V> results;
  for (V yielded : body.getTerminator()->getOperands()) {
    auto x = emitter.emit(yielded);
    V v = succeeded(x) ? x->v : other.scalar(0);
    if (v.getType() != e.real && isa<FloatType>(v.getType()))
      v = arith::TruncFOp::create(e.b, e.loc, e.real, v);
    results.push_back(v);
  }
  return results;
}

void CtaEmitter::loadParam(tile::ParamOp op) {
  TensorRef &source = tensorOf(op.getSource());
  Type type = source.type.getElementType();
  Place place;
  for (unsigned r = 0; r < 2; ++r) {
    HeadOf head(*this, rowIndex[r]);
    V at = KernelEmitter::addressOf(source, op.getMap(), [&](unsigned) { return rowAt[r]; });
    place.row[r] = e.loadElement(type, at);
  }
  places[op.getResult()] = place;
}

void CtaEmitter::statistics(tile::StatOp op) {
  SmallVector<Place> made(op.getNumResults());
  for (unsigned r = 0; r < 2; ++r)
    for (auto [place, x] : llvm::zip(made, evaluate(op.getBody(), op.getState(), r)))
      place.row[r] = x;
  for (auto [result, place] : llvm::zip(op.getResults(), made))
    places[result] = place;
}

// r = max(ref, b); what is carried times gauge(ref - r), plus gauge(b - r) times the seed's
void CtaEmitter::seed(tile::SeedOp op) {
  Pair seeded;
  for (unsigned r = 0; r < 2; ++r) {
    SmallVector<V> seed = evaluate(op.getSeed(), op.getGiven(), r);
    V b = seed[0], before = last.ref[r];
    V seeds = e.cmpf(arith::CmpFPredicate::UNE, b, inf()), unset = e.cmpf(arith::CmpFPredicate::OEQ, before, inf());
    seeded[r] = seeds;
    V to = e.select(unset, b, arith::MaximumFOp::create(e.b, e.loc, before, b));
    // Of the state 1 where the row has none, of the seed's share whatever its distance gives.
    V own = e.select(unset, e.scalar(1), gaugeOf(op.getGauge(), before, to)), of = gaugeOf(op.getGauge(), b, to);
    auto merged = [&](V old, V x, bool weighed) {
      V sum = weighed ? e.fadd(rescaled(old, own), e.fmul(of, x)) : e.fadd(old, x);
      return e.select(seeds, sum, old);
    };
    for (auto [n, which] : llvm::enumerate(op.getSeeded())) {
      bool isSum = which < (int64_t)op.getSums().size();
      Place place = places[isSum ? op.getSums()[which] : op.getAccs()[which - op.getSums().size()]];
      V x = seed[1 + n];
      if (isSum) {
        last.sums[place.slot][r] = merged(last.sums[place.slot][r], x, place.weighed);
        continue;
      }
      for (auto [k, v] : llvm::enumerate(last.accs[place.slot]))
        if (halfOf(k) == r)
          v = merged(v, x, true);
    }
    last.ref[r] = e.select(seeds, to, before);
  }
  seedRows.push_back(seeded);
  unitReference = {};
  SmallVector<V> state{op.getRef()};
  llvm::append_range(state, op.getSums());
  llvm::append_range(state, op.getAccs());
  for (auto [from, to] : llvm::zip(state, op.getResults())) {
    Place place = places[from];
    places[to] = place;
  }
}

void CtaEmitter::pick(tile::PickOp op) {
  Place found = places[op.getFound()], score;
  score.row = last.sums[found.slot];
  places[op.getScore()] = score;
  Region &producer = op.getProducer();
  Part part{op.getSource(), op.getMap(), producer.empty() ? nullptr : &producer, t.allValues, 0};
  SmallVector<V> values;
  for (int64_t n = 0; n < valueTiles(); ++n)
    for (unsigned r = 0; r < 2; ++r)
      for (int64_t x = 0; x < 2; ++x) {
        V feature = feature0(8 * n + x), key = last.sums[found.slot + 1][r];
        V some = e.both(e.ge(key, i32(0)), e.lt(feature, e.i64(t.allValues)));
        values.push_back(e.choose(
            some, {e.real},
            [&] {
              V j = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), key);
              return SmallVector<V>{element(part, keyDim(), j, feature, false)};
            },
            [&] { return SmallVector<V>{e.scalar(0)}; })[0]);
      }
  Place value;
  value.kind = Place::Acc, value.slot = last.accs.size();
  last.accs.push_back(values);
  places[op.getValue()] = value;
}
