// Formats against llvm::APFloat.
#include "Harness.h"

#include <cstring>
#include <random>

using namespace attn::interpreter;

namespace {

bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

TEST(Numbers, EverySixteenBitPatternReads) {
  for (Format f : {Format::BF16, Format::F16}) {
    std::vector<uint16_t> bits(1 << 16);
    for (unsigned n = 0; n < bits.size(); ++n)
      bits[n] = n;
    View view;
    view.data = (const char *)bits.data();
    view.format = f;
    std::vector<double> all(bits.size());
    gather<double>(view, 0, 1, all);
    for (unsigned n = 0; n < bits.size(); ++n) {
      ASSERT_TRUE(same(all[n], valueOf(f, n))) << n;
      if (!std::isnan(all[n]))
        ASSERT_EQ((uint16_t)bitsOf(f, all[n]), n);
    }
  }
}

TEST(Numbers, EveryByteFloatReads) {
  for (Format f : {Format::F8E4M3FN, Format::F8E5M2})
    for (unsigned n = 0; n < 256; ++n) {
      const uint8_t byte = n;
      View view;
      view.data = (const char *)&byte;
      view.format = f;
      ASSERT_TRUE(same(readFloat(view, 0), valueOf(f, n))) << n;
      if (!std::isnan(valueOf(f, n)))
        ASSERT_EQ((uint8_t)bitsOf(f, valueOf(f, n)), n);
    }
}

TEST(Numbers, RoundsOnceToNearestEven) {
  std::mt19937_64 generator(1);
  for (Format f : {Format::F32, Format::BF16, Format::F16, Format::F8E4M3FN, Format::F8E5M2})
    for (int n = 0; n < 200000; ++n) {
      // Every exponent around the format's range, and mantissas next to ties.
      double x = std::ldexp(1.0 + (double)(generator() >> 40) / (1 << 24), (int)(generator() % 60) - 30);
      if (n % 3 == 0)
        x = std::nextafter(valueOf(f, generator()) * (1 + std::ldexp(1.0, f == Format::F32        ? -24
                                                                          : f == Format::BF16     ? -8
                                                                          : f == Format::F8E4M3FN ? -4
                                                                          : f == Format::F8E5M2   ? -3
                                                                                                  : -11)),
                           n % 2 ? 1e300 : 0);
      if (!std::isnan(x))
        ASSERT_TRUE(same(roundTo(f, x), valueOf(f, bitsOf(f, x)))) << x;
    }
  EXPECT_EQ(roundTo(Format::F16, 65519.0), 65504.0);
  EXPECT_TRUE(std::isinf(roundTo(Format::F16, 65520.0)));
  EXPECT_TRUE(std::signbit(roundTo(Format::BF16, -1e-60)));
  EXPECT_EQ(roundTo(Format::F16, 0x1p-25), 0);
  EXPECT_EQ(roundTo(Format::F16, 0x1.8p-25), 0x1p-24);
  EXPECT_EQ(roundTo(Format::F32, 1 + 0x1p-24L + 0x1p-60L), 1 + 0x1p-23L); // not by way of double
}

TEST(Numbers, BooleansAreBytes) {
  unsigned char bytes[] = {0, 1, 2, 255};
  View view;
  view.data = (const char *)bytes;
  view.format = Format::I1;
  for (int n = 0; n < 4; ++n)
    EXPECT_EQ(readInt(view, n), n ? -1 : 0);
}

} // namespace
