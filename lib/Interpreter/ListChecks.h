// Whether the lists of a row name keys only: a fact of the lists alone, whatever the rest of the set says of the pairs.
#ifndef ATTN_LIB_INTERPRETER_LISTCHECKS_H
#define ATTN_LIB_INTERPRETER_LISTCHECKS_H

#include "Bind.h"

namespace attn::interpreter {

struct ListCheck {
  View list;
  llvm::SmallVector<AxisIndex, ATTN_MAX_RANK> indices; // of every axis but the last
  int64_t extent;                                      // an element lies in [0, extent)
  bool padded;                                         // -1 is padding
  std::optional<View> offsets;                         // csr: where the row begins and ends

  /// Whether the row at `dims` (batch indices, query) has a bad element or a bad offset.
  bool fails(llvm::ArrayRef<int64_t> dims) const;
};

/// The lists that the kernel's set uses.
std::vector<ListCheck> listChecks(const Problem &problem);

} // namespace attn::interpreter

#endif
