// How much of the machine's peak of fused multiply-adds a kernel reaches, on a machine whose neighbours are not quiet.
//
// The tasks of a call (a block of queries against all its keys; the packing of a block) are run one by one through the
// call's parallel_for. Each is timed between two runs of the peak loop, in CPU time of this thread, and counts only if
// these two agree: the clock did not change meanwhile. Of every task a low quantile of (time x peak) is kept over many
// calls, and the tasks' sum is the call's: what it takes when nobody disturbs it, which a whole call of some
// milliseconds never sees. The median says how far from quiet the machine was. Cycle counters are not needed, which
// many hosts hide.
//
// FLOPs are 2 (d + dv) for every visible pair.
#include "../tools/run/Bench.h"
#include "../tools/run/Failure.h"
#include "../tools/run/Oracle.h"
#include "../tools/run/PeakLoop.h"
#include "../tools/run/Visibility.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

#include <ctime>
#include <numeric>

using namespace attn;
using namespace attn::run;

static const char *const help = R"(usage: fraction-of-peak [--json] [--seconds N] [--gallery DIR] [CASE...]

How much of the peak of 256-bit fused multiply-adds a kernel reaches on one thread, counting visible pairs alone.

  CASE         FILE[:WIDTH[:OPTION,...]]: a program; the extent that stands for 64 in its tensor types; options of
               attn-run, as --size n=4096. Without cases: full, causal, window, softcap and sigmoid of the gallery.
  --seconds N  how long each case is run (default: 5)
  --gallery D  where those programs are (default: gallery)
  --json       one object a line: file, width, options, tasks, samples (of the task that has fewest), flops, peak
               (FLOP/s), and fractions of the peak: quiet, median, and main_quiet, of the main phases alone

quiet   the 3 % quantile of every task's time x peak, summed: what the code takes when nobody disturbs it
median  the same of medians: what this machine gave
)";

namespace {

double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

double quantile(std::vector<double> x, double q) {
  std::sort(x.begin(), x.end());
  return x[size_t(q * double(x.size() - 1))];
}

/// Runs the tasks of every phase and keeps what each of them cost, in FLOPs that the peak loop would have done.
class Meter {
public:
  explicit Meter(bool f64) : f64(f64) {
    for (int n = 0; n < 10000; ++n) {
      const double start = now();
      clockCost = std::min(clockCost, now() - start);
    }
  }
  static void parallelFor(void *self, int64_t tasks, int32_t, attn_task_fn fn, void *ctx) {
    static_cast<Meter *>(self)->run(tasks, fn, ctx);
  }
  void beginCall() { phase = 0; }

  /// By phase and task.
  std::vector<std::vector<std::vector<double>>> costs;
  std::vector<double> peaks;

private:
  double peak() {
    constexpr int64_t iterations = 15000; // 25 us: the clock's own cost is small against it
    const double start = now();
    volatile double sink = runPeakLoop(f64, iterations);
    (void)sink;
    return double(iterations * peakLoopFlops(f64)) / (now() - start - clockCost);
  }
  void run(int64_t tasks, attn_task_fn fn, void *ctx) {
    if (costs.size() <= phase)
      costs.resize(phase + 1);
    auto &of = costs[phase++];
    of.resize(std::max<size_t>(of.size(), size_t(tasks)));
    double before = peak();
    for (int64_t task = 0; task < tasks; ++task) {
      const double start = now();
      fn(ctx, task, 0);
      const double took = now() - start - clockCost, after = peak();
      const double best = std::max(before, after);
      if (std::min(before, after) > 0.985 * best) {
        of[size_t(task)].push_back(took * best);
        peaks.push_back(best);
      }
      before = after;
    }
  }

  const bool f64;
  double clockCost = 1;
  size_t phase = 0;
};

struct Case {
  std::string file, width, options;
};

struct Result {
  double flops = 0, quiet = 0, median = 0, mainQuiet = 0, peak = 0;
  size_t tasks = 0, samples = 0;
};

/// The program with another extent in the place of 64, as a file of its own.
llvm::Expected<std::string> withWidth(const Case &c) {
  auto buffer = llvm::MemoryBuffer::getFile(c.file);
  if (!buffer)
    return fail(ExitBadInput, "{}: {}", c.file, buffer.getError().message());
  std::string text = (*buffer)->getBuffer().str();
  for (size_t at = 0; (at = text.find("x64x", at)) != std::string::npos; at += c.width.size())
    text.replace(at + 1, 2, c.width);
  llvm::SmallString<128> path;
  int fd;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("fraction", "mlir", fd, path))
    return fail(ExitBadInput, "no temporary file: {}", error.message());
  llvm::raw_fd_ostream(fd, /*shouldClose=*/true) << text;
  return path.str().str();
}

llvm::Expected<Result> measure(const Case &c, double seconds) {
  auto file = withWidth(c);
  if (!file)
    return file.takeError();
  llvm::FileRemover remover(*file);
  std::vector<std::string> args{*file};
  llvm::SmallVector<llvm::StringRef> words;
  llvm::StringRef(c.options).split(words, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef word : words)
    args.push_back(word.str());
  auto options = parseOptions(args);
  if (!options)
    return options.takeError();
  if (options->threads != 1)
    return fail(ExitUsage, "--threads: tasks are timed on one thread");
  auto program = loadProgram(*options);
  if (!program)
    return program.takeError();
  auto problem = makeProblem(*program, *options);
  if (!problem)
    return problem.takeError();
  if (!program->attend)
    return fail(ExitBadInput, "{}: a kernel of several steps; give one with one attend", c.file);
  auto oracle = makeInterpreter(*program, *problem);
  if (!oracle)
    return oracle.takeError();
  Visibility visibility(*program, *problem, **oracle);
  auto execution = Execution::create(*program, *problem, *options);
  if (!execution)
    return execution.takeError();
  Meter meter(program->attend.accumulationType().isF64());
  (*execution)->runTasksBy(Meter::parallelFor, &meter);
  const double end = now() + seconds;
  while (now() < end) {
    meter.beginCall();
    if (llvm::Error error = (*execution)->run())
      return std::move(error);
  }

  Result r;
  r.flops = 2.0 * double(program->attend.dotExtent() + program->attend.vPart().extent) *
            countPairs(visibility, *problem, 10).visible;
  r.samples = SIZE_MAX;
  double quiet = 0, median = 0, mainQuiet = 0;
  // The phases of the variant follow each other, for one group of heads after another.
  const attn_variant_info &variant = (*execution)->kernel().info().variants[(*execution)->stats().variant];
  for (size_t n = 0; n < meter.costs.size(); ++n) {
    double sum = 0;
    for (const auto &task : meter.costs[n]) {
      if (task.empty())
        return fail(ExitBadInput, "{}: a task was never timed between equal peaks; run longer", c.file);
      sum += quantile(task, 0.03);
      median += quantile(task, 0.5);
      r.samples = std::min(r.samples, task.size());
      ++r.tasks;
    }
    quiet += sum;
    if (variant.phases[n % size_t(variant.n_phases)].kind == ATTN_PHASE_MAIN)
      mainQuiet += sum;
  }
  r.peak = quantile(meter.peaks, 0.5);
  r.quiet = r.flops / quiet;
  r.median = r.flops / median;
  r.mainQuiet = r.flops / mainQuiet;
  return r;
}

std::vector<Case> table(const std::string &gallery) {
  std::vector<Case> cases;
  auto add = [&](const char *name, std::initializer_list<const char *> widths, const char *options) {
    for (const char *width : widths)
      cases.push_back({gallery + "/" + name + ".mlir", width, options});
  };
  for (const char *size : {"--size,n=1024,--size,h=1", "--size,n=4096,--size,h=1"})
    add("full", {"64", "128"}, size);
  add("full", {"80", "96", "192", "256"}, "--size,n=2048,--size,h=1");
  add("causal", {"64", "128"}, "--size,n=4096,--size,h=1");
  add("sliding_window", {"64", "128"}, "--size,n=4096,--size,h=1,--param,w=1024");
  add("full", {"64"}, "--size,n=2048,--size,h=1,--logits,rising");
  add("softcap", {"64", "128"}, "--size,n=2048,--size,h=1,--param,cap=30");
  add("sigmoid", {"64", "128"}, "--size,n=2048,--size,h=1");
  return cases;
}

} // namespace

int main(int argc, char **argv) {
  bool json = false;
  double seconds = 5;
  std::string gallery = "gallery";
  std::vector<Case> cases;
  for (int n = 1; n < argc; ++n) {
    const llvm::StringRef arg = argv[n];
    const bool hasValue = n + 1 < argc;
    if (arg == "--help") {
      fmt::print("{}", help);
      return ExitOk;
    }
    if (arg == "--json") {
      json = true;
    } else if (arg == "--seconds" && hasValue && !llvm::StringRef(argv[n + 1]).getAsDouble(seconds)) {
      ++n;
    } else if (arg == "--gallery" && hasValue) {
      gallery = argv[++n];
    } else if (!arg.starts_with("--")) {
      auto [file, rest] = arg.split(':');
      auto [width, options] = rest.split(':');
      cases.push_back({file.str(), width.empty() ? "64" : width.str(), options.str()});
    } else {
      fmt::print(stderr, "fraction-of-peak: error: {}: no such option, or no value for it\n{}", argv[n], help);
      return ExitUsage;
    }
  }
  if (!hasPeakLoop()) {
    fmt::print(stderr, "fraction-of-peak: error: this CPU has no AVX2 and FMA for the peak loop\n");
    return ExitUnsupported;
  }
  int code = ExitOk;
  for (const Case &c : cases.empty() ? table(gallery) : cases) {
    auto r = measure(c, seconds);
    if (!r) {
      const Failure failure = toFailure(r.takeError());
      fmt::print(stderr, "fraction-of-peak: error: {}\n", failure.message);
      code = failure.code;
      continue;
    }
    if (json)
      fmt::print(
          "{{\"file\":\"{}\",\"width\":{},\"options\":\"{}\",\"tasks\":{},\"samples\":{},\"flops\":{},\"peak\":{:.4g},"
          "\"quiet\":{:.4f},\"median\":{:.4f},\"main_quiet\":{:.4f}}}\n",
          c.file, c.width, c.options, r->tasks, r->samples, r->flops, r->peak, r->quiet, r->median, r->mainQuiet);
    else
      fmt::print("{:5.1f} % quiet  {:5.1f} % median  {:5.1f} % main phase  {:5.2f} FLOP/cycle  {} {} {}\n",
                 100 * r->quiet, 100 * r->median, 100 * r->mainQuiet, 32 * r->quiet, c.file, c.width, c.options);
    std::fflush(stdout);
  }
  return code;
}
