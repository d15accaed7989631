// The table of NVIDIA GPUs.
#include "attn/Machine/NVIDIA.h"

using namespace attn;

namespace {

constexpr int64_t KiB = 1024;

// Largest common parts: A100, RTX 3090 and A40, RTX 4090, H100, B200, RTX 5090. PTX 7.8 is that of CUDA 11.8, whose
// driver also runs cubins of sm_90.
constexpr NvidiaMachine machines[] = {
    {"sm_80", 80, 78, 163 * KiB, 164 * KiB, KiB, 65536, 255, 2048, 32, 108},
    {"sm_86", 86, 78, 99 * KiB, 100 * KiB, KiB, 65536, 255, 1536, 16, 84},
    {"sm_89", 89, 78, 99 * KiB, 100 * KiB, KiB, 65536, 255, 1536, 24, 128},
    {"sm_90", 90, 78, 227 * KiB, 228 * KiB, KiB, 65536, 255, 2048, 32, 132},
    {"sm_100", 100, 86, 227 * KiB, 228 * KiB, KiB, 65536, 255, 2048, 32, 148},
    {"sm_120", 120, 87, 99 * KiB, 100 * KiB, KiB, 65536, 255, 1536, 24, 170},
};

} // namespace

const NvidiaMachine *attn::lookupNvidiaMachine(std::string_view name) {
  for (const NvidiaMachine &machine : machines)
    if (machine.name == name)
      return &machine;
  return nullptr;
}

std::string attn::nvidiaMachineNames() {
  std::string names;
  for (const NvidiaMachine &machine : machines)
    names += (names.empty() ? "" : ", ") + std::string(machine.name);
  return names;
}
