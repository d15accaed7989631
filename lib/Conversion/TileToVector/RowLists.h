// The lists of tile.lists: for one query at a time, the distinct keys of its list as i32s in a worker's scratch.
//
// A list that is strictly ascending, as rows of a CSR matrix are as a rule, is copied by vectors and known to be right
// by comparing neighbors. Any other goes element by element, with a bit for every value that an element can have to
// find those that were met before; it is set and cleared again within the row, so that the bits are zero between rows.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_ROWLISTS_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_ROWLISTS_H

#include "TaskEmitter.h"

namespace attn {

/// Copies `count` elements to i32s: the count, or -1 where they are not the indices of keys in strictly ascending
/// order, and where what was copied is of no use.
mlir::Value copyAscending(Emit &e, mlir::Type element, mlir::Value from, mlir::Value count, mlir::Value keyCount,
                          mlir::Value to);

class RowLists {
public:
  using V = mlir::Value;

  explicit RowLists(TaskEmitter &t);
  /// Bytes of zeroed scratch: bits, keys, and the staging rows that odd strides need (see RowsDot.cpp).
  V scratchBytes();
  void place(V base);

  struct Range { // of elements
    V data;      // of the list that they are counted in
    V from, to;
  };
  /// Where the list of a query is. Offsets outside the columns are reported if `reports`.
  Range find(V row, bool reports);
  /// The element at a place, as i64.
  V element(const Range &range, V place);
  /// Puts the keys of a query to `keys`, padded to whole panels with the first of them; returns how many there are.
  V gather(V row);

  /// For asking for rows ahead of their use: the element `distance` after the `place`-th of a row's list, in this list
  /// or in one that follows, or some other of the tensor. It is not checked. The list may not be empty.
  struct Ahead {
    Range list, next;
    int64_t distance;
  };
  Ahead lookAhead(V row, int64_t distance);
  V element(const Ahead &ahead, V place);

  V keys, staging; // addresses; staging: a row for every key of a panel, one for a value, one for the query
  int64_t block;

private:
  V gatherSorted(const Range &range);
  V gatherAny(const Range &range);

  TaskEmitter &t;
  Emit &e;
  tile::ListsOp op;
  TensorRef &list;
  mlir::Type elementType;
  unsigned last; // axis of the list
  V keyCount, limit, seen;
};

} // namespace attn

#endif
