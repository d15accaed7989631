// Streams of numbers.
#include "attn/Support/Random.h"

#include "attn/Support/Philox.h"

#include <cmath>

using namespace attn;

Random::Random(uint64_t seed, std::string_view name) : seed(seed), stream(0xcbf29ce484222325u) {
  for (char c : name)
    stream = (stream ^ uint8_t(c)) * 0x100000001b3u;
}

std::array<uint32_t, 4> Random::words(uint64_t block) const {
  return philox4x32({uint32_t(block), uint32_t(block >> 32), uint32_t(stream), uint32_t(stream >> 32)},
                    {uint32_t(seed), uint32_t(seed >> 32)});
}

static double toUniform(uint32_t word) { return (double(word) + 0.5) / 4294967296.0; }

double Random::uniform(uint64_t n) const { return toUniform(words(n / 4)[n % 4]); }

std::array<double, 4> Random::normals(uint64_t block) const {
  constexpr double twoPi = 6.283185307179586477;
  const auto w = words(block);
  const double r0 = std::sqrt(-2 * std::log(toUniform(w[0]))), a0 = twoPi * toUniform(w[1]);
  const double r1 = std::sqrt(-2 * std::log(toUniform(w[2]))), a1 = twoPi * toUniform(w[3]);
  return {r0 * std::cos(a0), r0 * std::sin(a0), r1 * std::cos(a1), r1 * std::sin(a1)};
}

int64_t Random::integer(uint64_t n, int64_t lo, int64_t hi) const {
  const uint64_t range = uint64_t(hi - lo) + 1;
  return lo + int64_t((words(n / 4)[n % 4] * range) >> 32);
}
