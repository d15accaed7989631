// Philox against the published test vectors, and the moments of what is made of it.
#include "attn/Support/Random.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace attn;

TEST(Random, Philox) {
  // Random123's known answers for Philox4x32-10.
  using Words = std::array<uint32_t, 4>;
  EXPECT_TRUE((Random(0, uint64_t(0)).words(0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_TRUE((Random(~uint64_t(0), ~uint64_t(0)).words(~uint64_t(0)) ==
               Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));

  const Random a(1, "q"), b(1, "k"), c(2, "q");
  EXPECT_TRUE(a.words(0) == Random(1, "q").words(0));
  EXPECT_TRUE(a.words(0) != b.words(0) && a.words(0) != c.words(0) && a.words(0) != a.words(1) &&
              a.words(0) != a.words(uint64_t(1) << 32));

  const int count = 1 << 16;
  bool inRange = true;
  double sum = 0, squares = 0, fourth = 0, uniforms = 0;
  for (int n = 0; n < count; ++n) {
    const double x = a.normal(n), u = a.uniform(n);
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    uniforms += u;
    inRange &= u > 0 && u < 1 && std::isfinite(x);
  }
  EXPECT_TRUE(inRange);
  EXPECT_TRUE(std::fabs(sum / count) < 0.02 && std::fabs(squares / count - 1) < 0.02 &&
              std::fabs(fourth / count - 3) < 0.15);
  EXPECT_TRUE(std::fabs(uniforms / count - 0.5) < 0.005);
  int seen[5] = {};
  for (int n = 0; n < 5000; ++n)
    ++seen[a.integer(n, 3, 7) - 3];
  for (int n : seen)
    EXPECT_TRUE(n > 850 && n < 1150);
  EXPECT_TRUE(a.integer(0, 4, 4) == 4);
}
