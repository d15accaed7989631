// Outputs that have keys in the place of queries: sums over the rows of one batch element, in their order.
//
//   columns mass = sum(%w, %s) { .. }     mass_j = sum_i f(w_ij, s_ij, i, j)
//   aggregate out = %u[b, h, i, e]        out_je = sum_i w_ij u_ie
//
// over the present pairs. A weight of exactly 0 takes nothing of u, whatever it is.
#ifndef ATTN_LIB_INTERPRETER_COLUMNS_H
#define ATTN_LIB_INTERPRETER_COLUMNS_H

#include "Arithmetic.h"
#include "CompiledKernel.h"
#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

template <typename A> class Columns {
public:
  using Acc = typename A::Acc;
  explicit Columns(const CompiledKernel &kernel);

  void start();
  /// `weights` are w_ij of the row's pairs.
  void addRow(llvm::ArrayRef<int64_t> dims, const Pairs<A> &pairs, llvm::ArrayRef<Acc> weights, ColumnResult &result);
  void finish(ColumnResult &result) const;

private:
  const CompiledKernel &kernel;
  const Problem &p;
  mutable AttendOp attend;
  std::vector<typename A::Machine> machines;
  std::vector<std::vector<Acc>> sums, aggregates; // by key; by key and feature
};

extern template class Columns<PlainF32>;
extern template class Columns<PlainF64>;
extern template class Columns<ExactF32>;
extern template class Columns<ExactF64>;

} // namespace attn::interpreter

#endif
