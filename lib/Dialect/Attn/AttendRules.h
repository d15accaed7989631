// Parts of the rules of attn.attend that stand in files of their own.
#ifndef ATTN_LIB_DIALECT_ATTN_ATTENDRULES_H
#define ATTN_LIB_DIALECT_ATTN_ATTENDRULES_H

#include "Rules.h"

namespace attn::rules {

/// Rule attend_c6: what the static extents of all tensors and grids say about the extents of the dimensions.
class Extents {
public:
  explicit Extents(AttendOp op) : op(op), known(op.numDims(), mlir::ShapedType::kDynamic) {}

  /// Takes the extents that dims writes.
  void written();

  /// Static extent of a dimension, or ShapedType::kDynamic.
  int64_t of(unsigned dim) const { return known[dim]; }
  /// Where `extent` is static, it is that of the dimension.
  mlir::LogicalResult agree(llvm::StringRef what, unsigned dim, int64_t extent);
  /// Where `extent` is static, a constant index lies inside.
  mlir::LogicalResult constant(llvm::StringRef what, int64_t index, int64_t extent);
  /// Where `extent` and that of the dimension are static, it is ceil(extent of the dimension / divisor).
  mlir::LogicalResult quotient(llvm::StringRef what, unsigned dim, int64_t divisor, int64_t extent);
  /// Leading axes of a tensor by the map; the axes that the map leaves out are free.
  mlir::LogicalResult leading(llvm::StringRef what, mlir::RankedTensorType type, mlir::AffineMap map);
  /// A static grid behind a constant `first` says how many tokens its axis has.
  mlir::LogicalResult grids();

private:
  AttendOp op;
  llvm::SmallVector<int64_t> known;
};

/// Of attend_c22 and attend_c23, what the accessors rely on.
mlir::LogicalResult verifyOperandCounts(AttendOp op);
/// Rules attend_c2 to attend_c4, attend_c6, attend_c20, attend_c21 and attend_c23 for q, k, v and the bilinear tensor;
/// attend_c8 for their types; and, once the ops of the regions are verified, the rules of their regions too.
mlir::LogicalResult verifyOperands(AttendOp op, Extents &extents);
mlir::LogicalResult verifyOperandTypes(AttendOp op);
mlir::LogicalResult verifyOperandRegions(AttendOp op, Extents &extents,
                                         llvm::function_ref<bool(mlir::Type)> isComputed);

/// Rules attend_c6 and attend_c11 for the tensors that one op of the set region captures.
mlir::LogicalResult verifyCaptured(AttendOp op, mlir::Operation *inner, Extents &extents);

/// Rules attend_c10 and attend_c15 to attend_c20, and of attend_c5 which outputs have a feature.
mlir::LogicalResult verifyOutputs(AttendOp op, Extents &extents, llvm::function_ref<bool(mlir::Type)> isComputed);

/// Rules attend_c12 to attend_c14: scale, grids and first, dropout.
mlir::LogicalResult verifyClauses(AttendOp op);

} // namespace attn::rules

#endif
