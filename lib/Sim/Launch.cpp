// From a module and arguments to a running grid.
#include "attn/Sim/Launch.h"
#include "Machine.h"

#include <fmt/format.h>

using namespace attn::sim;

namespace {

constexpr uint64_t maxShared = 227 * 1024;

void checkShape(const Function &f, const LaunchOptions &o) {
  const uint64_t threads = uint64_t(o.block[0]) * o.block[1] * o.block[2],
                 ctas = uint64_t(o.grid[0]) * o.grid[1] * o.grid[2];
  if (!threads || threads > 1024)
    throw Error(f.place, fmt::format("a block of {} threads; 1 to 1024 are possible", threads));
  if (!ctas || ctas > 1u << 24)
    throw Error(f.place, fmt::format("a grid of {} CTAs; 1 to 2^24 are possible", ctas));
  if (f.reqntid[0] && f.reqntid != o.block)
    throw Error(f.place, fmt::format("'{}' requires blocks of {}x{}x{} threads (.reqntid)", f.name, f.reqntid[0],
                                     f.reqntid[1], f.reqntid[2]));
  if (f.maxntid[0] && threads > uint64_t(f.maxntid[0]) * f.maxntid[1] * f.maxntid[2])
    throw Error(f.place, fmt::format("'{}' allows at most {} threads (.maxntid)", f.name,
                                     uint64_t(f.maxntid[0]) * f.maxntid[1] * f.maxntid[2]));
  if (f.cluster[0] && f.cluster != std::array<uint32_t, 3>{1, 1, 1})
    throw Error(f.place, "clusters of several CTAs are not simulated");
}

/// What no device has, and what would only fill the host's memory.
void checkSizes(const Program &program, const Function &f, const LaunchOptions &o) {
  const uint64_t shared = program.sharedStatic + o.sharedBytes;
  if (shared > maxShared)
    throw Error(f.place, fmt::format("{} bytes of shared memory; an SM has 227 KiB for a CTA", shared));
  if (program.localBytes > 512 * 1024)
    throw Error(f.place, fmt::format("{} bytes of local memory a thread; 512 KiB are possible", program.localBytes));
  if (program.paramBytes > 32764)
    throw Error(f.place, fmt::format("{} bytes of parameters; 32764 are possible", program.paramBytes));
  const uint64_t warps = (uint64_t(o.block[0]) * o.block[1] * o.block[2] + 31) / 32 * o.residentCtas;
  if (warps * program.registerCount * 256 > uint64_t(4) << 30)
    throw Error(f.place,
                fmt::format("{} virtual registers in {} warps need more than 4 GiB here; run fewer CTAs at once "
                            "(--resident)",
                            program.registerCount, warps));
}

} // namespace

Report attn::sim::launch(const Module &module, const std::string &kernelName, std::vector<Argument> &arguments,
                         const LaunchOptions &options) {
  const Function *kernel = module.findFunction(kernelName);
  if (!kernel || !kernel->entry || kernel->statements.empty()) {
    std::string names;
    for (auto &f : module.functions)
      if (f->entry)
        names += (names.empty() ? "" : ", ") + f->name;
    throw Error({1, 1},
                fmt::format("there is no kernel '{}'; the module has {}", kernelName, names.empty() ? "none" : names));
  }
  checkShape(*kernel, options);
  if (arguments.size() != kernel->params.size())
    throw Error(kernel->place, fmt::format("'{}' has {} parameters, {} arguments were given", kernelName,
                                           kernel->params.size(), arguments.size()));

  GlobalMemory memory;
  std::map<std::string, uint64_t> symbols;
  for (const Variable &v : module.variables) {
    if (v.space == Space::Shared)
      continue;
    if (v.external)
      throw Error(v.place, fmt::format("'{}' is defined in another module", v.name));
    Allocation &a = memory.allocate(v.name, v.bytes, v.space == Space::Const);
    std::copy(v.initial.begin(), v.initial.end(), a.data.begin());
    symbols[v.name] = a.base;
  }
  const Program program = decode(module, *kernel, std::move(symbols), options.seed);

  checkSizes(program, *kernel, options);

  std::vector<Allocation *> buffers;
  std::vector<uint8_t> params(program.paramBytes);
  for (size_t n = 0; n < arguments.size(); ++n) {
    Argument &argument = arguments[n];
    const Variable &p = kernel->params[n];
    std::vector<uint8_t> value = argument.value;
    buffers.push_back(nullptr);
    if (argument.isBuffer) {
      Allocation &a = memory.allocate(argument.name, argument.data.size(), argument.readOnly);
      a.data = argument.data;
      if (!argument.defined) {
        a.state.assign(a.bytes, Unwritten);
        std::fill(a.data.begin(), a.data.end(), 0xa5);
      }
      buffers.back() = &a;
      value.resize(8);
      memcpy(value.data(), &a.base, 8);
    }
    if (value.size() != p.bytes)
      throw Error(p.place, fmt::format("parameter {} of '{}' has {} bytes, argument '{}' has {}", n, kernelName,
                                       p.bytes, argument.name, value.size()));
    std::copy(value.begin(), value.end(), params.begin() + long(program.paramOffsets[n]));
  }

  Report report;
  report.registers = uint32_t(kernel->registers.size());
  report.sharedStatic = uint32_t(program.sharedStatic);
  report.localBytes = uint32_t(program.localBytes);
  Machine(program, options, memory, report).run(std::move(params));
  for (size_t n = 0; n < arguments.size(); ++n)
    if (buffers[n]) {
      arguments[n].data = std::move(buffers[n]->data);
      arguments[n].poison.resize(buffers[n]->bytes);
      for (size_t k = 0; k < buffers[n]->bytes; ++k)
        arguments[n].poison[k] = buffers[n]->state[k] != Defined;
    }
  return report;
}
