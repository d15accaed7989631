//===- ErrorRule.h - THE error rule ---------------------------------------===//
//
// How far a result may be from the reference. Nothing else in the project has a tolerance of its own.
//
//   got    what the kernel computed                   exact  the f64 reference (f64 programs: extended precision)
//   plain  what a straightforward program computes that rounds every operation to the accumulation type,
//          and operands of products to 16 bits or tf32 where those are what was asked for
//
// f32 and f64 outputs, with E(x) = |x - exact|:
//
//   over the tensor     max E(got) <= 2 max E(plain) + 2 eps max|got|
//   over every row      max E(got) <= 2 max(max E(plain) of the row, max E(plain) of the tensor) + 2 eps max|got| of
//   the row
//
// A row's own plain error may be tiny by luck (one number of an lse can be exact), so the tensor's is its floor; what
// the row's rule adds is that a row of small numbers is not excused by the eps term of a large one.
//
// bf16 and f16 outputs, ulp(x) the distance between neighbours at |x|:
//
//   max E(got)  <= 1.5 max E(plain) + ulp(max|got|)          mean E(got) <= 1.05 mean E(plain) + mean ulp(got)
//
// NaN, +Inf and -Inf must be where the reference has them (empty rows of an lse are -Inf, of o exact zeros by the rule
// of edge contract 4: `exactRows`); they take no part in the maxima.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SUPPORT_ERRORRULE_H
#define ATTN_SUPPORT_ERRORRULE_H

#include "attn/Support/Numbers.h"

#include "llvm/ADT/ArrayRef.h"

#include <string>
#include <vector>

namespace attn {

struct ErrorRuleInput {
  Element element; // of the output
  int64_t rowLength = 1;
  llvm::ArrayRef<double> got, exact, plain; // rows one after another
  /// One flag a row, or none: rows whose every value must be exactly what `exact` says.
  llvm::ArrayRef<char> exactRows = {};
};

struct ErrorReport {
  bool ok = true;
  double maxError = 0; // over finite values; infinite where NaN, Inf or an exact row differ
  double ratio = 0; // measured / allowed, the largest of all rules; at most 1 is ok; infinite where no error is allowed
  int64_t worst = -1; // flat index of the element behind a failure, else of the largest error; -1 if there is none
  std::string what;   // which rule failed, with its numbers
};

ErrorReport checkError(const ErrorRuleInput &input);

/// |got - expected| <= tolerance everywhere, NaN and Inf exact: for comparisons with numbers that someone else
/// computed.
ErrorReport checkTolerance(llvm::ArrayRef<double> got, llvm::ArrayRef<double> expected, double tolerance);

} // namespace attn

#endif
