// Sets over the grids of the token axes: token t stands at the coordinates of t - first in row-major order.
#include "PredicateBuilder.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Pred;

/// Coordinates of a token that is `t` places into its grid.
static std::vector<Expr> coordinates(const Expr &t, ArrayRef<int64_t> grid) {
  std::vector<Expr> result(grid.size());
  int64_t below = 1; // tokens in one step along the axis
  for (size_t a = grid.size(); a-- > 0;) {
    Expr at = sets::floorDiv(t, below);
    result[a] = a ? sets::mod(at, grid[a]) : at;
    below *= std::max<int64_t>(grid[a], 1);
  }
  return result;
}

std::vector<PredicateBuilder::GridAxis> PredicateBuilder::gridAxes(Pred &inside) {
  Expr first = axes.first ? Expr::var(kGridFirst) : Expr::constant(axes.firstValue);
  inside = sets::ge(i, first) && sets::ge(j, first);
  std::vector<Expr> x = coordinates(i - first, axes.queryGrid), y = coordinates(j - first, axes.keyGrid);
  if (axes.boxes)
    for (unsigned a = 0; a < x.size(); ++a) {
      x[a] = Expr::load(kQueryCoordinate + a, {Expr::var(numBatch)});
      y[a] = Expr::load(kKeyCoordinate + a, {Expr::var(numBatch + 1)});
    }
  std::vector<GridAxis> result;
  for (size_t a = 0; a < x.size(); ++a) {
    Expr extent = Expr::constant(axes.keyGrid[a]);
    if (ShapedType::isDynamic(axes.keyGrid[a])) {
      int64_t below = 1;
      for (int64_t n : ArrayRef<int64_t>(axes.keyGrid).drop_front())
        below *= n;
      extent = sets::floorDiv(this->extent(numBatch + !axes.exchanged) - first + (below - 1), below);
    }
    result.push_back({x[a], y[a], extent});
  }
  // A static first extent may be less than what the axis holds: tokens beyond it stand nowhere.
  if (!ShapedType::isDynamic(axes.queryGrid[0]))
    inside = inside && sets::lt(x[0], Expr::constant(axes.queryGrid[0]));
  if (!ShapedType::isDynamic(axes.keyGrid[0]))
    inside = inside && sets::lt(y[0], Expr::constant(axes.keyGrid[0]));
  return result;
}

//   c: the query that its stride group shares          lo <= y floordiv d < hi, y in the query's residue class
Pred PredicateBuilder::neighborhood(SetNeighborhoodOp op) {
  Pred p;
  std::vector<GridAxis> grid = gridAxes(p);
  for (size_t a = 0; a < grid.size(); ++a) {
    int64_t k = op.getSize()[a], d = op.getDilation()[a], t = op.getStride()[a];
    Expr residue = sets::mod(grid[a].x, d), at = sets::floorDiv(grid[a].x, d);
    Expr last = sets::floorDiv(grid[a].extent - residue + (d - 1), d) - 1;
    Expr group = sets::floorDiv(at, t) * t;
    p = p && sets::eq(sets::mod(grid[a].y, d), residue);
    Expr y = sets::floorDiv(grid[a].y, d);
    if (op.getCausal()[a]) {
      Expr lead = sets::min(group + (t - 1), last);
      p = p && sets::ge(y, lead - (k - 1)) && sets::le(y, at);
    } else {
      Expr lead = sets::min(group + t / 2, last);
      Expr lo = sets::max(sets::min(lead - k / 2, last - (k - 1)), Expr::constant(0));
      p = p && sets::ge(y, lo) && sets::le(y, lo + (k - 1));
    }
  }
  return p;
}

Pred PredicateBuilder::halo(SetHaloOp op) {
  Pred p;
  std::vector<GridAxis> grid = gridAxes(p);
  for (size_t a = 0; a < grid.size(); ++a) {
    int64_t block = op.getBlock()[a], halo = op.getHalo()[a];
    Expr start = sets::floorDiv(grid[a].x, block) * block - (op.getPadded() ? 0 : halo);
    p = p && sets::ge(grid[a].y, start) && sets::lt(grid[a].y, start + (block + 2 * halo));
  }
  return p;
}

//   |x - y| < r along every axis, which follows, is what bounds the axis
//   a distance beyond the largest radius is as good as that radius: sums of squares stay below 2^31
Pred PredicateBuilder::disc(SetDiscOp op) {
  Pred p;
  std::vector<GridAxis> grid = gridAxes(p);
  const int64_t most = SetDiscOp::largestRadius(grid.size());
  Expr radius = sets::max(sets::min(scalar(op.getRadius()), Expr::constant(most)), Expr::constant(0)), squares;
  for (auto [a, axis] : llvm::enumerate(grid)) {
    Expr distance = axis.y - axis.x;
    p = p && sets::lt(distance, radius) && sets::gt(distance, -radius);
    int64_t extent = std::max(axes.queryGrid[a], axes.keyGrid[a]);
    bool isShort = a > 0 && extent <= most;
    if (!isShort)
      distance = sets::max(sets::min(distance, Expr::constant(most)), Expr::constant(-most));
    squares = squares + distance * distance;
  }
  // No two tokens are further apart, and the square of a larger radius would not fit.
  Expr bounded = sets::min(radius, Expr::constant(3037000499));
  return p && sets::lt(squares, bounded * bounded);
}
