// Programs of the gallery as benchmarks of Google's library: compiled by the JIT, called with made inputs.
//
// A benchmark is program/size/variant, one for each variant whose guard holds or that can be forced at that size. Its
// time is that of the calls alone; between them, as often as calls take a tenth of a second, the peak loop of fused
// multiply-adds runs, so that `of_peak` compares what met the same clock. Counters:
//
//   FLOP/s    2 (d + dv) for every visible pair
//   of_peak   that, of what the peak loop does on as many threads
//   bytes/s   of all tensors of the call, each once
#include "../tools/run/Bench.h"
#include "../tools/run/Failure.h"
#include "../tools/run/Oracle.h"
#include "../tools/run/PeakLoop.h"
#include "../tools/run/Visibility.h"

#include <benchmark/benchmark.h>
#include <chrono>

using namespace attn;
using namespace attn::run;

namespace {

struct Workload {
  const char *program, *name; // name: of the size
  std::vector<std::string> options;
};

/// Sizes that a second is enough for; what they stand for is bench/lines.py.
const std::vector<Workload> workloads = {
    {"full", "1k", {"--size", "n=1024", "--size", "h=2"}},
    {"full", "4k", {"--size", "n=4096", "--size", "h=1"}},
    {"full", "197", {"--size", "n=197", "--size", "h=12"}},
    {"full", "bf16_1k", {"--size", "n=1024", "--size", "h=2", "--dtype", "bf16"}},
    {"full", "f16_1k", {"--size", "n=1024", "--size", "h=2", "--dtype", "f16"}},
    {"causal", "1k", {"--size", "n=1024", "--size", "h=2"}},
    {"causal", "4k", {"--size", "n=4096", "--size", "h=1"}},
    {"causal", "decode_4k", {"--size", "i=1", "--size", "j=4096", "--size", "h=8"}},
    {"causal", "none", {"--size", "i=0", "--size", "j=0", "--size", "h=1"}},
    {"gqa", "1k", {"--size", "n=1024", "--size", "h=4"}},
    {"gqa", "decode_4k", {"--size", "i=1", "--size", "j=4096", "--size", "h=32"}},
    {"gqa", "decode_16_4k", {"--size", "i=16", "--size", "j=4096", "--size", "h=32"}},
    {"sliding_window", "w256_4k", {"--size", "n=4096", "--size", "h=1", "--param", "w=256"}},
    {"document", "4k", {"--size", "n=4096", "--size", "h=1"}},
    {"prefix_lm", "2k", {"--size", "n=2048", "--size", "h=1"}},
    {"alibi", "2k", {"--size", "n=2048", "--size", "h=1"}},
    {"t5_bias", "2k", {"--size", "n=2048", "--size", "h=1"}},
    {"softcap", "2k", {"--size", "n=2048", "--size", "h=1", "--param", "cap=50"}},
    {"sigmoid", "2k", {"--size", "n=2048", "--size", "h=1", "--param", "b=-7.6"}},
    {"natten_2d", "56x56", {"--size", "n=3136", "--size", "h=1"}},
    {"clipped", "1k", {"--size", "n=1024", "--size", "h=1", "--param", "zeta=1", "--param", "gamma=-0.025"}},
    {"aux_outputs", "2k", {"--size", "n=2048", "--size", "h=1"}},
};

struct Settings {
  std::string gallery = "gallery";
  int threads = 1;
};

/// Not movable: the problem points into the program.
struct Loaded {
  Options options;
  Program program;
  Problem problem;
  double flops = 0;
};

llvm::Expected<std::shared_ptr<Loaded>> load(const Workload &w, const Settings &settings) {
  std::vector<std::string> args{settings.gallery + "/" + w.program + ".mlir", "--threads",
                                std::to_string(settings.threads)};
  args.insert(args.end(), w.options.begin(), w.options.end());
  auto options = parseOptions(args);
  if (!options)
    return options.takeError();
  auto loaded = std::make_shared<Loaded>();
  loaded->options = std::move(*options);
  auto program = loadProgram(loaded->options);
  if (!program)
    return program.takeError();
  loaded->program = std::move(*program);
  auto problem = makeProblem(loaded->program, loaded->options);
  if (!problem)
    return problem.takeError();
  loaded->problem = std::move(*problem);
  auto oracle = makeInterpreter(loaded->program, loaded->problem);
  if (!oracle)
    return oracle.takeError();
  Visibility visibility(loaded->program, loaded->problem, **oracle);
  AttendOp attend = loaded->program.attend;
  loaded->flops =
      2.0 * double(attend.dotExtent() + attend.vPart().extent) * countPairs(visibility, loaded->problem, 2).visible;
  return std::move(loaded);
}

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// FLOP/s of the peak loop on the call's threads.
double peakRate(const Execution &execution, const PeakLoop &peak) {
  struct Loop {
    const PeakLoop &peak;
    int64_t iterations;
  } loop{peak, peak.iterationsIn(1'200'000)};
  const auto start = std::chrono::steady_clock::now();
  attn_rt_parallel_for(
      execution.pool(), execution.workers(), execution.workers(),
      [](void *self, int64_t, int32_t) {
        volatile double sink = static_cast<Loop *>(self)->peak.run(static_cast<Loop *>(self)->iterations);
        (void)sink;
      },
      &loop);
  return double(execution.workers()) * double(loop.iterations * peak.flops) / since(start);
}

/// The whole benchmark: compiled when it is its turn, so that a filter compiles nothing else.
void run(benchmark::State &state, const Workload &workload, const Settings &settings, const std::string &variant) {
  auto loaded = load(workload, settings);
  if (!loaded)
    return state.SkipWithError(toFailure(loaded.takeError()).message.c_str());
  Loaded &l = **loaded;
  l.options.variant = variant;
  auto execution = Execution::create(l.program, l.problem, l.options);
  if (!execution)
    return state.SkipWithError(toFailure(execution.takeError()).message.c_str());
  const PeakLoop *peak = peakLoopOf(**execution, l.program);
  double spent = 0, sinceLoop = 1, peaks = 0;
  int64_t loops = 0;
  for (auto _ : state) {
    if (peak && sinceLoop > 0.1) {
      peaks += peakRate(**execution, *peak);
      sinceLoop = 0;
      ++loops;
    }
    const auto start = std::chrono::steady_clock::now();
    llvm::Error error = (*execution)->run();
    const double took = since(start);
    if (error)
      return state.SkipWithError(toFailure(std::move(error)).message.c_str());
    state.SetIterationTime(took);
    spent += took;
    sinceLoop += took;
  }
  const double calls = double(state.iterations());
  using benchmark::Counter;
  if (l.flops > 0) {
    state.counters["FLOP/s"] = Counter(l.flops * calls / spent);
    if (loops > 0)
      state.counters["of_peak"] = Counter(l.flops * calls / spent / (peaks / double(loops)));
  }
  state.counters["bytes/s"] = Counter(double(l.problem.bytes()) * calls / spent);
}

/// A variant of every workload: its names are known once it is compiled.
llvm::Error enlist(const Workload &w, const Settings &settings) {
  auto loaded = load(w, settings);
  if (!loaded)
    return loaded.takeError();
  auto execution = Execution::create((*loaded)->program, (*loaded)->problem, (*loaded)->options);
  if (!execution)
    return execution.takeError();
  for (const std::string &variant : (*execution)->variantNames()) {
    (*loaded)->options.variant = variant; // some take few queries alone
    auto forced = Execution::create((*loaded)->program, (*loaded)->problem, (*loaded)->options);
    llvm::Error error = forced ? (*forced)->run() : forced.takeError();
    if (error) {
      llvm::consumeError(std::move(error));
      continue;
    }
    const std::string name = fmt::format("{}/{}/{}", w.program, w.name, variant);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [w, settings, variant](benchmark::State &state) { run(state, w, settings, variant); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  }
  return llvm::Error::success();
}

} // namespace

int main(int argc, char **argv) {
  Settings settings;
  std::vector<char *> rest;
  llvm::StringRef only; // programs whose name has this in it, so that others are not compiled
  for (int n = 0; n < argc; ++n) {
    const llvm::StringRef arg = argv[n];
    int value = 0;
    if (arg.starts_with("--gallery=")) {
      settings.gallery = arg.drop_front(10).str();
    } else if (arg.starts_with("--program=")) {
      only = arg.drop_front(10);
    } else if (arg.starts_with("--threads=")) {
      if (arg.drop_front(10).getAsInteger(10, value) || value < 1) {
        fmt::print(stderr, "kernels-benchmark: error: --threads= takes a number from 1 on\n");
        return ExitUsage;
      }
      settings.threads = value;
    } else {
      rest.push_back(argv[n]);
    }
  }
  int count = int(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data())) {
    fmt::print(stderr, "besides those of the library: --gallery=DIR, --program=NAME, --threads=N\n");
    return ExitUsage;
  }
  for (const Workload &w : workloads)
    if (llvm::StringRef(w.program).contains(only))
      if (llvm::Error error = enlist(w, settings)) {
        const Failure failure = toFailure(std::move(error));
        fmt::print(stderr, "kernels-benchmark: error: {}: {}\n", w.program, failure.message);
        return failure.code;
      }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ExitOk;
}
