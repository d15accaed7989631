// The nv dialect: instructions of NVIDIA GPUs.
//
// A kernel for GPUs is an llvm.func with `nvvm.kernel` in a module @attn_device; its body is scf, arith, math, cf,
// vector, llvm and nv ops.
#ifndef ATTN_DIALECT_NV_NV_H
#define ATTN_DIALECT_NV_NV_H

#include "attn/Support/MLIR.h"

#include "attn/Dialect/NV/NVDialect.h.inc"

#define GET_OP_CLASSES
#include "attn/Dialect/NV/NVOps.h.inc"

namespace attn::nv {

/// The nested module of device code, and the symbol of the dynamic shared memory in it.
inline constexpr llvm::StringLiteral kDeviceModule = "attn_device";
inline constexpr llvm::StringLiteral kSharedMemory = "attn_shared";
/// Host symbol: the table of images, attn_gpu_image[], that attn_K_gpu_info refers to.
inline constexpr llvm::StringLiteral kDeviceImages = "attn_device_images";

/// Elements of k of an nv.mma of that kind: 16 or 8; 0 for a kind that there is not.
int64_t mmaDepth(llvm::StringRef kind);

/// The device module of a program, which may be all of it (a text of one module is that module); null if there is none.
mlir::ModuleOp deviceModule(mlir::ModuleOp program);

} // namespace attn::nv

#endif
