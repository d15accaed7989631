// ld, ldu, st, prefetch and hints.
#include "Decode.h"
#include "Machine.h"

#include <algorithm>

using namespace attn::sim;

namespace {

void countSite(Machine &m, const Instr &i, Space space, const uint64_t *addresses, uint32_t lanes, unsigned bytes,
               bool write) {
  if (!m.options.counters || !lanes)
    return;
  if (space == Space::Shared)
    m.countShared(i, addresses, lanes, bytes);
  else if (space == Space::Global || space == Space::Const)
    m.countGlobal(i, addresses, lanes, bytes);
  m.countBytes(i,
               space == Space::Shared  ? (write ? "shared.store" : "shared.load")
               : space == Space::Local ? (write ? "local.store" : "local.load")
               : space == Space::Param ? "param.load"
                                       : (write ? "global.store" : "global.load"),
               uint64_t(__builtin_popcount(lanes)) * bytes);
}

Step execLoad(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  const int32_t base = slot[i.dests];
  m.demand(w, i, base, mask, "the address");
  const unsigned total = unsigned(i.bytes) * i.count;
  const bool extend = isSigned(i.type);
  uint64_t addresses[warpLanes];
  std::copy_n(w.value(base), warpLanes, addresses);
  Space where = i.space;
  uint64_t sites[warpLanes] = {};
  // Of every register by itself: of a vector some may be defined.
  std::vector<std::pair<unsigned, std::pair<unsigned, OriginId>>> poisoned;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, addresses[l] + uint64_t(i.offset), total, total, false);
    where = b.allocation->space;
    sites[l] = where == Space::Shared ? b.offset : b.allocation->base + b.offset;
    for (unsigned n = 0; n < i.count; ++n)
      if (const OriginId id = m.poisonOf(w, i, l, Machine::Bytes{b.allocation, b.offset + n * i.bytes}, i.bytes))
        poisoned.push_back({n, {l, id}});
    m.access(w, i, 1u << l, b, total, false, i.scope);
    if (i.scope != Scope::Weak)
      m.strongRead(w, l, b, i.semantics);
    for (unsigned n = 0; n < i.count; ++n) {
      uint64_t v = 0;
      memcpy(&v, b.data() + n * i.bytes, i.bytes);
      if (extend && i.bytes < 8 && v >> (i.bytes * 8 - 1)) { // up to the register's width
        v |= ~uint64_t(0) << (i.bytes * 8);
        if (i.mode < 64)
          v &= (uint64_t(1) << i.mode) - 1;
      }
      w.target(slot[n])[l] = v;
    }
  }
  countSite(m, i, where, sites, mask, total, false);
  for (unsigned n = 0; n < i.count; ++n)
    w.defined[size_t(slot[n])] |= mask;
  for (const auto &[n, lane] : poisoned)
    m.poison(w, slot[n], 1u << lane.first, lane.second);
  return Step::Next;
}

Step execStore(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  m.demand(w, i, slot[0], mask, "the address");
  const unsigned total = unsigned(i.bytes) * i.count;
  const uint64_t *addresses = w.value(slot[0]);
  uint64_t sites[warpLanes] = {};
  Space where = i.space;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, addresses[l] + uint64_t(i.offset), total, total, true);
    where = b.allocation->space;
    sites[l] = where == Space::Shared ? b.offset : b.allocation->base + b.offset;
    m.checkAsyncWrite(w, i, l, b, total);
    m.access(w, i, 1u << l, b, total, true, i.scope);
    if (i.scope != Scope::Weak)
      m.strongWrite(w, l, b, i.semantics, false);
    for (unsigned n = 0; n < i.count; ++n) {
      const int32_t from = slot[1 + n];
      if (where == Space::Global)
        m.demand(w, i, from, 1u << l, "the value stored to global memory");
      const bool good = w.definedOf(from) >> l & 1;
      const uint64_t v = w.value(from)[l];
      memcpy(b.data() + n * i.bytes, &v, i.bytes);
      memset(b.state() + n * i.bytes, good ? Defined : StoredPoison, i.bytes);
      if (!good) {
        OriginId id = m.originOf(w, from, l);
        if (!id)
          id = m.origin("register " + m.program.registerNames[size_t(from)] +
                        ", which was never written, stored at line " + std::to_string(i.line));
        for (unsigned k = 0; k < i.bytes; ++k)
          b.allocation->origins[b.offset + n * i.bytes + k] = id;
      }
    }
  }
  countSite(m, i, where, sites, mask, total, true);
  return Step::Next;
}

Step execNothing(Machine &, Warp &, const Instr &, uint32_t) { return Step::Next; }

void decodeAccess(Decoder &d, bool store) {
  if (d.take("volatile")) { // the same as relaxed at system scope
    d.in.scope = Scope::System;
  } else if (d.has("relaxed") || d.has("acquire") || d.has("release")) {
    d.takeSemantics();
    if (d.in.scope == Scope::Weak)
      d.fail("'" + d.st->text + "' needs a scope: .cta, .cluster, .gpu or .sys");
  } else {
    d.take("weak");
  }
  if (d.take("mmio"))
    d.failUnknown();
  const Space space = d.takeSpace(Space::Generic);
  d.takeCacheHints();
  const int vector = d.takeOneOf({"v2", "v4", "v8"});
  d.in.count = uint8_t(vector < 0 ? 1 : 2 << vector);
  const Type t = d.in.type = d.takeType();
  d.in.bytes = uint8_t(bytesOf(t));
  if (t == Type::Pred || unsigned(d.in.bytes) * d.in.count > 16)
    d.failUnknown();
  d.expectOperands(2, 2);
  const auto parts = d.elements(d.operand(store ? 1 : 0));
  if (parts.size() != d.in.count)
    d.fail("'" + d.st->text + "' needs " + std::to_string(d.in.count) + " registers");
  if (store)
    d.address(d.operand(0), space);
  for (const Operand *o : parts)
    if (store)
      d.source(*o, t, true);
    else
      d.dest(*o, bitsOf(t), true);
  if (!store) {
    d.in.mode = uint8_t(parts[0]->kind == Operand::Register ? bitsOf(d.function->registers[parts[0]->index].type) : 64);
    d.address(d.operand(1), space);
  }
  if (store && (space == Space::Const))
    d.fail("constant memory cannot be written");
}

} // namespace

namespace attn::sim {

void decodeLoad(Decoder &d) {
  decodeAccess(d, false);
  d.set(execLoad);
}

void decodeStore(Decoder &d) {
  decodeAccess(d, true);
  d.set(execStore);
}

/// Hints change nothing: prefetch, prefetchu, applypriority, discard.L2 is not among them.
void decodePrefetch(Decoder &d) {
  d.takeOneOf({"global", "local", "const", "param"});
  for (const char *level : {"L1", "L2", "L2::evict_last", "L2::evict_normal", "tensormap"})
    d.take(level);
  d.set(execNothing);
}

void decodeNanosleep(Decoder &d) {
  if (d.takeType() != Type::U32)
    d.failUnknown();
  d.set(execNothing);
}

} // namespace attn::sim
