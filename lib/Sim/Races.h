//===- Races.h - Happens-before, byte by byte ---------------------------------===//
//
// The memory model ("Memory Consistency Model" of the PTX ISA) orders accesses by *causality*: program order of a
// thread, and edges from a release to the acquire that observes it, transitively. Two overlapping accesses, one of them
// a write, that causality does not order race unless both are strong, name scopes that include each other's thread, and
// overlap completely (`morally strong`). Lanes of one warp are threads like any others: running in step orders nothing.
//
// Order is tracked with vector clocks in the compressed form of FastTrack (Flanagan and Freund, 2009): an access is
// remembered as an *epoch* (warp, lanes, clock), and a thread knows for every other thread the clock that it has seen.
// Three things keep this small:
//
//  * Clocks tick per warp: each release by any of a warp's lanes makes the warp's clock one more. The entry for a
//  thread in somebody's clock is the
//    warp's clock at that thread's last release, so a tick that another lane caused only makes epochs finer.
//  * What a thread has seen is an immutable `Clock` that all threads behind a barrier share; a thread's own accesses
//  are ordered by program order.
//  * A clock has one part for each CTA whose threads were seen. Parts of other CTAs appear only through atomics and
//  fences.
//
// Synchronizing edges: generations of bar and barrier.cluster; bar.warp.sync among its lanes; mbarrier phases; release
// patterns (a release, or a fence before a strong write) on a location observed by acquire patterns (an acquire, or a
// strong read before a fence) on it. shfl, vote, mma and the like order no memory.
//
// A collective instruction (ldmatrix, stmatrix) is an access by all its lanes: each of them must be ordered with the
// other side.
//
// Each byte remembers its last write and the reads since: one inline, more of them (unordered among each other) in a
// pool, at most 64.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LIB_SIM_RACES_H
#define ATTN_LIB_SIM_RACES_H

#include "Program.h"

#include <memory>

namespace attn::sim {

/// What one thread has seen of the threads of one CTA.
struct CtaClock {
  std::vector<uint32_t> threads;   ///< by thread number
  std::vector<uint32_t> warpLeast; ///< least over the warp's threads
  void settle();                   ///< recomputes warpLeast
};

struct Clock {
  std::vector<std::pair<uint32_t, std::shared_ptr<const CtaClock>>> parts; ///< by CTA, sorted
  const CtaClock *part(uint32_t cta) const;
};
using ClockRef = std::shared_ptr<const Clock>;

/// The least clock that has seen all that `a` and `b` have; either may be null.
ClockRef joined(const ClockRef &a, const ClockRef &b);

/// One access as remembered: who, when, how strong.
struct Epoch {
  uint32_t warp = ~uint32_t(0); ///< over the whole grid; all ones: none
  uint32_t clock = 0;
  uint32_t lanes = 0;
  uint32_t pc : 24;
  uint32_t scope : 4; ///< Scope; Weak for plain accesses
  uint32_t size : 4;  ///< log2 of the access's bytes, for "overlaps completely"
  Epoch() : pc(0), scope(0), size(0) {}
  bool any() const { return warp != ~uint32_t(0); }
  bool sameAs(const Epoch &e) const { return warp == e.warp && clock == e.clock && pc == e.pc && scope == e.scope; }
};

struct ShadowByte {
  Epoch write, read;
  uint32_t more = 0; ///< 1 + index in Shadow::pool of further reads
};

/// The memory of one allocation's accesses, made page by page as bytes are touched.
struct Shadow {
  static constexpr uint64_t pageBytes = 1024;
  std::vector<std::unique_ptr<ShadowByte[]>> pages;
  std::vector<std::vector<Epoch>> pool;

  ShadowByte *at(uint64_t offset, uint64_t bytes) {
    if (pages.empty())
      pages.resize((bytes + pageBytes - 1) / pageBytes);
    auto &page = pages[offset / pageBytes];
    if (!page)
      page = std::make_unique<ShadowByte[]>(pageBytes);
    return &page[offset % pageBytes];
  }
};

} // namespace attn::sim

#endif
