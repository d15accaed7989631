// bar, barrier, bar.warp.sync, membar, fence.
//
// Sixteen barriers a CTA; warps count as wholes. When as many threads have arrived as the barrier expects, it is free
// for its next generation at once; everything before the arrivals happens before what follows the waits ("Parallel
// Synchronization and Communication Instructions: bar, barrier").
#include "Decode.h"
#include "Machine.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

namespace {

enum Mode : uint8_t { Sync, Arrive, Popc, And, Or };

void complete(Machine &m, Cta &cta, uint32_t id, const Instr &i) {
  NamedBarrier &b = cta.barriers[id];
  ClockRef clock;
  if (m.options.races) {
    std::vector<std::pair<const Warp *, NamedBarrier::Arrival>> arrivals;
    for (auto &a : b.arrivals)
      arrivals.push_back({cta.warps[a.warp].get(), a});
    clock = m.gather(b.seen, arrivals);
  }
  for (auto &warp : cta.warps)
    for (Strand &s : warp->strands) {
      if (s.state != Strand::Barrier || s.barrier != id)
        continue;
      const Instr &at = m.program.code[s.pc];
      if (m.options.races)
        m.setSeen(*warp, s.mask, clock);
      if (at.dests) {
        const int32_t slot = m.program.slots[at.slots];
        const uint64_t value = at.mode == Popc ? b.reduced : at.mode == And ? b.reduced == b.count : b.reduced != 0;
        for (unsigned l = 0; l < warpLanes; ++l)
          if (s.mask >> l & 1)
            warp->target(slot)[l] = value;
        m.write(*warp, at, slot, s.mask, allLanes);
      }
      s.state = Strand::Ready;
      ++s.pc;
    }
  b = NamedBarrier();
  (void)i;
}

Step execBarrier(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *source = &m.program.slots[i.slots + i.dests];
  m.demand(w, i, source[0], mask, "the barrier's number");
  m.demand(w, i, source[1], mask, "the barrier's count of threads");
  if (i.flags & 1 ? !m.aligned(w, i, mask) : false)
    return Step::Wait;
  const unsigned first = unsigned(__builtin_ctz(mask));
  const uint64_t id = w.value(source[0])[first];
  uint64_t expected = w.value(source[1])[first];
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1 && (w.value(source[0])[l] != id || w.value(source[1])[l] != expected))
      m.stop("barrier", i, fmt::format("lanes of warp {} name different barriers or counts", w.index),
             "give all lanes of a warp the same operands");
  if (id > 15)
    m.stop("barrier", i, fmt::format("there is no barrier {}: they are 0 to 15", id), "use a smaller number");
  if (!(i.flags & 2)) // no count: all threads of the CTA
    expected = uint64_t(m.warpsPerCta) * warpLanes;
  if (!expected || expected % warpLanes || expected > uint64_t(m.warpsPerCta) * warpLanes)
    m.stop("barrier", i,
           fmt::format("barrier {} is to wait for {} threads, and the CTA has {}; counts are multiples of 32", id,
                       expected, m.threadsPerCta),
           "give the number of threads of the warps that take part");
  Cta &cta = *w.cta;
  NamedBarrier &b = cta.barriers[id];
  const int kind = i.mode <= Arrive ? 0 : i.mode;
  if (b.arrived == 0) {
    b.expected = uint32_t(expected);
    b.kind = kind;
  } else if (b.expected != expected) {
    m.stop("barrier", i,
           fmt::format("barrier {} waits for {} threads in this generation, warp {} says {}", id, b.expected, w.index,
                       expected),
           "agree on the count");
  } else if (b.kind != kind) {
    m.stop("barrier", i, fmt::format("barrier {} is used for a reduction and for something else in one generation", id),
           "use two barriers");
  }
  if (b.arrivedWarps >> w.index & 1 && i.flags & 1)
    m.stop("barrier", i, fmt::format("warp {} arrives twice at barrier {} in one generation", w.index, id),
           "let it wait (bar.sync) before it arrives again, or use another barrier");
  b.arrivedWarps |= 1u << w.index;
  // A warp counts as 32 threads, also one that the block's size leaves incomplete.
  b.arrived += mask == w.lanes ? warpLanes : uint32_t(__builtin_popcount(mask));
  if (kind) {
    const int32_t p = source[2];
    m.demand(w, i, p, mask, "the predicate that is reduced");
    for (unsigned l = 0; l < warpLanes; ++l)
      if (mask >> l & 1) {
        b.reduced += (w.value(p)[l] & 1) != uint64_t(i.flags >> 2 & 1);
        ++b.count;
      }
  }
  if (m.options.races) {
    b.arrivals.push_back({w.index, mask, w.clock});
    for (unsigned l = 0; l < warpLanes; ++l)
      if (mask >> l & 1 && std::find(b.seen.begin(), b.seen.end(), w.seen[l]) == b.seen.end())
        b.seen.push_back(w.seen[l]);
    m.tick(w);
  }
  const bool arriveOnly = i.mode == Arrive;
  if (!arriveOnly) {
    Strand &s = w.strand();
    s.state = Strand::Barrier;
    s.barrier = uint32_t(id);
  }
  if (b.arrived > b.expected)
    m.stop("barrier", i, fmt::format("{} threads arrive at barrier {}, which expects {}", b.arrived, id, b.expected),
           "make the counts of all its instructions agree");
  if (b.arrived == b.expected)
    complete(m, cta, uint32_t(id), i);
  if (arriveOnly)
    return Step::Next;
  return Step::Jump; // `complete` moved the strand on, or it waits
}

Step execWarpSync(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t source = m.program.slots[i.slots];
  m.demand(w, i, source, mask, "the member mask");
  const uint32_t members = uint32_t(w.value(source)[__builtin_ctz(mask)]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1 && !(uint32_t(w.value(source)[l]) >> l & 1))
      m.stop("divergence", i,
             fmt::format("{} executes this but is not in its member mask {:#010x}", m.who(w, l),
                         uint32_t(w.value(source)[l])),
             "name every executing lane in the mask");
  const uint32_t need = members & w.alive;
  if (!m.together(w, i, mask, need))
    return Step::Wait;
  if (m.options.races) {
    std::vector<ClockRef> seen;
    for (unsigned l = 0; l < warpLanes; ++l)
      if (need >> l & 1 && std::find(seen.begin(), seen.end(), w.seen[l]) == seen.end())
        seen.push_back(w.seen[l]);
    m.setSeen(w, need, m.gather(seen, {{&w, {w.index, need, w.clock}}}));
    m.tick(w);
  }
  return Step::Next;
}

Step execFence(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  m.fence(w, mask, i.semantics);
  return Step::Next;
}

Step execNothing(Machine &, Warp &, const Instr &, uint32_t) { return Step::Next; }

} // namespace

namespace attn::sim {

void decodeBarrier(Decoder &d) {
  if (d.st->root == "bar" && d.take("warp")) {
    if (!d.take("sync"))
      d.failUnknown();
    d.expectOperands(1, 1);
    d.source(d.operand(0), Type::U32);
    return d.set(execWarpSync);
  }
  d.take("cta");
  const bool isAligned = d.take("aligned") || d.st->root == "bar";
  d.in.flags = isAligned;
  if (d.take("red")) {
    const int op = d.takeOneOf({"popc", "and", "or"});
    const Type t = d.takeType();
    if (op < 0)
      d.failUnknown();
    d.in.mode = uint8_t(Popc + op);
    d.expectOperands(3, 4);
    d.dest(d.operand(0), op ? 1 : bitsOf(t));
    d.source(d.operand(1), Type::U32);
    const bool counted = d.operands() == 4;
    if (counted)
      d.source(d.operand(2), Type::U32);
    else
      d.sourceWord(0);
    Operand p = d.operand(d.operands() - 1);
    d.in.flags |= uint8_t(counted * 2 | p.negated * 4);
    p.negated = false;
    d.source(p, Type::Pred);
    return d.set(execBarrier);
  }
  if (d.take("arrive"))
    d.in.mode = Arrive;
  else if (!d.take("sync"))
    d.failUnknown();
  d.expectOperands(d.in.mode == Arrive ? 2 : 1, 2);
  d.source(d.operand(0), Type::U32);
  if (d.operands() == 2) {
    d.in.flags |= 2;
    d.source(d.operand(1), Type::U32);
  } else {
    d.sourceWord(0);
  }
  d.set(execBarrier);
}

void decodeFence(Decoder &d) {
  if (d.st->root == "membar") {
    if (d.takeOneOf({"cta", "gl", "sys"}) < 0)
      d.failUnknown();
    d.in.semantics = Sequential;
    return d.set(execFence);
  }
  if (d.take("mbarrier_init")) {
    d.take("release"), d.take("cluster");
    return d.set(execNothing);
  }
  d.takeSemantics();
  if (d.in.semantics == Relaxed)
    d.in.semantics = AcquireRelease;
  if (d.has("proxy"))
    d.failUnknown();
  d.set(execFence);
}

} // namespace attn::sim
