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
  int64_t offset = 0; // added to a dimension; of operands alone
};
/// None for any other expression.
std::optional<Axis> classify(mlir::AffineExpr expr);
/// Also a dimension plus a constant.
std::optional<Axis> classifyOperand(mlir::AffineExpr expr);

/// The region computes with arith and math (where `loads`, also attn.load, attn.member, attn.random) on scalars of
/// types for which `allowed` holds, each op with one result.
mlir::LogicalResult verifyScalarRegion(mlir::Region &region, llvm::StringRef label, bool loads,
                                       llvm::function_ref<bool(mlir::Type)> allowed);

/// Rules normalizer_c3, normalizer_c4, root_c4 and root_c5, on samples; everything else holds already.
mlir::LogicalResult verifyLaws(NormalizerOp op);

/// Tokens along an axis, as the runtime has it.
inline constexpr int64_t kMaxExtent = INT32_MAX;

/// f64, f32, bf16, f16: what every number may be. f8E4M3FN, f8E5M2: what operands and captured tensors may also hold.
bool isNumber(mlir::Type t);
bool isByteFloat(mlir::Type t);
/// index, i64 or i32.
bool isScalar(mlir::Type t);
/// A tensor of i32 or i64 of such a rank.
bool isIntTensor(mlir::Type t, int64_t minRank, int64_t maxRank);

// Rules that several sets share, under the label of each.
mlir::LogicalResult verifyLengths(mlir::Operation *op, llvm::StringRef label, llvm::ArrayRef<mlir::Value> lengths);
mlir::LogicalResult verifyShift(mlir::Operation *op, llvm::StringRef label, Alignment alignment, mlir::Value q,
                                mlir::Value k);
mlir::LogicalResult verifyCount(mlir::Operation *op, llvm::StringRef label, llvm::StringRef what, mlir::Value count);
mlir::LogicalResult verifySegments(mlir::Operation *op, llvm::StringRef label, llvm::ArrayRef<mlir::Value> segments);

} // namespace attn::rules

#endif
