// Element formats: how an element is stored, and what rounding to a format means.
#ifndef ATTN_LIB_INTERPRETER_NUMBERS_H
#define ATTN_LIB_INTERPRETER_NUMBERS_H

#include "attn-rt/attn_rt.h"
#include "attn/Support/MLIR.h"

namespace attn::interpreter {

enum class Format : uint8_t { F64, F32, BF16, F16, F8E4M3FN, F8E5M2, I64, I32, I8, I1 };

inline bool isFloat(Format f) { return f <= Format::F8E5M2; }
inline bool is16Bit(Format f) { return f == Format::BF16 || f == Format::F16; }

/// The format of a tensor's element type; none for a type that no tensor may have.
std::optional<Format> formatOf(mlir::Type type);
llvm::StringRef formatName(Format f);
unsigned formatBytes(Format f);
/// 256 * DLPack type code + bits, as ATTN_E_DTYPE reports it.
unsigned formatCode(Format f);

/// x rounded to nearest even once; an overflow is infinite, of f8E4M3FN NaN. The integer formats are not asked for.
template <typename Real> Real roundTo(Format f, Real x);
extern template double roundTo(Format, double);
extern template long double roundTo(Format, long double);

/// x, a f32, rounded to the 11 significant bits of tf32, ties away from zero; at most the largest of them.
double roundToTf32(double x);

/// The bits of x in a float format, sign-extended, and the value of bits.
int64_t bitsOf(Format f, double x);
double valueOf(Format f, int64_t bits);

/// A strided tensor of the caller, read only.
struct View {
  const char *data = nullptr;
  Format format = Format::F32;
  unsigned rank = 0;
  int64_t shape[ATTN_MAX_RANK] = {}, stride[ATTN_MAX_RANK] = {};
};

/// The element `offset` elements from the start; an i1 is -1 or 0, as any true integer of one bit is sign-extended.
double readFloat(const View &view, int64_t offset);
int64_t readInt(const View &view, int64_t offset);

/// Whether one of the `count` integers at offset + n * stride is `value`.
bool contains(const View &view, int64_t offset, int64_t stride, int64_t count, int64_t value);

/// out[n] = the float at offset + n * stride.
template <typename Acc> void gather(const View &view, int64_t offset, int64_t stride, llvm::MutableArrayRef<Acc> out);
extern template void gather(const View &, int64_t, int64_t, llvm::MutableArrayRef<float>);
extern template void gather(const View &, int64_t, int64_t, llvm::MutableArrayRef<double>);
extern template void gather(const View &, int64_t, int64_t, llvm::MutableArrayRef<long double>);

} // namespace attn::interpreter

#endif
