// The arithmetics of an evaluation, and sums as they make them.
#ifndef ATTN_LIB_INTERPRETER_ARITHMETIC_H
#define ATTN_LIB_INTERPRETER_ARITHMETIC_H

#include "Machine.h"

#include <array>

namespace attn::interpreter {

/// AccT: of dot products and sums. RealT and isPlain: of the regions.
template <typename AccT, typename RealT, bool isPlain> struct Arithmetic {
  using Acc = AccT;
  using Real = RealT;
  static constexpr bool plain = isPlain;
  using Machine = interpreter::Machine<RealT, isPlain>;
};
using PlainF32 = Arithmetic<float, double, true>;
using PlainF64 = Arithmetic<double, double, true>;
using ExactF32 = Arithmetic<double, double, false>;
using ExactF64 = Arithmetic<long double, long double, false>;

/// A sum over keys: in their order; in plain arithmetic eight partial sums by key, added pairwise, as numpy's own sum.
template <typename A> class Sum {
public:
  using Acc = typename A::Acc;
  void add(int64_t key, Acc x) { lane[key % lanes] += x; }
  Acc total() const { return combine<lanes>(lane.data()); }

private:
  static constexpr unsigned lanes = A::plain ? 8 : 1;
  template <unsigned n> static Acc combine(const Acc *lane) {
    if constexpr (n == 1)
      return lane[0];
    else
      return combine<n / 2>(lane) + combine<n / 2>(lane + n / 2);
  }
  std::array<Acc, lanes> lane = {};
};

/// The present pairs of a row, ascending by key.
template <typename A> struct Pairs {
  using Acc = typename A::Acc;
  std::vector<int64_t> keys;
  std::vector<Acc> scores;
  std::vector<int64_t> classes;          // none where no sum is over a class
  std::vector<std::vector<Acc>> numbers; // by reduction; none where it is not needed

  size_t size() const { return keys.size(); }
  bool inClass(size_t n, int64_t ofClass) const { return ofClass < 0 || classes[n] == ofClass; }
};

} // namespace attn::interpreter

#endif
