// The pairs of one row: scores, classes, and what reductions make of them.
#ifndef ATTN_LIB_INTERPRETER_PAIREVALUATOR_H
#define ATTN_LIB_INTERPRETER_PAIREVALUATOR_H

#include "Arithmetic.h"
#include "OperandReader.h"
#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

template <typename A> class PairEvaluator {
public:
  using Acc = typename A::Acc;
  explicit PairEvaluator(const CompiledKernel &kernel);

  /// `dims` has the row's batch indices and query; its key is written. Fills the pairs that are neither at a bad index
  /// nor of score -inf (edge contract 3 and 8); `result` takes back the first.
  void evaluate(llvm::MutableArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> members, Pairs<A> &pairs,
                RowResult &result);

private:
  /// The query's part of what no key changes.
  TokenState readQuery(llvm::MutableArrayRef<int64_t> dims);
  TokenState readKey(llvm::MutableArrayRef<int64_t> dims);
  void round(std::vector<std::vector<Acc>> &parts);
  /// sum_c q k of one part.
  static Acc product(llvm::ArrayRef<Acc> q, llvm::ArrayRef<Acc> k);
  /// Before the scale; `good` becomes false where the dot region has a bad index.
  Acc dot(bool &good);
  /// Sets batch indices and query behind the `numbers` of a region; the key's argument is the next.
  unsigned setRow(typename A::Machine &machine, unsigned numbers, llvm::ArrayRef<int64_t> dims);

  const CompiledKernel &kernel;
  const Problem &p;
  mutable AttendOp attend;
  typename A::Machine score;
  std::vector<OperandReader<A>> queries, keys; // by part
  std::optional<OperandReader<A>> values;      // where keys may be absent for what values read
  std::optional<typename A::Machine> dotRegion;
  std::optional<typename A::Machine> classes;
  std::vector<std::optional<typename A::Machine>> numbers;
  Acc scale;
  std::vector<std::vector<Acc>> q, k; // by part; with a bilinear tensor q is sum_c q_c g_cr
  std::vector<Acc> v, row;
};

extern template class PairEvaluator<PlainF32>;
extern template class PairEvaluator<PlainF64>;
extern template class PairEvaluator<ExactF32>;
extern template class PairEvaluator<ExactF64>;

} // namespace attn::interpreter

#endif
