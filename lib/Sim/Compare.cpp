// setp, set, selp, slct.
#include "Decode.h"
#include "Half.h"
#include "Machine.h"

#include <cmath>

using namespace attn::sim;

namespace {

enum Relation : uint8_t { Eq, Ne, Lt, Le, Gt, Ge, Lo, Ls, Hi, Hs, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };
enum Combine : uint8_t { Alone, And, Or, Xor };

template <typename T> bool compareNumbers(T x, T y, uint8_t relation) {
  const bool unordered = x != x || y != y;
  switch (relation) {
  case Eq:
    return x == y;
  case Ne:
    return !unordered && x != y;
  case Lt:
  case Lo:
    return x < y;
  case Le:
  case Ls:
    return x <= y;
  case Gt:
  case Hi:
    return x > y;
  case Ge:
  case Hs:
    return x >= y;
  case Equ:
    return unordered || x == y;
  case Neu:
    return unordered || x != y;
  case Ltu:
    return unordered || x < y;
  case Leu:
    return unordered || x <= y;
  case Gtu:
    return unordered || x > y;
  case Geu:
    return unordered || x >= y;
  case Num:
    return !unordered;
  default:
    return unordered;
  }
}

bool compareWords(uint64_t a, uint64_t b, Type t, const AluInfo &info) {
  const uint8_t r = info.compare;
  switch (t) {
  case Type::S16:
    return compareNumbers(as<int16_t>(a), as<int16_t>(b), r);
  case Type::S32:
    return compareNumbers(as<int32_t>(a), as<int32_t>(b), r);
  case Type::S64:
    return compareNumbers(as<int64_t>(a), as<int64_t>(b), r);
  case Type::F16:
    return compareNumbers(halfToFloat(uint16_t(a)), halfToFloat(uint16_t(b)), r);
  case Type::BF16:
    return compareNumbers(bfloatToFloat(uint16_t(a)), bfloatToFloat(uint16_t(b)), r);
  case Type::F32: {
    float x = as<float>(a), y = as<float>(b);
    if (info.ftz) {
      x = std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
      y = std::fabs(y) < 0x1p-126f ? std::copysign(0.0f, y) : y;
    }
    return compareNumbers(x, y, r);
  }
  case Type::F64:
    return compareNumbers(as<double>(a), as<double>(b), r);
  default:
    return compareNumbers(a, b, r); // words of any width are zero above it
  }
}

bool combine(bool x, uint64_t c, uint8_t how, bool negated) {
  const bool p = bool(c & 1) != negated;
  return how == And ? x && p : how == Or ? x || p : how == Xor ? x != p : x;
}

/// p[|q] = (a rel b) with c; f16x2 compares the lower halves into p and the upper ones into q.
Step execSetp(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  const int32_t *from = slot + i.dests;
  const uint64_t *a = w.value(from[0]), *b = w.value(from[1]), *c = i.mode ? w.value(from[2]) : a;
  const bool packed = i.type == Type::F16x2 || i.type == Type::BF16x2, negated = i.flags & 1;
  const Type t = i.type == Type::F16x2 ? Type::F16 : i.type == Type::BF16x2 ? Type::BF16 : i.type;
  uint64_t p[warpLanes], q[warpLanes];
  for (unsigned l = 0; l < warpLanes; ++l) {
    const bool low = compareWords(packed ? a[l] & 0xffff : a[l], packed ? b[l] & 0xffff : b[l], t, i.info);
    p[l] = combine(low, c[l], i.mode, negated);
    q[l] = combine(packed ? compareWords(a[l] >> 16, b[l] >> 16, t, i.info) : !low, c[l], i.mode, negated);
  }
  uint32_t defined = w.definedOf(from[0]) & w.definedOf(from[1]);
  if (i.mode)
    defined &= w.definedOf(from[2]);
  for (unsigned n = 0; n < i.dests; ++n) {
    uint64_t *d = w.target(slot[n]);
    const uint64_t *r = n ? q : p;
    for (unsigned l = 0; l < warpLanes; ++l)
      d[l] = mask >> l & 1 ? r[l] : d[l];
    m.write(w, i, slot[n], mask, defined);
  }
  return Step::Next;
}

/// Only the chosen operand's poison counts.
Step execSelp(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  const uint64_t *a = w.value(slot[1]), *b = w.value(slot[2]), *c = w.value(slot[3]);
  uint64_t *d = w.target(slot[0]);
  uint32_t chosen = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    const bool first = i.mode == 0 ? c[l] & 1 : i.mode == 1 ? as<int32_t>(c[l]) >= 0 : as<float>(c[l]) >= 0;
    chosen |= uint32_t(first) << l;
  }
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1)
      d[l] = chosen >> l & 1 ? a[l] : b[l];
  m.write(w, i, slot[0], mask,
          w.definedOf(slot[3]) & ((chosen & w.definedOf(slot[1])) | (~chosen & w.definedOf(slot[2]))));
  return Step::Next;
}

struct Set { // all ones or 1.0 for true
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    const Type from = Type(info.imm & 0xff), to = Type(info.imm >> 8 & 0xff);
    const bool x = combine(compareWords(a, b, from, info), c, uint8_t(info.imm >> 16 & 0xff), info.wrap);
    return !x                 ? 0
           : to == Type::F32  ? 0x3f800000
           : to == Type::F16  ? 0x3c00
           : to == Type::BF16 ? 0x3f80
           : bitsOf(to) == 16 ? 0xffff
                              : 0xffffffff;
  }
};

uint8_t takeRelation(Decoder &d) {
  const int r = d.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu",
                             "gtu", "geu", "num", "nan"});
  if (r < 0)
    d.failUnknown();
  return uint8_t(r);
}

uint8_t takeCombine(Decoder &d) {
  // "and" and its kin are no types, so they cannot be mistaken.
  return uint8_t(d.takeOneOf({"and", "or", "xor"}) + 1);
}

} // namespace

namespace attn::sim {

void decodeSetp(Decoder &d) {
  d.in.info.compare = takeRelation(d);
  d.in.mode = takeCombine(d);
  d.in.info.ftz = d.take("ftz");
  const Type t = d.in.type = d.takeType();
  d.expectOperands(d.in.mode ? 4 : 3, d.in.mode ? 4 : 3);
  const Operand &out = d.operand(0);
  if (out.kind == Operand::Pair) {
    d.dest(out.elements[0], 1);
    d.dest(out.elements[1], 1);
  } else {
    d.dest(out, 1);
  }
  d.source(d.operand(1), t);
  d.source(d.operand(2), t);
  if (d.in.mode) {
    Operand c = d.operand(3);
    d.in.flags = c.negated;
    c.negated = false;
    d.source(c, Type::Pred);
  }
  d.set(execSetp);
}

void decodeSet(Decoder &d) {
  d.in.info.compare = takeRelation(d);
  const uint8_t how = takeCombine(d);
  d.in.info.ftz = d.take("ftz");
  const Type to = d.takeType(), from = d.takeType();
  d.in.info.imm = uint32_t(from) | uint32_t(to) << 8 | uint32_t(how) << 16;
  d.expectOperands(how ? 4 : 3, how ? 4 : 3);
  d.dest(d.operand(0), bitsOf(to));
  d.source(d.operand(1), from);
  d.source(d.operand(2), from);
  if (how) {
    Operand c = d.operand(3);
    d.in.info.wrap = c.negated;
    c.negated = false;
    d.source(c, Type::Pred);
  }
  d.set(execAlu, bitsOf(from) == 32 && (from == Type::F16x2 || from == Type::BF16x2) ? nullptr : eachLane<Set>);
}

void decodeSelp(Decoder &d) {
  const Type t = d.takeType();
  d.expectOperands(4, 4);
  d.dest(d.operand(0), bitsOf(t));
  d.source(d.operand(1), t);
  d.source(d.operand(2), t);
  if (d.st->root == "selp") {
    d.source(d.operand(3), Type::Pred);
  } else {
    const Type by = d.takeType();
    d.in.mode = by == Type::S32 ? 1 : 2;
    if (by != Type::S32 && by != Type::F32)
      d.failUnknown();
    d.source(d.operand(3), by);
  }
  d.set(execSelp);
}

} // namespace attn::sim
