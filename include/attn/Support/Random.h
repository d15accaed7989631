//===- Random.h - Counter-based random numbers ----------------------------===//
//
// Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011): a block cipher with a 64-bit key
// and a 128-bit counter. Number n of a stream is a function of (seed, stream, n) alone, so a tensor's values do not
// depend on which other tensors are made, in what order, or on the platform's library.
//
//   key     = seed
//   counter = (low 32 bits of block, high 32 bits of block, low 32 bits of stream, high 32 bits of stream)
//
// A block gives four 32-bit words w0..w3; u = (w + 0.5) / 2^32 is uniform in (0, 1). Normals are Box-Muller of
// (u0, u1) and (u2, u3): sqrt(-2 ln u0) cos(2 pi u1), sqrt(-2 ln u0) sin(2 pi u1), and the same of the other two.
// Number n of a stream is number n mod 4 of block n / 4. A stream is named by a string, hashed with FNV-1a.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SUPPORT_RANDOM_H
#define ATTN_SUPPORT_RANDOM_H

#include <array>
#include <cstdint>
#include <string_view>

namespace attn {

class Random {
public:
  Random(uint64_t seed, std::string_view stream);
  Random(uint64_t seed, uint64_t stream) : seed(seed), stream(stream) {}

  std::array<uint32_t, 4> words(uint64_t block) const;
  std::array<double, 4> normals(uint64_t block) const;
  /// Uniform in (0, 1).
  double uniform(uint64_t n) const;
  double normal(uint64_t n) const { return normals(n / 4)[n % 4]; }
  /// Uniform in lo..hi inclusive, hi >= lo, hi - lo < 2^32; off uniformity by less than (hi - lo) / 2^32.
  int64_t integer(uint64_t n, int64_t lo, int64_t hi) const;

private:
  uint64_t seed, stream;
};

} // namespace attn

#endif
