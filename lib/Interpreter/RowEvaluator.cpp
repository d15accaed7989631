// Double sums in index order. Plain does what a straightforward numpy program does in f32 (checked against numpy on
// random data): every product and every sum is rounded on its own; a matmul adds its products one after another (over
// keys in blocks of 256, as an optimized BLAS does, which is the stricter yardstick); numpy's own sum runs eight
// partial sums, which are added pairwise.
#include "RowEvaluator.h"

#include "Machine.h"
#include "attn/Support/Philox.h"

#include <cmath>

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

namespace {

template <typename Acc, unsigned Lanes> Acc combine(const Acc *lane, size_t stride) {
  if constexpr (Lanes == 1)
    return lane[0];
  else
    return combine<Acc, Lanes / 2>(lane, stride) + combine<Acc, Lanes / 2>(lane + Lanes / 2 * stride, stride);
}

/// Acc: of dot products and sums; Real and Plain: of the regions.
template <typename Acc, typename Real, bool Plain> class Evaluator final : public RowEvaluator {
public:
  explicit Evaluator(const CompiledKernel &kernel)
      : kernel(kernel), p(kernel.problem), attend(p.attend), score(kernel.score), finish(kernel.finish),
        q(p.extents[attend.dotDim()]), k(q.size()), v(p.extents[attend.valueDim()]) {
    for (const CompiledPass &pass : kernel.passes)
      phi.emplace_back(pass.phi);
    if (kernel.scale) {
      Machine<Real, Plain> machine(*kernel.scale);
      machine.run();
      scale = (Acc)machine.real();
    } else {
      scale = kernel.scaleValue ? (Acc)*kernel.scaleValue : Acc(1) / std::sqrt((Acc)q.size());
    }
  }

  void row(ArrayRef<int64_t> batch, int64_t i, ArrayRef<int64_t> keys, RowResult &result) override {
    dims.assign(p.extents.size(), 0);
    llvm::copy(batch, dims.begin());
    dims[attend.queryDim()] = i;
    evaluateScores(keys, result);
    for (const CompiledOutput &o : kernel.outputs)
      result.outputs[o.name].assign(o.perFeature ? v.size() : 1, o.empty);
    if (present.empty())
      return;
    // Edge contract 3, whatever phi makes of such a score.
    if (llvm::any_of(scores, [](Acc s) { return std::isnan(s) || s == std::numeric_limits<Acc>::infinity(); })) {
      for (auto &output : result.outputs)
        llvm::fill(output.second, std::numeric_limits<double>::quiet_NaN());
      return;
    }
    for (unsigned n = 0; n < kernel.passes.size(); ++n)
      evaluatePass(kernel.passes[n], phi[n]);
    evaluateFinish(result);
  }

private:
  static constexpr unsigned kLanes = Plain ? 8 : 1;

  Acc dot() const {
    Acc sum = 0;
    for (size_t c = 0; c < q.size(); ++c) {
      Acc product = q[c] * k[c];
      sum += product;
    }
    return sum;
  }

  /// Fills present and scores: the pairs that are neither at a bad index nor of score -inf (edge contract 3 and 8).
  void evaluateScores(ArrayRef<int64_t> keys, RowResult &result) {
    present.clear();
    scores.clear();
    gather<Acc>(p.q.view, p.q.offset(dims), p.q.strideOf(attend.dotDim()), q);
    unsigned arg = 1;
    for (unsigned d = 0; d < attend.keyDim(); ++d)
      score.setInt(arg++, dims[d]);
    for (int64_t j : keys) {
      dims[attend.keyDim()] = j;
      gather<Acc>(p.k.view, p.k.offset(dims), p.k.strideOf(attend.dotDim()), k);
      Acc product = dot(), scaled = product * scale;
      score.setReal(0, scaled);
      score.setInt(arg, j);
      if (!score.run()) {
        result.badIndex = true;
        --result.visible;
        continue;
      }
      Acc s = (Acc)score.real();
      if (s == -std::numeric_limits<Acc>::infinity())
        continue;
      present.push_back(j);
      scores.push_back(s);
    }
  }

  /// Reference first, then the weights against it: no gauge is needed, since a finish does not depend on it.
  void evaluatePass(const CompiledPass &pass, Machine<Real, Plain> &machine) {
    reference = *std::max_element(scores.begin(), scores.end());
    weights.resize(scores.size());
    for (size_t n = 0; n < scores.size(); ++n) {
      machine.setReal(0, scores[n]);
      if (pass.hasReference)
        machine.setReal(1, reference);
      machine.run();
      weights[n] = (Acc)machine.real();
    }
    Acc lane[kLanes] = {};
    for (size_t n = 0; n < weights.size(); ++n)
      lane[present[n] % kLanes] += weights[n];
    one = combine<Acc, kLanes>(lane, 1);
    if (llvm::is_contained(pass.sums, SumKind::Value))
      sumValues();
  }

  /// What dropout makes of the weight of the pair (i, j): (random >= p) / (1 - p) times it.
  Acc dropped(Acc weight, int64_t j) {
    SmallVector<int64_t, 4> indices(ArrayRef<int64_t>(dims).take_front(attend.keyDim()));
    indices.push_back(j);
    const bool keep = randomUnit(kernel.dropout->seed, indices) >= kernel.dropout->probability;
    Acc factor = Acc(keep) / (Acc(1) - (Acc)kernel.dropout->probability);
    return weight * factor;
  }

  void sumValues() {
    constexpr int64_t block = 256;
    size_t width = v.size();
    values.assign(width, 0);
    partial.assign(width, 0);
    auto flush = [&] {
      for (size_t e = 0; e < width; ++e)
        values[e] += partial[e];
      partial.assign(width, 0);
    };
    bool narrow = Plain && is16Bit(p.v.view.format);
    for (size_t n = 0; n < weights.size(); ++n) {
      dims[attend.keyDim()] = present[n];
      gather<Acc>(p.v.view, p.v.offset(dims), p.v.strideOf(attend.valueDim()), v);
      Acc weight = kernel.dropout ? dropped(weights[n], present[n]) : weights[n];
      if (narrow)
        weight = (Acc)roundTo<double>(p.v.view.format, weight);
      if (Plain && n > 0 && present[n] / block != present[n - 1] / block)
        flush();
      for (size_t e = 0; e < width; ++e) {
        Acc product = weight * v[e];
        partial[e] += product;
      }
    }
    flush();
  }

  void evaluateFinish(RowResult &result) {
    const CompiledPass &last = kernel.passes.back();
    bool features = llvm::is_contained(last.sums, SumKind::Value);
    for (size_t e = 0; e < (features ? v.size() : 1); ++e) {
      unsigned arg = 0;
      if (last.hasReference)
        finish.setReal(arg++, reference);
      for (SumKind sum : last.sums)
        finish.setReal(arg++, sum == SumKind::One ? one : values[e]);
      finish.run();
      for (const CompiledOutput &o : kernel.outputs) {
        double value = (double)finish.real(o.result);
        if (o.perFeature && !features)
          llvm::fill(result.outputs[o.name], value);
        else if (o.perFeature || e == 0)
          result.outputs[o.name][e] = value;
      }
    }
  }

  const CompiledKernel &kernel;
  const Problem &p;
  mutable AttendOp attend;
  Machine<Real, Plain> score, finish;
  std::vector<Machine<Real, Plain>> phi;
  Acc scale, reference = 0, one = 0;
  std::vector<Acc> q, k, v;
  std::vector<int64_t> dims, present; // present: the keys that take part, beside their scores and weights
  std::vector<Acc> scores, weights, partial, values;
};

} // namespace

std::unique_ptr<RowEvaluator> attn::interpreter::makeRowEvaluator(const CompiledKernel &kernel, Precision precision) {
  bool f64 = kernel.problem.accumulation == Format::F64;
  if (precision == Precision::Plain) {
    if (f64)
      return std::make_unique<Evaluator<double, double, true>>(kernel);
    return std::make_unique<Evaluator<float, double, true>>(kernel);
  }
  if (f64)
    return std::make_unique<Evaluator<long double, long double, false>>(kernel);
  return std::make_unique<Evaluator<double, double, false>>(kernel);
}
