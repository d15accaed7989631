// The machine's peak: a loop of nothing but independent fused multiply-adds on 256-bit vectors.
#ifndef ATTN_TOOLS_RUN_PEAKLOOP_H
#define ATTN_TOOLS_RUN_PEAKLOOP_H

#include <cstdint>

namespace attn::run {

/// Whether this CPU and system run AVX2 and FMA; without, there is no peak loop.
bool hasPeakLoop();
/// FLOPs of one iteration, for f32 and for f64 lanes.
int64_t peakLoopFlops(bool f64);
/// Runs on this thread; the result depends on every operation.
double runPeakLoop(bool f64, int64_t iterations);

/// AVX2: two 256-bit FMAs a cycle, 32 FLOP in f32 and 16 in f64.
constexpr double flopsPerCycle(bool f64) { return f64 ? 16 : 32; }

} // namespace attn::run

#endif
