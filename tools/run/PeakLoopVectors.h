// The loop of fused multiply-adds, for vectors of either width. Included by files that are compiled for them, and by
// nothing else.
//
// Zen and Intel cores start two FMAs a cycle that take four or five cycles: ten in flight saturate them. Twelve
// accumulators leave room and, with the two operands, fit sixteen registers.
#ifndef ATTN_TOOLS_RUN_PEAKLOOPVECTORS_H
#define ATTN_TOOLS_RUN_PEAKLOOPVECTORS_H

#include <cstdint>

namespace {

constexpr int accumulators = 12;

template <typename T, int bytes> constexpr int64_t flopsOf = accumulators * 2 * bytes / sizeof(T);

template <typename V> double sumOf(V v) {
  double sum = 0;
  for (unsigned lane = 0; lane < sizeof(V) / sizeof(v[0]); ++lane)
    sum += double(v[lane]);
  return sum;
}

template <typename T, int bytes> double fmaLoop(int64_t iterations) {
  typedef T V __attribute__((vector_size(bytes)));
  const V zero{};
  // a < 1: the accumulators tend to a fixed point near 1, never to infinity or a denormal.
  const V a = zero + T(0.5), b = a;
  V c0 = a, c1 = a + T(0.1), c2 = a + T(0.2), c3 = a + T(0.3), c4 = a + T(0.4), c5 = a + T(0.5), c6 = -c0, c7 = -c1;
  V c8 = -c2, c9 = -c3, c10 = -c4, c11 = -c5;
  for (int64_t n = 0; n < iterations; ++n) {
    c0 = c0 * a + b, c1 = c1 * a + b, c2 = c2 * a + b, c3 = c3 * a + b, c4 = c4 * a + b, c5 = c5 * a + b;
    c6 = c6 * a + b, c7 = c7 * a + b, c8 = c8 * a + b, c9 = c9 * a + b, c10 = c10 * a + b, c11 = c11 * a + b;
    // The optimizer must neither see through the recurrence nor merge accumulators.
    __asm__ volatile(""
                     : "+v"(c0), "+v"(c1), "+v"(c2), "+v"(c3), "+v"(c4), "+v"(c5), "+v"(c6), "+v"(c7), "+v"(c8),
                       "+v"(c9), "+v"(c10), "+v"(c11));
  }
  return sumOf(c0) + sumOf(c1) + sumOf(c2) + sumOf(c3) + sumOf(c4) + sumOf(c5) + sumOf(c6) + sumOf(c7) + sumOf(c8) +
         sumOf(c9) + sumOf(c10) + sumOf(c11);
}

} // namespace

#endif
