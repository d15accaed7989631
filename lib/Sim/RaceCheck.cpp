// The detector of Races.h at work: every access of shared and global memory comes by here.
#include "Machine.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

namespace {

bool hasSeen(const Clock *clock, uint32_t cta, uint32_t warpInCta, uint32_t lanes, uint32_t when) {
  const CtaClock *part = clock ? clock->part(cta) : nullptr;
  if (!part)
    return false;
  if (part->warpLeast[warpInCta] >= when)
    return true;
  for (uint32_t left = lanes; left; left &= left - 1)
    if (part->threads[warpInCta * warpLanes + unsigned(__builtin_ctz(left))] < when)
      return false;
  return true;
}

} // namespace

bool Machine::ordered(const Epoch &e, const Warp &w, uint32_t lanes) const {
  const bool own = e.warp == w.id;
  if (own && e.lanes == lanes && !(lanes & (lanes - 1)))
    return true; // program order
  const uint32_t cta = e.warp / clockWarps, warp = e.warp % clockWarps;
  if (w.seenUniform && (!own || (lanes & (lanes - 1))))
    if (hasSeen(w.seen[0].get(), cta, warp, e.lanes, e.clock))
      return true;
  for (uint32_t left = lanes; left; left &= left - 1) {
    const unsigned l = unsigned(__builtin_ctz(left));
    const uint32_t others = own ? e.lanes & ~(1u << l) : e.lanes;
    if (others && !hasSeen(w.seen[l].get(), cta, warp, others, e.clock))
      return false;
  }
  return true;
}

void Machine::access(Warp &w, const Instr &i, uint32_t lanes, const Bytes &b, unsigned bytes, bool write, Scope scope) {
  const bool shared = b.allocation->space == Space::Shared;
  if (!options.races || (!shared && b.allocation->space != Space::Global) || (!write && b.allocation->readOnly))
    return;
  Shadow &shadow = b.allocation->shadow;
  Epoch mine;
  mine.warp = w.id;
  mine.clock = w.clock;
  mine.lanes = lanes;
  mine.pc = pcOf(i) & 0xffffff;
  mine.scope = unsigned(scope);
  mine.size = bytes >= 8 ? 3 : bytes >= 4 ? 2 : bytes >= 2 ? 1 : 0;
  const auto strong = [&](const Epoch &e) {
    const auto includes = [&](unsigned s) { return s >= unsigned(Scope::Gpu) || e.warp / clockWarps == w.cta->index; };
    return e.scope && mine.scope && e.size == mine.size && includes(e.scope) && includes(mine.scope);
  };
  const auto race = [&](const Epoch &e, bool otherWrote, uint64_t offset) {
    const unsigned mineLane = unsigned(__builtin_ctz(lanes)), itsLane = unsigned(__builtin_ctz(e.lanes));
    const uint32_t cta = e.warp / clockWarps, other = e.warp % clockWarps;
    const bool sameWarp = e.warp == w.id, sameCta = cta == w.cta->index;
    note("race", i,
         fmt::format("{} {} {}; {} of {} {} it at {}, and nothing orders the two", who(w, mineLane),
                     write ? "writes" : "reads", placeOf({b.allocation, offset}),
                     e.lanes & (e.lanes - 1) ? "lanes" : fmt::format("lane {}", itsLane),
                     sameWarp               ? "the same warp"
                     : other == warpsPerCta ? "an asynchronous copy"
                     : sameCta              ? fmt::format("warp {}", other)
                                            : fmt::format("CTA {}", cta),
                     otherWrote ? "writes" : "reads", where(e.pc)),
         sameWarp  ? "bar.warp.sync (__syncwarp) between the two: running in step orders nothing"
         : sameCta ? "a barrier between the two, or a release and an acquire"
                   : "atomics, or a fence before the signal and one behind the observation of it");
  };
  Epoch goodWrite, goodRead; // found in order for the byte before: neighbours mostly have the same history
  for (uint64_t offset = b.offset, end = b.offset + bytes; offset < end; ++offset) {
    ShadowByte &s = *shadow.at(offset, b.allocation->bytes);
    if (s.write.any() && !(goodWrite.sameAs(s.write) && goodWrite.lanes == s.write.lanes)) {
      if (ordered(s.write, w, lanes))
        goodWrite = s.write;
      else if (!strong(s.write))
        race(s.write, true, offset);
      else if (write) { // concurrent atomics: keep the other one for those who have not seen it
        if (!s.more) {
          shadow.pool.emplace_back();
          s.more = uint32_t(shadow.pool.size());
        }
        auto &pool = shadow.pool[s.more - 1];
        if (pool.size() < 64)
          pool.push_back(s.write);
      }
    }
    if (!write) {
      if (s.more)
        for (const Epoch &e : shadow.pool[s.more - 1])
          if (e.scope && !strong(e) && !ordered(e, w, lanes) && s.read.any())
            race(e, true, offset);
      if (s.read.sameAs(mine)) {
        s.read.lanes |= lanes;
      } else if (!s.read.any() || (goodRead.sameAs(s.read) && goodRead.lanes == s.read.lanes) ||
                 ordered(s.read, w, lanes)) {
        goodRead = s.read;
        s.read = mine;
      } else {
        if (!s.more) {
          shadow.pool.emplace_back();
          s.more = uint32_t(shadow.pool.size());
        }
        auto &pool = shadow.pool[s.more - 1];
        auto same = std::find_if(pool.begin(), pool.end(), [&](const Epoch &e) { return e.sameAs(mine); });
        if (same != pool.end())
          same->lanes |= lanes;
        else if (pool.size() < 64)
          pool.push_back(mine);
      }
      continue;
    }
    if (s.read.any() && !(goodRead.sameAs(s.read) && goodRead.lanes == s.read.lanes)) {
      if (ordered(s.read, w, lanes))
        goodRead = s.read;
      else if (!strong(s.read))
        race(s.read, false, offset);
    }
    if (s.more) {
      auto &pool = shadow.pool[s.more - 1];
      for (const Epoch &e : pool)
        if (!ordered(e, w, lanes) && !strong(e))
          race(e, false, offset);
      pool.erase(
          std::remove_if(pool.begin(), pool.end(), [&](const Epoch &e) { return !e.scope || ordered(e, w, lanes); }),
          pool.end());
    }
    s.write = mine;
    s.read = Epoch();
  }
}

ClockRef Machine::snapshot(const Warp &w, unsigned lane) const {
  NamedBarrier::Arrival self{w.index, 1u << lane, w.clock};
  return gather({w.seen[lane]}, {{&w, self}});
}

ClockRef Machine::gather(const std::vector<ClockRef> &seen,
                         const std::vector<std::pair<const Warp *, NamedBarrier::Arrival>> &arrivals) const {
  ClockRef all;
  for (auto &c : seen)
    all = joined(all, c);
  auto result = all ? std::make_shared<Clock>(*all) : std::make_shared<Clock>();
  std::map<uint32_t, std::shared_ptr<CtaClock>> changed;
  for (auto &[warp, arrival] : arrivals) {
    auto &part = changed[warp->cta->index];
    if (!part) {
      const CtaClock *old = result->part(warp->cta->index);
      part = old ? std::make_shared<CtaClock>(*old) : std::make_shared<CtaClock>();
      part->threads.resize(size_t(clockWarps) * warpLanes);
    }
    for (unsigned l = 0; l < warpLanes; ++l)
      if (arrival.lanes >> l & 1)
        part->threads[arrival.warp * warpLanes + l] =
            std::max(part->threads[arrival.warp * warpLanes + l], arrival.clock);
  }
  for (auto &[cta, part] : changed) {
    // Lanes that never existed or have exited stay behind forever; nobody waits for what they will not do.
    part->settle();
    auto found =
        std::find_if(result->parts.begin(), result->parts.end(), [&, c = cta](auto &p) { return p.first >= c; });
    if (found != result->parts.end() && found->first == cta)
      found->second = part;
    else
      result->parts.insert(found, {cta, part});
  }
  return result;
}

void Machine::setSeen(Warp &w, uint32_t lanes, const ClockRef &clock) {
  if (lanes == w.lanes) {
    w.seen.fill(clock);
    w.seenUniform = true;
    return;
  }
  for (unsigned l = 0; l < warpLanes; ++l)
    if (lanes >> l & 1)
      w.seen[l] = clock;
  w.seenUniform = false;
}

void Machine::strongRead(Warp &w, unsigned lane, const Bytes &b, uint8_t semantics) {
  if (!options.races)
    return;
  const auto found = released.find(b.data());
  if (found == released.end() || !found->second)
    return;
  if (semantics & Acquire)
    setSeen(w, 1u << lane, joined(w.seen[lane], found->second));
  if (w.order.empty())
    w.order.resize(warpLanes);
  w.order[lane].observed = joined(w.order[lane].observed, found->second);
}

void Machine::strongWrite(Warp &w, unsigned lane, const Bytes &b, uint8_t semantics, bool isRmw) {
  if (!options.races)
    return;
  ClockRef mine;
  if (semantics & Release) {
    mine = snapshot(w, lane);
    tick(w);
  } else if (!w.order.empty()) {
    mine = w.order[lane].fence;
  }
  ClockRef &at = released[b.data()];
  at = isRmw ? joined(at, mine) : mine; // a read-modify-write continues the release sequence that it read from
}

void Machine::fence(Warp &w, uint32_t mask, uint8_t semantics) {
  if (!options.races)
    return;
  if (w.order.empty())
    w.order.resize(warpLanes);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    if (semantics & Acquire && w.order[l].observed)
      setSeen(w, 1u << l, joined(w.seen[l], w.order[l].observed));
    if (semantics & Release)
      w.order[l].fence = snapshot(w, l);
  }
  tick(w);
}

Epoch Machine::epochOf(const Warp &w, unsigned lane, uint32_t pc) const {
  Epoch e;
  e.warp = w.id;
  e.clock = w.clock;
  e.lanes = 1u << lane;
  e.pc = pc & 0xffffff;
  return e;
}

void Machine::record(const Bytes &b, unsigned bytes, const Epoch &e, bool write) {
  if (!options.races)
    return;
  for (uint64_t n = 0; n < bytes; ++n) {
    ShadowByte &s = *b.allocation->shadow.at(b.offset + n, b.allocation->bytes);
    if (write) {
      s.write = e;
      s.read = Epoch();
      s.more = 0;
    } else if (!s.read.any() || s.read.warp == e.warp) {
      s.read = e;
    } else {
      if (!s.more) {
        b.allocation->shadow.pool.emplace_back();
        s.more = uint32_t(b.allocation->shadow.pool.size());
      }
      auto &pool = b.allocation->shadow.pool[s.more - 1];
      if (pool.size() < 64)
        pool.push_back(e);
    }
  }
}
