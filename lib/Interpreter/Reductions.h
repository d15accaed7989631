// Numbers of a row's pairs made one: sum, max, min and argmax, or the keys of a topk. Weighted ones belong to the
// normalizer.
#ifndef ATTN_LIB_INTERPRETER_REDUCTIONS_H
#define ATTN_LIB_INTERPRETER_REDUCTIONS_H

#include "Arithmetic.h"
#include "attn/Dialect/Attn/Attn.h"

namespace attn::interpreter {

/// By the definition alone, whatever the scores are: NaN in a sum, and in an extreme, gives NaN; an argmax is the first
/// NaN's key, else the lowest key of the largest number. Without pairs 0, -inf, +inf, -1.
template <typename A>
typename A::Acc reduce(ReduceKind kind, const Pairs<A> &pairs, llvm::ArrayRef<typename A::Acc> numbers);

/// The keys of the `count` largest numbers: the first NaNs, then the largest, of equals (-0 is +0) the lowest key
/// first; -1 where there are no more.
template <typename A>
std::vector<double> topk(int64_t count, const Pairs<A> &pairs, llvm::ArrayRef<typename A::Acc> numbers);

/// log sum_j e^s_ij: -inf without pairs, NaN where a score is NaN or +inf.
template <typename A> typename A::Acc logSumExp(const Pairs<A> &pairs, typename A::Acc seed, typename A::Acc number);

extern template float reduce<PlainF32>(ReduceKind, const Pairs<PlainF32> &, llvm::ArrayRef<float>);
extern template double reduce<PlainF64>(ReduceKind, const Pairs<PlainF64> &, llvm::ArrayRef<double>);
extern template double reduce<ExactF32>(ReduceKind, const Pairs<ExactF32> &, llvm::ArrayRef<double>);
extern template long double reduce<ExactF64>(ReduceKind, const Pairs<ExactF64> &, llvm::ArrayRef<long double>);
extern template std::vector<double> topk<PlainF32>(int64_t, const Pairs<PlainF32> &, llvm::ArrayRef<float>);
extern template float logSumExp<PlainF32>(const Pairs<PlainF32> &, float, float);
extern template std::vector<double> topk<PlainF64>(int64_t, const Pairs<PlainF64> &, llvm::ArrayRef<double>);
extern template double logSumExp<PlainF64>(const Pairs<PlainF64> &, double, double);
extern template std::vector<double> topk<ExactF32>(int64_t, const Pairs<ExactF32> &, llvm::ArrayRef<double>);
extern template double logSumExp<ExactF32>(const Pairs<ExactF32> &, double, double);
extern template std::vector<double> topk<ExactF64>(int64_t, const Pairs<ExactF64> &, llvm::ArrayRef<long double>);
extern template long double logSumExp<ExactF64>(const Pairs<ExactF64> &, long double, long double);

} // namespace attn::interpreter

#endif
