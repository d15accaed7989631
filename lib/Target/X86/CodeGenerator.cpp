// Translation to LLVM IR and LLVM's x86 back end. No other folder knows TargetMachine.
#include "Lacking.h"
#include "attn/Target/X86/X86.h"

#include "Partition.h"
#include "attn/Support/MLIR.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>
#include <pthread.h>

using namespace llvm;
using namespace attn;
using namespace attn::x86;

/// Loop strength reduction, with what prepares for it. What a loop repeats stands outside it already, so that this pass
/// takes 29 % of code generation's instructions (gallery/alibi.mlir), and its analyses another 6 %, to write hot loops
/// anew with other registers; products of packed panels have as many instructions without it. What paid was one query
/// of f32 over keys from memory, by some 3 % before its keys and values were asked for by turns; not measured since.
ArrayRef<StringRef> attn::x86::passesLeftOut() {
  static constexpr StringRef names[] = {"loop-reduce", "canon-freeze"};
  return names;
}

namespace {
struct PassesWorthTheirTime : legacy::PassManager {
  void add(Pass *pass) override {
    const PassInfo *info = Pass::lookupPassInfo(pass->getPassID());
    if (info && is_contained(passesLeftOut(), info->getPassArgument()))
      delete pass;
    else
      legacy::PassManager::add(pass);
  }
};
} // namespace

static Error error(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

void attn::x86::registerTranslations(mlir::DialectRegistry &registry) {
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

// Not InitializeNativeTarget: x86 code may be emitted on any host.
void attn::x86::initialize() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser(); // inline assembly
  });
}

static Expected<std::unique_ptr<TargetMachine>> createTargetMachine(const X86Machine &machine) {
  Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return error(message);
  // No fast-math: only explicit fma and contract flags are fused. Position independent, for the object may go into any
  // library.
  TargetOptions options;
  std::unique_ptr<TargetMachine> tm(target->createTargetMachine(
      triple, machine.cpu, machine.features, options, Reloc::PIC_, CodeModel::Small, CodeGenOptLevel::Default));
  if (!tm)
    return error("LLVM has no target machine for " + Twine(machine.name));
  return std::move(tm);
}

/// Linkage and attributes that all our code has.
static Error finishModule(llvm::Module &module, const CodeGenOptions &options) {
  StringSet<> exported;
  for (const std::string &kernel : options.kernels)
    for (const std::string &suffix : options.suffixes)
      exported.insert("attn_" + kernel + suffix);
  for (GlobalValue &value : module.global_values()) {
    if (value.isDeclaration())
      continue;
    if (!exported.erase(value.getName())) {
      value.setVisibility(GlobalValue::DefaultVisibility); // local symbols have no other
      value.setLinkage(GlobalValue::InternalLinkage);
    } else if (!value.hasExternalLinkage()) {
      return error("symbol " + value.getName() + " is not external");
    }
  }
  if (!exported.empty())
    return error("the lowered module does not define " + exported.begin()->getKey());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    // Loops that clear or copy stay vector code: as calls of memset they are slower here, and the runtime promises
    // libc's minimum alone.
    function.addFnAttr("no-builtins");
    // Nothing below throws; the tables remain for debuggers and profilers.
    function.setDoesNotThrow();
    function.setUWTableKind(UWTableKind::Async);
  }
  return Error::success();
}

/// What code for the level is generated for.
static const X86Machine &cpuOf(const Level &level, const CodeGenOptions &options) {
  return options.runsOn && options.runsOn->level < level.machine->level ? *options.runsOn : *level.machine;
}

static std::string levelName(const std::string &kernel, const Level &level) {
  return "attn_" + kernel + "_info." + level.machine->name;
}

static Error runIRPasses(llvm::Module &module, TargetMachine &machine, StringRef passes) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  ModulePassManager manager;
  if (Error e = builder.parsePassPipeline(manager, passes))
    return e;
  manager.run(module, modules);
  return Error::success();
}

Error attn::x86::checkIRPasses(StringRef passes) {
  PassBuilder builder;
  ModulePassManager manager;
  return builder.parsePassPipeline(manager, passes);
}

CodeGenerator::CodeGenerator() = default;
CodeGenerator::CodeGenerator(CodeGenerator &&) = default;
CodeGenerator &CodeGenerator::operator=(CodeGenerator &&other) {
  module = std::move(other.module); // before the context that it lives in
  context = std::move(other.context);
  machine = std::move(other.machine);
  lowest = other.lowest;
  return *this;
}
CodeGenerator::~CodeGenerator() = default;

/// One level's LLVM IR, its functions bound to that level's CPU. Where it is not the lowest, it exports nothing: its
/// entries go, and its infos are called `attn_K_info.NAME`.
static Expected<std::unique_ptr<llvm::Module>> translate(const Level &level, TargetMachine &tm, LLVMContext &context,
                                                         const CodeGenOptions &options, bool lowest) {
  mlir::ModuleOp op = level.module;
  // Before the translation: without them sizes, alignments and the meaning of intrinsics are guesses.
  op->setAttr(mlir::LLVM::LLVMDialect::getTargetTripleAttrName(),
              mlir::StringAttr::get(op.getContext(), tm.getTargetTriple().str()));
  op->setAttr(mlir::LLVM::LLVMDialect::getDataLayoutAttrName(),
              mlir::StringAttr::get(op.getContext(), tm.createDataLayout().getStringRepresentation()));
  std::unique_ptr<llvm::Module> module = mlir::translateModuleToLLVMIR(op, context, "attn");
  if (!module)
    return error("translation to LLVM IR failed");
  module->setSourceFileName(options.sourceName);
  const X86Machine &cpu = cpuOf(level, options);
  if (&cpu != level.machine)
    if (Error e = writeOutWide(*module, cpu))
      return std::move(e);
  if (Error e = finishModule(*module, options))
    return std::move(e);
  for (Function &function : *module)
    if (!function.isDeclaration()) {
      function.addFnAttr("target-cpu", cpu.cpu);
      if (StringRef features = cpu.features; !features.empty())
        function.addFnAttr("target-features", features);
      if (!cpu.fma)
        writeOutFma(function);
      if (!cpu.f16c)
        writeOutHalves(function);
      if (level.machine->amx && !cpu.amx)
        writeOutTiles(function);
    }
  if (lowest)
    return std::move(module);
  for (const std::string &kernel : options.kernels) {
    for (const char *entry : {"", "_workspace"})
      module->getFunction("attn_" + kernel + entry)->eraseFromParent();
    module->getNamedGlobal("attn_" + kernel + "_info")->setName(levelName(kernel, level));
  }
  return std::move(module);
}

/// The info of each level leads to that of the next.
static void chainLevels(llvm::Module &module, ArrayRef<Level> levels, const CodeGenOptions &options) {
  for (const std::string &kernel : options.kernels) {
    GlobalVariable *below = module.getNamedGlobal("attn_" + kernel + "_info");
    for (const Level &level : levels.drop_front()) {
      GlobalVariable *own = module.getNamedGlobal(levelName(kernel, level));
      auto *fields = cast<ConstantStruct>(below->getInitializer());
      SmallVector<Constant *> changed(
          llvm::map_range(fields->operands(), [](const Use &u) { return cast<Constant>(u); }));
      changed.back() = own;
      below->setInitializer(ConstantStruct::get(fields->getType(), changed));
      own->setLinkage(GlobalValue::InternalLinkage);
      below = own;
    }
  }
}

Expected<CodeGenerator> CodeGenerator::create(ArrayRef<Level> levels, const CodeGenOptions &options) {
  initialize();
  CodeGenerator result;
  const X86Machine &lowest = cpuOf(levels.front(), options);
  auto tm = createTargetMachine(lowest);
  if (!tm)
    return tm.takeError();
  result.machine = std::move(*tm);
  result.lowest = &lowest;
  result.context = std::make_unique<LLVMContext>();
  for (const Level &level : levels) {
    bool first = !result.module;
    auto module = translate(level, *result.machine, *result.context, options, first);
    if (!module)
      return module.takeError();
    if (first)
      result.module = std::move(*module);
    else if (Linker::linkModules(*result.module, std::move(*module)))
      return error("the levels cannot be linked");
  }
  chainLevels(*result.module, levels, options);
  if (!options.irPasses.empty())
    if (Error e = runIRPasses(*result.module, *result.machine, options.irPasses))
      return std::move(e);
  return std::move(result);
}

std::string CodeGenerator::llvmIR() const {
  std::string text;
  raw_string_ostream os(text);
  module->print(os, nullptr);
  return text;
}

/// Code generation prepares the IR in place.
static Expected<SmallVector<char, 0>> emitFile(llvm::Module &module, TargetMachine &machine, CodeGenFileType kind) {
  SmallVector<char, 0> buffer;
  raw_svector_ostream os(buffer);
  PassesWorthTheirTime passes;
  if (machine.addPassesToEmitFile(passes, os, nullptr, kind, /*DisableVerify=*/true))
    return error("LLVM's x86 back end cannot emit this kind of file");
  passes.run(module);
  return std::move(buffer);
}

Expected<std::string> CodeGenerator::assembly() const {
  auto buffer = emitFile(*CloneModule(*module), *machine, CodeGenFileType::AssemblyFile);
  if (!buffer)
    return buffer.takeError();
  return std::string(buffer->begin(), buffer->end());
}

Expected<SmallVector<char, 0>> CodeGenerator::object() const {
  auto buffer = emitFile(*CloneModule(*module), *machine, CodeGenFileType::ObjectFile);
  if (!buffer)
    return buffer.takeError();
  if (Error e = checkUndefinedSymbols(*buffer))
    return std::move(e);
  return buffer;
}

namespace {
/// One of the objects that are made at the same time.
struct PartJob {
  const X86Machine &lowest;
  const Partition &partition;
  MemoryBufferRef bitcode;
  unsigned part;
  std::optional<Expected<SmallVector<char, 0>>> result;

  Expected<SmallVector<char, 0>> generate() {
    auto context = std::make_unique<LLVMContext>();
    auto tm = createTargetMachine(lowest);
    if (!tm)
      return tm.takeError();
    auto module = getLazyBitcodeModule(bitcode, *context);
    if (!module)
      return module.takeError();
    if (Error e = partition.reduce(**module, part))
      return std::move(e);
    return emitFile(**module, **tm, CodeGenFileType::ObjectFile);
  }
  static void *run(void *job) {
    static_cast<PartJob *>(job)->result.emplace(static_cast<PartJob *>(job)->generate());
    return nullptr;
  }
};
} // namespace

Expected<std::vector<SmallVector<char, 0>>> CodeGenerator::objects(unsigned most) const {
  std::vector<SmallVector<char, 0>> made;
  Partition partition(*module, most);
  if (partition.size() == 1) {
    auto whole = object();
    if (!whole)
      return whole.takeError();
    made.push_back(std::move(*whole));
    return made;
  }
  SmallString<0> bitcode;
  raw_svector_ostream os(bitcode);
  WriteBitcodeToFile(*module, os);
  std::vector<PartJob> jobs;
  for (unsigned part = 0; part < partition.size(); ++part)
    jobs.push_back({*lowest, partition, MemoryBufferRef(bitcode, module->getName()), part, std::nullopt});
  // The last is this thread's; so is what no thread could be had for.
  std::vector<std::optional<pthread_t>> threads(jobs.size());
  for (unsigned part = 0; part + 1 < jobs.size(); ++part) {
    pthread_t thread;
    if (!pthread_create(&thread, nullptr, PartJob::run, &jobs[part]))
      threads[part] = thread;
  }
  for (auto [job, thread] : zip(jobs, threads))
    if (!thread)
      PartJob::run(&job);
  for (const std::optional<pthread_t> &thread : threads)
    if (thread)
      pthread_join(*thread, nullptr);
  Error failed = Error::success();
  for (PartJob &job : jobs) {
    if (*job.result)
      made.push_back(std::move(**job.result));
    else
      failed = joinErrors(std::move(failed), job.result->takeError());
  }
  if (failed)
    return std::move(failed);
  if (Error e = checkUndefinedSymbols(made))
    return std::move(e);
  return made;
}
