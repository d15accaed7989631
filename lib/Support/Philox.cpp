#include "attn/Support/Philox.h"

#include <cassert>

using namespace attn;

std::array<uint32_t, 4> attn::philox4x32(std::array<uint32_t, 4> x, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xd2511f53u) * x[0], p1 = uint64_t(0xcd9e8d57u) * x[2];
    x = {uint32_t(p1 >> 32) ^ x[1] ^ key[0], uint32_t(p1), uint32_t(p0 >> 32) ^ x[3] ^ key[1], uint32_t(p0)};
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return x;
}

float attn::randomUnit(int64_t seed, llvm::ArrayRef<int64_t> indices) {
  assert(indices.size() <= 4 && "a counter has four words");
  std::array<uint32_t, 4> counter = {};
  for (size_t n = 0; n < indices.size(); ++n)
    counter[n] = uint32_t(indices[indices.size() - 1 - n]);
  const uint32_t word = philox4x32(counter, {uint32_t(seed), uint32_t(uint64_t(seed) >> 32)})[0];
  return float(word >> 8) * 0x1p-24f;
}
