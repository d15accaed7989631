// execAlu, mov with its vector forms, bfi, clocks.
#include "Decode.h"
#include "Machine.h"

#include <algorithm>

using namespace attn::sim;

Step attn::sim::execAlu(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  const uint64_t *source[3];
  uint32_t defined = allLanes;
  for (unsigned n = 0; n < 3; ++n) {
    const int32_t s = slot[n < i.sources ? 1 + n : 1];
    source[n] = w.value(s);
    defined &= w.definedOf(s);
  }
  uint64_t *d = w.target(slot[0]);
  if (mask == allLanes) {
    i.alu(d, source[0], source[1], source[2], i.info);
  } else {
    uint64_t r[warpLanes];
    i.alu(r, source[0], source[1], source[2], i.info);
    for (unsigned l = 0; l < warpLanes; ++l)
      d[l] = mask >> l & 1 ? r[l] : d[l];
  }
  if (mask & ~(defined & w.defined[size_t(slot[0])]))
    m.write(w, i, slot[0], mask, defined);
  return Step::Next;
}

namespace {

struct Same {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) { return a; }
};

/// mov.b64 d, {a, b} and {a, b} = c: `bytes` is the width of one element in bits.
Step execPack(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  uint64_t r[warpLanes] = {};
  uint32_t defined = allLanes;
  for (unsigned n = 0; n < i.sources; ++n) {
    const uint64_t *a = w.value(slot[1 + n]);
    defined &= w.definedOf(slot[1 + n]);
    for (unsigned l = 0; l < warpLanes; ++l)
      r[l] |= a[l] << (n * i.bytes);
  }
  uint64_t *d = w.target(slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    d[l] = mask >> l & 1 ? r[l] : d[l];
  m.write(w, i, slot[0], mask, defined);
  return Step::Next;
}

Step execUnpack(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  uint64_t a[warpLanes];
  std::copy_n(w.value(slot[i.dests]), warpLanes, a);
  const uint32_t defined = w.definedOf(slot[i.dests]);
  const uint64_t low = i.bytes == 64 ? ~uint64_t(0) : (uint64_t(1) << i.bytes) - 1;
  for (unsigned n = 0; n < i.dests; ++n) {
    uint64_t *d = w.target(slot[n]);
    for (unsigned l = 0; l < warpLanes; ++l)
      d[l] = mask >> l & 1 ? a[l] >> (n * i.bytes) & low : d[l];
    m.write(w, i, slot[n], mask, defined);
  }
  return Step::Next;
}

Step execBfi(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  const uint64_t *a = w.value(slot[1]), *b = w.value(slot[2]), *position = w.value(slot[3]), *length = w.value(slot[4]);
  uint64_t *d = w.target(slot[0]);
  const unsigned width = bitsOf(i.type);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const unsigned p = position[l] & 0xff, n = length[l] & 0xff;
    uint64_t field = n >= 64 ? ~uint64_t(0) : (uint64_t(1) << n) - 1;
    field = p >= width ? 0 : field << p;
    if (width == 32)
      field &= 0xffffffff;
    d[l] = (b[l] & ~field) | (p >= width ? 0 : a[l] << p & field);
  }
  m.write(w, i, slot[0], mask,
          w.definedOf(slot[1]) & w.definedOf(slot[2]) & w.definedOf(slot[3]) & w.definedOf(slot[4]));
  return Step::Next;
}

Step execClock(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t slot = m.program.slots[i.slots];
  uint64_t *d = w.target(slot);
  const uint64_t now = i.mode == 2 ? 1000 + m.steps : m.steps;
  for (unsigned l = 0; l < warpLanes; ++l)
    d[l] = mask >> l & 1 ? (bitsOf(i.type) == 32 ? uint32_t(now) : now) : d[l];
  m.write(w, i, slot, mask, allLanes);
  return Step::Next;
}

} // namespace

namespace attn::sim {

void decodeMov(Decoder &d) {
  const Type t = d.takeType();
  d.expectOperands(2, 2);
  const Operand &out = d.operand(0), &in = d.operand(1);
  if (in.kind == Operand::Vector || out.kind == Operand::Vector) {
    const bool pack = in.kind == Operand::Vector;
    const auto parts = d.elements(pack ? in : out);
    const unsigned bits = bitsOf(t) / unsigned(parts.size());
    const Type part = bits == 8    ? Type::B8
                      : bits == 16 ? Type::B16
                      : bits == 32 ? Type::B32
                      : bits == 64 ? Type::B64
                                   : Type::None;
    if (part == Type::None || (parts.size() != 2 && parts.size() != 4) || bitsOf(t) > 64)
      d.failUnknown();
    d.in.bytes = uint8_t(bits);
    if (pack) {
      d.dest(out, bitsOf(t));
      for (const Operand *o : parts)
        d.source(*o, part);
    } else {
      for (const Operand *o : parts)
        d.dest(*o, bits);
      d.source(in, t);
    }
    return d.set(pack ? execPack : execUnpack);
  }
  if (in.kind == Operand::Name &&
      (in.name == "%clock" || in.name == "%clock64" || in.name == "%globaltimer" || in.name == "%globaltimer_lo")) {
    d.in.mode = in.name[1] == 'g' ? 2 : 1;
    d.in.type = t;
    d.dest(out, bitsOf(t));
    return d.set(execClock);
  }
  d.simple(t, 1);
  d.set(execAlu, eachLane<Same>);
}

void decodeBfi(Decoder &d) {
  const Type t = d.in.type = d.takeType();
  d.expectOperands(5, 5);
  d.dest(d.operand(0), bitsOf(t));
  d.source(d.operand(1), t);
  d.source(d.operand(2), t);
  d.source(d.operand(3), Type::U32);
  d.source(d.operand(4), Type::U32);
  if (t != Type::B32 && t != Type::B64)
    d.failUnknown();
  d.set(execBfi);
}

} // namespace attn::sim
