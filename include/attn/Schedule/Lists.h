// Questions that a schedule asks about the lists of a set.
#ifndef ATTN_SCHEDULE_LISTS_H
#define ATTN_SCHEDULE_LISTS_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// A list that all rows of a head share and that every visible pair is in: the keys can go by it. Null: none.
SetListOp gatherable(AttendOp attend);

/// A list that blocks of n queries share, by an index `i floordiv n`, and that every visible pair is in: the tasks of a
/// block can gather its keys. Null: none.
SetListOp listOfBlocks(AttendOp attend);

/// A list that every row has of its own and that every visible pair is in: a csr, or a list that the bare query
/// indexes. Null: none.
mlir::Operation *ownLists(AttendOp attend);

/// Whether keys and values are elements of tensors, converted at most: then they can be read where they lie. Queries
/// that pass through a region, where one may be absent for an index, go with packed keys.
bool isReadInPlace(AttendOp attend);

/// How many consecutive rows, from a multiple of that number on, share every list and random block of the set: 0 any
/// number, 1 each row has lists of its own. The gathered list does not count.
int64_t rowsPerList(AttendOp attend);

/// Several scores of one set of values: a batch dimension of which values know nothing and that indexes every part of
/// the keys alone, with 2 to 4 indices by its type. Keys of all of them then lie side by side in the panels of one
/// unit, so that values are packed, and few queries' rows swept over, once.
struct Branch {
  unsigned dim;
  int64_t extent;
};
std::optional<Branch> branchOf(AttendOp attend);

/// Rows that one query of all heads that share keys, and of all branches, makes, where these are few, of a number that
/// the text says, and keys can be read by vectors of `lanes` features; else 0.
int64_t fewRows(AttendOp attend, int64_t lanes);

/// Why heads that share keys and values are not rows of the same blocks; empty: they may be, for neither the set nor
/// the order of the keys depends on which of them it is. None: no heads share any.
std::optional<std::string> whyApart(AttendOp attend, bool onGpu);

inline bool mayStandTogether(AttendOp attend, bool onGpu = false) { return whyApart(attend, onGpu) == ""; }

} // namespace attn

#endif
