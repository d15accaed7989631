// The form of a pass of a normalizer that lowering relies on: it speaks of the distance d = s - r instead of s and r,
// in base 2 where weights are exponentials of d.
//
// Every pass with a reference must use the score only through s - r (then a kernel may keep scores relative to a stale
// reference); the reference may stand alone too:
//
//     phi(s, r) = phi'(s - r, r)        gauge(r0, r1) = gauge'(r0 - r1)
//
// Where each use of d and of r in both is exp(d), exp(r) or exp(-r), scores are kept times log2 e and exp becomes exp2:
// one multiplication, joined with the scale in one factor, instead of one more a pair.
//
// A weight is as exact as its distance, and a distance of two large numbers only as exact as both are the same
// everywhere: what computes weights of a row once more (sums over queries, a later pass) must take the score by the
// very operations that the row's sums took it by, against the very reference. Hence
//
//   * a reference that a statistic shows (`exact`) is in the text's units, and scores are rounded before it is taken
//   off:
//     later passes see s and r and can do no other;
//   * sums over queries take the kernel's units and its one rounding (ExpandColumns.cpp).
#ifndef ATTN_DIALECT_ATTN_PASSFORM_H
#define ATTN_DIALECT_ATTN_PASSFORM_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

constexpr double kLog2e = 1.44269504088896340736, kLn2 = 0.693147180559945309417;

struct PassForm {
  PassOp pass;
  bool hasRef = false, base2 = false;
  bool usesRef = false; // phi uses the reference beside s - r
  bool exact = false;   // its statistics show the reference itself
  double unit() const { return base2 ? kLog2e : 1.0; }
};
mlir::FailureOr<PassForm> analyzePass(PassOp pass);

/// subf(d, second) in the block, which stood for s - r, is d.
void foldDistance(mlir::Block &block, mlir::Value d, mlir::Value second);
/// exp of what is in units of log2 becomes exp2.
void toBase2(mlir::OpBuilder &b, mlir::ValueRange scaled);

/// From this size on r + 32 may be no number apart from r: a kernel rounds scores before it takes such a reference off.
inline double largeReference(mlir::Type real) { return real.isF64() ? 0x1p50 : 0x1p21; }

/// What products are multiplied by, where the text says it or leaves it out; 1 where it is a scalar of the call.
double scaleOf(AttendOp attend);
/// A scalar of the call in the accumulation type.
mlir::Value scaleIn(mlir::OpBuilder &b, mlir::Value scale, mlir::FloatType real);

} // namespace attn

#endif
