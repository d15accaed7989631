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

/// How many consecutive tokens, from a multiple of that, are absent together if one of them is: as many as share a page
/// where all that may be outside comes of the page's number; 1 where it may come of the token, 0 where it comes of
/// neither.
int64_t absentTogether(const AttendOp::Operand &operand);

} // namespace attn

#endif
