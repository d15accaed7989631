#include "Columns.h"

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

template <typename A>
Columns<A>::Columns(const CompiledKernel &kernel) : kernel(kernel), p(kernel.problem), attend(p.attend) {
  for (const CompiledColumn &column : kernel.columns)
    machines.emplace_back(column.f);
}

template <typename A> void Columns<A>::start() {
  const int64_t keys = p.extents[attend.keyDim()];
  sums.assign(kernel.columns.size(), std::vector<Acc>(keys));
  aggregates.clear();
  for (const CompiledAggregate &aggregate : kernel.aggregates)
    aggregates.emplace_back(keys * p.extents[aggregate.feature]);
}

template <typename A>
void Columns<A>::addRow(ArrayRef<int64_t> dims, const Pairs<A> &pairs, ArrayRef<Acc> weights, ColumnResult &result) {
  const unsigned key = attend.keyDim();
  for (auto [machine, sum] : llvm::zip_equal(machines, sums)) {
    for (unsigned d = 0; d < key; ++d)
      machine.setInt(2 + d, dims[d]);
    for (size_t n = 0; n < pairs.size(); ++n) {
      machine.setReal(0, weights[n]);
      machine.setReal(1, pairs.scores[n]);
      machine.setInt(2 + key, pairs.keys[n]);
      if (machine.run())
        sum[pairs.keys[n]] += (Acc)machine.real();
      else
        result.badIndex = true;
    }
  }
  for (auto [aggregate, sum] : llvm::zip_equal(kernel.aggregates, aggregates)) {
    const size_t width = p.extents[aggregate.feature];
    std::vector<Acc> u(width);
    gather<Acc>(aggregate.u.view, aggregate.u.offset(dims), aggregate.u.strideOf(aggregate.feature), u);
    const bool narrow = A::plain && is16Bit(aggregate.u.view.format);
    const bool tf32 = A::plain && kernel.roundsWeights(aggregate.u, false);
    if (tf32)
      for (Acc &x : u)
        x = (Acc)roundToTf32(x);
    for (size_t n = 0; n < pairs.size(); ++n) {
      if (weights[n] == 0)
        continue;
      const Acc weight = narrow ? (Acc)roundTo<double>(aggregate.u.view.format, weights[n])
                         : tf32 ? (Acc)roundToTf32(weights[n])
                                : weights[n];
      for (size_t e = 0; e < width; ++e) {
        Acc product = weight * u[e];
        sum[pairs.keys[n] * width + e] += product;
      }
    }
  }
}

template <typename A> void Columns<A>::finish(ColumnResult &result) const {
  for (auto [column, sum] : llvm::zip_equal(kernel.columns, sums))
    result.outputs[column.name].assign(sum.begin(), sum.end());
  for (auto [aggregate, sum] : llvm::zip_equal(kernel.aggregates, aggregates))
    result.outputs[aggregate.name].assign(sum.begin(), sum.end());
}

template class attn::interpreter::Columns<PlainF32>;
template class attn::interpreter::Columns<PlainF64>;
template class attn::interpreter::Columns<ExactF32>;
template class attn::interpreter::Columns<ExactF64>;
