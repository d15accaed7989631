// What a level lacks, written out in LLVM IR before code is generated for it.
#ifndef ATTN_LIB_TARGET_X86_LACKING_H
#define ATTN_LIB_TARGET_X86_LACKING_H

namespace llvm {
class Function;
} // namespace llvm

namespace attn::x86 {

/// Conversions between f16 and wider floats, without F16C: exact, and to nearest. From f64 by way of f32: whoever needs
/// one rounding makes the f32 odd, as where F16C is.
void writeOutHalves(llvm::Function &function);
/// fma(a, b, c) becomes a multiplication and an addition, which round twice.
void writeOutFma(llvm::Function &function);
/// Operations on tiles become calls of tileFunctions (X86.h).
void writeOutTiles(llvm::Function &function);

} // namespace attn::x86

#endif
