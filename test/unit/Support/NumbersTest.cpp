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

  char bytes[24] = {}; // elements at any alignment
  for (Element e : {Element::F64, Element::F32, Element::F16, Element::BF16, Element::I64, Element::I32, Element::I8}) {
    storeNumber(bytes + 1, e, 1, -3.0);
    EXPECT_TRUE(sameBits(loadNumber(bytes + 1, e, 1), -3.0)) << nameOf(e);
    EXPECT_TRUE(loadInteger(bytes + 1, e, 1) == -3) << nameOf(e);
  }
  bytes[0] = 2;
  EXPECT_TRUE(loadInteger(bytes, Element::I1, 0) == 1);
}
