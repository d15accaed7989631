// exp2, exp, expm1, tanh and log, written for what attention needs of them: exact zeros and ones, NaN in NaN out, no
// library call.
#include "attn/Conversion/FmaOnce.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace attn;
using V = Value;

// 2^f - 1 = f q(f) on [-1/2, 1/2]. f32: degree 6 in all, equi-oscillating relative error 2.0e-9, so that rounding
// dominates (1.1 ulp).
static const double kExp2F32[] = {0.693147202855191,    0.24022647913618247,   0.0555033247082896,
                                  0.009618437358067809, 0.0013398874539315292, 0.0001535336207148484};
// 2^r - 1 = r q(r) on [-1/16, 1/16], 2.5e-8: what is left of a weight's argument beside a table of eighths.
static const double kExp2F32Eighth[] = {0.6931472142603405, 0.24025762982923624, 0.05549622179883151};
// The same with a constant of its own: 7.5e-8, for what is added to 1.
static const double kExp2F32Short[] = {0.6931469671, 0.2402211972, 0.05550713274, 0.009675541334, 0.001327647198};
// (e^f - 1 - f) / f^2 on [-ln 2 / 2, ln 2 / 2], minimax for the relative error of e^f (3.1e-9), and of e^f - 1
// (1.3e-8).
static const double kExpF32[] = {0.4999999343207686, 0.16666520398318807, 0.041668390791373605, 0.008368745195584707,
                                 0.0013814540105090683};
static const double kExpM1F32[] = {0.4999999814960635, 0.1666654342363239, 0.04166720071358396, 0.008366547217558192,
                                   0.0013882516536224306};
// (log(1 + f) - f + f^2 / 2) / f^3 for 1 + f in [sqrt 1/2, sqrt 2): 7.6e-10.
static const double kLogF32[] = {0.3333331249800421,  -0.25000010471303696, 0.20002128566160443,
                                 -0.1666795366943978, 0.14219281605346423,  -0.12406167687577965,
                                 0.11890973946620594, -0.11673396509904382, 0.06737196268549432};
// (tanh x / x - 1) / x^2 by powers of x^2 for |x| <= 0.625.
static const double kTanhF32[] = {-0.3333328194185411, 0.13331442194756005, -0.05373971484634362, 0.020639086569839475,
                                  -0.005704986329238052};
// ln 2 in two parts: the first has 9 bits, its products with exponents are exact.
static constexpr double kLn2High = 0.693359375, kLn2Low = -2.12194440054690583e-4, kLog2e = 1.44269504088896340736;
// f64: the Taylor series; the first term left out is below 2^-53.
static SmallVector<double> taylor(double base, unsigned terms) {
  SmallVector<double> c;
  double t = 1;
  for (unsigned k = 1; k <= terms; ++k)
    c.push_back(t *= base / k);
  return c;
}

static V constant(Emit &e, V like, double v) { return isa<VectorType>(like.getType()) ? e.splat(v) : e.scalar(v); }

/// c0 + f (c1 + f (...)).
static V horner(Emit &e, V f, ArrayRef<double> c) {
  V p = constant(e, f, c.back());
  for (double next : llvm::reverse(c.drop_back()))
    p = e.fma(p, f, constant(e, f, next));
  return p;
}

/// 2^n for integral n, as the float pattern (n + bias) << mantissa bits.
static V power(Emit &e, V n) {
  bool isVector = isa<VectorType>(n.getType());
  OpBuilder &b = e.b;
  Type i = b.getIntegerType(e.real.getWidth());
  Type type = isVector ? (Type)e.vecOf(i) : i;
  V integer;
  if (e.real.isF64()) {
    // No vector conversion to i64 before AVX-512: adding 1.5 * 2^52 leaves the integer in the low bits.
    integer = e.bitcast(e.fadd(n, constant(e, n, 6755399441055744.0)), type);
  } else {
    // Both conversions are defined for NaN (a plain fptosi is not): its pattern survives the shift below.
    auto call = [&](StringRef name, ValueRange in) -> V {
      return LLVM::CallIntrinsicOp::create(b, e.loc, type, b.getStringAttr(name), in).getResult(0);
    };
    if (isVector && e.lanes == 4) {
      integer = call("llvm.x86.sse2.cvtps2dq", n);
    } else if (isVector && e.lanes == 8) {
      integer = call("llvm.x86.avx.cvt.ps2dq.256", n);
    } else if (isVector && e.lanes == 16) {
      V all = arith::ConstantOp::create(b, e.loc, b.getI16IntegerAttr(-1)),
        current = arith::ConstantOp::create(b, e.loc, b.getI32IntegerAttr(4));
      integer = call("llvm.x86.avx512.mask.cvtps2dq.512", {n, e.splatInt(cast<VectorType>(type), 0), all, current});
    } else {
      integer = call("llvm.fptosi.sat", n);
    }
  }
  int64_t mantissa = e.real.isF64() ? 52 : 23;
  auto word = [&](int64_t v) -> V {
    return isVector ? e.splatInt(cast<VectorType>(type), v)
                    : (V)arith::ConstantOp::create(b, e.loc, b.getIntegerAttr(type, v));
  };
  return arith::ShLIOp::create(b, e.loc, integer, word(mantissa));
}

// 2^r - 1 = r q(r) on [0, 1], whose constant is 1: 2.0e-9 of 2^r, and 8.6e-5, for a weight that is rounded to 8 bits.
static const double kExp2F32Above[] = {0.69314704444339827,   0.24022930555352396,   0.055485280607947349,
                                       0.0096754515935860426, 0.0012467846173865844, 0.0002161291594410278};
static const double kExp2F32Coarse[] = {0.69511678833611866, 0.22764498506121991, 0.077067046409184711};

// AVX-512: 2^x = 2^floor(x) 2^r, r = x - floor(x), by two instructions (vreduceps, vscalefps) that take infinities as
// they must and leave a NaN one: 1.07 ulp. Subnormal results take an assist of 150 cycles, so there are none.
V Emit::exp2WeightWide(V x, bool coarse) {
  auto call = [&](StringRef name, ValueRange in) {
    return LLVM::CallIntrinsicOp::create(b, loc, vec, b.getStringAttr(name), in).getResult(0);
  };
  auto word = [&](unsigned bits, int64_t n) -> V {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(b.getIntegerType(bits), n));
  };
  constexpr int64_t down = 0x09, current = 4, all = -1; // to integers, without an exception; rounding as it is
  V zero = splat(0);
  V r = call("llvm.x86.avx512.mask.reduce.ps.512", {x, word(32, down), zero, word(16, all), word(32, current)});
  ArrayRef<double> c = coarse ? ArrayRef<double>(kExp2F32Coarse) : ArrayRef<double>(kExp2F32Above);
  V p = fma(horner(*this, r, c), r, splat(1));
  V normal = laneBits(cmpf(arith::CmpFPredicate::UGE, x, splat(-126)));
  return call("llvm.x86.avx512.mask.scalef.ps.512", {p, x, zero, normal, word(32, current)});
}

// x = n / 8 + r, 2^x = S + S r q(r), S = 2^(n / 8) out of a table: degree 3 is enough, and rounding S and the result is
// nearly all of the error: 1.16 ulp, and 1.46 from 2^-126 to 2^-125, where S r is subnormal. Adding 1.5 * 2^20 rounds x
// to eighths and leaves n in the low bits: three of them number the table's entry, and the whole of n, shifted to the
// exponent, is added to it (the entries have what their number adds to the mantissa taken off). A NaN is in r, whatever
// the integers are.
V Emit::exp2Weight(V x) {
  VectorType words = vecOf(b.getI32Type());
  V y = maxKeep(splat(-127), x), magic = splat(0x1.8p20);
  V t = fadd(y, magic), r = fsub(y, fsub(t, magic)), n = bitcast(t, words);
  SmallVector<Attribute> entries;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    int32_t pattern = llvm::bit_cast<int32_t>((float)std::exp2(double(lane) / 8));
    entries.push_back(b.getF32FloatAttr(llvm::bit_cast<float>(int32_t(pattern - (lane << 20)))));
  }
  V table = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vec, entries));
  V entry =
      LLVM::CallIntrinsicOp::create(b, loc, vec, b.getStringAttr("llvm.x86.avx2.permps"), {table, n}).getResult(0);
  V exponent = arith::ShLIOp::create(b, loc, n, splatInt(words, 20));
  // From -127 down the pattern is exactly 0, and the product with it.
  V scale = bitcast(arith::AddIOp::create(b, loc, bitcast(entry, words), exponent), vec);
  return fma(horner(*this, r, kExp2F32Eighth), fmul(r, scale), scale);
}

V Emit::exp2(V x, bool bounded, bool coarse) {
  bool isVector = isa<VectorType>(x.getType());
  if (fastExp2 && bounded && !isVector && real.isF32())
    return fastExp2(*this, x);
  if (bounded && real.isF32() && isVector && lanes >= 8) // SSE has no permutation for its table
    return lanes == 16 ? exp2WeightWide(x, coarse) : exp2Weight(x);
  Type i = b.getIntegerType(real.getWidth());
  Type integer = isVector ? (Type)vecOf(i) : i;
  double low = real.isF64() ? -1023.0 : -127.0, high = real.isF64() ? 1024.0 : 128.0;
  // The bound stands first: a NaN x survives. From `low` down the exponent field and the pattern are exactly 0; above
  // `high` it is infinity.
  V y = maxKeep(constant(*this, x, low), x);
  V over = cmpf(arith::CmpFPredicate::OGE, y, constant(*this, x, high));
  V n = math::RoundEvenOp::create(b, loc, y);
  V f = fsub(y, n);
  SmallVector<double> c = real.isF64() ? taylor(0.693147180559945309417, 13)
                                       : SmallVector<double>(std::begin(kExp2F32), std::end(kExp2F32));
  V p = fma(horner(*this, f, c), f, constant(*this, x, 1.0));
  V bits = arith::AddIOp::create(b, loc, bitcast(p, integer), power(*this, n));
  V r = bitcast(bits, x.getType());
  if (!bounded)
    r = select(over, constant(*this, x, std::numeric_limits<double>::infinity()), r);
  // In f32 a NaN is its own result: its integer part is a pattern that the shift leaves nothing of.
  return real.isF64() || !isVector ? select(cmpf(arith::CmpFPredicate::UNO, x, x), x, r) : r;
}

/// n = round(x / ln 2) and x - n ln 2.
static std::pair<V, V> reduced(Emit &e, V x) {
  V n = math::RoundEvenOp::create(e.b, e.loc, e.fmul(x, constant(e, x, kLog2e)));
  V f = e.fma(n, constant(e, x, -kLn2High), x);
  return {n, e.fma(n, constant(e, x, -kLn2Low), f)};
}

/// The pattern of a number in the integers' type.
static V integerPattern(Emit &e, V like, int64_t pattern) {
  Type i = e.b.getIntegerType(e.real.getWidth());
  return isa<VectorType>(like.getType()) ? e.splatInt(e.vecOf(i), pattern)
                                         : (V)arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(i, pattern));
}

// e^x = 2^n e^f. Below the least normal number the result is 0.
V Emit::exp32(V x) {
  auto [n, f] = reduced(*this, x);
  V p = horner(*this, f, kExpF32);
  p = fma(fma(p, f, constant(*this, x, 1)), f, constant(*this, x, 1));
  V scale = power(*this, n);
  V r = bitcast(arith::AddIOp::create(b, loc, bitcast(p, scale.getType()), scale), x.getType());
  r = select(cmpf(arith::CmpFPredicate::OGT, x, constant(*this, x, 0x1.62e42ep6)),
             constant(*this, x, std::numeric_limits<double>::infinity()), r);
  r = select(cmpf(arith::CmpFPredicate::OLT, x, constant(*this, x, -0x1.5d589ep6)), constant(*this, x, 0), r);
  return isa<VectorType>(x.getType()) ? r : select(cmpf(arith::CmpFPredicate::UNO, x, x), x, r);
}

// 1 / (1 + e^z). e^z is a power of 2 here, by one product: what the constant's rounding does, 1.3e-8 |z|, is a fifth of
// what the rounding of z itself may do.
V Emit::logistic(V z, bool bounded) {
  if (!bounded)
    z = select(cmpf(arith::CmpFPredicate::OLT, constant(*this, z, kLogisticBound), z),
               constant(*this, z, kLogisticBound), maxKeep(constant(*this, z, -kLogisticBound), z));
  // Adding 1.5 * 2^23 leaves the integer in the low bits.
  V magic = constant(*this, z, 0x1.8p23), log2e = constant(*this, z, kLog2e);
  V t = fma(z, log2e, magic), f = fmaOnce(*this, z, log2e, fsub(magic, t));
  V p = fma(horner(*this, f, kExp2F32Short), f, constant(*this, z, 1.000000072));
  V bits = bitcast(t, integerPattern(*this, z, 0).getType());
  V scale = arith::ShLIOp::create(b, loc, bits, integerPattern(*this, z, 23));
  V power = bitcast(arith::AddIOp::create(b, loc, bitcast(p, bits.getType()), scale), z.getType());
  V one = constant(*this, z, 1), r = fdiv(one, fadd(one, power));
  return bounded ? r : select(cmpf(arith::CmpFPredicate::UNO, z, z), z, r);
}

/// e^f - 1 by its series, without cancellation.
static V expM1Series(Emit &e, V f) { return e.fma(e.fmul(horner(e, f, kExpM1F32), f), f, f); }

// e^x - 1 = 2 (2^(n-1) q + 2^(n-1) - 1/2), q = e^f - 1; half of it, so that 2^128 is never met.
V Emit::expm132(V x) {
  V y = maxKeep(constant(*this, x, -18), x);
  auto [n, f] = reduced(*this, y);
  V q = expM1Series(*this, f), scale = power(*this, n);
  V half = bitcast(arith::AddIOp::create(b, loc, scale, integerPattern(*this, x, 0x3f000000)), x.getType());
  V r = fma(half, q, fsub(half, constant(*this, x, 0.5)));
  r = fadd(r, r);
  // q is x itself where x is small; doubling the half would lose the last bit of a subnormal number.
  r = math::CopySignOp::create(b, loc, select(cmpf(arith::CmpFPredicate::OEQ, n, constant(*this, x, 0)), q, r), x);
  r = select(cmpf(arith::CmpFPredicate::OGT, x, constant(*this, x, 0x1.62e42ep6)),
             constant(*this, x, std::numeric_limits<double>::infinity()), r);
  return isa<VectorType>(x.getType()) ? r : select(cmpf(arith::CmpFPredicate::UNO, x, x), x, r);
}

/// x (1 + x^2 p(x^2)) for |x| <= 0.625, relative error 4.4e-9 before rounding.
static V tanhSeries(Emit &e, V x) {
  V z = e.fmul(x, x);
  return e.fmul(x, e.fma(z, horner(e, z, kTanhF32), constant(e, x, 1)));
}

// -tanh |x| = (2^n q + (2^n - 1)) / (2^n q + (2^n + 1)) with 2^n (1 + q) = e^(-2 |x|): numerator and denominator are
// rounded once each. From 9.1 on it is 1 to the last bit.
V Emit::tanh32(V x, bool mostlySmall) {
  if (mostlySmall && isa<VectorType>(x.getType())) {
    V large = cmpf(arith::CmpFPredicate::OGT, math::AbsFOp::create(b, loc, x), constant(*this, x, 0.625));
    return choose(
        anyLane(large), x.getType(), [&] { return SmallVector<V>{tanh32(x)}; },
        [&] { return SmallVector<V>{tanhSeries(*this, x)}; })[0];
  }
  V a = fsub(constant(*this, x, 0), math::AbsFOp::create(b, loc, x));
  V y = maxKeep(constant(*this, x, -9.1), a);
  auto [n, f] = reduced(*this, fadd(y, y));
  V q = expM1Series(*this, f), scale = power(*this, n);
  V two = bitcast(arith::AddIOp::create(b, loc, scale, integerPattern(*this, x, 0x3f800000)), x.getType());
  V one = constant(*this, x, 1);
  V r = fdiv(fma(two, q, fsub(two, one)), fma(two, q, fadd(two, one)));
  r = math::CopySignOp::create(b, loc, r, x);
  return isa<VectorType>(x.getType()) ? r : select(cmpf(arith::CmpFPredicate::UNO, x, x), x, r);
}

// log x = e ln 2 + log(1 + f), 1 + f in [sqrt 1/2, sqrt 2).
V Emit::log32(V x) {
  Type i = integerPattern(*this, x, 0).getType();
  auto word = [&](int64_t v) { return integerPattern(*this, x, v); };
  auto real32 = [&](double v) { return constant(*this, x, v); };
  V tiny = cmpf(arith::CmpFPredicate::OLT, x, real32(0x1p-126));
  V shifted = arith::SubIOp::create(b, loc, bitcast(select(tiny, fmul(x, real32(0x1p23)), x), i), word(0x3f3504f3));
  V exponent = fadd(arith::SIToFPOp::create(b, loc, x.getType(), arith::ShRSIOp::create(b, loc, shifted, word(23))),
                    select(tiny, real32(-23), real32(0)));
  V m = arith::AddIOp::create(b, loc, arith::AndIOp::create(b, loc, shifted, word(0x7fffff)), word(0x3f3504f3));
  V f = fsub(bitcast(m, x.getType()), real32(1)), f2 = fmul(f, f);
  V low = fma(exponent, real32(kLn2Low), fmul(horner(*this, f, kLogF32), fmul(f2, f)));
  V r = fma(exponent, real32(kLn2High), fadd(f, fma(f2, real32(-0.5), low)));
  double inf = std::numeric_limits<double>::infinity();
  r = select(cmpf(arith::CmpFPredicate::OEQ, x, real32(0)), real32(-inf), r);
  // Negative numbers and NaN, then what is its own logarithm.
  r = select(cmpf(arith::CmpFPredicate::UGE, x, real32(0)), r, real32(std::numeric_limits<double>::quiet_NaN()));
  return select(cmpf(arith::CmpFPredicate::ULT, x, real32(inf)), select(cmpf(arith::CmpFPredicate::UNO, x, x), x, r),
                x);
}

// log(u) and what rounding u = 1 + x lost, over u.
V Emit::log1p32(V x) {
  V one = constant(*this, x, 1), u = fadd(one, x);
  V lost = select(cmpf(arith::CmpFPredicate::OLT, x, one), fsub(x, fsub(u, one)), fsub(one, fsub(u, x)));
  V r = fadd(log32(u), fdiv(lost, u));
  // -1 and infinities have their logarithm by themselves, and 0 keeps its sign.
  V own = cmpf(arith::CmpFPredicate::OLT, math::AbsFOp::create(b, loc, lost),
               constant(*this, x, std::numeric_limits<double>::infinity()));
  r = select(both(own, cmpf(arith::CmpFPredicate::UNE, u, constant(*this, x, 0))), r, log32(u));
  return select(cmpf(arith::CmpFPredicate::OEQ, x, constant(*this, x, 0)), x, r);
}

// log x = e ln 2 + 2 atanh((m - 1) / (m + 1)), m in [sqrt 1/2, sqrt 2): |z| < 0.172, ten terms reach 1e-17.
V Emit::log(V x) {
  Type f64 = b.getF64Type(), i64t = b.getI64Type();
  auto f = [&](double v) -> V { return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(v)); };
  V wide = real.isF64() ? x : (V)arith::ExtFOp::create(b, loc, f64, x);
  // Subnormals are scaled into the normal range first.
  V tiny = cmpf(arith::CmpFPredicate::OLT, wide, f(2.2250738585072014e-308));
  V scaled = select(tiny, fmul(wide, f(18014398509481984.0)), wide);
  V bits = bitcast(scaled, i64t);
  V exponent = sub(arith::AndIOp::create(b, loc, arith::ShRUIOp::create(b, loc, bits, i64(52)), i64(0x7ff)),
                   select(tiny, i64(1023 + 54), i64(1023)));
  V m = bitcast(arith::OrIOp::create(b, loc, arith::AndIOp::create(b, loc, bits, i64((int64_t(1) << 52) - 1)),
                                     i64(int64_t(1023) << 52)),
                f64);
  V big = cmpf(arith::CmpFPredicate::OGT, m, f(1.41421356237309504880));
  m = select(big, fmul(m, f(0.5)), m);
  exponent = add(exponent, select(big, i64(1), i64(0)));
  V z = fdiv(fsub(m, f(1)), fadd(m, f(1))), z2 = fmul(z, z);
  V series = f(1.0 / 21);
  for (int k = 19; k >= 1; k -= 2)
    series = math::FmaOp::create(b, loc, series, z2, f(1.0 / k));
  V e = arith::SIToFPOp::create(b, loc, f64, exponent);
  V r = fadd(fmul(e, f(0.693147180559945309417)), fmul(fmul(f(2), z), series));
  r = select(cmpf(arith::CmpFPredicate::OEQ, wide, f(0)), f(-std::numeric_limits<double>::infinity()), r);
  r = select(cmpf(arith::CmpFPredicate::OLT, wide, f(0)), f(std::numeric_limits<double>::quiet_NaN()), r);
  V inf = cmpf(arith::CmpFPredicate::OEQ, wide, f(std::numeric_limits<double>::infinity()));
  r = select(either(inf, cmpf(arith::CmpFPredicate::UNO, wide, wide)), wide, r);
  return real.isF64() ? r : (V)arith::TruncFOp::create(b, loc, real, r);
}

// e^x = 2^n (1 + q), n = round(x / ln 2), q = e^f - 1 by its series without cancellation; e^x - 1 = 2^n q + (2^n - 1).
V Emit::exp64(V x, bool minusOne) {
  V y = maxKeep(constant(*this, x, -745.2), x);
  V capped = cmpf(arith::CmpFPredicate::OGT, y, constant(*this, x, 709.7827128933840));
  V n = math::RoundEvenOp::create(b, loc, fmul(y, constant(*this, x, 1.44269504088896340736)));
  V f = fma(n, constant(*this, x, -0.693147180369123816490), y);
  f = fma(n, constant(*this, x, -1.90821492927058770002e-10), f);
  V q = fmul(horner(*this, f, taylor(1.0, 14)), f);
  Type i = b.getI64Type();
  bool isVector = isa<VectorType>(x.getType());
  V one = isVector ? splatInt(vecOf(i), int64_t(1023) << 52)
                   : (V)arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(int64_t(1023) << 52));
  // Two steps, so that neither 2^1024 nor a subnormal is ever a factor.
  V half = math::FloorOp::create(b, loc, fmul(n, constant(*this, x, 0.5)));
  V first = bitcast(arith::AddIOp::create(b, loc, one, power(*this, half)), x.getType());
  V second = bitcast(arith::AddIOp::create(b, loc, one, power(*this, fsub(n, half))), x.getType());
  V r;
  if (minusOne) {
    V two = fmul(first, second);
    r = fma(two, q, fsub(two, constant(*this, x, 1.0)));
  } else {
    r = fmul(fmul(fadd(q, constant(*this, x, 1.0)), first), second);
  }
  r = select(capped, constant(*this, x, std::numeric_limits<double>::infinity()), r);
  return select(cmpf(arith::CmpFPredicate::UNO, x, x), x, r);
}

// tanh x = t / (t + 2), t = e^2x - 1, for |x| <= 20; beyond it is 1 to the last bit.
V Emit::tanh64(V x) {
  V twice = fmul(maxKeep(constant(*this, x, -40.0), select(cmpf(arith::CmpFPredicate::OGT, x, constant(*this, x, 20.0)),
                                                           constant(*this, x, 20.0), x)),
                 constant(*this, x, 2.0));
  V t = exp64(twice, true);
  return fdiv(t, fadd(t, constant(*this, x, 2.0)));
}

// As log above, on lanes: the exponent becomes a number by an addition, for there is no conversion from i64 before
// AVX-512. e ln 2 in two parts, of which the larger is exact; in base 2 the exponent is the result's own integer part.
V Emit::log64(V x, LogBase base) {
  bool isVector = isa<VectorType>(x.getType());
  auto f = [&](double v) { return constant(*this, x, v); };
  Type i64t = isVector ? (Type)vecOf(i64Type()) : i64Type();
  auto word = [&](int64_t v) -> V { return isVector ? splatInt(cast<VectorType>(i64t), v) : i64(v); };
  // Subnormals are scaled into the normal range first.
  V tiny = cmpf(arith::CmpFPredicate::OLT, x, f(2.2250738585072014e-308));
  V bits = bitcast(select(tiny, fmul(x, f(18014398509481984.0)), x), i64t);
  V whole = arith::ShRUIOp::create(b, loc, bits, word(52));
  V exponent =
      fsub(bitcast(either(arith::AndIOp::create(b, loc, whole, word(0x7ff)), word(0x4330000000000000)), x.getType()),
           select(tiny, f(4503599627370496.0 + 1023 + 54), f(4503599627370496.0 + 1023)));
  V m = bitcast(either(both(bits, word((int64_t(1) << 52) - 1)), word(int64_t(1023) << 52)), x.getType());
  V big = cmpf(arith::CmpFPredicate::OGT, m, f(1.41421356237309504880));
  m = select(big, fmul(m, f(0.5)), m);
  exponent = fadd(exponent, select(big, f(1), f(0)));
  // 2 atanh z = 2 z + 2 z^3 (1/3 + z^2 / 5 + ..)
  V z = fdiv(fsub(m, f(1)), fadd(m, f(1))), z2 = fmul(z, z);
  V series = f(1.0 / 21);
  for (int k = 19; k >= 3; k -= 2)
    series = fma(series, z2, f(1.0 / k));
  V twice = fadd(z, z), log = fma(fmul(twice, z2), series, twice);
  V r;
  switch (base) {
  case LogBase::E:
    r = fma(exponent, f(0.693147180369123816490), fma(exponent, f(1.90821492927058770002e-10), log));
    break;
  case LogBase::Two:
    r = fma(log, f(1.44269504088896340736), exponent);
    break;
  case LogBase::Ten: // log10 2 likewise
    r = fma(exponent, f(0.3010299955494702),
            fma(exponent, f(1.1451100898021838e-10), fmul(log, f(0.43429448190325182765))));
    break;
  }
  r = select(cmpf(arith::CmpFPredicate::OEQ, x, f(0)), f(-std::numeric_limits<double>::infinity()), r);
  r = select(cmpf(arith::CmpFPredicate::OLT, x, f(0)), f(std::numeric_limits<double>::quiet_NaN()), r);
  V keeps = either(cmpf(arith::CmpFPredicate::OEQ, x, f(std::numeric_limits<double>::infinity())),
                   cmpf(arith::CmpFPredicate::UNO, x, x));
  return select(keeps, x, r);
}

// log(1 + x) = log u + (x - (u - 1)) / u with u = 1 + x as it was rounded: the second term is what the rounding lost.
V Emit::log1p64(V x) {
  V one = constant(*this, x, 1), u = fadd(x, one), log = log64(u);
  V lost = fdiv(fsub(x, fsub(u, one)), u);
  V finite = cmpf(arith::CmpFPredicate::OLT, math::AbsFOp::create(b, loc, log),
                  constant(*this, x, std::numeric_limits<double>::infinity()));
  return select(finite, fadd(log, lost), log);
}
