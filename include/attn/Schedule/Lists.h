// Questions that a schedule asks about the lists of a set.
#ifndef ATTN_SCHEDULE_LISTS_H
#define ATTN_SCHEDULE_LISTS_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// A list that all rows of a head share and that every visible pair is in: the keys can go by it. Null: none.
SetListOp gatherable(AttendOp attend);

/// A list that every row has of its own and that every visible pair is in: a csr, or a list that the bare query
/// indexes. Null: none.
mlir::Operation *ownLists(AttendOp attend);

/// Whether keys and values are elements of tensors, converted at most: then they can be read where they lie. Queries
/// that pass through a region, where one may be absent for an index, go with packed keys.
bool isReadInPlace(AttendOp attend);

/// How many consecutive rows, from a multiple of that number on, share every list and random block of the set: 0 any
/// number, 1 each row has lists of its own. The gathered list does not count.
int64_t rowsPerList(AttendOp attend);

/// Rows that one query of all heads that share keys makes, where these are few, of a number that the text says, and
/// keys can be read by vectors of `lanes` features; else 0.
int64_t fewRows(AttendOp attend, int64_t lanes);

/// Whether heads share keys, and neither the set nor the order of the keys depends on which of them it is.
bool mayStandTogether(AttendOp attend);

} // namespace attn

#endif
