// The table of x86-64 machines.
#include "attn/Machine/X86.h"

using namespace attn;

namespace {

constexpr int64_t KiB = 1024;

// v2 and v3 are common denominators of CPUs since 2009 and 2013; v4 and what follows exist on cores with at least 1 MiB
// of L2.
constexpr X86Machine machines[] = {
    {"x86-64-v2", 2, "x86-64-v2", "", 16, 16, 32 * KiB, 256 * KiB, /*fma=*/false, /*f16c=*/false, /*bf16Dot=*/false,
     /*amx=*/false},
    {"x86-64-v3", 3, "x86-64-v3", "", 32, 16, 32 * KiB, 256 * KiB, /*fma=*/true, /*f16c=*/true, /*bf16Dot=*/false,
     /*amx=*/false},
    {"x86-64-v4", 4, "x86-64-v4", "", 64, 32, 32 * KiB, 1024 * KiB, /*fma=*/true, /*f16c=*/true, /*bf16Dot=*/false,
     /*amx=*/false},
    {"x86-64-v4-bf16", 5, "x86-64-v4", "+avx512bf16", 64, 32, 32 * KiB, 1024 * KiB, /*fma=*/true, /*f16c=*/true,
     /*bf16Dot=*/true, /*amx=*/false},
    {"x86-64-v4-amx", 6, "x86-64-v4", "+amx-tile,+amx-bf16,+avx512bf16", 64, 32, 48 * KiB, 2048 * KiB, /*fma=*/true,
     /*f16c=*/true, /*bf16Dot=*/true, /*amx=*/true},
};

} // namespace

const X86Machine *attn::lookupX86Machine(std::string_view name) {
  for (const X86Machine &machine : machines)
    if (machine.name == name)
      return &machine;
  return nullptr;
}

std::vector<const X86Machine *> attn::x86Machines() {
  std::vector<const X86Machine *> all;
  for (const X86Machine &machine : machines)
    all.push_back(&machine);
  return all;
}

std::string attn::x86MachineNames() {
  std::string names;
  for (const X86Machine &machine : machines)
    names += (names.empty() ? "" : ", ") + std::string(machine.name);
  return names;
}

std::string attn::emulatedParts(const X86Machine &target, const X86Machine &runsOn) {
  std::string parts;
  auto add = [&](bool lacks, const char *what) {
    if (lacks)
      parts += (parts.empty() ? "" : " and ") + std::string(what);
  };
  add(target.vectorBytes > runsOn.vectorBytes, "AVX-512");
  add(target.vectorBytes == runsOn.vectorBytes && target.bf16Dot && !runsOn.bf16Dot, "AVX512-BF16");
  add(target.amx && !runsOn.amx, "tiles");
  return parts;
}
