#include "RowLists.h"

using namespace mlir;
using namespace attn;
using V = Value;

static V lines(Emit &e, V bytes) { return e.mul(e.divUnsigned(e.add(bytes, 63), 64), 64); }

RowLists::RowLists(TaskEmitter &t)
    : block(t.lists.getBlock()), t(t), e(t.e), op(t.lists),
      list(t.tensor(cast<BlockArgument>(op.getList()).getArgNumber())), elementType(list.type.getElementType()),
      last(list.type.getRank() - 1), keyCount(t.extents[t.keyDim()]),
      limit(e.divUnsigned(e.add(keyCount, block - 1), block)) {}

void RowLists::place(V base) {
  const Layout &l = t.layout;
  seen = base;
  keys = e.at(seen, lines(e, e.mul(e.divUnsigned(e.add(limit, 63), 64), 8)));
  // One key more than there are is stored before it is known to be one; padding and whole vectors follow.
  staging = e.at(keys, lines(e, e.mul(e.add(keyCount, 1 + 2 * l.width), 4)));
}

V RowLists::scratchBytes() {
  const Layout &l = t.layout;
  int64_t row = (std::max(l.dot, l.value) + l.lanes - 1) / l.lanes * l.lanes * l.element;
  V bits = lines(e, e.mul(e.divUnsigned(e.add(limit, 63), 64), 8));
  V room = lines(e, e.mul(e.add(keyCount, 1 + 2 * l.width), 4));
  return e.add(e.add(bits, room), (l.width + 2) * row);
}

RowLists::Range RowLists::find(V row, bool reports) {
  int64_t size = Emit::elementBytes(elementType);
  V offset = t.baseOffset(list, op.getMap());
  V all = list.extents[last];
  if (!op.getOffsets()) {
    offset = e.add(offset, e.mul(row, t.stride(list, op.getMap(), t.queryDim())));
    return {e.at(list.data, e.mul(offset, size)), e.i64(0), all};
  }
  TensorRef &offsets = t.tensor(cast<BlockArgument>(op.getOffsets()).getArgNumber());
  V at = e.add(t.baseOffset(offsets, op.getMap()), e.mul(row, offsets.strides[last]));
  auto [from, to] = t.csrRow(offsets, at, all, reports);
  return {e.at(list.data, e.mul(offset, size)), from, to};
}

V RowLists::element(const Range &range, V place) {
  return e.loadInteger(elementType,
                       e.at(range.data, e.mul(e.mul(place, list.strides[last]), Emit::elementBytes(elementType))));
}

RowLists::Ahead RowLists::lookAhead(V row, int64_t distance) {
  Ahead r{find(row, false), {}, distance};
  if (op.getOffsets()) // what follows is the next row's
    return r;
  V length = e.max(list.extents[last], e.i64(1));
  V rows = e.add((V)arith::DivUIOp::create(e.b, e.loc, e.i64(distance - 1), length), 1);
  r.next = find(e.min(e.add(row, rows), e.sub(t.extents[t.queryDim()], e.i64(1))), false);
  return r;
}

V RowLists::element(const Ahead &ahead, V place) {
  V length = list.extents[last], after = e.add(place, ahead.distance);
  if (op.getOffsets())
    return element(ahead.list, e.min(e.add(ahead.list.from, after), e.sub(length, e.i64(1))));
  V inside = e.lt(after, length);
  V beyond = e.min(e.sub(after, e.max(length, e.i64(ahead.distance))), e.sub(length, e.i64(1)));
  Range range{e.select(inside, ahead.list.data, ahead.next.data), {}, {}};
  return element(range, e.select(inside, after, beyond));
}

V attn::copyAscending(Emit &e, Type elementType, V from, V count, V keyCount, V keys) {
  int64_t size = Emit::elementBytes(elementType);
  Type i32 = e.b.getI32Type();
  bool narrow = !elementType.isInteger(64);
  VectorType words = e.vecOf(i32);
  V whole = e.mul(e.divUnsigned(count, e.lanes), e.lanes);
  SmallVector<int64_t> shifted;
  for (int64_t n = 0; n < e.lanes; ++n)
    shifted.push_back(e.lanes - 1 + n);
  // The elements before these and whether all was right so far: -1 in every lane.
  auto copied =
      e.loop(e.i64(0), whole, e.lanes, {e.splatInt(words, -1), e.splatInt(words, -1)}, [&](V n, ValueRange state) {
        V x = e.load(e.vecOf(elementType), e.at(from, e.mul(n, size))), wide = x;
        if (!narrow)
          x = arith::TruncIOp::create(e.b, e.loc, words, x);
        e.store(x, e.at(keys, e.mul(n, 4)));
        V before = vector::ShuffleOp::create(e.b, e.loc, state[0], x, shifted);
        V good = e.cmp(arith::CmpIPredicate::sgt, x, before);
        if (!narrow)
          good = e.both(good, e.eq((V)arith::ExtSIOp::create(e.b, e.loc, e.vecOf(elementType), x), wide));
        return SmallVector<V>{x, e.both(state[1], (V)arith::ExtSIOp::create(e.b, e.loc, words, good))};
      });
  V bad = e.anyLane(e.ne(copied[1], e.splatInt(words, -1)));
  V before = vector::ExtractOp::create(e.b, e.loc, copied[0], ArrayRef<int64_t>{e.lanes - 1});
  before = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), before);
  auto rest = e.loop(whole, count, 1, {before, e.invert(bad)}, [&](V n, ValueRange state) {
    V x = e.loadInteger(elementType, e.at(from, e.mul(n, size)));
    e.store(arith::TruncIOp::create(e.b, e.loc, i32, x), e.at(keys, e.mul(n, 4)));
    return SmallVector<V>{x, e.both(state[1], e.lt(state[0], x))};
  });
  return e.select(e.both(rest[1], e.lt(rest[0], keyCount)), count, e.i64(-1));
}

V RowLists::gather(V row) {
  Range range = find(row, true);
  if (!op.getOffsets()) // padding stands last, as a rule
    range.to = e.whileLoop(
        range.to,
        [&](ValueRange to) {
          return e.choose(
              e.lt(range.from, to[0]), {e.b.getI1Type()},
              [&] { return SmallVector<V>{e.eq(element(range, e.sub(to[0], e.i64(1))), e.i64(-1))}; },
              [&] { return SmallVector<V>{e.i1(false)}; })[0];
        },
        [&](ValueRange to) { return SmallVector<V>{e.sub(to[0], e.i64(1))}; })[0];
  V count = e.sub(range.to, range.from);
  if (block == 1) {
    V plain = e.both(e.eq(list.strides[last], e.i64(1)), e.le(count, keyCount));
    count = e.choose(
        plain, {e.i64Type()}, [&] { return SmallVector<V>{gatherSorted(range)}; },
        [&] { return SmallVector<V>{e.i64(-1)}; })[0];
  } else {
    count = e.i64(-1);
  }
  count = e.choose(
      e.lt(count, e.i64(0)), {e.i64Type()}, [&] { return SmallVector<V>{gatherAny(range)}; },
      [&] { return SmallVector<V>{count}; })[0];
  e.when(e.lt(e.i64(0), count), [&] {
    V pad = e.broadcast(e.load(e.b.getI32Type(), keys)), end = e.at(keys, e.mul(count, 4));
    e.store(pad, end);
    e.store(pad, e.at(end, 4 * e.lanes));
  });
  return count;
}

V RowLists::gatherSorted(const Range &range) {
  V from = e.at(range.data, e.mul(range.from, Emit::elementBytes(elementType)));
  return copyAscending(e, elementType, from, e.sub(range.to, range.from), keyCount, keys);
}

V RowLists::gatherAny(const Range &range) {
  Type i32 = e.b.getI32Type();
  auto wordOf = [&](V element) { return e.at(seen, e.mul(e.divUnsigned(element, 64), 8)); };
  V count = e.loop(range.from, range.to, 1, e.i64(0), [&](V n, ValueRange state) {
    V value = element(range, n);
    V inside = e.both(e.ge(value, e.i64(0)), e.lt(value, limit));
    t.reportIndex(t.isBadElement(inside, value, (bool)op.getOffsets()), list.argument, last, value);
    V safe = e.select(inside, value, e.i64(0));
    V at = wordOf(safe), word = e.loadI64(at);
    V bit = arith::ShLIOp::create(e.b, e.loc, e.i64(1), e.both(safe, e.i64(63)));
    V fresh = e.both(inside, e.eq(e.both(word, bit), e.i64(0)));
    e.store(e.either(word, e.select(inside, bit, e.i64(0))), at);
    // A key is stored and then counted, or not.
    V first = e.mul(safe, block);
    return e.loop(e.i64(0), e.i64(block), 1, state, [&](V offset, ValueRange held) {
      V key = e.add(first, offset);
      e.store(arith::TruncIOp::create(e.b, e.loc, i32, key), e.at(keys, e.mul(held[0], 4)));
      V counts = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.both(fresh, e.lt(key, keyCount)));
      return SmallVector<V>{e.add(held[0], counts)};
    });
  })[0];
  e.loop(e.i64(0), count, 1, [&](V n) {
    V key = e.loadInteger(i32, e.at(keys, e.mul(n, 4)));
    e.store(e.i64(0), wordOf(e.divUnsigned(key, block)));
  });
  return count;
}
