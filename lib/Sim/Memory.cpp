// Global allocations.
#include "Memory.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

Allocation &GlobalMemory::allocate(std::string name, uint64_t bytes, bool readOnly) {
  auto a = std::make_unique<Allocation>();
  a->name = std::move(name);
  a->bytes = bytes;
  a->readOnly = readOnly;
  const uint64_t gap = uint64_t(1) << 20;
  a->base = list.empty() ? globalStart : (list.back()->base + list.back()->bytes + 2 * gap - 1) / gap * gap;
  a->data.resize(bytes);
  a->state.resize(bytes);
  list.push_back(std::move(a));
  return *list.back();
}

Allocation *GlobalMemory::find(uint64_t address) {
  if (last && address - last->base < last->bytes)
    return last;
  auto above = std::upper_bound(list.begin(), list.end(), address, [](uint64_t x, auto &a) { return x < a->base; });
  if (above == list.begin() || address - above[-1]->base >= above[-1]->bytes)
    return nullptr;
  return last = above[-1].get();
}

std::string GlobalMemory::describe(uint64_t address, unsigned bytes) const {
  const Allocation *best = nullptr;
  uint64_t distance = ~uint64_t(0);
  for (auto &a : list) {
    const uint64_t d = address < a->base               ? a->base - address
                       : address >= a->base + a->bytes ? address - (a->base + a->bytes)
                                                       : 0;
    if (d < distance)
      best = a.get(), distance = d;
  }
  if (!best)
    return "there is no global allocation at all";
  if (address >= best->base && address < best->base + best->bytes)
    return fmt::format("bytes {}..{} of '{}', which has {}", address - best->base, address - best->base + bytes,
                       best->name, best->bytes);
  if (distance > uint64_t(1) << 19)
    return fmt::format("no allocation is near; the nearest is '{}' at {:#x}", best->name, best->base);
  return fmt::format("{} bytes {} of '{}' ({} bytes at {:#x})", distance,
                     address < best->base ? "before the start" : "behind the end", best->name, best->bytes, best->base);
}
