// Number formats.
#include "attn/Support/Numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace attn;

namespace {

/// Mantissa bits without the hidden one, exponents of the smallest and the largest normal number.
struct Format {
  int mantissa, least, most;
};
constexpr Format f16Format{10, -14, 15}, bf16Format{7, -126, 127}, e4m3Format{3, -6, 8}, e5m2Format{2, -14, 15};

uint16_t narrow(double x, Format f) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  const uint16_t infinity = uint16_t((f.most - f.least + 2) << f.mantissa);
  if (std::isnan(x))
    return sign | infinity | uint16_t(1 << (f.mantissa - 1));
  if (std::isinf(x))
    return sign | infinity;
  const double a = std::fabs(x);
  if (a == 0)
    return sign;
  int e = std::max(std::ilogb(a), f.least);
  auto q = uint64_t(std::nearbyint(std::ldexp(a, f.mantissa - e))); // the one rounding
  if (q >> (f.mantissa + 1)) {
    q >>= 1;
    ++e;
  }
  if (e > f.most)
    return sign | infinity;
  if (!(q >> f.mantissa)) // subnormal
    return sign | uint16_t(q);
  return sign | uint16_t(((e - f.least + 1) << f.mantissa) + int(q & ((1u << f.mantissa) - 1)));
}

double widen(uint16_t bits, Format f) {
  const int exponent = (bits & 0x7fff) >> f.mantissa, fraction = bits & ((1 << f.mantissa) - 1);
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  if (exponent == f.most - f.least + 2)
    return fraction ? std::copysign(NAN, sign) : sign * INFINITY;
  if (!exponent)
    return sign * std::ldexp(double(fraction), f.least - f.mantissa);
  return sign * std::ldexp(double(fraction + (1 << f.mantissa)), exponent - 1 + f.least - f.mantissa);
}

// Any alignment is legal for an element of a file.
template <typename T> T at(const void *data, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(data) + index * int64_t(sizeof(T)), sizeof(T));
  return value;
}

template <typename T> void put(void *data, int64_t index, T value) {
  std::memcpy(static_cast<char *>(data) + index * int64_t(sizeof(T)), &value, sizeof(T));
}

} // namespace

const char *attn::nameOf(Element element) {
  static const char *const names[] = {"f64", "f32", "f16", "bf16", "f8E4M3FN", "f8E5M2", "i64", "i32", "i8", "i1"};
  return names[int(element)];
}

int64_t attn::bytesOf(Element element) {
  static const int64_t bytes[] = {8, 4, 2, 2, 1, 1, 8, 4, 1, 1};
  return bytes[int(element)];
}

bool attn::isFloat(Element element) { return element <= Element::F8E5M2; }

uint16_t attn::toF16(double x) { return narrow(x, f16Format); }
uint16_t attn::toBF16(double x) { return narrow(x, bf16Format); }
double attn::fromF16(uint16_t bits) { return widen(bits, f16Format); }

double attn::fromBF16(uint16_t bits) { // the upper half of an f32
  const uint32_t wide = uint32_t(bits) << 16;
  return at<float>(&wide, 0);
}

/// The sign is the upper bit of 8 there, of 16 in `narrow` and `widen`.
uint8_t attn::toF8E5M2(double x) {
  const uint16_t bits = narrow(x, e5m2Format);
  return uint8_t((bits >> 8 & 0x80) | (bits & 0x7f));
}
uint8_t attn::toF8E4M3FN(double x) { // the pattern above the largest number, 448, is NaN
  const uint16_t bits = narrow(x, e4m3Format);
  return uint8_t((bits >> 8 & 0x80) | std::min(bits & 0x7fff, 0x7f));
}
double attn::fromF8E5M2(uint8_t bits) { return widen(uint16_t((bits & 0x80) << 8 | (bits & 0x7f)), e5m2Format); }
double attn::fromF8E4M3FN(uint8_t bits) {
  if ((bits & 0x7f) == 0x7f)
    return std::copysign(NAN, bits & 0x80 ? -1.0 : 1.0);
  return widen(uint16_t((bits & 0x80) << 8 | (bits & 0x7f)), e4m3Format);
}

double attn::loadNumber(const void *data, Element element, int64_t index) {
  switch (element) {
  case Element::F64:
    return at<double>(data, index);
  case Element::F32:
    return at<float>(data, index);
  case Element::F16:
    return fromF16(at<uint16_t>(data, index));
  case Element::BF16:
    return fromBF16(at<uint16_t>(data, index));
  case Element::F8E4M3FN:
    return fromF8E4M3FN(at<uint8_t>(data, index));
  case Element::F8E5M2:
    return fromF8E5M2(at<uint8_t>(data, index));
  default:
    return double(loadInteger(data, element, index));
  }
}

int64_t attn::loadInteger(const void *data, Element element, int64_t index) {
  switch (element) {
  case Element::I64:
    return at<int64_t>(data, index);
  case Element::I32:
    return at<int32_t>(data, index);
  case Element::I8:
    return at<int8_t>(data, index);
  case Element::I1:
    return at<uint8_t>(data, index) != 0;
  default:
    return int64_t(loadNumber(data, element, index));
  }
}

void attn::storeNumber(void *data, Element element, int64_t index, double x) {
  switch (element) {
  case Element::F64:
    return put(data, index, x);
  case Element::F32:
    return put(data, index, float(x));
  case Element::F16:
    return put(data, index, toF16(x));
  case Element::BF16:
    return put(data, index, toBF16(x));
  case Element::F8E4M3FN:
    return put(data, index, toF8E4M3FN(x));
  case Element::F8E5M2:
    return put(data, index, toF8E5M2(x));
  case Element::I64:
    return put(data, index, int64_t(x));
  case Element::I32:
    return put(data, index, int32_t(x));
  case Element::I8:
    return put(data, index, int8_t(x));
  case Element::I1:
    return put(data, index, uint8_t(x != 0));
  }
}

static int mantissaOf(Element element) {
  static const int bits[] = {52, 23, 10, 7, 3, 2};
  return isFloat(element) ? bits[int(element)] : 0;
}

double attn::epsilonOf(Element element) { return std::ldexp(1.0, -mantissaOf(element)); }

double attn::ulp(double x, Element element) {
  const int least = element == Element::F64                                 ? -1022
                    : element == Element::F16 || element == Element::F8E5M2 ? -14
                    : element == Element::F8E4M3FN                          ? -6
                                                                            : -126;
  const double a = std::fabs(x);
  const int e = a > 0 && std::isfinite(a) ? std::max(std::ilogb(a), least) : least;
  return std::ldexp(1.0, e - mantissaOf(element));
}
