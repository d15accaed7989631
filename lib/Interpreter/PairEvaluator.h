// The pairs of one row: scores, classes, and what reductions make of them.
#ifndef ATTN_LIB_INTERPRETER_PAIREVALUATOR_H
#define ATTN_LIB_INTERPRETER_PAIREVALUATOR_H

#include "Arithmetic.h"
#include "CompiledKernel.h"
#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

template <typename A> class PairEvaluator {
public:
  using Acc = typename A::Acc;
  explicit PairEvaluator(const CompiledKernel &kernel);

  /// `dims` has the row's batch indices and query; its key is written. Fills the pairs that are neither at a bad index
  /// nor of score -inf (edge contract 3 and 8); `result` takes back the first.
  void evaluate(llvm::MutableArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> keys, Pairs<A> &pairs, RowResult &result);

private:
  Acc dot() const;
  /// Sets batch indices and query behind the `numbers` of a region; the key's argument is the next.
  unsigned setRow(typename A::Machine &machine, unsigned numbers, llvm::ArrayRef<int64_t> dims);

  const CompiledKernel &kernel;
  const Problem &p;
  mutable AttendOp attend;
  typename A::Machine score;
  std::optional<typename A::Machine> classes;
  std::vector<std::optional<typename A::Machine>> numbers;
  Acc scale;
  std::vector<Acc> q, k, row;
};

extern template class PairEvaluator<PlainF32>;
extern template class PairEvaluator<PlainF64>;
extern template class PairEvaluator<ExactF32>;
extern template class PairEvaluator<ExactF64>;

} // namespace attn::interpreter

#endif
