// cp.async, its groups, and arrivals of copies on mbarriers.
#include "Async.h"
#include "Decode.h"
#include "Machine.h"

#include <fmt/format.h>

using namespace attn::sim;

namespace {

enum Flags : uint8_t { HasSize = 1, HasPredicate = 2, Negated = 4, Noinc = 8 };

void capture(Machine &m, Warp &w, unsigned lane, Copy &c) {
  const Instr &i = m.program.code[c.pc];
  c.data.fill(0);
  if (c.sourceBytes) {
    const auto b = m.resolve(w, i, lane, Space::Global, c.source, c.sourceBytes, 1, false);
    memcpy(c.data.data(), b.data(), c.sourceBytes);
    c.poison = m.poisonOf(w, i, lane, b, c.sourceBytes);
  }
  c.captured = true;
}

Step execCopy(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  m.demand(w, i, slot[0], mask, "the destination address");
  m.demand(w, i, slot[1], mask, "the source address");
  if (i.sources > 2)
    m.demand(w, i, slot[2], mask,
             i.flags & HasSize ? "the size of the source" : "the predicate that decides about the source");
  uint64_t from[warpLanes] = {}, to[warpLanes] = {};
  uint32_t reading = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    Copy c;
    c.pc = m.pcOf(i);
    c.bytes = c.sourceBytes = i.bytes;
    if (i.flags & HasSize) {
      const uint64_t size = w.value(slot[2])[l] & 0xffffffff;
      if (size > i.bytes)
        m.stop("undefined", i, fmt::format("{} copies {} of {} bytes", m.who(w, l), size, i.bytes),
               "the size of the source is at most that of the copy");
      c.sourceBytes = uint8_t(size);
    } else if (i.flags & HasPredicate && (w.value(slot[2])[l] & 1) != (i.flags & Negated ? 1u : 0u)) {
      c.sourceBytes = 0; // ignore-src
    }
    const auto b = m.resolve(w, i, l, Space::Shared, w.value(slot[0])[l] + uint64_t(i.offset), i.bytes, i.bytes, true);
    c.destination = b.offset;
    c.source = w.value(slot[1])[l] + uint64_t(i.sourceOffset);
    if (c.source % i.bytes && c.sourceBytes)
      m.resolve(w, i, l, Space::Global, c.source, c.sourceBytes, i.bytes, false); // says what is misaligned
    if (c.sourceBytes) {
      const auto s = m.resolve(w, i, l, Space::Global, c.source, c.sourceBytes, 1, false);
      m.access(w, i, 1u << l, s, c.sourceBytes, false);
      ++s.allocation->asyncReads;
      from[l] = c.source;
      reading |= 1u << l;
    } else if (!m.memory.find(c.source)) // the PTX ISA does not say that it may be
      m.stop("bounds", i,
             fmt::format("{} copies 0 bytes from {:#x}, which is in no allocation: {}", m.who(w, l), c.source,
                         m.memory.describe(c.source, i.bytes)),
             "pass a valid address (that of the first row, say) also where nothing is read");
    m.checkAsyncWrite(w, i, l, b, i.bytes);
    m.access(w, i, 1u << l, b, i.bytes, true);
    memset(b.state(), InFlight, i.bytes);
    to[l] = b.offset;
    if (m.options.async == AsyncTime::Earliest || (m.options.async == AsyncTime::Random && m.draw() & 1))
      capture(m, w, l, c);
    w.copies[l].open.push_back(c);
  }
  if (m.options.counters) {
    m.countShared(i, to, mask, i.bytes);
    if (reading) {
      const uint64_t executed = m.sites[m.pcOf(i)].executed, bytes = m.sites[m.pcOf(i)].bytes;
      m.countGlobal(i, from, reading, i.bytes);
      m.sites[m.pcOf(i)].executed = executed; // one site with both sides
      m.sites[m.pcOf(i)].bytes = bytes;
    }
    m.countBytes(i, "global.async", uint64_t(__builtin_popcount(reading)) * i.bytes);
  }
  return Step::Next;
}

Step execCommit(Machine &, Warp &w, const Instr &, uint32_t mask) {
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1) {
      w.copies[l].groups.push_back(std::move(w.copies[l].open));
      w.copies[l].open.clear();
    }
  return Step::Next;
}

Step execWaitGroup(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    LaneCopies &copies = w.copies[l];
    while (copies.groups.size() > (i.mode ? 0 : i.info.imm)) {
      for (Copy &c : copies.groups.front())
        m.completeCopy(w, l, c);
      copies.groups.pop_front();
    }
    if (i.mode) { // wait_all
      for (Copy &c : copies.open)
        m.completeCopy(w, l, c);
      copies.open.clear();
    }
  }
  return Step::Next;
}

Step execMBarrierArrive(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t slot = m.program.slots[i.slots];
  m.demand(w, i, slot, mask, "the mbarrier's address");
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, w.value(slot)[l] + uint64_t(i.offset), 8, 8, true);
    const auto found = w.cta->mbarriers.find(b.offset);
    if (found == w.cta->mbarriers.end())
      m.stop("mbarrier", i,
             fmt::format("{} arrives at {}, which is no initialized mbarrier", m.who(w, l), m.placeOf(b)),
             "mbarrier.init first, and a barrier before others use it");
    AsyncArrival arrival;
    arrival.warp = w.index;
    arrival.lane = l;
    arrival.pc = m.pcOf(i);
    arrival.mbarrier = b.offset;
    arrival.noinc = i.flags & Noinc;
    if (!arrival.noinc)
      ++found->second.pending;
    for (auto &group : w.copies[l].groups)
      arrival.copies.insert(arrival.copies.end(), group.begin(), group.end());
    arrival.copies.insert(arrival.copies.end(), w.copies[l].open.begin(), w.copies[l].open.end());
    w.copies[l] = LaneCopies();
    w.cta->asyncArrivals.push_back(std::move(arrival));
    if (m.options.async == AsyncTime::Earliest)
      m.deliverOne();
  }
  return Step::Next;
}

} // namespace

void Machine::completeCopy(Warp &w, unsigned lane, Copy &c, const Epoch *as) {
  const Instr &i = program.code[c.pc];
  if (!c.captured)
    capture(*this, w, lane, c);
  const Bytes b{&w.cta->shared, c.destination};
  memcpy(b.data(), c.data.data(), c.bytes);
  memset(b.state(), c.poison ? StoredPoison : Defined, c.bytes);
  if (c.poison)
    for (unsigned n = 0; n < c.bytes; ++n)
      b.allocation->origins[b.offset + n] = c.poison;
  const Epoch e = as ? *as : epochOf(w, lane, c.pc);
  record(b, c.bytes, e, true);
  if (c.sourceBytes) {
    const Bytes s = resolve(w, i, lane, Space::Global, c.source, c.sourceBytes, 1, false);
    --s.allocation->asyncReads;
    if (!s.allocation->readOnly)
      record(s, c.sourceBytes, e, false);
  }
}

namespace attn::sim {

void decodeCp(Decoder &d) {
  if (!d.take("async") || d.has("bulk"))
    d.failUnknown();
  if (d.take("commit_group")) {
    d.expectOperands(0, 0);
    return d.set(execCommit);
  }
  if (d.take("wait_all")) {
    d.expectOperands(0, 0);
    d.in.mode = 1;
    return d.set(execWaitGroup);
  }
  if (d.take("wait_group")) {
    d.expectOperands(1, 1);
    d.in.info.imm = uint32_t(d.integer(d.operand(0), "the number of groups"));
    return d.set(execWaitGroup);
  }
  if (d.take("mbarrier")) {
    if (!d.take("arrive"))
      d.failUnknown();
    d.in.flags = d.take("noinc") ? Noinc : 0;
    const Space space = d.takeSpace(Space::Generic);
    if (d.takeType() != Type::B64)
      d.failUnknown();
    d.expectOperands(1, 1);
    d.address(d.operand(0), space);
    return d.set(execMBarrierArrive);
  }
  const int level = d.takeOneOf({"ca", "cg"});
  if (level < 0 || d.takeSpace(Space::Generic) == Space::Generic || d.takeSpace(Space::Generic) == Space::Generic)
    d.failUnknown();
  for (const char *hint : {"L2::64B", "L2::128B", "L2::256B"})
    d.take(hint);
  if (d.has("L2::cache_hint"))
    d.failUnknown();
  d.expectOperands(3, 4);
  const uint64_t bytes = d.integer(d.operand(2), "the number of bytes");
  if (bytes != 16 && (level == 1 || (bytes != 4 && bytes != 8)))
    d.fail(d.operand(2), ".ca copies 4, 8 or 16 bytes, .cg 16");
  d.in.bytes = uint8_t(bytes);
  d.address(d.operand(1), Space::Global);
  const int64_t sourceOffset = d.in.offset;
  d.address(d.operand(0), Space::Shared);
  std::swap(d.program.slots[d.in.slots], d.program.slots[d.in.slots + 1]); // destination, source
  d.in.sourceOffset = sourceOffset;
  if (d.operands() == 4) {
    Operand last = d.operand(3);
    if (last.kind == Operand::Register && d.function->registers[last.index].type == Type::Pred) {
      d.in.flags = uint8_t(HasPredicate | (last.negated ? Negated : 0));
      last.negated = false;
      d.source(last, Type::Pred);
    } else {
      d.in.flags = HasSize;
      d.source(last, Type::U32);
    }
  }
  d.set(execCopy);
}

} // namespace attn::sim
