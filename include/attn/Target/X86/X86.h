// From a module in the LLVM dialect to x86-64 code: LLVM IR, assembly, a relocatable object.
//
// The code is the same for the JIT, which may take it in several objects, and for ahead-of-time use. An object exports,
// for every kernel @K, attn_K, attn_K_workspace and attn_K_info; everything else is local. It needs attn_rt_run,
// attn_rt_workspace and the four memory functions that compilers take for granted. The host's part of a program for
// GPUs is such an object too, with attn_K_gpu, attn_K_gpu_workspace and attn_K_gpu_info.
#ifndef ATTN_TARGET_X86_X86_H
#define ATTN_TARGET_X86_X86_H

#include "attn/Machine/X86.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm
namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace attn::x86 {

/// What the LLVM dialect needs to be translated.
void registerTranslations(mlir::DialectRegistry &registry);

/// Sets LLVM's x86 back end up; once per process, thread-safe, called by CodeGenerator::create.
void initialize();

/// Symbols that an object may refer to.
llvm::ArrayRef<llvm::StringRef> runtimeSymbols(); // of libattn_rt
llvm::ArrayRef<llvm::StringRef> memorySymbols();  // of libc
/// What code calls in the place of operations on tiles, where they are emulated: on tiles of the thread.
llvm::ArrayRef<std::pair<llvm::StringRef, void *>> tileFunctions();

struct CodeGenOptions {
  /// Names of the kernels whose symbols are exported.
  std::vector<std::string> kernels;
  /// The exported symbols of kernel @K are attn_K and each of these.
  std::vector<std::string> suffixes{"", "_workspace", "_info"};
  /// LLVM IR passes before code generation, in the syntax of `opt -passes=`. Empty: none; native-width SSA values need
  /// none, and measurements show no difference between them and -O3.
  std::string irPasses;
  /// What code is generated for, where that is lower than a level's machine; it has AVX2 at least. What it lacks is
  /// written out: vectors of 64 bytes are split, tiles are calls of tileFunctions. Null: each level's machine.
  const X86Machine *runsOn = nullptr;
  /// Appears in the object's symbol table as the source file.
  std::string sourceName = "attn";
};

/// Passes of code generation that cost more than they give, by LLVM's names of them on command lines.
llvm::ArrayRef<llvm::StringRef> passesLeftOut();

/// Fails if `passes` is not a pipeline in that syntax.
llvm::Error checkIRPasses(llvm::StringRef passes);

/// One level of a program: a module in the LLVM dialect, lowered for that machine.
struct Level {
  mlir::ModuleOp module;
  const X86Machine *machine;
};

/// One translated module. Emission consumes nothing: each kind may be asked for once or more, in any order.
class CodeGenerator {
public:
  /// Translates the levels of one program, the lowest first, into one module: the exported names are those of the
  /// lowest, whose attn_kernel_info leads to the others. Fails without a diagnostic of its own where MLIR has emitted
  /// one.
  static llvm::Expected<CodeGenerator> create(llvm::ArrayRef<Level> levels, const CodeGenOptions &options);
  CodeGenerator(CodeGenerator &&);
  CodeGenerator &operator=(CodeGenerator &&);
  ~CodeGenerator();

  std::string llvmIR() const;
  llvm::Expected<std::string> assembly() const;
  /// Fails if the code refers to symbols that neither libattn_rt nor libc's memory functions provide.
  llvm::Expected<llvm::SmallVector<char, 0>> object() const;
  /// The same functions in at most `most` objects, each made by a thread of its own, which must be loaded together:
  /// they refer to each other by hidden symbols.
  llvm::Expected<std::vector<llvm::SmallVector<char, 0>>> objects(unsigned most) const;

private:
  CodeGenerator();

  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  const X86Machine *lowest = nullptr; // what `machine` is made for
  std::unique_ptr<llvm::Module> module;
};

/// Fails unless every undefined symbol of `objects` is defined in one of them, or in runtimeSymbols, memorySymbols or
/// tileFunctions.
llvm::Error checkUndefinedSymbols(llvm::ArrayRef<llvm::SmallVector<char, 0>> objects);

/// A static library with one member.
llvm::Expected<std::string> archive(llvm::ArrayRef<char> object, llvm::StringRef memberName);

} // namespace attn::x86

#endif
