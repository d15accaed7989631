// From text to the LLVM dialect and on to the back end, with every failure sorted into the kinds of CompileError.
#include "Program.h"

#include "attn/Dialect/NV/NV.h"

#include "llvm/Support/Regex.h"

using namespace llvm;
using namespace attn;

DiagnosticCollector::DiagnosticCollector(SourceMgr &sources, mlir::MLIRContext *context)
    : SourceMgrDiagnosticHandler(sources, context, stream), stream(text) {
  setHandler([this](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error) {
      static const Regex limit("\\[(unsupported_[a-z0-9_]*|[a-z0-9_]+_s[0-9]+)\\]");
      static const Regex rule("\\[(kernel|attend|normalizer|load)_c[0-9]+\\]");
      std::string message = diagnostic.str();
      sawUnsupported |= limit.match(message);
      sawRule |= rule.match(message);
    }
    emitDiagnostic(diagnostic);
  });
}

std::string DiagnosticCollector::take() { return std::exchange(text, {}); }

static const mlir::DialectRegistry &registry() {
  static const mlir::DialectRegistry *instance = [] {
    auto *registry = new mlir::DialectRegistry; // never destroyed: compilation may still run while the process exits
    registerAttnDialects(*registry);
    registry->insert<AttnDialect, mlir::LLVM::LLVMDialect>();
    x86::registerTranslations(*registry);
    nvptx::registerTranslations(*registry);
    return registry;
  }();
  return *instance;
}

// One small module: threads would cost more than they give.
Program::Program(const CompileOptions &options, StringRef name)
    : options(options), name(name), context(registry(), mlir::MLIRContext::Threading::DISABLED),
      diagnostics(sources, &context) {
  context.printOpOnDiagnostic(false);
}

Expected<std::unique_ptr<Program>> Program::parse(StringRef source, const CompileOptions &options, StringRef name) {
  auto targets = parseTargets(options.target.empty() ? "x86-64-v3" : StringRef(options.target));
  if (!targets)
    return targets.takeError();
  if (!llvm::is_contained({"auto", "raster", "boxes"}, options.tokenOrder))
    return compileError(CompileFailure::BadInput,
                        "error: the token order is auto, raster or boxes, not '" + options.tokenOrder + "'");
  if (!llvm::is_contained({"split", "tf32"}, options.f32Products))
    return compileError(CompileFailure::BadInput,
                        "error: [input_f32_products] products of f32 are split or tf32, not '" + options.f32Products +
                            "'");
  if (options.f32Products != "split" && targets->gpus.empty())
    return compileError(CompileFailure::BadInput,
                        "error: [input_f32_products] products in tf32 are those of GPUs; CPUs "
                        "multiply f32 as it is");
  if (options.blockRows < 0 || options.blockKeys < 0 || options.splitKeys < 0 || options.splitKeys > INT32_MAX)
    return compileError(CompileFailure::BadInput, "error: [input_blocks] block sizes and the number of chunks are "
                                                  "positive, or 0 for the schedule's choice");
  if (!options.irPasses.empty() && !targets->gpus.empty())
    return compileError(CompileFailure::BadInput, "error: [input_passes] LLVM passes are chosen for CPUs only; device "
                                                  "code is optimized by LLVM's -O3");
  if (!options.irPasses.empty())
    if (Error e = x86::checkIRPasses(options.irPasses))
      return compileError(CompileFailure::BadInput, "error: [input_passes] " + toString(std::move(e)));
  if (Error e = checkInput(source, name))
    return std::move(e);
  std::unique_ptr<Program> program(new Program(options, name));
  program->targets = std::move(*targets);
  if (Error e = program->chooseRunsOn())
    return std::move(e);
  if (Error e = program->read(source))
    return std::move(e);
  if (program->lowered && program->targets.cpus.size() > 1)
    return compileError(CompileFailure::BadInput, name + ": error: [input_targets] a lowered program is of one target");
  return std::move(program);
}

/// Emulation starts at AVX2: LLVM splits vectors of 64 bytes in two, and fma and conversions of f16 are there.
Error Program::chooseRunsOn() {
  if (options.runsOn.empty() || forGpu())
    return Error::success();
  const X86Machine *machine = lookupX86Machine(options.runsOn);
  if (!machine || machine->vectorBytes < 32)
    return compileError(CompileFailure::BadInput,
                        "error: [input_runs_on] code is emulated on x86-64-v3 or a level above, not '" +
                            options.runsOn + "'");
  if (machine->level >= targets.cpus.back()->level)
    return Error::success();
  if (targets.cpus.size() > 1)
    return compileError(CompileFailure::Unsupported,
                        "error: [unsupported_emulation] one level is emulated, not several; name one target");
  runsOn = machine;
  return Error::success();
}

Error Program::read(StringRef text) {
  source = text.str();
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBuffer(source, name), SMLoc());
  op = mlir::parseSourceFile<mlir::ModuleOp>(sources, mlir::ParserConfig(&context));
  if (!op) {
    std::string said = diagnostics.take();
    return compileError(CompileFailure::BadInput, said.empty() ? name + ": error: the program cannot be parsed" : said);
  }
  diagnostics.take(); // warnings about a program that is right
  if (Error e = selectKernels())
    return e;
  // Unknown normalizers are the program's fault, not of a later stage.
  if (!lowered && mlir::failed(linkNormalizers(*op)))
    return compileError(CompileFailure::BadInput, diagnostics.take());
  return Error::success();
}

Error Program::selectKernels() {
  auto bad = [&](const Twine &message) { return compileError(CompileFailure::BadInput, name + ": error: " + message); };
  StringRef suffix = forGpu() ? "_gpu_info" : "_info", prefix = "attn_";
  SmallVector<KernelOp> all = llvm::to_vector(op->getOps<KernelOp>());
  auto isStep = [](KernelOp kernel) {
    return mlir::SymbolTable::getSymbolVisibility(kernel) != mlir::SymbolTable::Visibility::Public;
  };
  for (KernelOp kernel : all)
    if (!isStep(kernel))
      names.push_back(kernel.getSymName().str());
  if (all.empty())
    for (auto global : op->getOps<mlir::LLVM::GlobalOp>())
      if (StringRef symbol = global.getSymName(); global.getLinkage() == mlir::LLVM::Linkage::External &&
                                                  symbol.starts_with(prefix) && symbol.ends_with(suffix))
        names.push_back(symbol.drop_front(prefix.size()).drop_back(suffix.size()).str());
  if (bool device = nv::deviceModule(*op) != nullptr; all.empty() && device != forGpu())
    return bad(device ? "[input_targets] the program was lowered for GPUs; name one, --target=sm_80"
                      : "[input_targets] the program was not lowered for GPUs: it has no module @attn_device");
  // Device code alone is enough for PTX.
  if (names.empty() && (!forGpu() || !all.empty()))
    return bad("[input_kernels] there is no attn.kernel in the program");
  lowered = all.empty();
  // Programs may come from anyone, so no other op is let through: a function beside the kernels could take over the
  // names that they call.
  if (!lowered)
    for (mlir::Operation &other : op->getOps())
      if (!mlir::isa<KernelOp, NormalizerOp>(other)) {
        other.emitError("[input_kernels] a program consists of attn.kernel and attn.normalizer ops; this is neither");
        return compileError(CompileFailure::BadInput, diagnostics.take());
      }
  if (!options.kernel.empty()) {
    if (!is_contained(names, options.kernel))
      return bad("[input_kernels] there is no kernel @" + options.kernel + "; there is: @" + join(names, ", @"));
    names = {options.kernel};
  }
  std::vector<StringRef> ends{"_info", "_workspace"};
  if (forGpu())
    ends.push_back("_gpu");
  for (const std::string &kernel : names)
    for (StringRef end : ends)
      if (is_contained(names, kernel + end.str()))
        return bad("[input_kernels] the kernels @" + kernel + " and @" + kernel + end.str() +
                   " would share a symbol; rename one");
  for (KernelOp kernel : all)
    if (is_contained(names, kernel.getSymName()))
      kernelOps.push_back(kernel);
    else if (!isStep(kernel)) // other kernels may call these
      kernel.erase();
  return Error::success();
}

Error Program::lower() {
  if (lowered)
    return Error::success();
  kernelOps.clear(); // gone after this
  lowered = true;
  // One lowering serves all GPUs.
  std::vector<std::string> lowerings;
  for (const X86Machine *machine : targets.cpus)
    lowerings.push_back(machine->name);
  if (forGpu()) {
    std::vector<std::string> names;
    for (const NvidiaMachine *machine : targets.gpus)
      names.push_back(machine->name);
    lowerings.push_back(llvm::join(names, ","));
  }
  for (size_t n = 1; n < lowerings.size(); ++n)
    levels.push_back(op->clone());
  for (auto [n, target] : llvm::enumerate(lowerings))
    if (mlir::failed(runPipeline(n ? *levels[n - 1] : *op, pipelineOptions(target))))
      return loweringError(target);
  return Error::success();
}

PipelineOptions Program::pipelineOptions(const std::string &target) {
  return {target,
          options.blockRows,
          options.blockKeys,
          options.tokenOrder,
          options.splitKeys,
          options.verifyEach,
          runsOn ? runsOn->name : "",
          options.f32Products};
}

/// The slow way, once something has failed: which stage was it, and what had it been given?
Error Program::loweringError(const std::string &target) {
  std::string said = diagnostics.take();
  if (diagnostics.sawUnsupported)
    return compileError(CompileFailure::Unsupported, said);
  if (diagnostics.sawRule)
    return compileError(CompileFailure::BadInput, said);
  PipelineOptions pipeline = pipelineOptions(target);
  pipeline.verifyEach = true;
  std::string before = print();
  for (StringRef stage : {"schedule", "tile", forGpu() ? "nv" : "vector", "llvm"}) {
    Program again(options, name);
    again.targets = targets;
    again.runsOn = runsOn;
    if (Error e = again.read(source))
      return e;
    if (stage == "schedule")
      before = again.print();
    if (mlir::failed(runPipeline(*again.op, pipeline, stage))) {
      std::string detail = again.diagnostics.take();
      return internalError(stage, detail.empty() ? said : detail, std::move(before));
    }
    before = again.print();
  }
  return internalError("lowering", said, std::move(before));
}

std::string Program::print() {
  std::string text;
  raw_string_ostream os(text);
  op->print(os, mlir::OpPrintingFlags().enableDebugInfo(false).assumeVerified());
  return text;
}

Expected<x86::CodeGenerator> Program::generate() {
  if (Error e = lower())
    return std::move(e);
  x86::CodeGenOptions codegen;
  codegen.kernels = names;
  codegen.irPasses = options.irPasses;
  codegen.runsOn = runsOn;
  std::vector<x86::Level> modules{{*op, targets.cpus.front()}};
  for (auto [n, level] : llvm::enumerate(levels))
    modules.push_back({*level, targets.cpus[n + 1]});
  auto generator = x86::CodeGenerator::create(modules, codegen);
  if (generator)
    return generator;
  std::string why = diagnostics.take();
  return internalError("codegen", why + toString(generator.takeError()), print());
}
