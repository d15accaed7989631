// Conversions of f16 on every level: x86-64-v2 has no instruction for them.
#include "Steps.h"

#include <cstring>

using namespace attn;
using namespace attn::test;

namespace {

class Half : public ::testing::TestWithParam<const char *> {
protected:
  static std::string map(const std::string &from, const std::string &to) {
    return "!a = tensor<?x" + from + "> !b = tensor<?x" + to + R"(>
attn.kernel @k(%a: !a) -> (y: !b) {
  %y = attn.map dims(n) (%x = %a[n]) { attn.yield %x : f32 } -> [n] : (!a) -> !b
  attn.return %y : !b
}
)";
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Half, ::testing::Values("x86-64-v2", "x86-64-v3"));

TEST_P(Half, WidensEveryPattern) {
  StepCall call(map("f16", "f32"), GetParam());
  Tensor x(Element::F16, {1 << 16}), y(Element::F32, {1 << 16});
  for (int64_t n = 0; n < 1 << 16; ++n)
    x.setBits({n}, uint64_t(n));
  call.args = {x, y};
  ASSERT_EQ(call.run(), ATTN_OK);
  for (int64_t n = 0; n < 1 << 16; ++n) {
    const float exact = float(fromF16(uint16_t(n))), got = float(call.args[1].get({n}));
    if (std::isnan(exact))
      ASSERT_TRUE(std::isnan(got)) << n;
    else
      ASSERT_TRUE(got == exact && std::signbit(got) == std::signbit(exact)) << n << " gives " << got;
  }
}

TEST_P(Half, NarrowsToNearest) {
  StepCall call(map("f32", "f16"), GetParam());
  std::vector<uint32_t> bits;
  // Every f16, halfway to the next one, and the neighbours of both; then any pattern at all.
  for (int64_t n = 0; n < 1 << 16; ++n) {
    const float at = float(fromF16(uint16_t(n))), next = float(fromF16(uint16_t(n + 1)));
    for (float x : {at, (at + next) / 2}) {
      uint32_t word;
      std::memcpy(&word, &x, 4);
      bits.insert(bits.end(), {word - 1, word, word + 1});
    }
  }
  for (uint64_t n = 0; n < 1 << 16; ++n)
    bits.push_back(uint32_t(n * 0x9e3779b97f4a7c15 >> 16));
  Tensor x(Element::F32, {int64_t(bits.size())}), y(Element::F16, {int64_t(bits.size())});
  for (size_t n = 0; n < bits.size(); ++n)
    x.setBits({int64_t(n)}, bits[n]);
  call.args = {x, y};
  ASSERT_EQ(call.run(), ATTN_OK);
  for (size_t n = 0; n < bits.size(); ++n) {
    float from;
    std::memcpy(&from, &bits[n], 4);
    const uint16_t got = uint16_t(call.args[1].bits({int64_t(n)}));
    if (std::isnan(from))
      ASSERT_TRUE(std::isnan(fromF16(got))) << std::hex << bits[n];
    else
      ASSERT_EQ(got, toF16(from)) << std::hex << bits[n];
  }
}

} // namespace
