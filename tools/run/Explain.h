// --explain: which blocks of the score matrix are full, partial or skipped.
#ifndef ATTN_TOOLS_RUN_EXPLAIN_H
#define ATTN_TOOLS_RUN_EXPLAIN_H

#include "Visibility.h"

namespace attn::run {

/// Blocks of the first batch, by brute force from the rows' ranges.
struct BlockMap {
  int64_t blockRows = 0, blockKeys = 0; // tokens of a block
  int64_t rows = 0, keys = 0;           // blocks
  int64_t full = 0, partial = 0, skipped = 0;
  std::vector<char> cells; // '#', '+', '.', by row
  char at(int64_t row, int64_t key) const { return cells[size_t(row * keys + key)]; }
};

/// None where there would be too many blocks, or where the rows take longer than about three seconds.
std::optional<BlockMap> mapBlocks(Visibility &visibility, const Problem &problem, int64_t blockRows, int64_t blockKeys);

/// At most 64 columns and 32 rows; a character stands for a rectangle of blocks and is + unless all are alike.
std::string drawMap(const BlockMap &map);

} // namespace attn::run

#endif
