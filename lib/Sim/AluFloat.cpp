// f32 and f64: add sub mul fma mad div rcp sqrt min max abs neg copysign testp.
#include "Decode.h"

#include <cfenv>
#include <cmath>
#include <type_traits>

using namespace attn::sim;

namespace {

template <typename T> T flush(T x, bool ftz) {
  if constexpr (std::is_same_v<T, float>)
    if (ftz && std::fabs(x) < 0x1p-126f)
      return std::copysign(0.0f, x);
  return x;
}

/// NaN results are canonical on the device: 0x7fffffff for f32.
template <typename T> uint64_t result(T x, const AluInfo &info) {
  x = flush(x, info.ftz);
  if (info.sat)
    x = std::isnan(x) ? T(0) : x < T(0) ? T(0) : x > T(1) ? T(1) : x == T(0) ? T(0) : x;
  if constexpr (std::is_same_v<T, float>)
    if (x != x)
      return 0x7fffffff;
  return word(x);
}

/// The processor's rounding for the three directed modes; volatile operands keep the arithmetic between the two calls.
template <typename T, typename F> T directed(T a, T b, T c, Rounding rounding, F f) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  volatile T x = a, y = b, z = c;
  std::fesetround(modes[int(rounding)]);
  volatile T r = f(x, y, z);
  std::fesetround(FE_TONEAREST);
  return r;
}

#define ATTN_SIM_FLOAT_OP(Name, expression)                                                                            \
  template <typename T> struct Name {                                                                                  \
    static T compute(T x, [[maybe_unused]] T y, [[maybe_unused]] T z) { return expression; }                           \
    static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {                                     \
      const T x = flush(as<T>(a), info.ftz), y = flush(as<T>(b), info.ftz), z = flush(as<T>(c), info.ftz);             \
      return result(                                                                                                   \
          info.rounding == Rounding::Nearest ? compute(x, y, z) : directed<T>(x, y, z, info.rounding, compute), info); \
    }                                                                                                                  \
  };

ATTN_SIM_FLOAT_OP(Add, x + y)
ATTN_SIM_FLOAT_OP(Sub, x - y)
ATTN_SIM_FLOAT_OP(Mul, x *y)
ATTN_SIM_FLOAT_OP(Fma, std::fma(x, y, z))
ATTN_SIM_FLOAT_OP(Div, x / y)
ATTN_SIM_FLOAT_OP(Rcp, T(1) / x)
ATTN_SIM_FLOAT_OP(Sqrt, std::sqrt(x))

/// A number wins over NaN unless .NaN is written, and -0 counts below +0.
template <typename T, bool Max> struct MinMax {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &info) {
    const T x = flush(as<T>(a), info.ftz), y = flush(as<T>(b), info.ftz);
    if (std::isnan(x) || std::isnan(y))
      return result(info.nan || (std::isnan(x) && std::isnan(y)) ? T(NAN) : std::isnan(x) ? y : x, info);
    if (x == y)
      return result(std::signbit(x) == Max ? y : x, info);
    return result((x < y) != Max ? x : y, info);
  }
};
template <typename T> using Min = MinMax<T, false>;
template <typename T> using Max = MinMax<T, true>;

template <typename T> struct Abs {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) {
    return word(std::fabs(flush(as<T>(a), info.ftz)));
  }
};
template <typename T> struct Neg {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) { return word(-flush(as<T>(a), info.ftz)); }
};
template <typename T> struct CopySign { // copysign d, a, b: the sign of a on b
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &) {
    return word(std::copysign(as<T>(b), as<T>(a)));
  }
};
template <typename T> struct TestP {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) {
    const T x = as<T>(a);
    switch (info.imm) {
    case 0:
      return std::isfinite(x);
    case 1:
      return std::isinf(x);
    case 2:
      return !std::isnan(x);
    case 3:
      return std::isnan(x);
    case 4:
      return std::isnormal(x);
    default:
      return std::fpclassify(x) == FP_SUBNORMAL;
    }
  }
};

template <template <typename> class F> AluFn forFloats(Type t) {
  return t == Type::F32 ? eachLane<F<float>> : t == Type::F64 ? eachLane<F<double>> : nullptr;
}

} // namespace

namespace attn::sim {

void takeFloatModifiers(Decoder &d) {
  d.takeRounding();
  d.in.info.ftz = d.take("ftz");
  d.in.info.sat = d.take("sat");
}

void decodeFloatArithmetic(Decoder &d) {
  const std::string &root = d.st->root;
  takeFloatModifiers(d);
  const Type t = d.takeType();
  const bool ternary = root == "fma" || root == "mad";
  d.simple(t, ternary ? 3 : 2);
  d.set(execAlu, ternary         ? forFloats<Fma>(t)
                 : root == "add" ? forFloats<Add>(t)
                 : root == "sub" ? forFloats<Sub>(t)
                                 : forFloats<Mul>(t));
}

/// Division and roots with a rounding modifier; the approximate ones are in Approximate.cpp.
void decodeExactDivision(Decoder &d) {
  const std::string &root = d.st->root;
  takeFloatModifiers(d);
  const Type t = d.takeType();
  d.simple(t, root == "div" ? 2 : 1);
  d.set(execAlu, root == "div" ? forFloats<Div>(t) : root == "rcp" ? forFloats<Rcp>(t) : forFloats<Sqrt>(t));
}

void decodeFloatMinMax(Decoder &d, bool max) {
  d.in.info.ftz = d.take("ftz");
  d.in.info.nan = d.take("NaN");
  const Type t = d.takeType();
  d.simple(t, 2);
  d.set(execAlu, max ? forFloats<Max>(t) : forFloats<Min>(t));
}

void decodeFloatUnary(Decoder &d, bool neg) {
  d.in.info.ftz = d.take("ftz");
  const Type t = d.takeType();
  d.simple(t, 1);
  d.set(execAlu, neg ? forFloats<Neg>(t) : forFloats<Abs>(t));
}

void decodeCopySign(Decoder &d) {
  const Type t = d.takeType();
  d.simple(t, 2);
  d.set(execAlu, forFloats<CopySign>(t));
}

void decodeTestP(Decoder &d) {
  const int op = d.takeOneOf({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  const Type t = d.takeType();
  if (op < 0)
    d.failUnknown();
  d.in.info.imm = uint32_t(op);
  d.expectOperands(2, 2);
  d.dest(d.operand(0), 1);
  d.source(d.operand(1), t);
  d.set(execAlu, forFloats<TestP>(t));
}

} // namespace attn::sim
