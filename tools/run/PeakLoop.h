// The machine's peaks: loops of nothing but independent multiply-adds of one kind.
#ifndef ATTN_TOOLS_RUN_PEAKLOOP_H
#define ATTN_TOOLS_RUN_PEAKLOOP_H

#include <cstdint>

namespace attn::run {

/// What is multiplied: lanes of vectors, or bf16 on tiles of AMX, which sums f32.
enum class PeakOf { F32, F64, Bf16Tiles };

struct PeakLoop {
  int64_t flops; // of an iteration
  /// Of a core that starts two fused multiply-adds of vectors a cycle, or one of tiles every 16 cycles.
  double flopsPerCycle;
  /// Runs on this thread; the result depends on every operation.
  double (*run)(int64_t iterations);

  int64_t iterationsIn(int64_t cycles) const { return cycles * int64_t(flopsPerCycle) / flops; }
};

/// The loop on vectors of at most so many bytes, or on tiles; of what this CPU and system run. Null: AVX2 and FMA are
/// lacking, or tiles.
const PeakLoop *lookupPeakLoop(PeakOf of, int64_t vectorBytes);

} // namespace attn::run

#endif
