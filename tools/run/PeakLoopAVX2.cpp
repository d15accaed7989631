// Compiled for AVX2 and FMA, unlike everything else: nothing here but the loops, reached after hasPeakLoop().
//
// Zen and Intel cores start two FMAs a cycle that take four or five cycles: ten in flight saturate them. Twelve
// accumulators leave room and, with the two operands, fit the sixteen registers.
#include "PeakLoop.h"

#include <immintrin.h>

namespace {

constexpr int accumulators = 12;

template <typename V> struct Lanes;
template <> struct Lanes<__m256> {
  static __m256 set(float x) { return _mm256_set1_ps(x); }
  static __m256 fma(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
  static double sum(__m256 v) {
    alignas(32) float x[8];
    _mm256_store_ps(x, v);
    return double(x[0]) + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7];
  }
};
template <> struct Lanes<__m256d> {
  static __m256d set(double x) { return _mm256_set1_pd(x); }
  static __m256d fma(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
  static double sum(__m256d v) {
    alignas(32) double x[4];
    _mm256_store_pd(x, v);
    return x[0] + x[1] + x[2] + x[3];
  }
};

template <typename V> double loop(int64_t iterations) {
  using L = Lanes<V>;
  // a < 1: the accumulators tend to a fixed point near 1, never to infinity or a denormal.
  const V a = L::set(0.5), b = L::set(0.5);
  V c0 = L::set(0.1), c1 = L::set(0.2), c2 = L::set(0.3), c3 = L::set(0.4), c4 = L::set(0.5), c5 = L::set(0.6);
  V c6 = L::set(0.7), c7 = L::set(0.8), c8 = L::set(0.9), c9 = L::set(1.0), c10 = L::set(1.1), c11 = L::set(1.2);
  for (int64_t n = 0; n < iterations; ++n) {
    c0 = L::fma(c0, a, b), c1 = L::fma(c1, a, b), c2 = L::fma(c2, a, b), c3 = L::fma(c3, a, b);
    c4 = L::fma(c4, a, b), c5 = L::fma(c5, a, b), c6 = L::fma(c6, a, b), c7 = L::fma(c7, a, b);
    c8 = L::fma(c8, a, b), c9 = L::fma(c9, a, b), c10 = L::fma(c10, a, b), c11 = L::fma(c11, a, b);
    // The optimizer must neither see through the recurrence nor merge accumulators.
    __asm__ volatile(""
                     : "+x"(c0), "+x"(c1), "+x"(c2), "+x"(c3), "+x"(c4), "+x"(c5), "+x"(c6), "+x"(c7), "+x"(c8),
                       "+x"(c9), "+x"(c10), "+x"(c11));
  }
  return L::sum(c0) + L::sum(c1) + L::sum(c2) + L::sum(c3) + L::sum(c4) + L::sum(c5) + L::sum(c6) + L::sum(c7) +
         L::sum(c8) + L::sum(c9) + L::sum(c10) + L::sum(c11);
}

} // namespace

int64_t attn::run::peakLoopFlops(bool f64) { return accumulators * 2 * (f64 ? 4 : 8); }

double attn::run::runPeakLoop(bool f64, int64_t iterations) {
  return f64 ? loop<__m256d>(iterations) : loop<__m256>(iterations);
}
