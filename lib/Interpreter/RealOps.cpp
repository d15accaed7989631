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

template <typename Real> Real attn::interpreter::realOp(Opcode op, Real a, Real b, Real c) {
  switch (op) {
  case Opcode::AddF:
    return a + b;
  case Opcode::SubF:
    return a - b;
  case Opcode::MulF:
    return a * b;
  case Opcode::DivF:
    return a / b;
  case Opcode::RemF:
    return std::fmod(a, b);
  case Opcode::NegF:
    return -a;
  case Opcode::CopyF:
    return a;
  case Opcode::MaximumF:
    return extreme(a, b, true);
  case Opcode::MinimumF:
    return extreme(a, b, false);
  case Opcode::MaxNumF:
    return std::fmax(a, b);
  case Opcode::MinNumF:
    return std::fmin(a, b);
  case Opcode::AbsF:
    return std::fabs(a);
  case Opcode::Acos:
    return std::acos(a);
  case Opcode::Acosh:
    return std::acosh(a);
  case Opcode::Asin:
    return std::asin(a);
  case Opcode::Asinh:
    return std::asinh(a);
  case Opcode::Atan:
    return std::atan(a);
  case Opcode::Atan2:
    return std::atan2(a, b);
  case Opcode::Atanh:
    return std::atanh(a);
  case Opcode::Cbrt:
    return std::cbrt(a);
  case Opcode::Ceil:
    return std::ceil(a);
  case Opcode::ClampF: // value, min, max
    return extreme(extreme(a, b, true), c, false);
  case Opcode::CopySign:
    return std::copysign(a, b);
  case Opcode::Cos:
    return std::cos(a);
  case Opcode::Cosh:
    return std::cosh(a);
  case Opcode::Erf:
    return std::erf(a);
  case Opcode::Erfc:
    return std::erfc(a);
  case Opcode::Exp:
    return std::exp(a);
  case Opcode::Exp2:
    return std::exp2(a);
  case Opcode::ExpM1:
    return std::expm1(a);
  case Opcode::Floor:
    return std::floor(a);
  case Opcode::Fma:
    return std::fma(a, b, c);
  case Opcode::Log:
    return std::log(a);
  case Opcode::Log10:
    return std::log10(a);
  case Opcode::Log1p:
    return std::log1p(a);
  case Opcode::Log2:
    return std::log2(a);
  case Opcode::PowF:
    return std::pow(a, b);
  case Opcode::Round:
    return std::round(a);
  case Opcode::RoundEven:
    return std::nearbyint(a);
  case Opcode::Rsqrt:
    return 1 / std::sqrt(a);
  case Opcode::Sin:
    return std::sin(a);
  case Opcode::Sinh:
    return std::sinh(a);
  case Opcode::Sqrt:
    return std::sqrt(a);
  case Opcode::Tan:
    return std::tan(a);
  case Opcode::Tanh:
    return std::tanh(a);
  case Opcode::Trunc:
    return std::trunc(a);
  default:
    llvm_unreachable("not a real instruction");
  }
}
template double attn::interpreter::realOp(Opcode, double, double, double);
template long double attn::interpreter::realOp(Opcode, long double, long double, long double);

template <typename Real> bool attn::interpreter::compareReals(unsigned predicate, Real a, Real b) {
  // The ordered predicates 0 (false) to 7 (ord) are bits: eq 1, gt 2, lt 4. 8 (ueq) to 13 (une) are 1 to 6 or
  // unordered; 14 is uno, 15 true.
  bool orUnordered = predicate >= 8;
  unsigned relations = !orUnordered ? predicate : predicate == 14 ? 0 : predicate == 15 ? 7 : predicate - 7;
  if (std::isnan(a) || std::isnan(b))
    return orUnordered;
  return relations & (a == b ? 1 : a > b ? 2 : 4);
}
template bool attn::interpreter::compareReals(unsigned, double, double);
template bool attn::interpreter::compareReals(unsigned, long double, long double);
