// ldmatrix, stmatrix, movmatrix.
//
// Lane 8 m + r has the address of row r (16 bytes) of matrix m. Register m of lane l holds elements (g, 2q) low and (g,
// 2q + 1) high of matrix m, with .trans (2q, g) and (2q + 1, g); the first index is the stored row. Every lane needs
// data of rows that others point at, so an access counts as one by all of the warp's lanes.
#include "Decode.h"
#include "Machine.h"

#include <algorithm>

using namespace attn::sim;

namespace {

struct Rows {
  Machine::Bytes bytes[32];
  OriginId poison[32] = {};
};

bool findRows(Machine &m, Warp &w, const Instr &i, int32_t base, Rows &rows, bool store) {
  const uint32_t lanes = i.count == 4 ? allLanes : (1u << (8 * i.count)) - 1;
  m.demand(w, i, base, lanes, "the address");
  uint64_t sites[32] = {};
  for (unsigned l = 0; l < 8u * i.count; ++l) {
    auto &b = rows.bytes[l] = m.resolve(w, i, l, i.space, w.value(base)[l] + uint64_t(i.offset), 16, 16, store);
    if (b.allocation->space != Space::Shared)
      m.stop("bounds", i, m.who(w, l) + " gives an address that is not in shared memory",
             "convert it with cvta.to.shared");
    sites[l] = b.offset;
    if (store)
      m.checkAsyncWrite(w, i, l, b, 16);
    else
      rows.poison[l] = m.poisonOf(w, i, l, b, 16);
    m.access(w, i, store ? 1u << l : w.lanes, b, 16, store);
  }
  if (m.options.counters) { // each matrix is one pass at best
    m.countShared(i, sites, lanes, 16);
    m.countBytes(i, store ? "shared.store" : "shared.load", 128u * i.count);
  }
  return true;
}

Step execLoadMatrix(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (!m.aligned(w, i, mask))
    return Step::Wait;
  const int32_t *slot = &m.program.slots[i.slots];
  Rows rows;
  findRows(m, w, i, slot[i.dests], rows, false);
  for (unsigned k = 0; k < i.count; ++k) {
    uint64_t *d = w.target(slot[k]);
    w.defined[size_t(slot[k])] = allLanes;
    for (unsigned l = 0; l < 32; ++l) {
      const unsigned g = l / 4, q = l % 4;
      uint64_t v = 0;
      OriginId bad = 0;
      for (unsigned e = 0; e < 2; ++e) {
        const unsigned row = i.mode ? 2 * q + e : g, column = i.mode ? g : 2 * q + e;
        uint16_t half;
        memcpy(&half, rows.bytes[8 * k + row].data() + 2 * column, 2);
        v |= uint64_t(half) << (16 * e);
        if (rows.poison[8 * k + row])
          if (rows.bytes[8 * k + row].state()[2 * column] || rows.bytes[8 * k + row].state()[2 * column + 1])
            bad = rows.poison[8 * k + row];
      }
      d[l] = v;
      if (bad)
        m.poison(w, slot[k], 1u << l, bad);
    }
  }
  return Step::Next;
}

Step execStoreMatrix(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (!m.aligned(w, i, mask))
    return Step::Wait;
  const int32_t *slot = &m.program.slots[i.slots];
  Rows rows;
  findRows(m, w, i, slot[0], rows, true);
  for (unsigned k = 0; k < i.count; ++k)
    for (unsigned l = 0; l < 32; ++l) {
      const unsigned g = l / 4, q = l % 4;
      const uint64_t v = w.value(slot[1 + k])[l];
      const bool good = w.definedOf(slot[1 + k]) >> l & 1;
      for (unsigned e = 0; e < 2; ++e) {
        const unsigned row = i.mode ? 2 * q + e : g, column = i.mode ? g : 2 * q + e;
        auto &b = rows.bytes[8 * k + row];
        const uint16_t half = uint16_t(v >> (16 * e));
        memcpy(b.data() + 2 * column, &half, 2);
        memset(b.state() + 2 * column, good ? Defined : StoredPoison, 2);
        if (!good)
          b.allocation->origins[b.offset + 2 * column] = b.allocation->origins[b.offset + 2 * column + 1] =
              m.originOf(w, slot[1 + k], l);
      }
    }
  return Step::Next;
}

/// d is the transpose of a: the low half of lane l comes from element (2q, g), the high one from (2q + 1, g).
Step execMoveMatrix(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (!m.aligned(w, i, mask))
    return Step::Wait;
  const int32_t *slot = &m.program.slots[i.slots];
  uint64_t r[32];
  uint32_t defined = 0;
  for (unsigned l = 0; l < 32; ++l) {
    const unsigned g = l / 4, q = l % 4, low = (2 * q) * 4 + g / 2, high = (2 * q + 1) * 4 + g / 2,
                   shift = 16 * (g % 2);
    r[l] = (w.value(slot[1])[low] >> shift & 0xffff) | (w.value(slot[1])[high] >> shift & 0xffff) << 16;
    if (w.definedOf(slot[1]) >> low & 1 && w.definedOf(slot[1]) >> high & 1)
      defined |= 1u << l;
  }
  std::copy_n(r, 32, w.target(slot[0]));
  m.write(w, i, slot[0], mask, defined);
  return Step::Next;
}

} // namespace

namespace attn::sim {

void decodeMatrix(Decoder &d) {
  const std::string &root = d.st->root;
  if (!d.take("sync") || !d.take("aligned"))
    d.failUnknown();
  const int num = d.takeOneOf({"x1", "x2", "x4"});
  const bool trans = d.take("trans");
  if (!d.take("m8n8"))
    d.failUnknown();
  d.in.mode = trans;
  if (root == "movmatrix") {
    if (d.takeType() != Type::B16 || !trans)
      d.failUnknown();
    d.expectOperands(2, 2);
    d.dest(d.operand(0), 32);
    d.source(d.operand(1), Type::B32);
    return d.set(execMoveMatrix);
  }
  const Space space = d.takeSpace(Space::Generic);
  if (d.takeType() != Type::B16 || num < 0 || (space != Space::Shared && space != Space::Generic))
    d.failUnknown();
  d.in.count = uint8_t(1 << num);
  d.expectOperands(2, 2);
  const bool store = root == "stmatrix";
  const auto parts = d.elements(d.operand(store ? 1 : 0));
  if (parts.size() != d.in.count)
    d.fail("'" + d.st->text + "' needs " + std::to_string(d.in.count) + " registers");
  if (store)
    d.address(d.operand(0), space);
  for (const Operand *o : parts)
    if (store)
      d.source(*o, Type::B32);
    else
      d.dest(*o, 32);
  if (!store)
    d.address(d.operand(1), space);
  d.set(store ? execStoreMatrix : execLoadMatrix);
}

} // namespace attn::sim
