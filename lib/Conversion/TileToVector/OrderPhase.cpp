// The order phase: the keys of one head go by a list (tile.order).
//
//   order[p] = list[p floordiv block] * block + p mod block,  -1 where that is no key or was met before
//
// One task walks the list once: elements may repeat and stand in any order, so each is looked up in a bit for every
// value that an element can have. Then least and greatest key of every panel and block, for questions about boxes.
#include "TaskEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Extremes of i32s in groups of `width` positions, as i64s: least[groups], greatest[groups].
static void summarizeLevel(TaskEmitter &t, V base, V least, V groups, int64_t width) {
  Emit &e = t.e;
  V greatest = e.at(least, e.mul(groups, 8));
  V end = e.mul(t.panels(), t.layout.width);
  e.loop(e.i64(0), groups, 1, [&](V group) {
    V from = e.mul(group, width), to = e.min(end, e.add(from, width));
    auto found = e.loop(from, to, 1, ValueRange{e.i64(INT64_MAX), e.i64(INT64_MIN)}, [&](V p, ValueRange acc) {
      V key = e.loadInteger(e.b.getI32Type(), e.at(base, e.mul(p, 4)));
      return SmallVector<V>{e.min(acc[0], key), e.max(acc[1], key)};
    });
    e.store(found[0], e.at(least, e.mul(group, 8)));
    e.store(found[1], e.at(greatest, e.mul(group, 8)));
  });
}

void attn::summarizeKeyTable(TaskEmitter &t, unsigned n) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  V base = t.keyTable(n), at = t.keyTableSummary(n);
  for (int64_t width : {l.width, l.blockKeys, l.blockKeys * Layout::kGroupBlocks}) {
    V units = e.divUnsigned(e.add(t.positions, width - 1), width);
    summarizeLevel(t, base, at, units, width);
    at = e.at(at, e.mul(units, 16));
  }
}

LogicalResult attn::emitOrderPhase(TaskEmitter &t) {
  if (t.boxes)
    return emitBoxOrder(t);
  Emit &e = t.e;
  tile::OrderOp op = t.list;
  unsigned argument = cast<BlockArgument>(op.getList()).getArgNumber();
  TensorRef &list = t.tensor(argument);
  Type element = list.type.getElementType(), i32 = e.b.getI32Type();
  unsigned last = list.type.getRank() - 1;
  V base = e.at(list.data, e.mul(t.baseOffset(list, op.getMap()), Emit::elementBytes(element)));
  V out = t.keyTable(0), seen = t.orderSeen(), limit = t.orderLimit(), keys = t.extents[t.keyDim()];
  V none = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(-1));
  int64_t block = op.getBlock();

  V words = e.divUnsigned(e.add(limit, 63), 64);
  e.loop(e.i64(0), words, 1, [&](V w) { e.store(e.i64(0), e.at(seen, e.mul(w, 8))); });
  e.loop(e.i64(0), list.extents[last], 1, [&](V n) {
    V value = e.loadInteger(element, e.at(base, e.mul(e.mul(n, list.strides[last]), Emit::elementBytes(element))));
    V inside = e.both(e.ge(value, e.i64(0)), e.lt(value, limit));
    t.reportIndex(e.both(e.invert(inside), e.ne(value, e.i64(-1))), list.argument, last, value);
    V fresh = e.choose(
        inside, {e.b.getI1Type()},
        [&] {
          V at = e.at(seen, e.mul(e.divUnsigned(value, 64), 8));
          V bit = arith::ShLIOp::create(e.b, e.loc, e.i64(1), e.both(value, e.i64(63)));
          V word = e.loadI64(at);
          e.store(e.either(word, bit), at);
          return SmallVector<V>{e.eq(e.both(word, bit), e.i64(0))};
        },
        [&] { return SmallVector<V>{e.i1(false)}; })[0];
    e.loop(e.i64(0), e.i64(block), 1, [&](V offset) {
      V key = e.add(e.mul(value, block), offset);
      V held = e.select(e.both(fresh, e.lt(key, keys)), arith::TruncIOp::create(e.b, e.loc, i32, key), none);
      e.store(held, e.at(out, e.mul(e.add(e.mul(n, block), offset), 4)));
    });
  });
  V panels = t.panels();
  e.loop(t.positions, e.mul(panels, t.layout.width), 1, [&](V p) { e.store(none, e.at(out, e.mul(p, 4))); });
  summarizeKeyTable(t, 0);
  return success();
}
