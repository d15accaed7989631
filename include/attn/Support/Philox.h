//===- Philox.h - The generator behind attn.random ------------------------===//
//
// Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011): ten rounds that turn a counter
// of four words and a key of two into four words that look random.
//
//   random(seed; ..., n1, n0) = (w floordiv 2^8) 2^-24,   w = philox4x32((n0, n1, n2, n3), (seed mod 2^32, floor(seed /
//   2^32)))[0]
//
// The last index is word 0 of the counter, the one before it word 1, and so on, each modulo 2^32; missing ones are 0.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SUPPORT_PHILOX_H
#define ATTN_SUPPORT_PHILOX_H

#include "llvm/ADT/ArrayRef.h"

#include <array>
#include <cstdint>

namespace attn {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// attn.random: uniform in [0, 1), a multiple of 2^-24. At most four indices.
float randomUnit(int64_t seed, llvm::ArrayRef<int64_t> indices);

} // namespace attn

#endif
