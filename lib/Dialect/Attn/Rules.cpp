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

std::optional<Axis> attn::rules::classifyOperand(AffineExpr e) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(e);
  if (!binary || binary.getKind() != AffineExprKind::Add)
    return classify(e);
  auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
  auto offset = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (!dim || !offset || offset.getValue() < 0)
    return std::nullopt;
  return Axis{(int)dim.getPosition(), 1, 0, offset.getValue()};
}

LogicalResult attn::rules::verifyScalarRegion(Region &region, StringRef label, bool loads,
                                              llvm::function_ref<bool(Type)> allowed) {
  WalkResult result = region.walk<WalkOrder::PreOrder>([&](Operation *op) {
    StringRef dialect = op->getName().getDialectNamespace();
    if (isa<YieldOp>(op))
      return WalkResult::advance();
    bool isExtent = isa<ExtentOp>(op) && isa<MapOp>(region.getParentOp());
    if (!(loads && isa<LoadOp, MemberOp, RandomOp>(op)) && !isExtent && dialect != "arith" && dialect != "math") {
      op->emitOpError("[") << label << "] is not allowed here; write it in arith"
                           << (loads ? ", math, attn.load, attn.member and attn.random" : " and math");
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
    Type t = op->getResult(0).getType();
    if (isa<LoadOp>(op) && isByteFloat(t)) {
      for (Operation *user : op->getUsers())
        if (!isa<arith::ExtFOp>(user)) {
          user->emitOpError("[") << label << "] a number of type " << t << " is only converted: arith.extf";
          return WalkResult::interrupt();
        }
      return WalkResult::advance();
    }
    if (!allowed(t)) {
      op->emitOpError("[") << label << "] works on scalars here, not on " << t
                           << (loads ? "; there are index, i1, i8, i16, i32, i64, f16, bf16, f32, f64"
                                     : "; there are f32, i1, i32, i64 and index");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

bool attn::rules::isNumber(Type t) { return t.isF64() || t.isF32() || t.isBF16() || t.isF16(); }
bool attn::rules::isByteFloat(Type t) { return isa<Float8E4M3FNType, Float8E5M2Type>(t); }

bool attn::rules::isScalar(Type t) { return t.isIndex() || t.isSignlessInteger(64) || t.isSignlessInteger(32); }

bool attn::rules::isIntTensor(Type t, int64_t minRank, int64_t maxRank) {
  auto tensor = dyn_cast<RankedTensorType>(t);
  return tensor && (tensor.getElementType().isSignlessInteger(64) || tensor.getElementType().isSignlessInteger(32)) &&
         tensor.getRank() >= minRank && tensor.getRank() <= maxRank;
}

LogicalResult attn::rules::verifyLengths(Operation *op, StringRef label, ArrayRef<Value> lengths) {
  for (Value v : lengths)
    if (v && !isIntTensor(v.getType(), 1, 1))
      return op->emitOpError("[") << label
                                  << "] lengths are a rank-1 tensor of i32 or i64 over the first batch dimension, not "
                                  << v.getType();
  return success();
}

LogicalResult attn::rules::verifyShift(Operation *op, StringRef label, Alignment alignment, Value q, Value k) {
  if (!q != !k)
    return op->emitOpError("[") << label << "] give both q and k lengths, or none";
  if (q && alignment != Alignment::BottomRight)
    return op->emitOpError("[") << label
                                << "] lengths move the bottom right corner; write bottom_right, or leave them out";
  return verifyLengths(op, label, {q, k});
}

LogicalResult attn::rules::verifyCount(Operation *op, StringRef label, StringRef what, Value count) {
  Type t = count.getType();
  if (!isScalar(t) && !isIntTensor(t, 1, 1))
    return op->emitOpError("[") << label << "] " << what
                                << " is an integer constant, an index, i64 or i32, or a rank-1 tensor of i32 or i64 "
                                   "over the first batch dimension, not "
                                << t;
  return success();
}

LogicalResult attn::rules::verifySegments(Operation *op, StringRef label, ArrayRef<Value> segments) {
  for (Value v : segments)
    if (!isIntTensor(v.getType(), 1, 2))
      return op->emitOpError("[") << label
                                  << "] segment ids are i32 or i64 over (token) or (first batch dimension, token), not "
                                  << v.getType();
  return success();
}
