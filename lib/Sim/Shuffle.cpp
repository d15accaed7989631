// Instructions by which lanes exchange values: shfl.sync, vote.sync, match.sync, activemask, redux.sync, elect.sync.
// None of them orders memory.
#include "Decode.h"
#include "Machine.h"

#include <fmt/format.h>

using namespace attn::sim;

namespace {

/// The lanes that take part, once they are together; none while they are not.
uint32_t members(Machine &m, Warp &w, const Instr &i, uint32_t mask, int32_t slot) {
  m.demand(w, i, slot, mask, "the member mask");
  const unsigned first = unsigned(__builtin_ctz(mask));
  const uint32_t named = uint32_t(w.value(slot)[first]);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const uint32_t own = uint32_t(w.value(slot)[l]);
    if (!(own >> l & 1))
      m.stop("divergence", i, fmt::format("{} executes this but is not in its member mask {:#010x}", m.who(w, l), own),
             "name every executing lane in the mask");
    if (own != named)
      m.stop("divergence", i,
             fmt::format("lanes of warp {} execute this together with different member masks {:#010x} and {:#010x}",
                         w.index, named, own),
             "give all lanes of one group the same mask");
  }
  const uint32_t need = named & w.alive;
  return m.together(w, i, mask, need) ? need : 0;
}

enum ShuffleMode : uint8_t { Up, Down, Bfly, Idx };

Step execShuffle(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots], *from = slot + i.dests;
  const uint32_t group = members(m, w, i, mask, from[3]);
  if (!group)
    return Step::Wait;
  m.demand(w, i, from[1], group, "the lane operand");
  m.demand(w, i, from[2], group, "the clamp operand");
  const uint64_t *a = w.value(from[0]), *b = w.value(from[1]), *c = w.value(from[2]);
  const uint32_t defined = w.definedOf(from[0]);
  uint64_t r[warpLanes] = {};
  uint32_t valid = 0, good = 0;
  OriginId origins[warpLanes] = {};
  for (int l = 0; l < int(warpLanes); ++l) {
    if (!(group >> l & 1))
      continue;
    const int clamp = int(c[l] & 31), segment = int(c[l] >> 8 & 31), offset = int(b[l] & 31);
    const int top = (l & segment) | (clamp & ~segment);
    int j = i.mode == Up     ? l - offset
            : i.mode == Down ? l + offset
            : i.mode == Bfly ? l ^ offset
                             : (l & segment) | (offset & ~segment);
    const bool inside = i.mode == Up ? j >= top : j <= top;
    if (inside)
      valid |= 1u << l;
    else
      j = l;
    r[l] = a[j];
    if (!(group >> j & 1))
      origins[l] =
          m.origin(fmt::format("a shuffle at line {} that read lane {}, which takes no part in it", i.line, j));
    else if (!(defined >> j & 1))
      origins[l] = m.originOf(w, from[0], unsigned(j));
    if (!(group >> j & 1) || !(defined >> j & 1)) {
      if (!origins[l])
        origins[l] =
            m.origin(fmt::format("register {} of lane {}, which was never written before the shuffle at line {}",
                                 m.program.registerNames[size_t(from[0])], j, i.line));
      continue;
    }
    good |= 1u << l;
  }
  uint64_t *d = w.target(slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (group >> l & 1) {
      d[l] = r[l];
      w.defined[size_t(slot[0])] |= 1u << l;
      if (!(good >> l & 1))
        m.poison(w, slot[0], 1u << l, origins[l]);
    }
  if (i.dests == 2) {
    uint64_t *p = w.target(slot[1]);
    for (unsigned l = 0; l < warpLanes; ++l)
      if (group >> l & 1)
        p[l] = valid >> l & 1;
    w.defined[size_t(slot[1])] |= group;
  }
  return Step::Next;
}

enum VoteMode : uint8_t { All, Any, Uniform, Ballot };

void setAll(Machine &m, Warp &w, const Instr &i, uint32_t mask, uint64_t value) {
  const int32_t slot = m.program.slots[i.slots];
  uint64_t *d = w.target(slot);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1)
      d[l] = value;
  w.defined[size_t(slot)] |= mask;
}

Step execVote(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *from = &m.program.slots[i.slots + i.dests];
  const uint32_t group = members(m, w, i, mask, from[1]);
  if (!group)
    return Step::Wait;
  m.demand(w, i, from[0], group, "the predicate that is voted on");
  uint32_t yes = 0;
  for (unsigned l = 0; l < warpLanes; ++l)
    if (group >> l & 1 && ((w.value(from[0])[l] & 1) != (i.flags & 1u)))
      yes |= 1u << l;
  const bool all = yes == group, any = yes != 0;
  setAll(m, w, i, group, i.mode == All ? all : i.mode == Any ? any : i.mode == Uniform ? all || !any : yes);
  return Step::Next;
}

Step execActiveMask(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  setAll(m, w, i, mask, mask);
  return Step::Next;
}

enum Reduction : uint8_t { Add, Min, Max, And, Or, Xor };

Step execRedux(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *from = &m.program.slots[i.slots + i.dests];
  const uint32_t group = members(m, w, i, mask, from[1]);
  if (!group)
    return Step::Wait;
  m.demand(w, i, from[0], group, "the value that is reduced");
  uint32_t r = 0;
  bool first = true;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(group >> l & 1))
      continue;
    const uint32_t x = uint32_t(w.value(from[0])[l]);
    const bool less = i.type == Type::S32 ? int32_t(x) < int32_t(r) : x < r;
    r = first           ? x
        : i.mode == Add ? r + x
        : i.mode == Min ? (less ? x : r)
        : i.mode == Max ? (less ? r : x)
        : i.mode == And ? r & x
        : i.mode == Or  ? r | x
                        : r ^ x;
    first = false;
  }
  setAll(m, w, i, group, r);
  return Step::Next;
}

Step execMatch(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots], *from = slot + i.dests;
  const uint32_t group = members(m, w, i, mask, from[1]);
  if (!group)
    return Step::Wait;
  m.demand(w, i, from[0], group, "the value that is matched");
  const uint64_t *a = w.value(from[0]);
  uint64_t r[warpLanes] = {};
  bool all = true;
  for (unsigned l = 0; l < warpLanes; ++l)
    for (unsigned k = 0; k < warpLanes; ++k)
      if (group >> l & 1 && group >> k & 1) {
        if (a[l] == a[k])
          r[l] |= 1u << k;
        else
          all = false;
      }
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(group >> l & 1))
      continue;
    w.target(slot[0])[l] = i.mode ? r[l] : all ? group : 0;
    if (i.dests == 2)
      w.target(slot[1])[l] = all;
  }
  for (unsigned n = 0; n < i.dests; ++n)
    w.defined[size_t(slot[n])] |= group;
  return Step::Next;
}

/// Any lane may be the leader, the same for one mask every time: the seed says which.
Step execElect(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  const uint32_t group = members(m, w, i, mask, slot[i.dests]);
  if (!group)
    return Step::Wait;
  unsigned n = unsigned((i.info.seed * 0x9e3779b97f4a7c15 + group) >> 32) % unsigned(__builtin_popcount(group));
  uint32_t left = group;
  while (n--)
    left &= left - 1;
  const unsigned leader = unsigned(__builtin_ctz(left));
  setAll(m, w, i, group, leader);
  uint64_t *p = w.target(slot[1]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (group >> l & 1)
      p[l] = l == leader;
  w.defined[size_t(slot[1])] |= group;
  return Step::Next;
}

void destPair(Decoder &d, unsigned bits, bool both) {
  const Operand &out = d.operand(0);
  if (out.kind == Operand::Pair) {
    d.dest(out.elements[0], bits);
    d.dest(out.elements[1], 1);
  } else if (both) {
    d.fail(out, "'" + d.st->text + "' writes a register and a predicate: d|p");
  } else {
    d.dest(out, bits);
  }
}

} // namespace

namespace attn::sim {

void decodeShuffle(Decoder &d) {
  if (!d.take("sync"))
    d.failUnknown();
  const int mode = d.takeOneOf({"up", "down", "bfly", "idx"});
  if (mode < 0 || d.takeType() != Type::B32)
    d.failUnknown();
  d.in.mode = uint8_t(mode);
  d.expectOperands(5, 5);
  destPair(d, 32, false);
  for (size_t n = 1; n < 5; ++n)
    d.source(d.operand(n), Type::B32);
  d.set(execShuffle);
}

void decodeVote(Decoder &d) {
  if (!d.take("sync"))
    d.failUnknown();
  const int mode = d.takeOneOf({"all", "any", "uni", "ballot"});
  const Type t = d.takeType();
  if (mode < 0)
    d.failUnknown();
  d.in.mode = uint8_t(mode);
  d.expectOperands(3, 3);
  d.dest(d.operand(0), bitsOf(t));
  Operand p = d.operand(1);
  d.in.flags = p.negated;
  p.negated = false;
  d.source(p, Type::Pred);
  d.source(d.operand(2), Type::U32);
  d.set(execVote);
}

void decodeActiveMask(Decoder &d) {
  d.takeType();
  d.expectOperands(1, 1);
  d.dest(d.operand(0), 32);
  d.set(execActiveMask);
}

void decodeRedux(Decoder &d) {
  if (!d.take("sync"))
    d.failUnknown();
  const int op = d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  d.in.type = d.takeType();
  if (op < 0 || bitsOf(d.in.type) != 32 || isFloat(d.in.type))
    d.failUnknown();
  d.in.mode = uint8_t(op);
  d.expectOperands(3, 3);
  d.dest(d.operand(0), 32);
  d.source(d.operand(1), Type::B32);
  d.source(d.operand(2), Type::B32);
  d.set(execRedux);
}

void decodeMatch(Decoder &d) {
  const int mode = d.takeOneOf({"all", "any"});
  if (mode < 0 || !d.take("sync"))
    d.failUnknown();
  d.in.mode = uint8_t(mode);
  const Type t = d.takeType();
  d.expectOperands(3, 3);
  destPair(d, 32, false);
  d.source(d.operand(1), t);
  d.source(d.operand(2), Type::U32);
  d.set(execMatch);
}

void decodeElect(Decoder &d) {
  if (!d.take("sync"))
    d.failUnknown();
  d.expectOperands(2, 2);
  destPair(d, 32, true);
  d.source(d.operand(1), Type::U32);
  d.set(execElect);
}

} // namespace attn::sim
