// Facts about x86-64 machines, one row a target name. The names are those that `--target` takes.
//
// Sizes of caches are what a schedule may count on for every CPU of the level, not what the largest one has.
#ifndef ATTN_MACHINE_X86_H
#define ATTN_MACHINE_X86_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attn {

struct X86Machine {
  const char *name;
  /// A value of ATTN_ISA_X86_64_*; a machine of a higher one runs the code of all lower ones.
  int level;
  /// LLVM's CPU name, and features beyond it.
  const char *cpu, *features;
  /// Bytes of a native vector, and how many of them the register file names.
  int64_t vectorBytes, vectorRegisters;
  /// Per core.
  int64_t l1Bytes, l2Bytes;
  bool fma;
  bool f16c;    // converts f16
  bool bf16Dot; // AVX512-BF16
  bool amx;     // AMX, with bf16

  int64_t lanes(int64_t elementBytes) const { return vectorBytes / elementBytes; }
};

/// The machine of that name; null if there is none.
const X86Machine *lookupX86Machine(std::string_view name);

/// All of them, the lowest first.
std::vector<const X86Machine *> x86Machines();

/// "x86-64-v3, ...": the names, for messages.
std::string x86MachineNames();

/// What stands for what `target` has beyond `runsOn`, for messages: "AVX-512 and tiles"; empty where there is nothing.
std::string emulatedParts(const X86Machine &target, const X86Machine &runsOn);

} // namespace attn

#endif
