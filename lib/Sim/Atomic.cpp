// atom and red: and or xor exch cas add inc dec min max, of integers and floats, in the order of the lanes or against
// it.
#include "Decode.h"
#include "Half.h"
#include "Machine.h"

#include <cmath>

using namespace attn::sim;

namespace {

enum Op : uint8_t { And, Or, Xor, Exch, Cas, Add, Inc, Dec, Min, Max };

uint64_t addFloats(uint64_t a, uint64_t b, Type t) {
  switch (t) {
  case Type::F32:
    return word(as<float>(a) + as<float>(b));
  case Type::F64:
    return word(as<double>(a) + as<double>(b));
  case Type::F16:
    return doubleToHalf(double(halfToFloat(uint16_t(a))) + halfToFloat(uint16_t(b)));
  case Type::BF16:
    return doubleToBfloat(fmaToOdd(bfloatToFloat(uint16_t(a)), 1, bfloatToFloat(uint16_t(b))));
  default: {
    const Type half = t == Type::F16x2 ? Type::F16 : Type::BF16;
    return addFloats(a & 0xffff, b & 0xffff, half) | addFloats(a >> 16 & 0xffff, b >> 16 & 0xffff, half) << 16;
  }
  }
}

uint64_t combine(Op op, Type t, uint64_t old, uint64_t b, uint64_t c) {
  const bool wide = bitsOf(t) == 64;
  const bool less = isSigned(t) ? (wide ? int64_t(old) < int64_t(b) : int32_t(old) < int32_t(b)) : old < b;
  switch (op) {
  case And:
    return old & b;
  case Or:
    return old | b;
  case Xor:
    return old ^ b;
  case Exch:
    return b;
  case Cas:
    return old == b ? c : old;
  case Add:
    return isFloat(t) ? addFloats(old, b, t) : wide ? old + b : uint32_t(old + b);
  case Inc:
    return old >= b ? 0 : old + 1;
  case Dec:
    return old == 0 || old > b ? b : old - 1;
  case Min:
    return less ? old : b;
  default:
    return less ? b : old;
  }
}

Step execAtomic(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots], *from = slot + i.dests;
  m.demand(w, i, from[0], mask, "the address");
  for (unsigned n = 1; n < i.sources; ++n)
    m.demand(w, i, from[n], mask, "an operand of an atomic");
  uint64_t old[warpLanes] = {}, sites[warpLanes] = {};
  uint32_t defined = mask;
  OriginId origins[warpLanes] = {};
  Space where = i.space;
  const bool backwards = m.draw() & 1; // lanes of one instruction have no order
  for (unsigned n = 0; n < warpLanes; ++n) {
    const unsigned l = backwards ? warpLanes - 1 - n : n;
    if (!(mask >> l & 1))
      continue;
    const auto b = m.resolve(w, i, l, i.space, w.value(from[0])[l] + uint64_t(i.offset), i.bytes, i.bytes, true);
    where = b.allocation->space;
    sites[l] = where == Space::Shared ? b.offset : b.allocation->base + b.offset;
    m.checkAsyncWrite(w, i, l, b, i.bytes);
    const OriginId poison = i.mode == Exch && !i.dests ? 0 : m.poisonOf(w, i, l, b, i.bytes);
    m.access(w, i, 1u << l, b, i.bytes, true, i.scope);
    m.strongRead(w, l, b, i.semantics);
    m.strongWrite(w, l, b, i.semantics, true);
    memcpy(&old[l], b.data(), i.bytes);
    if (poison) {
      if (i.mode != Exch)
        m.note("poison", i, m.who(w, l) + " updates " + m.placeOf(b) + ", which holds poison: " + m.originText(poison),
               "initialize it, and pass a barrier before atomics use it");
      defined &= ~(1u << l);
      origins[l] = poison;
    }
    const uint64_t v =
        combine(Op(i.mode), i.type, old[l], w.value(from[1])[l], i.sources > 2 ? w.value(from[2])[l] : 0);
    memcpy(b.data(), &v, i.bytes);
    memset(b.state(), Defined, i.bytes);
  }
  if (i.dests) {
    uint64_t *d = w.target(slot[0]);
    for (unsigned l = 0; l < warpLanes; ++l)
      if (mask >> l & 1)
        d[l] = old[l];
    w.defined[size_t(slot[0])] |= mask;
    for (unsigned l = 0; l < warpLanes; ++l)
      if ((mask & ~defined) >> l & 1)
        m.poison(w, slot[0], 1u << l, origins[l]);
  }
  if (m.options.counters) {
    if (where == Space::Shared)
      m.countShared(i, sites, mask, i.bytes);
    else
      m.countGlobal(i, sites, mask, i.bytes);
    m.countBytes(i, where == Space::Shared ? "shared.atomic" : "global.atomic",
                 uint64_t(__builtin_popcount(mask)) * i.bytes);
  }
  return Step::Next;
}

} // namespace

namespace attn::sim {

void decodeAtomic(Decoder &d) {
  const bool red = d.st->root == "red";
  d.in.scope = Scope::Gpu; // the default is .relaxed.gpu
  d.takeSemantics();
  if (d.in.semantics & Acquire && red)
    d.fail("red never acquires; use atom");
  const Space space = d.takeSpace(Space::Generic);
  d.take("noftz");
  d.takeCacheHints();
  const int op = d.takeOneOf({"and", "or", "xor", "exch", "cas", "add", "inc", "dec", "min", "max"});
  const Type t = d.in.type = d.takeType();
  if (op < 0 || t == Type::Pred || bitsOf(t) == 8 || bitsOf(t) == 128 || (isFloat(t) && op != Add) ||
      (op == Add && !isFloat(t) && !isInteger(t)))
    d.failUnknown();
  if (space == Space::Param || space == Space::Local || space == Space::Const)
    d.fail(std::string("atomics on .") + nameOf(space) + " memory do not exist");
  d.in.mode = uint8_t(op);
  d.in.bytes = uint8_t(bytesOf(t));
  const size_t sources = op == Cas ? 3 : 2, first = red ? 0 : 1;
  d.expectOperands(sources + first, sources + first);
  if (!red && d.operand(0).kind != Operand::Sink)
    d.dest(d.operand(0), bitsOf(t));
  d.address(d.operand(first), space);
  for (size_t n = 1; n < sources; ++n)
    d.source(d.operand(first + n), t);
  d.set(execAtomic);
}

} // namespace attn::sim
