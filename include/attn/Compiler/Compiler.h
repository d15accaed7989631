// The JIT and ahead-of-time API.
//
//   auto kernel = attn::compile(text, {});            // text to callable
//   if (!kernel) ...                                  // llvm::Error with location, rule and mend
//   attn_call call = ...;  kernel->run(call);
#ifndef ATTN_COMPILER_COMPILER_H
#define ATTN_COMPILER_COMPILER_H

#include "attn-rt/attn_rt.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

struct attn_gpu_info; // attn-rt/attn_gpu.h

namespace attn {

struct CompileOptions {
  /// A level of x86-64; several, by commas, of which the highest that the CPU has runs (ATTN_MAX_ISA forces a lower
  /// one); or native, that of this CPU. Or GPUs, sm_80,sm_90. Empty: of code for this process (compile) defaultTarget(),
  /// of objects (emit) x86-64-v3. Bits differ between levels: where they have to be the same on every CPU, name one.
  std::string target;
  int64_t blockRows = 0, blockKeys = 0; // 0: chosen by the schedule
  int64_t splitKeys = 0;                // chunks of the keys that are tasks of their own; 0: chosen by the schedule
  std::string tokenOrder = "auto";      // of grids: auto, raster, boxes
  /// How tensor cores of GPUs multiply f32: split into three bf16 each, which loses nothing, or rounded to tf32, 11
  /// significant bits, which takes a third of their time. CPUs have split alone.
  std::string f32Products = "split";
  bool verifyEach = false;
  /// Name of the kernel to compile; empty: the only one (compile), all of them (emit).
  std::string kernel;
  /// Most threads that `compile` generates code with; they end before it returns. 0: as many as this process has
  /// CPUs. The code is the same for any.
  unsigned threads = 0;
  /// For tests: the level of x86-64, x86-64-v3 or above, of the CPU that code for the one higher level of `target` is
  /// to run on, slowly. Schedule and lowering are the target's; what it has beyond the CPU is emulated. Empty: the
  /// target. Objects cannot be had so. ATTN_EMULATE in the environment has `compile` do it: avx512 means x86-64-v3, amx
  /// the highest level below tiles that this CPU has.
  std::string runsOn;
  /// LLVM IR passes before code generation, as `opt -passes=` takes them; empty: none are needed. For experiments.
  std::string irPasses;
};

/// Why compilation failed: decides the tools' exit code.
enum class CompileFailure { BadInput = 1, Unsupported = 3, ToolchainMissing = 4, Internal = 70 };

class CompileError : public llvm::ErrorInfo<CompileError> {
public:
  static char ID;
  CompileError(CompileFailure kind, std::string message) : kind(kind), message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;
  CompileFailure kind;
  std::string message; // all diagnostics, each with location
  /// Internal failures: the stage that failed (schedule, tile, vector or nv, llvm, or codegen, ptxas, link), and the IR
  /// that it was given.
  std::string stage, reproducer;
};

/// Programs beyond these are refused before they are parsed, for the parser recurses.
constexpr size_t maxSourceBytes = 16 << 20;
constexpr int maxNesting = 256;

/// The level that `native` stands for: the highest of this CPU and system; empty: none of the levels.
llvm::StringRef nativeTarget();

/// What code for this process is compiled for where no target is named: what ATTN_TARGET in the environment names, or
/// `native`.
std::string defaultTarget();

/// Refuses text that is too long or nested too deeply for a recursive parser. The message says where.
llvm::Error checkInput(llvm::StringRef source, llvm::StringRef name);

/// A compiled kernel; keeps its code alive. Thread-safe to run. One for GPUs is not run, but launched: attn_rt_gpu_run
/// takes gpu(), whose one image is PTX, which needs no ptxas.
class Kernel {
public:
  Kernel(Kernel &&);
  Kernel &operator=(Kernel &&);
  ~Kernel();
  attn_status run(const attn_call &call) const;
  attn_status workspace(const attn_call &call, uint64_t &bytes) const;
  const attn_kernel_info &info() const; // of the level that runs here
  int32_t level() const;                // whose schedule it has: info().isa, or above where that is emulated
  /// What is emulated (CompileOptions::runsOn), such as "AVX-512 and tiles"; empty: nothing.
  const std::string &emulated() const;
  const attn_gpu_info *gpu() const;   // null: a kernel for CPUs
  double compileMilliseconds() const; // text to callable

  struct Impl;
  explicit Kernel(std::unique_ptr<Impl> impl);

private:
  std::unique_ptr<Impl> impl;
};

/// Text or bytecode to a callable kernel. `name` appears in diagnostics. A module that is in the LLVM dialect already
/// (what emit gives for "mlir") is taken as it is. Text in the attn dialect may come from anyone; bytecode, whose
/// reader trusts it, and lowered modules, which are code, only from those whom you would trust with an object file.
llvm::Expected<Kernel> compile(llvm::StringRef source, const CompileOptions &options,
                               llvm::StringRef name = "<program>");

/// What `attnc --emit` writes: o, s, ll, mlir (LLVM dialect), a (archive), h (C header), and for GPUs ptx and cubin.
/// For GPUs o and a are the host's part with the device code as images, ll is the device's.
llvm::Expected<std::string> emit(llvm::StringRef source, const CompileOptions &options, llvm::StringRef kind,
                                 llvm::StringRef name = "<program>");

/// Several kinds from one compilation, in the order asked for.
llvm::Expected<std::vector<std::string>> emit(llvm::StringRef source, const CompileOptions &options,
                                              llvm::ArrayRef<llvm::StringRef> kinds,
                                              llvm::StringRef name = "<program>");

/// The kinds that emit knows.
llvm::ArrayRef<llvm::StringRef> emitKinds();

} // namespace attn

#endif
