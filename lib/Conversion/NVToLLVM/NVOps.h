// The nv ops as LLVM's intrinsics. Private to this folder.
#ifndef ATTN_LIB_CONVERSION_NVTOLLVM_NVOPS_H
#define ATTN_LIB_CONVERSION_NVTOLLVM_NVOPS_H

#include "attn/Dialect/NV/NV.h"

namespace attn::nv {

/// Replaces all nv ops of a device module, which are left as calls of intrinsics, by the formulas in NVOps.td.
void lowerOps(mlir::ModuleOp device);

} // namespace attn::nv

#endif
