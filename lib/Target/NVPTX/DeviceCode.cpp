// Translation to LLVM IR, LLVM's -O3 pipeline and the NVPTX back end. No other folder knows that back end.
#include "attn/Target/NVPTX/NVPTX.h"

#include "attn/Support/MLIR.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>

using namespace llvm;
using namespace attn;
using namespace attn::nvptx;

static Error error(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

void attn::nvptx::registerTranslations(mlir::DialectRegistry &registry) {
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

void attn::nvptx::initialize() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

namespace {
/// Pointers into shared memory have 32 bits, as --nv-to-llvm says in the data layout. The back end of 22 is told so by
/// an option of its command line, which it reads when a target machine is made: of others in this process too, so it is
/// set only meanwhile.
class ShortPointers {
public:
  ShortPointers() : lock(mutex) {
    auto &all = cl::getRegisteredOptions();
    if (auto found = all.find("nvptx-short-ptr"); found != all.end())
      option = static_cast<cl::opt<bool> *>(found->second);
    if (option)
      before = option->getValue(), option->setValue(true);
  }
  ~ShortPointers() {
    if (option)
      option->setValue(before);
  }

private:
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock;
  cl::opt<bool> *option = nullptr;
  bool before = false;
};
std::mutex ShortPointers::mutex;
} // namespace

static Expected<std::unique_ptr<TargetMachine>> createTargetMachine(const NvidiaMachine &machine) {
  Triple triple("nvptx64-nvidia-cuda");
  std::string message;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return error(message);
  // No fast-math: as on CPUs, only explicit fma and contract flags are fused. The text then says .rn at every other
  // sum and product, which keeps ptxas from fusing them.
  TargetOptions options;
  ShortPointers shortPointers;
  // The version of PTX is always said: the default is too old for some machines, which ends the process.
  std::unique_ptr<TargetMachine> tm(
      target->createTargetMachine(triple, machine.name, "+ptx" + std::to_string(machine.ptx), options, std::nullopt,
                                  std::nullopt, CodeGenOptLevel::Aggressive));
  if (!tm)
    return error("LLVM has no target machine for " + Twine(machine.name));
  return std::move(tm);
}

/// Linkage and attributes that all our device code has.
static void finishModule(llvm::Module &module) {
  // LLVM's table does not say so of mma: no thread may come to it without the others of its warp. A call of what is not
  // convergent itself would lose the attribute.
  auto isMma = [](const Function *f) { return f && f->getName().starts_with("llvm.nvvm.mma."); };
  for (Function &function : module) {
    if (isMma(&function))
      function.setConvergent();
    if (function.isDeclaration())
      continue;
    if (function.getCallingConv() != CallingConv::PTX_Kernel)
      function.setLinkage(GlobalValue::InternalLinkage);
    // Left to itself ptxas spills so that more CTAs would fit, of which shared memory allows fewer anyway.
    else if (function.hasFnAttribute("nvvm.reqntid") && !function.hasFnAttribute("nvvm.minctasm") &&
             !function.hasFnAttribute("nvvm.maxnreg"))
      function.addFnAttr("nvvm.minctasm", "1");
    // Loops that clear or copy stay as they are written; as calls they would become byte loops.
    function.addFnAttr("no-builtins");
    function.setDoesNotThrow();
    for (Instruction &instruction : instructions(function))
      if (auto *call = dyn_cast<CallBase>(&instruction);
          call && (isMma(call->getCalledFunction()) || call->isInlineAsm()))
        call->setConvergent(); // of assembly MLIR cannot say it
  }
}

static void optimize(llvm::Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  // What runs on lanes side by side is decided already.
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.LoopInterleaving = tuning.SLPVectorization = false;
  PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O3).run(module, modules);
}

/// A GPU has no linker of ours: what is not here would fail when the kernel is loaded.
static Error checkDefined(const llvm::Module &module) {
  SmallVector<std::string> missing;
  for (const Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      missing.push_back(function.getName().str());
  for (const GlobalVariable &global : module.globals()) // dynamic shared memory is the one that a launch provides
    if (global.isDeclaration() && !global.use_empty() && global.getAddressSpace() != 3)
      missing.push_back(global.getName().str());
  if (missing.empty())
    return Error::success();
  return error("the device code refers to symbols that it does not define: " + join(missing, ", "));
}

DeviceCode::DeviceCode() = default;
DeviceCode::DeviceCode(DeviceCode &&) = default;
DeviceCode &DeviceCode::operator=(DeviceCode &&other) {
  module = std::move(other.module); // before the context that it lives in
  context = std::move(other.context);
  machine = std::move(other.machine);
  return *this;
}
DeviceCode::~DeviceCode() = default;

Expected<DeviceCode> DeviceCode::create(mlir::ModuleOp device, const NvidiaMachine &machine) {
  initialize();
  DeviceCode result;
  auto tm = createTargetMachine(machine);
  if (!tm)
    return tm.takeError();
  result.machine = std::move(*tm);
  result.context = std::make_unique<LLVMContext>();
  result.module = mlir::translateModuleToLLVMIR(device, *result.context, "attn_device");
  if (!result.module)
    return error("translation to LLVM IR failed");
  if (result.module->getDataLayout() != result.machine->createDataLayout())
    return error("the device module is not lowered by --nv-to-llvm: its data layout is '" +
                 result.module->getDataLayoutStr() + "', not '" +
                 result.machine->createDataLayout().getStringRepresentation() + "'");
  finishModule(*result.module);
  optimize(*result.module, *result.machine);
  if (Error e = checkDefined(*result.module))
    return std::move(e);
  return std::move(result);
}

std::string DeviceCode::llvmIR() const {
  std::string text;
  raw_string_ostream os(text);
  module->print(os, nullptr);
  return text;
}

Expected<std::string> DeviceCode::ptx() const {
  SmallVector<char, 0> buffer;
  raw_svector_ostream os(buffer);
  // Code generation prepares the IR in place; the original must stay for the next time.
  std::unique_ptr<llvm::Module> copy = CloneModule(*module);
  legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, os, nullptr, CodeGenFileType::AssemblyFile, /*DisableVerify=*/true))
    return error("LLVM's NVPTX back end cannot emit text");
  passes.run(*copy);
  // Calls that only code generation makes, of a division of 128-bit integers for example.
  StringRef text(buffer.data(), buffer.size());
  if (size_t at = text.find(".extern .func"); at != StringRef::npos)
    return error("the device code calls a function that it does not define: " +
                 text.substr(at).take_until([](char c) { return c == ';'; }));
  return text.str();
}
