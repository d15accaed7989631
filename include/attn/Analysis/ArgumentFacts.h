// What the maps and captured uses of a program say about the shape of each tensor argument: the checks that the runtime
// makes before any work.
#ifndef ATTN_ANALYSIS_ARGUMENTFACTS_H
#define ATTN_ANALYSIS_ARGUMENTFACTS_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// One axis, as attn_axis_info of the runtime ABI.
struct AxisFact {
  int64_t dim = -1, also = -1, divisor = 1, offset = 0, extent = -1, free = 1;
  static constexpr unsigned kWords = 6;
  /// The axis is indexed so: a dimension, a dimension floordiv a constant, a constant.
  static AxisFact ofIndex(mlir::AffineExpr index);
  /// Adds another use of the axis, if both are one rule: the same dimension, two dimensions of equal extent, or
  /// constants.
  bool merge(const AxisFact &use);
};

struct ArgumentFact {
  int64_t lengthOf = -1;
  llvm::SmallVector<AxisFact> axes; // none for scalars
  /// [lengthOf, axes...]; empty for scalars.
  llvm::SmallVector<int64_t> pack() const;
  static ArgumentFact unpack(llvm::ArrayRef<int64_t> words);
  /// The static extents of a tensor; nothing for a scalar.
  static ArgumentFact ofType(mlir::Type type);
};

/// Facts of the kernel's arguments, then of its results. Failure (with an error) where one axis is used in ways that no
/// single rule covers.
mlir::FailureOr<llvm::SmallVector<ArgumentFact>> argumentFacts(KernelOp kernel, AttendOp attend);
mlir::FailureOr<llvm::SmallVector<ArgumentFact>> argumentFacts(KernelOp kernel, MapOp map);

} // namespace attn

#endif
