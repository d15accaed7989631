// Text.
#include "Report.h"

#include <cmath>

using namespace attn;
using namespace attn::run;

bool Report::comparisonsOk() const {
  return (!check || check->ok()) && llvm::all_of(expected, [](const Comparison &c) { return c.report.ok; });
}

static double flopsOf(AttendOp attend, const Problem *problem) {
  const int64_t values = attend.getValueless() ? 0 : problem->extents[attend.valueDim()];
  return 2.0 * double(attend.dotExtent() + values);
}

double Report::flopsPerPair() const { return flopsOf(program->attend, problem); }

double Report::flops() const {
  double sum = pairs && program->attend ? flopsPerPair() * pairs->visible : 0;
  for (const auto &step : steps)
    sum += step->pairs ? flopsOf(step->program->attend, &step->problem) * step->pairs->visible : 0;
  return sum;
}

std::optional<double> Report::density() const {
  const double all = pairs ? double(problem->rows()) * double(problem->keys()) : 0;
  return all > 0 ? std::optional(pairs->visible / all) : std::nullopt;
}

std::optional<double> Report::gflops() const {
  if ((!pairs && steps.empty()) || !seconds || *seconds <= 0)
    return std::nullopt;
  return flops() / *seconds / 1e9;
}

namespace {

std::string duration(double seconds) {
  return seconds >= 1      ? fmt::format("{:.3g} s", seconds)
         : seconds >= 1e-3 ? fmt::format("{:.3g} ms", seconds * 1e3)
                           : fmt::format("{:.3g} us", seconds * 1e6);
}

std::string byteCount(uint64_t bytes) {
  if (bytes < 10000)
    return fmt::format("{} bytes", bytes);
  return bytes < 10000000 ? fmt::format("{:.1f} KiB", double(bytes) / 1024)
                          : fmt::format("{:.1f} MiB", double(bytes) / 1048576);
}

class TextPrinter {
public:
  explicit TextPrinter(const Report &r) : r(r) {}

  void run() {
    head();
    work();
    comparisons();
    if (r.bench)
      bench();
    prediction();
    if (r.options->explain)
      printExplanation(r);
    for (const std::string &path : r.pictures)
      line("picture", "{}: batch 0, {}", path, r.survey->picture->size());
  }

private:
  template <typename... Args> void line(const char *what, fmt::format_string<Args...> text, Args &&...args) {
    printLine(what, fmt::format(text, std::forward<Args>(args)...));
  }

  void head() {
    std::string sizes;
    for (size_t d = 0; d < r.problem->extents.size(); ++d)
      sizes += fmt::format("{}={} ", r.problem->dimNames[d], r.problem->extents[d]);
    KernelOp kernel = r.program->kernel;
    line("kernel", "@{} {}{}, {} thread{}, seed {}, {} logits", kernel.getSymName().str(), sizes,
         elementName(*r.program), r.options->threads, r.options->threads == 1 ? "" : "s", r.options->seed,
         nameOf(r.options->logits));
  }

  void work() {
    if (!r.execution)
      return staticWork();
    const Execution &e = *r.execution;
    const attn_stats &s = e.stats();
    line("compiled", "in {:.0f} ms for {}{}; variant {} of {}", e.kernel().compileMilliseconds(), r.options->target,
         e.kernel().emulated().empty() ? "" : fmt::format(", {} emulated", e.kernel().emulated()), e.variantName(),
         e.variantNames().size());
    stepPairs();
    if (e.simulation())
      simulated(*e.simulation());
    if (r.pairs && s.block_rows) {
      const double visited = double(s.tiles) * double(s.tile_rows) * double(s.tile_keys);
      line("pairs", "{}{:.0f} visible, {:.0f} visited{}", r.pairs->exact ? "" : "about ", r.pairs->visible, visited,
           r.pairs->visible > 0 ? fmt::format(" ({:.3f} times as many)", visited / r.pairs->visible) : "");
    }
    if (s.block_rows)
      line("blocks", "{} x {}: {} full, {} partial, {} skipped", s.block_rows, s.block_keys, s.blocks_full,
           s.blocks_partial, s.blocks_skipped);
    if (e.simulation())
      return;
    if (s.guarded)
      line("guarded", "{} query blocks were done again, for something was not finite", s.guarded);
    if (r.seconds && !r.bench)
      line("ran", "in {}, once{}; workspace {}", duration(*r.seconds),
           r.gflops() ? fmt::format(", {:.1f} GFLOP/s", *r.gflops()) : "", byteCount(e.workspaceBytes()));
  }

  void simulated(const Simulation &simulation) {
    const SimulatedWork &w = simulation.work();
    line("simulated", "{} launches, {} CTAs, {} instructions of warps, {} of them on tensor cores", w.launches, w.ctas,
         w.instructions, w.tensorInstructions);
    line("memory", "{} bank conflicts, {} sectors of global memory where {} would do", w.bankConflicts, w.sectors,
         w.idealSectors);
  }

  /// Of several attends each its pairs; what was visited is counted together.
  void stepPairs() {
    for (const auto &step : r.steps)
      if (step->pairs)
        line("pairs", "step {}, an attend of {} x {} tokens: {}{:.0f} visible", step->step, step->problem.queries(),
             step->problem.keys(), step->pairs->exact ? "" : "about ", step->pairs->visible);
  }

  void staticWork() {
    if (!r.unsupported.empty())
      line("compiled", "no: {}", r.unsupported);
    stepPairs();
    if (r.pairs)
      line("pairs", "{}{:.0f} visible{}", r.pairs->exact ? "" : "about ", r.pairs->visible,
           r.unsupported.empty() ? "" : "; how many a kernel would visit is not known");
  }

  void comparison(const Comparison &c, const std::string &against) {
    const ErrorReport &e = c.report;
    line(c.report.ok ? "  ok" : "  FAILED", "{}: max error {:.3g}, {:.3g} of {}{}", c.name, e.maxError, e.ratio,
         against, c.worst.empty() || e.maxError == 0 ? "" : "; " + c.worst);
    if (!e.ok)
      line("", "{}", e.what);
  }

  void comparisons() {
    if (r.check) {
      if (r.check->ofBatches > 0)
        line("check", "columns of {} of {} batch elements against the f64 interpreter", r.check->batches,
             r.check->ofBatches);
      if (r.check->rows == 0 && r.check->ofBatches > 0)
        ; // every output is over keys
      else if (r.check->rows == r.check->of)
        line("check", "all {} rows against the f64 interpreter", r.check->of);
      else
        line("check", "{} of {} rows, drawn by the seed, against the f64 interpreter", r.check->rows, r.check->of);
      for (const Comparison &c : r.check->outputs)
        comparison(c, "what the error rule allows");
    }
    if (!r.expected.empty())
      line("expect", "results against files");
    for (const Comparison &c : r.expected)
      comparison(c, fmt::format("the tolerance {:g}", c.tolerance));
    for (const Assignment &a : r.options->saves)
      line("saved", "{} in {}", a.name, a.value);
  }

  void bench() {
    const BenchResult &b = *r.bench;
    line("bench", "{}, median of {} rounds{}; workspace {}", duration(b.seconds), b.rounds,
         r.gflops() ? fmt::format(", {:.1f} GFLOP/s", *r.gflops()) : "", byteCount(r.execution->workspaceBytes()));
    if (!b.peakFraction)
      return line("peak", "{}", b.method);
    const bool byCycles = b.peakFraction == b.byCycles;
    line("peak", "{:.1f} % by {}{}; {}", 100 * *b.peakFraction, b.method,
         byCycles ? fmt::format(" ({} of {} rounds)", b.accepted, b.rounds) : "",
         byCycles     ? fmt::format("by time {:.1f} % of {:.1f} GFLOP/s", 100 * *b.byTime, b.peakGflops)
         : b.byCycles ? fmt::format("of {:.1f} GFLOP/s; cycles are not used, they fit the time in {} of {} rounds",
                                    b.peakGflops, b.accepted, b.rounds)
                      : fmt::format("of {:.1f} GFLOP/s; cycles cannot be counted here", b.peakGflops));
  }

  void prediction() {
    if (!r.notPredicted.empty())
      return line("predicted", "not: {}", r.notPredicted);
    if (!r.predicted)
      return;
    const Prediction &p = r.predicted->time;
    const MachineRates &rates = r.predicted->rates;
    line("predicted", "{}{}, at {:.2f} G cycles a second{}", duration(p.seconds()),
         r.seconds ? fmt::format(", {:.2f} of what was measured", p.seconds() / *r.seconds) : "",
         rates.cyclesPerSecond / 1e9,
         rates.bytesPerSecond > 0 ? fmt::format(" and {:.1f} GB/s of its inputs", rates.bytesPerSecond / 1e9) : "");
    std::string parts;
    for (auto [name, seconds] : partsOf(p))
      parts += fmt::format("{}{} {:.1f} %", parts.empty() ? "" : ", ", name, 100 * seconds / p.seconds());
    line("", "{}", parts);
  }

  const Report &r;
};

} // namespace

std::vector<std::pair<const char *, double>> attn::run::partsOf(const Prediction &p) {
  return {{"products", p.products}, {"weights", p.weights}, {"masks", p.masks}, {"packing", p.packing},
          {"rows", p.rows},         {"blocks", p.blocks},   {"tasks", p.tasks}, {"memory", p.memory}};
}

std::string attn::run::elementName(const Program &program) {
  AttendOp attend = program.attend;
  KernelOp kernel = program.kernel;
  if (attend)
    return nameOf(*elementOf(attend.getQ().getType()));
  for (mlir::Type type : kernel.getArgumentTypes())
    if (auto element = elementOf(type); element && llvm::isa<mlir::RankedTensorType>(type) && isFloat(*element))
      return nameOf(*element);
  return "integers";
}

void attn::run::printLine(const char *what, const std::string &text) { fmt::print("{:<10} {}\n", what, text); }

void attn::run::printText(const Report &report) { TextPrinter(report).run(); }
