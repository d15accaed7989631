// --vector-to-llvm: polynomials for what math is left, then the upstream conversions.
#include "OneToOne.h"
#include "attn/Conversion/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace {

/// Upstream's polynomials; whatever would still be a call into a math library is refused, for kernels need libc alone.
struct Polynomials : PassWrapper<Polynomials, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Polynomials)
  StringRef getArgument() const final { return "attn-math-polynomials"; }
  StringRef getDescription() const final {
    return "replace transcendental functions on vectors by polynomials, refuse the rest";
  }

  static bool needsLibrary(Operation *op) {
    if (isa<arith::RemFOp>(op))
      return true;
    return op->getDialect() && op->getDialect()->getNamespace() == "math" &&
           !isa<math::AbsFOp, math::AbsIOp, math::SqrtOp, math::FmaOp, math::FloorOp, math::CeilOp, math::RoundEvenOp,
                math::TruncOp, math::CopySignOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::CtPopOp>(
               op);
  }

  void runOnOperation() final {
    bool any =
        getOperation()
            .walk([](Operation *op) { return needsLibrary(op) ? WalkResult::interrupt() : WalkResult::advance(); })
            .wasInterrupted();
    if (any) {
      RewritePatternSet patterns(&getContext());
      MathPolynomialApproximationOptions options;
      options.enableAvx2 = false;
      populateMathPolynomialApproximationPatterns(patterns, options);
      if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
        return signalPassFailure();
    }
    bool failed = false;
    getOperation().walk([&](Operation *op) {
      if (!needsLibrary(op))
        return;
      op->emitError("[unsupported_math] ")
          << op->getName() << " on " << op->getResult(0).getType()
          << " has no code without a math library; write it with exp, exp2, tanh, sqrt or arith";
      failed = true;
    });
    if (failed)
      signalPassFailure();
  }
};

/// All dialects at once: one walk and no casts in between, where a pass for each takes three times as long. Values have
/// types of the LLVM dialect already, vectors one dimension of native width.
struct ToLLVM : PassWrapper<ToLLVM, OperationPass<LLVM::LLVMFuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ToLLVM)
  StringRef getArgument() const final { return "attn-to-llvm"; }
  StringRef getDescription() const final {
    return "convert scf, arith, math and vector to the LLVM dialect, all at once";
  }

  /// Once for all functions and threads.
  LogicalResult initialize(MLIRContext *context) final {
    converter = std::make_shared<LLVMTypeConverter>(context);
    RewritePatternSet all(context);
    populateSCFToControlFlowConversionPatterns(all);
    cf::populateControlFlowToLLVMConversionPatterns(*converter, all);
    arith::populateArithToLLVMConversionPatterns(*converter, all);
    populateMathToLLVMConversionPatterns(*converter, all);
    populateVectorToLLVMConversionPatterns(*converter, all);
    patterns = std::move(all);
    return success();
  }

  void runOnOperation() final {
    attn::convertOneToOne(getOperation());
    if (failed(applyFullConversion(getOperation(), LLVMConversionTarget(getContext()), patterns)))
      signalPassFailure();
  }

  std::shared_ptr<LLVMTypeConverter> converter; // that the patterns refer to
  FrozenRewritePatternSet patterns;
};

struct VectorToLLVM : PassWrapper<VectorToLLVM, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VectorToLLVM)
  StringRef getArgument() const final { return "vector-to-llvm"; }
  StringRef getDescription() const final { return "lower scf, arith, math and vector to the LLVM dialect"; }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<LLVM::LLVMDialect, cf::ControlFlowDialect, vector::VectorDialect, arith::ArithDialect,
                    math::MathDialect>();
  }

  void runOnOperation() final {
    // What nothing uses costs in every pass from here on.
    getOperation()->walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
      if (isOpTriviallyDead(op))
        op->erase();
    });
    OpPassManager pm(ModuleOp::getOperationName());
    pm.addPass(std::make_unique<Polynomials>());
    // Functions by themselves, so that MLIR's threads share them.
    OpPassManager &functions = pm.nest<LLVM::LLVMFuncOp>();
    functions.addPass(createCSEPass());
    if (has([](Operation *op) {
          return isa<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp, arith::MaximumFOp, arith::MinimumFOp,
                     arith::MaxNumFOp, arith::MinNumFOp>(op);
        }))
      functions.addPass(arith::createArithExpandOpsPass());
    functions.addPass(std::make_unique<ToLLVM>());
    if (failed(runPipeline(pm, getOperation())))
      signalPassFailure();
  }

  bool has(llvm::function_ref<bool(Operation *)> is) {
    return getOperation()
        .walk([&](Operation *op) { return is(op) ? WalkResult::interrupt() : WalkResult::advance(); })
        .wasInterrupted();
  }
};

} // namespace

std::unique_ptr<Pass> attn::createVectorToLLVMPass() { return std::make_unique<VectorToLLVM>(); }
