//===- Launch.h - Running a PTX kernel on the host ----------------------------===//
//
// `launch` runs one kernel over a grid and reports what is wrong with it. It does not try to behave as one certain
// device does; it takes every freedom that the PTX ISA gives (order of warps, time of asynchronous copies, last bits of
// approximations, order of sums) by a seed and reports whatever a device might do differently next time. Sections of
// the PTX ISA that the model follows:
//
//  * "Memory Consistency Model": a race is two accesses to a byte, one of them a write, that are not ordered by
//  causality and not morally strong;
//    lib/Sim/Races.h says how order is tracked;
//  * "Parallel Synchronization and Communication Instructions" for barriers, mbarriers, shuffles and what `.aligned`
//  and `.sync` promise;
//  * "Data Movement and Conversion Instructions: Asynchronous copy": lib/Sim/Async.h;
//  * "Independent thread scheduling" (Volta and later): each lane has its own place. Lanes of a warp that are at one
//  place run together
//    and meet again when their places agree; no instruction relies on it except those that wait for named lanes.
//
// What is uninitialized is poison: registers, shared and local memory, `Argument` bytes without contents, destinations
// of copies under way. Poison flows through arithmetic as it does in LLVM and is a finding where it decides something:
// an address, a branch, a predicate that guards, an operand that all lanes share, a value stored to global memory.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SIM_LAUNCH_H
#define ATTN_SIM_LAUNCH_H

#include "attn/Sim/Module.h"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace attn::sim {

/// When asynchronous copies read their source and signal their barriers: as soon or as late as is allowed, or by a
/// seeded coin for each.
enum class AsyncTime : uint8_t { Earliest, Latest, Random };

/// A kernel parameter: `value` itself, or a buffer whose address is passed.
struct Argument {
  std::string name; ///< in reports
  std::vector<uint8_t> value;
  bool isBuffer = false, readOnly = false;
  bool defined = true;       ///< else every byte is poison until it is written
  std::vector<uint8_t> data; ///< of a buffer, before and after the launch
  /// After the launch: bytes that are still poison.
  std::vector<uint8_t> poison;
};

struct LaunchOptions {
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  uint32_t sharedBytes = 0; ///< dynamic
  uint64_t seed = 1;
  AsyncTime async = AsyncTime::Random;
  bool races = true, counters = true;
  uint64_t maxSteps = uint64_t(1) << 32; ///< instructions of warps before a launch is called endless
  uint32_t residentCtas = 4;
  uint32_t maxFindings = 20;
};

struct Finding {
  std::string kind; ///< race, poison, bounds, misaligned, deadlock, divergence, barrier, mbarrier, async, endless,
                    ///< trap, undefined
  uint32_t line = 0;
  std::string instruction; ///< the opcode's text
  std::string message;     ///< what, where and why
  std::string hint;        ///< what would mend it
  uint64_t count = 1;      ///< how often it was seen
};

/// One instruction that accesses shared or global memory.
struct SiteCounters {
  uint32_t line = 0;
  std::string instruction;
  uint64_t executed = 0;        ///< warps times executions
  uint64_t bytes = 0;           ///< asked for by lanes
  uint64_t wavefronts = 0;      ///< shared: passes over the banks
  uint64_t idealWavefronts = 0; ///< shared: passes that the bytes alone need
  uint64_t sectors = 0;         ///< global: 32-byte sectors touched
  uint64_t idealSectors = 0;
};

/// A guarded instruction: how many lanes came by, and for how many the guard was true.
struct GuardCounters {
  uint32_t line = 0;
  uint64_t lanes = 0, on = 0;
};

struct Report {
  std::vector<Finding> findings;
  uint64_t steps = 0, ctas = 0;
  std::map<std::string, uint64_t> instructions; ///< by opcode text
  std::map<std::string, uint64_t> bytes;        ///< "global.load", "shared.store", ...
  std::vector<SiteCounters> sites;
  std::vector<GuardCounters> guards;
  std::vector<uint32_t> executedLines;
  uint32_t registers = 0, sharedStatic = 0, localBytes = 0;
  bool clean() const { return findings.empty(); }
};

/// Throws Error if the kernel has instructions that are not simulated or the arguments do not fit its parameters.
Report launch(const Module &module, const std::string &kernel, std::vector<Argument> &arguments,
              const LaunchOptions &options);

/// The report as JSON.
std::string toJson(const Report &report);
/// One finding as lines for a terminal.
std::string describe(const Finding &finding, const std::string &file);

} // namespace attn::sim

#endif
