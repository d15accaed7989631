// What a launch did: instructions, bytes, bank conflicts, sectors.
//
// Shared memory has 32 banks of 4 bytes. Lanes that access the same word share a pass; a warp's access of 8 or 16 bytes
// a lane is served in two or four parts of 16 or 8 lanes. A wavefront is one pass over the banks; the ideal is what the
// distinct bytes alone need.
#include "Machine.h"

#include <algorithm>

using namespace attn::sim;

void Machine::countBytes(const Instr &, const char *what, uint64_t bytes) { report.bytes[what] += bytes; }

void Machine::countShared(const Instr &i, const uint64_t *offsets, uint32_t lanes, unsigned bytes) {
  SiteCounters &site = sites[pcOf(i)];
  const unsigned group = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8, words = bytes <= 4 ? 1 : bytes / 4;
  for (unsigned first = 0; first < warpLanes; first += group) {
    uint32_t list[32 * 4];
    unsigned n = 0;
    for (unsigned l = first; l < first + group; ++l)
      if (lanes >> l & 1)
        for (unsigned k = 0; k < words; ++k)
          list[n++] = uint32_t(offsets[l] / 4 + k);
    if (!n)
      continue;
    std::sort(list, list + n);
    n = unsigned(std::unique(list, list + n) - list);
    unsigned banks[32] = {}, worst = 0;
    for (unsigned k = 0; k < n; ++k)
      worst = std::max(worst, ++banks[list[k] % 32]);
    site.wavefronts += worst;
    site.idealWavefronts += (n + 31) / 32;
  }
  ++site.executed;
  site.bytes += uint64_t(__builtin_popcount(lanes)) * bytes;
}

void Machine::countGlobal(const Instr &i, const uint64_t *addresses, uint32_t lanes, unsigned bytes) {
  SiteCounters &site = sites[pcOf(i)];
  uint64_t list[32];
  unsigned n = 0;
  for (unsigned l = 0; l < warpLanes; ++l)
    if (lanes >> l & 1)
      list[n++] = addresses[l] / 32; // an access is aligned, so it lies in one sector
  std::sort(list, list + n);
  n = unsigned(std::unique(list, list + n) - list);
  const uint64_t asked = uint64_t(__builtin_popcount(lanes)) * bytes;
  ++site.executed;
  site.bytes += asked;
  site.sectors += n;
  site.idealSectors += std::min<uint64_t>(n, (asked + 31) / 32);
}

void Machine::finishCounters() {
  for (uint32_t pc = 0; pc < program.code.size(); ++pc) {
    const Instr &i = program.code[pc];
    if (executed[pc])
      report.instructions[program.kindOf(i)] += executed[pc];
    if (guards[pc].first)
      report.guards.push_back({i.line, guards[pc].first, guards[pc].second});
    if (executed[pc] && i.line && (report.executedLines.empty() || report.executedLines.back() != i.line))
      report.executedLines.push_back(i.line);
    if (sites[pc].executed) {
      sites[pc].line = i.line;
      sites[pc].instruction = program.kindOf(i);
      report.sites.push_back(sites[pc]);
    }
  }
}
