// The constants and entries of the C ABI (attn-rt/attn_rt.h) beside the code of a kernel.
#ifndef ATTN_CONVERSION_KERNELINFO_H
#define ATTN_CONVERSION_KERNELINFO_H

#include "attn/Dialect/Tile/Tile.h"

namespace attn {

struct EmittedPhase {
  std::string function;
  int64_t kind; // ATTN_PHASE_*
  bool descending;
  int64_t block;
  int64_t chunks = 0;
  bool together = false;
};
/// An attn_variant_info: functions, or empty strings, and its numbers in their order there.
struct KernelVariant {
  std::string name, sizes, guard;
  llvm::SmallVector<EmittedPhase> phases;
  int64_t slotBase, slotPerPanel, panel, scratchBytes, tileRows, tileKeys, blockRows, blockKeys;
};
/// attn_K_info, and for a kernel of the text's own its entries for CPUs. The phases' functions exist.
void emitKernelInfo(mlir::ModuleOp module, tile::ProgramOp program, llvm::ArrayRef<KernelVariant> variants,
                    int64_t isaLevel, bool entries = true);

/// What the constants of a kernel of several steps say of the leading one: see attn_kernel_info.
struct StepInfo {
  std::string name;
  bool hasKeys = false;
  std::vector<KernelVariant> variants;
};
/// The constants and entries of a sequence whose programs are there already.
void emitSequenceInfo(mlir::ModuleOp module, tile::SequenceOp sequence, llvm::ArrayRef<StepInfo> steps,
                      int64_t isaLevel, bool entries = true);

} // namespace attn

#endif
