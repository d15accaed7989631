// Pieces that the rules of several ops share.
#ifndef ATTN_LIB_DIALECT_ATTN_RULES_H
#define ATTN_LIB_DIALECT_ATTN_RULES_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn::rules {

/// [A-Za-z_][A-Za-z0-9_]*: names of the text that tools, bindings and C see.
bool isIdentifier(llvm::StringRef name);

/// How an axis is indexed: a dimension, a batch dimension floordiv a constant, or a constant.
struct Axis {
  int dim = -1; // -1: constant
  int64_t divisor = 1;
  int64_t constant = 0;
};
/// None for any other expression.
std::optional<Axis> classify(mlir::AffineExpr expr);

/// The region computes with arith and math (and attn.load where `loads`) on scalars of types for which `allowed` holds,
/// each op with one result.
mlir::LogicalResult verifyScalarRegion(mlir::Region &region, llvm::StringRef label, bool loads,
                                       llvm::function_ref<bool(mlir::Type)> allowed);

} // namespace attn::rules

#endif
