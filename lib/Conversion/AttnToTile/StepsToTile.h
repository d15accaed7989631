// Kernels that are one attn.map, and kernels of calls, to the tile dialect.
#ifndef ATTN_LIB_CONVERSION_ATTNTOTILE_STEPSTOTILE_H
#define ATTN_LIB_CONVERSION_ATTNTOTILE_STEPSTOTILE_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// A kernel that is one map, or that is made of calls, becomes a program or a sequence and is erased. Sets `done` for
/// these; other kernels are left as they are.
mlir::LogicalResult lowerStepKernel(KernelOp kernel, bool &done);

} // namespace attn

#endif
