// a * b + c rounded once, where that matters: the difference of a scaled score and its reference is small beside both,
// so that what the product's own rounding loses would be a weight's error. Sums of products need no such care.
#ifndef ATTN_CONVERSION_FMAONCE_H
#define ATTN_CONVERSION_FMAONCE_H

#include "attn/Conversion/Emit.h"

namespace attn {

/// One instruction where vectors are wider than 16 bytes; on x86-64-v2, which has none, the product and its rounding
/// error are computed (Dekker, A Floating-Point Technique for Extending the Available Precision, 1971), and both are
/// added.
mlir::Value fmaOnce(Emit &e, mlir::Value a, mlir::Value b, mlir::Value c);

} // namespace attn

#endif
