// Measures the bars, prints each beside its figure, and keeps it.
#include "Bars.h"
#include "Fraction.h"

#include "../tools/run/Failure.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <ctime>
#include <fmt/format.h>
#include <fstream>

using namespace attn;
using namespace attn::run;
using namespace attn::bench;
namespace json = llvm::json;

namespace {

enum class Kind {
  Fraction, // of the peak, quiet: at least the bar
  Points,   // of the peak less than the plain program, quiet: at most the bar
  PairTime, // of a visible pair, times that of the plain program, quiet: at most the bar
  Scaling   // calls on one thread / on two: at least the bar
};

struct Bar {
  const char *name;
  Kind kind;
  double bar;
  Case what, beside; // beside: the plain program
};

struct Figure {
  double value = 0;
  json::Object details;
  bool ok(const Bar &b) const {
    return b.kind == Kind::Points || b.kind == Kind::PairTime ? value <= b.bar : value >= b.bar;
  }
};

std::vector<Bar> bars(const std::string &gallery) {
  auto program = [&](const char *name) { return gallery + "/" + name + ".mlir"; };
  const std::string full = program("full"), causal = program("causal"), window = program("sliding_window"),
                    blocks = program("block_sparse"), shared = gallery + "/../bench/programs/shared_keys.mlir",
                    ofBlocks = gallery + "/../bench/programs/block_keys.mlir",
                    entropy = gallery + "/../bench/programs/entropy.mlir";
  const std::string k1 = "--size,n=1024,--size,h=1", k2 = "--size,n=2048,--size,h=1", k4 = "--size,n=4096,--size,h=1";
  // 128 queries share 1024 of 4096 keys.
  const std::string selected = "--size,b=1,--size,h=1,--size,g=32,--size,i=128,--size,j=4096,--size,list.3=1024";
  return {
      {"full 1k d=64", Kind::Fraction, 0.88, {full, "64", k1}, {}},
      {"full 1k d=128", Kind::Fraction, 0.92, {full, "128", k1}, {}},
      {"full 4k d=64", Kind::Fraction, 0.88, {full, "64", k4}, {}},
      {"full 4k d=128", Kind::Fraction, 0.92, {full, "128", k4}, {}},
      {"full 2k d=80", Kind::Fraction, 0.87, {full, "80", k2}, {}},
      {"full 2k d=96", Kind::Fraction, 0.87, {full, "96", k2}, {}},
      {"full 2k d=192", Kind::Fraction, 0.87, {full, "192", k2}, {}},
      {"full 2k d=256", Kind::Fraction, 0.87, {full, "256", k2}, {}},
      {"causal 4k d=64", Kind::Fraction, 0.87, {causal, "64", k4}, {}},
      {"causal 4k d=128", Kind::Fraction, 0.91, {causal, "128", k4}, {}},
      {"window1024 4k d=64", Kind::Fraction, 0.87, {window, "64", k4 + ",--param,w=1024"}, {}},
      {"window1024 4k d=128", Kind::Fraction, 0.87, {window, "128", k4 + ",--param,w=1024"}, {}},
      {"bf16 2k d=64", Kind::Fraction, 0.87, {full, "64", k2 + ",--dtype,bf16"}, {}},
      {"bf16 2k d=128", Kind::Fraction, 0.87, {full, "128", k2 + ",--dtype,bf16"}, {}},
      {"entropy 2k d=64", Kind::Points, 0.02, {entropy, "64", k2}, {full, "64", k2}},
      {"entropy 2k d=128", Kind::Points, 0.02, {entropy, "128", k2}, {full, "128", k2}},
      {"adversarial 2k d=64", Kind::Fraction, 0.45, {full, "64", k2 + ",--logits,steep"}, {}},
      {"adversarial 2k d=128", Kind::Fraction, 0.45, {full, "128", k2 + ",--logits,steep"}, {}},
      {"pair of listed blocks d=64", Kind::PairTime, 1.1, {blocks, "64", k4 + ",--size,list.3=16"}, {full, "64", k4}},
      {"pair of listed blocks d=128",
       Kind::PairTime,
       1.1,
       {blocks, "128", k4 + ",--size,list.3=16"},
       {full, "128", k4}},
      {"pair of shared keys d=64", Kind::PairTime, 1.1, {shared, "64", selected}, {full, "64", k4}},
      {"pair of shared keys d=128", Kind::PairTime, 1.1, {shared, "128", selected}, {full, "128", k4}},
      {"pair of a block's keys d=64",
       Kind::PairTime,
       1.1,
       {ofBlocks, "64", k4 + ",--size,list.3=1024"},
       {full, "64", k4}},
      {"pair of a block's keys d=128",
       Kind::PairTime,
       1.1,
       {ofBlocks, "128", k4 + ",--size,list.3=1024"},
       {full, "128", k4}},
      {"two threads full 2k d=64", Kind::Scaling, 1.92, {full, "64", "--size,n=2048,--size,h=4"}, {}},
      {"two threads full 2k d=128", Kind::Scaling, 1.92, {full, "128", "--size,n=2048,--size,h=4"}, {}},
      {"two threads causal 4k d=64", Kind::Scaling, 1.92, {causal, "64", "--size,n=4096,--size,h=2"}, {}},
  };
}

llvm::Expected<Figure> scaling(const Bar &bar, double seconds) {
  auto found = measureScaling(bar.what, seconds);
  if (!found)
    return found.takeError();
  Figure f;
  f.value = found->calls;
  f.details = json::Object{{"best", found->best}, {"peak_loop", found->loop}, {"rounds", found->rounds}};
  return f;
}

/// With a program beside it, both take turns of half a second.
llvm::Expected<Figure> fraction(const Bar &bar, double seconds) {
  std::vector<std::unique_ptr<Measurement>> measured;
  for (const Case *c : {&bar.what, &bar.beside}) {
    if (c->file.empty())
      continue;
    auto made = Measurement::create(*c);
    if (!made)
      return made.takeError();
    measured.push_back(std::move(*made));
  }
  constexpr double turn = 0.5;
  for (double spent = 0; spent < seconds; spent += turn)
    for (auto &m : measured)
      if (llvm::Error error = m->run(turn))
        return std::move(error);
  auto of = measured[0]->fractions();
  if (!of)
    return of.takeError();
  Figure f;
  f.value = of->quiet;
  f.details = json::Object{{"quiet", of->quiet},
                           {"median", of->median},
                           {"main_quiet", of->mainQuiet},
                           {"samples", int64_t(of->samples)},
                           {"peak", of->peak}};
  if (bar.kind != Kind::Points && bar.kind != Kind::PairTime)
    return f;
  auto plain = measured[1]->fractions();
  if (!plain)
    return plain.takeError();
  f.value = bar.kind == Kind::Points ? plain->quiet - of->quiet : plain->quiet / of->quiet;
  f.details["plain_quiet"] = plain->quiet;
  return f;
}

std::string amount(const Bar &bar, double value) {
  switch (bar.kind) {
  case Kind::Fraction:
    return fmt::format("{:5.1f} %", 100 * value);
  case Kind::Points:
    return fmt::format("{:5.1f} points", 100 * value);
  default:
    return fmt::format("{:5.2f} x", value);
  }
}

const char *nameOf(Kind kind) {
  return kind == Kind::Fraction   ? "fraction of peak"
         : kind == Kind::Points   ? "points of peak lost"
         : kind == Kind::PairTime ? "time of a dense pair"
                                  : "times one thread";
}

std::string cpu() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (llvm::StringRef(line).starts_with("model name"))
      return llvm::StringRef(line).split(':').second.trim().str();
  return "unknown";
}

std::string today() {
  char text[16];
  const time_t t = time(nullptr);
  tm parts{};
  strftime(text, sizeof text, "%Y-%m-%d", localtime_r(&t, &parts));
  return text;
}

/// The file's object with this bar's figure in it; others stay as they are.
llvm::Error store(const BarOptions &options, const char *name, const json::Object &figure) {
  json::Object all;
  if (auto buffer = llvm::MemoryBuffer::getFile(options.store)) {
    auto old = json::parse((*buffer)->getBuffer());
    if (!old || !old->getAsObject()) {
      llvm::consumeError(old.takeError());
      return fail(ExitBadInput, "--store {}: it is there and is no JSON object", options.store);
    }
    all = std::move(*old->getAsObject());
  }
  all[name] = json::Object(figure);
  std::error_code error;
  llvm::raw_fd_ostream out(options.store, error);
  if (error)
    return fail(ExitBadInput, "--store {}: {}", options.store, error.message());
  out << llvm::formatv("{0:1}", json::Value(std::move(all))) << "\n";
  return llvm::Error::success();
}

} // namespace

int attn::bench::runBars(const BarOptions &options) {
  int code = ExitOk;
  auto report = [&](llvm::Error error) {
    const Failure failure = toFailure(std::move(error));
    fmt::print(stderr, "fraction-of-peak: error: {}\n", failure.message);
    code = failure.code;
  };
  for (Bar &bar : bars(options.gallery)) {
    if (llvm::StringRef(bar.name).contains(options.only) == false)
      continue;
    bar.what.addTarget(options.target);
    bar.beside.addTarget(options.target);
    auto figure = bar.kind == Kind::Scaling ? scaling(bar, options.seconds) : fraction(bar, options.seconds);
    if (!figure) {
      report(figure.takeError());
      continue;
    }
    const bool ok = figure->ok(bar);
    json::Object o = json::Object(figure->details);
    o["kind"] = nameOf(bar.kind);
    o["bar"] = bar.bar;
    o["figure"] = figure->value;
    o["ok"] = ok;
    o["cpu"] = cpu();
    o["date"] = today();
    o["note"] = options.note;
    if (!options.target.empty())
      o["target"] = options.target;
    if (!options.store.empty())
      if (llvm::Error error = store(options, bar.name, o))
        return report(std::move(error)), code;
    if (options.json) {
      o["name"] = bar.name;
      std::string text;
      llvm::raw_string_ostream(text) << json::Value(std::move(o));
      fmt::print("{}\n", text);
    } else {
      const auto more = figure->details.getNumber(bar.kind == Kind::Scaling ? "peak_loop" : "median");
      fmt::print("{:6} {:28} {:>12}, bar {:>12} {}; {}\n", ok ? "ok" : "MISSED", bar.name, amount(bar, figure->value),
                 bar.kind == Kind::Points || bar.kind == Kind::PairTime ? "at most" : "at least", amount(bar, bar.bar),
                 bar.kind == Kind::Scaling ? fmt::format("the peak loop {:.2f} x", more.value_or(0))
                                           : fmt::format("median {:.1f} %", 100 * more.value_or(0)));
    }
    std::fflush(stdout);
  }
  return code;
}
