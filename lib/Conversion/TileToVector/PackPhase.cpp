// The pack phase: one block of keys of one key/value head, converted to the accumulation type and laid out for
// streaming.
//
//   K  [panel][feature][width]                  a microtile loads two vectors of keys for each feature
//   V  [block][panel of features][key][width]   one contiguous stream for the keys of a block
//
// Padding keys and features are zeros: they are masked, or multiplied by weights of zero, and cost nothing in the
// kernel. Where the keys go by an order, a position's row is that of the key it holds; one without a key is padding.
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

namespace {

/// Rows of the source tensor by position, relative to the block's first.
struct Rows {
  Rows(TaskEmitter &t, tile::PackOp op, V first)
      : e(t.e), source(t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber())),
        size(Emit::elementBytes(source.type.getElementType())), stride(t.stride(source, op.getMap(), t.keyDim())),
        base(e.at(source.data, e.mul(t.baseOffset(source, op.getMap()), size))) {
    if (t.ordered())
      order = e.at(t.keyTable(0), e.mul(first, 4));
    else
      base = e.at(base, e.mul(e.mul(first, stride), size));
  }

  V row(V token) { return e.at(base, e.mul(e.mul(token, stride), size)); }
  /// The token at a position; negative if there is none.
  V token(V position) {
    if (!order)
      return position;
    V held = e.load(e.b.getI32Type(), e.at(order, e.mul(position, 4)));
    return arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), held);
  }
  /// Calls `present` with the row at a position, `absent` where it holds none.
  void at(V position, llvm::function_ref<void(V row)> present, llvm::function_ref<void()> absent) {
    if (!order)
      return present(row(position));
    V held = token(position);
    e.choose(
        e.ge(held, e.i64(0)), {},
        [&] {
          present(row(held));
          return SmallVector<V>{};
        },
        [&] {
          absent();
          return SmallVector<V>{};
        });
  }

  Emit &e;
  TensorRef &source;
  int64_t size;
  V stride, base, order;
};

} // namespace

static void packKeys(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  TensorRef &src = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  AffineMap map = op.getMap();
  Type element = src.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  V featureStride = t.stride(src, map, t.dotDim());
  Rows rows(t, op, first);
  V out = t.keysOf(first);
  V padded = e.mul(e.divUnsigned(e.add(count, l.width - 1), l.width), l.width);
  auto dst = [&](V key) {
    V panel = e.divUnsigned(key, l.width);
    V lane = e.sub(key, e.mul(panel, l.width));
    return e.at(out, e.add(e.mul(panel, l.keyPanelBytes()), e.mul(lane, l.element)));
  };
  auto clear = [&](V key, int64_t from) {
    V to = dst(key);
    e.loop(e.i64(from), e.i64(l.dot), 1, [&](V c) { e.store(e.scalar(0), e.at(to, e.mul(c, l.width * l.element))); });
  };
  auto scalars = [&](V key, int64_t from) {
    rows.at(
        key,
        [&](V row) {
          V to = dst(key);
          e.loop(e.i64(from), e.i64(l.dot), 1, [&](V c) {
            e.store(e.loadElement(element, e.at(row, e.mul(e.mul(c, featureStride), size))),
                    e.at(to, e.mul(c, l.width * l.element)));
          });
        },
        [&] { clear(key, from); });
  };
  // Groups of `lanes` keys with contiguous features are transposed in registers, the rest goes element by element.
  int64_t whole = l.dot / e.lanes * e.lanes;
  V grouped = e.select(e.eq(featureStride, e.i64(1)), e.mul(e.divUnsigned(count, e.lanes), e.lanes), e.i64(0));
  auto transposed = [&](V key, ArrayRef<V> tokens) {
    V to = dst(key);
    SmallVector<V> from;
    for (V token : tokens)
      from.push_back(rows.row(token));
    e.loop(e.i64(0), e.i64(whole), e.lanes, [&](V c) {
      SmallVector<V> tile;
      for (V row : from)
        tile.push_back(e.loadElements(element, e.at(row, e.mul(c, size))));
      transpose(e, tile);
      for (int64_t n = 0; n < e.lanes; ++n)
        e.store(tile[n], e.at(to, e.mul(e.add(c, n), l.width * l.element)));
    });
    if (whole < l.dot)
      e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) { scalars(e.add(key, n), whole); });
  };
  e.loop(e.i64(0), grouped, e.lanes, [&](V key) {
    SmallVector<V> tokens;
    V least = e.i64(0);
    for (int64_t n = 0; n < e.lanes; ++n) {
      tokens.push_back(rows.token(e.add(key, n)));
      least = e.min(least, tokens.back());
    }
    if (!t.ordered())
      return transposed(key, tokens);
    e.choose(
        e.ge(least, e.i64(0)), {},
        [&] {
          transposed(key, tokens);
          return SmallVector<V>{};
        },
        [&] {
          e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) { scalars(e.add(key, n), 0); });
          return SmallVector<V>{};
        });
  });
  e.loop(grouped, count, 1, [&](V key) { scalars(key, 0); });
  e.loop(count, padded, 1, [&](V key) { clear(key, 0); });
}

static void packValues(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  TensorRef &src = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  AffineMap map = op.getMap();
  Type element = src.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  V featureStride = t.stride(src, map, t.valueDim());
  Rows rows(t, op, first);
  V out = t.valuesOf(first);
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
  auto copyKey = [&](V key, V row) {
    auto copy = [&](V panel, int64_t features) {
      V from = e.at(row, e.mul(e.mul(e.mul(panel, l.width), featureStride), size));
      copyRow(e, element, from, featureStride,
              e.at(out, e.add(e.mul(panel, panelBytes), e.mul(key, l.width * l.element))), features);
    };
    int64_t whole = l.value / l.width;
    e.loop(e.i64(0), e.i64(whole), 1, [&](V panel) { copy(panel, l.width); });
    if (l.value % l.width)
      copy(e.i64(whole), l.value % l.width);
  };
  e.loop(e.i64(0), count, 1, [&](V key) {
    rows.at(
        key, [&](V row) { copyKey(key, row); },
        [&] { e.loop(e.i64(0), e.i64(panels), 1, [&](V panel) { clear(key, panel); }); });
  });
}

static void summarize(TaskEmitter &t, tile::SummaryOp op, unsigned n, V first, V count) {
  Emit &e = t.e;
  TensorRef &src = t.tensor(cast<BlockArgument>(op.getSource()).getArgNumber());
  Type element = src.type.getElementType();
  V stride = t.stride(src, op.getMap(), t.keyDim());
  V base =
      e.at(src.data, e.mul(e.add(t.baseOffset(src, op.getMap()), e.mul(first, stride)), Emit::elementBytes(element)));
  V least = e.at(t.summaryBase(n), e.mul(e.divUnsigned(first, t.layout.width), 8));
  V allPanels = t.panels();
  V greatest = e.at(least, e.mul(allPanels, 8));
  auto whole = e.loop(
      e.i64(0), count, t.layout.width, ValueRange{e.i64(INT64_MAX), e.i64(INT64_MIN)}, [&](V key, ValueRange block) {
        V end = e.min(count, e.add(key, t.layout.width));
        auto extremes = e.loop(key, end, 1, ValueRange{e.i64(INT64_MAX), e.i64(INT64_MIN)}, [&](V k, ValueRange acc) {
          V v = e.load(element, e.at(base, e.mul(e.mul(k, stride), Emit::elementBytes(element))));
          if (!element.isInteger(64))
            v = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), v);
          return SmallVector<V>{e.min(acc[0], v), e.max(acc[1], v)};
        });
        V at = e.mul(e.divUnsigned(key, t.layout.width), 8);
        e.store(extremes[0], e.at(least, at));
        e.store(extremes[1], e.at(greatest, at));
        return SmallVector<V>{e.min(block[0], extremes[0]), e.max(block[1], extremes[1])};
      });
  V ofBlocks = e.at(e.at(t.summaryBase(n), e.mul(allPanels, 16)), e.mul(e.divUnsigned(first, t.layout.blockKeys), 8));
  e.store(whole[0], ofBlocks);
  V blocks = e.divUnsigned(e.add(t.positions, t.layout.blockKeys - 1), t.layout.blockKeys);
  e.store(whole[1], e.at(ofBlocks, e.mul(blocks, 8)));
}

LogicalResult attn::emitPackPhase(TaskEmitter &t, tile::PhaseOp phase) { return emitPackBlock(t, phase, t.block); }

LogicalResult attn::emitPackBlock(TaskEmitter &t, tile::PhaseOp phase, V first) {
  Emit &e = t.e;
  V count = e.min(e.i64(t.layout.blockKeys), e.sub(t.positions, first));
  unsigned n = 0;
  for (Operation &op : phase.getBody().front().without_terminator()) {
    if (auto pack = dyn_cast<tile::PackOp>(op)) {
      if (cast<tile::PanelsType>(pack.getPanels().getType()).getLanesKeys())
        packKeys(t, pack, first, count);
      else if (t.layout.packsValues)
        packValues(t, pack, first, count);
    } else if (auto summary = dyn_cast<tile::SummaryOp>(op)) {
      summarize(t, summary, n++, first, count);
    } else {
      return op.emitError("[unsupported_pack] has no lowering in a pack phase");
    }
  }
  return success();
}
