// The normalizer as lowering needs it: regions that speak of the distance d = s - r instead of s and r, in base 2 where
// weights are exponentials of d.
//
// Every pass with a reference must use score and reference only through s - r (then a kernel may keep scores relative
// to a stale reference):
//
//     phi(s, r) = phi'(s - r)        gauge(r0, r1) = gauge'(r0 - r1)
//
// Where each use of d in both is exp(d), scores are kept times log2 e and exp(d) becomes exp2(d'): one multiplication,
// joined with the scale in one factor, instead of one more a pair.
#ifndef ATTN_LIB_CONVERSION_ATTNTOTILE_NORMALIZERFORM_H
#define ATTN_LIB_CONVERSION_ATTNTOTILE_NORMALIZERFORM_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

struct NormalizerForm {
  PassOp pass;
  FinishOp finish;
  bool hasRef = false;
  bool base2 = false;

  /// Fills phi with one argument (d, or s without reference) and gauge with one argument (r0 - r1), of type `real`,
  /// ended by tile.yield.
  void buildPhi(mlir::OpBuilder &b, mlir::Region &region, mlir::FloatType real) const;
  void buildGauge(mlir::OpBuilder &b, mlir::Region &region, mlir::FloatType real) const;
  /// The finish with its arguments as written; the reference is scaled back from base 2 inside. Results in the order of
  /// `outputs`.
  void buildFinish(mlir::OpBuilder &b, mlir::Region &region, mlir::FloatType real,
                   llvm::ArrayRef<unsigned> outputs) const;
};

mlir::FailureOr<NormalizerForm> analyzeNormalizer(AttendOp attend);

} // namespace attn

#endif
