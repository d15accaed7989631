// The JIT: one ORC session a kernel, given the very code that ahead-of-time use would write.
#include "Program.h"

#include "attn-rt/attn_gpu.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/Core.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/Threading.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace llvm;
using namespace attn;

using Objects = std::vector<SmallVector<char, 0>>;

struct Kernel::Impl {
  ~Impl() {
    if (session)
      cantFail(session->endSession()); // frees the code; the layer must still be there
  }
  /// Addresses of the objects' symbols.
  Expected<std::vector<void *>> load(Objects objects, ArrayRef<std::string> names);
  Error link(Objects objects, const std::string &kernel);
  Error linkGpu(Objects objects, const std::string &kernel);

  std::unique_ptr<orc::ExecutionSession> session;
  std::unique_ptr<orc::ObjectLinkingLayer> layer;
  std::string reported; // errors of the session; by default they would go to stderr
  attn_status (*run)(const attn_call *) = nullptr;
  attn_status (*workspace)(const attn_call *, uint64_t *) = nullptr;
  const attn_kernel_info *info = nullptr;
  const attn_gpu_info *gpu = nullptr;
  double milliseconds = 0;
  int32_t level = 0;
  std::string emulated;
};

/// What objects may refer to besides each other, and nothing else of this process.
static orc::SymbolMap runtimeSymbolMap(orc::ExecutionSession &session) {
  orc::SymbolMap symbols;
  auto add = [&](const char *name, auto *function) {
    symbols[session.intern(name)] = {orc::ExecutorAddr::fromPtr(function),
                                     JITSymbolFlags::Exported | JITSymbolFlags::Callable};
  };
  add("attn_rt_run", &attn_rt_run);
  add("attn_rt_workspace", &attn_rt_workspace);
  add("attn_rt_gpu_run", &attn_rt_gpu_run);
  add("attn_rt_gpu_workspace", &attn_rt_gpu_workspace);
  add("memcpy", &std::memcpy);
  add("memmove", &std::memmove);
  add("memset", &std::memset);
  add("memcmp", &std::memcmp);
  for (auto [name, function] : x86::tileFunctions())
    symbols[session.intern(name)] = {orc::ExecutorAddr::fromPtr(function),
                                     JITSymbolFlags::Exported | JITSymbolFlags::Callable};
  return symbols;
}

Expected<std::vector<void *>> Kernel::Impl::load(Objects objects, ArrayRef<std::string> names) {
  // On the caller's thread: the default would start threads for one small object.
  auto control = orc::SelfExecutorProcessControl::Create(nullptr, std::make_unique<orc::InPlaceTaskDispatcher>());
  if (!control)
    return control.takeError();
  session = std::make_unique<orc::ExecutionSession>(std::move(*control));
  session->setErrorReporter([this](Error e) { reported += toString(std::move(e)) + "\n"; });
  layer = std::make_unique<orc::ObjectLinkingLayer>(*session);
  orc::JITDylib &dylib = session->createBareJITDylib("kernel");
  if (Error e = dylib.define(orc::absoluteSymbols(runtimeSymbolMap(*session))))
    return e;
  for (SmallVector<char, 0> &object : objects)
    if (Error e = layer->add(dylib, std::make_unique<SmallVectorMemoryBuffer>(std::move(object), "kernel",
                                                                              /*RequiresNullTerminator=*/false)))
      return e;
  orc::SymbolLookupSet wanted;
  for (const std::string &name : names)
    wanted.add(session->intern(name));
  auto found = session->lookup(orc::makeJITDylibSearchOrder(&dylib), wanted);
  if (!found)
    return joinErrors(found.takeError(), createStringError(inconvertibleErrorCode(), reported));
  std::vector<void *> addresses;
  for (const std::string &name : names)
    addresses.push_back((*found)[session->intern(name)].getAddress().toPtr<void *>());
  return addresses;
}

Error Kernel::Impl::link(Objects objects, const std::string &name) {
  std::string kernel = "attn_" + name;
  auto found = load(std::move(objects), {kernel, kernel + "_workspace", kernel + "_info"});
  if (!found)
    return found.takeError();
  run = reinterpret_cast<decltype(run)>((*found)[0]);
  workspace = reinterpret_cast<decltype(workspace)>((*found)[1]);
  info = attn_rt_level(static_cast<const attn_kernel_info *>((*found)[2]));
  return Error::success();
}

Error Kernel::Impl::linkGpu(Objects objects, const std::string &name) {
  std::string kernel = "attn_" + name;
  auto found = load(std::move(objects), {kernel + "_gpu_workspace", kernel + "_gpu_info"});
  if (!found)
    return found.takeError();
  workspace = reinterpret_cast<decltype(workspace)>((*found)[0]);
  gpu = static_cast<const attn_gpu_info *>((*found)[1]);
  info = gpu->kernel;
  return Error::success();
}

Kernel::Kernel(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Kernel::Kernel(Kernel &&) = default;
Kernel &Kernel::operator=(Kernel &&) = default;
Kernel::~Kernel() = default;

attn_status Kernel::run(const attn_call &call) const { return impl->run ? impl->run(&call) : ATTN_E_ARGUMENT; }
attn_status Kernel::workspace(const attn_call &call, uint64_t &bytes) const { return impl->workspace(&call, &bytes); }
const attn_kernel_info &Kernel::info() const { return *impl->info; }
const attn_gpu_info *Kernel::gpu() const { return impl->gpu; }
int32_t Kernel::level() const { return impl->emulated.empty() ? impl->info->isa : impl->level; }
const std::string &Kernel::emulated() const { return impl->emulated; }
double Kernel::compileMilliseconds() const { return impl->milliseconds; }

/// The host's part of a program for GPUs, whose only image is PTX: drivers, and the simulator, take that.
static Expected<x86::CodeGenerator> generateWithPtx(Program &program) {
  auto device = program.generateDevice();
  if (!device)
    return device.takeError();
  auto ptx = device->ptx();
  if (!ptx)
    return internalError("codegen", toString(ptx.takeError()), program.print());
  return program.generateHost({std::move(*ptx), {}});
}

/// What ATTN_EMULATE asks for, into `options`.
static Error readEnvironment(CompileOptions &options) {
  const char *asked = std::getenv("ATTN_EMULATE");
  if (!asked || !*asked)
    return Error::success();
  if (StringRef(asked) != "avx512" && StringRef(asked) != "amx")
    return compileError(CompileFailure::BadInput,
                        Twine("error: [input_emulate] ATTN_EMULATE is avx512 or amx, not '") + asked + "'");
  options.runsOn = "x86-64-v3";
  if (const X86Machine *here = nativeMachine(); here && StringRef(asked) == "amx")
    for (const X86Machine *machine : x86Machines())
      if (machine->level >= ATTN_ISA_X86_64_V3 && machine->level <= here->level && !machine->amx)
        options.runsOn = machine->name;
  return Error::success();
}

Expected<Kernel> attn::compile(StringRef source, const CompileOptions &asked, StringRef name) {
  CompileOptions options = asked;
  if (options.target.empty())
    options.target = defaultTarget();
  if (Error e = readEnvironment(options))
    return std::move(e);
  x86::initialize(); // once a process, so not part of the time
  auto start = std::chrono::steady_clock::now();
  auto program = Program::parse(source, options, name);
  if (!program)
    return program.takeError();
  ArrayRef<std::string> kernels = (*program)->kernelNames();
  if (kernels.size() != 1)
    return compileError(CompileFailure::BadInput,
                        name + ": error: [input_kernels] the program has several kernels; choose one of: @" +
                            join(kernels, ", @"));
  auto generator = (*program)->forGpu() ? generateWithPtx(**program) : (*program)->generate();
  if (!generator)
    return generator.takeError();
  unsigned threads = options.threads ? options.threads : hardware_concurrency().compute_thread_count();
  auto objects = generator->objects(threads);
  if (!objects)
    return internalError("codegen", toString(objects.takeError()), (*program)->print());
  auto impl = std::make_unique<Kernel::Impl>();
  impl->level = (*program)->level();
  impl->emulated = (*program)->emulated();
  if (Error e = (*program)->forGpu() ? impl->linkGpu(std::move(*objects), kernels.front())
                                     : impl->link(std::move(*objects), kernels.front()))
    return internalError("link", toString(std::move(e)), (*program)->print());
  impl->milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return Kernel(std::move(impl));
}
