// What can be said before a call about the indices that regions of operands form.
//
// A load by an index outside of its axis makes the token absent from all pairs. Most loads cannot do that: bare indices
// of dimensions are in range by the call's checks, others by arithmetic on features, whose extents are constants.
#ifndef ATTN_ANALYSIS_OPERANDBOUNDS_H
#define ATTN_ANALYSIS_OPERANDBOUNDS_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// Whether a load in the operand's region may have an index outside of its axis.
bool mayBeAbsent(const AttendOp::Operand &operand);

/// How many consecutive indices of batch dimension `dim` give the same element of the operand: the divisor under which
/// map and region use it, 0 if neither does, 1 if it stands bare.
int64_t batchShare(const AttendOp::Operand &operand, unsigned dim);

/// The ops of a region on whose results what it yields depends, in order.
llvm::SmallVector<mlir::Operation *> usedOps(mlir::Block &block);

} // namespace attn

#endif
