// The model's inputs: the tile program, what the call counted, peak loop and read loop.
#include "Predict.h"
#include "Failure.h"
#include "PeakLoop.h"
#include "ReadLoop.h"
#include "TileForm.h"

#include "attn/Machine/X86.h"

#include <chrono>
#include <fmt/format.h>
#include <fstream>

using namespace attn;
using namespace attn::run;

namespace {

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Pieces of the inputs, at most so many bytes of them, taken by whichever thread is free.
struct Reading {
  static constexpr int64_t piece = 1 << 18, least = 4 << 20, most = 256 << 20;
  std::vector<std::pair<const char *, int64_t>> pieces;
  std::vector<uint64_t> found;
  int64_t bytes = 0;

  explicit Reading(const Problem &problem) {
    for (const Tensor &t : problem.tensors)
      for (uint64_t at = 0; !t.isOutput && at < t.data.size() && bytes < most; at += piece) {
        pieces.push_back({t.data.data() + at, std::min<int64_t>(piece, int64_t(t.data.size() - at))});
        bytes += pieces.back().second;
      }
    // Of little, as often as it takes for the loop to be more than its start.
    for (size_t n = 0; bytes > 0 && bytes < least; ++n) {
      pieces.push_back(pieces[n]);
      bytes += pieces[n].second;
    }
    found.resize(pieces.size());
  }
  void run(const Execution &execution) {
    attn_rt_parallel_for(
        execution.pool(), int64_t(pieces.size()), execution.workers(),
        [](void *self, int64_t n, int32_t) {
          auto &r = *static_cast<Reading *>(self);
          r.found[size_t(n)] = readLines(r.pieces[size_t(n)].first, r.pieces[size_t(n)].second);
        },
        this);
  }
};

} // namespace

llvm::Expected<CostModel> CostModel::create(const Program &program, const Options &options) {
  const X86Machine *machine = lookupX86Machine(options.target);
  const X86Costs *costs = lookupX86Costs(options.target);
  if (!machine || !costs)
    return fail(ExitUnsupported, "there is no table of costs for {}", options.target);
  auto form = TileForm::create(program, options);
  if (!form)
    return form.takeError();
  tile::ProgramOp found = form->program();
  CostModel model;
  model.share.assign(found.getShare().begin(), found.getShare().end());
  const int64_t elementBytes = AttendOp(program.attend).accumulationType().getWidth() / 8;
  for (auto variant : found.getOps<tile::VariantOp>()) {
    auto cost = costOf(variant, machine->lanes(elementBytes), *costs);
    Named named{variant.getName().str(), "", {}};
    if (cost)
      named.cost = *cost;
    else
      named.why = toString(cost.takeError());
    model.variants.push_back(std::move(named));
  }
  return model;
}

llvm::Expected<Predicted> CostModel::predict(const Execution &execution, const Problem &problem, double visible,
                                             const MachineRates &rates) const {
  const std::string name = execution.variantName();
  auto it = llvm::find_if(variants, [&](const Named &v) { return v.name == name; });
  if (it == variants.end() || !it->why.empty())
    return fail(ExitUnsupported, "the variant {}: {}", name, it == variants.end() ? "it is not known" : it->why);
  const attn_stats &s = execution.stats();
  Predicted p;
  p.variant = name;
  p.rates = rates;
  CallCounts &n = p.counts;
  n.visible = visible;
  n.tiles = double(s.tiles);
  n.blocksFull = double(s.blocks_full), n.blocksPartial = double(s.blocks_partial);
  n.rows = double(problem.rows()), n.queries = double(problem.queries());
  n.keys = double(problem.keys());
  n.units = 1;
  for (unsigned d = 0; d < problem.numBatch; ++d)
    n.units *= share[d] == 0 ? 1 : std::ceil(double(problem.extents[d]) / double(share[d]));
  for (const Tensor &t : problem.tensors)
    n.tensorBytes += double(t.data.size());
  n.threads = execution.workers();
  n.cacheBytes = lastLevelCache();
  p.time = attn::predict(it->cost, n, rates);
  return p;
}

double attn::run::lastLevelCache() {
  double bytes = 0;
  for (int n = 0; n < 5; ++n) {
    std::ifstream in(fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/size", n));
    double size = 0;
    char unit = 0;
    if (in >> size >> unit)
      bytes = std::max(bytes, size * (unit == 'K' ? 1024 : unit == 'M' ? 1048576 : 1));
  }
  return bytes;
}

double attn::run::measureReading(const Execution &execution, const Problem &problem) {
  Reading reading(problem);
  if (!hasReadLoop() || reading.bytes == 0)
    return 0;
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  reading.run(execution); // the first one of a page is another thing
  do {
    const auto one = std::chrono::steady_clock::now();
    reading.run(execution);
    times.push_back(since(one));
  } while (times.size() < 5 || (times.size() < 100 && since(start) < 0.1));
  std::nth_element(times.begin(), times.begin() + ptrdiff_t(times.size() / 2), times.end());
  return double(reading.bytes) / times[times.size() / 2];
}

MachineRates attn::run::measureRates(const Execution &execution, const Problem &problem, const PeakLoop *peak) {
  MachineRates rates;
  rates.bytesPerSecond = measureReading(execution, problem);
  if (!peak)
    return rates;
  struct Loop {
    const PeakLoop &peak;
    int64_t iterations;
  } loop{*peak, peak->iterationsIn(1'200'000)};
  std::vector<double> times;
  for (int n = 0; n < 20; ++n) {
    const auto start = std::chrono::steady_clock::now();
    attn_rt_parallel_for(
        execution.pool(), execution.workers(), execution.workers(),
        [](void *self, int64_t, int32_t) {
          volatile double sink = static_cast<Loop *>(self)->peak.run(static_cast<Loop *>(self)->iterations);
          (void)sink;
        },
        &loop);
    times.push_back(since(start));
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  rates.cyclesPerSecond = double(loop.iterations * peak->flops) / times[10] / peak->flopsPerCycle;
  return rates;
}
