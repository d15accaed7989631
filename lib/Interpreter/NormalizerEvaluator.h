// The normalizer of one row, step by step as written: passes over the present keys in ascending order, roots by
// bisection, a selection; then the finish.
//
// The reference of a pass is the exact largest score. A seed (rb, Nb) meets the state (ra, Na) of the keys once, by the
// text's gauge: r = max(ra, rb), N = g(ra, r) Na + g(rb, r) Nb; counts are added as they are; weights of pairs are then
// against r too: g(ra, r) phi(s, ra). A row without keys has no Na. A seed of reference -inf seeds nothing.
//
// A root is the lower end of a bracket that is halved until nothing lies inside, or to 2^-60 of its larger end, however
// few sweeps `at_most` grants a kernel. Plain stops where the language lets a kernel stop: 2^-22 (f64: 2^-48).
#ifndef ATTN_LIB_INTERPRETER_NORMALIZEREVALUATOR_H
#define ATTN_LIB_INTERPRETER_NORMALIZEREVALUATOR_H

#include "Arithmetic.h"
#include "OperandReader.h"

namespace attn::interpreter {

/// Empty: no present key and no seed; the finish's empty values stand. NotFinite: a NaN or +inf score, or such a
/// reference of a seed, in a row that is not selected from.
enum class RowState { Empty, NotFinite, Computed };

template <typename A> class NormalizerEvaluator {
public:
  using Acc = typename A::Acc;
  explicit NormalizerEvaluator(const CompiledKernel &kernel);

  /// `dims` has the row's batch indices and query. The pairs are those of the calls that follow.
  void evaluate(llvm::MutableArrayRef<int64_t> dims, const Pairs<A> &pairs);
  RowState state() const { return rowState; }

  /// Of an lse that the normalizer has no output for: the seed that is a score, its reference and its number, or -inf.
  Acc lseReference = 0, lseNumber = 0;

  /// Result `n` of the finish for value feature e; the state is Computed.
  void finishAt(size_t e);
  Acc finished(unsigned n) const { return (Acc)finish.real(n); }
  /// The weight w_ij of pair n: the finish's o with the weights of the pair in place of the sums of values.
  Acc weightOf(size_t n);
  /// sum_j w_ij f_j: the finish's o with sums of f in place of those of values.
  Acc weighted(llvm::ArrayRef<Acc> f);

private:
  struct Machines {
    std::optional<typename A::Machine> gauge, phi, seed, stat, to;
  };
  void setContext(typename A::Machine &machine, unsigned numArgs, unsigned numStats);
  bool pass(const CompiledStep &step, Machines &machines);
  void mergeSeed(const CompiledStep &step, Machines &machines);
  Acc root(const CompiledStep &step, Machines &machines);
  Acc gauge(typename A::Machine &machine, Acc from, Acc to);
  void select();
  void sumValues(llvm::MutableArrayRef<int64_t> dims, const CompiledStep &step);
  Acc dropped(llvm::ArrayRef<int64_t> dims, Acc weight, int64_t j);
  /// Runs the finish with value(k) in place of each sum k of values.
  void runFinish(llvm::function_ref<Acc(unsigned k)> value);

  const CompiledKernel &kernel;
  const CompiledNormalizer &normalizer;
  const Problem &p;
  mutable AttendOp attend;
  std::vector<Machines> machines;
  typename A::Machine finish;
  RowState rowState = RowState::Empty;
  const Pairs<A> *pairs = nullptr;
  bool seeded = false;
  std::vector<Acc> context;              // parameters, then statistics
  Acc reference = 0, seedScale = 0;      // seedScale: g(rb, r), 0 without seed
  std::vector<Acc> sums, seedSums;       // of the last pass; a sum of values is in `values`
  std::vector<std::vector<Acc>> weights; // of the last pass, by result of phi and pair
  std::vector<std::vector<Acc>> values;  // by sum and feature
  size_t selected = 0;
  OperandReader<A> valueReader;
  std::vector<Acc> v, partial;
};

extern template class NormalizerEvaluator<PlainF32>;
extern template class NormalizerEvaluator<PlainF64>;
extern template class NormalizerEvaluator<ExactF32>;
extern template class NormalizerEvaluator<ExactF64>;

} // namespace attn::interpreter

#endif
