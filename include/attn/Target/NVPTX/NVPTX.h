// From a device module in the LLVM dialect (what --nv-to-llvm leaves) to PTX text, and from PTX to cubins by NVIDIA's
// ptxas.
//
// PTX is what is tested: the simulator runs it, and every cubin is assembled from the same text, written for the lowest
// of a program's targets.
#ifndef ATTN_TARGET_NVPTX_NVPTX_H
#define ATTN_TARGET_NVPTX_NVPTX_H

#include "attn/Machine/NVIDIA.h"

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/ArrayRef.h"
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

namespace attn::nvptx {

/// What device modules need to be translated.
void registerTranslations(mlir::DialectRegistry &registry);

/// Sets LLVM's NVPTX back end up; once per process, thread-safe, called by DeviceCode::create.
void initialize();

/// One device module, optimized for one machine. The same module gives the same text, every time.
class DeviceCode {
public:
  /// Fails if something is referred to that the module does not define; without a diagnostic of its own where MLIR has
  /// emitted one.
  static llvm::Expected<DeviceCode> create(mlir::ModuleOp device, const NvidiaMachine &machine);
  DeviceCode(DeviceCode &&);
  DeviceCode &operator=(DeviceCode &&);
  ~DeviceCode();

  std::string llvmIR() const;
  llvm::Expected<std::string> ptx() const;

private:
  DeviceCode();
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

/// ptxas is absent, or too old for what it is given: for the user to mend. Other failures are the compiler's fault.
class ToolchainError : public llvm::ErrorInfo<ToolchainError> {
public:
  static char ID;
  explicit ToolchainError(std::string text) : text(std::move(text)) {}
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string text;
};

/// Path of ptxas: the environment variable ATTN_PTXAS, else bin/ptxas below CUDA_HOME, else the first on PATH.
llvm::Expected<std::string> findPtxas();

/// What `ptxas -v` says of one entry.
struct EntryResources {
  std::string entry;
  int64_t registers = 0, barriers = 0;                     // of a thread; of a CTA
  int64_t stackBytes = 0, spillStores = 0, spillLoads = 0; // bytes of a thread
  int64_t sharedBytes = 0, constantBytes = 0;              // static shared memory; the kernel parameters are constants
};

struct PtxasReport {
  std::vector<EntryResources> entries;
  /// Lines with a warning or with a note on performance ("(C7510) ..").
  std::vector<std::string> notes;
};

PtxasReport parsePtxasReport(llvm::StringRef log);

struct Cubin {
  int sm = 0;
  std::string bytes;
  std::string ptxas; // its version: 13.0.88
  PtxasReport report;
};

/// Runs ptxas -O3 on the text, in a folder that nobody else can read and that is gone afterwards. The PTX may be of a
/// lower target.
llvm::Expected<Cubin> assemble(llvm::StringRef ptx, const NvidiaMachine &machine);

} // namespace attn::nvptx

#endif
