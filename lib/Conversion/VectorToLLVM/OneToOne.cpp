#include "OneToOne.h"

#include "mlir/Conversion/ArithCommon/AttrToLLVMConverter.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace {

struct Converter {
  OpBuilder &b;
  Operation *op;

  template <typename To> Value plain() const {
    return To::create(b, op->getLoc(), op->getResultTypes(), op->getOperands());
  }
  /// With its fast-math flags.
  template <typename To, typename From> Value real(From from) const {
    auto to = To::create(b, op->getLoc(), op->getResultTypes(), op->getOperands());
    to.setFastmathFlags(arith::convertArithFastMathFlagsToLLVM(from.getFastmath()));
    return to;
  }
  /// Nothing where a flag says that it never wraps.
  template <typename To, typename From> Value wrapping(From from) const {
    return from.getOverflowFlags() == arith::IntegerOverflowFlags::none ? plain<To>() : Value();
  }
  /// Nothing where a flag says that no bit is lost.
  template <typename To, typename From> Value inexact(From from) const {
    return from.getIsExact() ? Value() : plain<To>();
  }
  Value i32(int64_t n) const {
    return LLVM::ConstantOp::create(b, op->getLoc(), b.getI32Type(), b.getI32IntegerAttr(n));
  }

  Value broadcast(vector::BroadcastOp from) const {
    auto type = from.getResultVectorType();
    if (isa<VectorType>(from.getSourceType()))
      return {};
    Value none = LLVM::PoisonOp::create(b, op->getLoc(), type);
    Value first = LLVM::InsertElementOp::create(b, op->getLoc(), type, none, from.getSource(), i32(0));
    SmallVector<int32_t> mask(type.getNumElements(), 0);
    return LLVM::ShuffleVectorOp::create(b, op->getLoc(), first, none, mask);
  }
  Value shuffle(vector::ShuffleOp from) const {
    return LLVM::ShuffleVectorOp::create(b, op->getLoc(), from.getV1(), from.getV2(),
                                         llvm::to_vector_of<int32_t>(from.getMask()));
  }
  Value extract(vector::ExtractOp from) const {
    if (from.hasDynamicPosition() || isa<VectorType>(from.getType()) || from.getStaticPosition().size() != 1)
      return {};
    return LLVM::ExtractElementOp::create(b, op->getLoc(), from.getSource(), i32(from.getStaticPosition()[0]));
  }

  /// Nothing if there is no such op.
  Value convert() const {
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case([&](arith::ConstantOp from) {
          return LLVM::ConstantOp::create(b, op->getLoc(), from.getType(), from.getValue());
        })
        .Case([&](arith::AddIOp from) { return wrapping<LLVM::AddOp>(from); })
        .Case([&](arith::SubIOp from) { return wrapping<LLVM::SubOp>(from); })
        .Case([&](arith::MulIOp from) { return wrapping<LLVM::MulOp>(from); })
        .Case([&](arith::ShLIOp from) { return wrapping<LLVM::ShlOp>(from); })
        .Case([&](arith::TruncIOp from) { return wrapping<LLVM::TruncOp>(from); })
        .Case([&](arith::DivUIOp from) { return inexact<LLVM::UDivOp>(from); })
        .Case([&](arith::ShRUIOp from) { return inexact<LLVM::LShrOp>(from); })
        .Case([&](arith::ShRSIOp from) { return inexact<LLVM::AShrOp>(from); })
        .Case([&](arith::AndIOp) { return plain<LLVM::AndOp>(); })
        .Case([&](arith::OrIOp) { return plain<LLVM::OrOp>(); })
        .Case([&](arith::XOrIOp) { return plain<LLVM::XOrOp>(); })
        .Case([&](arith::MinSIOp) { return plain<LLVM::SMinOp>(); })
        .Case([&](arith::MaxSIOp) { return plain<LLVM::SMaxOp>(); })
        .Case([&](arith::ExtSIOp) { return plain<LLVM::SExtOp>(); })
        .Case([&](arith::BitcastOp) { return plain<LLVM::BitcastOp>(); })
        .Case([&](arith::SelectOp) { return plain<LLVM::SelectOp>(); })
        .Case([&](arith::CmpIOp from) {
          return LLVM::ICmpOp::create(b, op->getLoc(), from.getType(), LLVM::ICmpPredicate(from.getPredicate()),
                                      from.getLhs(), from.getRhs());
        })
        .Case([&](arith::CmpFOp from) {
          return LLVM::FCmpOp::create(b, op->getLoc(), from.getType(), LLVM::FCmpPredicate(from.getPredicate()),
                                      from.getLhs(), from.getRhs(),
                                      arith::convertArithFastMathFlagsToLLVM(from.getFastmath()));
        })
        .Case([&](arith::AddFOp from) { return real<LLVM::FAddOp>(from); })
        .Case([&](arith::SubFOp from) { return real<LLVM::FSubOp>(from); })
        .Case([&](arith::MulFOp from) { return real<LLVM::FMulOp>(from); })
        .Case([&](arith::DivFOp from) { return real<LLVM::FDivOp>(from); })
        .Case([&](math::FmaOp from) { return real<LLVM::FMAOp>(from); })
        .Case([&](math::AbsFOp from) { return real<LLVM::FAbsOp>(from); })
        .Case([&](vector::FMAOp) { return plain<LLVM::FMAOp>(); })
        .Case([&](vector::BitCastOp) { return plain<LLVM::BitcastOp>(); })
        .Case([&](vector::BroadcastOp from) { return broadcast(from); })
        .Case([&](vector::ShuffleOp from) { return shuffle(from); })
        .Case([&](vector::ExtractOp from) { return extract(from); })
        .Default(Value());
  }
};

} // namespace

void attn::convertOneToOne(LLVM::LLVMFuncOp function) {
  OpBuilder b(function);
  function.walk([&](Operation *op) {
    if (op->getNumResults() != 1 || !LLVM::isCompatibleType(op->getResult(0).getType()) ||
        !llvm::all_of(op->getOperandTypes(), LLVM::isCompatibleType))
      return;
    b.setInsertionPoint(op);
    if (Value to = Converter{b, op}.convert()) {
      op->getResult(0).replaceAllUsesWith(to);
      op->erase();
    }
  });
}
