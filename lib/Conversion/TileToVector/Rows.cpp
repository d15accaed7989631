// Numbers of rows, and where the tiles of a query block live (tile.param, tile.stat, tile.seed, tile.pick).
//
// A reference lives in negRef and absRef (see Raise.cpp), a sum in a vector of lanes of every row, an accumulator in a
// row of features, all else in one number a row. A sweep clears what it carries, so that references, sums and
// accumulators are those of the last sweep; what outlives it is a number of the rows.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

static unsigned sumSlotsOf(tile::WeighOp weigh) {
  unsigned slots = 0;
  for (int64_t kind : weigh.getSumOps())
    slots += kind == 3 ? 2 : 1;
  return slots;
}

/// A root keeps target, ends of the bracket, F there, and how it stands.
static constexpr unsigned kRootRows = 7;

static SmallVector<int64_t, 2> topsOf(tile::WeighOp weigh) {
  SmallVector<int64_t, 2> tops;
  for (auto [sum, kind] : llvm::zip(weigh.getSums(), weigh.getSumOps()))
    if (kind == 4)
      tops.push_back(cast<tile::TileType>(sum.getType()).getShape()[1]);
  return tops;
}

void attn::countSlots(tile::PhaseOp phase, Layout &l) {
  unsigned numRows = 0;
  phase.walk([&](Operation *op) {
    if (auto weigh = dyn_cast<tile::WeighOp>(op)) {
      if (auto tops = topsOf(weigh); !tops.empty()) // of the last sweep alone
        l.tops = tops;
      l.numSums = std::max(l.numSums, sumSlotsOf(weigh));
      l.numAccs = std::max<unsigned>(l.numAccs, weigh.getRescaled().size());
      l.numWeights = std::max<unsigned>(l.numWeights, weigh.getWeights().size());
      if (phase.getChunks()) {
        l.stateSums = sumSlotsOf(weigh);
        l.stateAccs = weigh.getRescaled().size();
      }
    } else if (isa<tile::SeedOp>(op)) {
      ++numRows;
    } else if (isa<tile::PickOp>(op)) {
      ++numRows;
      l.numAccs = std::max(l.numAccs, 1u);
    } else if (isa<tile::ParamOp, tile::StatOp>(op)) {
      numRows += op->getNumResults();
    } else if (isa<tile::RootOp>(op)) {
      numRows += 2 + kRootRows;
    }
  });
  l.numRows = std::max(l.numRows, numRows);
}

unsigned MainEmitter::newRow(V tile) {
  if (tile)
    places[tile] = {Place::Row, usedRows};
  return usedRows++;
}

void MainEmitter::assignPlaces(Block &block) {
  auto place = [&](Value ref, ValueRange sums, ValueRange accs, ArrayRef<int64_t> kinds, ArrayRef<int64_t> phis) {
    if (ref)
      places[ref] = {Place::Ref};
    unsigned slot = 0, n = 0, top = 0;
    for (auto [sum, kind, phi] : llvm::zip(sums, kinds, phis)) {
      places[sum] = {Place::Sum, slot, kind, phi >= 0, kind == 4 ? top++ : 0};
      slot += kind == 3 ? 2 : 1;
    }
    for (V acc : accs)
      places[acc] = {Place::Acc, n++};
  };
  for (Operation &op : block) {
    if (isa<tile::ParamOp, tile::StatOp>(op)) {
      for (V result : op.getResults())
        newRow(result);
    } else if (auto pick = dyn_cast<tile::PickOp>(op)) {
      newRow(pick.getScore());
      places[pick.getValue()] = {Place::Acc, 0};
      seedRows.clear(); // without keys there is none to select, seeds or not
    } else if (auto root = dyn_cast<tile::RootOp>(op)) {
      newRow(root.getResult());
      newRow(root.getSweep().front().getArgument(0));
      rootSlots[root] = usedRows;
      usedRows += kRootRows;
      assignPlaces(root.getSweep().front());
    } else if (auto seed = dyn_cast<tile::SeedOp>(op)) {
      seedRows[seed] = newRow(V());
      SmallVector<V> state{seed.getRef()};
      llvm::append_range(state, seed.getSums());
      llvm::append_range(state, seed.getAccs());
      for (auto [from, to] : llvm::zip(state, seed.getResults()))
        places[to] = Place(places.lookup(from));
    } else if (auto loop = dyn_cast<tile::ForOp>(op)) {
      tile::WeighOp weigh = *loop.getBody().front().getOps<tile::WeighOp>().begin();
      if (weigh.getSpreadTo())
        continue; // carries nothing
      bool ref = (bool)weigh.getRef();
      unsigned sums = weigh.getSums().size();
      place(ref ? loop.getResult(0) : Value(), loop.getResults().slice(ref, sums),
            loop.getResults().drop_front(ref + sums), weigh.getSumOps(), weigh.getSumPhis());
    } else if (auto merge = dyn_cast<tile::MergeOp>(op)) {
      place(merge.getRef(), merge.getSums(), merge.getAccs(), merge.getSumOps(), merge.getSumPhis());
    }
  }
}

V MainEmitter::rowAddress(unsigned slot, V row) { return e.at(e.at(t.scratch, l.rowValue(slot)), e.mul(row, e.bytes)); }

V MainEmitter::loadRow(V tile, V row) { return e.load(e.real, rowAddress(places.lookup(tile).slot, row)); }

/// In absolute mode (see Raise.cpp) the reference is kept apart. A row without keys has none: -inf.
V MainEmitter::referenceOf(V row) {
  V mode = e.load(e.b.getI32Type(), e.at(e.at(t.scratch, l.unset()), e.mul(row, 4)));
  auto is = [&](int32_t v) -> V { return e.eq(mode, arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(v))); };
  V offset = e.mul(row, e.bytes);
  V reference = e.select(is(2), e.load(e.real, e.at(e.at(t.scratch, l.absRef()), offset)),
                         e.fsub(e.scalar(0), e.load(e.real, e.at(e.at(t.scratch, l.negRef()), offset))));
  return e.select(is(1), e.scalar(-std::numeric_limits<double>::infinity()), reference);
}

V MainEmitter::sumOf(const Place &place, V row) {
  V lanes = e.load(e.vec, e.at(e.at(t.scratch, l.sum(place.slot)), e.mul(row, l.lanes * l.element)));
  auto kind = place.op == 0   ? vector::CombiningKind::ADD
              : place.op == 1 ? vector::CombiningKind::MAXIMUMF
                              : vector::CombiningKind::MINIMUMF;
  return vector::ReductionOp::create(e.b, e.loc, kind, lanes,
                                     place.op == 0 ? arith::FastMathFlags::reassoc : arith::FastMathFlags::none);
}

/// The largest number of an argmax and its key: a NaN before all, the lowest key among equals.
std::pair<V, V> MainEmitter::foundOf(const Place &place, V row) {
  V offset = e.mul(row, l.lanes * l.element);
  V numbers = e.load(e.vec, e.at(e.at(t.scratch, l.sum(place.slot)), offset));
  V keys = e.load(e.vecOf(e.b.getIntegerType(e.bytes * 8)), e.at(e.at(t.scratch, l.sum(place.slot + 1)), offset));
  auto isNaN = [&](V v) { return e.cmpf(arith::CmpFPredicate::UNO, v, v); };
  V best, key;
  for (int64_t lane = 0; lane < e.lanes; ++lane) {
    V x = vector::ExtractOp::create(e.b, e.loc, numbers, ArrayRef<int64_t>{lane});
    V k = vector::ExtractOp::create(e.b, e.loc, keys, ArrayRef<int64_t>{lane});
    if (e.bytes < 8)
      k = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), k);
    if (!best) {
      best = x, key = k;
      continue;
    }
    V nan = isNaN(x), bestNaN = isNaN(best);
    V greater = e.both(e.invert(bestNaN), e.cmpf(arith::CmpFPredicate::UGT, x, best));
    V same = e.either(e.cmpf(arith::CmpFPredicate::OEQ, x, best), e.both(nan, bestNaN));
    V lower = e.both(same, e.either(e.lt(key, e.i64(0)), e.lt(k, key)));
    V take = e.both(e.ge(k, e.i64(0)), e.either(greater, lower));
    best = e.select(take, x, best);
    key = e.select(take, k, key);
  }
  return {best, key};
}

/// All rows of all strips; those past the last query repeat it.
void MainEmitter::eachRow(llvm::function_ref<void(V)> body) {
  e.loop(e.i64(0), e.mul(strips, l.tileRows), 1, [&](V row) { body(row); });
}

void MainEmitter::loadParam(tile::ParamOp op) {
  TensorRef &source = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  AffineMap map = op.getMap();
  Type element = source.type.getElementType();
  V base = t.baseOffset(source, map);
  bool perQuery = map.isFunctionOfDim(t.queryDim());
  V stride = perQuery ? t.stride(source, map, t.queryDim()) : V();
  eachRow([&](V row) {
    V offset = base;
    if (l.together) {
      TaskEmitter::Row own(t, e.min(e.add(first, row), lastRow));
      offset = base = t.baseOffset(source, map);
    }
    if (perQuery)
      offset = e.add(base, e.mul(t.queryAt(e.min(e.add(first, row), lastRow)), stride));
    V x = e.loadElement(element, e.at(source.data, e.mul(offset, Emit::elementBytes(element))));
    e.store(x, rowAddress(places.lookup(op.getResult()).slot, row));
  });
}

SmallVector<V> MainEmitter::evaluate(Region &region, ValueRange tiles, V row) {
  Block &body = region.front();
  bool wide = computesInF64(body);
  FloatType f64 = Float64Type::get(e.b.getContext());
  Emit other(e.b, e.loc, wide ? f64 : e.real, e.lanes * e.bytes);
  RegionEmitter emitter(other, t.tensors, t.params, V());
  for (auto [arg, tile] : llvm::zip(body.getArguments(), tiles)) {
    if (arg.use_empty())
      continue;
    Place place = places.lookup(tile);
    V x = place.kind == Place::Ref   ? referenceOf(row)
          : place.kind == Place::Sum ? sumOf(place, row)
                                     : loadRow(tile, row);
    if (wide && !e.real.isF64())
      x = arith::ExtFOp::create(e.b, e.loc, f64, x);
    emitter.bind(arg, emitter.real(x));
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

void MainEmitter::statistics(tile::StatOp op) {
  eachRow([&](V row) {
    SmallVector<V> numbers = evaluate(op.getBody(), op.getState(), row);
    for (auto [result, x] : llvm::zip(op.getResults(), numbers))
      e.store(x, rowAddress(places.lookup(result).slot, row));
  });
}

/// x gauge; what overflowed against a reference that was far too low counts for nothing against one where it is 0.
V MainEmitter::rescaled(V x, V gauge) {
  V size = math::AbsFOp::create(e.b, e.loc, x);
  V lost = e.both(e.cmpf(arith::CmpFPredicate::OEQ, size, e.splat(std::numeric_limits<double>::infinity())),
                  e.cmpf(arith::CmpFPredicate::OEQ, gauge, e.splat(0)));
  return e.select(lost, e.splat(0), e.fmul(x, gauge));
}

/// Whether a row has no keys and no pass had a seed for it. One of the last pass shows in the mode, others do not.
V MainEmitter::isEmpty(V row) {
  V empty = e.eq(e.load(e.b.getI32Type(), modeAt(row)), mode(1));
  for (auto [_, slot] : seedRows)
    empty = e.both(empty, e.cmpf(arith::CmpFPredicate::OEQ, e.load(e.real, rowAddress(slot, row)), e.scalar(0)));
  return empty;
}

// r = max(ref, b); what is carried times gauge(ref - r), plus gauge(b - r) times the seed's
void MainEmitter::seed(tile::SeedOp op) {
  eachRow([&](V row) {
    SmallVector<V> seed = evaluate(op.getSeed(), op.getGiven(), row);
    V b = seed[0], minusInf = e.scalar(-std::numeric_limits<double>::infinity());
    V seeds = e.cmpf(arith::CmpFPredicate::UNE, b, minusInf);
    if (auto slot = seedRows.find(op); slot != seedRows.end())
      e.store(e.select(seeds, e.scalar(1), e.scalar(0)), rowAddress(slot->second, row));
    e.when(seeds, [&] {
      V modeAt = e.at(e.at(t.scratch, l.unset()), e.mul(row, 4));
      auto mode = [&](int32_t v) -> V { return arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(v)); };
      V isUnset = e.eq(e.load(e.b.getI32Type(), modeAt), mode(1));
      V before = referenceOf(row);
      V r = e.select(isUnset, b, arith::MaximumFOp::create(e.b, e.loc, before, b));
      auto gauge = [&](V distance) -> V {
        RegionEmitter region = makeRegion();
        Block &body = op.getGauge().front();
        region.bind(body.getArgument(0), region.real(distance));
        auto g = region.emit(body.getTerminator()->getOperand(0));
        return succeeded(g) ? g->v : e.scalar(1);
      };
      V own = e.broadcast(e.select(isUnset, e.scalar(1), gauge(e.fsub(before, r)))), of = gauge(e.fsub(b, r));
      V lane0 = e.cmp(arith::CmpIPredicate::eq, e.iota(e.i64Type()), e.splatInt(e.vecOf(e.i64Type()), 0));
      for (auto [n, index] : llvm::enumerate(op.getSeeded())) {
        bool isSum = index < (int64_t)op.getSums().size();
        Place place = places.lookup(isSum ? op.getSums()[index] : op.getAccs()[index - op.getSums().size()]);
        V x = seed[1 + n];
        if (isSum) {
          V at = e.at(e.at(t.scratch, l.sum(place.slot)), e.mul(row, l.lanes * l.element)), old = e.load(e.vec, at);
          V share = e.select(lane0, e.broadcast(place.weighed ? e.fmul(of, x) : x), e.splat(0));
          e.store(e.fadd(place.weighed ? rescaled(old, own) : old, share), at);
          continue;
        }
        V accRow = e.at(e.at(t.scratch, l.acc(place.slot)), e.mul(row, l.valueRowBytes()));
        V share = e.broadcast(e.fmul(of, x));
        e.loop(e.i64(0), e.i64(l.valueRowBytes()), e.lanes * e.bytes, [&](V offset) {
          V at = e.at(accRow, offset);
          e.store(e.fadd(rescaled(e.load(e.vec, at), own), share), at);
        });
      }
      e.store(r, e.at(e.at(t.scratch, l.absRef()), e.mul(row, e.bytes)));
      e.store(mode(2), modeAt);
    });
  });
}

void MainEmitter::pick(tile::PickOp op) {
  OperandEmitter source(t, op.getSource(), op.getMap(), &op.getProducer(), t.keyDim(), l.value);
  Place found = places.lookup(op.getFound()), value = places.lookup(op.getValue());
  eachRow([&](V row) {
    auto [score, key] = foundOf(found, row);
    e.store(score, rowAddress(places.lookup(op.getScore()).slot, row));
    V to = e.at(e.at(t.scratch, l.acc(value.slot)), e.mul(row, l.valueRowBytes()));
    e.loop(e.i64(0), e.i64(l.valueRowBytes()), e.lanes * e.bytes, [&](V at) { e.store(e.splat(0), e.at(to, at)); });
    V k = key;
    e.when(e.ge(k, e.i64(0)), [&] {
      if (source.isPlain())
        copyRow(e, source.element(), source.row(k), source.featureStride, to, l.value);
      else
        source.emit(k, [&](V v) { return e.at(to, e.mul(v, e.lanes * e.bytes)); });
    });
  });
}
