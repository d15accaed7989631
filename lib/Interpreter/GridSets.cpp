// Sets over the grids of the token axes, axis by axis by their formulas.
#include "ProgramBuilder.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

/// The `first` tokens before the grid.
uint32_t ProgramBuilder::firstToken() {
  AttendOp attend = problem.attend;
  if (attend.getFirst())
    return emit(Opcode::MaxS, at(attend.getFirst()), constant(0));
  return constant(attend.getFirstValue().value_or(0));
}

/// Row-major coordinates of (token - first). Only the first extent may be unknown, and no coordinate needs that one; a
/// token beyond one that is known stands nowhere.
ProgramBuilder::GridToken ProgramBuilder::onGrid(uint32_t token, ArrayRef<int64_t> grid) {
  GridToken result;
  uint32_t first = firstToken(), rest = emit(Opcode::SubI, token, first);
  result.onGrid = lessEqual(first, token);
  result.at.resize(grid.size());
  for (unsigned axis = grid.size() - 1; axis > 0; --axis) {
    result.at[axis] = emit(Opcode::RemS, rest, constant(grid[axis]));
    rest = divide(rest, grid[axis]);
  }
  result.at[0] = rest;
  if (!ShapedType::isDynamic(grid[0]))
    result.onGrid = emit(Opcode::SetAnd, result.onGrid, lessEqual(rest, constant(grid[0] - 1)));
  return result;
}

/// N_axis of the key grid; N_0 is ceil((J - first) / (N_1 N_2)) where it is unknown.
uint32_t ProgramBuilder::gridExtent(unsigned axis) {
  AttendOp attend = problem.attend;
  ArrayRef<int64_t> grid = *attend.getKeyGrid();
  if (!ShapedType::isDynamic(grid[axis]))
    return constant(grid[axis]);
  uint32_t n = emit(Opcode::SubI, constant(problem.extents[attend.keyDim()]), firstToken());
  for (int64_t inner : grid.drop_front())
    n = emit(Opcode::CeilDivS, n, constant(inner));
  return n;
}

/// y mod d == x mod d and lo <= y floordiv d < hi.
uint32_t ProgramBuilder::neighborhoodAxis(SetNeighborhoodOp op, unsigned axis, uint32_t x, uint32_t y) {
  // Coordinates and parameters are below 2^31: no sum of them wraps.
  const int64_t k = op.getSize()[axis], d = op.getDilation()[axis], t = op.getStride()[axis];
  const bool causal = op.getCausal()[axis];
  auto add = [&](uint32_t a, int64_t b) { return emit(Opcode::AddI, a, constant(b)); };
  auto atLeast0 = [&](uint32_t a) { return emit(Opcode::MaxS, a, constant(0)); };
  uint32_t g = emit(Opcode::RemS, x, constant(d)), p = divide(x, d);
  uint32_t n = emit(Opcode::CeilDivS, emit(Opcode::SubI, gridExtent(axis), g), constant(d));
  uint32_t group = emit(Opcode::MulI, divide(p, t), constant(t));
  uint32_t c = emit(Opcode::MinS, add(group, causal ? t - 1 : t / 2), add(n, -1));
  uint32_t lo = causal ? atLeast0(add(c, 1 - k)) : atLeast0(emit(Opcode::MinS, add(c, -(k / 2)), add(n, -k)));
  uint32_t hi = causal ? add(p, 1) : add(lo, k), at = divide(y, d);
  uint32_t inside = emit(Opcode::SetAnd, lessEqual(lo, at), lessEqual(at, hi, -1));
  return emit(Opcode::SetAnd, equal(emit(Opcode::RemS, y, constant(d)), g), inside);
}

/// The block of x begins at (x floordiv B) B.
uint32_t ProgramBuilder::haloAxis(SetHaloOp op, unsigned axis, uint32_t x, uint32_t y) {
  const int64_t block = op.getBlock()[axis], halo = op.getHalo()[axis];
  uint32_t begin = emit(Opcode::MulI, divide(x, block), constant(block));
  uint32_t lower = lessEqual(begin, y, op.getPadded() ? 0 : halo);
  return emit(Opcode::SetAnd, lower, lessEqual(y, begin, block + (op.getPadded() ? 2 * halo : halo) - 1));
}

std::optional<uint32_t> ProgramBuilder::emitGridSet(Operation *op) {
  if (!isa<SetNeighborhoodOp, SetHaloOp, SetDiscOp>(op))
    return std::nullopt;
  AttendOp attend = problem.attend;
  if (!attend.getQueryGrid() || !attend.getKeyGrid()) {
    fail("'" + op->getName().getStringRef() + "' needs a grid of the query and of the key axis");
    return constant(False);
  }
  GridToken x = onGrid(query(), *attend.getQueryGrid()), y = onGrid(key(), *attend.getKeyGrid());
  uint32_t set = emit(Opcode::SetAnd, x.onGrid, y.onGrid);
  if (auto disc = dyn_cast<SetDiscOp>(op)) {
    uint32_t sum = constant(0);
    uint32_t radius = emit(Opcode::MinS, at(disc.getRadius()), constant(SetDiscOp::largestRadius(x.at.size())));
    for (auto [a, b] : llvm::zip_equal(x.at, y.at)) {
      uint32_t distance = emit(Opcode::SubI, a, b);
      sum = emit(Opcode::AddI, sum, emit(Opcode::MulI, distance, distance));
    }
    return emit(Opcode::SetAnd, set, emit(Opcode::LessSquare, sum, radius));
  }
  for (unsigned axis = 0; axis < x.at.size(); ++axis) {
    auto neighborhood = dyn_cast<SetNeighborhoodOp>(op);
    uint32_t near = neighborhood ? neighborhoodAxis(neighborhood, axis, x.at[axis], y.at[axis])
                                 : haloAxis(cast<SetHaloOp>(op), axis, x.at[axis], y.at[axis]);
    set = emit(Opcode::SetAnd, set, near);
  }
  return set;
}
