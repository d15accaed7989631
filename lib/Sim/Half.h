// f16, bf16 and 8-bit floats at the speed that 32 lanes ask for; every rounding happens once.
#ifndef ATTN_LIB_SIM_HALF_H
#define ATTN_LIB_SIM_HALF_H

#include "Lanes.h"

namespace attn::sim {

float halfToFloat(uint16_t bits);
inline float bfloatToFloat(uint16_t bits) { return as<float>(uint64_t(bits) << 16); }

/// A binary format: bits of mantissa without the hidden one, exponents of the smallest and the largest normal number.
struct Format {
  int mantissa, least, most;
  bool infinite = true; ///< e4m3 has none: its largest pattern is NaN
};
constexpr Format f16Format{10, -14, 15}, bf16Format{7, -126, 127}, f32Format{23, -126, 127}, e5m2Format{2, -14, 15},
    e4m3Format{3, -6, 8, false};
constexpr Format tf32Format{10, -126, 127};

/// `x` in the format as sign, exponent and mantissa bits; `saturate` gives the largest number instead of infinity. NaN
/// is 7fff-like: all ones without the sign.
uint32_t roundTo(double x, Format format, Rounding rounding, bool saturate = false);
double widen(uint32_t bits, Format format);

uint16_t floatToHalf(float x);   ///< nearest even
uint16_t floatToBfloat(float x); ///< nearest even
/// Nearest even of a sum or product that is exact in double, or was made odd where it was not.
inline uint16_t doubleToHalf(double x) { return uint16_t(roundTo(x, f16Format, Rounding::Nearest)); }
inline uint16_t doubleToBfloat(double x) { return uint16_t(roundTo(x, bf16Format, Rounding::Nearest)); }

/// a * b + c for a narrower format: rounded to odd in double, so that rounding again is as if it were the only time.
double fmaToOdd(double a, double b, double c);

} // namespace attn::sim

#endif
