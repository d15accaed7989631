// A kernel bound to the tensors and scalars of one call: extents, views and the checks that the runtime makes before
// any work.
#ifndef ATTN_LIB_INTERPRETER_BIND_H
#define ATTN_LIB_INTERPRETER_BIND_H

#include "Numbers.h"
#include "attn/Dialect/Attn/Attn.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Error.h"

namespace attn::interpreter {

/// An index: (dim div divisor) + constant, or the constant alone where dim < 0.
struct AxisIndex {
  int dim;
  int64_t divisor, constant;
};
AxisIndex axisIndex(mlir::AffineExpr e);

/// A tensor and how the dimensions index it.
struct Operand {
  View view;
  llvm::SmallVector<AxisIndex, ATTN_MAX_RANK> axes;

  /// Offset of the element at dims.
  int64_t offset(llvm::ArrayRef<int64_t> dims) const;
  int64_t strideOf(unsigned dim) const;
};

/// A part of q or k, or v: for each token a vector over `feature`, whose elements may pass through a region.
struct Part : Operand {
  unsigned token = 0, feature = 0;
  int64_t extent = 0;
  mlir::Region *region = nullptr;
  /// The vector lies in the tensor as it is, one element after the other.
  bool isStrided() const;
};

struct Problem {
  KernelOp kernel;
  AttendOp attend;
  Format accumulation; // F32 or F64
  llvm::SmallVector<int64_t> extents;
  llvm::DenseMap<mlir::Value, View> tensors; // by kernel argument
  llvm::DenseMap<mlir::Value, attn_scalar> scalars;
  llvm::SmallVector<Part, 2> q, k;
  Part v;
  std::optional<Operand> bilinear;
};

llvm::Expected<Problem> bind(KernelOp kernel, llvm::ArrayRef<attn_tensor> args, llvm::ArrayRef<attn_scalar> params);

llvm::Error makeError(const llvm::Twine &message);

} // namespace attn::interpreter

#endif
