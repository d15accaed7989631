// Philox against the published test vectors; attn.random against its formula.
#include "attn/Support/Philox.h"

#include <gtest/gtest.h>

using namespace attn;

using Words = std::array<uint32_t, 4>;
constexpr uint32_t kOnes = 0xffffffff;

TEST(Philox, KnownAnswers) { // of Random123
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

static float unit(uint32_t word) { return float(word >> 8) / 16777216.0f; }

TEST(Philox, RandomUnit) {
  EXPECT_EQ(randomUnit(0, {}), unit(0x6627e8d5));
  EXPECT_EQ(randomUnit(0, {0, 0, 0, 0}), unit(0x6627e8d5));
  EXPECT_EQ(randomUnit(-1, {-1, -1, -1, -1}), unit(0x408f276d));
  // The last index is word 0, and an index counts modulo 2^32.
  const int64_t seed = (int64_t(0x299f31d0) << 32) | 0xa4093822;
  EXPECT_EQ(randomUnit(seed, {0x03707344, 0x13198a2e, 0x85a308d3, 0x243f6a88}), unit(0xd16cfe09));
  EXPECT_EQ(
      randomUnit(seed, {0x03707344, 0x13198a2e, 0x85a308d3 - (int64_t(1) << 32), 0x243f6a88 + (int64_t(5) << 32)}),
      unit(0xd16cfe09));
  // Missing ones are 0 and stand before the given ones.
  EXPECT_EQ(randomUnit(7, {3, 5}), randomUnit(7, {0, 0, 3, 5}));
  EXPECT_NE(randomUnit(7, {3, 5}), randomUnit(7, {5, 3}));
  EXPECT_NE(randomUnit(7, {5}), randomUnit(7, {5, 0}));
  EXPECT_EQ(randomUnit(-7, {5}), unit(philox4x32({5, 0, 0, 0}, {uint32_t(-7), kOnes})[0]));
}

TEST(Philox, RandomUnitIsUniform) {
  const int count = 1 << 16;
  int bins[16] = {};
  double sum = 0;
  for (int n = 0; n < count; ++n) {
    const float u = randomUnit(3, {n / 256, n % 256});
    ASSERT_TRUE(u >= 0 && u < 1);
    ++bins[int(u * 16)];
    sum += u;
  }
  EXPECT_NEAR(sum / count, 0.5, 0.005);
  for (int n : bins)
    EXPECT_NEAR(n, count / 16, 5 * 64); // five standard deviations
}
