// The named stages from text to LLVM IR. Each says what it guarantees.
#ifndef ATTN_PIPELINES_PIPELINES_H
#define ATTN_PIPELINES_PIPELINES_H

#include "attn/Support/MLIR.h"

namespace attn {

struct PipelineOptions {
  /// A name of Machine/X86.h, x86-64-v3, or of Machine/NVIDIA.h, sm_80.
  std::string target = "x86-64-v3";
  /// Rows of a query block and keys of a key block; 0: chosen by the schedule.
  int64_t blockRows = 0, blockKeys = 0;
  /// auto, raster or boxes: see TokenOrder in Schedule.h.
  std::string tokenOrder = "auto";
  /// Chunks of the keys that are tasks of their own, for every call; 0: chosen by the schedule.
  int64_t splitKeys = 0;
  /// Verify the IR after every pass.
  bool verifyEach = false;
  /// A name of Machine/X86.h: code is for that lower level, what it lacks of `target` is emulated. Empty: `target`.
  std::string runsOn;
  /// split or tf32: see F32Products in GpuTiles.h. Of GPUs.
  std::string f32Products = "split";
};

/// attn -> attn: normalizers are linked; a kernel is one attend or one map, or calls such kernels; every attend has one
/// schedule attribute.
void populateSchedulePipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// attn -> tile: no attn kernel is left; each is a tile.program, or a tile.sequence of them. For
/// NVIDIA GPUs: tiles of programs are placed.
void populateAttnToTilePipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// tile -> scf, arith, math, vector of native width, llvm pointers; entries and kernel infos of the C ABI.
void populateTileToVectorPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// -> LLVM dialect, ready for translation.
void populateVectorToLLVMPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// tile -> for NVIDIA GPUs: kernels in the module @attn_device in scf, arith, math, nv and llvm, constants of the C
/// ABI.
void populateTileToNVPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// -> the LLVM dialect in the device module too.
void populateNVToLLVMPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);

/// The stages by name: schedule, tile, vector or nv, llvm. Runs up to and including `stage`.
mlir::LogicalResult runPipeline(mlir::ModuleOp module, const PipelineOptions &options, llvm::StringRef stage = "llvm");

/// --attn-pipeline-<stage> and every pass, for attn-opt.
void registerAttnPasses();
/// All dialects of the compiler.
void registerAttnDialects(mlir::DialectRegistry &registry);

} // namespace attn

#endif
