// Reference, sums and numbers of every row to its outputs (tile.finish).
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// The value feature of a column of the slice.
V CtaEmitter::feature0(int64_t n) {
  V feature = e.add(column, n);
  return t.slices > 1 ? e.add(feature, e.mul(slice, t.value)) : feature;
}

/// i1s: of a row there is an accumulator or a weighed sum of the thread that is not finite, or a largest score that is
/// a NaN. 0 x is 0 for every finite x, else NaN. Rows that are none are asked too: whether a row is one would be held
/// over the sweeps for it.
CtaEmitter::Pair CtaEmitter::poisonOf() {
  Pair poison{e.scalar(0), e.scalar(0)};
  auto add = [&](V x, unsigned r) { poison[r] = e.fma(x, e.scalar(0), poison[r]); };
  auto addNaN = [&](V x, unsigned r) { poison[r] = e.select(e.cmpf(arith::CmpFPredicate::UNO, x, x), x, poison[r]); };
  for (auto &acc : last.accs)
    for (auto [n, x] : llvm::enumerate(acc))
      add(x, halfOf(n));
  for (auto &[tile, place] : places)
    if (place.kind == Place::Sum && (place.op == 3 || (place.op == 0 && place.weighed)))
      for (unsigned r = 0; r < 2; ++r)
        place.op == 3 ? addNaN(last.sums[place.slot][r], r) : add(last.sums[place.slot][r], r);
  for (unsigned r = 0; r < 2; ++r)
    poison[r] = e.cmpf(arith::CmpFPredicate::UNO, poison[r], poison[r]);
  return poison;
}

void CtaEmitter::finish() {
  auto op = *phase.getBody().getOps<tile::FinishOp>().begin();
  for (unsigned r = 0; r < 2; ++r)
    finishRow(op, r);
}

void CtaEmitter::storeElement(TensorRef &out, AffineMap map, unsigned r, V feature, V value) {
  Type type = out.type.getElementType();
  V to = KernelEmitter::addressOf(out, map, [&](unsigned dim) { return dim == queryDim() ? rowAt[r] : feature; });
  if (isa<FloatType>(type))
    e.storeElement(value, type, to);
  else
    e.store(value.getType() == type ? value : (V)arith::TruncIOp::create(e.b, e.loc, type, value), to);
}

/// A row's elements, as its four lanes hold them, 16 bytes a store: `values` by tile and column of it. Four lanes that
/// exchange words have 64 bytes of the row between them, whole sectors of 32. All lanes of the warp come here.
void CtaEmitter::storeRuns(TensorRef &out, AffineMap map, unsigned r, ArrayRef<V> values) {
  Type type = out.type.getElementType(), i32Type = e.b.getI32Type();
  bool isHalf = type.getIntOrFloatBitWidth() == 16;
  int64_t tiles = values.size() / 2, group = isHalf ? 4 : 2; // tiles of 64 bytes
  V q = e.both(lane, e.i64(3)), isOdd = e.ne(e.both(lane, e.i64(1)), e.i64(0)), isUpper = e.lt(e.i64(1), q);
  // Two words change places between lanes that differ by the mask: who has the condition gives the first.
  auto exchange = [&](V &first, V &second, V condition, int mask) {
    V other =
        nv::ShuffleXorOp::create(e.b, e.loc, i32Type, e.select(condition, first, second), e.b.getI32IntegerAttr(mask));
    first = e.select(condition, other, first), second = e.select(condition, second, other);
  };
  // What the lane holds then: of 16 bits tile q of four; of 32 bits the lower or upper half of tile q mod 2 of two.
  V at = isHalf ? e.mul(q, 8) : e.add(e.mul(e.both(lane, e.i64(1)), 8), e.mul(e.divUnsigned(q, 2), 4));
  V feature = t.slices > 1 ? e.add(at, e.mul(slice, t.value)) : at;
  V base = KernelEmitter::addressOf(out, map, [&](unsigned dim) { return dim == queryDim() ? rowAt[r] : feature; });
  bool isWhole = tiles % group == 0 && t.slices * tiles * 8 == t.allValues;
  for (int64_t first = 0; first < tiles; first += group) {
    SmallVector<V> words;
    for (int64_t m = first; m < first + group; ++m) {
      if (m >= tiles) {
        words.append(isHalf ? 1 : 2, i32(0));
      } else if (isHalf) {
        auto kind = e.b.getStringAttr(type.isF16() ? "f16" : "bf16");
        words.push_back(nv::PackOp::create(e.b, e.loc, i32Type, values[2 * m], values[2 * m + 1], kind));
      } else {
        words.append({e.bitcast(values[2 * m], i32Type), e.bitcast(values[2 * m + 1], i32Type)});
      }
    }
    if (isHalf) {
      for (unsigned k : {0, 2})
        exchange(words[k], words[k + 1], isOdd, 1);
      for (unsigned k : {0, 1})
        exchange(words[k], words[k + 2], isUpper, 2);
    } else {
      for (unsigned k : {0, 1})
        exchange(words[k], words[k + 2], isOdd, 1);
    }
    V stores = live[r];
    if (!isWhole)
      stores = e.both(stores, e.lt(e.add(feature, first * 8), e.i64(t.allValues)));
    e.when(stores, [&] {
      V run = vector::FromElementsOp::create(e.b, e.loc, VectorType::get({4}, i32Type), words);
      LLVM::StoreOp::create(e.b, e.loc, run, e.at(base, first / group * 64), 16);
    });
  }
}

void CtaEmitter::finishRow(tile::FinishOp op, unsigned r) {
  Block &body = op.getBody().front();
  HeadOf head(*this, rowIndex[r]);
  SmallVector<V> state;
  if (op.getRef())
    state.push_back(op.getRef());
  llvm::append_range(state, op.getSums());
  llvm::append_range(state, op.getAccs());
  llvm::append_range(state, op.getGiven());
  V empty = isEmpty(r);
  RegionEmitter region = makeRegion();
  // Outputs of one number a row are computed in f64: r and log l of an lse may cancel.
  FloatType f64 = Float64Type::get(e.b.getContext());
  Emit e64(e.b, e.loc, f64, 8);
  RegionEmitter region64(e64, tensors, params, V());
  auto bindInt = [&](BlockArgument arg, const Val &v) {
    region.bind(arg, v);
    region64.bind(arg, v);
  };
  SmallVector<std::pair<BlockArgument, unsigned>> features; // arguments that are accumulators
  unsigned n = 0;
  for (int64_t position : op.getOrder()) {
    BlockArgument arg = body.getArgument(n++);
    Place place = places[state[position]];
    if (place.kind == Place::Acc) {
      features.push_back({arg, place.slot});
    } else if (place.kind == Place::Sum && place.op == 3) {
      V key = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), last.sums[place.slot + 1][r]);
      bindInt(arg, region.make(key, -1, INT32_MAX));
    } else {
      V x = rowNumber(state[position], r);
      region.bind(arg, region.real(x));
      region64.bind(arg, region64.real(arith::ExtFOp::create(e.b, e.loc, f64, x)));
    }
  }
  BlockArgument featureIndex;
  if (op.getIndexed()) {
    bindInt(body.getArgument(n++), Val{empty, 0, 1});
    for (unsigned d = 0; d < program.getNumBatch(); ++d)
      bindInt(body.getArgument(n++), region.indexScalar(index[d], d));
    bindInt(body.getArgument(n++), region.indexScalar(rowAt[r], queryDim()));
    featureIndex = body.getArgument(n++);
  }
  V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
  for (unsigned k = 0; k < op.getOutputs().size(); ++k) {
    V output = op.getOutputs()[k];
    TensorRef &out = tensorOf(output);
    AffineMap map = cast<AffineMapAttr>(op.getMaps()[k]).getValue();
    double emptyValue = cast<FloatAttr>(op.getEmpty()[k]).getValueAsDouble();
    bool overrides = !std::isnan(emptyValue);
    V value = body.getTerminator()->getOperand(op.getYields()[k]);
    bool wide = llvm::any_of(map.getResults(), [&](AffineExpr x) { return x.isFunctionOfDim(valueDim()); });
    V wanted = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out.data, null);
    if (!wide) { // of one lane of a row, and of the first slice
      wanted = e.both(wanted, e.eq(column, e.i64(0)));
      if (t.slices > 1)
        wanted = e.both(wanted, e.eq(slice, e.i64(0)));
    }
    if (!wide) {
      e.when(e.both(wanted, live[r]), [&] {
        RegionEmitter inner = region64;
        auto v = inner.emit(value);
        if (failed(v))
          return;
        report(inner.checks, e.i1(true));
        if (isa<IntegerType>(out.type.getElementType()))
          return storeElement(out, map, r, V(), inner.wide(*v));
        V x = arith::TruncFOp::create(e.b, e.loc, e.real, v->v);
        storeElement(out, map, r, V(), overrides ? e.select(empty, e.scalar(emptyValue), x) : x);
      });
      continue;
    }
    // Column x of tile m; null: an error was reported.
    auto element = [&](V feature, int64_t m, int64_t x) -> V {
      RegionEmitter inner = region;
      for (auto [arg, slot] : features)
        inner.bind(arg, inner.real(last.accs[slot][elementOf(r, 8 * m + x)]));
      if (featureIndex)
        inner.bind(featureIndex, inner.make(feature, 0, t.allValues - 1));
      auto v = inner.emit(value);
      if (failed(v))
        return {};
      report(inner.checks, live[r]);
      return overrides ? e.select(empty, e.scalar(emptyValue), v->v) : v->v;
    };
    bool isPadded = t.slices * GpuTiles::pad(t.value) != t.allValues;
    SmallVector<V> values; // 2 m + x
    auto storeAll = [&] {
      for (unsigned n = 0; n < values.size(); ++n) {
        V feature = feature0(8 * (n / 2) + n % 2);
        auto store = [&] { storeElement(out, map, r, feature, values[n]); };
        if (isPadded)
          e.when(e.lt(feature, e.i64(t.allValues)), store);
        else
          store();
      }
    };
    auto oneByOne = [&] {
      e.when(live[r], storeAll);
      return SmallVector<V>();
    };
    auto inRuns = [&] {
      storeRuns(out, map, r, values);
      return SmallVector<V>();
    };
    e.when(wanted, [&] {
      int64_t run = 16 / Emit::elementBytes(out.type.getElementType());
      V aligned = t.allValues % run == 0 ? isAligned({output, map, nullptr, t.allValues, 0}) : V();
      // Those of features beyond the end are the last one's, and are not stored.
      for (int64_t m = 0; m < valueTiles(); ++m)
        for (int64_t x = 0; x < 2; ++x) {
          V feature = feature0(8 * m + x);
          values.push_back(element(isPadded ? e.min(feature, e.i64(t.allValues - 1)) : feature, m, x));
        }
      if (llvm::is_contained(values, V()))
        return;
      if (aligned)
        e.choose(aligned, {}, inRuns, oneByOne);
      else
        oneByOne();
    });
  }
}
