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
  case ReduceKind::TopK:
    break;
  }
  llvm_unreachable("weights are the normalizer's, and a topk is no number");
}

template <typename A>
std::vector<double> interpreter::topk(int64_t count, const Pairs<A> &pairs, llvm::ArrayRef<typename A::Acc> numbers) {
  std::vector<size_t> order(numbers.size());
  for (size_t n = 0; n < order.size(); ++n)
    order[n] = n;
  llvm::sort(order, [&](size_t a, size_t b) { // keys ascend
    const bool nanA = std::isnan(numbers[a]), nanB = std::isnan(numbers[b]);
    if (nanA != nanB)
      return nanA;
    return nanA || numbers[a] == numbers[b] ? a < b : numbers[a] > numbers[b];
  });
  std::vector<double> keys((size_t)count, -1);
  for (size_t n = 0; n < keys.size() && n < order.size(); ++n)
    keys[n] = (double)pairs.keys[order[n]];
  return keys;
}

template <typename A>
typename A::Acc interpreter::logSumExp(const Pairs<A> &pairs, typename A::Acc seed, typename A::Acc number) {
  using Acc = typename A::Acc;
  constexpr Acc infinity = std::numeric_limits<Acc>::infinity();
  if (std::isnan(seed) || seed == infinity)
    return std::numeric_limits<Acc>::quiet_NaN();
  Acc largest = seed;
  for (Acc s : pairs.scores) {
    if (std::isnan(s) || s == infinity)
      return std::numeric_limits<Acc>::quiet_NaN();
    largest = std::max(largest, s);
  }
  if (largest == -infinity)
    return -infinity;
  Sum<A> sum;
  for (size_t n = 0; n < pairs.size(); ++n)
    sum.add(pairs.keys[n], std::exp(pairs.scores[n] - largest));
  Acc total = sum.total();
  if (seed > -infinity)
    total += number * std::exp(seed - largest);
  return largest + std::log(total);
}

template float interpreter::reduce<PlainF32>(ReduceKind, const Pairs<PlainF32> &, llvm::ArrayRef<float>);
template double interpreter::reduce<PlainF64>(ReduceKind, const Pairs<PlainF64> &, llvm::ArrayRef<double>);
template double interpreter::reduce<ExactF32>(ReduceKind, const Pairs<ExactF32> &, llvm::ArrayRef<double>);
template long double interpreter::reduce<ExactF64>(ReduceKind, const Pairs<ExactF64> &, llvm::ArrayRef<long double>);
template std::vector<double> interpreter::topk<PlainF32>(int64_t, const Pairs<PlainF32> &, llvm::ArrayRef<float>);
template std::vector<double> interpreter::topk<PlainF64>(int64_t, const Pairs<PlainF64> &, llvm::ArrayRef<double>);
template std::vector<double> interpreter::topk<ExactF32>(int64_t, const Pairs<ExactF32> &, llvm::ArrayRef<double>);
template std::vector<double> interpreter::topk<ExactF64>(int64_t, const Pairs<ExactF64> &, llvm::ArrayRef<long double>);
template float interpreter::logSumExp<PlainF32>(const Pairs<PlainF32> &, float, float);
template double interpreter::logSumExp<PlainF64>(const Pairs<PlainF64> &, double, double);
template double interpreter::logSumExp<ExactF32>(const Pairs<ExactF32> &, double, double);
template long double interpreter::logSumExp<ExactF64>(const Pairs<ExactF64> &, long double, long double);
