//===- SharedMap.h - What lies where in a CTA's shared memory ----------------===//
//
// From byte 0 on, without gaps:
//
//     queries       plane by plane
//     stage 0       keys plane by plane, then values plane by plane: one block of keys
//     stage 1       where there are two: the block that is on its way while the other one is used
//     weights       f32 [rows][keys]: they go through memory where products are made element by element
//     absent        two words of 8 bytes for each query, then for each key: why it is absent, and which index says so
//     flags         i32 for each warp, of a vote of all
//     number        i32, of the CTA
//
// A plane is all rows of an operand in 16 bits, or in 32; an operand in three planes is the sum of the three. A region
// is bytes that something owns, and regions do not meet: `firstOverlap` says so for any list of them.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LAYOUT_SHAREDMAP_H
#define ATTN_LAYOUT_SHAREDMAP_H

#include "attn/Layout/SharedRows.h"

#include <optional>
#include <string>
#include <utility>

namespace attn::layout {

/// Rows of an operand, in planes and stages.
struct SharedOperand {
  SharedRows rows{0, 0, 2};
  int64_t planes = 1, stages = 1;
  int64_t first = 0, stageBytes = 0; // where stage 0 begins; from a stage to the next one

  int64_t planeBytes() const { return rows.bytes(); }
  /// Of stage 0.
  int64_t at(int64_t plane = 0) const { return first + plane * planeBytes(); }
  int64_t bytes() const { return planes * planeBytes(); } // of a stage
  int64_t offset(int64_t stage, int64_t plane, int64_t row, int64_t column) const {
    return at(plane) + stage * stageBytes + rows.offset(row, column);
  }
};

struct Region {
  std::string name;
  int64_t begin = 0, end = 0;
};
/// Two of the regions that share a byte, by number; absent: none do.
std::optional<std::pair<size_t, size_t>> firstOverlap(const std::vector<Region> &regions);
/// Every stage of an operand.
std::vector<Region> regionsOf(const std::string &name, const SharedOperand &operand);

class SharedMap {
public:
  /// What decides: rows and planes of operands; first bytes and stages are set here.
  SharedMap(const SharedRows &q, int64_t planesQ, const SharedRows &k, int64_t planesK, const SharedRows &v,
            int64_t planesV, int64_t stages);

  SharedOperand q, k, v;
  int64_t weights, queryAbsent, keyAbsent, flags, number, bytes;

  static constexpr int64_t absentBytes = 16, flagBytes = 60; // of a row; of all warps, 15 at most
  int64_t stageBytes() const { return k.stageBytes; }
  std::vector<Region> regions() const;
};

} // namespace attn::layout

#endif
