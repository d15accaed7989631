// Rows of named sets.
#include "Visibility.h"

#include <chrono>
#include <numeric>

using namespace attn;
using namespace attn::run;

Ranges attn::run::unite(const Ranges &a, const Ranges &b) {
  Ranges sorted, result;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(sorted));
  for (auto r : sorted)
    if (!result.empty() && r.first <= result.back().second)
      result.back().second = std::max(result.back().second, r.second);
    else
      result.push_back(r);
  return result;
}

Ranges attn::run::intersect(const Ranges &a, const Ranges &b) {
  Ranges result;
  for (size_t x = 0, y = 0; x < a.size() && y < b.size();) {
    const int64_t lo = std::max(a[x].first, b[y].first), hi = std::min(a[x].second, b[y].second);
    if (lo < hi)
      result.emplace_back(lo, hi);
    a[x].second < b[y].second ? ++x : ++y;
  }
  return result;
}

Ranges attn::run::complement(const Ranges &a, int64_t extent) {
  Ranges result;
  int64_t at = 0;
  for (auto [lo, hi] : a) {
    if (at < lo)
      result.emplace_back(at, lo);
    at = hi;
  }
  if (at < extent)
    result.emplace_back(at, extent);
  return result;
}

int64_t attn::run::countOf(const Ranges &a) {
  int64_t sum = 0;
  for (auto [lo, hi] : a)
    sum += hi - lo;
  return sum;
}

Ranges Visibility::clip(int64_t lo, int64_t hi) const {
  lo = std::max<int64_t>(lo, 0);
  hi = std::min(hi, problem.keys());
  return lo < hi ? Ranges{{lo, hi}} : Ranges{};
}

int64_t Visibility::lengthAt(mlir::Value tensor) const {
  const Tensor *t = problem.tensorOf(tensor);
  return loadInteger(t->data.data(), t->element, batch[0] * t->strides[0]);
}

bool Visibility::isKnown(mlir::Value scalar) const {
  mlir::APInt constant;
  return !scalar || problem.scalarOf(scalar) || matchPattern(scalar, mlir::m_ConstantInt(&constant));
}

int64_t Visibility::number(mlir::Value scalar) const {
  if (const attn_scalar *s = problem.scalarOf(scalar))
    return scalar.getType().isInteger(32) ? int32_t(s->i) : s->i;
  mlir::APInt constant;
  return matchPattern(scalar, mlir::m_ConstantInt(&constant)) ? constant.getSExtValue() : 0; // isKnown was asked
}

std::optional<int64_t> Visibility::count(mlir::Value length) const {
  if (llvm::isa<mlir::RankedTensorType>(length.getType()))
    return lengthAt(length);
  return isKnown(length) ? std::optional(number(length)) : std::nullopt;
}

Ranges Visibility::filter(llvm::function_ref<bool(int64_t j)> test) const {
  Ranges keys;
  for (int64_t j = 0; j < problem.keys(); ++j) {
    if (!test(j))
      continue;
    if (!keys.empty() && keys.back().second == j)
      ++keys.back().second;
    else
      keys.emplace_back(j, j + 1);
  }
  return keys;
}

/// a + b without leaving int64.
static int64_t add(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

int64_t Visibility::aligned(Alignment alignment, mlir::Value ql, mlir::Value kl) const {
  if (ql)
    return query + lengthAt(kl) - lengthAt(ql);
  return query + (alignment == Alignment::BottomRight ? problem.keys() - problem.queries() : 0);
}

/// i + s - left <= j <= i + s + right; a causal set is a window with right = 0 alone.
Ranges Visibility::window(Alignment alignment, mlir::Value left, mlir::Value right, mlir::Value ql, mlir::Value kl,
                          bool causal) {
  const int64_t corner = aligned(alignment, ql, kl);
  int64_t lo = 0, last = INT64_MAX - 1;
  if (left) {
    const int64_t l = number(left);
    lo = l == INT64_MIN ? INT64_MAX : add(corner, -l);
  }
  if (causal || right)
    last = add(corner, causal ? 0 : number(right));
  return clip(lo, add(last, 1));
}

int64_t Visibility::segmentAt(const Tensor *t, int64_t token) const {
  const int64_t row = t->shape.size() == 2 ? batch[0] * t->strides[0] : 0;
  return loadInteger(t->data.data(), t->element, row + token * t->strides.back());
}

const Ranges &Visibility::keysOfSegment(mlir::Operation *op, const Tensor *k, int64_t id) {
  auto [entry, fresh] = segmentIndex.try_emplace({op, k->shape.size() == 2 ? batch[0] : 0});
  std::map<int64_t, Ranges> &index = entry->second;
  for (int64_t j = 0; fresh && j < problem.keys(); ++j) {
    Ranges &r = index[segmentAt(k, j)];
    if (!r.empty() && r.back().second == j)
      ++r.back().second;
    else
      r.emplace_back(j, j + 1);
  }
  static const Ranges none;
  auto found = index.find(id);
  return found == index.end() ? none : found->second;
}

int64_t Visibility::rowOffset(const Tensor *t, mlir::AffineMap map) const {
  int64_t offset = 0;
  for (auto [axis, e] : llvm::enumerate(map.getResults())) {
    int64_t index = 0;
    if (auto c = llvm::dyn_cast<mlir::AffineConstantExpr>(e)) {
      index = c.getValue();
    } else {
      auto division = llvm::dyn_cast<mlir::AffineBinaryOpExpr>(e);
      const unsigned dim = llvm::cast<mlir::AffineDimExpr>(division ? division.getLHS() : e).getPosition();
      if (dim == AttendOp(attend).keyDim())
        continue;
      index = dim < batch.size() ? batch[dim] : query;
      if (division)
        index /= llvm::cast<mlir::AffineConstantExpr>(division.getRHS()).getValue();
    }
    offset += index * t->strides[axis];
  }
  return offset;
}

Ranges Visibility::masked(SetMaskOp op) {
  const Tensor *t = problem.tensorOf(op.getMask());
  const int64_t offset = rowOffset(t, op.getMap());
  int64_t step = 0;
  for (auto [axis, e] : llvm::enumerate(op.getMap().getResults()))
    if (auto dim = llvm::dyn_cast<mlir::AffineDimExpr>(e); dim && dim.getPosition() == attend.keyDim())
      step = t->strides[axis];
  const bool byQuery = op.getMap().isFunctionOfDim(attend.queryDim());
  if (auto known = maskRows.find({op, offset}); !byQuery && known != maskRows.end())
    return known->second;
  Ranges keys = filter([&](int64_t j) { return loadNumber(t->data.data(), t->element, offset + j * step) != 0; });
  if (!byQuery)
    maskRows[{op, offset}] = keys;
  return keys;
}

Visibility::Bounds Visibility::evaluate(mlir::Value set) {
  const int64_t keys = problem.keys();
  return llvm::TypeSwitch<mlir::Operation *, Bounds>(set.getDefiningOp())
      .Case<SetFullOp>([&](auto) { return exactly(clip(0, keys)); })
      .Case<SetEmptyOp>([&](auto) { return exactly({}); })
      .Case<SetAndOp>([&](auto op) {
        const Bounds a = evaluate(op.getLhs()), b = evaluate(op.getRhs());
        return Bounds{intersect(a.sure, b.sure), intersect(a.maybe, b.maybe)};
      })
      .Case<SetOrOp>([&](auto op) {
        const Bounds a = evaluate(op.getLhs()), b = evaluate(op.getRhs());
        return Bounds{unite(a.sure, b.sure), unite(a.maybe, b.maybe)};
      })
      .Case<SetMinusOp>([&](auto op) {
        const Bounds a = evaluate(op.getLhs()), b = evaluate(op.getRhs());
        return Bounds{intersect(a.sure, complement(b.maybe, keys)), intersect(a.maybe, complement(b.sure, keys))};
      })
      .Case<SetNotOp>([&](auto op) {
        const Bounds a = evaluate(op.getOperand());
        return Bounds{complement(a.maybe, keys), complement(a.sure, keys)};
      })
      .Default([&](mlir::Operation *op) {
        if (auto bounds = evaluateGrid(op))
          return *bounds;
        if (auto bounds = evaluateList(op))
          return *bounds;
        return evaluateNamed(op);
      });
}

Ranges Visibility::row(const std::vector<int64_t> &at, int64_t i) {
  batch = at;
  query = i;
  if (attend.getSet().empty())
    return clip(0, problem.keys());
  const Bounds bounds = evaluate(attend.getSet().front().getTerminator()->getOperand(0));
  Ranges decided;
  for (auto [lo, hi] : intersect(bounds.maybe, complement(bounds.sure, problem.keys())))
    for (int64_t j = lo; j < hi; ++j)
      if (interpreter.visible(batch, i, j)) {
        if (!decided.empty() && decided.back().second == j)
          ++decided.back().second;
        else
          decided.emplace_back(j, j + 1);
      }
  return unite(bounds.sure, decided);
}

bool Visibility::dependsOn(unsigned d) {
  bool depends = false;
  attend.getSet().walk([&](mlir::Operation *op) {
    // Lengths, prefixes and segments are over the first batch dimension; what has a map goes by the map.
    auto perBatch = [&](auto... values) {
      auto isTensor = [](mlir::Value v) { return v && llvm::isa<mlir::RankedTensorType>(v.getType()); };
      depends |= d == 0 && (isTensor(values) || ...);
    };
    llvm::TypeSwitch<mlir::Operation *>(op)
        .Case<SetMaskOp, SetListOp, SetBitsOp, SetCsrOp>([&](auto o) { depends |= o.getMap().isFunctionOfDim(d); })
        .Case<SetDiagonalsOp>([&](SetDiagonalsOp o) {
          depends |= o.getMap().isFunctionOfDim(d);
          perBatch(o.getQLengths());
        })
        .Case<SetRandomBlocksOp>([&](auto) { depends = true; })
        .Case<SetWhereOp>([&](SetWhereOp o) {
          depends |= d < o.getBody().getNumArguments() && !o.getBody().getArgument(d).use_empty();
        })
        .Case<LoadOp, MemberOp>([](auto) {}) // of a `where`: their indices are its arguments
        .Default([&](mlir::Operation *o) {
          for (mlir::Value v : o->getOperands())
            perBatch(v);
        });
  });
  return depends;
}

PairCount attn::run::countPairs(Visibility &visibility, const Problem &problem, double seconds) {
  PairCount count;
  const int64_t queries = problem.queries();
  if (problem.rows() == 0)
    return count;
  double times = 1;
  std::vector<int64_t> counted; // batches with index 0 along every dimension that does not matter
  std::vector<bool> matters(problem.numBatch);
  for (unsigned d = 0; d < problem.numBatch; ++d)
    if (!(matters[d] = visibility.dependsOn(d)))
      times *= double(problem.extents[d]);
  for (int64_t b = 0; b < problem.batches(); ++b) {
    const auto at = problem.batchAt(b);
    bool first = true;
    for (unsigned d = 0; d < problem.numBatch; ++d)
      first &= matters[d] || at[d] == 0;
    if (first)
      counted.push_back(b);
  }
  count.of = int64_t(counted.size()) * queries;
  // Steps by about the golden ratio: any number of first rows is spread evenly over all.
  int64_t step = std::max<int64_t>(1, int64_t(double(queries) * 0.6180339887));
  while (std::gcd(step, queries) != 1)
    ++step;
  const auto start = std::chrono::steady_clock::now();
  for (int64_t n = 0, i = 0; n < queries; ++n, i = (i + step) % queries) {
    for (int64_t b : counted)
      count.visible += double(countOf(visibility.row(problem.batchAt(b), i)));
    count.rows += int64_t(counted.size());
    if (n % 16 == 0 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds &&
        n + 1 < queries) {
      count.exact = false;
      break;
    }
  }
  count.visible *= times * double(count.of) / double(count.rows);
  return count;
}
