#include "attn/Pipelines/Pipelines.h"
#include "attn/Analysis/PairParts.h"
#include "attn/Conversion/Passes.h"
#include "attn/Dialect/Attn/ExpandBilinear.h"
#include "attn/Dialect/NV/NV.h"
#include "attn/Dialect/Tile/Tile.h"
#include "attn/Machine/NVIDIA.h"
#include "attn/Machine/X86.h"
#include "attn/Schedule/Schedule.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace attn;

/// Unknown names are refused where targets are chosen (the compiler API, attn-opt's --target); here they fall back to
/// the default row.
static const X86Machine &machineOf(const PipelineOptions &options) {
  const X86Machine *machine = lookupX86Machine(options.target);
  return machine ? *machine : *lookupX86Machine("x86-64-v3");
}

static bool isGpu(const PipelineOptions &options) { return StringRef(options.target).starts_with("sm_"); }

/// Of a CTA; 0: the target is a CPU.
static int64_t sharedBytesOf(const PipelineOptions &options) {
  int64_t least = 0;
  for (StringRef name : llvm::split(options.target, ','))
    if (const NvidiaMachine *machine = lookupNvidiaMachine(name.str()))
      least = least ? std::min(least, machine->sharedPerCta) : machine->sharedPerCta;
  return least;
}

void attn::populateSchedulePipeline(OpPassManager &pm, const PipelineOptions &options) {
  const X86Machine &machine = machineOf(options);
  ScheduleRequest request;
  request.vectorBytes = machine.vectorBytes;
  request.vectorRegisters = machine.vectorRegisters;
  request.l2Bytes = machine.l2Bytes;
  request.bf16Dot = machine.bf16Dot && !isGpu(options);
  request.tiles = machine.amx && !isGpu(options);
  request.blockRows = options.blockRows;
  request.blockKeys = options.blockKeys;
  request.splitKeys = options.splitKeys;
  request.sharedBytes = sharedBytesOf(options);
  request.tokenOrder = options.tokenOrder == "raster"  ? TokenOrder::Raster
                       : options.tokenOrder == "boxes" ? TokenOrder::Boxes
                                                       : TokenOrder::Auto;
  request.f32Products = options.f32Products == "tf32" ? F32Products::Tf32 : F32Products::Split;
  pm.addPass(createAttnLinkNormalizersPass());
  pm.addPass(createAttnExpandBilinearPass());
  pm.addPass(createAttnExpandLsePass());
  pm.addPass(createAttnExpandColumnsPass());
  pm.addPass(createAttnExpandMergePass());
  pm.addPass(createAttnSplitKernelPass());
  pm.addPass(createAttnSchedulePass(request));
}

void attn::populateAttnToTilePipeline(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createAttnToTilePass());
  if (isGpu(options))
    pm.addPass(createTilePlacePass());
}

void attn::populateTileToVectorPipeline(OpPassManager &pm, const PipelineOptions &options) {
  const X86Machine &machine = machineOf(options);
  const X86Machine *runsOn = lookupX86Machine(options.runsOn);
  pm.addPass(
      createTileToVectorPass(machine.vectorBytes, runsOn ? std::min(runsOn->level, machine.level) : machine.level));
}

void attn::populateVectorToLLVMPipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(createVectorToLLVMPass());
}

void attn::populateTileToNVPipeline(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createTileToNVPass(sharedBytesOf(options)));
  pm.addPass(createCSEPass());
}

void attn::populateNVToLLVMPipeline(OpPassManager &pm, const PipelineOptions &) { pm.addPass(createNVToLLVMPass()); }

using Populate = void (*)(OpPassManager &, const PipelineOptions &);
using Stages = std::array<std::pair<StringLiteral, Populate>, 4>;
static const Stages &stagesOf(const PipelineOptions &options) {
  static const Stages cpu{{{"schedule", populateSchedulePipeline},
                           {"tile", populateAttnToTilePipeline},
                           {"vector", populateTileToVectorPipeline},
                           {"llvm", populateVectorToLLVMPipeline}}};
  static const Stages gpu{{{"schedule", populateSchedulePipeline},
                           {"tile", populateAttnToTilePipeline},
                           {"nv", populateTileToNVPipeline},
                           {"llvm", populateNVToLLVMPipeline}}};
  return isGpu(options) ? gpu : cpu;
}

LogicalResult attn::runPipeline(ModuleOp module, const PipelineOptions &options, StringRef last) {
  PassManager pm(module.getContext());
  pm.enableVerifier(options.verifyEach);
  for (auto [name, populate] : stagesOf(options)) {
    populate(pm, options);
    if (name == last)
      break;
  }
  return pm.run(module);
}

namespace {
struct StageOptions : PassPipelineOptions<StageOptions> {
  Option<int64_t> blockRows{*this, "block-rows", llvm::cl::desc("rows of a query block; 0: chosen"), llvm::cl::init(0)};
  Option<int64_t> blockKeys{*this, "block-keys", llvm::cl::desc("keys of a key block; 0: chosen"), llvm::cl::init(0)};
  Option<int64_t> splitKeys{*this, "split-keys", llvm::cl::desc("chunks of the keys; 0: chosen"), llvm::cl::init(0)};
  Option<std::string> target{*this, "target", llvm::cl::desc("x86-64-v3, sm_80, ..."), llvm::cl::init("x86-64-v3")};
  Option<std::string> tokenOrder{*this, "token-order", llvm::cl::desc("of grids: auto, raster, boxes"),
                                 llvm::cl::init("auto")};
  Option<std::string> f32Products{*this, "f32-products", llvm::cl::desc("of GPUs: split, tf32"),
                                  llvm::cl::init("split")};
};
} // namespace

void attn::registerAttnPasses() {
  registerPass(createAttnLinkNormalizersPass);
  registerPass(createAttnExpandBilinearPass);
  registerPass(createAttnExpandLsePass);
  registerPass(createAttnExpandMergePass);
  registerPass(createAttnSplitKernelPass);
  registerPass(createAttnPrintPairPartsPass);
  registerPass([] { return createAttnSchedulePass(); });
  registerPass(createAttnToTilePass);
  registerPass(createTilePlacePass);
  registerPass([] { return createTileToVectorPass(); });
  registerPass(createVectorToLLVMPass);
  registerPass([] { return createTileToNVPass(); });
  registerPass(createNVToLLVMPass);
  for (StringRef last : {"schedule", "tile", "vector", "nv", "llvm"})
    PassPipelineRegistration<StageOptions>(("attn-pipeline-" + last).str(), ("all stages up to " + last).str(),
                                           [last](OpPassManager &pm, const StageOptions &stage) {
                                             PipelineOptions options;
                                             options.target = stage.target;
                                             if (last == "nv" && !isGpu(options))
                                               options.target = "sm_80";
                                             options.blockRows = stage.blockRows;
                                             options.blockKeys = stage.blockKeys;
                                             options.splitKeys = stage.splitKeys;
                                             options.tokenOrder = stage.tokenOrder;
                                             options.f32Products = stage.f32Products;
                                             for (auto [name, populate] : stagesOf(options)) {
                                               populate(pm, options);
                                               if (name == last)
                                                 break;
                                             }
                                           });
}

void attn::registerAttnDialects(DialectRegistry &registry) {
  registry
      .insert<AttnDialect, tile::TileDialect, nv::NVDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect,
              cf::ControlFlowDialect, vector::VectorDialect, func::FuncDialect, LLVM::LLVMDialect, NVVM::NVVMDialect>();
}
