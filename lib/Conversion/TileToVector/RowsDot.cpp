// Products of a query with listed keys, and sums of listed values, by rows in place.
//
// A key's features go by vectors into an accumulator of its own, eight keys or more side by side, which hides the
// latency of both the multiply-adds and the rows; then their lanes are added across, which leaves the sums of `lanes`
// keys in one vector. Copies of rows, made where features have gaps or do not fill a vector, are read by the same code:
// the bits of a product do not depend on how a tensor lies.
#include "RowsEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

RowsEmitter::Source RowsEmitter::sourceOf(V rows, unsigned featureDim) {
  auto op = rows.getDefiningOp<tile::RowsOp>();
  Source s;
  s.tensor = &t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  s.element = s.tensor->type.getElementType();
  s.features = cast<tile::RowsType>(rows.getType()).getFeatures();
  s.size = Emit::elementBytes(s.element);
  s.base = e.at(s.tensor->data, e.mul(t.baseOffset(*s.tensor, op.getMap()), s.size));
  s.tokenBytes = e.mul(t.stride(*s.tensor, op.getMap(), t.keyDim()), s.size);
  s.featureStride = t.stride(*s.tensor, op.getMap(), featureDim);
  return s;
}

V RowsEmitter::tokenAt(V position) {
  V at = e.at(lists.keys, e.mul(e.add(blockFirst, position), 4));
  return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(e.b.getI32Type(), at));
}

/// Asks for the row of a key some way ahead of the one at a position of the block, while that is computed with. The
/// second level is told: a core keeps some two dozen lines on their way to the first, with which memory gives a third
/// of what it can, but many more to the second. The element is not checked; a wrong address does no harm here.
void RowsEmitter::fetchAhead(const Source &s, V position) {
  V element = lists.element(ahead, e.add(blockFirst, position));
  V row = rowOf(s, lists.block == 1 ? element : e.mul(element, lists.block));
  auto constant = [&](int32_t v) { return e.b.getI32IntegerAttr(v); };
  for (int64_t at = 0; at < s.features * s.size; at += 64)
    LLVM::Prefetch::create(e.b, e.loc, e.at(row, at), constant(0), constant(2), constant(1));
}

void RowsEmitter::eitherWay(const Source &s, llvm::function_ref<void(bool)> body) {
  if (s.features < e.lanes)
    return body(false);
  e.choose(
      e.eq(s.featureStride, e.i64(1)), {},
      [&] {
        body(true);
        return SmallVector<V>{};
      },
      [&] {
        body(false);
        return SmallVector<V>{};
      });
}

/// Lanes past the features of a copy are never written: they are 0 as all of the scratch beyond the layout was.
V RowsEmitter::stagingRow(int64_t slot) {
  int64_t vectors = (std::max(l.dot, l.value) + e.lanes - 1) / e.lanes;
  return e.at(lists.staging, slot * vectors * e.lanes * e.bytes);
}

V RowsEmitter::open(const Source &s, bool inPlace, V token, int64_t slot) {
  V row = rowOf(s, token);
  if (inPlace)
    return row;
  V copy = stagingRow(slot);
  copyRow(e, s.element, row, s.featureStride, copy, s.features);
  return copy;
}

V RowsEmitter::vectorOf(const Source &s, bool inPlace, V row, int64_t n) {
  if (!inPlace)
    return e.load(e.vec, e.at(row, n * e.lanes * e.bytes));
  if ((n + 1) * e.lanes <= s.features)
    return e.loadElements(s.element, e.at(row, n * e.lanes * s.size));
  // The last features come with some before them, which make room for zeros.
  int64_t rest = s.features % e.lanes;
  SmallVector<int64_t> moved;
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    moved.push_back(lane < rest ? e.lanes - rest + lane : e.lanes);
  V end = e.loadElements(s.element, e.at(row, (s.features - e.lanes) * s.size));
  return vector::ShuffleOp::create(e.b, e.loc, end, e.splat(0), moved);
}

/// q . k of the block's keys, panels filled up, into the places of their weights.
void RowsEmitter::products() {
  int64_t group = std::min(std::max<int64_t>(e.lanes, 8), l.width), all = vectorsOf(keys); // of a panel
  V out = e.at(t.scratch, l.weights());
  V query = qRow;
  if (keys.features % e.lanes) {
    query = stagingRow(l.width + 1);
    copyRow(e, e.real, qRow, e.i64(1), query, l.dot);
  }
  std::optional<Contraction> region;
  if (!weighOp.getProduct().empty())
    region.emplace(e, weighOp);
  const int64_t unroll = region && !region->isLight() ? 1 : 8, whole = keys.features / e.lanes;
  eitherWay(keys, [&](bool inPlace) {
    e.loop(e.i64(0), e.mul(blockPanels, l.width), group, [&](V position) {
      SmallVector<V> rows;
      for (int64_t n = 0; n < group; ++n) {
        V token = tokenAt(e.add(position, n));
        rows.push_back(open(keys, inPlace, token, n));
        fetchAhead(keys, e.add(position, n));
      }
      SmallVector<V> sums(group, e.splat(0));
      // `base`: vectors before the address; counted from it.
      auto steps = [&](ArrayRef<V> from, V q, int64_t first, int64_t count, V base) {
        for (int64_t c = first; c < first + count; ++c) {
          V x = e.load(e.vec, e.at(q, c * e.lanes * e.bytes));
          if (region) {
            addRegion(*region, inPlace, from, x, c, e.add(base, c), sums);
            continue;
          }
          for (int64_t n = 0; n < group; ++n)
            sums[n] = e.fma(x, vectorOf(keys, inPlace, from[n], c), sums[n]);
        }
      };
      int64_t looped = all > 2 * unroll ? whole / unroll * unroll : 0;
      if (looped)
        sums = e.loop(e.i64(0), e.i64(looped), unroll, sums, [&](V c, ValueRange args) {
          sums = SmallVector<V>(args);
          SmallVector<V> from;
          for (V row : rows)
            from.push_back(e.at(row, e.mul(c, e.lanes * (inPlace ? keys.size : e.bytes))));
          steps(from, e.at(query, e.mul(c, e.lanes * e.bytes)), 0, unroll, c);
          return sums;
        });
      steps(rows, query, looped, all - looped, e.i64(0));
      for (int64_t n = 0; n < group; n += e.lanes)
        e.store(addLanes(SmallVector<V>(ArrayRef<V>(sums).slice(n, e.lanes)), 0, llvm::Log2_64(e.lanes))[0],
                e.at(out, e.mul(e.add(position, n), e.bytes)));
    });
  });
  if (region)
    region->refuse(weighOp);
}

/// sums += dot(x, k) of features `vector` and on, the `c`th from the addresses; what stands past the last feature,
/// where both are 0, is no term.
void RowsEmitter::addRegion(Contraction &region, bool inPlace, ArrayRef<V> from, V x, int64_t c, V vector,
                            MutableArrayRef<V> sums) {
  Type i32 = e.b.getI32Type();
  V first = arith::TruncIOp::create(e.b, e.loc, i32, e.mul(vector, e.lanes));
  V features = e.add(e.broadcast(first), e.iota(i32));
  V last = e.splatInt(e.vecOf(i32), keys.features - 1);
  bool partial = (c + 1) * e.lanes > keys.features;
  RegionEmitter at = atFeature(weighOp.getProduct().front(), partial ? e.min(features, last) : features);
  RegionEmitter common = region.with(at, Contraction::Common), query = region.with(common, Contraction::Query, x);
  for (auto [n, row] : llvm::enumerate(from)) {
    RegionEmitter key = region.with(common, Contraction::Key, vectorOf(keys, inPlace, row, c));
    V sum = region.add(query, key, partial ? e.splat(0) : sums[n]);
    if (partial)
      sum = e.fadd(sums[n], e.select(e.le(features, last), sum, e.splat(0)));
    sums[n] = sum;
  }
}

/// acc_e += p_j v_je over the keys of the block; what does not fit in registers goes over the keys once more.
void RowsEmitter::accumulateRows() {
  int64_t all = vectorsOf(values), most = e.lanes * e.bytes >= 64 ? 24 : 12;
  int64_t passes = (all + most - 1) / most, each = (all + passes - 1) / passes;
  for (bool guarding : {true, false})
    e.when(guarding ? guarded : e.invert(guarded), [&] {
      eitherWay(values, [&](bool inPlace) {
        for (unsigned n = 0; n < accumulates.size(); ++n)
          for (int64_t from = 0; from < all; from += each)
            accumulateVectors(n, inPlace, guarding, from, std::min(all, from + each));
      });
    });
}

/// Sums of the block start at zero, as in Accumulate.cpp. Guarding: the same sums in the same order, but an absent
/// pair's product is not taken.
void RowsEmitter::accumulateVectors(unsigned sum, bool inPlace, bool guarding, int64_t from, int64_t to) {
  V weights = weightsOf(sum), visible = e.at(t.scratch, l.visible());
  SmallVector<V> start(to - from, e.splat(0));
  auto add = [&](V position, ValueRange args) {
    V p = e.broadcast(e.load(e.real, e.at(weights, e.mul(position, e.bytes))));
    V row = open(values, inPlace, tokenAt(position), l.width);
    SmallVector<V> s(args);
    for (int64_t n = from; n < to; ++n)
      s[n - from] = e.fma(p, vectorOf(values, inPlace, row, n), s[n - from]);
    return s;
  };
  SmallVector<V> sums = e.loop(e.i64(0), blockKeys, 1, start, [&](V position, ValueRange args) {
    if (!guarding) {
      if (from == 0)
        fetchAhead(values, position);
      return add(position, args);
    }
    V weight = e.load(e.real, e.at(weights, e.mul(position, e.bytes)));
    V meets =
        plainPhi ? isVisible(visible, position, e.i64(0)) : e.cmpf(arith::CmpFPredicate::UNE, weight, e.scalar(0));
    return e.choose(
        meets, ValueRange(start).getTypes(), [&] { return add(position, args); }, [&] { return SmallVector<V>(args); });
  });
  for (int64_t n = from; n < to; ++n)
    addTo(e.at(accOf(sum), n * e.lanes * e.bytes), sums[n - from]);
}
