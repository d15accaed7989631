#include "Reductions.h"

#include <cmath>

using namespace attn;
using namespace attn::interpreter;

/// Where the largest (least) number stands: the first NaN, else the first of them. There is one.
template <typename Acc> static size_t extreme(llvm::ArrayRef<Acc> numbers, bool largest) {
  size_t best = 0;
  for (size_t n = 1; n < numbers.size() && !std::isnan(numbers[best]); ++n)
    if (std::isnan(numbers[n]) || (largest ? numbers[n] > numbers[best] : numbers[n] < numbers[best]))
      best = n;
  return best;
}

template <typename A>
typename A::Acc interpreter::reduce(ReduceKind kind, const Pairs<A> &pairs, llvm::ArrayRef<typename A::Acc> numbers) {
  using Acc = typename A::Acc;
  constexpr Acc infinity = std::numeric_limits<Acc>::infinity();
  switch (kind) {
  case ReduceKind::Sum: {
    Sum<A> sum;
    for (size_t n = 0; n < numbers.size(); ++n)
      sum.add(pairs.keys[n], numbers[n]);
    return sum.total();
  }
  case ReduceKind::Max:
    return numbers.empty() ? -infinity : numbers[extreme(numbers, true)];
  case ReduceKind::Min:
    return numbers.empty() ? infinity : numbers[extreme(numbers, false)];
  case ReduceKind::Argmax:
    return numbers.empty() ? Acc(-1) : (Acc)pairs.keys[extreme(numbers, true)];
  case ReduceKind::Weighted:
    break;
  }
  llvm_unreachable("weights are the normalizer's");
}

template float interpreter::reduce<PlainF32>(ReduceKind, const Pairs<PlainF32> &, llvm::ArrayRef<float>);
template double interpreter::reduce<PlainF64>(ReduceKind, const Pairs<PlainF64> &, llvm::ArrayRef<double>);
template double interpreter::reduce<ExactF32>(ReduceKind, const Pairs<ExactF32> &, llvm::ArrayRef<double>);
template long double interpreter::reduce<ExactF64>(ReduceKind, const Pairs<ExactF64> &, llvm::ArrayRef<long double>);
