//===- Async.h - Copies that finish when they like -----------------------------===//
//
// A cp.async reads its source and writes its destination at any time between the instruction and the wait that covers
// it ("Data Movement and Conversion Instructions: cp.async"). The simulator reads the source at issue or at the wait
// (`--async`) and delivers the bytes at the wait; between the two
//
//   * the destination's bytes are in flight: whoever touches them, the issuer too, is a finding;
//   * whoever writes the source is a finding;
//   * at issue the copy counts as a write by the issuing thread, so a buffer that others still read is a race (the
//   barrier that protects a
//     refill); at the wait it counts once more, which is what others must be ordered behind: waiting makes a copy
//     visible to its issuer alone.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LIB_SIM_ASYNC_H
#define ATTN_LIB_SIM_ASYNC_H

#include "Memory.h"

#include <array>
#include <deque>

namespace attn::sim {

struct Copy {
  uint32_t pc = 0;
  uint64_t source = 0;      ///< generic address; unused if no byte of it is read
  uint64_t destination = 0; ///< shared offset
  uint8_t bytes = 0, sourceBytes = 0;
  bool captured = false;
  OriginId poison = 0;
  std::array<uint8_t, 16> data{};
};

/// The copies of one thread, oldest group first.
struct LaneCopies {
  std::vector<Copy> open;
  std::deque<std::vector<Copy>> groups;
};

/// An arrival on an mbarrier that happens when the thread's copies before it are done.
struct AsyncArrival {
  uint32_t warp = 0, lane = 0, pc = 0;
  uint64_t mbarrier = 0;
  bool noinc = false;
  std::vector<Copy> copies;
};

} // namespace attn::sim

#endif
