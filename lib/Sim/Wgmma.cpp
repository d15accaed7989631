//===- Wgmma.cpp - wgmma and the fence of its proxy ------------------------------===//
//
// D (64 x N) = A * B + D by four warps ("Asynchronous Warpgroup Level Matrix Instructions"). Warp w of the group owns
// rows 16 w to 16 w + 15, so each warp runs on its own. With g = lane / 4, q = lane % 4: accumulator register i is row
// g + 8 (i / 2 % 2), column 8 (i / 4) + 2 q + i % 2; A in registers is laid out as for mma.sync.
//
// A descriptor names a tile of shared memory: start, LBO, SBO (bytes / 16) and a swizzle S of 0, 32, 64 or 128 bytes.
// Byte of element (mn, k), s bytes an element, before the swizzle moves chunks of 16 bytes by the address bits above
// them:
//
//   K-major    no swizzle  mn%8 16 + mn/8 SBO + ks/16 LBO + ks%16          S   mn%8 S + mn/8 SBO + ks
//   MN-major   no swizzle  b%16 + b/16 SBO + k%8 16 + k/8 LBO, b = mn s    S   b%S + b/S LBO + k%8 S + k/8 SBO
//
// What is checked: `wgmma.fence` after other instructions touched the registers; no use of accumulators and no write to
// A registers or to the tiles before the wait; equal descriptors in the four warps; and that every thread that wrote a
// tile executed fence.proxy.async behind its writes and before the edge by which this warp knows of them (a finding of
// its own kind, "proxy").
//
//===----------------------------------------------------------------------===//
#include "Decode.h"
#include "Half.h"
#include "Machine.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

namespace {

enum Mode : uint8_t { Fence, Commit, WaitGroup };
enum Flags : uint8_t { RegisterA = 1, TransposeA = 2, TransposeB = 4, NegateA = 8, NegateB = 16, Half = 32 };

struct Descriptor {
  uint64_t start, lbo, sbo, span;
  explicit Descriptor(uint64_t d)
      : start((d & 0x3fff) << 4), lbo((d >> 16 & 0x3fff) << 4), sbo((d >> 32 & 0x3fff) << 4),
        span(d >> 62 == 0 ? 0 : uint64_t(256) >> (d >> 62)) {}

  uint64_t address(bool mnMajor, uint64_t mn, uint64_t k, uint64_t s) const {
    const uint64_t ks = k * s, b = mn * s;
    uint64_t a = start;
    if (!mnMajor)
      a += span ? mn % 8 * span + mn / 8 * sbo + ks : mn % 8 * 16 + mn / 8 * sbo + ks / 16 * lbo + ks % 16;
    else
      a += span ? b % span + b / span * lbo + k % 8 * span + k / 8 * sbo
                : b % 16 + b / 16 * sbo + k % 8 * 16 + k / 8 * lbo;
    return span ? a ^ ((a >> 7 & (span / 16 - 1)) << 4) : a;
  }
};

float element(uint64_t bits, Type t) {
  switch (t) {
  case Type::F16:
    return halfToFloat(uint16_t(bits));
  case Type::BF16:
    return bfloatToFloat(uint16_t(bits));
  case Type::TF32:
    return as<float>(bits & 0xffffe000);
  case Type::E4M3:
    return float(widen(uint32_t(bits & 0xff), e4m3Format));
  default:
    return float(widen(uint32_t(bits & 0xff), e5m2Format));
  }
}

/// Elements of a tile, and the 16-byte chunks of shared memory that they lie in.
struct Tile {
  std::vector<float> at; // [mn][k]
  std::vector<OriginId> poison;
};

Tile readTile(Machine &m, Warp &w, const Instr &i, uint64_t descriptor, bool mnMajor, unsigned first, unsigned rows,
              unsigned depth, Type t, WgmmaGroup &group) {
  if (descriptor >> 49 & 7)
    m.stop("undefined", i, "a descriptor with a base offset, which is not simulated",
           "align the tile to its swizzle pattern");
  const Descriptor d(descriptor);
  const unsigned s = bytesOf(t);
  Tile tile{std::vector<float>(rows * depth), std::vector<OriginId>(rows)};
  std::vector<uint32_t> chunks;
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned k = 0; k < depth; ++k) {
      const uint64_t address = d.address(mnMajor, first + row, k, s);
      if (address + s > w.cta->shared.bytes)
        m.stop("bounds", i,
               fmt::format("the descriptor {:#x} of warp {} reaches shared byte {}, and there are {}", descriptor,
                           w.index, address, w.cta->shared.bytes),
               "mend the descriptor's start or strides, or pass more shared memory");
      uint64_t bits = 0;
      memcpy(&bits, &w.cta->shared.data[address], s);
      tile.at[row * depth + k] = element(bits, t);
      for (unsigned n = 0; n < s && !tile.poison[row]; ++n)
        if (w.cta->shared.state[address + n])
          tile.poison[row] = m.poisonOf(w, i, 0, {&w.cta->shared, address}, s);
      chunks.push_back(uint32_t(address / 16));
    }
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  for (const uint32_t chunk : chunks) {
    const Machine::Bytes b{&w.cta->shared, uint64_t(chunk) * 16};
    m.access(w, i, w.lanes, b, 16, false);
    m.checkProxy(w, i, b, 16);
    ++w.cta->asyncReaders[chunk];
  }
  group.chunks.insert(group.chunks.end(), chunks.begin(), chunks.end());
  return tile;
}

uint64_t uniform(Machine &m, Warp &w, const Instr &i, int32_t slot, const char *what) {
  m.demand(w, i, slot, allLanes, what);
  const uint64_t *v = w.value(slot);
  for (unsigned l = 1; l < warpLanes; ++l)
    if (v[l] != v[0])
      m.stop("undefined", i, fmt::format("{} differs between lanes 0 and {} of warp {}", what, l, w.index),
             "compute it from values that the warp shares");
  return v[0];
}

void checkRegisters(Machine &m, Warp &w, const Instr &i, unsigned count) {
  for (unsigned n = 0; n < count; ++n) {
    const int32_t slot = m.program.slots[i.slots + n];
    if (slot >= 0 && w.touched[size_t(slot)] && !w.busy[size_t(slot)]) {
      m.note("async", i,
             fmt::format("register {} of warp {} was used by other instructions since the last wgmma.fence",
                         m.program.registerNames[size_t(slot)], w.index),
             "wgmma.fence.sync.aligned between that use and the first wgmma.mma_async");
      return;
    }
  }
}

Step execMma(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (!m.aligned(w, i, mask))
    return Step::Wait;
  if (m.warpsPerCta % 4)
    m.stop("divergence", i, "the CTA has no whole warpgroups", "launch a multiple of 128 threads");
  const int32_t *slot = &m.program.slots[i.slots], *from = slot + i.dests;
  const bool registers = i.flags & RegisterA;
  const unsigned countA = registers ? 4 : 1, n = i.info.imm & 0xffff, depth = 32 / bytesOf(i.type);
  const uint64_t scale = uniform(m, w, i, from[countA + 1], "scale-d");
  const uint64_t descriptorB = uniform(m, w, i, from[countA], "the descriptor of B");
  const uint64_t descriptorA = registers ? 0 : uniform(m, w, i, from[0], "the descriptor of A");
  const auto same = std::array<uint64_t, 3>{descriptorA, descriptorB, scale & 1};
  auto [seen, isNew] = w.cta->wgmmaLog.insert({{w.index / 4, w.wgmmaCount++}, same});
  if (!isNew && seen->second != same)
    m.stop("divergence", i, fmt::format("warp {} gives other descriptors than a warp of its group before", w.index),
           "all four warps of a warpgroup execute the same wgmma with the same descriptors");
  checkRegisters(m, w, i, i.dests + (registers ? 4u : 0u));
  const Tile b = readTile(m, w, i, descriptorB, i.flags & TransposeB, 0, n, depth, i.from, w.wgmmaOpen);
  Tile a;
  if (registers) {
    a = {std::vector<float>(16 * depth), std::vector<OriginId>(16)};
    const unsigned per = 4 / bytesOf(i.type), bits = bitsOf(i.type);
    for (unsigned r = 0; r < 4; ++r) {
      const uint64_t *v = w.value(from[r]);
      for (unsigned l = 0; l < warpLanes; ++l) {
        const unsigned row = l / 4 + 8 * (r % 2);
        for (unsigned e = 0; e < per; ++e)
          a.at[row * depth + per * (l % 4) + e + 4 * per * (r / 2)] = element(v[l] >> (bits * e), i.type);
        if (!(w.definedOf(from[r]) >> l & 1))
          a.poison[row] = m.originOf(w, from[r], l) ? m.originOf(w, from[r], l)
                                                    : m.origin("a register of A that was never written");
      }
      if (from[r] >= 0) {
        ++w.busyA[size_t(from[r])];
        w.wgmmaOpen.slotsA.push_back(from[r]);
      }
    }
  } else {
    a = readTile(m, w, i, descriptorA, i.flags & TransposeA, w.index % 4 * 16, 16, depth, i.type, w.wgmmaOpen);
  }
  const float signs = (i.flags & NegateA ? -1.0f : 1.0f) * (i.flags & NegateB ? -1.0f : 1.0f);
  const bool half = i.flags & Half;
  for (unsigned r = 0; r < i.dests; ++r) {
    uint64_t *d = w.target(slot[r]);
    uint32_t good = allLanes;
    OriginId origin = 0;
    for (unsigned l = 0; l < warpLanes; ++l) {
      uint64_t out = 0;
      for (unsigned e = 0; e < (half ? 2u : 1u); ++e) {
        const unsigned index = half ? 2 * r + e : r;
        const unsigned row = l / 4 + 8 * (index / 2 % 2), column = 8 * (index / 4) + 2 * (l % 4) + index % 2;
        float sum = !(scale & 1) ? 0 : half ? halfToFloat(uint16_t(d[l] >> (16 * e))) : as<float>(d[l]);
        const unsigned start = unsigned(row + column + i.info.seed) % depth;
        for (unsigned k = 0; k < depth; ++k) {
          const unsigned at = (k + start) % depth;
          sum = float(double(sum) + double(signs * a.at[row * depth + at]) * b.at[column * depth + at]);
        }
        out |= half ? uint64_t(floatToHalf(sum)) << (16 * e) : sum != sum ? 0x7fffffff : word(sum);
        if (a.poison[row] || b.poison[column]) {
          good &= ~(1u << l);
          origin = a.poison[row] ? a.poison[row] : b.poison[column];
        }
      }
      d[l] = out;
    }
    if (!(scale & 1)) // else what was poison in D stays poison
      w.defined[size_t(slot[r])] = allLanes;
    if (~good)
      m.poison(w, slot[r], ~good, origin);
    ++w.busy[size_t(slot[r])];
    w.wgmmaOpen.slots.push_back(slot[r]);
  }
  return Step::Next;
}

void finish(Warp &w, WgmmaGroup &group) {
  for (const int32_t slot : group.slots)
    --w.busy[size_t(slot)];
  for (const int32_t slot : group.slotsA)
    --w.busyA[size_t(slot)];
  for (const uint32_t chunk : group.chunks)
    --w.cta->asyncReaders[chunk];
}

Step execGroup(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (!m.aligned(w, i, mask))
    return Step::Wait;
  if (i.mode == Fence) {
    std::fill(w.touched.begin(), w.touched.end(), uint8_t(0));
  } else if (i.mode == Commit) {
    w.wgmmaGroups.push_back(std::move(w.wgmmaOpen));
    w.wgmmaOpen = WgmmaGroup();
  } else {
    while (w.wgmmaGroups.size() > i.info.imm) {
      finish(w, w.wgmmaGroups.front());
      w.wgmmaGroups.pop_front();
    }
  }
  return Step::Next;
}

} // namespace

void Machine::checkBusy(Warp &w, const Instr &i) {
  const bool isWgmma = i.run == execMma;
  for (unsigned n = 0; n < unsigned(i.dests) + i.sources; ++n) {
    const int32_t slot = program.slots[i.slots + n];
    if (slot < 0 || slot == int32_t(program.sink))
      continue;
    const bool isDest = n < i.dests;
    if ((w.busy[size_t(slot)] && !(isWgmma && isDest)) || (w.busyA[size_t(slot)] && isDest))
      note("async", i,
           fmt::format("warp {} {} register {}, which a wgmma under way {}", w.index, isDest ? "writes" : "reads",
                       program.registerNames[size_t(slot)], w.busy[size_t(slot)] ? "accumulates in" : "reads as A"),
           "wgmma.commit_group and wgmma.wait_group before the register is used");
    if (!isWgmma)
      w.touched[size_t(slot)] = 1;
  }
}

void Machine::checkProxy(Warp &w, const Instr &i, const Bytes &b, unsigned bytes) {
  if (!options.races)
    return;
  Epoch good;
  for (unsigned n = 0; n < bytes; ++n) {
    const ShadowByte &s = *b.allocation->shadow.at(b.offset + n, b.allocation->bytes);
    const Epoch &e = s.write;
    if (!e.any() || (good.sameAs(e) && good.lanes == e.lanes) || e.warp / clockWarps != w.cta->index ||
        e.warp % clockWarps >= warpsPerCta)
      continue; // copies that arrived at an mbarrier have no thread that could fence
    const Warp &writer = *w.cta->warps[e.warp % clockWarps];
    for (uint32_t left = e.lanes; left; left &= left - 1) {
      const unsigned l = unsigned(__builtin_ctz(left));
      const auto &fences = writer.proxyFences[l];
      const auto fence = std::lower_bound(fences.begin(), fences.end(), e.clock);
      Epoch at = e;
      at.lanes = 1u << l;
      at.clock = fence == fences.end() ? 0 : *fence;
      if (fence == fences.end() || !ordered(at, w, w.lanes)) {
        note("proxy", i,
             fmt::format("warp {} reads {} through the async proxy; {} wrote it at {} and {}", w.index,
                         placeOf({b.allocation, b.offset + n}), who(writer, l), where(e.pc),
                         fence == fences.end() ? "has executed no fence.proxy.async since"
                                               : "its fence.proxy.async is not ordered before this read"),
             "every thread that writes executes fence.proxy.async behind its writes and before the barrier");
        return;
      }
    }
    good = e;
  }
}

void Machine::proxyFence(Warp &w, uint32_t mask) {
  for (unsigned l = 0; l < warpLanes; ++l)
    if (mask >> l & 1)
      w.proxyFences[l].push_back(w.clock);
  tick(w);
}

namespace attn::sim {

void decodeWgmma(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned"))
    d.failUnknown();
  d.program.usesWgmma = true;
  if (d.take("fence") || d.take("commit_group")) {
    d.in.mode = d.st->modifiers[0] == "fence" ? Fence : Commit;
    d.expectOperands(0, 0);
    return d.set(execGroup);
  }
  if (d.take("wait_group")) {
    d.in.mode = WaitGroup;
    d.expectOperands(1, 1);
    d.in.info.imm = uint32_t(d.integer(d.operand(0), "the number of groups"));
    return d.set(execGroup);
  }
  unsigned n = 0, k = 0;
  for (const std::string &modifier : d.st->modifiers)
    if (sscanf(modifier.c_str(), "m64n%uk%u", &n, &k) == 2 && d.take(modifier))
      break;
  if (!d.take("mma_async") || n < 8 || n > 256 || n % 8)
    d.failUnknown();
  const Type out = d.takeType(), a = d.in.type = d.takeType(), b = d.in.from = d.takeType();
  const bool bytes = (a == Type::E4M3 || a == Type::E5M2) && (b == Type::E4M3 || b == Type::E5M2);
  const bool halves = a == b && (a == Type::F16 || a == Type::BF16);
  const bool known = bytes || halves || (a == b && a == Type::TF32);
  if (!known || k != 32 / bytesOf(a) || (out != Type::F32 && (out != Type::F16 || a == Type::BF16 || a == Type::TF32)))
    d.failUnknown();
  d.in.info.imm = n;
  const bool registers = d.operand(1).kind == Operand::Vector;
  const size_t immediates = 2 + (halves ? (registers ? 1 : 2) : 0);
  d.expectOperands(4 + immediates, 4 + immediates);
  const auto accumulators = d.elements(d.operand(0));
  if (accumulators.size() != n / (out == Type::F16 ? 4 : 2))
    d.fail(d.operand(0),
           "'" + d.st->text + "' has " + std::to_string(n / (out == Type::F16 ? 4 : 2)) + " accumulators");
  for (const Operand *o : accumulators)
    d.dest(*o, 32);
  d.in.flags = uint8_t((registers ? RegisterA : 0) | (out == Type::F16 ? Half : 0));
  if (registers) {
    const auto parts = d.elements(d.operand(1));
    if (parts.size() != 4)
      d.fail(d.operand(1), "A in registers has 4 of them");
    for (const Operand *o : parts)
      d.source(*o, Type::B32);
  } else {
    d.source(d.operand(1), Type::B64);
  }
  d.source(d.operand(2), Type::B64);
  d.source(d.operand(3), Type::Pred);
  const auto sign = [&](size_t at, uint8_t flag) {
    const int64_t v = int64_t(d.integer(d.operand(at), "a sign"));
    if (v != 1 && v != -1)
      d.fail(d.operand(at), "imm-scale is 1 or -1");
    d.in.flags |= v < 0 ? flag : 0;
  };
  sign(4, NegateA);
  sign(5, NegateB);
  if (halves && !registers && d.integer(d.operand(6), "a transposition"))
    d.in.flags |= TransposeA;
  if (halves && d.integer(d.operand(registers ? 6 : 7), "a transposition"))
    d.in.flags |= TransposeB;
  d.set(execMma);
}

} // namespace attn::sim
