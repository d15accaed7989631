// Poison in registers.
#include "Machine.h"

#include <fmt/format.h>

using namespace attn::sim;

OriginId Machine::originOf(const Warp &w, int32_t slot, unsigned lane) const {
  const auto found = w.origins.find(uint64_t(slot) * warpLanes + lane);
  return found == w.origins.end() ? 0 : found->second;
}

void Machine::poison(Warp &w, int32_t slot, uint32_t lanes, OriginId id) {
  w.defined[size_t(slot)] &= ~lanes;
  for (unsigned l = 0; l < warpLanes; ++l)
    if (lanes >> l & 1) {
      w.origins[uint64_t(slot) * warpLanes + l] = id;
      w.registers[size_t(slot) * warpLanes + l] = 0x7ff7a5a57fbfa5a5; // a NaN of either width, and no good address
    }
}

void Machine::write(Warp &w, const Instr &i, int32_t slot, uint32_t mask, uint32_t defined) {
  uint32_t &state = w.defined[size_t(slot)];
  const uint32_t bad = mask & ~defined;
  state |= mask;
  if (!bad)
    return;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(bad >> l & 1))
      continue;
    OriginId id = 0;
    for (unsigned n = 0; n < i.sources; ++n) {
      const int32_t from = program.slots[i.slots + i.dests + n];
      if (w.definedOf(from) >> l & 1 && from != slot)
        continue;
      id = originOf(w, from, l);
      if (!id && from >= 0)
        id = origin(fmt::format("register {}, which was never written before line {}",
                                program.registerNames[size_t(from)], i.line));
      break;
    }
    poison(w, slot, 1u << l, id);
  }
}

void Machine::demand(Warp &w, const Instr &i, int32_t slot, uint32_t mask, const char *use) {
  const uint32_t bad = mask & ~w.definedOf(slot);
  if (!bad)
    return;
  const unsigned lane = unsigned(__builtin_ctz(bad));
  const OriginId id = originOf(w, slot, lane);
  const std::string name = program.registerNames[size_t(slot)];
  const std::string message =
      fmt::format("{} in register {} is poison in {}; it comes from {}", use, name, who(w, lane),
                  id ? originText(id) : "that register itself, which was never written");
  note("poison", i, message,
       id ? "initialize that value, or wait for what writes it"
          : fmt::format("write {} on every way to this line", name));
  const std::string kind = use;
  if (kind.find("address") != std::string::npos || kind.find("decides") != std::string::npos)
    throw Stop(); // any value could follow
  w.defined[size_t(slot)] |= bad;
}
