#include "RowEvaluator.h"

#include "Columns.h"
#include "NormalizerEvaluator.h"
#include "PairEvaluator.h"
#include "Reductions.h"

#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

namespace {

template <typename A> class Evaluator final : public RowEvaluator {
public:
  using Acc = typename A::Acc;

  explicit Evaluator(const CompiledKernel &kernel)
      : kernel(kernel), p(kernel.problem), attend(p.attend), pairEvaluator(kernel), normalizer(kernel), columns(kernel),
        width(p.extents[attend.valueDim()]) {
    for (const CompiledOutput &o : kernel.outputs) {
      auto &machine = epilogues.emplace_back();
      if (o.epilogue)
        machine.emplace(*o.epilogue);
    }
  }

  void row(ArrayRef<int64_t> batch, int64_t i, ArrayRef<int64_t> keys, RowResult &result) override {
    evaluate(batch, i, keys, result);
    evaluateFinish();
    evaluateReductions();
    for (auto [o, machine] : llvm::zip_equal(kernel.outputs, epilogues)) {
      std::vector<double> &values = result.outputs[o.name];
      switch (o.source.kind) {
      case OutputSource::Finish:
        values.assign(finished[o.source.index].begin(), finished[o.source.index].end());
        break;
      case OutputSource::Reduction:
        if (const auto &reduction = kernel.reductions[o.source.index]; reduction.kind == ReduceKind::TopK)
          values = topk<A>(reduction.count, pairs, pairs.numbers[o.source.index]);
        else
          values.assign(1, reduced[o.source.index]);
        break;
      case OutputSource::LogSumExp:
        values.assign(1, lse());
        break;
      case OutputSource::Weights:
        values.assign(p.extents[attend.keyDim()], 0);
        for (auto [j, w] : llvm::zip_equal(pairs.keys, weights()))
          values[j] = w;
        break;
      case OutputSource::Epilogue:
        evaluateEpilogue(*machine, o.source.perFeature ? width : 1, values, result);
        break;
      case OutputSource::Column:
      case OutputSource::Aggregate:
        llvm_unreachable("no outputs of a row");
      }
    }
  }

  void startColumns() override { columns.start(); }
  void addRow(ArrayRef<int64_t> batch, int64_t i, ArrayRef<int64_t> keys, ColumnResult &result) override {
    RowResult row;
    evaluate(batch, i, keys, row);
    result.badIndex |= row.badIndex;
    columns.addRow(dims, pairs, weights(), result);
  }
  void finishColumns(ColumnResult &result) override { columns.finish(result); }

private:
  static constexpr Acc nan = std::numeric_limits<Acc>::quiet_NaN();

  void evaluate(ArrayRef<int64_t> batch, int64_t i, ArrayRef<int64_t> keys, RowResult &result) {
    dims.assign(p.extents.size(), 0);
    llvm::copy(batch, dims.begin());
    dims[attend.queryDim()] = i;
    pairEvaluator.evaluate(dims, keys, pairs, result);
    normalizer.evaluate(dims, pairs);
  }

  Acc lse() const { return logSumExp<A>(pairs, normalizer.lseReference, normalizer.lseNumber); }

  void evaluateFinish() {
    const CompiledNormalizer &compiled = kernel.normalizer;
    finished.clear();
    for (auto [empty, wide] : llvm::zip_equal(compiled.empty, compiled.perFeature))
      finished.emplace_back(wide ? width : 1, normalizer.state() == RowState::Empty ? (Acc)empty : nan);
    if (normalizer.state() != RowState::Computed)
      return;
    for (size_t e = 0; e < width; ++e) {
      normalizer.finishAt(e);
      for (unsigned n = 0; n < finished.size(); ++n)
        if (e < finished[n].size())
          finished[n][e] = normalizer.finished(n);
      if (!kernel.needsValues && e == 0) // what is asked for does not depend on e
        break;
    }
  }

  void evaluateReductions() {
    reduced.assign(kernel.reductions.size(), nan);
    for (auto [n, reduction] : llvm::enumerate(kernel.reductions)) {
      if (!reduction.needed || reduction.kind == ReduceKind::TopK)
        continue;
      if (reduction.kind != ReduceKind::Weighted)
        reduced[n] = reduce<A>(reduction.kind, pairs, pairs.numbers[n]);
      else if (normalizer.state() == RowState::Empty)
        reduced[n] = (Acc)kernel.normalizer.empty[*kernel.normalizer.o];
      else if (normalizer.state() == RowState::Computed)
        reduced[n] = normalizer.weighted(pairs.numbers[n]);
    }
  }

  /// w_ij of the present pairs.
  std::vector<Acc> weights() {
    std::vector<Acc> list(pairs.size(), nan);
    if (normalizer.state() == RowState::Computed)
      for (size_t n = 0; n < list.size(); ++n)
        list[n] = normalizer.weightOf(n);
    return list;
  }

  /// Elementwise; a load at a bad index makes its element NaN.
  void evaluateEpilogue(typename A::Machine &machine, size_t count, std::vector<double> &values, RowResult &result) {
    const unsigned numbers = kernel.epilogueArgs.size(), rowDims = attend.queryDim() + 1;
    for (unsigned d = 0; d < rowDims; ++d)
      machine.setInt(numbers + d, dims[d]);
    for (size_t e = 0; e < count; ++e) {
      for (auto [n, arg] : llvm::enumerate(kernel.epilogueArgs)) {
        if (arg.kind == CompiledEpilogueArgument::Finish)
          machine.setReal(n, finished[arg.index][finished[arg.index].size() > 1 ? e : 0]);
        else
          machine.setReal(n, arg.kind == CompiledEpilogueArgument::Reduction ? reduced[arg.index] : lse());
      }
      machine.setInt(numbers + rowDims, e);
      const bool good = machine.run();
      result.badIndex |= !good;
      values.push_back(good ? (double)machine.real() : std::numeric_limits<double>::quiet_NaN());
    }
  }

  const CompiledKernel &kernel;
  const Problem &p;
  mutable AttendOp attend;
  PairEvaluator<A> pairEvaluator;
  NormalizerEvaluator<A> normalizer;
  Columns<A> columns;
  std::vector<std::optional<typename A::Machine>> epilogues; // by output
  const size_t width;
  std::vector<int64_t> dims;
  Pairs<A> pairs;
  std::vector<std::vector<Acc>> finished; // by result of the finish: one number, or one for each feature
  std::vector<Acc> reduced;               // by reduction
};

} // namespace

std::unique_ptr<RowEvaluator> attn::interpreter::makeRowEvaluator(const CompiledKernel &kernel, Precision precision) {
  const bool f64 = kernel.problem.accumulation == Format::F64;
  if (precision == Precision::Plain) {
    if (f64)
      return std::make_unique<Evaluator<PlainF64>>(kernel);
    return std::make_unique<Evaluator<PlainF32>>(kernel);
  }
  if (f64)
    return std::make_unique<Evaluator<ExactF64>>(kernel);
  return std::make_unique<Evaluator<ExactF32>>(kernel);
}
