// Scalar regions as functions of doubles, for rules that look at samples.
#ifndef ATTN_LIB_DIALECT_ATTN_SAMPLEEVALUATOR_H
#define ATTN_LIB_DIALECT_ATTN_SAMPLEEVALUATOR_H

#include "attn/Support/MLIR.h"

namespace attn::rules {

/// A region of arith and math on scalars, as a function of its arguments and of what it captures, all f32 in the text
/// and double here. It owns a copy of the ops with f64 in the place of f32, which MLIR's folders evaluate.
class SampleFunction {
public:
  explicit SampleFunction(mlir::Region &region);

  /// Of every yielded value; NaN for all of them where an op has no value, or something captured is not in `known`.
  llvm::SmallVector<double> operator()(llvm::ArrayRef<double> args,
                                       const llvm::DenseMap<mlir::Value, double> &known) const;

private:
  bool copy(mlir::Region &region);

  mlir::Block block; // the copies; its arguments are the region's, then what the region captures
  llvm::SmallVector<mlir::Value> captured;
  llvm::DenseMap<mlir::Value, unsigned> slots; // of values in `block`
  llvm::SmallVector<mlir::Value> yielded;
  unsigned numArgs = 0, numResults = 0;
  bool usable = false;
};

} // namespace attn::rules

#endif
