// Tasks, one by one, between runs of the peak loop; and whole calls on two threads beside one.
#include "Fraction.h"

#include "../tools/run/Bench.h"
#include "../tools/run/Failure.h"
#include "../tools/run/Oracle.h"
#include "../tools/run/PeakLoop.h"
#include "../tools/run/Visibility.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

#include <ctime>

using namespace attn;
using namespace attn::run;
using namespace attn::bench;

namespace {

double now(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec t;
  clock_gettime(clock, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

double quantile(std::vector<double> x, double q) {
  std::sort(x.begin(), x.end());
  return x[size_t(q * double(x.size() - 1))];
}

/// Runs the tasks of every phase and keeps what each of them cost, in FLOPs that the peak loop would have done.
class Meter {
public:
  Meter() {
    for (int n = 0; n < 10000; ++n) {
      const double start = now();
      clockCost = std::min(clockCost, now() - start);
    }
  }
  /// The peak, once it is known what runs.
  void setLoop(const PeakLoop &of) { loop = &of, iterations = of.iterationsIn(90'000); }
  static void parallelFor(void *self, int64_t tasks, int32_t, attn_task_fn fn, void *ctx) {
    static_cast<Meter *>(self)->run(tasks, fn, ctx);
  }
  double flopsPerCycle() const { return loop->flopsPerCycle; }
  void beginCall() { phase = 0; }

  /// By phase and task.
  std::vector<std::vector<std::vector<double>>> costs;
  std::vector<double> peaks;

private:
  double peak() {
    const double start = now();
    volatile double sink = loop->run(iterations);
    (void)sink;
    return double(iterations * loop->flops) / (now() - start - clockCost);
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

  const PeakLoop *loop = nullptr;
  int64_t iterations = 0; // 25 us: the clock's own cost is small against it
  double clockCost = 1;
  size_t phase = 0;
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

/// A program and inputs. Not movable: the problem points into the program.
struct Loaded {
  Options options;
  Program program;
  Problem problem;
};

llvm::Expected<std::unique_ptr<Loaded>> load(const Case &c) {
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
  auto loaded = std::make_unique<Loaded>();
  loaded->options = std::move(*options);
  auto program = loadProgram(loaded->options);
  if (!program)
    return program.takeError();
  loaded->program = std::move(*program);
  if (!loaded->program.attend)
    return fail(ExitBadInput, "{}: a kernel of several steps; give one with one attend", c.file);
  auto problem = makeProblem(loaded->program, loaded->options);
  if (!problem)
    return problem.takeError();
  loaded->problem = std::move(*problem);
  return std::move(loaded);
}

} // namespace

struct Measurement::State {
  State(std::string file, std::unique_ptr<Loaded> what) : file(std::move(file)), loaded(std::move(what)) {}
  std::string file;
  std::unique_ptr<Loaded> loaded;
  std::unique_ptr<Execution> execution;
  Meter meter;
  double flops = 0;
};

Measurement::Measurement(std::unique_ptr<State> state) : state(std::move(state)) {}
Measurement::~Measurement() = default;

llvm::Expected<std::unique_ptr<Measurement>> Measurement::create(const Case &c) {
  auto loaded = load(c);
  if (!loaded)
    return loaded.takeError();
  AttendOp attend = (*loaded)->program.attend;
  auto s = std::make_unique<State>(c.file, std::move(*loaded));
  Loaded &l = *s->loaded;
  auto oracle = makeInterpreter(l.program, l.problem);
  if (!oracle)
    return oracle.takeError();
  Visibility visibility(l.program, l.problem, **oracle);
  s->flops = 2.0 * double(attend.dotExtent() + attend.vPart().extent) * countPairs(visibility, l.problem, 10).visible;
  auto execution = Execution::create(l.program, l.problem, l.options);
  if (!execution)
    return execution.takeError();
  s->execution = std::move(*execution);
  const PeakLoop *loop = peakLoopOf(*s->execution, l.program);
  if (!loop)
    return fail(ExitUnsupported, "this CPU has no AVX2 and FMA for the peak loop");
  s->meter.setLoop(*loop);
  s->execution->runTasksBy(Meter::parallelFor, &s->meter);
  return std::unique_ptr<Measurement>(new Measurement(std::move(s)));
}

llvm::Error Measurement::run(double seconds) {
  const double end = now() + seconds;
  do {
    state->meter.beginCall();
    if (llvm::Error error = state->execution->run())
      return error;
  } while (now() < end);
  return llvm::Error::success();
}

llvm::Expected<Fractions> Measurement::fractions() const {
  Fractions r;
  r.flops = state->flops;
  r.samples = SIZE_MAX;
  double quiet = 0, median = 0, mainQuiet = 0;
  // The phases of the variant follow each other, for one group of heads after another.
  const attn_variant_info &variant = state->execution->kernel().info().variants[state->execution->stats().variant];
  const Meter &meter = state->meter;
  for (size_t n = 0; n < meter.costs.size(); ++n) {
    double sum = 0;
    for (const auto &task : meter.costs[n]) {
      if (task.empty())
        return fail(ExitBadInput, "{}: a task was never timed between equal peaks; run longer", state->file);
      sum += quantile(task, 0.03);
      median += quantile(task, 0.5);
      r.samples = std::min(r.samples, task.size());
      ++r.tasks;
    }
    quiet += sum;
    if (variant.phases[n % size_t(variant.n_phases)].kind == ATTN_PHASE_MAIN)
      mainQuiet += sum;
  }
  r.flopsPerCycle = meter.flopsPerCycle();
  r.peak = quantile(meter.peaks, 0.5);
  r.quiet = r.flops / quiet;
  r.median = r.flops / median;
  r.mainQuiet = r.flops / mainQuiet;
  return r;
}

llvm::Expected<Scaling> attn::bench::measureScaling(const Case &c, double seconds) {
  auto loaded = load(c);
  if (!loaded)
    return loaded.takeError();
  Loaded &l = **loaded;
  std::unique_ptr<Execution> on[2];
  for (int n = 0; n < 2; ++n) {
    l.options.threads = n + 1;
    auto made = Execution::create(l.program, l.problem, l.options);
    if (!made)
      return made.takeError();
    on[n] = std::move(*made);
  }
  llvm::Error error = llvm::Error::success();
  auto timed = [&](auto work) {
    const double start = now(CLOCK_MONOTONIC);
    work();
    return now(CLOCK_MONOTONIC) - start;
  };
  auto call = [&](int n) {
    return timed([&] {
      if (!error)
        error = on[n]->run();
    });
  };
  const PeakLoop *peak = peakLoopOf(*on[0], l.program);
  if (!peak)
    return fail(ExitUnsupported, "this CPU has no AVX2 and FMA for the peak loop");
  auto loop = [&](int n) {
    return timed([&] {
      attn_rt_parallel_for(
          on[n]->pool(), n + 1, n + 1,
          [](void *of, int64_t, int32_t) {
            const auto *loop = static_cast<const PeakLoop *>(of);
            volatile double sink = loop->run(loop->iterationsIn(18'000'000)); // 5 ms
            (void)sink;
          },
          const_cast<PeakLoop *>(peak));
    });
  };
  std::vector<double> calls, loops, times[2];
  const double end = now(CLOCK_MONOTONIC) + seconds;
  call(0), call(1); // touch results and workspaces
  do {
    const double one = call(0), two = call(1);
    times[0].push_back(one), times[1].push_back(two);
    calls.push_back(one / two);
    const double loopOne = loop(0), loopTwo = loop(1); // twice the work
    loops.push_back(2 * loopOne / loopTwo);
  } while (!error && now(CLOCK_MONOTONIC) < end);
  if (error)
    return std::move(error);
  Scaling s;
  s.calls = quantile(calls, 0.5);
  s.loop = quantile(loops, 0.5);
  s.best = quantile(times[0], 0) / quantile(times[1], 0);
  s.rounds = int(calls.size());
  return s;
}
