#include "Numbers.h"

#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace attn::interpreter;

namespace {
struct Traits {
  const char *name;
  unsigned bytes, code;
};
// In the order of Format.
const Traits traits[] = {{"f64", 8, 256 * ATTN_FLOAT + 64},
                         {"f32", 4, 256 * ATTN_FLOAT + 32},
                         {"bf16", 2, 256 * ATTN_BFLOAT + 16},
                         {"f16", 2, 256 * ATTN_FLOAT + 16},
                         {"f8E4M3FN", 1, 256 * ATTN_FLOAT8_E4M3FN + 8},
                         {"f8E5M2", 1, 256 * ATTN_FLOAT8_E5M2 + 8},
                         {"i64", 8, 256 * ATTN_INT + 64},
                         {"i32", 4, 256 * ATTN_INT + 32},
                         {"i8", 1, 256 * ATTN_INT + 8},
                         {"i1", 1, 256 * ATTN_BOOL + 8}};
} // namespace

std::optional<Format> attn::interpreter::formatOf(Type type) {
  if (type.isF64())
    return Format::F64;
  if (type.isF32())
    return Format::F32;
  if (type.isBF16())
    return Format::BF16;
  if (type.isF16())
    return Format::F16;
  if (isa<Float8E4M3FNType>(type))
    return Format::F8E4M3FN;
  if (isa<Float8E5M2Type>(type))
    return Format::F8E5M2;
  if (type.isSignlessInteger(64))
    return Format::I64;
  if (type.isSignlessInteger(32))
    return Format::I32;
  if (type.isSignlessInteger(8))
    return Format::I8;
  if (type.isSignlessInteger(1))
    return Format::I1;
  return std::nullopt;
}

StringRef attn::interpreter::formatName(Format f) { return traits[(int)f].name; }
unsigned attn::interpreter::formatBytes(Format f) { return traits[(int)f].bytes; }
unsigned attn::interpreter::formatCode(Format f) { return traits[(int)f].code; }

/// To a format of `digits` significant bits with exponents [least, most]: scaling by a power of two is exact, so one
/// rounding remains.
template <typename Real> static Real roundDigits(Real x, int digits, int least, int most) {
  if (!std::isfinite(x) || x == 0)
    return x;
  int exponent = std::max(std::ilogb(x), least) - (digits - 1);
  Real rounded = std::ldexp(std::nearbyint(std::ldexp(x, -exponent)), exponent);
  Real limit = std::ldexp(Real(2), most);
  return std::abs(rounded) >= limit ? std::copysign(std::numeric_limits<Real>::infinity(), x) : rounded;
}

template <typename Real> Real attn::interpreter::roundTo(Format f, Real x) {
  switch (f) {
  case Format::F32:
    return (float)x;
  case Format::BF16:
    return roundDigits(x, 8, -126, 127);
  case Format::F16:
    return roundDigits(x, 11, -14, 15);
  case Format::F8E4M3FN: // no infinity: what would round to more than 448 is NaN
    return std::abs(x = roundDigits(x, 4, -6, 8)) > 448 ? std::numeric_limits<Real>::quiet_NaN() : x;
  case Format::F8E5M2:
    return roundDigits(x, 3, -14, 15);
  default:
    return (double)x;
  }
}
double attn::interpreter::roundToTf32(double x) {
  if (!std::isfinite(x))
    return x;
  auto bits = llvm::bit_cast<uint32_t>(float(x));
  uint32_t rounded = (bits + 0x1000) & 0xffffe000;
  return llvm::bit_cast<float>((rounded & 0x7f800000) == 0x7f800000 ? bits & 0xffffe000 : rounded);
}

template double attn::interpreter::roundTo(Format, double);
template long double attn::interpreter::roundTo(Format, long double);

static const llvm::fltSemantics &semantics(Format f) {
  switch (f) {
  case Format::F64:
    return llvm::APFloat::IEEEdouble();
  case Format::F32:
    return llvm::APFloat::IEEEsingle();
  case Format::BF16:
    return llvm::APFloat::BFloat();
  case Format::F8E4M3FN:
    return llvm::APFloat::Float8E4M3FN();
  case Format::F8E5M2:
    return llvm::APFloat::Float8E5M2();
  default:
    return llvm::APFloat::IEEEhalf();
  }
}

int64_t attn::interpreter::bitsOf(Format f, double x) {
  llvm::APFloat value(x);
  bool inexact;
  value.convert(semantics(f), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return value.bitcastToAPInt().getSExtValue();
}

double attn::interpreter::valueOf(Format f, int64_t bits) {
  llvm::APFloat value(semantics(f), llvm::APInt(8 * formatBytes(f), bits, /*isSigned=*/true, /*implicitTrunc=*/true));
  bool inexact;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return value.convertToDouble();
}

template <typename T> static T at(const char *data, int64_t offset) {
  T value;
  std::memcpy(&value, data + offset * (int64_t)sizeof(T), sizeof(T));
  return value;
}

static float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

static float fromHalf(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, mantissa = h & 1023;
  if (exponent == 0)
    return std::copysign((float)mantissa * 0x1p-24f, fromBits(sign));
  return fromBits(sign | (exponent == 31 ? 255u : exponent + 112) << 23 | mantissa << 13);
}

/// Sign, four bits of exponent of bias 7, three of mantissa; all ones is NaN.
static float fromE4M3(uint8_t byte) {
  const int exponent = byte >> 3 & 15, mantissa = byte & 7;
  float value = exponent == 0 ? mantissa * 0x1p-9f : std::ldexp((float)(8 + mantissa), exponent - 10);
  if ((byte & 127) == 127)
    value = std::numeric_limits<float>::quiet_NaN();
  return byte & 128 ? -value : value;
}

namespace {
template <Format F> struct Element;
template <> struct Element<Format::F64> {
  static double read(const char *data, int64_t offset) { return at<double>(data, offset); }
};
template <> struct Element<Format::F32> {
  static float read(const char *data, int64_t offset) { return at<float>(data, offset); }
};
template <> struct Element<Format::BF16> {
  static float read(const char *data, int64_t offset) { return fromBits((uint32_t)at<uint16_t>(data, offset) << 16); }
};
template <> struct Element<Format::F16> {
  static float read(const char *data, int64_t offset) { return fromHalf(at<uint16_t>(data, offset)); }
};
template <> struct Element<Format::F8E4M3FN> {
  static float read(const char *data, int64_t offset) { return fromE4M3(at<uint8_t>(data, offset)); }
};
template <> struct Element<Format::F8E5M2> { // the upper byte of an f16
  static float read(const char *data, int64_t offset) { return fromHalf((uint16_t)at<uint8_t>(data, offset) << 8); }
};
} // namespace

double attn::interpreter::readFloat(const View &view, int64_t offset) {
  switch (view.format) {
  case Format::F64:
    return Element<Format::F64>::read(view.data, offset);
  case Format::F32:
    return Element<Format::F32>::read(view.data, offset);
  case Format::BF16:
    return Element<Format::BF16>::read(view.data, offset);
  case Format::F16:
    return Element<Format::F16>::read(view.data, offset);
  case Format::F8E4M3FN:
    return Element<Format::F8E4M3FN>::read(view.data, offset);
  case Format::F8E5M2:
    return Element<Format::F8E5M2>::read(view.data, offset);
  default:
    return (double)readInt(view, offset);
  }
}

int64_t attn::interpreter::readInt(const View &view, int64_t offset) {
  switch (view.format) {
  case Format::I64:
    return at<int64_t>(view.data, offset);
  case Format::I32:
    return at<int32_t>(view.data, offset);
  case Format::I8:
    return at<int8_t>(view.data, offset);
  default:
    return at<uint8_t>(view.data, offset) ? -1 : 0;
  }
}

/// Without an early exit: most lists do not hold most values, and the loop over a dense one is one of vectors.
template <typename T>
static bool containsAs(const View &view, int64_t offset, int64_t stride, int64_t count, int64_t value) {
  const char *data = view.data + offset * (int64_t)sizeof(T);
  if (value != (T)value)
    return false;
  unsigned found = 0;
  if (stride != 1) {
    for (int64_t n = 0; n < count; ++n)
      found |= at<T>(data, n * stride) == (T)value;
    return found;
  }
#pragma clang loop vectorize(enable)
  for (int64_t n = 0; n < count; ++n)
    found |= at<T>(data, n) == (T)value;
  return found;
}

bool attn::interpreter::contains(const View &view, int64_t offset, int64_t stride, int64_t count, int64_t value) {
  switch (view.format) {
  case Format::I64:
    return containsAs<int64_t>(view, offset, stride, count, value);
  case Format::I32:
    return containsAs<int32_t>(view, offset, stride, count, value);
  case Format::I8:
    return containsAs<int8_t>(view, offset, stride, count, value);
  default:
    llvm_unreachable("the verifier asks for integers");
  }
}

template <Format F, typename Acc>
static void gatherAs(const View &view, int64_t offset, int64_t stride, MutableArrayRef<Acc> out) {
  for (size_t n = 0; n < out.size(); ++n)
    out[n] = (Acc)Element<F>::read(view.data, offset + (int64_t)n * stride);
}

template <typename Acc>
void attn::interpreter::gather(const View &view, int64_t offset, int64_t stride, MutableArrayRef<Acc> out) {
  switch (view.format) {
  case Format::F64:
    return gatherAs<Format::F64>(view, offset, stride, out);
  case Format::F32:
    return gatherAs<Format::F32>(view, offset, stride, out);
  case Format::BF16:
    return gatherAs<Format::BF16>(view, offset, stride, out);
  case Format::F8E4M3FN:
    return gatherAs<Format::F8E4M3FN>(view, offset, stride, out);
  case Format::F8E5M2:
    return gatherAs<Format::F8E5M2>(view, offset, stride, out);
  default:
    return gatherAs<Format::F16>(view, offset, stride, out);
  }
}
template void attn::interpreter::gather(const View &, int64_t, int64_t, MutableArrayRef<float>);
template void attn::interpreter::gather(const View &, int64_t, int64_t, MutableArrayRef<double>);
template void attn::interpreter::gather(const View &, int64_t, int64_t, MutableArrayRef<long double>);
