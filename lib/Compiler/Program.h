// One program on its way through the compiler: its context, its module, what was said about it. Private to this folder.
#ifndef ATTN_LIB_COMPILER_PROGRAM_H
#define ATTN_LIB_COMPILER_PROGRAM_H

#include "attn/Compiler/Compiler.h"
#include "attn/Dialect/Attn/Attn.h"
#include "attn/Pipelines/Pipelines.h"
#include "attn/Target/NVPTX/NVPTX.h"
#include "attn/Target/X86/X86.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/SourceMgr.h"

namespace attn {

llvm::Error compileError(CompileFailure kind, const llvm::Twine &message);
llvm::Error internalError(llvm::StringRef stage, const llvm::Twine &message, std::string reproducer);

/// Machines of one kind, CPUs or GPUs, all different, from the lowest.
struct Targets {
  std::vector<const X86Machine *> cpus;
  std::vector<const NvidiaMachine *> gpus;
};
/// "x86-64-v3", "x86-64-v3,x86-64-v4", "native", "sm_80,sm_90".
llvm::Expected<Targets> parseTargets(llvm::StringRef names);

/// The highest level that the runtime would run here; null: none.
const X86Machine *nativeMachine();

/// What the device part of a program became: PTX for its lowest GPU, and cubins made of that.
struct DeviceImages {
  std::string ptx;
  std::vector<nvptx::Cubin> cubins;
};

/// Writes diagnostics as `file:line:col: error: ...` with the source line into a string, and remembers of which kinds
/// they were.
class DiagnosticCollector : public mlir::SourceMgrDiagnosticHandler {
public:
  DiagnosticCollector(llvm::SourceMgr &sources, mlir::MLIRContext *context);
  /// All so far, forgotten by this.
  std::string take();
  /// An error carried the label of a limit: [unsupported_...], or a rule on what is supported, [kernel_s1].
  bool sawUnsupported = false;
  /// An error carried the label of a rule of the language, such as [attend_c10]. Some can be checked only while
  /// lowering.
  bool sawRule = false;

private:
  std::string text;
  llvm::raw_string_ostream stream;
};

/// Not movable: the context refers to its diagnostic handler, which refers to the sources.
class Program {
public:
  /// Parses, verifies, links normalizers, keeps the kernels that `options` ask for.
  static llvm::Expected<std::unique_ptr<Program>> parse(llvm::StringRef source, const CompileOptions &options,
                                                        llvm::StringRef name);

  /// To the LLVM dialect.
  llvm::Error lower();
  /// Lowers if need be and translates.
  llvm::Expected<x86::CodeGenerator> generate();

  bool forGpu() const { return !targets.gpus.empty(); }
  /// Of a program for GPUs: lowers if need be, and optimizes the device code for the lowest of them.
  llvm::Expected<nvptx::DeviceCode> generateDevice();
  /// A cubin for each GPU, where ptxas is.
  llvm::Error assemble(DeviceImages &images);
  /// The host's part, for any x86-64, with the images as constants.
  llvm::Expected<x86::CodeGenerator> generateHost(const DeviceImages &images);

  mlir::ModuleOp module() { return *op; }
  std::string print();
  /// The kernels in the order of the text; empty for programs that came in lowered.
  llvm::ArrayRef<KernelOp> kernels() { return kernelOps; }
  llvm::ArrayRef<std::string> kernelNames() const { return names; }
  /// What is emulated of the target; empty: nothing.
  std::string emulated() const { return runsOn ? emulatedParts(*targets.cpus.front(), *runsOn) : ""; }
  /// The highest level of the targets; 0: they are GPUs.
  int32_t level() const { return forGpu() ? 0 : targets.cpus.back()->level; }
  size_t numTargets() const { return targets.cpus.size() + targets.gpus.size(); }

private:
  Program(const CompileOptions &options, llvm::StringRef name);
  llvm::Error chooseRunsOn();
  llvm::Error read(llvm::StringRef source);
  llvm::Error selectKernels();
  llvm::Error loweringError(const std::string &target);
  PipelineOptions pipelineOptions(const std::string &target);

  CompileOptions options;
  std::string name, source;
  Targets targets;
  const X86Machine *runsOn = nullptr; // lower than the one target; null: code runs on what it is compiled for
  llvm::SourceMgr sources;
  mlir::MLIRContext context;
  DiagnosticCollector diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> op;                  // of the lowest
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> levels; // of the others, once lowered
  llvm::SmallVector<KernelOp> kernelOps;
  std::vector<std::string> names;
  bool lowered = false;
};

/// The C header of `program`'s kernels.
std::string printHeader(Program &program);

} // namespace attn

#endif
