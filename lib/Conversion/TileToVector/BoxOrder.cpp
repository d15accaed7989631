// The order phase where queries and keys go by boxes of their grids (tile.boxes).
//
//   for outer boxes, inner boxes, cells, each in row-major order:  position -> token, coordinates
//
// A disc or a neighborhood of a few consecutive positions is then a compact region, and so are the tokens of a panel:
// fewer panels touch both. Boxes are cut at the grid's border; the tokens of a cut box take fewer positions.
#include "TaskEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {

struct Tables {
  SmallVector<V> bases; // token, then coordinates: i32
};

class BoxWalk {
public:
  BoxWalk(TaskEmitter &t, ArrayRef<int64_t> grid, ArrayRef<int64_t> outer, ArrayRef<int64_t> inner, V tokens, V first,
          Tables tables)
      : e(t.e), grid(grid), outer(outer), inner(inner), tokens(tokens), first(first), tables(tables) {}

  /// All tokens of the grid from position `p` on; the position after them.
  V run(V p) {
    int64_t below = 1;
    for (int64_t n : grid.drop_front())
      below *= n;
    V rows = e.divUnsigned(e.add(e.sub(tokens, first), below - 1), below);
    limit.assign(1, ShapedType::isDynamic(grid[0]) ? rows : e.min(rows, e.i64(grid[0])));
    for (int64_t n : grid.drop_front())
      limit.push_back(e.i64(n));
    SmallVector<V> zero(grid.size(), e.i64(0));
    p = level(0, 0, zero, limit, p);
    // Tokens beyond a static first extent stand nowhere, which their first coordinate says, but they are tokens.
    V end = e.add(first, e.mul(limit[0], below));
    SmallVector<V> beyond = zero;
    beyond[0] = e.i64(ShapedType::isDynamic(grid[0]) ? 0 : grid[0]);
    return e.loop(e.min(end, tokens), tokens, 1, p, [&](V token, ValueRange at) {
      put(at[0], token, beyond);
      return SmallVector<V>{e.add(at[0], 1)};
    })[0];
  }

  void put(V p, V token, ArrayRef<V> coordinates) {
    auto store = [&](V v, V base) {
      e.store(arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), v), e.at(base, e.mul(p, 4)));
    };
    store(token, tables.bases[0]);
    for (auto [n, x] : llvm::enumerate(coordinates))
      store(x, tables.bases[1 + n]);
  }

private:
  /// Depth 0: outer boxes, 1: inner boxes, 2: cells; axis by axis within [from, to).
  V level(unsigned depth, unsigned axis, SmallVector<V> from, SmallVector<V> to, V p) {
    if (axis == grid.size())
      return depth == 2 ? cell(from, p) : level(depth + 1, 0, from, to, p);
    int64_t step = depth == 0 ? outer[axis] : depth == 1 ? inner[axis] : 1;
    V start = from[axis], end = to[axis];
    return e.loop(start, end, step, p, [&](V x, ValueRange at) {
      SmallVector<V> lo = from, hi = to;
      lo[axis] = x;
      hi[axis] = e.min(e.add(x, step), end);
      return SmallVector<V>{level(depth, axis + 1, lo, hi, at[0])};
    })[0];
  }

  V cell(ArrayRef<V> x, V p) {
    V token = e.i64(0);
    for (auto [axis, at] : llvm::enumerate(x))
      token = e.add(axis ? e.mul(token, grid[axis]) : token, at);
    token = e.add(token, first);
    V real = e.lt(token, tokens); // the last row of the grid may be short
    e.when(real, [&] { put(p, token, x); });
    return e.add(p, arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), real));
  }

  Emit &e;
  ArrayRef<int64_t> grid, outer, inner;
  V tokens, first;
  Tables tables;
  SmallVector<V> limit;
};

} // namespace

LogicalResult attn::emitBoxOrder(TaskEmitter &t) {
  Emit &e = t.e;
  tile::BoxesOp op = t.boxes;
  unsigned axes = t.numAxes();
  SmallVector<V> nowhere(axes, e.i64(0));
  auto walk = [&](ArrayRef<int64_t> grid, ArrayRef<int64_t> outer, ArrayRef<int64_t> inner, V tokens, bool keys) {
    Tables tables;
    for (unsigned n = 0; n <= axes; ++n)
      tables.bases.push_back(keys ? t.keyTable(n) : t.queryTable(n));
    V first = e.min(t.gridFirst(), tokens);
    BoxWalk boxes(t, grid, outer, inner, tokens, first, tables);
    e.loop(e.i64(0), first, 1, [&](V token) { boxes.put(token, token, nowhere); });
    V start = first;
    auto pad = [&](V from, V to) { e.loop(from, to, 1, [&](V p) { boxes.put(p, e.i64(-1), nowhere); }); };
    if (keys) {
      start = e.mul(e.divUnsigned(e.add(first, t.layout.width - 1), t.layout.width), t.layout.width);
      pad(first, start);
    }
    V end = boxes.run(start);
    if (keys)
      pad(end, e.mul(t.panels(), t.layout.width));
  };
  walk(op.getQueryGrid(), op.getQueryOuter(), op.getQueryInner(), t.extents[t.queryDim()], false);
  walk(op.getKeyGrid(), op.getKeyOuter(), op.getKeyInner(), t.extents[t.keyDim()], true);
  for (unsigned n = 0; n <= axes; ++n)
    summarizeKeyTable(t, n);
  return success();
}
