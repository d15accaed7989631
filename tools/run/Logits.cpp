// --logits: scores of a chosen class, through one feature. With f a constant in feature 0 of every query and
// want(j) / (scale f) in that of key j, the score of (i, j) is want(j) plus what the other features give.
//
//   rising    want = 40 j / J: every block raises the maximum            falling   the reverse: the first block has it
//   ties      key j is a copy of key j mod 3                             huge      want = +-1e4
//   spikes    want = 30 for one key of every 64 (or --block-keys)
//   steep     want = 4 j: 16 keys raise the maximum by more than any lag of a reference, so that every microtile does
#include "Failure.h"
#include "Problem.h"

#include "attn/Support/Random.h"

#include <cmath>

using namespace attn;
using namespace attn::run;
using llvm::Error;

namespace {

/// One operand of the attend: calls `each(token, offset)` for every row of features, offset that of feature 0.
class Operand {
public:
  Operand(Tensor &t, mlir::AffineMap map, unsigned token, unsigned feature)
      : token(token), feature(feature), t(t), map(map) {}

  const unsigned token, feature; // dimensions

  template <typename Fn> void forEachRow(Fn each) const {
    if (t.elements() > 0)
      walk(0, 0, 0, each);
  }
  int64_t strideOf(unsigned dim) const {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (isDim(e, dim))
        return t.strides[axis];
    return 0;
  }
  Tensor &tensor() const { return t; }
  mlir::AffineMap indexing() const { return map; }

private:
  static bool isDim(mlir::AffineExpr e, unsigned dim) {
    auto d = llvm::dyn_cast<mlir::AffineDimExpr>(e);
    return d && d.getPosition() == dim;
  }

  template <typename Fn> void walk(unsigned axis, int64_t row, int64_t offset, Fn &each) const {
    if (axis == map.getNumResults())
      return each(row, offset);
    mlir::AffineExpr e = map.getResult(axis);
    if (isDim(e, feature))
      return walk(axis + 1, row, offset, each);
    if (auto c = llvm::dyn_cast<mlir::AffineConstantExpr>(e))
      return walk(axis + 1, row, offset + c.getValue() * t.strides[axis], each);
    for (int64_t n = 0; n < t.shape[axis]; ++n)
      walk(axis + 1, isDim(e, token) ? n : row, offset + n * t.strides[axis], each);
  }

  Tensor &t;
  mlir::AffineMap map;
};

/// Whether the two operands never touch the same element: other tensors, or other constants along some axis.
bool areApart(const Operand &a, const Operand &b) {
  if (&a.tensor() != &b.tensor())
    return true;
  for (auto [x, y] : llvm::zip(a.indexing().getResults(), b.indexing().getResults()))
    if (llvm::isa<mlir::AffineConstantExpr>(x) && llvm::isa<mlir::AffineConstantExpr>(y) && x != y)
      return true;
  return false;
}

double scaleOf(const Problem &problem, AttendOp attend) {
  if (attend.getScaleValue())
    return attend.getScaleValue()->convertToDouble();
  if (attend.getScale())
    if (const attn_scalar *s = problem.scalarOf(attend.getScale()))
      return s->f;
  return 1 / std::sqrt(double(attend.dotExtent()));
}

/// Key j becomes a copy of key j mod 3.
void tieKeys(const Operand &k, int64_t features) {
  Tensor &t = k.tensor();
  k.forEachRow([&](int64_t j, int64_t offset) {
    const int64_t from = offset - (j - j % 3) * k.strideOf(k.token);
    for (int64_t c = 0; c < features; ++c) {
      const int64_t step = c * k.strideOf(k.feature);
      storeNumber(t.data.data(), t.element, offset + step, loadNumber(t.data.data(), t.element, from + step));
    }
  });
}

} // namespace

Error attn::run::shapeLogits(Problem &problem, const Program &program, const Options &options) {
  if (options.logits == Logits::Normal)
    return Error::success();
  AttendOp attend = program.attend;
  if (!attend.hasPlainOperands() || attend.dotRegion())
    return fail(ExitBadInput,
                "--logits {} makes q and k whose products are known, and this program's pass through "
                "regions or have parts; use --logits normal",
                nameOf(options.logits));
  auto operand = [&](mlir::Value value, mlir::AffineMap map, unsigned token) {
    return Operand(const_cast<Tensor &>(*problem.tensorOf(value)), map, token, attend.dotDim());
  };
  const Operand q = operand(attend.getQ(), attend.getQMap(), attend.queryDim());
  const Operand k = operand(attend.getK(), attend.getKMap(), attend.keyDim());
  if (q.tensor().isGiven || k.tensor().isGiven)
    return fail(ExitBadInput, "--logits {} makes q and k; leave out their --input", nameOf(options.logits));
  if (!areApart(q, k))
    return fail(ExitBadInput, "--logits {}: this program's keys are its queries; use --logits normal",
                nameOf(options.logits));
  if (options.logits == Logits::Ties) {
    tieKeys(k, attend.featureExtent(attend.dotDim()));
    return Error::success();
  }

  const double factor = options.logits == Logits::Huge || options.logits == Logits::Steep ? 100 : 4,
               scale = scaleOf(problem, attend);
  const double keys = double(std::max<int64_t>(problem.keys(), 1));
  const int64_t period = options.blockKeys ? options.blockKeys : 64;
  const Random random(options.seed, "--logits");
  const int64_t spike = random.integer(0, 0, period - 1);
  auto want = [&](int64_t j) -> double {
    switch (options.logits) {
    case Logits::Rising:
      return 40 * double(j) / keys;
    case Logits::Falling:
      return 40 - 40 * double(j) / keys;
    case Logits::Huge:
      return random.integer(uint64_t(j) + 1, 0, 1) ? 1e4 : -1e4;
    case Logits::Steep:
      return 4 * double(j);
    default:
      return j % period == spike ? 30 : 0;
    }
  };
  q.forEachRow(
      [&](int64_t, int64_t offset) { storeNumber(q.tensor().data.data(), q.tensor().element, offset, factor); });
  k.forEachRow([&](int64_t j, int64_t offset) {
    storeNumber(k.tensor().data.data(), k.tensor().element, offset, want(j) / ((scale == 0 ? 1 : scale) * factor));
  });
  return Error::success();
}
