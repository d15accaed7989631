// One step of a kernel, bound to its tensors: rows of an attend, a map or a merge.
#ifndef ATTN_LIB_INTERPRETER_STEPEVALUATORS_H
#define ATTN_LIB_INTERPRETER_STEPEVALUATORS_H

#include "Bind.h"
#include "attn/Interpreter/Steps.h"

namespace attn::interpreter {

class StepEvaluator {
public:
  virtual ~StepEvaluator() = default;
  virtual llvm::ArrayRef<int64_t> extents() const = 0;
  /// `at` has the indices of the row's first element by dimension.
  virtual void row(llvm::ArrayRef<int64_t> at, StepRow &result) = 0;
  /// The same of a key.
  virtual void keyRow(llvm::ArrayRef<int64_t>, StepRow &) { llvm_unreachable("no result is over keys"); }
  virtual Interpreter *interpreter() { return nullptr; }
};

/// What a map or a merge reads, by value of the isolated kernel.
struct Bound {
  Problem problem; // without an attend
  llvm::SmallVector<int64_t> extents;

  Operand operand(mlir::Value value, mlir::AffineMap map) const;
};

/// `kernel` is the step alone: what its op reads are its arguments.
llvm::Expected<std::unique_ptr<StepEvaluator>> makeMap(KernelOp kernel, MapOp op, llvm::ArrayRef<attn_tensor> args,
                                                       llvm::ArrayRef<attn_scalar> params, Precision precision);
llvm::Expected<std::unique_ptr<StepEvaluator>> makeMerge(KernelOp kernel, MergeOp op, llvm::ArrayRef<attn_tensor> args,
                                                         llvm::ArrayRef<attn_scalar> params, Precision precision);

/// Shapes agree with each other and with the types; messages as the runtime's.
llvm::Expected<Bound> bindStep(KernelOp kernel, unsigned numDims,
                               llvm::ArrayRef<std::pair<mlir::Value, mlir::AffineMap>> uses,
                               llvm::ArrayRef<attn_tensor> args, llvm::ArrayRef<attn_scalar> params);

} // namespace attn::interpreter

#endif
