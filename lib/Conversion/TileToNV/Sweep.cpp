// One sweep over the keys (tile.for): what it carries is in registers from the first block to the last.
#include "CtaEmitter.h"
#include "attn/Dialect/Attn/PassForm.h"

using namespace mlir;
using namespace attn;
using V = Value;

SmallVector<V> CtaEmitter::State::flat() const {
  SmallVector<V> all;
  for (const Pair *pair : {&ref, &seen})
    for (V v : *pair)
      if (v)
        all.push_back(v);
  for (const Pair &sum : sums)
    llvm::append_range(all, sum);
  for (auto &acc : accs)
    llvm::append_range(all, acc);
  return all;
}

SmallVector<unsigned> CtaEmitter::State::rows() const {
  SmallVector<unsigned> all;
  for (const Pair *pair : {&ref, &seen})
    if ((*pair)[0])
      all.append({0, 1});
  for (unsigned n = 0; n < sums.size(); ++n)
    all.append({0, 1});
  for (auto &acc : accs)
    for (unsigned n = 0; n < acc.size(); ++n)
      all.push_back(halfOf(n));
  return all;
}

CtaEmitter::State CtaEmitter::State::with(ValueRange values) const {
  State s = *this;
  unsigned n = 0;
  for (Pair *pair : {&s.ref, &s.seen})
    for (V &v : *pair)
      if (v)
        v = values[n++];
  for (Pair &sum : s.sums)
    for (V &v : sum)
      v = values[n++];
  for (auto &acc : s.accs)
    for (V &v : acc)
      v = values[n++];
  return s;
}

LogicalResult CtaEmitter::matchSweep(tile::ForOp op) {
  forOp = op;
  weighOp = {};
  if (op.getOrder())
    return op.emitError("[unsupported_gpu] keys that go by an order have no lowering for GPUs");
  unsigned accumulates = 0;
  for (Operation &inner : op.getBody().front().without_terminator()) {
    if (auto weigh = dyn_cast<tile::WeighOp>(inner))
      weighOp = weigh;
    else if (isa<tile::AccumulateOp>(inner))
      ++accumulates;
    else if (!isa<tile::PlaceOp>(inner))
      return inner.emitError("[unsupported_gpu] ") << inner.getName().stripDialect() << " has no lowering for GPUs yet";
  }
  for (int64_t kind : weighOp.getSumOps())
    if (kind == 4)
      return op.emitError("[unsupported_gpu] the keys of the largest scores (topk) have no lowering for GPUs yet");
  if (accumulates > t.accs)
    return op.emitError("[unsupported_gpu] a sweep has ")
           << accumulates << " sums of values, and its tiles are for " << t.accs;
  if (t.registers() > GpuTiles::mostRegisters)
    return op.emitError("[unsupported_gpu] a thread would need about ")
           << t.registers() << " registers (" << t.accs << " sums of " << t.value
           << " value features: " << t.accumulatorRegisters() << ", scores: " << t.scoreRegisters()
           << ", products: " << t.productRegisters() << ", loads: " << t.loadRegisters()
           << ", addresses and rows: " << GpuTiles::otherRegisters << "), and there are " << GpuTiles::mostRegisters
           << "; fewer sums of values or smaller blocks of keys";
  hasRef = weighOp.getRef() && !weighOp.getSpreadTo(); // else it stands still
  Block &phi = weighOp.getPhi().front();
  plainPhi = false;
  if (phi.getTerminator()->getNumOperands() == 1)
    if (auto exp = phi.getTerminator()->getOperand(0).getDefiningOp<math::Exp2Op>())
      plainPhi = hasRef && exp.getOperand() == phi.getArgument(0);
  checksQueries = loadOp && loadOp.getChecked();
  checksKeys = false;
  if (packPhase)
    for (auto packs : packPhase.getBody().getOps<tile::PackOp>())
      checksKeys |= packs.getChecked();
  return success();
}

CtaEmitter::State CtaEmitter::startOf(tile::PhaseOp main) {
  return start(weighOf(*main.getBody().getOps<tile::ForOp>().begin()));
}

CtaEmitter::State CtaEmitter::start(tile::WeighOp weigh) {
  State s;
  bool hasRef = (bool)weigh.getRef();
  double infinite = std::numeric_limits<double>::infinity();
  auto pair = [](V v) { return Pair{v, v}; };
  (hasRef ? s.ref : s.seen) = pair(hasRef ? inf() : e.i1(false));
  for (int64_t kind : weigh.getSumOps()) {
    s.sums.push_back(pair(e.scalar(kind == 0 ? 0 : kind == 2 ? infinite : -infinite)));
    if (kind == 3)
      s.sums.push_back(pair(i32(-1))); // no key yet
  }
  s.accs.resize(weigh.getRescaled().size());
  for (auto &acc : s.accs)
    acc.assign(4 * valueTiles(), e.scalar(0));
  return s;
}

/// References, sums and accumulators are those of the last sweep; what outlives it is a number of rows.
void CtaEmitter::place(V ref, ValueRange sums, ValueRange accs, ArrayRef<int64_t> kinds, ArrayRef<int64_t> phis) {
  places.remove_if([](auto &entry) { return entry.second.kind != Place::Row; });
  if (ref)
    places[ref] = {Place::Ref};
  unsigned slot = 0, n = 0;
  for (auto [sum, kind, phi] : llvm::zip(sums, kinds, phis)) {
    places[sum] = {Place::Sum, slot, kind, phi >= 0};
    slot += kind == 3 ? 2 : 1;
  }
  for (V acc : accs)
    places[acc] = {Place::Acc, n++};
}

/// Whether anything that is asked of a pair takes its index along a batch dimension.
bool CtaEmitter::pairsKnow(unsigned d) {
  auto knows = [&](Region &region, unsigned from) {
    return !region.empty() && !region.front().getArgument(from + d).use_empty();
  };
  return knows(weighOp.getScore(), 1) || knows(weighOp.getFactor(), 0) || knows(weighOp.getClasses(), 0) ||
         llvm::any_of(weighOp.getValues(), [&](Region &values) { return knows(values, 1); });
}

void CtaEmitter::sweep(tile::ForOp op) {
  (void)matchSweep(op); // it was checked
  solveSet();
  keepQueries();
  State state = start(weighOp);
  eachBlock(state, [&](V first, V full, State &s) {
    blockFirst = first;
    auto where = std::tuple(index, rowAt, rowIndex);
    if (t.stages == 1) { // registers are few
      for (auto [d, n] : llvm::enumerate(index)) {
        if (!isShared(d) || program.getShare()[d] > 0) // else it is 0
          n = unknown(n);
        for (unsigned r = 0; r < 2; ++r)
          if (V &own = rowIndex[r][d]; !isShared(d))
            own = n;
          else if (pairsKnow(d))
            own = unknown(own);
      }
      for (V &row : rowAt)
        row = unknown(row);
    }
    stageKeys(first);
    SmallVector<V> products = scores();
    // Both copies give what is carried but the accumulators, the gauge, the weights, and which pairs have any.
    unsigned held = 0;
    State others = s;
    others.accs.clear();
    auto copy = [&](bool masked) {
      State now = others;
      Weighed w = weigh(products, first, masked, now);
      SmallVector<V> all = now.flat();
      held = all.size();
      if (hasRef)
        all.append({w.gauge[0], w.gauge[1], w.moves});
      for (auto &weights : w.weights)
        llvm::append_range(all, weights);
      if (guarded)
        llvm::append_range(all, w.visible);
      return all;
    };
    // The second pass tests the pairs of every block.
    SmallVector<V> all =
        guarded ? copy(true) : e.choose(full, {}, [&] { return copy(false); }, [&] { return copy(true); });
    ArrayRef<V> rest(all);
    others = others.with(ValueRange(rest.take_front(held)));
    rest = rest.drop_front(held);
    auto accs = s.accs;
    s = others;
    s.accs = accs;
    if (hasRef) {
      if (!s.accs.empty())
        rescale(s, rest[2], {rest[0], rest[1]});
      rest = rest.drop_front(3);
    }
    ArrayRef<V> visible = guarded ? rest.take_back(products.size()) : ArrayRef<V>();
    for (unsigned n = 0; n < s.accs.size(); ++n)
      accumulate(n, rest.slice(n * products.size(), products.size()), visible, s);
    std::tie(index, rowAt, rowIndex) = where;
  });
  finishSums(state);
  last = state;
  bool ref = hasRef;
  unsigned sums = weighOp.getSums().size();
  place(ref ? op.getResult(0) : V(), op.getResults().slice(ref, sums), op.getResults().drop_front(ref + sums),
        weighOp.getSumOps(), weighOp.getSumPhis());
  if (unitReference[0] && isShown(op.getResult(0)))
    settle();
}

/// Whether others than formulas of the finish take the reference, so that it has to be the number that is carried.
bool CtaEmitter::isShown(V ref) {
  return llvm::any_of(ref.getUsers(), [&](Operation *user) {
    auto finish = dyn_cast<tile::FinishOp>(user);
    if (!finish)
      return isa<tile::SeedOp, tile::SaveOp>(user);
    Block &body = finish.getBody().front();
    for (auto [n, position] : llvm::enumerate(finish.getOrder()))
      if (position == 0)
        return llvm::is_contained(body.getTerminator()->getOperands(), body.getArgument(n));
    return false;
  });
}

/// Sums are against factor u, and the reference is that rounded: from here on they are against the rounded number.
void CtaEmitter::settle() {
  double factor = factorOf(weighOp);
  Block &gauge = weighOp.getGauge().front();
  for (unsigned r = 0; r < 2; ++r) {
    V to = last.ref[r];
    V near = e.cmpf(arith::CmpFPredicate::OLT, math::AbsFOp::create(e.b, e.loc, to), e.scalar(largeReference(e.real)));
    V rest = e.select(near, e.fma(unitReference[r], e.scalar(factor), e.fsub(e.scalar(0), to)), e.scalar(0));
    RegionEmitter region = makeRegion();
    region.bind(gauge.getArgument(0), region.real(rest));
    auto emitted = region.emit(gauge.getTerminator()->getOperand(0));
    V g = succeeded(emitted) ? emitted->v : e.scalar(1);
    unsigned slot = 0;
    for (auto [phi, op] : llvm::zip(weighOp.getSumPhis(), weighOp.getSumOps())) {
      if (phi >= 0 && op == 0)
        last.sums[slot][r] = e.fmul(last.sums[slot][r], g);
      slot += op == 3 ? 2 : 1;
    }
    for (auto &acc : last.accs)
      for (auto [n, v] : llvm::enumerate(acc))
        if (halfOf(n) == r)
          v = e.fmul(v, g);
  }
  unitReference = {};
}

/// Accumulators times the gauges of their rows where any of the warp moves.
void CtaEmitter::rescale(State &state, V moves, Pair gauge) {
  auto flat = [&](bool times) {
    SmallVector<V> all;
    for (auto &acc : state.accs)
      for (auto [n, v] : llvm::enumerate(acc))
        all.push_back(times ? rescaled(v, gauge[halfOf(n)]) : v);
    return all;
  };
  SmallVector<V> all = e.choose(moves, {}, [&] { return flat(true); }, [&] { return flat(false); });
  auto next = all.begin();
  for (auto &acc : state.accs)
    for (V &v : acc)
      v = *next++;
}

/// Sums over keys, of which each of four lanes has its own columns' part.
void CtaEmitter::finishSums(State &state) {
  unitReference = {};
  if (double factor = hasRef ? factorOf(weighOp) : 0; factor != 0) {
    unitReference = state.ref;
    for (V &ref : state.ref)
      ref = e.fmul(ref, e.scalar(factor));
  }
  unsigned slot = 0;
  for (int64_t kind : weighOp.getSumOps()) {
    for (unsigned r = 0; r < 2; ++r) {
      V &x = state.sums[slot][r];
      if (kind == 0) {
        x = quad(x, [&](V a, V b) { return e.fadd(a, b); });
      } else if (kind == 1) {
        x = quad(x, [&](V a, V b) -> V { return arith::MaximumFOp::create(e.b, e.loc, a, b); });
      } else if (kind == 2) {
        x = quad(x, [&](V a, V b) -> V { return arith::MinimumFOp::create(e.b, e.loc, a, b); });
      } else { // the largest and its key: a NaN before all, the lowest key among equals
        V &k = state.sums[slot + 1][r];
        for (int mask : {1, 2}) {
          auto other = [&](V v) -> V {
            return nv::ShuffleXorOp::create(e.b, e.loc, v.getType(), v, e.b.getI32IntegerAttr(mask));
          };
          V y = other(x), l = other(k), take = isBetter(y, l, x, k);
          x = e.select(take, y, x), k = e.select(take, l, k);
        }
      }
    }
    slot += kind == 3 ? 2 : 1;
  }
  if (!hasRef)
    for (V &seen : state.seen) {
      V one = arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), seen);
      seen = e.ne(quad(one, [&](V a, V b) { return e.either(a, b); }), i32(0));
    }
}
