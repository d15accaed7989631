// --tile-to-nv: each phase of each variant becomes a kernel of the device module; what the runtime needs to launch them
// becomes constants of the host module (attn-rt/attn_gpu.h).
#include "CtaEmitter.h"
#include "GpuInfo.h"
#include "attn-rt/attn_gpu.h"
#include "attn/Conversion/Passes.h"
#include "attn/Schedule/Schedule.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {

/// A call of fewer CTAs, and of as many keys, splits them: CTAs of a chunk would leave multiprocessors idle otherwise.
constexpr int64_t kSplitCtas = 64, kSplitKeys = 1024;

struct TileToNV : PassWrapper<TileToNV, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TileToNV)
  explicit TileToNV(int64_t sharedBytes) : sharedBytes(sharedBytes) {}

  StringRef getArgument() const final { return "tile-to-nv"; }
  StringRef getDescription() const final { return "lower tile.program to kernels for NVIDIA GPUs"; }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect, vector::VectorDialect, LLVM::LLVMDialect,
                    nv::NVDialect, NVVM::NVVMDialect>();
  }

  void runOnOperation() final {
    ModuleOp module = getOperation();
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    device = ModuleOp::create(b, module.getLoc(), nv::kDeviceModule);
    // Errors inside region emission are diagnostics; they fail the pass here.
    unsigned errors = 0;
    ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &d) {
      errors += d.getSeverity() == DiagnosticSeverity::Error;
      return failure(); // pass on
    });
    std::vector<StepInfo> steps;
    std::map<std::string, std::vector<GpuVariant>> known;
    for (tile::ProgramOp program : llvm::make_early_inc_range(module.getOps<tile::ProgramOp>())) {
      std::vector<GpuVariant> variants;
      tile::MapOp map = mapOf(program);
      if (failed(map ? lowerMap(program, map, variants) : lower(program, variants)) || errors)
        return signalPassFailure();
      emitKernelInfo(module, program, {}, 0, /*entries=*/false);
      bool exported = SymbolTable::getSymbolVisibility(program) == SymbolTable::Visibility::Public;
      emitGpuInfo(module, program.getSymName(), program.getLoc(), exported, variants);
      steps.push_back({program.getSymName().str(), !map, {}});
      program.erase();
    }
    for (tile::SequenceOp sequence : llvm::make_early_inc_range(module.getOps<tile::SequenceOp>())) {
      emitSequenceInfo(module, sequence, steps, 0, /*entries=*/false);
      emitGpuInfo(module, sequence.getSymName(), sequence.getLoc(), true, {}, sequence);
      sequence.erase();
    }
  }

  /// An entry of the device module with the parameters that all have; `body` at the end of its first block. `tiles`:
  /// what the schedule says that it needs; absent: it says nothing.
  LogicalResult kernel(tile::ProgramOp program, const std::string &name, int64_t threads, const GpuTiles *tiles,
                       FloatType real, llvm::function_ref<LogicalResult(Emit &, Block *)> body) {
    OpBuilder b(&getContext());
    b.setInsertionPointToEnd(device.getBody());
    Type ptr = LLVM::LLVMPointerType::get(&getContext());
    unsigned tensors = llvm::count_if(program.getBody().getArgumentTypes(), llvm::IsaPred<RankedTensorType>);
    SmallVector<Type> types(tensors + 2, ptr);
    int64_t words = KernelEmitter::numWords(program);
    if (words * 8 + (tensors + 1) * 8 > 4096)
      return program.emitError("[unsupported_gpu] a kernel has 4096 bytes of parameters, and ")
             << tensors << " tensors take " << words * 8 + (tensors + 1) * 8;
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&getContext()), types);
    auto func = LLVM::LLVMFuncOp::create(b, program.getLoc(), name, type);
    func->setAttr("nvvm.kernel", b.getUnitAttr());
    func->setAttr("nvvm.reqntid", b.getDenseI32ArrayAttr({(int32_t)threads}));
    if (tiles) {
      int64_t ctas = tiles->ctas(sharedBytes);
      auto number = [&](StringRef field, int64_t n) { return b.getNamedAttr(field, b.getI64IntegerAttr(n)); };
      func->setAttr("nvvm.minctasm", b.getI32IntegerAttr(ctas));
      func->setAttr(kResourcesAttr, b.getDictionaryAttr({number("ctas", ctas), number("registers", tiles->registers()),
                                                         number("shared", tiles->sharedBytes())}));
    }
    auto byValue = LLVM::LLVMArrayType::get(b.getI64Type(), words);
    func.setArgAttr(tensors + 1, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(byValue));
    func.setArgAttr(tensors + 1, "nvvm.grid_constant", b.getUnitAttr());
    func.setArgAttr(tensors + 1, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(8));
    Block *entry = func.addEntryBlock(b);
    b.setInsertionPointToEnd(entry);
    Emit e(b, program.getLoc(), real, real.getWidth() / 8);
    e.fastExp2 = [](Emit &e, V x) -> V { return nv::Exp2Op::create(e.b, e.loc, e.b.getF32Type(), x); };
    if (failed(body(e, entry)))
      return failure();
    b.setInsertionPointToEnd(entry);
    LLVM::ReturnOp::create(b, program.getLoc(), ValueRange());
    return success();
  }

  LogicalResult lowerMap(tile::ProgramOp program, tile::MapOp map, std::vector<GpuVariant> &variants) {
    FloatType real = Float32Type::get(&getContext());
    for (V input : map.getInputs())
      if (cast<RankedTensorType>(input.getType()).getElementType().isF64())
        real = Float64Type::get(&getContext());
    GpuVariant variant;
    variant.name = "map";
    std::string name = "attn_" + program.getSymName().str() + "_map";
    variant.phases.push_back({name, ATTN_GPU_MAP, kMapThreads, 0, kMapElements, 1, 1});
    variants.push_back(variant);
    return kernel(program, name, kMapThreads, nullptr, real, [&](Emit &e, Block *entry) {
      KernelEmitter kernel(e, program, entry);
      kernel.checkPromises(kMapThreads);
      return emitMapKernel(kernel, map);
    });
  }

  LogicalResult lower(tile::ProgramOp program, std::vector<GpuVariant> &variants) {
    FloatType real = Float32Type::get(&getContext());
    auto all = llvm::to_vector(program.getBody().getOps<tile::VariantOp>());
    for (tile::VariantOp op : all) {
      if (!op->hasAttr(kGpuAttr))
        return op.emitError("[unsupported_gpu] a variant for GPUs has the attribute '") << kGpuAttr << "'";
      GpuTiles t = GpuTiles::fromAttr(op->getAttr(kGpuAttr));
      if (layout::SharedMap map = t.shared(); map.bytes > sharedBytes)
        return op.emitError("[unsupported_gpu] a CTA would need ")
               << map.bytes << " bytes of shared memory (queries " << map.q.bytes() << ", keys " << map.k.bytes()
               << ", values " << map.v.bytes() << ", rows " << map.bytes - map.weights << "), and there are "
               << sharedBytes;
      tile::PhaseOp pack, main, merge;
      for (auto phase : op.getBody().getOps<tile::PhaseOp>()) {
        if (phase.getKind() == "order")
          return phase.emitError("[unsupported_gpu] an order of keys has no lowering for GPUs");
        (phase.getKind() == "pack" ? pack : phase.getKind() == "merge" ? merge : main) = phase;
      }
      if (cast<tile::PackOp>(pack.getBody().front().front()).getPanels().getType().getElement() != real)
        return op.emitError("[unsupported_gpu] f64 has no lowering for GPUs yet; use f32 operands");
      GpuVariant variant;
      variant.name = op.getName().str();
      variant.blockKeys = t.keys;
      std::string prefix = "attn_" + program.getSymName().str() + "_" + variant.name;
      bool together = op->hasAttr(kTogetherAttr);
      auto describe = [&](tile::PhaseOp phase, const std::string &name, int64_t kind, int64_t shared) {
        variant.phases.push_back(
            {name, kind, t.threads(), shared, t.rows, (int64_t)phase.getChunks().value_or(1), t.slices, together});
      };
      auto add = [&](tile::PhaseOp phase, tile::PhaseOp with, int64_t kind, bool splits,
                     const std::string &name) -> LogicalResult {
        const GpuTiles *needs = with ? &t : nullptr;
        // A merge has its threads hold what those of the main phase left.
        auto placed = Placed::read(with ? phase : main, t);
        if (failed(placed))
          return failure();
        return kernel(program, name, t.threads(), needs, real, [&](Emit &e, Block *entry) -> LogicalResult {
          CtaEmitter cta(e, program, t, *placed, with, phase, splits, entry);
          if (with)
            variant.stateBytes = llvm::alignTo(cta.stateBytes(), 64);
          return cta.run();
        });
      };
      // Up to the end of its sweep a split variant does what the one behind it does: one kernel serves both.
      bool shared = merge && op != all.back();
      std::string name =
          shared ? "attn_" + program.getSymName().str() + "_" + all.back().getName().str() + "_main" : prefix + "_main";
      describe(main, name, ATTN_GPU_MAIN, t.sharedBytes());
      tile::PhaseOp emitted = main;
      if (shared)
        for (auto phase : all.back().getBody().getOps<tile::PhaseOp>())
          (phase.getKind() == "pack" ? pack : emitted) = phase;
      bool exists = merge == nullptr && op != all.front(); // made for the variant before
      if (!exists && failed(add(emitted, pack, ATTN_GPU_MAIN, shared, name)))
        return failure();
      if (merge) {
        describe(merge, prefix + "_merge", ATTN_GPU_MERGE, 0);
        if (failed(add(merge, {}, ATTN_GPU_MERGE, false, prefix + "_merge")))
          return failure();
      } else {
        variant.stateBytes = 0;
      }
      if (merge && op != all.back())
        variant.minKeys = kSplitKeys, variant.maxCtas = kSplitCtas;
      variants.push_back(variant);
    }
    return success();
  }

  int64_t sharedBytes;
  ModuleOp device;
};

} // namespace

std::unique_ptr<Pass> attn::createTileToNVPass(int64_t sharedBytes) { return std::make_unique<TileToNV>(sharedBytes); }
