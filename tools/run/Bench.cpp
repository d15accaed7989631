// Alternating rounds.
#include "Bench.h"
#include "Report.h"

#include "attn/Schedule/Schedule.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace attn;
using namespace attn::run;

namespace {

struct Measured {
  double seconds = 0;
  std::optional<double> cycles; // of all threads
};

template <typename Fn> Measured measure(const CycleCounter &counter, Fn work) {
  const auto before = counter.read();
  const auto start = std::chrono::steady_clock::now();
  work();
  Measured m;
  m.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto after = counter.read();
  if (before && after)
    m.cycles = double(*after - *before);
  return m;
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The peak loop on every thread of the pool at once.
class Peak {
public:
  Peak(Execution &execution, const PeakLoop &loop) : execution(execution), loop(loop) {}

  void setLength(double seconds) {
    for (iterations = 4096;; iterations *= 2) {
      const auto start = std::chrono::steady_clock::now();
      run();
      const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (took > seconds / 4) {
        iterations = std::max<int64_t>(1024, int64_t(double(iterations) * seconds / took));
        return;
      }
    }
  }
  void run() {
    attn_rt_parallel_for(
        execution.pool(), execution.workers(), execution.workers(),
        [](void *self, int64_t, int32_t) {
          const auto *peak = static_cast<Peak *>(self);
          volatile double sink = peak->loop.run(peak->iterations);
          (void)sink;
        },
        this);
  }
  double flops() const { return double(execution.workers()) * double(iterations) * double(loop.flops); }

private:
  Execution &execution;
  const PeakLoop &loop;
  int64_t iterations = 0;
};

} // namespace

const PeakLoop *attn::run::peakLoopOf(const Execution &execution, const Program &program) {
  const bool wide = execution.kernel().level() >= ATTN_ISA_X86_64_V4 && execution.kernel().emulated().empty();
  AttendOp attend = program.attend;
  if (wide && execution.kernel().level() >= ATTN_ISA_X86_64_V4_AMX && attend && whyNotTiles(attend).empty() &&
      whyNotBf16Scores(attend).empty() && whyNotBf16Values(attend).empty())
    return lookupPeakLoop(PeakOf::Bf16Tiles, 64);
  return lookupPeakLoop(elementName(program) == "f64" ? PeakOf::F64 : PeakOf::F32, wide ? 64 : 32);
}

llvm::Expected<BenchResult> attn::run::bench(Execution &execution, const CycleCounter &counter, double flops,
                                             const PeakLoop *loop, int rounds) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  llvm::Error error = llvm::Error::success();
  auto kernel = [&] {
    if (!error)
      error = execution.run();
  };
  const auto warm = Clock::now();
  Measured one;
  do
    one = measure(counter, kernel);
  while (!error && since(warm) < 0.2);
  if (error)
    return std::move(error);

  std::optional<Peak> peak;
  if (loop)
    peak.emplace(execution, *loop).setLength(std::clamp(one.seconds, 0.002, 0.05));
  BenchResult result;
  std::vector<double> seconds, byTime, byCycles, peakRates, clocks;
  const double threads = execution.workers();
  const auto start = Clock::now();
  while ((result.rounds < rounds || since(start) < 2) && !(result.rounds >= 5 && since(start) > 60)) {
    Measured p;
    if (peak)
      p = measure(counter, [&] { peak->run(); });
    const Measured k = measure(counter, kernel);
    if (error)
      return std::move(error);
    ++result.rounds;
    seconds.push_back(k.seconds);
    if (!peak)
      continue;
    peakRates.push_back(peak->flops() / p.seconds);
    byTime.push_back(flops / k.seconds / peakRates.back());
    if (!p.cycles || !k.cycles)
      continue;
    const double clock = *p.cycles / (p.seconds * threads);
    clocks.push_back(clock / 1e9);
    if (std::fabs(*k.cycles / (k.seconds * threads * clock) - 1) <= 0.02)
      byCycles.push_back(flops / (loop->flopsPerCycle * *k.cycles));
  }
  result.seconds = median(seconds);
  result.accepted = int(byCycles.size());
  if (!peak) {
    result.method = "not measured: this CPU has no AVX2 and FMA for the peak loop";
    return result;
  }
  result.flopsPerCycle = loop->flopsPerCycle;
  result.peakGflops = median(peakRates) / 1e9;
  result.byTime = median(byTime);
  if (!byCycles.empty())
    result.byCycles = median(byCycles);
  if (!clocks.empty())
    result.clockGHz = median(clocks);
  const bool cyclesCount = result.accepted * 2 >= result.rounds;
  result.peakFraction = cyclesCount ? result.byCycles : result.byTime;
  result.method = cyclesCount ? fmt::format("user cycles, {} FLOP a cycle", int(loop->flopsPerCycle))
                              : "wall time against the peak loop";
  return result;
}
