#include "GpuInfo.h"
#include "attn-rt/attn_gpu.h"
#include "attn/Conversion/ConstantEmitter.h"
#include "attn/Dialect/NV/NV.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {

struct GpuInfoEmitter : ConstantEmitter {
  using ConstantEmitter::ConstantEmitter;

  void run(bool exported, ArrayRef<GpuVariant> variants, tile::SequenceOp sequence) {
    for (const GpuVariant &v : variants) {
      string(v.name);
      for (const GpuPhase &p : v.phases)
        string(p.entry);
    }
    auto phaseType = structOf({ptr, i32, i32, i32, i32, i32, i32, i32});
    for (auto [n, v] : llvm::enumerate(variants))
      array("gpu_phases_" + std::to_string(n), phaseType, v.phases.size(), [&](unsigned k) {
        const GpuPhase &p = v.phases[k];
        return SmallVector<V>{addressOf(string(p.entry)),
                              c32(p.kind),
                              c32(p.threads),
                              c32(p.sharedBytes),
                              c32(p.block),
                              c32(p.chunks),
                              c32(p.slices),
                              c32(p.together)};
      });
    auto variantType = structOf({ptr, ptr, i32, i32, i64, i64, i64, i64});
    array("gpu_variants", variantType, variants.size(), [&](unsigned n) {
      const GpuVariant &v = variants[n];
      return SmallVector<V>{addressOf(string(v.name)),
                            addressOf(symbol("gpu_phases_" + std::to_string(n))),
                            c32(v.phases.size()),
                            c32(v.blockKeys),
                            c64((int64_t)v.aligned),
                            c64(v.minKeys),
                            c64(v.maxCtas),
                            c64(v.stateBytes)};
    });
    unsigned steps = 0;
    if (sequence) {
      auto calls = llvm::to_vector(sequence.getBody().getOps<tile::CallOp>());
      steps = calls.size();
      array("gpu_steps", structOf({ptr, ptr, ptr}), steps, [&](unsigned n) {
        return SmallVector<V>{addressOf("attn_" + calls[n].getCallee().str() + "_gpu_info"),
                              addressOf(symbol("values_" + std::to_string(n))),
                              addressOf(symbol("scalars_" + std::to_string(n)))};
      });
    }
    if (!module.lookupSymbol(nv::kDeviceImages)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      LLVM::GlobalOp::create(b, loc, i8, /*isConstant=*/true, LLVM::Linkage::External, nv::kDeviceImages, Attribute());
    }
    auto infoType = structOf({i32, i32, ptr, ptr, ptr, ptr, i32, i32});
    std::string info = symbol("gpu_info");
    global(info, infoType, exported ? LLVM::Linkage::External : LLVM::Linkage::Internal, [&] {
      return aggregate(infoType, {c32(ATTN_RT_ABI_VERSION), c32(sizeof(attn_gpu_info)), addressOf(symbol("info")),
                                  addressOf(nv::kDeviceImages.str()), addressOf(symbol("gpu_variants")),
                                  steps ? addressOf(symbol("gpu_steps")) : null(), c32(variants.size()), c32(steps)});
    });
    if (!exported)
      return;
    entry("attn_" + name + "_gpu", "attn_rt_gpu_run", info, true);
    entry("attn_" + name + "_gpu_workspace", "attn_rt_gpu_workspace", info, true);
  }
};

} // namespace

void attn::emitGpuInfo(ModuleOp module, StringRef name, Location loc, bool exported, ArrayRef<GpuVariant> variants,
                       tile::SequenceOp sequence) {
  GpuInfoEmitter(module, loc, name).run(exported, variants, sequence);
}
