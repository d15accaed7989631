// What a level lacks, written out in LLVM IR before code is generated for it.
#ifndef ATTN_LIB_TARGET_X86_LACKING_H
#define ATTN_LIB_TARGET_X86_LACKING_H

#include "llvm/Support/Error.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace attn {
struct X86Machine;
} // namespace attn

namespace attn::x86 {

/// Conversions between f16 and wider floats, without F16C: exact, and to nearest. From f64 by way of f32: whoever needs
/// one rounding makes the f32 odd, as where F16C is.
void writeOutHalves(llvm::Function &function);
/// fma(a, b, c) becomes a multiplication and an addition, which round twice.
void writeOutFma(llvm::Function &function);
/// Operations on tiles become calls of tileFunctions (X86.h).
void writeOutTiles(llvm::Function &function);
/// Instructions on vectors of 64 bytes that `runsOn` lacks become calls of functions of the module, which are added.
/// Fails at one that there is no such function for.
llvm::Error writeOutWide(llvm::Module &module, const X86Machine &runsOn);

} // namespace attn::x86

#endif
