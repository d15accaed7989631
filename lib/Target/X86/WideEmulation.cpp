// Instructions of AVX-512 and AVX512-BF16 on vectors of 64 bytes, for tests on CPUs without them. LLVM splits vectors
// and what is done with them by itself; what only these CPUs have is an intrinsic, and becomes a function of the
// module with the same bits for every operand (of a NaN: that it is one).
#include "Lacking.h"
#include "attn/Machine/X86.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace {

constexpr unsigned kLanes = 16, kHalf = kLanes / 2;

/// The body of one of the functions.
struct Body {
  explicit Body(Function &function) : b(BasicBlock::Create(function.getContext(), "", &function)), function(function) {}

  Value *in(unsigned n) { return function.getArg(n); }
  Type *words() { return FixedVectorType::get(b.getInt32Ty(), kLanes); }
  Type *reals() { return FixedVectorType::get(b.getFloatTy(), kLanes); }
  Value *word(uint32_t n) { return ConstantInt::get(words(), n); }
  Value *real(double x) { return ConstantFP::get(reals(), x); }
  Value *asWords(Value *x) { return b.CreateBitCast(x, words()); }
  Value *asReals(Value *x) { return b.CreateBitCast(x, reals()); }

  Value *half(Value *x, unsigned n) {
    SmallVector<int> order;
    for (unsigned lane = 0; lane < kHalf; ++lane)
      order.push_back(int(n * kHalf + lane));
    return b.CreateShuffleVector(x, order);
  }
  Value *joined(Value *low, Value *high) {
    SmallVector<int> order;
    for (unsigned lane = 0; lane < 2 * cast<FixedVectorType>(low->getType())->getNumElements(); ++lane)
      order.push_back(int(lane));
    return b.CreateShuffleVector(low, high, order);
  }

  Value *toIntegers();
  Value *fraction();
  Value *scaled();
  Value *dot();
  Value *narrow(Value *x);
  Value *narrowed() { return words16(narrow(in(0))); }
  /// The second operand is the lower half.
  Value *narrowedBoth() { return b.CreateBitCast(joined(narrow(in(1)), narrow(in(0))), words()); }

  IRBuilder<> b;
  Function &function;

private:
  Value *words16(Value *halves) { return b.CreateBitCast(halves, FixedVectorType::get(b.getInt32Ty(), kHalf)); }
  /// Subnormal numbers are zeros of their sign.
  Value *flushed(Value *pattern) {
    Value *zero = b.CreateICmpEQ(b.CreateAnd(pattern, word(0x7f800000)), word(0));
    return asReals(b.CreateSelect(zero, b.CreateAnd(pattern, word(0x80000000)), pattern));
  }
  Value *fma(Value *x, Value *y, Value *sum);
};

} // namespace

// Of the mask 16 lanes, of which others are what the second operand has there. Both halves round as MXCSR says.
Value *Body::toIntegers() {
  Value *halves[2];
  for (unsigned n : {0, 1})
    halves[n] = b.CreateIntrinsic(Intrinsic::x86_avx_cvt_ps2dq_256, half(in(0), n));
  Value *mask = b.CreateBitCast(in(2), FixedVectorType::get(b.getInt1Ty(), kLanes));
  return b.CreateSelect(mask, joined(halves[0], halves[1]), in(1));
}

// x - floor(x), the one form that is used: of all lanes, to integers, downwards, which the difference is rounded as
// well. Nothing is left of an integer but -0, of an infinity 0.
Value *Body::fraction() {
  Value *x = in(0), *whole = b.CreateUnaryIntrinsic(Intrinsic::floor, x), *r = b.CreateFSub(x, whole);
  // Only of -1 < x < 0 it is not exact; what is added back then is.
  Value *more = b.CreateSExt(b.CreateFCmpOGT(b.CreateFAdd(r, whole), x), words());
  r = asReals(b.CreateAdd(asWords(r), more));
  r = b.CreateSelect(b.CreateFCmpOEQ(r, real(0)), real(-0.0), r);
  Value *infinite = b.CreateFCmpOEQ(b.CreateUnaryIntrinsic(Intrinsic::fabs, x), real(INFINITY));
  return b.CreateSelect(infinite, real(0), r);
}

// x 2^floor(y) of the mask, in one rounding: the product is exact in f64, where 2^400 is more than any f32 can take.
Value *Body::scaled() {
  Value *x = in(0), *y = in(1);
  Type *wide = FixedVectorType::get(b.getDoubleTy(), kLanes);
  Value *most = ConstantFP::get(wide, 400), *least = ConstantFP::get(wide, -400);
  Value *n = b.CreateUnaryIntrinsic(Intrinsic::floor, b.CreateFPExt(y, wide));
  n = b.CreateSelect(b.CreateFCmpOLT(n, most), n, most);
  n = b.CreateSelect(b.CreateFCmpOGT(n, least), n, least);
  Type *integers = FixedVectorType::get(b.getInt64Ty(), kLanes);
  Value *exponent = b.CreateAdd(b.CreateFPToSI(n, integers), ConstantInt::get(integers, 1023));
  Value *power = b.CreateBitCast(b.CreateShl(exponent, 52), wide);
  power = b.CreateSelect(b.CreateFCmpOEQ(y, real(INFINITY)), ConstantFP::get(wide, INFINITY), power);
  power = b.CreateSelect(b.CreateFCmpOEQ(y, real(-INFINITY)), ConstantFP::get(wide, 0), power);
  Value *r = b.CreateFPTrunc(b.CreateFMul(b.CreateFPExt(x, wide), power), reals());
  r = b.CreateSelect(b.CreateFCmpUNO(y, y), y, r);
  Value *mask = b.CreateBitCast(in(3), FixedVectorType::get(b.getInt1Ty(), kLanes));
  return b.CreateSelect(mask, r, in(2));
}

// x y + sum in one rounding, where a result that is less than 2^-126 as rounded to 24 bits is a zero of its sign. That
// is asked of 2^24 times as much, which no exponent is too small for: rounded to what is left of 24 bits as a subnormal
// number, some would be 2^-126. What overflows then is not small.
Value *Body::fma(Value *x, Value *y, Value *sum) {
  Value *r = b.CreateIntrinsic(Intrinsic::fma, reals(), {x, y, sum});
  Value *scale = real(0x1p24);
  Value *scaled = b.CreateIntrinsic(Intrinsic::fma, reals(), {b.CreateFMul(x, scale), y, b.CreateFMul(sum, scale)});
  Value *tiny = b.CreateFCmpOLT(b.CreateUnaryIntrinsic(Intrinsic::fabs, scaled), real(0x1p-102));
  return b.CreateSelect(tiny, asReals(b.CreateAnd(asWords(r), word(0x80000000))), r);
}

// s + x_odd y_odd, then + x_even y_even.
Value *Body::dot() {
  Value *sum = flushed(asWords(in(0))), *x = in(1), *y = in(2);
  auto odd = [&](Value *words) { return flushed(b.CreateAnd(words, word(0xffff0000))); };
  auto even = [&](Value *words) { return flushed(b.CreateShl(words, 16)); };
  sum = fma(odd(x), odd(y), sum);
  return fma(even(x), even(y), sum);
}

// To nearest, ties to even, by adding half an ulp less one and the last bit that stays; subnormal numbers are zeros of
// their sign, a NaN is made quiet.
Value *Body::narrow(Value *x) {
  Value *bits = asWords(flushed(asWords(x))), *upper = b.CreateLShr(bits, 16);
  Value *odd = b.CreateAnd(upper, word(1));
  Value *rounded = b.CreateLShr(b.CreateAdd(b.CreateAdd(bits, odd), word(0x7fff)), 16);
  Value *nan = b.CreateICmpUGT(b.CreateAnd(bits, word(0x7fffffff)), word(0x7f800000));
  Value *r = b.CreateSelect(nan, b.CreateOr(upper, word(0x40)), rounded);
  return b.CreateTrunc(r, FixedVectorType::get(b.getInt16Ty(), kLanes));
}

namespace {

struct Emulated {
  StringLiteral name; // of the function
  Value *(Body::*body)();
};

} // namespace

static std::optional<Emulated> emulated(Intrinsic::ID id) {
  switch (id) {
  case Intrinsic::x86_avx512_mask_cvtps2dq_512:
    return Emulated{"attn_wide_cvtps2dq", &Body::toIntegers};
  case Intrinsic::x86_avx512_mask_reduce_ps_512:
    return Emulated{"attn_wide_reduce", &Body::fraction};
  case Intrinsic::x86_avx512_mask_scalef_ps_512:
    return Emulated{"attn_wide_scalef", &Body::scaled};
  default:
    return std::nullopt;
  }
}

static std::optional<Emulated> emulatedBf16(Intrinsic::ID id) {
  switch (id) {
  case Intrinsic::x86_avx512bf16_dpbf16ps_512:
    return Emulated{"attn_wide_dpbf16ps", &Body::dot};
  case Intrinsic::x86_avx512bf16_cvtneps2bf16_512:
    return Emulated{"attn_wide_cvtneps2bf16", &Body::narrowed};
  case Intrinsic::x86_avx512bf16_cvtne2ps2bf16_512:
    return Emulated{"attn_wide_cvtne2ps2bf16", &Body::narrowedBoth};
  default:
    return std::nullopt;
  }
}

/// Vectors of bf16 are words: there are no registers of bf16 then, and LLVM would take such a vector apart.
static Type *passedAs(Type *type) {
  auto *vector = dyn_cast<FixedVectorType>(type);
  if (!vector || !vector->getElementType()->isBFloatTy())
    return type;
  return FixedVectorType::get(Type::getInt32Ty(type->getContext()), vector->getNumElements() / 2);
}

static Function *functionFor(Module &module, const Emulated &emulated, FunctionType *type) {
  if (Function *made = module.getFunction(emulated.name))
    return made;
  Function *function = Function::Create(type, GlobalValue::InternalLinkage, emulated.name, module);
  Body body(*function);
  body.b.CreateRet((body.*emulated.body)());
  return function;
}

/// `words` in the place of `bf16`, which is stored or taken for something else again.
static void replaceBf16(Value *bf16, Value *words) {
  for (User *user : make_early_inc_range(bf16->users())) {
    auto *inst = cast<Instruction>(user);
    IRBuilder<> b(inst);
    if (isa<BitCastInst>(inst)) {
      inst->replaceAllUsesWith(b.CreateBitCast(words, inst->getType()));
      inst->eraseFromParent();
    } else if (auto *store = dyn_cast<StoreInst>(inst)) {
      store->setOperand(0, words);
    } else {
      inst->replaceUsesOfWith(bf16, b.CreateBitCast(words, bf16->getType()));
    }
  }
}

static void writeOut(CallInst &call, const Emulated &emulated) {
  IRBuilder<> b(&call);
  SmallVector<Value *> in;
  SmallVector<Type *> types;
  for (Value *argument : call.args()) {
    Type *type = passedAs(argument->getType());
    if (auto *cast = dyn_cast<BitCastInst>(argument); cast && type != argument->getType())
      argument = cast->getOperand(0);
    in.push_back(b.CreateBitCast(argument, type));
    types.push_back(type);
  }
  Type *result = passedAs(call.getType());
  Function *function = functionFor(*call.getModule(), emulated, FunctionType::get(result, types, false));
  Value *made = b.CreateCall(function, in);
  if (result == call.getType())
    call.replaceAllUsesWith(made);
  else
    replaceBf16(&call, made);
  SmallVector<Value *> before(call.args());
  call.eraseFromParent();
  for (Value *argument : before)
    if (auto *cast = dyn_cast<BitCastInst>(argument); cast && cast->use_empty())
      cast->eraseFromParent();
}

Error attn::x86::writeOutWide(Module &module, const X86Machine &runsOn) {
  for (Function &declared : make_early_inc_range(module.functions())) {
    if (!declared.isIntrinsic())
      continue;
    std::optional<Emulated> found;
    if (runsOn.vectorBytes < 64)
      found = emulated(declared.getIntrinsicID());
    if (!found && !runsOn.bf16Dot)
      found = emulatedBf16(declared.getIntrinsicID());
    if (!found && runsOn.vectorBytes < 64 && declared.getName().starts_with("llvm.x86.avx512"))
      return createStringError(inconvertibleErrorCode(), declared.getName() + " has no emulation");
    if (!found)
      continue;
    for (User *user : make_early_inc_range(declared.users()))
      writeOut(*cast<CallInst>(user), *found);
    declared.eraseFromParent();
  }
  return Error::success();
}
