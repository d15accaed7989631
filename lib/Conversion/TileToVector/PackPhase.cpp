// The pack phase: one block of keys of one key/value head, converted to the accumulation type and laid out for
// streaming.
//
//   K  [panel][feature][width]                  a microtile loads two vectors of keys for each feature
//   V  [block][panel of features][key][width]   one contiguous stream for the keys of a block
//
// Padding keys and features are zeros: they are masked, or multiplied by weights of zero, and cost nothing in the
// kernel.
#include "TaskEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Transposes lanes x lanes elements held as rows: for each power of two, pairs of rows exchange blocks of that size.
static void transpose(Emit &e, SmallVector<V> &rows) {
  for (int64_t size = e.lanes / 2; size >= 1; size /= 2)
    for (int64_t r = 0; r < e.lanes; ++r) {
      if (r & size)
        continue;
      SmallVector<int64_t> low, high;
      for (int64_t n = 0; n < e.lanes; ++n) {
        low.push_back(n & size ? e.lanes + n - size : n);
        high.push_back(n & size ? e.lanes + n : n + size);
      }
      V x = rows[r], y = rows[r + size];
      rows[r] = vector::ShuffleOp::create(e.b, e.loc, x, y, low);
      rows[r + size] = vector::ShuffleOp::create(e.b, e.loc, x, y, high);
    }
}

static void packKeys(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  TensorRef &src = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  AffineMap map = op.getMap();
  Type element = src.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  V rowStride = t.stride(src, map, t.keyDim()), featureStride = t.stride(src, map, t.dotDim());
  V base = e.at(src.data, e.mul(e.add(t.baseOffset(src, map), e.mul(first, rowStride)), size));
  V out = e.at(t.slot, e.mul(e.divUnsigned(first, l.width), l.keyPanelBytes()));
  V padded = e.mul(e.divUnsigned(e.add(count, l.width - 1), l.width), l.width);
  auto rowAt = [&](V key) { return e.at(base, e.mul(e.mul(key, rowStride), size)); };
  auto dst = [&](V key) {
    V panel = e.divUnsigned(key, l.width);
    V lane = e.sub(key, e.mul(panel, l.width));
    return e.at(out, e.add(e.mul(panel, l.keyPanelBytes()), e.mul(lane, l.element)));
  };
  auto scalars = [&](V key, int64_t from) {
    V row = rowAt(key), to = dst(key);
    e.loop(e.i64(from), e.i64(l.dot), 1, [&](V c) {
      e.store(e.loadElement(element, e.at(row, e.mul(e.mul(c, featureStride), size))),
              e.at(to, e.mul(c, l.width * l.element)));
    });
  };
  // Groups of `lanes` keys with contiguous features are transposed in registers, the rest goes element by element.
  int64_t whole = l.dot / e.lanes * e.lanes;
  V grouped = e.select(e.eq(featureStride, e.i64(1)), e.mul(e.divUnsigned(count, e.lanes), e.lanes), e.i64(0));
  e.loop(e.i64(0), grouped, e.lanes, [&](V key) {
    V row = rowAt(key), to = dst(key);
    e.loop(e.i64(0), e.i64(whole), e.lanes, [&](V c) {
      SmallVector<V> rows;
      for (int64_t n = 0; n < e.lanes; ++n)
        rows.push_back(e.loadElements(element, e.at(row, e.mul(e.add(e.mul(e.i64(n), rowStride), c), size))));
      transpose(e, rows);
      for (int64_t n = 0; n < e.lanes; ++n)
        e.store(rows[n], e.at(to, e.mul(e.add(c, n), l.width * l.element)));
    });
    if (whole < l.dot)
      e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) { scalars(e.add(key, n), whole); });
  });
  e.loop(grouped, count, 1, [&](V key) { scalars(key, 0); });
  e.loop(count, padded, 1, [&](V key) {
    V to = dst(key);
    e.loop(e.i64(0), e.i64(l.dot), 1, [&](V c) { e.store(e.scalar(0), e.at(to, e.mul(c, l.width * l.element))); });
  });
}

static void packValues(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  TensorRef &src = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  AffineMap map = op.getMap();
  Type element = src.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  V rowStride = t.stride(src, map, t.keyDim()), featureStride = t.stride(src, map, t.valueDim());
  V base = e.at(src.data, e.mul(e.add(t.baseOffset(src, map), e.mul(first, rowStride)), size));
  V out = e.at(t.valueBase(), e.mul(first, l.valueRowBytes()));
  V padded = e.mul(e.divUnsigned(e.add(count, l.width - 1), l.width), l.width);
  V panelBytes = e.mul(padded, l.width * l.element);
  int64_t panels = l.valuePadded / l.width;
  // Padding features and padding keys first; real ones overwrite.
  V zero = e.splat(0);
  auto clear = [&](V key, V panel) {
    V to = e.at(out, e.add(e.mul(panel, panelBytes), e.mul(key, l.width * l.element)));
    e.store(zero, to);
    e.store(zero, e.at(to, e.lanes * e.bytes));
  };
  if (l.valuePadded != l.value)
    e.loop(e.i64(0), padded, 1, [&](V key) { clear(key, e.i64(panels - 1)); });
  e.loop(count, padded, 1, [&](V key) { e.loop(e.i64(0), e.i64(panels), 1, [&](V panel) { clear(key, panel); }); });
  e.loop(e.i64(0), count, 1, [&](V key) {
    V row = e.at(base, e.mul(e.mul(key, rowStride), size));
    auto copy = [&](V panel, int64_t features) {
      V from = e.at(row, e.mul(e.mul(e.mul(panel, l.width), featureStride), size));
      copyRow(e, element, from, featureStride,
              e.at(out, e.add(e.mul(panel, panelBytes), e.mul(key, l.width * l.element))), features);
    };
    int64_t whole = l.value / l.width;
    e.loop(e.i64(0), e.i64(whole), 1, [&](V panel) { copy(panel, l.width); });
    if (l.value % l.width)
      copy(e.i64(whole), l.value % l.width);
  });
}

static void summarize(TaskEmitter &t, tile::SummaryOp op, unsigned n, V first, V count) {
  Emit &e = t.e;
  TensorRef &src = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  Type element = src.type.getElementType();
  V stride = t.stride(src, op.getMap(), t.keyDim());
  V base =
      e.at(src.data, e.mul(e.add(t.baseOffset(src, op.getMap()), e.mul(first, stride)), Emit::elementBytes(element)));
  V out = e.at(t.summaryBase(n), e.mul(e.divUnsigned(first, t.layout.width), 16));
  e.loop(e.i64(0), count, t.layout.width, [&](V key) {
    V end = e.min(count, e.add(key, t.layout.width));
    auto extremes = e.loop(key, end, 1, ValueRange{e.i64(INT64_MAX), e.i64(INT64_MIN)}, [&](V k, ValueRange acc) {
      V v = e.load(element, e.at(base, e.mul(e.mul(k, stride), Emit::elementBytes(element))));
      if (!element.isInteger(64))
        v = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), v);
      return SmallVector<V>{e.min(acc[0], v), e.max(acc[1], v)};
    });
    V to = e.at(out, e.mul(e.divUnsigned(key, t.layout.width), 16));
    e.store(extremes[0], to);
    e.store(extremes[1], e.at(to, 8));
  });
}

LogicalResult attn::emitPackPhase(TaskEmitter &t, tile::PhaseOp phase) {
  Emit &e = t.e;
  V first = t.block, count = e.min(e.i64(t.layout.blockKeys), e.sub(t.extents[t.keyDim()], first));
  unsigned n = 0;
  for (Operation &op : phase.getBody().front().without_terminator()) {
    if (auto pack = dyn_cast<tile::PackOp>(op)) {
      if (cast<tile::PanelsType>(pack.getPanels().getType()).getLanesKeys())
        packKeys(t, pack, first, count);
      else
        packValues(t, pack, first, count);
    } else if (auto summary = dyn_cast<tile::SummaryOp>(op)) {
      summarize(t, summary, n++, first, count);
    } else {
      return op.emitError("[unsupported_pack] has no lowering in a pack phase");
    }
  }
  return success();
}
