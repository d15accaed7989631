// a / b in f32, correctly rounded, without a branch.
//
// PTX's div.rn.f32 is a few instructions, a test and a call for what the test finds; around the calls ptxas keeps
// registers free, which it then lacks elsewhere. Here the divisor, which many quotients share, is brought near to 1
// first, and a dividend only away from the denormals,
//
//     |b| = b' 2^j, 2^-22 <= b' < 4        a' = a 2^i, i is 64 where |a| < 2^-90, else 0
//     y = 1 / b'                           an approximation and one step of Newton's
//     q = a' y, twice q += (a' - q b') y
//     a / |b| = q 2^(-i - j)
//
// so that no remainder loses bits. q is computed as -q, by which zeros keep their sign. Where the last q is a NaN the
// first one is right: a is infinite or a NaN, or the quotient too large. Of a divisor that is 0, infinite or a NaN, 1
// takes the place of b', and its reciprocal that of 2^-j. Only a denormal quotient may be rounded twice.
#include "Division.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace {

struct Division : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &b) const final {
    Value n = op.getLhs(), d = op.getRhs();
    if (!op.getType().isF32())
      return failure();
    APFloat constant(0.0f), inverse(0.0f);
    if (matchPattern(d, m_ConstantFloat(&constant)) && constant.getExactInverse(&inverse))
      return failure(); // a product, which LLVM makes of it
    Location loc = op.getLoc();
    Type i32 = b.getI32Type(), f32 = b.getF32Type();
    auto integer = [&](uint32_t bits) -> Value {
      return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr((int32_t)bits));
    };
    auto bitsOf = [&](Value x) -> Value { return arith::BitcastOp::create(b, loc, i32, x); };
    auto number = [&](Value bits) -> Value { return arith::BitcastOp::create(b, loc, f32, bits); };
    auto times = [&](Value x, Value y) -> Value { return arith::MulFOp::create(b, loc, x, y); };
    auto fma = [&](Value x, Value y, Value z) -> Value { return math::FmaOp::create(b, loc, x, y, z); };
    auto minus = [&](Value x) -> Value { return arith::NegFOp::create(b, loc, x); };
    auto real = [&](float x) -> Value { return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(x)); };
    auto select = [&](Value which, Value x, Value y) -> Value { return arith::SelectOp::create(b, loc, which, x, y); };
    auto is = [&](arith::CmpFPredicate how, Value x, Value y) -> Value {
      return arith::CmpFOp::create(b, loc, how, x, y);
    };
    auto same = [&](Value x, Value y) -> Value {
      return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
    };
    auto reciprocal = [&](Value x) -> Value { return NVVM::RcpApproxFtzF32Op::create(b, loc, f32, x); };

    // Of the divisor alone. 2^(127 - biased exponent), which is no denormal, and what it makes of the divisor.
    Value exponent = integer(0x7f800000), ones = integer(0x7fffff);
    Value ed = arith::AndIOp::create(b, loc, bitsOf(d), exponent);
    Value bits = arith::SubIOp::create(b, loc, integer(0x7f000000), ed);
    Value scale = number(arith::MaxSIOp::create(b, loc, bits, integer(0x00800000)));
    Value isOdd = arith::OrIOp::create(b, loc, is(arith::CmpFPredicate::OEQ, d, real(0)), same(ed, exponent));
    Value c = select(isOdd, real(1), times(math::AbsFOp::create(b, loc, d), scale));
    scale = minus(select(isOdd, reciprocal(d), math::CopySignOp::create(b, loc, scale, d)));
    Value small = times(scale, real(0x1p-64f));
    Value y = reciprocal(c);
    y = fma(y, fma(minus(c), y, real(1)), y);
    // The nearest to 1 / b' but where b' is just below a power of two: that one lies just above the middle.
    Value below = same(arith::AndIOp::create(b, loc, bitsOf(c), ones), ones);
    y = minus(number(arith::OrIOp::create(b, loc, bitsOf(y), arith::ExtUIOp::create(b, loc, i32, below))));

    Value isSmall = is(arith::CmpFPredicate::OLT, math::AbsFOp::create(b, loc, n), real(0x1p-90f));
    Value a = times(n, select(isSmall, real(0x1p64f), real(1)));
    Value first = times(a, y), q = first;
    for (int step = 0; step < 2; ++step)
      q = fma(fma(c, q, a), y, q);
    q = select(is(arith::CmpFPredicate::UNO, q, q), first, q);
    b.replaceOpWithNewOp<arith::MulFOp>(op, q, select(isSmall, small, scale));
    return success();
  }
};

} // namespace

void attn::nv::populateDivision(RewritePatternSet &patterns) { patterns.add<Division>(patterns.getContext()); }
