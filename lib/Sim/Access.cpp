// Addresses to bytes: bounds, alignment, copies under way.
#include "Machine.h"

#include <fmt/format.h>

using namespace attn::sim;

std::string Machine::placeOf(const Bytes &b) const {
  return b.allocation->space == Space::Global ? fmt::format("'{}' + {}", b.allocation->name, b.offset)
                                              : fmt::format("{} byte {}", b.allocation->name, b.offset);
}

Machine::Bytes Machine::resolve(Warp &w, const Instr &i, unsigned lane, Space space, uint64_t address, unsigned bytes,
                                unsigned align, bool isWrite) {
  if (address % align)
    stop("misaligned", i,
         fmt::format("{} accesses {} bytes at {} address {:#x}, which is no multiple of {}", who(w, lane), bytes,
                     nameOf(space), address, align),
         "align the address, or access fewer bytes at a time");
  if (space == Space::Generic) {
    if (address - sharedWindow < windowBytes) {
      space = Space::Shared;
      address -= sharedWindow;
    } else if (address - localWindow < windowBytes) {
      space = Space::Local;
      address -= localWindow;
    } else if (address - paramWindow < windowBytes) {
      space = Space::Param;
      address -= paramWindow;
    }
  }
  Allocation *a = nullptr;
  uint64_t offset = address, limit = 0;
  switch (space) {
  case Space::Shared:
    a = &w.cta->shared;
    limit = a->bytes;
    break;
  case Space::Local:
    a = &w.cta->local;
    limit = program.localBytes;
    break;
  case Space::Param:
    a = &params;
    limit = a->bytes;
    break;
  default:
    a = memory.find(address);
    if (!a || address - a->base + bytes > a->bytes)
      stop("bounds", i,
           fmt::format("{} accesses {} bytes at address {:#x}: {}", who(w, lane), bytes, address,
                       memory.describe(address, bytes)),
           address - sharedWindow < windowBytes || address < (1 << 20)
               ? "this looks like an address of another state space: cvta converts, or the instruction names its space"
               : "guard the access with a predicate, or pass a larger buffer");
    if (isWrite && a->readOnly)
      stop("bounds", i,
           fmt::format("{} writes {} bytes at '{}' + {}, which is read-only", who(w, lane), bytes, a->name,
                       address - a->base),
           "pass the buffer as an output (out: or inout:), or mend the address");
    return {a, address - a->base};
  }
  if (offset + bytes > limit || offset > limit)
    stop("bounds", i,
         fmt::format("{} accesses {} bytes at {} offset {}, and there are {}", who(w, lane), bytes, nameOf(space),
                     offset, limit),
         space == Space::Shared ? "pass more dynamic shared memory (--shared), or mend the address"
                                : "mend the address");
  if (space == Space::Param && isWrite)
    stop("bounds", i, fmt::format("{} writes the kernel's parameters", who(w, lane)), "copy the parameter first");
  if (space == Space::Local)
    offset += (w.index * warpLanes + lane) * program.localBytes;
  return {a, offset};
}

namespace {
bool allDefined(const uint8_t *state, unsigned bytes) {
  if (bytes % 8 == 0) {
    uint64_t any = 0;
    for (unsigned n = 0; n < bytes; n += 8) {
      uint64_t eight;
      memcpy(&eight, state + n, 8);
      any |= eight;
    }
    return !any;
  }
  uint8_t any = 0;
  for (unsigned n = 0; n < bytes; ++n)
    any |= state[n];
  return !any;
}
} // namespace

OriginId Machine::poisonOf(Warp &w, const Instr &i, unsigned lane, const Bytes &b, unsigned bytes) {
  if (allDefined(b.state(), bytes))
    return 0;
  for (unsigned n = 0; n < bytes; ++n) {
    const Bytes one{b.allocation, b.offset + n};
    switch (*one.state()) {
    case InFlight:
      note("async", i,
           fmt::format("{} reads {}, the destination of a copy that has not been waited for", who(w, lane),
                       placeOf(one)),
           "wait for the copy (cp.async.wait_group, or its mbarrier) and, if another thread issued it, pass a barrier "
           "behind the wait");
      return origin(
          fmt::format("{}, which a copy under way was about to write, read at line {}", placeOf(one), i.line));
    case Unwritten:
      return origin(fmt::format("{}, which was never written, read at line {}", placeOf(one), i.line));
    case StoredPoison: {
      const auto found = b.allocation->origins.find(one.offset);
      return found != b.allocation->origins.end() && found->second
                 ? found->second
                 : origin(fmt::format("{}, where poison was stored, read at line {}", placeOf(one), i.line));
    }
    case BarrierWord:
      stop("mbarrier", i, fmt::format("{} reads {}, which is an mbarrier", who(w, lane), placeOf(one)),
           "only mbarrier instructions may touch it until mbarrier.inval");
    default:
      break;
    }
  }
  return 0;
}

void Machine::checkAsyncWrite(Warp &w, const Instr &i, unsigned lane, const Bytes &b, unsigned bytes) {
  if (b.allocation->space == Space::Shared && !allDefined(b.state(), bytes)) {
    for (unsigned n = 0; n < bytes; ++n)
      if (b.state()[n] == BarrierWord) {
        stop("mbarrier", i,
             fmt::format("{} writes {}, which is an mbarrier", who(w, lane), placeOf({b.allocation, b.offset + n})),
             "only mbarrier instructions may touch it until mbarrier.inval");
      } else if (b.state()[n] == InFlight) {
        note("async", i,
             fmt::format("{} writes {}, the destination of a copy that has not been waited for", who(w, lane),
                         placeOf({b.allocation, b.offset + n})),
             "wait for the earlier copy before its destination is used again");
        break;
      }
  }
  if (!b.allocation->asyncReads)
    return;
  const uint64_t first = b.allocation->base + b.offset;
  const auto check = [&](const Warp &owner, const Copy &c) {
    if (c.sourceBytes && c.source < first + bytes && first < c.source + c.sourceBytes)
      note("async", i,
           fmt::format("{} writes {}, the source of a copy of warp {} ({}) that has not been waited for", who(w, lane),
                       placeOf(b), owner.index, where(c.pc)),
           "wait for the copy before its source is written");
  };
  for (auto &cta : resident)
    for (auto &warp : cta->warps)
      for (auto &copies : warp->copies) {
        for (auto &c : copies.open)
          check(*warp, c);
        for (auto &group : copies.groups)
          for (auto &c : group)
            check(*warp, c);
      }
}
