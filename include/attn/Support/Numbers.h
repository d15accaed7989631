// The number formats of tensors: names, sizes, conversions that round once, distances between neighbours.
#ifndef ATTN_SUPPORT_NUMBERS_H
#define ATTN_SUPPORT_NUMBERS_H

#include <cstdint>

namespace attn {

/// Element types of kernel arguments. An I1 is stored as one byte; its truth is whether the byte is zero.
enum class Element : uint8_t { F64, F32, F16, BF16, F8E4M3FN, F8E5M2, I64, I32, I8, I1 };

const char *nameOf(Element element); // "bf16"
int64_t bytesOf(Element element);
bool isFloat(Element element);
inline bool is16Bit(Element element) { return element == Element::F16 || element == Element::BF16; }

/// Bits of the nearest f16 or bf16, ties to even; overflow is infinity and a NaN stays a quiet NaN.
uint16_t toF16(double x);
uint16_t toBF16(double x);
double fromF16(uint16_t bits);
double fromBF16(uint16_t bits);
/// The 8-bit floats of the OCP specification: f8E4M3FN has no infinity, what is too large is NaN.
uint8_t toF8E4M3FN(double x);
uint8_t toF8E5M2(double x);
double fromF8E4M3FN(uint8_t bits);
double fromF8E5M2(uint8_t bits);
inline bool is8BitFloat(Element element) { return element == Element::F8E4M3FN || element == Element::F8E5M2; }

/// Element `index` of a typed array, as a double. Integers beyond 2^53 lose bits: read those with loadInteger.
double loadNumber(const void *data, Element element, int64_t index);
int64_t loadInteger(const void *data, Element element, int64_t index);
/// Stores `x` rounded to the element type (integers: truncated, `x` in range).
void storeNumber(void *data, Element element, int64_t index, double x);

/// 2^-52 for f64, 2^-23 for f32, 2^-10 for f16, 2^-7 for bf16, 2^-3 and 2^-2 for the 8-bit floats.
double epsilonOf(Element element);
/// Distance between neighbours at |x|; below the smallest normal number that of the smallest normal number.
double ulp(double x, Element element);

} // namespace attn

#endif
