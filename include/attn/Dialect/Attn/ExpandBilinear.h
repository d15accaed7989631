// Bilinear scores as products, after an attn.map on one of their sides.
#ifndef ATTN_DIALECT_ATTN_EXPANDBILINEAR_H
#define ATTN_DIALECT_ATTN_EXPANDBILINEAR_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// What a bilinear score costs in multiply-adds, by the side that the tensor is taken into. Extents that no type says
/// are assumed: `assumed` names them, "b = 8, i = 1024".
struct BilinearCost {
  double onQ = 0, onK = 0;
  std::string assumed;
  bool prefersK() const { return onK < onQ; }
};
BilinearCost bilinearCost(AttendOp attend);

/// Its option `operand` says which side is mapped: auto, q or k.
std::unique_ptr<mlir::Pass> createAttnExpandBilinearPass();

} // namespace attn

#endif
