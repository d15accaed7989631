// --nv-to-llvm: device code becomes the LLVM dialect for nvptx64, with no call of a math library (libdevice) left.
#include "Division.h"
#include "NVOps.h"
#include "attn/Conversion/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace attn;

/// Shared, constant and local pointers have 32 bits: half the registers for their arithmetic.
static constexpr llvm::StringLiteral kTriple = "nvptx64-nvidia-cuda";
static constexpr llvm::StringLiteral kDataLayout =
    "e-p3:32:32-p4:32:32-p5:32:32-p6:32:32-p7:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64";

namespace {

struct NVToLLVM : PassWrapper<NVToLLVM, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NVToLLVM)
  StringRef getArgument() const final { return "nv-to-llvm"; }
  StringRef getDescription() const final {
    return "lower the device module's scf, arith, math, vector and nv ops to the LLVM dialect for NVPTX";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<LLVM::LLVMDialect, NVVM::NVVMDialect, nv::NVDialect, cf::ControlFlowDialect, vector::VectorDialect,
                    arith::ArithDialect, math::MathDialect>();
  }

  /// Neither one instruction nor a short sequence that the back end writes.
  static bool needsLibrary(Operation *op) {
    if (isa<arith::RemFOp>(op))
      return true;
    return isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
           !isa<math::AbsFOp, math::AbsIOp, math::SqrtOp, math::FmaOp, math::FloorOp, math::CeilOp, math::RoundEvenOp,
                math::TruncOp, math::CopySignOp, math::IsNaNOp, math::IsFiniteOp, math::CountLeadingZerosOp,
                math::CountTrailingZerosOp, math::CtPopOp>(op);
  }

  static LogicalResult refuseMath(ModuleOp device) {
    bool failed = false;
    device.walk([&](Operation *op) {
      if (!needsLibrary(op))
        return;
      op->emitError("[unsupported_device_math] ")
          << op->getName() << " on " << op->getResult(0).getType()
          << " has no code without libdevice; write it with nv.exp2, fma, sqrt or arith";
      failed = true;
    });
    return failure(failed);
  }

  static LogicalResult refuseRest(ModuleOp device) {
    bool failed = false;
    device.walk([&](Operation *op) {
      if (op == device || isa<UnrealizedConversionCastOp>(op) ||
          isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()))
        return;
      op->emitError("[unsupported_device_op] ")
          << op->getName() << " has no device code; device functions are llvm.func with scf, arith, math, cf, vector, "
          << "llvm, nvvm and nv ops";
      failed = true;
    });
    return failure(failed);
  }

  void runOnOperation() final {
    ModuleOp device = nv::deviceModule(getOperation());
    if (!device)
      return;
    device->setAttr(LLVM::LLVMDialect::getTargetTripleAttrName(), StringAttr::get(&getContext(), kTriple));
    device->setAttr(LLVM::LLVMDialect::getDataLayoutAttrName(), StringAttr::get(&getContext(), kDataLayout));
    if (failed(refuseMath(device)))
      return signalPassFailure();
    // Minima and maxima that keep NaN, which --arith-expand would write out, are one instruction here.
    RewritePatternSet divisions(&getContext());
    arith::populateCeilFloorDivExpandOpsPatterns(divisions);
    nv::populateDivision(divisions);
    auto config = GreedyRewriteConfig().setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(device, std::move(divisions), config)))
      return signalPassFailure();
    OpPassManager pm(ModuleOp::getOperationName());
    // Only what changes no value: LLVM does the rest, and knows which intrinsics may move.
    pm.addPass(createCSEPass());
    // Before there are branches: it cleans up by merging blocks that do the same, and would make one product of two,
    // which other lanes execute together.
    pm.addPass(createConvertVectorToLLVMPass());
    pm.addPass(createSCFToControlFlowPass());
    pm.addPass(createConvertMathToLLVMPass());
    pm.addPass(createArithToLLVMConversionPass());
    pm.addPass(createConvertControlFlowToLLVMPass());
    pm.addPass(createReconcileUnrealizedCastsPass());
    if (failed(runPipeline(pm, device)))
      return signalPassFailure();
    nv::lowerOps(device);
    if (failed(refuseRest(device)))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> attn::createNVToLLVMPass() { return std::make_unique<NVToLLVM>(); }
