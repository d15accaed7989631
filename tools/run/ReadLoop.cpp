// Compiled for AVX2, unlike everything else: nothing here but the loop, reached after hasReadLoop().
#include "ReadLoop.h"

#include <immintrin.h>

bool attn::run::hasReadLoop() { return __builtin_cpu_supports("avx2"); }

uint64_t attn::run::readLines(const char *from, int64_t bytes) {
  const auto start = (reinterpret_cast<uintptr_t>(from) + 63) & ~uintptr_t(63);
  const auto end = (reinterpret_cast<uintptr_t>(from) + bytes) & ~uintptr_t(63);
  __m256i sums[8] = {};
  const auto add = [&](int n, uintptr_t at) {
    sums[n] = _mm256_xor_si256(sums[n], _mm256_load_si256(reinterpret_cast<const __m256i *>(at)));
  };
  // Two streams side by side: 5 % faster here than one, and no slower than four or with prefetches of our own.
  const uintptr_t half = (end > start ? end - start : 0) / 256 * 128;
  for (uintptr_t at = start; at < start + half; at += 128)
    for (int n = 0; n < 4; ++n)
      add(n, at + n * 32), add(4 + n, at + half + n * 32);
  for (uintptr_t at = start + 2 * half; at < end; at += 64)
    add(0, at), add(1, at + 32);
  uint64_t words[4], all = 0;
  for (const __m256i &s : sums) {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(words), s);
    all ^= words[0] ^ words[1] ^ words[2] ^ words[3];
  }
  return all;
}
