//===- Count.h - Solutions with numbers -----------------------------------===//
//
// What the generated code computes at run time, computed here from the same trees: for tests, for `--explain` and for
// the cost model's samples. Nothing in it enumerates pairs.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SETS_COUNT_H
#define ATTN_SETS_COUNT_H

#include "attn/Sets/Solve.h"

namespace attn::sets {

using Ranges = std::vector<std::pair<int64_t, int64_t>>;

/// Sorts inclusive ranges, drops empty ones and merges those that overlap or touch.
Ranges mergeRanges(Ranges ranges);

/// The axis values that some row of the solution's box may see, within [extentLo, extentHi]: sorted, disjoint, not
/// touching. `env` binds the end points of the box.
Ranges ranges(const Solution &s, const Env &env, int64_t extentLo, int64_t extentHi);

/// The axis values known to be seen by every row without a look at the tiles (conjuncts without keyAtoms).
Ranges fullRanges(const Solution &s, const Env &env, int64_t extentLo, int64_t extentHi);

enum class TileClass { Empty, Partial, Full };

/// One tile: the solution's rows against keys [keyLo, keyHi], not empty.
TileClass classify(const Solution &s, const Env &env, int64_t keyLo, int64_t keyHi);

/// The same from scratch: `rows` are numeric ranges of the row variables.
TileClass classify(const Pred &p, unsigned axisVar, const Env &env,
                   const std::map<unsigned, std::pair<int64_t, int64_t>> &rows, int64_t keyLo, int64_t keyHi);

/// Tiles of a rows x keys rectangle by class: what reports print.
struct TileCount {
  int64_t full = 0, partial = 0, skipped = 0;
};
TileCount countTiles(const Pred &p, unsigned rowVar, unsigned axisVar, const Env &env, int64_t rowExtent,
                     int64_t keyExtent, int64_t rowTile, int64_t keyTile);

} // namespace attn::sets

#endif // ATTN_SETS_COUNT_H
