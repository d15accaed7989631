//===- Bulk.cpp - cp.async.bulk: linear copies and tensor copies (TMA) -------------===//
//
// Loads are delivered as other copies with an mbarrier are (MBarrier.cpp): their destination is in flight from issue
// until a wait for the phase that their bytes complete. Stores read shared memory until wait_group.read and write
// global memory until wait_group; both belong to the async proxy, so shared memory that threads wrote needs their
// fence.proxy.async, before a store reads it and before a load overwrites it. A tensor map is read as 128 bytes that a
// launch has made; its contents are the simulator's own.
//
//===----------------------------------------------------------------------===//
#include "Decode.h"
#include "Machine.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

namespace {

enum Flags : uint8_t { Store = 1, Tensor = 2, ReadOnly = 4 };

/// 16 bytes of a row: where in shared memory, where in global memory, and which of them lie inside of the tensor.
struct Chunk {
  uint64_t shared, global;
  uint32_t valid;
};

std::vector<Chunk> chunksOf(const TensorMap &t, const int64_t *coordinates, uint64_t base) {
  std::vector<Chunk> result;
  const uint64_t rank = t.dims.size(), perChunk = 16 / t.elementBytes;
  const uint32_t elementMask = (1u << t.elementBytes) - 1;
  for (uint64_t row = 0; row < t.rows(); ++row) {
    uint64_t rest = row;
    int64_t start = int64_t(t.address) + coordinates[0] * int64_t(t.elementBytes);
    bool inside = true;
    for (uint64_t d = 1; d < rank; ++d) {
      const uint64_t count = (t.box[d] + t.elementStrides[d] - 1) / t.elementStrides[d];
      const int64_t at = coordinates[d] + int64_t(rest % count * t.elementStrides[d]);
      rest /= count;
      inside &= at >= 0 && at < int64_t(t.dims[d]);
      start += at * int64_t(t.strides[d - 1]);
    }
    for (uint64_t c = 0; c < t.rowBytes() / 16; ++c) {
      Chunk chunk{base + row * t.rowPitch() + c * 16, uint64_t(start) + c * 16, 0};
      if (t.swizzle)
        chunk.shared ^= (chunk.shared >> 7 & (t.swizzle / 16 - 1)) << 4;
      for (uint64_t e = 0; e < perChunk; ++e) {
        const int64_t x = coordinates[0] + int64_t(c * perChunk + e);
        if (inside && x >= 0 && x < int64_t(t.dims[0]))
          chunk.valid |= elementMask << (e * t.elementBytes);
      }
      result.push_back(chunk);
    }
  }
  return result;
}

const TensorMap &mapAt(Machine &m, Warp &w, const Instr &i, unsigned lane, uint64_t address) {
  const auto b = m.resolve(w, i, lane, Space::Generic, address, 128, 64, false);
  uint64_t words[2];
  memcpy(words, b.data(), 16);
  if (words[0] != tensorMapMagic || words[1] >= m.tensorMaps.size())
    m.stop("undefined", i, fmt::format("{} uses {} as a tensor map, and there is none", m.who(w, lane), m.placeOf(b)),
           "pass the address of a parameter that is a tensor map (--arg tensormap:...)");
  return m.tensorMaps[words[1]];
}

/// The runs of valid bytes of a chunk, each with its address.
template <typename F> void eachRun(const Chunk &c, F f) {
  for (unsigned n = 0; n < 16;) {
    unsigned end = n;
    while (end < 16 && c.valid >> end & 1)
      ++end;
    if (end > n)
      f(n, end - n);
    n = end + 1;
  }
}

void load(Machine &m, Warp &w, const Instr &i, unsigned lane, const std::vector<Chunk> &chunks, uint64_t mbarrier,
          bool nan) {
  AsyncArrival arrival;
  arrival.warp = w.index;
  arrival.lane = lane;
  arrival.pc = m.pcOf(i);
  arrival.mbarrier = mbarrier;
  arrival.bytes = chunks.size() * 16;
  for (const Chunk &c : chunks) {
    Copy copy;
    copy.pc = arrival.pc;
    copy.destination = c.shared;
    copy.bytes = 16;
    copy.captured = true;
    for (unsigned n = 0; n < 16; n += 2)
      copy.data[n] = copy.data[n + 1] = 0;
    if (nan)
      for (unsigned n = 0; n < 16; n += 2)
        copy.data[n] = 0xf7, copy.data[n + 1] = 0x7f;
    eachRun(c, [&](unsigned first, unsigned bytes) {
      const auto s = m.resolve(w, i, lane, Space::Global, c.global + first, bytes, 1, false);
      m.access(w, i, 1u << lane, s, bytes, false);
      m.checkProxy(w, i, s, bytes);
      memcpy(copy.data.data() + first, s.data(), bytes);
      if (const OriginId id = m.poisonOf(w, i, lane, s, bytes))
        copy.poison = id;
    });
    const auto b = m.resolve(w, i, lane, Space::Shared, c.shared, 16, 16, true);
    m.checkAsyncWrite(w, i, lane, b, 16);
    m.checkProxy(w, i, b, 16);
    m.access(w, i, 1u << lane, b, 16, true);
    memset(b.state(), InFlight, 16);
    arrival.copies.push_back(copy);
  }
  m.countBytes(i, "global.bulk-load", arrival.bytes);
  w.cta->asyncArrivals.push_back(std::move(arrival));
  if (m.options.async == AsyncTime::Earliest)
    while (m.deliverOne())
      ;
}

void store(Machine &m, Warp &w, const Instr &i, unsigned lane, const std::vector<Chunk> &chunks) {
  BulkStore result;
  result.pc = m.pcOf(i);
  for (const Chunk &c : chunks) {
    const auto b = m.resolve(w, i, lane, Space::Shared, c.shared, 16, 16, false);
    m.checkProxy(w, i, b, 16);
    m.access(w, i, 1u << lane, b, 16, false);
    ++w.cta->asyncReaders[c.shared / 16];
    result.chunks.push_back(uint32_t(c.shared / 16));
    eachRun(c, [&](unsigned first, unsigned bytes) {
      if (const OriginId id = m.poisonOf(w, i, lane, {b.allocation, b.offset + first}, bytes))
        m.note("poison", i,
               fmt::format("{} stores poison from {} to global memory; it comes from {}", m.who(w, lane),
                           m.placeOf({b.allocation, b.offset + first}), m.originText(id)),
               "initialize that value, or wait for what writes it");
      const auto g = m.resolve(w, i, lane, Space::Global, c.global + first, bytes, 1, true);
      m.checkAsyncWrite(w, i, lane, g, bytes);
      m.access(w, i, 1u << lane, g, bytes, true);
      memset(g.state(), InFlight, bytes);
      Copy copy;
      copy.pc = result.pc;
      copy.destination = c.global + first;
      copy.bytes = uint8_t(bytes);
      memcpy(copy.data.data(), b.data() + first, bytes);
      result.writes.push_back(copy);
    });
  }
  m.countBytes(i, "global.bulk-store", chunks.size() * 16);
  w.copies[lane].bulkOpen.push_back(std::move(result));
}

Step execBulk(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const int32_t *slot = &m.program.slots[i.slots];
  for (unsigned n = 0; n < i.sources; ++n)
    m.demand(w, i, slot[n], mask, n < 2 ? "the address" : "an operand of a bulk copy");
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const auto word = [&](unsigned n) { return w.value(slot[n])[l]; };
    // Operands: shared address, global address or map, mbarrier (loads), size (linear) or coordinates.
    const bool isStore = i.flags & Store, isTensor = i.flags & Tensor;
    uint64_t shared = word(0) + uint64_t(i.offset);
    if (shared - sharedWindow < windowBytes)
      shared -= sharedWindow;
    const unsigned next = isStore ? 2 : 3;
    std::vector<Chunk> chunks;
    bool nan = false;
    if (isTensor) {
      const TensorMap &map = mapAt(m, w, i, l, word(1) + uint64_t(i.sourceOffset));
      if (map.dims.size() != i.count)
        m.stop("undefined", i,
               fmt::format("{} gives {} coordinates to a tensor map of rank {}", m.who(w, l), i.count, map.dims.size()),
               "use the instruction of the map's rank");
      int64_t coordinates[5] = {};
      for (unsigned d = 0; d < i.count; ++d) {
        coordinates[d] = int32_t(uint32_t(word(next + d)));
        if (isStore && coordinates[d] < 0)
          m.stop("undefined", i, fmt::format("{} stores at the negative coordinate {}", m.who(w, l), coordinates[d]),
                 "coordinates of stores are not negative");
      }
      if (shared % 128)
        m.stop("misaligned", i,
               fmt::format("{} copies a tensor tile at shared address {}, which is no multiple of 128", m.who(w, l),
                           shared),
               "align the tile to 128 bytes, and to its swizzle pattern for wgmma");
      chunks = chunksOf(map, coordinates, shared);
      nan = map.fillNan;
    } else {
      const uint64_t size = uint32_t(word(next)), global = word(1) + uint64_t(i.sourceOffset);
      if (size % 16 || shared % 16 || global % 16)
        m.stop("misaligned", i,
               fmt::format("{} copies {} bytes between shared address {} and {:#x}; all three must be multiples of 16",
                           m.who(w, l), size, shared, global),
               "align both sides and the size to 16 bytes");
      for (uint64_t n = 0; n < size; n += 16)
        chunks.push_back({shared + n, global + n, 0xffff});
    }
    if (isStore) {
      store(m, w, i, l, chunks);
      continue;
    }
    const uint64_t barrier = word(2) + uint64_t(int64_t(int32_t(i.target)));
    const auto b =
        m.resolve(w, i, l, Space::Shared, barrier >= sharedWindow ? barrier - sharedWindow : barrier, 8, 8, true);
    if (!w.cta->mbarriers.count(b.offset))
      m.stop("mbarrier", i, fmt::format("{} signals {}, which is no initialized mbarrier", m.who(w, l), m.placeOf(b)),
             "mbarrier.init first, and a barrier before others use it");
    load(m, w, i, l, chunks, b.offset, nan);
  }
  return Step::Next;
}

void finish(Machine &m, Warp &w, unsigned lane, BulkStore &s, bool writesToo) {
  for (const uint32_t chunk : s.chunks)
    --w.cta->asyncReaders[chunk];
  s.chunks.clear();
  if (!writesToo)
    return;
  for (Copy &c : s.writes) {
    const auto g = m.resolve(w, m.program.code[c.pc], lane, Space::Global, c.destination, c.bytes, 1, true);
    memcpy(g.data(), c.data.data(), c.bytes);
    memset(g.state(), Defined, c.bytes);
    m.record(g, c.bytes, m.epochOf(w, lane, c.pc), true);
  }
  s.writes.clear();
}

Step execBulkGroup(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    LaneCopies &c = w.copies[l];
    if (i.mode == 0) {
      c.bulkGroups.push_back(std::move(c.bulkOpen));
      c.bulkOpen.clear();
      continue;
    }
    const size_t n = c.bulkGroups.size(), keep = i.info.imm;
    for (size_t k = 0; k + keep < n; ++k)
      for (BulkStore &s : c.bulkGroups[k])
        finish(m, w, l, s, !(i.flags & ReadOnly));
    if (!(i.flags & ReadOnly))
      while (c.bulkGroups.size() > keep)
        c.bulkGroups.pop_front();
  }
  return Step::Next;
}

} // namespace

void Machine::finishBulk(Warp &w, uint32_t lanes) {
  for (unsigned l = 0; l < warpLanes; ++l) {
    LaneCopies &c = w.copies[l];
    if (!(lanes >> l & 1) || (c.bulkOpen.empty() && c.bulkGroups.empty()))
      continue;
    c.bulkGroups.push_back(std::move(c.bulkOpen));
    for (auto &group : c.bulkGroups)
      for (BulkStore &s : group) {
        if (!s.chunks.empty())
          note("async", program.code[s.pc],
               fmt::format("{} exits while its bulk store may still read shared memory", who(w, l)),
               "cp.async.bulk.wait_group.read 0 before the exit");
        finish(*this, w, l, s, true);
      }
    c.bulkGroups.clear();
    c.bulkOpen.clear();
  }
}

namespace attn::sim {

void decodeBulk(Decoder &d) {
  d.program.usesBulk = true;
  if (d.take("commit_group")) {
    d.expectOperands(0, 0);
    return d.set(execBulkGroup);
  }
  if (d.take("wait_group")) {
    d.in.mode = 1;
    d.in.flags = d.take("read") ? ReadOnly : 0;
    d.expectOperands(1, 1);
    d.in.info.imm = uint32_t(d.integer(d.operand(0), "the number of groups"));
    return d.set(execBulkGroup);
  }
  if (d.has("prefetch") || d.has("multicast::cluster") || d.has("im2col"))
    d.failUnknown();
  const bool tensor = d.take("tensor"), isStore = d.has("bulk_group");
  if (tensor)
    d.in.count = uint8_t(d.takeOneOf({"1d", "2d", "3d", "4d", "5d"}) + 1);
  d.take("tile");
  const bool spaces = d.take("global") && (d.take("shared::cluster") || d.take("shared::cta"));
  if (!spaces || (tensor && !d.in.count) || (isStore ? !d.take("bulk_group") : !d.take("mbarrier::complete_tx::bytes")))
    d.failUnknown();
  d.in.flags = uint8_t((isStore ? Store : 0) | (tensor ? Tensor : 0));
  // dst, [map, {c}], [mbar]    [map, {c}], src    dst, src, size, [mbar]    dst, src, size
  const size_t operands = tensor ? (isStore ? 2 : 3) : isStore ? 3 : 4;
  const bool hint = d.take("L2::cache_hint"); // one more operand, which changes nothing
  d.expectOperands(operands + hint, operands + hint);
  Operand global = d.operand(isStore ? 0 : 1);
  const Operand &shared = d.operand(isStore ? 1 : 0);
  std::vector<Operand> coordinates;
  if (tensor) {
    if (global.elements.size() != 2 || global.elements[1].elements.size() != d.in.count)
      d.fail(global,
             fmt::format("'{}' needs a tensor map and {} coordinates: [map, {{c0, ...}}]", d.st->text, d.in.count));
    coordinates = global.elements[1].elements;
    global.elements.pop_back();
  }
  d.address(shared, Space::Shared);
  const int64_t sharedOffset = d.in.offset;
  d.globalOrMap(global, tensor);
  d.in.sourceOffset = d.in.offset;
  if (!isStore) {
    d.address(d.operand(operands - 1), Space::Shared);
    d.in.target = uint32_t(d.in.offset); // the mbarrier's displacement
  }
  d.in.offset = sharedOffset;
  for (const Operand &c : coordinates)
    d.source(c, Type::S32);
  if (!tensor)
    d.source(d.operand(2), Type::U32);
  d.set(execBulk);
}

} // namespace attn::sim
