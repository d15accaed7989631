// f16, f16x2, bf16, bf16x2: add sub mul fma min max abs neg, each with one rounding.
#include "Decode.h"
#include "Half.h"

#include <cmath>

using namespace attn::sim;

namespace {

struct F16 {
  static constexpr double least = 0x1p-14;
  static double in(uint16_t b) { return halfToFloat(b); }
  static uint16_t out(double x) { return doubleToHalf(x); }
};
struct BF16 {
  static constexpr double least = 0x1p-126;
  static double in(uint16_t b) { return bfloatToFloat(b); }
  static uint16_t out(double x) { return doubleToBfloat(x); }
};

enum Op { Add, Sub, Mul, Fma, Min, Max };

template <typename F> double flush(double x, bool ftz) {
  return ftz && std::fabs(x) < F::least ? std::copysign(0.0, x) : x;
}

template <typename F, Op op> uint16_t compute(uint16_t a, uint16_t b, uint16_t c, const AluInfo &info) {
  const double x = flush<F>(F::in(a), info.ftz), y = flush<F>(F::in(b), info.ftz),
               z = op == Fma ? flush<F>(F::in(c), info.ftz) : 0;
  double r = 0;
  switch (op) {
  case Add:
    r = fmaToOdd(x, 1, y);
    break;
  case Sub:
    r = fmaToOdd(x, 1, -y);
    break;
  case Mul:
    r = x * y;
    break;
  case Fma:
    r = fmaToOdd(x, y, z);
    break;
  default:
    if (std::isnan(x) || std::isnan(y))
      r = info.nan || (std::isnan(x) && std::isnan(y)) ? double(NAN) : std::isnan(x) ? y : x;
    else if (x == y)
      r = std::signbit(x) == (op == Max) ? y : x;
    else
      r = (x < y) != (op == Max) ? x : y;
  }
  if (info.sat)
    r = std::isnan(r) || r < 0 ? 0 : r > 1 ? 1 : r;
  if (info.relu)
    r = std::isnan(r) ? r : r < 0 ? 0 : r;
  uint16_t bits = F::out(r);
  if (info.ftz && std::fabs(F::in(bits)) < F::least)
    bits &= 0x8000;
  return bits;
}

template <typename F, Op op, unsigned Count> struct Each {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    uint64_t result = 0;
    for (unsigned n = 0; n < 16 * Count; n += 16)
      result |= uint64_t(compute<F, op>(uint16_t(a >> n), uint16_t(b >> n), uint16_t(c >> n), info)) << n;
    return result;
  }
};

template <unsigned Count, bool Neg> struct Sign {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) {
    const uint64_t signs = Count == 2 ? 0x80008000 : 0x8000;
    return Neg ? a ^ signs : a & ~signs;
  }
};

template <Op op> AluFn forHalves(Type t) {
  return t == Type::F16      ? eachLane<Each<F16, op, 1>>
         : t == Type::F16x2  ? eachLane<Each<F16, op, 2>>
         : t == Type::BF16   ? eachLane<Each<BF16, op, 1>>
         : t == Type::BF16x2 ? eachLane<Each<BF16, op, 2>>
                             : AluFn(nullptr);
}

} // namespace

namespace attn::sim {

bool isHalf(Type t) { return t == Type::F16 || t == Type::F16x2 || t == Type::BF16 || t == Type::BF16x2; }

void decodeHalf(Decoder &d) {
  const std::string &root = d.st->root;
  d.take("rn");
  d.in.info.ftz = d.take("ftz");
  d.in.info.sat = d.take("sat");
  d.in.info.relu = d.take("relu");
  d.in.info.nan = d.take("NaN");
  const Type t = d.takeType();
  if (root == "abs" || root == "neg") {
    d.simple(t, 1);
    const bool two = bitsOf(t) == 32;
    return d.set(execAlu, root == "neg" ? (two ? AluFn(eachLane<Sign<2, true>>) : AluFn(eachLane<Sign<1, true>>))
                          : two         ? AluFn(eachLane<Sign<2, false>>)
                                        : AluFn(eachLane<Sign<1, false>>));
  }
  d.simple(t, root == "fma" ? 3 : 2);
  d.set(execAlu, root == "add"   ? forHalves<Add>(t)
                 : root == "sub" ? forHalves<Sub>(t)
                 : root == "mul" ? forHalves<Mul>(t)
                 : root == "fma" ? forHalves<Fma>(t)
                 : root == "min" ? forHalves<Min>(t)
                 : root == "max" ? forHalves<Max>(t)
                                 : nullptr);
}

} // namespace attn::sim
