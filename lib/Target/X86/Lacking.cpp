// What a level lacks, written out: fused multiply-adds and conversions of f16, which the back end would call a library
// for; tiles, where they are emulated.
#include "Lacking.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace {

/// Integers of the lanes of a vector or of one number.
struct Lanes {
  Lanes(IRBuilder<> &b, Type *like) : b(b), like(like) {}
  Type *of(Type *scalar) const {
    auto *vector = dyn_cast<VectorType>(like);
    return vector ? VectorType::get(scalar, vector->getElementCount()) : scalar;
  }
  Value *word(uint32_t n) const { return ConstantInt::get(of(b.getInt32Ty()), n); }
  Value *real(double x) const { return ConstantFP::get(of(b.getFloatTy()), x); }

  IRBuilder<> &b;
  Type *like;
};

} // namespace

// f16 has 5 bits of exponent with bias 15 and 10 of mantissa, f32 8 with bias 127 and 23. Subnormals are integers times
// 2^-24; a NaN is made quiet, as the instruction does it.
static Value *widen(IRBuilder<> &b, Value *half) {
  Lanes l(b, half->getType());
  Value *bits = b.CreateZExt(b.CreateBitCast(half, l.of(b.getInt16Ty())), l.of(b.getInt32Ty()));
  Value *size = b.CreateAnd(bits, l.word(0x7fff)), *sign = b.CreateShl(b.CreateAnd(bits, l.word(0x8000)), 16);
  Value *normal = b.CreateAdd(b.CreateShl(size, 13), l.word(112u << 23));
  Value *beyond = b.CreateAdd(normal, l.word(112u << 23)); // infinities and NaN
  Value *nan = b.CreateOr(beyond, l.word(1u << 22));
  Value *subnormal =
      b.CreateBitCast(b.CreateFMul(b.CreateSIToFP(size, l.of(b.getFloatTy())), l.real(0x1p-24)), l.of(b.getInt32Ty()));
  Value *r = b.CreateSelect(b.CreateICmpUGE(size, l.word(0x7c00)), beyond, normal);
  r = b.CreateSelect(b.CreateICmpUGT(size, l.word(0x7c00)), nan, r);
  r = b.CreateSelect(b.CreateICmpULT(size, l.word(0x400)), subnormal, r);
  return b.CreateBitCast(b.CreateOr(r, sign), l.of(b.getFloatTy()));
}

// To nearest, ties to even: by adding half an ulp less one and the last bit that stays; below 2^-14 by the addition of
// 0.5, whose ulp is that of f16 there.
static Value *narrow(IRBuilder<> &b, Value *x) {
  Lanes l(b, x->getType());
  Value *bits = b.CreateBitCast(x, l.of(b.getInt32Ty()));
  Value *size = b.CreateAnd(bits, l.word(0x7fffffff)), *sign = b.CreateAnd(b.CreateLShr(bits, 16), l.word(0x8000));
  Value *odd = b.CreateAnd(b.CreateLShr(size, 13), l.word(1));
  Value *r = b.CreateLShr(b.CreateAdd(b.CreateSub(size, l.word((112u << 23) - 0xfff)), odd), 13);
  Value *sum = b.CreateFAdd(b.CreateBitCast(size, l.of(b.getFloatTy())), l.real(0.5));
  Value *small = b.CreateSub(b.CreateBitCast(sum, l.of(b.getInt32Ty())), l.word(0x3f000000));
  Value *nan = b.CreateOr(b.CreateAnd(b.CreateLShr(size, 13), l.word(0x3ff)), l.word(0x7e00));
  r = b.CreateSelect(b.CreateICmpULT(size, l.word(113u << 23)), small, r);
  r = b.CreateSelect(b.CreateICmpUGE(size, l.word(0x47800000)), l.word(0x7c00), r);
  r = b.CreateSelect(b.CreateICmpUGT(size, l.word(0x7f800000)), nan, r);
  return b.CreateBitCast(b.CreateTrunc(b.CreateOr(r, sign), l.of(b.getInt16Ty())), l.of(b.getHalfTy()));
}

/// The function that stands for an operation on tiles.
static std::optional<StringRef> tileFunctionOf(Intrinsic::ID id) {
  switch (id) {
  case Intrinsic::x86_ldtilecfg:
    return "attn_tile_config";
  case Intrinsic::x86_tilerelease:
    return "attn_tile_release";
  case Intrinsic::x86_tilezero:
    return "attn_tile_zero";
  case Intrinsic::x86_tileloadd64:
    return "attn_tile_load";
  case Intrinsic::x86_tilestored64:
    return "attn_tile_store";
  case Intrinsic::x86_tdpbf16ps:
    return "attn_tile_dot";
  default:
    return std::nullopt;
  }
}

static bool isHalf(Type *type) { return type->getScalarType()->isHalfTy(); }

void attn::x86::writeOutHalves(Function &function) {
  SmallVector<Instruction *> found;
  for (Instruction &inst : instructions(function))
    if ((isa<FPExtInst>(inst) && isHalf(inst.getOperand(0)->getType())) ||
        (isa<FPTruncInst>(inst) && isHalf(inst.getType())))
      found.push_back(&inst);
  for (Instruction *inst : found) {
    IRBuilder<> b(inst);
    Value *in = inst->getOperand(0), *out;
    Type *f32 = Lanes(b, in->getType()).of(b.getFloatTy());
    if (isa<FPExtInst>(inst)) {
      out = widen(b, in);
      if (out->getType() != inst->getType())
        out = b.CreateFPExt(out, inst->getType());
    } else {
      out = narrow(b, in->getType() == f32 ? in : b.CreateFPTrunc(in, f32));
    }
    inst->replaceAllUsesWith(out);
    inst->eraseFromParent();
  }
}

void attn::x86::writeOutFma(Function &function) {
  for (Instruction &inst : instructions(function)) {
    auto *call = dyn_cast<IntrinsicInst>(&inst);
    if (call && call->getIntrinsicID() == Intrinsic::fma)
      call->setCalledFunction(
          Intrinsic::getOrInsertDeclaration(function.getParent(), Intrinsic::fmuladd, {call->getType()}));
  }
}

void attn::x86::writeOutTiles(Function &function) {
  SmallVector<IntrinsicInst *> found;
  for (Instruction &inst : instructions(function))
    if (auto *call = dyn_cast<IntrinsicInst>(&inst); call && tileFunctionOf(call->getIntrinsicID()))
      found.push_back(call);
  for (IntrinsicInst *call : found) {
    IRBuilder<> b(call);
    SmallVector<Value *> in;
    SmallVector<Type *> types;
    for (Value *argument : call->args()) { // numbers of tiles as C passes them
      in.push_back(argument->getType()->isIntegerTy(8) ? b.CreateZExt(argument, b.getInt32Ty()) : argument);
      types.push_back(in.back()->getType());
    }
    b.CreateCall(function.getParent()->getOrInsertFunction(*tileFunctionOf(call->getIntrinsicID()),
                                                           FunctionType::get(b.getVoidTy(), types, false)),
                 in);
    call->eraseFromParent();
  }
}
