//===- Bench.h - Speed as a fraction of the machine's peak ----------------===//
//
// Rounds of peak loop and kernel alternate in one process on the same threads, so that both meet the same clock and the
// same neighbours. FLOPs are 2 (d + dv) for every visible pair: what is wasted on masked ones does not count.
//
//   by cycles   FLOP / (FLOP a cycle of the peak loop's instructions x user cycles of the kernel's threads). A round's
//               sample is accepted if its cycles agree within 2 % with its wall time times the clock that the round's
//               peak loop ran at: a counter that loses cycles, or a kernel that waits instead of running, does not.
//   by time     kernel FLOP/s over peak loop FLOP/s of the same round
//
// The median of the accepted samples by cycles if at least half of the rounds have one, else the median by time.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_TOOLS_RUN_BENCH_H
#define ATTN_TOOLS_RUN_BENCH_H

#include "Cycles.h"
#include "Execute.h"
#include "PeakLoop.h"

#include <fmt/format.h>

#include <optional>

namespace attn::run {

struct BenchResult {
  double seconds = 0; // median of the kernel's wall times
  int rounds = 0;
  std::optional<double> peakFraction, byCycles, byTime;
  int accepted = 0;               // samples by cycles
  double peakGflops = 0;          // median of the peak loop
  std::optional<double> clockGHz; // median, by the peak loop
  double flopsPerCycle = 0;       // of the peak loop
  std::string method;             // what peakFraction is made of
};

/// What a kernel is held against: fused multiply-adds of its level's vectors; where both products are on tiles, tiles.
/// Null: this CPU has none of it.
const PeakLoop *peakLoopOf(const Execution &execution, const Program &program);

/// At least `rounds` rounds and two seconds, but no more than a minute if there are five rounds by then.
llvm::Expected<BenchResult> bench(Execution &execution, const CycleCounter &cycles, double flops, const PeakLoop *loop,
                                  int rounds);

} // namespace attn::run

#endif
