// bandwidth: how near a program comes to the speed at which its inputs can be read at all.
//
// A loop that reads every input tensor of the problem, on the same threads and the same pages, alternates with the
// kernel in one process. Bytes are those of all tensors of the call, each counted once: what is read twice, or lies in
// the workspace, counts as time lost. So give sizes whose tensors do not stay in a cache.
#include "../tools/run/Execute.h"
#include "../tools/run/Failure.h"
#include "../tools/run/Options.h"
#include "../tools/run/Predict.h"
#include "../tools/run/ReadLoop.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace attn;
using namespace attn::run;

static const char *const usage = R"(usage: bandwidth FILE [options]

Times the program in FILE against a loop that reads its inputs, alternating: the same threads, the same pages.

  --bytes N          bytes that one call has to read and write (default: those of all its tensors, each once)
  --reads N          bytes that the loop reads of them (default: those of all inputs)
  --rounds N         pairs of read loop and kernel (default: 30)
  --json             one object on standard output instead of text

and these of attn-run: --size, --param, --input, --dtype, --threads, --seed, --variant, --block-rows, --block-keys,
--split-keys, --target, --kernel, --max-bytes.

A round is one run of the loop and one call; the fraction is the median of the rounds' ratios
(bytes of the call / its time) / (bytes of the loop / its time); time is the thread's own where there is one. Tensors that are not much larger than the last-level
cache are read from there: the report says how many times larger they are.
)";

namespace {

/// All input tensors in pieces, taken by whichever thread is free.
class Reader {
public:
  Reader(const Problem &problem, int64_t limit) {
    for (const Tensor &t : problem.tensors)
      for (uint64_t at = 0; !t.isOutput && at < t.data.size() && bytes < limit; at += piece) {
        const int64_t size = std::min<int64_t>({piece, int64_t(t.data.size() - at), limit - bytes});
        pieces.push_back({t.data.data() + at, size});
        bytes += size;
      }
    found.resize(pieces.size());
  }
  void run(const Execution &execution) {
    attn_rt_parallel_for(
        execution.pool(), int64_t(pieces.size()), execution.workers(),
        [](void *self, int64_t n, int32_t) {
          auto &reader = *static_cast<Reader *>(self);
          reader.found[n] = readLines(reader.pieces[n].first, reader.pieces[n].second);
        },
        this);
  }
  int64_t bytes = 0;

private:
  static constexpr int64_t piece = 1 << 20;
  std::vector<std::pair<const char *, int64_t>> pieces;
  std::vector<uint64_t> found;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

struct Result {
  std::vector<double> kernel, loop, fraction; // GB/s, GB/s, one of the other
  double bytes = 0, reads = 0, cache = 0;     // bytes of the last-level cache
  std::string variant;
  int threads = 1;
};

llvm::Expected<Result> measure(const Options &options, std::optional<int64_t> bytes, std::optional<int64_t> reads) {
  auto program = loadProgram(options);
  if (!program)
    return program.takeError();
  auto problem = makeProblem(*program, options);
  if (!problem)
    return problem.takeError();
  auto execution = Execution::create(*program, *problem, options);
  if (!execution)
    return execution.takeError();
  if (!hasReadLoop())
    return fail(ExitUnsupported, "this CPU has no AVX2 for the read loop");
  Result r;
  r.threads = (*execution)->workers();
  r.cache = lastLevelCache();
  Reader reader(*problem, reads.value_or(INT64_MAX));
  r.reads = double(reader.bytes);
  r.bytes = bytes ? double(*bytes) : double(problem->bytes());
  // One thread's own time leaves out what the system gives to others; of several threads some may wait.
  const auto now = [&] {
    timespec t{};
    clock_gettime(r.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
  };
  const auto seconds = [&](auto work) {
    const double start = now();
    work();
    return now() - start;
  };
  llvm::Error error = (*execution)->run(); // touches results and workspace
  for (int n = 0; n < options.rounds && !error; ++n) {
    const double loop = seconds([&] { reader.run(**execution); });
    const double kernel = seconds([&] { error = (*execution)->run(); });
    r.loop.push_back(r.reads / loop / 1e9);
    r.kernel.push_back(r.bytes / kernel / 1e9);
    r.fraction.push_back(r.kernel.back() / r.loop.back());
  }
  if (error)
    return std::move(error);
  r.variant = (*execution)->variantName();
  return r;
}

} // namespace

int main(int argc, char **argv) {
  std::vector<std::string> args;
  std::optional<int64_t> bytes, reads;
  for (int n = 1; n < argc; ++n) {
    const std::string arg = argv[n];
    if (arg == "--help" || arg == "-h") {
      fmt::print("{}", usage);
      return ExitOk;
    }
    if ((arg == "--bytes" || arg == "--reads") && n + 1 < argc) {
      int64_t value = 0;
      if (llvm::StringRef(argv[++n]).getAsInteger(10, value) || value <= 0) {
        fmt::print(stderr, "bandwidth: error: {} takes a number of bytes, not '{}'\n", arg, argv[n]);
        return ExitUsage;
      }
      (arg == "--bytes" ? bytes : reads) = value;
      continue;
    }
    args.push_back(arg);
  }
  const auto failed = [](llvm::Error error, ExitCode code) {
    const Failure failure = toFailure(std::move(error), code);
    fmt::print(stderr, "bandwidth: error: {}\n", failure.message);
    return int(failure.code);
  };
  auto options = parseOptions(args);
  if (!options)
    return failed(options.takeError(), ExitUsage);
  auto result = measure(*options, bytes, reads);
  if (!result)
    return failed(result.takeError(), ExitInternal);
  const Result &r = *result;
  const double fraction = median(r.fraction), kernel = median(r.kernel), loop = median(r.loop);
  const auto bestOf = [](const std::vector<double> &v) { return *std::max_element(v.begin(), v.end()); };
  const double best = bestOf(r.kernel), bestLoop = bestOf(r.loop);
  if (options->json) {
    fmt::print(
        "{{\"variant\": \"{}\", \"threads\": {}, \"bytes\": {:.0f}, \"kernel_gb_s\": {:.3f}, \"best_gb_s\": {:.3f}, "
        "\"loop_gb_s\": {:.3f}, \"best_loop_gb_s\": {:.3f}, \"fraction\": {:.4f}, \"rounds\": {}, \"cache_bytes\": "
        "{:.0f}}}\n",
        r.variant, r.threads, r.bytes, kernel, best, loop, bestLoop, fraction, r.fraction.size(), r.cache);
    return ExitOk;
  }
  fmt::print("variant {}, {} thread{}, {:.1f} MB a call{}\n", r.variant, r.threads, r.threads == 1 ? "" : "s",
             r.bytes / 1e6, r.cache > 0 ? fmt::format(" ({:.1f} times the last-level cache)", r.bytes / r.cache) : "");
  fmt::print("kernel {:.2f} GB/s (best {:.2f}), {:.3f} ms; read loop {:.2f} GB/s (best {:.2f})\n", kernel, best,
             r.bytes / kernel / 1e6, loop, bestLoop);
  fmt::print("fraction {:.3f} (median of {} alternating rounds)\n", fraction, r.fraction.size());
  return ExitOk;
}
