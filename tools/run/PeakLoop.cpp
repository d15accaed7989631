// Which peak loop runs here. Without the runtime, for bench/limits.cpp.
#include "PeakLoop.h"
#include "PeakLoops.h"

#include <sys/syscall.h>
#include <unistd.h>

using namespace attn::run;

/// Whether the CPU has tiles and Linux lends them, which it does to a process that asks (arch_prctl(2):
/// ARCH_REQ_XCOMP_PERM, of XTILEDATA).
static bool hasTiles() { return __builtin_cpu_supports("amx-bf16") && syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

const PeakLoop *attn::run::lookupPeakLoop(PeakOf of, int64_t vectorBytes) {
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
                    avx512 = __builtin_cpu_supports("avx512f");
  if (of == PeakOf::Bf16Tiles) {
    static const bool tiles = hasTiles();
    return tiles ? &kPeakLoopTiles : nullptr;
  }
  if (vectorBytes >= 64 && avx512)
    return &kPeakLoopsAVX512[of == PeakOf::F64];
  return avx2 ? &kPeakLoopsAVX2[of == PeakOf::F64] : nullptr;
}
