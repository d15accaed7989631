#include "RealOps.h"

#include <cmath>

using namespace mlir;
using namespace attn::interpreter;

/// arith's maximumf and minimumf: NaN wins, and -0 < +0.
template <typename Real> static Real extreme(Real a, Real b, bool max) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<Real>::quiet_NaN();
  if (a == b)
    return std::signbit(a) == max ? b : a;
  return (a < b) == max ? b : a;
}

template <typename Real> Real attn::interpreter::realOp(Op op, Real a, Real b, Real c) {
  switch (op) {
  case Op::AddF:
    return a + b;
  case Op::SubF:
    return a - b;
  case Op::MulF:
    return a * b;
  case Op::DivF:
    return a / b;
  case Op::RemF:
    return std::fmod(a, b);
  case Op::NegF:
    return -a;
  case Op::CopyF:
    return a;
  case Op::MaximumF:
    return extreme(a, b, true);
  case Op::MinimumF:
    return extreme(a, b, false);
  case Op::MaxNumF:
    return std::fmax(a, b);
  case Op::MinNumF:
    return std::fmin(a, b);
  case Op::AbsF:
    return std::fabs(a);
  case Op::Acos:
    return std::acos(a);
  case Op::Acosh:
    return std::acosh(a);
  case Op::Asin:
    return std::asin(a);
  case Op::Asinh:
    return std::asinh(a);
  case Op::Atan:
    return std::atan(a);
  case Op::Atan2:
    return std::atan2(a, b);
  case Op::Atanh:
    return std::atanh(a);
  case Op::Cbrt:
    return std::cbrt(a);
  case Op::Ceil:
    return std::ceil(a);
  case Op::ClampF: // value, min, max
    return extreme(extreme(a, b, true), c, false);
  case Op::CopySign:
    return std::copysign(a, b);
  case Op::Cos:
    return std::cos(a);
  case Op::Cosh:
    return std::cosh(a);
  case Op::Erf:
    return std::erf(a);
  case Op::Erfc:
    return std::erfc(a);
  case Op::Exp:
    return std::exp(a);
  case Op::Exp2:
    return std::exp2(a);
  case Op::ExpM1:
    return std::expm1(a);
  case Op::Floor:
    return std::floor(a);
  case Op::Fma:
    return std::fma(a, b, c);
  case Op::Log:
    return std::log(a);
  case Op::Log10:
    return std::log10(a);
  case Op::Log1p:
    return std::log1p(a);
  case Op::Log2:
    return std::log2(a);
  case Op::PowF:
    return std::pow(a, b);
  case Op::Round:
    return std::round(a);
  case Op::RoundEven:
    return std::nearbyint(a);
  case Op::Rsqrt:
    return 1 / std::sqrt(a);
  case Op::Sin:
    return std::sin(a);
  case Op::Sinh:
    return std::sinh(a);
  case Op::Sqrt:
    return std::sqrt(a);
  case Op::Tan:
    return std::tan(a);
  case Op::Tanh:
    return std::tanh(a);
  case Op::Trunc:
    return std::trunc(a);
  default:
    llvm_unreachable("not a real instruction");
  }
}
template double attn::interpreter::realOp(Op, double, double, double);
template long double attn::interpreter::realOp(Op, long double, long double, long double);

template <typename Real> bool attn::interpreter::compareReals(unsigned predicate, Real a, Real b) {
  // The ordered predicates 0 (false) to 7 (ord) are bits: eq 1, gt 2, lt 4. 8 (ueq) to 13 (une) are 1 to 6 or unordered; 14 is uno, 15 true.
  bool orUnordered = predicate >= 8;
  unsigned relations = !orUnordered ? predicate : predicate == 14 ? 0 : predicate == 15 ? 7 : predicate - 7;
  if (std::isnan(a) || std::isnan(b))
    return orUnordered;
  return relations & (a == b ? 1 : a > b ? 2 : 4);
}
template bool attn::interpreter::compareReals(unsigned, double, double);
template bool attn::interpreter::compareReals(unsigned, long double, long double);
