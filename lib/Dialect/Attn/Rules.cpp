#include "Rules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

bool attn::rules::isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::optional<Axis> attn::rules::classify(AffineExpr e) {
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return constant.getValue() >= 0 ? std::optional<Axis>(Axis{-1, 1, constant.getValue()}) : std::nullopt;
  if (auto dim = dyn_cast<AffineDimExpr>(e))
    return Axis{(int)dim.getPosition()};
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(e)) {
    auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
    auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (binary.getKind() == AffineExprKind::FloorDiv && dim && divisor && divisor.getValue() >= 1)
      return Axis{(int)dim.getPosition(), divisor.getValue()};
  }
  return std::nullopt;
}

LogicalResult attn::rules::verifyScalarRegion(Region &region, StringRef label, bool loads,
                                              llvm::function_ref<bool(Type)> allowed) {
  WalkResult result = region.walk<WalkOrder::PreOrder>([&](Operation *op) {
    StringRef dialect = op->getName().getDialectNamespace();
    if (isa<YieldOp>(op))
      return WalkResult::advance();
    if (!(loads && isa<LoadOp, MemberOp, RandomOp>(op)) && dialect != "arith" && dialect != "math") {
      op->emitOpError("[") << label << "] is not allowed here; write it in arith"
                           << (loads ? ", math and attn.load" : " and math");
      return WalkResult::interrupt();
    }
    if (op->getNumResults() != 1) {
      op->emitOpError("[") << label << "] ops here have one result; write it with several ops";
      return WalkResult::interrupt();
    }
    if (isa<arith::BitcastOp>(op)) {
      op->emitOpError("[") << label << "] the bits of a float depend on the accumulation type; compute with its value";
      return WalkResult::interrupt();
    }
    if (Type t = op->getResult(0).getType(); !allowed(t)) {
      op->emitOpError("[") << label << "] works on scalars here, not on " << t
                           << (loads ? "; there are index, i1, i8, i16, i32, i64, f16, bf16, f32, f64"
                                     : "; there are f32, i1, i32, i64 and index");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
