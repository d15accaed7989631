// Bilinear scores as products, after an attn.map on one of their sides.
#ifndef ATTN_DIALECT_ATTN_EXPANDBILINEAR_H
#define ATTN_DIALECT_ATTN_EXPANDBILINEAR_H

#include "attn/Support/MLIR.h"

namespace attn {

/// Its option `operand` says which side is mapped: auto, q or k.
std::unique_ptr<mlir::Pass> createAttnExpandBilinearPass();

} // namespace attn

#endif
