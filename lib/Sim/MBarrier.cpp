//===- MBarrier.cpp - mbarrier objects -----------------------------------------===//
//
// A barrier has a phase, pending and expected arrivals and a count of bytes under way ("Parallel Synchronization and
// Communication Instructions: mbarrier"). After each operation: when no arrival and no byte is pending, the phase ends,
// and pending starts again at expected. A wait on parity p is true iff phase % 2 != p: a fresh barrier lets parity 1
// pass. try_wait may fail for no reason, which the seed makes happen.
//
// Arrivals release and successful waits acquire (unless .relaxed). Copies that arrived through cp.async.mbarrier.arrive
// are delivered when a wait for their phase succeeds first, and stand in clocks as accesses of the CTA's pseudo warp.
//
//===----------------------------------------------------------------------===//
#include "Decode.h"
#include "Machine.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

namespace {

constexpr int64_t countLimit = (1 << 20) - 1;

enum Op : uint8_t {
  Init,
  Inval,
  Arrive,
  ArriveDrop,
  ArriveExpectTx,
  ExpectTx,
  CompleteTx,
  TestWait,
  TryWait,
  PendingCount
};
enum Flags : uint8_t { Parity = 1, NoComplete = 2, HasCount = 4 };

MBarrier &find(Machine &m, Warp &w, const Instr &i, unsigned lane, const Machine::Bytes &b) {
  const auto found = w.cta->mbarriers.find(b.offset);
  if (found == w.cta->mbarriers.end())
    m.stop("mbarrier", i, fmt::format("{} uses {}, which is no initialized mbarrier", m.who(w, lane), m.placeOf(b)),
           "mbarrier.init first, and a barrier before other threads use it");
  return found->second;
}

void settle(Cta &cta, uint64_t address, MBarrier &b) {
  if (b.pending != 0 || b.tx != 0)
    return;
  ++b.phase;
  b.pending = b.expected;
  b.lastClock = joined(b.lastClock, b.clock);
  b.clock = nullptr;
  for (auto &w : cta.warps)
    for (Strand &s : w->strands)
      if (s.state == Strand::Poll && s.address == address)
        s.state = Strand::Ready;
}

void checkCounts(Machine &m, Warp &w, const Instr &i, unsigned lane, const MBarrier &b) {
  if (b.pending < 0)
    m.stop("mbarrier", i,
           fmt::format("{} arrives, and no arrival is pending in phase {}: the barrier was initialized for {}",
                       m.who(w, lane), b.phase, b.expected),
           "initialize it for all who arrive, or wait for the phase before the next arrival");
  if (b.tx > countLimit || b.tx < -countLimit)
    m.stop("mbarrier", i, fmt::format("{} bytes pending; the count has 20 bits and a sign", b.tx),
           "expect fewer bytes in one phase");
}

void release(Machine &m, Warp &w, unsigned lane, const Instr &i, MBarrier &b) {
  if (m.options.races && i.semantics & Release) {
    b.clock = joined(b.clock, m.snapshot(w, lane));
    m.tick(w);
  }
}

/// Delivers what arrived in phases up to `phase`, as accesses of the pseudo warp that the barrier's clock publishes.
void deliver(Machine &m, Cta &cta, uint64_t address, MBarrier &b) {
  for (size_t n = 0; n < b.done.size();) {
    if (b.done[n].second >= b.phase) {
      ++n;
      continue;
    }
    AsyncArrival &a = b.done[n].first;
    Epoch e;
    e.warp = cta.index * m.clockWarps + m.warpsPerCta;
    e.lanes = 1u << (address / 8 % warpLanes);
    e.clock = ++cta.asyncClock;
    e.pc = a.pc & 0xffffff;
    for (Copy &c : a.copies) {
      e.pc = c.pc & 0xffffff;
      m.completeCopy(*cta.warps[a.warp], a.lane, c, &e);
    }
    if (m.options.races) {
      NamedBarrier::Arrival self{m.warpsPerCta, e.lanes, e.clock};
      b.lastClock = m.gather({b.lastClock}, {{cta.warps[0].get(), self}});
    }
    b.done.erase(b.done.begin() + long(n));
  }
}

Step execInit(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  m.demand(w, i, slot[0], mask, "the mbarrier's address");
  if (i.mode == Init)
    m.demand(w, i, slot[1], mask, "the count of arrivals");
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, w.value(slot[0])[l] + uint64_t(i.offset), 8, 8, true);
    if (i.mode == Inval) {
      find(m, w, i, l, b);
      m.access(w, i, 1u << l, b, 8, true);
      w.cta->mbarriers.erase(b.offset);
      memset(b.state(), Unwritten, 8);
      continue;
    }
    const uint32_t count = uint32_t(w.value(slot[1])[l]);
    if (!count || count > countLimit)
      m.stop("mbarrier", i,
             fmt::format("{} initializes a barrier for {} arrivals; 1 to 2^20 - 1 are possible", m.who(w, l), count),
             "count the arrivals");
    if (w.cta->mbarriers.count(b.offset))
      m.stop("mbarrier", i, fmt::format("{} initializes {} again", m.who(w, l), m.placeOf(b)),
             "mbarrier.inval first, or initialize it by one thread only");
    m.checkAsyncWrite(w, i, l, b, 8);
    m.access(w, i, 1u << l, b, 8, true);
    MBarrier &barrier = w.cta->mbarriers[b.offset];
    barrier.pending = barrier.expected = count;
    barrier.line = i.line;
    memset(b.state(), BarrierWord, 8);
  }
  return Step::Next;
}

Step execArrive(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots], *from = slot + i.dests;
  m.demand(w, i, from[0], mask, "the mbarrier's address");
  if (i.sources > 1)
    m.demand(w, i, from[1], mask, "the count");
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, w.value(from[0])[l] + uint64_t(i.offset), 8, 8, true);
    MBarrier &barrier = find(m, w, i, l, b);
    m.access(w, i, 1u << l, b, 8, true, Scope::Cta);
    const int64_t n = i.sources > 1 ? int64_t(uint32_t(w.value(from[1])[l])) : 1;
    if (i.dests) {
      w.target(slot[0])[l] = barrier.phase | uint64_t(barrier.pending) << 40;
      w.defined[size_t(slot[0])] |= 1u << l;
    }
    release(m, w, l, i, barrier);
    switch (i.mode) {
    case Arrive:
      barrier.pending -= n;
      break;
    case ArriveDrop:
      barrier.pending -= n;
      barrier.expected -= n;
      break;
    case ArriveExpectTx:
      barrier.tx += n;
      --barrier.pending;
      break;
    case ExpectTx:
      barrier.tx += n;
      break;
    default:
      barrier.tx -= n;
    }
    checkCounts(m, w, i, l, barrier);
    if (i.flags & NoComplete && barrier.pending == 0 && barrier.tx == 0)
      m.stop("mbarrier", i, m.who(w, l) + " completes a phase by an arrival that promised not to", "drop .noComplete");
    if (i.mode != ExpectTx)
      settle(*w.cta, b.offset, barrier);
  }
  return Step::Next;
}

Step execWait(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots], *from = slot + i.dests;
  m.demand(w, i, from[0], mask, "the mbarrier's address");
  m.demand(w, i, from[1], mask, "the phase");
  uint32_t yes = 0;
  uint64_t address = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, w.value(from[0])[l] + uint64_t(i.offset), 8, 8, false);
    MBarrier &barrier = find(m, w, i, l, b);
    m.access(w, i, 1u << l, b, 8, false, Scope::Cta);
    address = b.offset;
    const uint64_t asked = w.value(from[1])[l];
    const bool done =
        i.flags & Parity ? barrier.phase % 2 != (asked & 1) : barrier.phase > (asked & ((uint64_t(1) << 40) - 1));
    if (!done)
      continue;
    deliver(m, *w.cta, b.offset, barrier);
    if (m.options.races) {
      if (i.semantics & Acquire)
        m.setSeen(w, 1u << l, joined(w.seen[l], barrier.lastClock));
      else {
        if (w.order.empty())
          w.order.resize(warpLanes);
        w.order[l].observed = joined(w.order[l].observed, barrier.lastClock);
      }
    }
    yes |= 1u << l;
  }
  if (!yes && i.mode == TryWait && m.draw(4)) { // else it fails early, as it may
    Strand &s = w.strand();
    s.state = Strand::Poll;
    s.address = address;
    return Step::Wait;
  }
  if (!yes && m.draw(64) == 0) // a loop around test_wait never blocks
    m.deliverOne();
  uint64_t *p = w.target(slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1)
      p[l] = yes >> l & 1;
  w.defined[size_t(slot[0])] |= mask;
  return Step::Next;
}

struct Pending {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) { return a >> 40 & countLimit; }
};

} // namespace

bool Machine::deliverOne() {
  for (auto &cta : resident) {
    if (cta->asyncArrivals.empty())
      continue;
    const size_t n = draw(uint32_t(cta->asyncArrivals.size()));
    AsyncArrival a = std::move(cta->asyncArrivals[n]);
    cta->asyncArrivals.erase(cta->asyncArrivals.begin() + long(n));
    const auto found = cta->mbarriers.find(a.mbarrier);
    if (found == cta->mbarriers.end())
      stop("mbarrier", program.code[a.pc], "the barrier that copies were to arrive at is gone",
           "wait for them before mbarrier.inval");
    MBarrier &b = found->second;
    const uint64_t phase = b.phase;
    b.done.push_back({std::move(a), phase});
    --b.pending;
    checkCounts(*this, *cta->warps[b.done.back().first.warp], program.code[b.done.back().first.pc],
                b.done.back().first.lane, b);
    settle(*cta, found->first, b);
    return true;
  }
  return false;
}

namespace attn::sim {

void decodeMBarrier(Decoder &d) {
  if (d.take("pending_count")) {
    d.takeType();
    d.expectOperands(2, 2);
    d.dest(d.operand(0), 32);
    d.source(d.operand(1), Type::B64);
    return d.set(execAlu, eachLane<Pending>);
  }
  const bool noComplete = d.take("noComplete"), parity = d.take("parity"), expect = d.take("expect_tx");
  const int op = d.takeOneOf({"init", "inval", "arrive", "arrive_drop", "complete_tx", "test_wait", "try_wait"});
  static const Op ops[] = {Init, Inval, Arrive, ArriveDrop, CompleteTx, TestWait, TryWait};
  if ((op < 0 && !expect) || (expect && op >= 0 && op != 2))
    d.failUnknown();
  d.in.mode = expect ? (op < 0 ? ExpectTx : ArriveExpectTx) : ops[op];
  const bool wait = d.in.mode == TestWait || d.in.mode == TryWait,
             counts = d.in.mode == ExpectTx || d.in.mode == CompleteTx;
  d.in.semantics = wait ? Acquire : counts ? Relaxed : Release;
  d.takeSemantics();
  const Space space = d.takeSpace(Space::Generic);
  if (d.takeType() != Type::B64 || (space != Space::Shared && space != Space::Generic))
    d.failUnknown();
  d.in.flags = uint8_t(parity * Parity | noComplete * NoComplete);
  if (d.in.mode == Init || d.in.mode == Inval) {
    d.expectOperands(d.in.mode == Init ? 2 : 1, d.in.mode == Init ? 2 : 1);
    d.address(d.operand(0), space);
    if (d.in.mode == Init)
      d.source(d.operand(1), Type::U32);
    return d.set(execInit);
  }
  if (wait) {
    d.expectOperands(3, 4);
    d.dest(d.operand(0), 1);
    d.address(d.operand(1), space);
    d.source(d.operand(2), parity ? Type::U32 : Type::B64);
    return d.set(execWait);
  }
  size_t first = 0;
  if (!counts) {
    if (d.operand(0).kind != Operand::Sink)
      d.dest(d.operand(0), 64);
    first = 1;
  }
  const bool needsCount = counts || expect;
  d.expectOperands(first + 1 + needsCount, first + 2);
  d.address(d.operand(first), space);
  if (d.operands() == first + 2)
    d.source(d.operand(first + 1), Type::U32);
  d.set(execArrive);
}

} // namespace attn::sim
