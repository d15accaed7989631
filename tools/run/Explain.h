// --explain and --picture: what the set looks like, found by looking at the rows of the first batch once.
#ifndef ATTN_TOOLS_RUN_EXPLAIN_H
#define ATTN_TOOLS_RUN_EXPLAIN_H

#include "Graph.h"
#include "Picture.h"
#include "Visibility.h"

namespace attn::run {

/// Which blocks of the score matrix are full, partial or skipped, by brute force from the rows' ranges.
struct BlockMap {
  int64_t blockRows = 0, blockKeys = 0; // tokens of a block
  int64_t rows = 0, keys = 0;           // blocks
  int64_t full = 0, partial = 0, skipped = 0;
  std::vector<char> cells; // '#', '+', '.', by row
  char at(int64_t row, int64_t key) const { return cells[size_t(row * keys + key)]; }
};

/// At most 64 columns and 32 rows; a character stands for a rectangle of blocks and is + unless all are alike.
std::string drawMap(const BlockMap &map);

/// What a survey is for.
struct SurveyRequest {
  std::string name;                     // of the kernel
  int64_t blockRows = 0, blockKeys = 0; // of the map and the picture's lines
  bool map = false, graph = false, picture = false;
};

/// The first batch. What needs all rows is absent if they take longer than about three seconds.
struct Survey {
  int64_t rows = 0, of = 0; // looked at
  int64_t emptyRows = 0;    // of those
  double visible = 0;       // pairs of all rows, extrapolated if not all were looked at
  std::optional<int64_t> unseenKeys;
  std::optional<BlockMap> map;
  std::optional<GraphFacts> graph;
  std::optional<Picture> picture; // every row of squares has at least one row
  std::string noMap, noGraph;     // why what was asked for is absent

  bool complete() const { return rows == of; }
};

/// There must be queries and keys.
Survey surveyRows(Visibility &visibility, const Problem &problem, const SurveyRequest &request);

} // namespace attn::run

#endif
