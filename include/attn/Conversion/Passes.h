// One pass for each edge of the picture in docs/how-a-program-becomes-a-kernel.md.
#ifndef ATTN_CONVERSION_PASSES_H
#define ATTN_CONVERSION_PASSES_H

#include "attn/Support/MLIR.h"

namespace attn {

/// attn.kernel -> tile.program by the schedule attribute. What has no lowering is refused with an [unsupported_...]
/// error.
std::unique_ptr<mlir::Pass> createAttnToTilePass();
/// tile.program -> scf, arith, math, vector, llvm pointers and the C ABI. `vectorBytes`: native width of the target.
std::unique_ptr<mlir::Pass> createTileToVectorPass(int64_t vectorBytes = 32, int64_t isaLevel = 3);
/// tile.program -> tile.program: where tiles are held, of variants for NVIDIA GPUs; others stay as they are.
std::unique_ptr<mlir::Pass> createTilePlacePass();
/// tile.program -> kernels in the module @attn_device, and the constants of attn-rt/attn_gpu.h. `sharedBytes`: of a
/// CTA.
std::unique_ptr<mlir::Pass> createTileToNVPass(int64_t sharedBytes = 99 << 10);
/// -> LLVM dialect. Math functions without an own or an upstream polynomial are refused.
std::unique_ptr<mlir::Pass> createVectorToLLVMPass();
/// The nested module @attn_device: scf, arith, math, vector and nv ops -> LLVM dialect for nvptx64. Nothing else is
/// touched; a program without that module stays as it is.
std::unique_ptr<mlir::Pass> createNVToLLVMPass();

} // namespace attn

#endif
