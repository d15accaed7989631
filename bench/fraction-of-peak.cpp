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
#include "Bars.h"
#include "Fraction.h"

#include "../tools/run/Failure.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::run;
using namespace attn::bench;

static const char *const help = R"(usage: fraction-of-peak [--json] [--seconds N] [--gallery DIR] [--target T] [CASE...]
       fraction-of-peak --bars [TEXT] [--store FILE] [--note TEXT] [--json] [--seconds N] [--gallery DIR] [--target T]

How much of the peak of its level's fused multiply-adds, or of tiles where both products are on them, a kernel reaches
on one thread, counting visible pairs alone.

  CASE         FILE[:WIDTH[:OPTION,...]]: a program; the extent that stands for 64 in its tensor types; options of
               attn-run, as --size n=4096. Without cases: full, causal, window, softcap and sigmoid of the gallery.
  --seconds N  how long each case is run (default: 5)
  --gallery D  where those programs are (default: gallery)
  --target T   the level of x86-64 that is compiled for, or native (default: attn-run's)
  --json       one object a line: file, width, options, tasks, samples (of the task that has fewest), flops, peak
               (FLOP/s), and fractions of the peak: quiet, median, and main_quiet, of the main phases alone

  --bars       the figures that x86 kernels have to reach, each beside its bar: all, or those whose name has TEXT in it
  --store FILE of bars: kept there as JSON, one by one (bench/results/peak.json is what docs/performance.md shows)
  --note TEXT  kept with them: what else the machine did

quiet   the 3 % quantile of every task's time x peak, summed: what the code takes when nobody disturbs it
median  the same of medians: what this machine gave

Of bars a fraction is the quiet one; points lost are those of two programs that take turns; a bar of two threads is the
median over rounds of the time of a call on one thread to that on two, beside what the peak loop gains from the second.
)";

namespace {

llvm::Expected<Fractions> measure(const Case &c, double seconds) {
  auto m = Measurement::create(c);
  if (!m)
    return m.takeError();
  if (llvm::Error error = (*m)->run(seconds))
    return std::move(error);
  return (*m)->fractions();
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
  add("full", {"64"}, "--size,n=2048,--size,h=1,--logits,steep");
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
  std::optional<BarOptions> bars;
  std::string store, note, target;
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
    } else if (arg == "--store" && hasValue) {
      store = argv[++n];
    } else if (arg == "--note" && hasValue) {
      note = argv[++n];
    } else if (arg == "--target" && hasValue) {
      target = argv[++n];
    } else if (arg == "--bars") {
      bars.emplace();
      if (hasValue && !llvm::StringRef(argv[n + 1]).starts_with("--"))
        bars->only = argv[++n];
    } else if (!arg.starts_with("--")) {
      auto [file, rest] = arg.split(':');
      auto [width, options] = rest.split(':');
      cases.push_back({file.str(), width.empty() ? "64" : width.str(), options.str()});
    } else {
      fmt::print(stderr, "fraction-of-peak: error: {}: no such option, or no value for it\n{}", argv[n], help);
      return ExitUsage;
    }
  }
  if (!bars && !(store + note).empty()) {
    fmt::print(stderr, "fraction-of-peak: error: --store and --note are for --bars\n");
    return ExitUsage;
  }
  if (bars) {
    bars->gallery = gallery;
    bars->store = store;
    bars->note = note;
    bars->seconds = seconds;
    bars->target = target;
    bars->json = json;
    return runBars(*bars);
  }
  int code = ExitOk;
  for (Case &c : cases.empty() ? cases = table(gallery) : cases) {
    c.addTarget(target);
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
                 100 * r->quiet, 100 * r->median, 100 * r->mainQuiet, r->flopsPerCycle * r->quiet, c.file, c.width,
                 c.options);
    std::fflush(stdout);
  }
  return code;
}
