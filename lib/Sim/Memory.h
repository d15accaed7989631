//===- Memory.h - Allocations with bounds, poison and shadows ------------------===//
//
// A generic address is 64 bits:
//
//   0x0000'7000'0000'0000 + offset   .shared of the CTA (a window of 16 MiB a CTA of the cluster)
//   0x0000'7100'0000'0000 + offset   .local: each lane sees its own
//   0x0000'7200'0000'0000 + offset   .param of the kernel
//   0x0000'0010'0000'0000 ...        .global and .const, one gap of at least 1 MiB behind each allocation
//
// Each byte has a state beside its value; `Defined` is zero so that a row of good bytes is cheap to see.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LIB_SIM_MEMORY_H
#define ATTN_LIB_SIM_MEMORY_H

#include "Races.h"
#include "attn/Sim/Types.h"

#include <memory>
#include <unordered_map>

namespace attn::sim {

constexpr uint64_t sharedWindow = 0x700000000000, localWindow = 0x710000000000, paramWindow = 0x720000000000,
                   windowBytes = uint64_t(1) << 40;
constexpr uint64_t globalStart = 0x1000000000;

enum ByteState : uint8_t {
  Defined = 0,
  Unwritten,    ///< never written
  StoredPoison, ///< somebody stored poison there
  InFlight,     ///< destination of an asynchronous copy that nobody has waited for
  BarrierWord,  ///< of an initialized mbarrier
};

/// Why a value is poison: made once at its source, passed on by number.
using OriginId = uint32_t;

struct Allocation {
  std::string name;
  Space space = Space::Global;
  uint64_t base = 0; ///< generic address; shared: the offset in .shared is address - base
  uint64_t bytes = 0;
  bool readOnly = false;
  uint32_t asyncReads = 0; ///< copies under way that read from here
  std::vector<uint8_t> data, state;
  std::unordered_map<uint64_t, OriginId> origins; ///< of StoredPoison bytes
  Shadow shadow;
};

class GlobalMemory {
public:
  Allocation &allocate(std::string name, uint64_t bytes, bool readOnly);
  /// The allocation that holds `address`, or null.
  Allocation *find(uint64_t address);
  /// "12 bytes behind the end of 'o' (4096 bytes)".
  std::string describe(uint64_t address, unsigned bytes) const;

private:
  std::vector<std::unique_ptr<Allocation>> list; // sorted by base
  Allocation *last = nullptr;
};

} // namespace attn::sim

#endif
