// The pack phase: one block of keys of one key/value head, converted to the accumulation type and laid out for
// streaming. Parts of a key stand side by side.
//
//   K  [panel][feature][width]                  a microtile loads two vectors of keys for each feature
//   V  [block][panel of features][key][width]   one contiguous stream for the keys of a block
//
// Padding keys and features are zeros: they are masked, or multiplied by weights of zero, and cost nothing in the
// kernel. Where the keys go by an order, a position's row is that of the key it holds; one without a key is padding.
#include "Bf16.h"
#include "MapPhase.h"
#include "PackRows.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Transposes lanes x lanes elements held as rows: for each power of two, pairs of rows exchange blocks of that size.
void attn::transpose(Emit &e, SmallVector<V> &rows) {
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

static void packPlainKeys(TaskEmitter &t, OperandEmitter &part, int64_t feature, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  Type element = part.element();
  int64_t size = part.size(), features = part.extent;
  V featureStride = part.featureStride;
  PackRows rows(t, part, first);
  KeyPanels out(t, first, feature);
  auto scalars = [&](V key, int64_t from) {
    rows.at(
        key,
        [&](V token) {
          V row = rows.row(token), to = out.at(key);
          e.loop(e.i64(from), e.i64(features), 1, [&](V c) {
            e.store(e.loadElement(element, e.at(row, e.mul(e.mul(c, featureStride), size))),
                    e.at(to, e.mul(c, l.width * l.element)));
          });
        },
        [&] { out.clear(key, from, features); });
  };
  // Groups of `lanes` keys with contiguous features are transposed in registers, the rest goes element by element.
  int64_t whole = features / e.lanes * e.lanes;
  V grouped = e.select(e.eq(featureStride, e.i64(1)), e.mul(e.divUnsigned(count, e.lanes), e.lanes), e.i64(0));
  auto transposed = [&](V key, ArrayRef<V> tokens) {
    V to = e.opaque(out.at(key)), step = e.mul(part.tokenStride, size), ahead = e.mul(step, e.lanes);
    SmallVector<V> from, next; // keys of the next group too
    for (auto [n, token] : llvm::enumerate(tokens)) {
      if (t.ordered()) {
        from.push_back(rows.row(token));
        next.push_back(rows.row(rows.token(e.min(e.add(key, e.lanes + int64_t(n)), e.sub(count, e.i64(1))))));
        continue;
      }
      from.push_back(from.empty() ? e.opaque(rows.row(token)) : e.at(from.back(), step));
      next.push_back(e.at(from.back(), ahead));
    }
    // Keys come from far away, and so do the panels that they go to: lines of both are asked for one group ahead.
    auto move = [&](V c, int64_t vectors) {
      for (V row : next)
        e.prefetch(e.at(row, e.mul(c, size)));
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<V> tile;
        V at = e.add(c, v * e.lanes);
        for (V row : from)
          tile.push_back(e.loadElements(element, e.at(row, e.mul(at, size))));
        transpose(e, tile);
        V out = e.at(to, e.mul(at, l.width * l.element));
        for (int64_t n = 0; n < e.lanes; ++n) {
          e.prefetch(e.at(out, l.keyPanelBytes() + n * l.width * l.element));
          e.store(tile[n], e.at(out, n * l.width * l.element));
        }
      }
    };
    int64_t lines = std::max<int64_t>(64 / (e.lanes * size), 1), inLines = whole / e.lanes / lines * lines * e.lanes;
    e.loop(e.i64(0), e.i64(inLines), lines * e.lanes, [&](V c) { move(c, lines); });
    if (inLines < whole)
      move(e.i64(inLines), (whole - inLines) / e.lanes);
    if (whole < features)
      e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) { scalars(e.add(key, n), whole); });
  };
  rows.eachGroup(grouped, count, transposed, [&](V key) { scalars(key, 0); });
}

/// Keys that come out of a region: `lanes` of them to the staging rows, then transposed from there.
static void packProducedKeys(TaskEmitter &t, OperandEmitter &part, int64_t feature, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  PackRows rows(t, part, first);
  KeyPanels out(t, first, feature);
  V staging = e.at(t.scratch, l.staging());
  int64_t vectors = llvm::divideCeil(part.extent, e.lanes), rowBytes = l.staged * l.element;
  V whole = e.mul(e.divUnsigned(e.add(count, e.lanes - 1), e.lanes), e.lanes);
  e.loop(e.i64(0), whole, e.lanes, [&](V group) {
    e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) {
      V key = e.add(group, n), row = e.at(staging, e.mul(n, rowBytes));
      auto clear = [&] {
        e.loop(e.i64(0), e.i64(vectors), 1, [&](V v) { e.store(e.splat(0), e.at(row, e.mul(v, e.lanes * e.bytes))); });
        return SmallVector<V>{};
      };
      e.choose(
          e.lt(key, count), {},
          [&] {
            rows.at(
                key,
                [&](V token) {
                  rows.note(key, part.emit(token, [&](V v) { return e.at(row, e.mul(v, e.lanes * e.bytes)); }));
                },
                [&] { clear(); });
            return SmallVector<V>{};
          },
          clear);
    });
    V to = out.at(group);
    auto block = [&](V v, int64_t valid) {
      SmallVector<V> tile;
      for (int64_t n = 0; n < e.lanes; ++n)
        tile.push_back(e.load(e.vec, e.at(staging, e.add(e.mul(v, e.lanes * e.bytes), n * rowBytes))));
      transpose(e, tile);
      for (int64_t n = 0; n < valid; ++n)
        e.store(tile[n], e.at(to, e.mul(e.add(e.mul(v, e.lanes), n), l.width * l.element)));
    };
    int64_t full = part.extent / e.lanes;
    e.loop(e.i64(0), e.i64(full), 1, [&](V v) { block(v, e.lanes); });
    if (full < vectors)
      block(e.i64(full), part.extent % e.lanes);
  });
}

static int64_t extentOf(tile::PackOp op, unsigned n) {
  return op.getExtents() ? (*op.getExtents())[n] : op.getPanels().getType().getFeatures();
}

OperandEmitter attn::partOf(TaskEmitter &t, tile::PackOp op, unsigned n) {
  return OperandEmitter(t, op.getSources()[n], cast<AffineMapAttr>(op.getMaps()[n]).getValue(),
                        op.getProducers().empty() ? nullptr : &op.getProducers()[n], t.keyDim(), extentOf(op, n));
}

int64_t attn::stagedFeatures(tile::PackOp op, int64_t lanes) {
  int64_t most = 0;
  auto program = op->getParentOfType<tile::ProgramOp>();
  for (unsigned n = 0; n < op.getSources().size(); ++n) {
    Region *producer = op.getProducers().empty() ? nullptr : &op.getProducers()[n];
    if (!OperandEmitter::isPlain(cast<RankedTensorType>(op.getSources()[n].getType()),
                                 cast<AffineMapAttr>(op.getMaps()[n]).getValue(), producer, program.keyDim(),
                                 program.keyDim()))
      most = std::max(most, (int64_t)llvm::alignTo(extentOf(op, n), lanes));
  }
  return most;
}

static void packKeys(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  V padded = e.mul(e.divUnsigned(e.add(count, l.width - 1), l.width), l.width);
  int64_t feature = 0;
  for (unsigned n = 0; n < op.getSources().size(); ++n) {
    OperandEmitter part = partOf(t, op, n);
    if (l.bf16Scores)
      bf16::packKeys(t, part, feature, first, count);
    else if (part.isPlain())
      packPlainKeys(t, part, feature, first, count);
    else
      packProducedKeys(t, part, feature, first, count);
    feature += l.bf16Scores ? Layout::wordsOf(part.extent) : part.extent;
  }
  KeyPanels out(t, first, 0);
  e.loop(count, padded, 1, [&](V key) { out.clear(key, 0, feature); });
  // Words beyond the features, of tiles.
  if (int64_t all = l.dotWords * l.branches; l.bf16Scores && feature < all)
    e.loop(e.i64(0), padded, l.width, [&](V key) {
      for (int64_t at = feature * l.width * 4; at < all * l.width * 4; at += e.lanes * 4)
        e.store(e.splat(0), e.at(out.at(key), at));
    });
}

static void packValues(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  OperandEmitter part = partOf(t, op, 0);
  if (l.bf16Values)
    return bf16::packValues(t, part, first, count);
  Type element = part.element();
  int64_t size = part.size();
  PackRows rows(t, part, first);
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
  auto rowOf = [&](V key, V panel) {
    return e.at(out, e.add(e.mul(panel, panelBytes), e.mul(key, l.width * l.element)));
  };
  constexpr int64_t kAhead = 8;
  auto copyKey = [&](V key, V row) {
    V ahead = t.ordered() ? part.row(rows.token(e.min(e.add(key, kAhead), e.sub(count, e.i64(1)))))
                          : e.at(row, e.mul(part.tokenStride, kAhead * size));
    auto copy = [&](V panel, int64_t features) {
      V from = e.at(row, e.mul(e.mul(e.mul(panel, l.width), part.featureStride), size));
      copyRow(e, element, from, part.featureStride, rowOf(key, panel), features);
    };
    int64_t whole = l.value / l.width;
    e.loop(e.i64(0), e.i64(whole), 1, [&](V panel) {
      // Some keys ahead, as for keys.
      V to = rowOf(key, panel), from = e.mul(e.mul(e.mul(panel, l.width), part.featureStride), size);
      e.prefetch(e.at(ahead, from));
      e.prefetch(e.at(to, kAhead * l.width * l.element));
      copy(panel, l.width);
    });
    if (l.value % l.width)
      copy(e.i64(whole), l.value % l.width);
  };
  e.loop(e.i64(0), count, 1, [&](V key) {
    rows.at(
        key,
        [&](V token) {
          if (part.isPlain())
            return copyKey(key, part.row(token));
          auto place = [&](V v) {
            V panel = e.divUnsigned(v, 2), half = e.sub(v, e.mul(panel, 2));
            return e.at(rowOf(key, panel), e.mul(half, e.lanes * e.bytes));
          };
          rows.note(key, part.emit(token, place));
        },
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

LogicalResult attn::emitPackFunction(TaskEmitter &t, tile::PhaseOp phase, Block &entry) {
  t.keysAt = entry.getArgument(2), t.valuesAt = entry.getArgument(3);
  return emitPackBlock(t, phase, entry.getArgument(1));
}

void attn::callPackFunction(TaskEmitter &t, StringRef name, V first, V keys, V values) {
  LLVM::CallOp::create(t.e.b, t.e.loc, TypeRange(), name, ValueRange{t.task, first, keys, values});
}

/// Of keys that are read where they lie, in their own order: which of them are absent. Of those of a page one is asked.
static void noteAbsent(TaskEmitter &t, tile::PackOp op, V first, V count) {
  Emit &e = t.e;
  for (unsigned n = 0; n < op.getSources().size() && op.getChecked(); ++n) {
    OperandEmitter part = partOf(t, op, n);
    if (part.isPlain())
      continue;
    PackRows rows(t, part, first);
    const int64_t together = std::gcd(part.absentTogether(), t.layout.blockKeys);
    e.loop(e.i64(0), count, together, [&](V key) {
      OperandEmitter::Absence absence = part.absence(rows.token(key));
      e.when(e.ne(absence.code, e.i64(0)),
             [&] { e.loop(key, e.min(count, e.add(key, together)), 1, [&](V each) { rows.note(each, absence); }); });
    });
  }
}

LogicalResult attn::emitPackBlock(TaskEmitter &t, tile::PhaseOp phase, V first) {
  Emit &e = t.e;
  V count = e.min(e.i64(t.layout.blockKeys), e.sub(t.positions, first));
  unsigned n = 0;
  if (t.absentKeys)
    clearAbsentKeys(t, first, count);
  if (t.layout.asksForTiny() && !t.layout.inPlace)
    bf16::clearTiny(t, first, count);
  for (Operation &op : phase.getBody().front().without_terminator()) {
    if (auto pack = dyn_cast<tile::PackOp>(op)) {
      if (t.layout.inPlace) {
        noteAbsent(t, pack, first, count);
        continue;
      }
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
  if (t.absentKeys)
    summarizeAbsentKeys(t, first, count);
  return success();
}
