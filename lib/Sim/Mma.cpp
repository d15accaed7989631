//===- Mma.cpp - mma.sync ------------------------------------------------------===//
//
// D = A * B + C on fragments ("Warp Level Matrix Instructions: mma"). With l the lane, g = l / 4, q = l % 4 and w
// elements a register, register r and element e of
//
//   A (16 x K)      stand for row g + 8 (r % 2), column w q + e + 4 w (r / 2)
//   B (K x 8)       row w q + e + 4 w r, column g
//   C, D of 32 bits row g + 8 (r / 2), column 2 q + r % 2
//   C, D of f16     row g + 8 r, column 2 q + e
//
// f64 (m8n8k4) has one element a register: A row g, column q; B row q, column g; C, D row g, column 2 q + r.
// The ISA leaves the order of the sum open: the seed draws one for each place of an element (seeds 4 n + 2: one for all
// places, as GPUs seem to have it; bits of a row then do not go by its place), and sums in f32 round after each step.
// It is the same for every instruction, as for those of any one device: what a kernel computes twice from the same
// numbers has the same bits.
//
//===----------------------------------------------------------------------===//
#include "Decode.h"
#include "Half.h"
#include "Machine.h"

#include <algorithm>

#include <cmath>

using namespace attn::sim;

namespace {

struct Shape {
  int m, n, k;
  const char *name;
};
constexpr Shape shapes[] = {{16, 8, 8, "m16n8k8"},
                            {16, 8, 16, "m16n8k16"},
                            {16, 8, 4, "m16n8k4"},
                            {16, 8, 32, "m16n8k32"},
                            {8, 8, 4, "m8n8k4"}};

double element(uint64_t bits, Type t) {
  switch (t) {
  case Type::F16:
    return halfToFloat(uint16_t(bits));
  case Type::BF16:
    return bfloatToFloat(uint16_t(bits));
  case Type::TF32:
    return as<float>(bits & 0xffffe000); // the low 13 bits are no part of the number
  case Type::E4M3:
    return widen(uint32_t(bits & 0xff), e4m3Format);
  case Type::E5M2:
    return widen(uint32_t(bits & 0xff), e5m2Format);
  case Type::S8:
    return int8_t(bits);
  case Type::U8:
    return uint8_t(bits);
  default:
    return as<double>(bits);
  }
}

struct Matrix {
  double at[16][32] = {};
  bool poison[16][32] = {};
};

Step execMma(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (!m.aligned(w, i, mask))
    return Step::Wait;
  const Shape &s = shapes[i.mode];
  const int32_t *slot = &m.program.slots[i.slots];
  const Type typeA = i.type, typeB = i.from, typeC = Type(i.info.imm & 0xff), typeD = Type(i.info.imm >> 8);
  const bool wide = typeA == Type::F64, integers = typeC == Type::S32;
  const int bits = wide ? 64 : int(bitsOf(typeA)), per = wide ? 1 : 32 / bits;
  const int countA = wide ? 1 : s.m * s.k / 32 / per, countB = wide ? 1 : s.k * 8 / 32 / per;
  static thread_local Matrix a, b; // b is stored by column
  uint32_t poisonRows = 0, poisonColumns = 0;
  const int32_t *slotA = slot + i.dests, *slotB = slotA + countA, *slotC = slotB + countB;
  const uint64_t low = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  for (int r = 0; r < countA; ++r) {
    const uint64_t *v = w.value(slotA[r]);
    const uint32_t defined = w.definedOf(slotA[r]);
    for (int l = 0; l < 32; ++l) {
      const int row = l / 4 + 8 * (r % 2);
      for (int e = 0; e < per; ++e)
        a.at[row][per * (l % 4) + e + 4 * per * (r / 2)] = element(v[l] >> (bits * e) & low, typeA);
      if (!(defined >> l & 1))
        poisonRows |= 1u << row;
    }
  }
  for (int r = 0; r < countB; ++r) {
    const uint64_t *v = w.value(slotB[r]);
    const uint32_t defined = w.definedOf(slotB[r]);
    for (int l = 0; l < 32; ++l) {
      for (int e = 0; e < per; ++e)
        b.at[l / 4][per * (l % 4) + e + 4 * per * r] = element(v[l] >> (bits * e) & low, typeB);
      if (!(defined >> l & 1))
        poisonColumns |= 1u << (l / 4);
    }
  }
  const bool halfC = typeC == Type::F16, halfD = typeD == Type::F16;
  uint64_t out[4][32] = {};
  uint32_t good[4] = {allLanes, allLanes, allLanes, allLanes};
  const int values = s.m * 8 / 32; // elements of D a lane
  for (int l = 0; l < 32; ++l)
    for (int n = 0; n < values; ++n) {
      const int row = l / 4 + (wide ? 0 : 8 * (n / 2)), column = 2 * (l % 4) + n % 2;
      const int registerC = halfC ? n / 2 : n;
      uint64_t c = w.value(slotC[registerC])[l];
      if (halfC)
        c = c >> (16 * (n % 2)) & 0xffff;
      const bool bad =
          poisonRows >> row & 1 || poisonColumns >> column & 1 || !(w.definedOf(slotC[registerC]) >> l & 1);
      uint64_t d;
      const unsigned place = i.info.seed % 4 == 2 ? 0 : unsigned(row * 8 + column);
      const int start = int((place + i.info.seed) % unsigned(s.k));
      const auto k = [&](int n) { return n + start < s.k ? n + start : n + start - s.k; };
      if (integers) {
        int64_t sum = as<int32_t>(c);
        for (int n = 0; n < s.k; ++n)
          sum += int64_t(a.at[row][n] * b.at[column][n]);
        if (i.info.sat)
          sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
        d = uint32_t(sum);
      } else if (wide) {
        double sum = as<double>(c);
        for (int n = 0; n < s.k; ++n)
          sum = std::fma(a.at[row][k(n)], b.at[column][k(n)], sum);
        d = word(sum);
      } else {
        float sum = halfC ? halfToFloat(uint16_t(c)) : as<float>(c);
        for (int n = 0; n < s.k; ++n)
          sum = float(double(sum) + a.at[row][k(n)] * b.at[column][k(n)]);
        d = halfD ? floatToHalf(sum) : sum != sum ? 0x7fffffff : word(sum);
      }
      const int registerD = halfD ? n / 2 : n;
      out[registerD][l] |= halfD ? d << (16 * (n % 2)) : d;
      if (bad)
        good[registerD] &= ~(1u << l);
    }
  for (unsigned r = 0; r < i.dests; ++r) {
    std::copy_n(out[r], 32, w.target(slot[r]));
    w.defined[size_t(slot[r])] = allLanes;
  }
  uint32_t anyBad = ~(good[0] & good[1] & good[2] & good[3]);
  if (anyBad) { // one origin for all: the first poisoned operand's
    OriginId id = 0;
    for (int n = 0; n < i.sources && !id; ++n)
      if (const uint32_t bad = ~w.definedOf(slot[i.dests + n])) {
        id = m.originOf(w, slot[i.dests + n], unsigned(__builtin_ctz(bad)));
        if (!id)
          id = m.origin("register " + m.program.registerNames[size_t(slot[i.dests + n])] +
                        ", which was never written before line " + std::to_string(i.line));
      }
    for (unsigned r = 0; r < i.dests; ++r)
      m.poison(w, slot[r], ~good[r], id);
  }
  return Step::Next;
}

} // namespace

namespace attn::sim {

void decodeMma(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned"))
    d.failUnknown();
  int shape = -1;
  for (int n = 0; n < int(std::size(shapes)); ++n)
    if (d.take(shapes[n].name))
      shape = n;
  if (shape < 0 || !d.take("row") || !d.take("col"))
    d.failUnknown();
  d.in.info.sat = d.take("satfinite");
  d.in.mode = uint8_t(shape);
  const Type out = d.takeType(), a = d.in.type = d.takeType(), b = d.in.from = d.takeType(), c = d.takeType();
  d.in.info.imm = uint32_t(c) | uint32_t(out) << 8;
  const Shape &s = shapes[shape];
  const auto byteFloat = [](Type t) { return t == Type::E4M3 || t == Type::E5M2; };
  const auto byteInteger = [](Type t) { return t == Type::S8 || t == Type::U8; };
  const bool floats = (out == Type::F32 || out == Type::F16) && (c == Type::F32 || c == Type::F16);
  const bool known =
      (a == b && a == Type::F16 && floats && (s.k == 8 || s.k == 16) && s.m == 16) ||
      (a == b && a == Type::BF16 && out == Type::F32 && c == out && (s.k == 8 || s.k == 16) && s.m == 16) ||
      (a == b && a == Type::TF32 && out == Type::F32 && c == out && (s.k == 4 || s.k == 8) && s.m == 16) ||
      (byteFloat(a) && byteFloat(b) && floats && (s.k == 32 || s.k == 16) && s.m == 16) ||
      (byteInteger(a) && byteInteger(b) && out == Type::S32 && c == out && (s.k == 16 || s.k == 32) && s.m == 16) ||
      (a == b && a == Type::F64 && out == a && c == a && s.m == 8);
  if (!known)
    d.failUnknown();
  d.expectOperands(4, 4);
  const bool wide = a == Type::F64;
  const unsigned per = wide ? 1 : 32 / bitsOf(a);
  const auto accumulators = [&](Type t) { return wide ? 2u : t == Type::F16 ? 2u : 4u; };
  const size_t counts[4] = {accumulators(out), wide ? 1 : s.m * unsigned(s.k) / 32 / per,
                            wide ? 1 : unsigned(s.k) * 8 / 32 / per, accumulators(c)};
  for (size_t n = 0; n < 4; ++n) {
    const auto parts = d.elements(d.operand(n));
    if (parts.size() != counts[n])
      d.fail(d.operand(n), "operand " + std::to_string(n) + " of '" + d.st->text + "' has " +
                               std::to_string(counts[n]) + " registers");
    for (const Operand *o : parts)
      if (n == 0)
        d.dest(*o, wide ? 64 : 32);
      else
        d.source(*o, wide ? Type::B64 : Type::B32);
  }
  d.set(execMma);
}

} // namespace attn::sim
