// attn-sim: runs a PTX kernel on the host and says what is wrong with it.
#include "attn/Support/Npy.h"
#include "sim/Options.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

using namespace attn;
using namespace attn::simtool;

namespace {

[[noreturn]] void fail(const std::string &message) {
  fmt::print(stderr, "attn-sim: error: {}\n", message);
  std::exit(ExitUsage);
}

std::string readText(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  if (!in || !(text << in.rdbuf()))
    fail(fmt::format("{}: cannot be read", path));
  return text.str();
}

sim::Argument prepare(ArgumentText &a) {
  sim::Argument result;
  result.name = a.text;
  if (a.kind == ArgumentText::Scalar) {
    result.value = a.value;
    return result;
  }
  result.isBuffer = true;
  result.readOnly = a.kind == ArgumentText::Input;
  if (a.kind == ArgumentText::Output) {
    uint64_t bytes = uint64_t(bytesOf(a.element));
    for (const int64_t extent : a.shape)
      bytes *= uint64_t(extent);
    result.name = a.output.empty() ? a.text : a.output;
    result.defined = false;
    result.data.resize(bytes);
    return result;
  }
  result.name = a.input;
  auto file = readNpy(a.input, uint64_t(1) << 32);
  if (!file)
    fail(fmt::format("--arg {}: {}", a.text, toString(file.takeError())));
  if (file->header.fortranOrder)
    fail(fmt::format("--arg {}: the file is in Fortran order; save it with numpy.ascontiguousarray", a.text));
  a.element = file->header.element;
  a.shape = file->header.shape;
  result.data.assign(file->data.data(), file->data.data() + file->data.size());
  return result;
}

void save(const ArgumentText &a, const sim::Argument &argument) {
  if (a.output.empty())
    return;
  uint64_t poison = 0;
  for (const uint8_t p : argument.poison)
    poison += p;
  if (poison)
    fmt::print(stderr, "attn-sim: note: {} of {} bytes of {} were never written\n", poison, argument.data.size(),
               a.output);
  if (auto error = writeNpy(a.output, a.element, a.shape, argument.data.data()))
    fail(fmt::format("--arg {}: {}", a.text, toString(std::move(error))));
}

void list(const sim::Module &module) {
  for (auto &f : module.functions) {
    if (!f->entry)
      continue;
    fmt::print("{}", f->name);
    for (auto &p : f->params)
      fmt::print(" {}:{}{}", p.name, nameOf(p.type),
                 p.bytes > bytesOf(p.type) ? fmt::format("[{}]", p.bytes / bytesOf(p.type)) : "");
    fmt::print("\n");
  }
}

void summary(const sim::Report &r) {
  uint64_t wavefronts = 0, ideal = 0, sectors = 0, idealSectors = 0;
  for (auto &s : r.sites)
    wavefronts += s.wavefronts, ideal += s.idealWavefronts, sectors += s.sectors, idealSectors += s.idealSectors;
  fmt::print(stderr,
             "{} CTAs, {} instructions of warps; shared memory {} wavefronts ({} ideal), global memory {} sectors ({} "
             "ideal); {}\n",
             r.ctas, r.steps, wavefronts, ideal, sectors, idealSectors,
             r.clean() ? "clean" : fmt::format("{} findings", r.findings.size()));
}

int run(Options o) {
  const sim::Module module = sim::parseModule(readText(o.file));
  if (o.list) {
    list(module);
    return ExitClean;
  }
  if (o.kernel.empty())
    for (auto &f : module.functions)
      if (f->entry) {
        if (!o.kernel.empty())
          fail("the file has several kernels; choose with --kernel, --list shows them");
        o.kernel = f->name;
      }
  if (!o.launch.block[0]) {
    const sim::Function *f = module.findFunction(o.kernel);
    o.launch.block = f && f->reqntid[0] ? f->reqntid : std::array<uint32_t, 3>{32, 1, 1};
  }
  std::vector<sim::Argument> arguments;
  for (ArgumentText &a : o.arguments)
    arguments.push_back(prepare(a));
  const sim::Report report = sim::launch(module, o.kernel, arguments, o.launch);
  for (auto &f : report.findings)
    fmt::print(stderr, "{}", sim::describe(f, o.file));
  for (size_t n = 0; n < arguments.size(); ++n)
    save(o.arguments[n], arguments[n]);
  if (o.report == "-")
    fmt::print("{}", toJson(report));
  else if (!o.report.empty() && !(std::ofstream(o.report) << toJson(report)))
    fail(fmt::format("--report {}: cannot be written", o.report));
  if (!o.quiet)
    summary(report);
  return report.clean() ? ExitClean : ExitFinding;
}

} // namespace

int main(int argc, char **argv) {
  std::string error;
  const auto options = parseOptions({argv + 1, argv + argc}, error);
  if (!options)
    fail(error);
  if (options->help) {
    fmt::print("{}", usageText);
    return ExitClean;
  }
  try {
    return run(*options);
  } catch (const sim::Error &e) {
    fail(fmt::format("{}:{}:{}: {}", options->file, e.place.line, e.place.column, e.what()));
  } catch (const std::bad_alloc &) {
    fail("out of memory");
  }
}
