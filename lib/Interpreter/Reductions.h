// Numbers of a row's pairs made one: sum, max, min and argmax. Weighted ones belong to the normalizer.
#ifndef ATTN_LIB_INTERPRETER_REDUCTIONS_H
#define ATTN_LIB_INTERPRETER_REDUCTIONS_H

#include "Arithmetic.h"
#include "attn/Dialect/Attn/Attn.h"

namespace attn::interpreter {

/// By the definition alone, whatever the scores are: NaN in a sum, and in an extreme, gives NaN; an argmax is the first
/// NaN's key, else the lowest key of the largest number. Without pairs 0, -inf, +inf, -1.
template <typename A>
typename A::Acc reduce(ReduceKind kind, const Pairs<A> &pairs, llvm::ArrayRef<typename A::Acc> numbers);

extern template float reduce<PlainF32>(ReduceKind, const Pairs<PlainF32> &, llvm::ArrayRef<float>);
extern template double reduce<PlainF64>(ReduceKind, const Pairs<PlainF64> &, llvm::ArrayRef<double>);
extern template double reduce<ExactF32>(ReduceKind, const Pairs<ExactF32> &, llvm::ArrayRef<double>);
extern template long double reduce<ExactF64>(ReduceKind, const Pairs<ExactF64> &, llvm::ArrayRef<long double>);

} // namespace attn::interpreter

#endif
