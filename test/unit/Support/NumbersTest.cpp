// Number formats against their definitions.
#include "attn/Support/Numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

using namespace attn;

namespace {

bool sameBits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

uint16_t bf16ByBits(float x) { // round to nearest even on the bit pattern, finite x
  uint32_t u;
  std::memcpy(&u, &x, 4);
  return uint16_t((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

} // namespace

TEST(Numbers, Formats) {
  // Every 16-bit pattern comes back from its value.
  bool f16Good = true, bf16Good = true, middleGood = true;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const double h = fromF16(uint16_t(bits)), b = fromBF16(uint16_t(bits));
    f16Good &= std::isnan(h) ? std::isnan(fromF16(toF16(h))) : toF16(h) == bits;
    bf16Good &= std::isnan(b) ? std::isnan(fromBF16(toBF16(b))) : toBF16(b) == bits;
    // Halfway to the next neighbour goes to the even one, a bit more or less to the nearer.
    const double next = fromF16(uint16_t(bits + 1));
    if ((bits & 0x7fff) < 0x7bff) {
      const double middle = (h + next) / 2;
      middleGood &= toF16(middle) == (bits & 1 ? bits + 1 : bits);
      middleGood &= toF16(std::nextafter(middle, h)) == bits && toF16(std::nextafter(middle, next)) == bits + 1;
    }
  }
  EXPECT_TRUE(f16Good);
  EXPECT_TRUE(bf16Good);
  EXPECT_TRUE(middleGood);
  bool agree = true;
  for (uint32_t n = 0; n < 200000; ++n) {
    const uint32_t u = n * 21475u;
    float x;
    std::memcpy(&x, &u, 4);
    if (std::isfinite(x))
      agree &= toBF16(x) == bf16ByBits(x);
  }
  EXPECT_TRUE(agree);
  EXPECT_TRUE(toF16(65519.9) == 0x7bff && toF16(65520) == 0x7c00 && toF16(-1e300) == 0xfc00);
  EXPECT_TRUE(toF16(std::ldexp(1.0, -25)) == 0 && toF16(std::ldexp(1.5, -25)) == 1 && toF16(-0.0) == 0x8000);
  EXPECT_TRUE((toBF16(NAN) & 0x7fff) > 0x7f80 && toBF16(-INFINITY) == 0xff80);

  EXPECT_TRUE(ulp(1.0, Element::F32) == std::ldexp(1.0, -23) && ulp(1.99, Element::F64) == std::ldexp(1.0, -52));
  EXPECT_TRUE(ulp(0.0, Element::F16) == std::ldexp(1.0, -24) && ulp(-4.0, Element::BF16) == std::ldexp(1.0, -5));
  EXPECT_TRUE(epsilonOf(Element::F16) == std::ldexp(1.0, -10));

  for (unsigned n = 0; n < 256; ++n) { // every pattern against the formulas of the formats
    const int sign = n & 128 ? -1 : 1, e4 = n >> 3 & 15, m3 = n & 7, e5 = n >> 2 & 31, m2 = n & 3;
    const double x = sign * std::ldexp(e4 ? 8 + m3 : m3, (e4 ? e4 : 1) - 10),
                 y = e5 == 31 ? sign * INFINITY : sign * std::ldexp(e5 ? 4 + m2 : m2, (e5 ? e5 : 1) - 17);
    if (e4 == 15 && m3 == 7)
      EXPECT_TRUE(std::isnan(fromF8E4M3FN(n)) && (toF8E4M3FN(fromF8E4M3FN(n)) & 127) == 127);
    else
      EXPECT_TRUE(sameBits(fromF8E4M3FN(n), x) && toF8E4M3FN(x) == n) << n;
    if (e5 == 31 && m2)
      EXPECT_TRUE(std::isnan(fromF8E5M2(n)) && (toF8E5M2(fromF8E5M2(n)) & 127) > 124);
    else
      EXPECT_TRUE(sameBits(fromF8E5M2(n), y) && toF8E5M2(y) == n) << n;
  }
  EXPECT_TRUE(toF8E4M3FN(464) == 0x7e && toF8E4M3FN(464.1) == 0x7f && toF8E4M3FN(-INFINITY) == 0xff);
  EXPECT_TRUE(toF8E5M2(61439) == 0x7b && toF8E5M2(61440) == 0x7c && toF8E5M2(1.125) == 0x3c && toF8E5M2(1.375) == 0x3e);
  EXPECT_TRUE(ulp(1.0, Element::F8E4M3FN) == 0.125 && ulp(0.0, Element::F8E5M2) == std::ldexp(1.0, -16));

  char bytes[24] = {}; // elements at any alignment
  for (Element e : {Element::F64, Element::F32, Element::F16, Element::BF16, Element::F8E4M3FN, Element::F8E5M2,
                    Element::I64, Element::I32, Element::I8}) {
    storeNumber(bytes + 1, e, 1, -3.0);
    EXPECT_TRUE(sameBits(loadNumber(bytes + 1, e, 1), -3.0)) << nameOf(e);
    EXPECT_TRUE(loadInteger(bytes + 1, e, 1) == -3) << nameOf(e);
  }
  bytes[0] = 2;
  EXPECT_TRUE(loadInteger(bytes, Element::I1, 0) == 1);
}
