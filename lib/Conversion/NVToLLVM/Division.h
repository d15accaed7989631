// Quotients of f32 without a call. Private to this folder.
#ifndef ATTN_LIB_CONVERSION_NVTOLLVM_DIVISION_H
#define ATTN_LIB_CONVERSION_NVTOLLVM_DIVISION_H

#include "mlir/IR/PatternMatch.h"

namespace attn::nv {

void populateDivision(mlir::RewritePatternSet &patterns);

} // namespace attn::nv

#endif
