// a / b in f32, correctly rounded, without a branch.
//
// PTX's div.rn.f32 is a few instructions, a test and a call for what the test finds; around the calls ptxas keeps
// registers free, which it then lacks elsewhere. Here both operands are brought near to 1 first,
//
//     a = a' 2^-i, b = b' 2^-j        2^-22 <= |a'|, |b'| < 4
//     y = 1 / b'                      an approximation and one step of Newton's
//     q = a' y, twice q += (a' - q b') y
//     a / b = q 2^(j - i)             in two steps, for half of the exponent may be all that f32 has
//
// so that no term overflows or loses bits. Zeros, infinities and NaN take a product that has the right answer. Only a
// denormal quotient may be rounded twice.
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
    auto sum = [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, loc, x, y); };
    auto less = [&](Value x, Value y) -> Value { return arith::SubIOp::create(b, loc, x, y); };
    auto reciprocal = [&](Value x) -> Value { return NVVM::RcpApproxFtzF32Op::create(b, loc, f32, x); };
    Value one = integer(0x3f800000), exponent = integer(0x7f800000);

    Value en = arith::AndIOp::create(b, loc, bitsOf(n), exponent);
    Value ed = arith::AndIOp::create(b, loc, bitsOf(d), exponent);
    auto scaleBits = [&](Value e) -> Value { // of 2^(127 - biased exponent), which is no denormal
      return arith::MaxSIOp::create(b, loc, less(integer(0x7f000000), e), integer(0x00800000));
    };
    Value sn = scaleBits(en), sd = scaleBits(ed);
    Value a = times(n, number(sn)), c = times(d, number(sd)), minusC = minus(c);
    Value y = reciprocal(c);
    y = fma(y, fma(minusC, y, number(one)), y);
    // The nearest to 1 / b' but where b' is just below a power of two: that one lies just above the middle.
    Value ones = integer(0x7fffff), fraction = arith::AndIOp::create(b, loc, bitsOf(c), ones);
    Value below = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, fraction, ones);
    y = number(arith::OrIOp::create(b, loc, bitsOf(y), arith::ExtUIOp::create(b, loc, i32, below)));
    Value q = times(a, y);
    for (int step = 0; step < 2; ++step)
      q = fma(fma(minusC, q, a), y, q);
    Value all = less(sd, sn);
    Value half = arith::ShLIOp::create(b, loc, arith::ShRSIOp::create(b, loc, all, integer(24)), integer(23));
    q = times(times(q, number(sum(half, one))), number(sum(less(all, half), one)));

    // Of these the divisor is one of 0, infinity and NaN, or only its sign matters.
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    auto isZero = [&](Value x) -> Value { return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, zero); };
    auto special = [&](Value x, Value e) -> Value {
      Value wide = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, e, exponent);
      return arith::OrIOp::create(b, loc, isZero(x), wide);
    };
    Value isOdd = special(d, ed);
    Value sign = math::CopySignOp::create(b, loc, number(one), d);
    Value odd = times(n, arith::SelectOp::create(b, loc, isOdd, reciprocal(d), sign));
    Value either = arith::OrIOp::create(b, loc, isOdd, special(n, en));
    b.replaceOpWithNewOp<arith::SelectOp>(op, either, odd, q);
    return success();
  }
};

} // namespace

void attn::nv::populateDivision(RewritePatternSet &patterns) { patterns.add<Division>(patterns.getContext()); }
