// Narrow floating-point formats.
#include "Half.h"

#include <cmath>
#include <memory>

using namespace attn::sim;

uint32_t attn::sim::roundTo(double x, Format f, Rounding rounding, bool saturate) {
  const int exponentBits = f.mantissa;
  const uint32_t width = f.least == -126 ? uint32_t(f.mantissa + 8) : f.mantissa == 10 ? 15 : 7;
  const uint32_t sign = std::signbit(x) ? 1u << width : 0;
  const uint32_t infinity = (1u << width) - (1u << f.mantissa); // all ones in the exponent
  const uint32_t largest = f.infinite ? infinity - 1 : (1u << width) - 2;
  if (std::isnan(x))
    return (1u << width) - 1;
  const double a = std::fabs(x);
  if (std::isinf(x))
    return sign | (saturate ? largest : f.infinite ? infinity : (1u << width) - 1);
  if (a == 0)
    return sign;
  int e;
  std::frexp(a, &e);
  e = e - 1 < f.least ? f.least : e - 1;
  const double scaled = std::ldexp(a, f.mantissa - e), down = std::floor(scaled), rest = scaled - down;
  uint64_t q = uint64_t(down);
  bool up = false;
  switch (rounding) {
  case Rounding::Nearest:
    up = rest > 0.5 || (rest == 0.5 && (q & 1));
    break;
  case Rounding::NearestAway:
    up = rest >= 0.5;
    break;
  case Rounding::Zero:
    break;
  case Rounding::Down:
    up = rest > 0 && sign;
    break;
  case Rounding::Up:
    up = rest > 0 && !sign;
    break;
  }
  q += up;
  if (q >> (f.mantissa + 1)) {
    q >>= 1;
    ++e;
  }
  const uint64_t magnitude =
      q >> f.mantissa ? (uint64_t(e - f.least + 1) << exponentBits) + (q & ((uint64_t(1) << f.mantissa) - 1)) : q;
  if (e > f.most || magnitude > largest) {
    const bool toLargest =
        rounding == Rounding::Zero || (rounding == Rounding::Down && !sign) || (rounding == Rounding::Up && sign);
    return sign | (saturate || toLargest ? largest : f.infinite ? infinity : (1u << width) - 1);
  }
  return sign | uint32_t(magnitude);
}

double attn::sim::widen(uint32_t bits, Format f) {
  const uint32_t width = f.least == -126 ? uint32_t(f.mantissa + 8) : f.mantissa == 10 ? 15 : 7;
  const uint32_t magnitude = bits & ((1u << width) - 1), exponent = magnitude >> f.mantissa,
                 fraction = magnitude & ((1u << f.mantissa) - 1);
  const double sign = bits >> width & 1 ? -1 : 1;
  if (f.infinite && exponent == (1u << (width - unsigned(f.mantissa))) - 1)
    return fraction ? NAN : sign * INFINITY;
  if (!f.infinite && magnitude == (1u << width) - 1)
    return NAN;
  if (!exponent)
    return sign * std::ldexp(double(fraction), f.least - f.mantissa);
  return sign * std::ldexp(double(fraction + (1u << f.mantissa)), int(exponent) - 1 + f.least - f.mantissa);
}

float attn::sim::halfToFloat(uint16_t bits) {
  static const std::unique_ptr<float[]> table = [] {
    auto t = std::make_unique<float[]>(65536);
    for (uint32_t i = 0; i < 65536; ++i)
      t[i] = float(widen(i, f16Format));
    return t;
  }();
  return table[bits];
}

uint16_t attn::sim::floatToHalf(float x) {
  const uint32_t u = uint32_t(word(x)), sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
  if (a >= 0x38800000 && a < 0x477ff000) // normal in both, and not to overflow
    return uint16_t(sign | ((a - 0x38000000 + 0xfff + (a >> 13 & 1)) >> 13));
  return uint16_t(roundTo(x, f16Format, Rounding::Nearest));
}

uint16_t attn::sim::floatToBfloat(float x) {
  const uint32_t u = uint32_t(word(x));
  if ((u & 0x7fffffff) > 0x7f800000)
    return 0x7fff;
  return uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

double attn::sim::fmaToOdd(double a, double b, double c) {
  const double product = a * b; // exact: the factors are narrow
  const double sum = product + c;
  if (!std::isfinite(sum))
    return sum;
  const double back = sum - product, error = (product - (sum - back)) + (c - back);
  uint64_t bits = word(sum);
  if (error != 0 && !(bits & 1)) { // towards the error's side, where the odd neighbour is
    const bool away = (error > 0) == (sum > 0);
    bits += away ? 1 : uint64_t(-1);
  }
  return as<double>(bits);
}
