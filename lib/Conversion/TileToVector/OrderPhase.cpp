// The order phase: the keys of one head go by a list (tile.order).
//
//   order[p] = list[p floordiv block] * block + p mod block,  -1 where that is no key or was met before
//
// One task walks the list once. Elements that ascend are copied; else they may repeat and stand in any order, so each
// is looked up in a bit for every value that an element can have. Then least and greatest key of every panel and block,
// for questions about boxes.
#include "RowLists.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Extremes in groups of units below: those of panels from the positions, a vector and another, the others from what
/// was found for the level below. Of `count` groups: least[count], greatest[count], i64s.
static void summarizePanels(TaskEmitter &t, V base, V least, V count) {
  Emit &e = t.e;
  VectorType words = e.vecOf(e.b.getI32Type());
  V greatest = e.at(least, e.mul(count, 8));
  e.loop(e.i64(0), count, 1, [&](V panel) {
    V from = e.at(base, e.mul(panel, t.layout.width * 4));
    V x = e.load(words, from), y = e.load(words, e.at(from, e.lanes * 4));
    auto store = [&](V lanes, vector::CombiningKind kind, V to) {
      V one = vector::ReductionOp::create(e.b, e.loc, kind, lanes);
      e.store(arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), one), e.at(to, e.mul(panel, 8)));
    };
    store(e.min(x, y), vector::CombiningKind::MINSI, least);
    store(e.max(x, y), vector::CombiningKind::MAXSI, greatest);
  });
}

static void summarizeUnits(TaskEmitter &t, V below, V units, int64_t each, V least, V count) {
  Emit &e = t.e;
  V greatestBelow = e.at(below, e.mul(units, 8)), greatest = e.at(least, e.mul(count, 8));
  e.loop(e.i64(0), count, 1, [&](V group) {
    V from = e.mul(group, each), to = e.min(units, e.add(from, each));
    auto found = e.loop(from, to, 1, ValueRange{e.i64(INT64_MAX), e.i64(INT64_MIN)}, [&](V unit, ValueRange acc) {
      V at = e.mul(unit, 8);
      return SmallVector<V>{e.min(acc[0], e.loadI64(e.at(below, at))),
                            e.max(acc[1], e.loadI64(e.at(greatestBelow, at)))};
    });
    e.store(found[0], e.at(least, e.mul(group, 8)));
    e.store(found[1], e.at(greatest, e.mul(group, 8)));
  });
}

void attn::summarizeKeyTable(TaskEmitter &t, unsigned n) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  auto unitsOf = [&](int64_t width) { return e.divUnsigned(e.add(t.positions, width - 1), width); };
  V below = t.keyTableSummary(n), units = unitsOf(l.width);
  summarizePanels(t, t.keyTable(n), below, units);
  int64_t width = l.width;
  for (int64_t wider : {l.blockKeys, l.blockKeys * Layout::kGroupBlocks}) {
    V at = e.at(below, e.mul(units, 16)), count = unitsOf(wider);
    summarizeUnits(t, below, units, wider / width, at, count);
    below = at, units = count, width = wider;
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
  V offset = t.baseOffset(list, op.getMap());
  for (auto [axis, index] : llvm::enumerate(op.getMap().getResults())) // the rows of a task are of one list
    if (OperandIndex x = OperandIndex::of(index); x.dim == (int64_t)t.queryDim())
      offset = e.add(offset, e.mul(e.divUnsigned(t.block, x.divisor), list.strides[axis]));
  V base = e.at(list.data, e.mul(offset, Emit::elementBytes(element)));
  V out = t.keyTable(0), seen = t.orderSeen(), limit = t.orderLimit(), keys = t.extents[t.keyDim()];
  V none = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(-1));
  int64_t block = op.getBlock();

  auto elementAt = [&](V n) {
    return e.loadInteger(element, e.at(base, e.mul(e.mul(n, list.strides[last]), Emit::elementBytes(element))));
  };
  // Padding stands last, as a rule, and elements ascend.
  V used = e.whileLoop(
      list.extents[last],
      [&](ValueRange to) {
        return e.choose(
            e.lt(e.i64(0), to[0]), {e.b.getI1Type()},
            [&] { return SmallVector<V>{e.eq(elementAt(e.sub(to[0], e.i64(1))), e.i64(-1))}; },
            [&] { return SmallVector<V>{e.i1(false)}; })[0];
      },
      [&](ValueRange to) { return SmallVector<V>{e.sub(to[0], e.i64(1))}; })[0];
  V ascends = e.i1(false);
  if (block == 1)
    ascends = e.choose(
        e.both(e.eq(list.strides[last], e.i64(1)), e.le(used, keys)), {e.b.getI1Type()},
        [&] { return SmallVector<V>{e.ge(copyAscending(e, element, base, used, keys, out), e.i64(0))}; },
        [&] { return SmallVector<V>{e.i1(false)}; })[0];
  e.when(e.invert(ascends), [&] {
    V words = e.divUnsigned(e.add(limit, 63), 64);
    e.loop(e.i64(0), words, 1, [&](V w) { e.store(e.i64(0), e.at(seen, e.mul(w, 8))); });
    e.loop(e.i64(0), used, 1, [&](V n) {
      V value = elementAt(n);
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
  });
  V panels = t.panels();
  e.loop(e.mul(used, block), e.mul(panels, t.layout.width), 1, [&](V p) { e.store(none, e.at(out, e.mul(p, 4))); });
  summarizeKeyTable(t, 0);
  return success();
}
