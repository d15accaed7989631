// Approximate instructions give any value within their documented error ("Floating Point Instructions" of the PTX ISA):
// the seed and the operand decide which, so a launch repeats itself and two seeds differ. A kernel whose result depends
// on more than the bounds promise is caught.
//
//   ex2.approx.f32   2 ulp                    lg2.approx.f32   2^-22 absolute in (0.5, 2), relative outside
//   rcp.approx.f32   1 ulp                    rsqrt.approx     2^-22.9 relative
//   sqrt.approx.f32  2^-23 relative           sin, cos.approx  2^-20.5 absolute in [-pi, pi], here growing with |x|
//   beyond tanh.approx.f32  2^-11 relative           div.approx, .full   2 ulp ex2.approx.f16   2^-9.9 relative
//   tanh.approx.f16  2^-10.987 absolute          bf16: ex2 2^-7, tanh 2^-8 relative
#include "Decode.h"
#include "Half.h"

#include <cmath>

using namespace attn::sim;

namespace {

enum MathFunction : uint32_t { Ex2, Lg2, Rcp, Rsqrt, Sqrt, Sin, Cos, Tanh, Divide };

/// In [-1, 1], a function of the seed, the instruction and the operands.
double jitter(const AluInfo &info, uint64_t a, uint64_t b) {
  uint64_t z = info.seed * 0x9e3779b97f4a7c15 + info.imm * 0xd6e8feb86659fd93 + a * 0xbf58476d1ce4e5b9 + b;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return double(int64_t(z ^ (z >> 31))) * 0x1p-63;
}

double exactly(uint32_t function, double x, double y) {
  switch (function) {
  case Ex2:
    return std::exp2(x);
  case Lg2:
    return std::log2(x);
  case Rcp:
    return 1 / x;
  case Rsqrt:
    return 1 / std::sqrt(x);
  case Sqrt:
    return std::sqrt(x);
  case Sin:
    return std::sin(x);
  case Cos:
    return std::cos(x);
  case Tanh:
    return std::tanh(x);
  default:
    return x / y;
  }
}

float moveUlps(float x, int ulps) {
  if (!std::isfinite(x) || x == 0)
    return x;
  const uint32_t bits = uint32_t(word(x)), sign = bits & 0x80000000;
  const int64_t magnitude = int64_t(bits & 0x7fffffff) + ulps;
  return as<float>(sign | uint32_t(magnitude < 0 ? 0 : magnitude > 0x7f7fffff ? 0x7f7fffff : magnitude));
}

float flush(float x, bool ftz) { return ftz && std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

float approximate32(float x, float y, const AluInfo &info) {
  const double exact = exactly(info.imm, x, y), u = jitter(info, word(x), word(y));
  const float nearest = float(exact);
  if (!std::isfinite(exact) || exact == 0)
    return nearest;
  switch (info.imm) {
  case Ex2:
    return x == 0 ? 1.0f : moveUlps(nearest, int(std::lround(u * 2)));
  case Rcp:
    return moveUlps(nearest, int(std::lround(u)));
  case Divide:
    // With a divisor beyond 2^126 the result is 0 or NaN ("div" of the PTX ISA); .full scales and has no such hole.
    if (!info.wrap && std::fabs(y) > 0x1p126f && std::isfinite(y))
      return std::isinf(x) ? NAN : std::copysign(0.0f, nearest);
    return moveUlps(nearest, int(std::lround(u * 2)));
  case Lg2:
    return float(exact + u * 0.98 * 0x1p-22 * (x > 0.5f && x < 2 ? 1 : std::fabs(exact)));
  case Sin:
  case Cos:
    return float(exact + u * 0.98 * std::exp2(-20.5) * std::max(1.0, std::fabs(double(x)) / 3.14159265358979));
  case Tanh:
    return float(exact * (1 + u * 0.98 * 0x1p-11));
  case Rsqrt:
    return float(exact * (1 + u * 0.9 * std::exp2(-22.9)));
  default:
    return float(exact * (1 + u * 0.4 * 0x1p-23));
  }
}

struct Approximate32 {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &info) {
    const float r = flush(approximate32(flush(as<float>(a), info.ftz), flush(as<float>(b), info.ftz), info), info.ftz);
    return r != r ? 0x7fffffff : word(r);
  }
};

uint16_t approximate16(uint16_t bits, bool bf, const AluInfo &info) {
  const double x = bf ? bfloatToFloat(bits) : halfToFloat(bits), exact = exactly(info.imm, x, 0),
               u = jitter(info, bits, bf) * 0.5;
  const double relative = bf ? (info.imm == Ex2 ? 0x1p-7 : 0x1p-8) : std::exp2(-10.987);
  // The rounding to the format takes half an ulp (2^-11 or 2^-8 relative) of the bound.
  const double moved =
      !std::isfinite(exact) || x == 0 ? exact : exact * (1 + u * (bf ? relative * 0.4 : relative * 0.3));
  return bf ? doubleToBfloat(moved) : doubleToHalf(moved);
}

template <bool Bf, unsigned Count> struct Approximate16 {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) {
    uint64_t result = 0;
    for (unsigned n = 0; n < Count; ++n)
      result |= uint64_t(approximate16(uint16_t(a >> (16 * n)), Bf, info)) << (16 * n);
    return result;
  }
};

struct RcpRsqrt64 { // .approx.ftz.f64: a gross approximation from the upper half of the operand
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &info) {
    const double x = as<double>(a & 0xffffffff00000000), r = exactly(info.imm, x, 0);
    return word(r * (1 + jitter(info, a, b) * 0x1p-21)) & 0xffffffff00000000;
  }
};

} // namespace

namespace attn::sim {

void decodeApproximate(Decoder &d) {
  static const std::pair<const char *, MathFunction> functions[] = {{"ex2", Ex2},     {"lg2", Lg2},   {"rcp", Rcp},
                                                                    {"rsqrt", Rsqrt}, {"sqrt", Sqrt}, {"sin", Sin},
                                                                    {"cos", Cos},     {"tanh", Tanh}, {"div", Divide}};
  for (auto [name, function] : functions)
    if (d.st->root == name)
      d.in.info.imm = function;
  const bool full = d.take("full");
  if (!full && !d.take("approx"))
    d.failUnknown();
  d.in.info.wrap = full;
  d.in.info.ftz = d.take("ftz");
  const Type t = d.takeType();
  const uint32_t function = d.in.info.imm;
  d.simple(t, function == Divide ? 2 : 1);
  const bool narrow = function == Ex2 || function == Tanh;
  d.set(execAlu, t == Type::F32                                             ? AluFn(eachLane<Approximate32>)
                 : t == Type::F64 && (function == Rcp || function == Rsqrt) ? AluFn(eachLane<RcpRsqrt64>)
                 : t == Type::F16 && narrow                                 ? AluFn(eachLane<Approximate16<false, 1>>)
                 : t == Type::F16x2 && narrow                               ? AluFn(eachLane<Approximate16<false, 2>>)
                 : t == Type::BF16 && narrow                                ? AluFn(eachLane<Approximate16<true, 1>>)
                 : t == Type::BF16x2 && narrow                              ? AluFn(eachLane<Approximate16<true, 2>>)
                                                                            : nullptr);
}

} // namespace attn::sim
