// Rows of the sets over grids: for every grid row that has neighbours, ranges along the last axis.
#include "Visibility.h"

#include <cmath>

using namespace attn;
using namespace attn::run;

namespace {

using Point = llvm::SmallVector<int64_t, 3>;

/// Coordinates lo, lo + step, .. below hi.
struct Line {
  int64_t lo, hi, step = 1;
};

/// The key coordinates below `limit` near x on an axis of N.
Line neighborhood(SetNeighborhoodOp op, unsigned a, int64_t x, int64_t N, int64_t limit) {
  const int64_t k = op.getSize()[a], d = op.getDilation()[a], t = op.getStride()[a];
  const int64_t g = x % d, p = x / d, n = llvm::divideCeilSigned(N - g, d); // tokens of the residue class of x
  const int64_t group = p - p % t;
  int64_t lo, hi;
  if (op.getCausal()[a]) {
    lo = std::max<int64_t>(std::min(group + t, n) - k, 0);
    hi = p + 1;
  } else {
    const int64_t leader = std::min(group + t / 2, n - 1);
    lo = std::max<int64_t>(std::min(leader - k / 2, n - k), 0);
    hi = lo + k;
  }
  return {g + lo * d, std::min(g + hi * d, limit), d};
}

Line halo(SetHaloOp op, unsigned a, int64_t x, int64_t limit) {
  const int64_t block = op.getBlock()[a], h = op.getHalo()[a], begin = x - x % block;
  const int64_t lo = op.getPadded() ? begin : begin - h;
  return {std::max<int64_t>(lo, 0), std::min(lo + block + 2 * h, limit)};
}

/// |x - y| with (x - y)^2 < left.
Line disc(int64_t x, int64_t left, int64_t limit) {
  if (left <= 0)
    return {0, 0};
  auto reach = int64_t(std::sqrt(double(left)));
  while (reach * reach >= left)
    --reach;
  while ((reach + 1) * (reach + 1) < left)
    ++reach;
  return {std::max<int64_t>(x - reach, 0), std::min(x + reach + 1, limit)};
}

} // namespace

std::optional<Visibility::Bounds> Visibility::evaluateGrid(mlir::Operation *op) {
  if (!llvm::isa<SetNeighborhoodOp, SetHaloOp, SetDiscOp>(op))
    return std::nullopt;
  auto neighborhoodOp = llvm::dyn_cast<SetNeighborhoodOp>(op);
  auto haloOp = llvm::dyn_cast<SetHaloOp>(op);
  auto discOp = llvm::dyn_cast<SetDiscOp>(op);
  if (!isKnown(attend.getFirst()) || (discOp && !isKnown(discOp.getRadius())))
    return unknown();
  const int64_t first =
      std::max<int64_t>(0, attend.getFirst() ? number(attend.getFirst()) : attend.getFirstValue().value_or(0));
  const llvm::ArrayRef<int64_t> queryGrid = *attend.getQueryGrid(), keyGrid = *attend.getKeyGrid();
  if (query < first || problem.keys() <= first)
    return exactly({});
  const unsigned rank = keyGrid.size();
  Point x(rank), N(keyGrid), limit(keyGrid);
  int64_t rest = query - first, tokens = problem.keys() - first;
  for (unsigned a = rank; a-- > 1; rest /= queryGrid[a], tokens = llvm::divideCeil(tokens, keyGrid[a]))
    x[a] = rest % queryGrid[a];
  x[0] = rest;
  limit[0] = tokens;
  // Tokens behind a static first extent stand nowhere.
  if (!mlir::ShapedType::isDynamic(queryGrid[0]) && rest >= queryGrid[0])
    return exactly({});
  if (mlir::ShapedType::isDynamic(N[0]))
    N[0] = tokens;
  limit[0] = std::min(limit[0], N[0]);
  const int64_t radius =
      discOp ? std::clamp<int64_t>(number(discOp.getRadius()), 0, SetDiscOp::largestRadius(rank)) : 0;
  Ranges keys;
  // In the order of the tokens; `left` is what the axes before leave of the square of the radius.
  auto visit = [&](auto &self, unsigned a, int64_t base, int64_t left) -> void {
    const Line line = neighborhoodOp ? neighborhood(neighborhoodOp, a, x[a], N[a], limit[a])
                      : haloOp       ? halo(haloOp, a, x[a], limit[a])
                                     : disc(x[a], left, limit[a]);
    if (a + 1 < rank) {
      for (int64_t y = line.lo; y < line.hi; y += line.step)
        self(self, a + 1, (base + y) * keyGrid[a + 1], left - (x[a] - y) * (x[a] - y));
      return;
    }
    const int64_t length = line.step == 1 ? line.hi - line.lo : 1;
    for (int64_t y = line.lo; y < line.hi; y += line.step * length)
      for (auto [lo, hi] : clip(first + base + y, first + base + y + length)) {
        if (!keys.empty() && keys.back().second == lo)
          keys.back().second = hi;
        else
          keys.emplace_back(lo, hi);
      }
  };
  visit(visit, 0, 0, radius * radius);
  return exactly(keys);
}
