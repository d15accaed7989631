#include "RowsEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// The table of keys by position is the row's list; as it is padded to whole panels, every lane is inside.
void RowsEmitter::bindLists() {
  lists.place(e.at(t.scratch, e.add(members->scratchBytes(), l.scratchBytes())));
  bindTable(kOrderTable, lists.keys, e.i64(INT32_MAX), t.keyDim(), {-1, INT32_MAX - 2});
  keys = sourceOf(allWeighs.front().getKeys(), t.dotDim());
  main.walk([&](tile::AccumulateOp op) { values = sourceOf(op.getValues(), t.valueDim()); });
}

void RowsEmitter::visitBlocks(V pass) {
  e.loop(e.i64(0), rows, 1, [&](V r) {
    enterStrip(r);
    // 16 KiB of keys are on their way or there, and as much of values: a small part of L2.
    int64_t bytes = keys.features * keys.size;
    ahead = lists.lookAhead(rowLo, std::clamp<int64_t>(16384 / bytes, 8, 64));
    visitRow();
  });
}

void RowsEmitter::visitRow() {
  V length = lists.gather(rowLo);
  t.positions = length;          // of the key axis, which is this row's
  bool whole = masksAreBounds(); // nothing but the list
  auto byte = [&](int64_t v) -> V { return arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(v)); };
  e.loop(e.i64(0), length, l.blockKeys, [&](V position) {
    blockFirst = position;
    blockKeys = e.min(e.i64(l.blockKeys), e.sub(length, position));
    blockPanels = e.divUnsigned(e.add(blockKeys, l.width - 1), l.width);
    products();
    e.loop(e.i64(0), blockPanels, 1, [&](V panel) {
      V all = e.le(e.mul(e.add(panel, 1), l.width), blockKeys);
      weigh(panel, whole ? e.select(all, byte(2), byte(1)) : byte(1), e.i64(0));
    });
    if (!accumulates.empty())
      accumulateRows();
    if (counting)
      e.when(e.invert(guarded), [&] { count(3, blockPanels); });
  });
}

/// Products wait in the places of the weights.
SmallVector<V> RowsEmitter::dot(V panel) {
  V at = e.at(e.at(t.scratch, l.weights()), e.mul(panel, l.width * e.bytes));
  return {e.load(e.vec, at), e.load(e.vec, e.at(at, e.lanes * e.bytes))};
}

/// The lists' elements, or columns for each row, stand for fewer than a quarter of the keys.
V attn::emitRowsGuard(TaskEmitter &t) {
  Emit &e = t.e;
  tile::ListsOp op = t.lists;
  V listed = e.mul(t.tensor(cast<BlockArgument>(op.getList()).getArgNumber()).extents.back(), op.getBlock());
  V keys = t.extents[t.keyDim()];
  if (op.getOffsets())
    keys = e.mul(keys, t.extents[t.queryDim()]);
  V few = e.le(e.mul(listed, 4), keys);
  return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), few);
}

LogicalResult attn::emitRowsPhase(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp main, ModuleOp module,
                                  StringRef prefix) {
  return RowsEmitter(t, variant, main, module, prefix).run();
}
