// The constants of attn-rt/attn_gpu.h beside a program's kernels.
#ifndef ATTN_LIB_CONVERSION_TILETONV_GPUINFO_H
#define ATTN_LIB_CONVERSION_TILETONV_GPUINFO_H

#include "attn/Conversion/KernelInfo.h"

namespace attn {

struct GpuPhase {
  std::string entry;
  int64_t kind, threads, sharedBytes, block, chunks, slices, together = 0; // as attn_gpu_phase_info
};
struct GpuVariant {
  std::string name;
  llvm::SmallVector<GpuPhase> phases;
  int64_t blockKeys = 0;
  uint64_t aligned = 0;
  int64_t minKeys = 0, maxCtas = 0, stateBytes = 0;
};

/// attn_K_gpu_info, and of a kernel of the text's own its entries. attn_K_info is there.
void emitGpuInfo(mlir::ModuleOp module, llvm::StringRef name, mlir::Location loc, bool exported,
                 llvm::ArrayRef<GpuVariant> variants, tile::SequenceOp sequence = {});

} // namespace attn

#endif
