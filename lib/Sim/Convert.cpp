// cvt in all its forms, cvta.
#include "Decode.h"
#include "Half.h"
#include "Memory.h"

#include <cfenv>
#include <cmath>
#include <limits>

using namespace attn::sim;

namespace {

double readFloat(uint64_t bits, Type t) {
  switch (t) {
  case Type::F16:
    return halfToFloat(uint16_t(bits));
  case Type::BF16:
    return bfloatToFloat(uint16_t(bits));
  case Type::F32:
  case Type::TF32:
    return as<float>(bits);
  case Type::E4M3:
    return widen(uint32_t(bits & 0xff), e4m3Format);
  case Type::E5M2:
    return widen(uint32_t(bits & 0xff), e5m2Format);
  default:
    return as<double>(bits);
  }
}

bool subnormal(double x, Type t) {
  const double least = t == Type::F16 ? 0x1p-14 : 0x1p-126;
  return t != Type::F64 && x != 0 && std::fabs(x) < least;
}

uint64_t writeFloat(double x, Type t, const AluInfo &info) {
  if (info.relu && !std::isnan(x) && x < 0)
    x = 0;
  switch (t) {
  case Type::F16:
    return roundTo(x, f16Format, info.rounding, info.wrap);
  case Type::BF16:
    return roundTo(x, bf16Format, info.rounding, info.wrap);
  case Type::F32:
    if (std::isnan(x))
      return 0x7fffffff;
    return info.rounding == Rounding::Nearest ? word(float(x)) : roundTo(x, f32Format, info.rounding);
  case Type::TF32:
    return uint64_t(roundTo(x, tf32Format, info.rounding, info.wrap)) << 13;
  case Type::E4M3:
    return roundTo(x, e4m3Format, info.rounding, info.wrap);
  case Type::E5M2:
    return roundTo(x, e5m2Format, info.rounding, info.wrap);
  default:
    return word(x);
  }
}

double roundIntegral(double x, Rounding r) {
  switch (r) {
  case Rounding::Nearest:
    return std::nearbyint(x);
  case Rounding::Zero:
    return std::trunc(x);
  case Rounding::Down:
    return std::floor(x);
  default:
    return std::ceil(x);
  }
}

/// Sign- or zero-extends the value of an integer type to 64 bits; unsigned values of 64 bits keep their bits.
int64_t readInteger(uint64_t bits, Type t) {
  const unsigned width = bitsOf(t);
  if (width == 64)
    return int64_t(bits);
  const uint64_t low = bits & ((uint64_t(1) << width) - 1);
  return isSigned(t) && low >> (width - 1) ? int64_t(low | ~uint64_t(0) << width) : int64_t(low);
}

uint64_t floatToInteger(double x, Type t, Type from) {
  const unsigned width = bitsOf(t);
  if (std::isnan(x)) // 0 unless one side has 64 bits: then the upper bit alone
    return width == 64 || from == Type::F64 ? uint64_t(1) << (width - 1) : 0;
  const double high = std::ldexp(1.0, int(width) - isSigned(t)), low = isSigned(t) ? -high : 0;
  const uint64_t mask = width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
  if (x >= high)
    return isSigned(t) ? mask >> 1 : mask;
  if (x <= low)
    return isSigned(t) ? uint64_t(1) << (width - 1) : 0;
  return isSigned(t) ? uint64_t(int64_t(x)) & mask : uint64_t(x);
}

uint64_t saturate(int64_t v, bool fromUnsigned64, Type t) {
  const unsigned width = bitsOf(t);
  const uint64_t mask = width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1, top = isSigned(t) ? mask >> 1 : mask;
  if (fromUnsigned64)
    return std::min(uint64_t(v), top);
  const int64_t low = isSigned(t) ? -int64_t(top) - 1 : 0;
  if (v < low)
    return uint64_t(low) & mask;
  return v > 0 && uint64_t(v) > top ? top : uint64_t(v) & mask;
}

/// Integers to floats with one rounding, also where 64 bits do not fit into a double.
double integerTo(int64_t v, bool isUnsigned64, Type t, Rounding rounding) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  if (t == Type::F64 || t == Type::F32) {
    volatile int64_t value = v;
    std::fesetround(modes[int(rounding)]);
    volatile double r = t == Type::F64 ? (isUnsigned64 ? double(uint64_t(value)) : double(value))
                        : isUnsigned64 ? float(uint64_t(value))
                                       : float(value);
    std::fesetround(FE_TONEAREST);
    return r;
  }
  return isUnsigned64 ? double(uint64_t(v))
                      : double(v); // beyond 2^53 the narrow formats overflow or see sticky bits only
}

struct Types {
  Type to, from;
};
Types typesOf(const AluInfo &info) { return {Type(info.imm & 0xff), Type(info.imm >> 8 & 0xff)}; }

struct Cvt {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) {
    const auto [to, from] = typesOf(info);
    const uint64_t destMask =
        info.compare == 64 ? ~uint64_t(0) : (uint64_t(1) << info.compare) - 1; // the register's width
    if (isFloat(from)) {
      double x = readFloat(a, from);
      if (info.ftz && subnormal(x, from))
        x = std::copysign(0.0, x);
      if (!isFloat(to)) {
        const uint64_t v = floatToInteger(roundIntegral(x, info.rounding), to, from);
        return uint64_t(readInteger(v, to)) & destMask;
      }
      if (info.high) // .rni and its kin between floats: to an integral value
        x = roundIntegral(x, info.rounding);
      if (info.sat)
        x = std::isnan(x) || x <= 0 ? 0 : x > 1 ? 1 : x;
      if (bitsOf(to) == bitsOf(from) && !info.high && !info.sat && to == from && std::isnan(x))
        return a;
      uint64_t r = writeFloat(x, to, info);
      if (info.ftz && to == Type::F32 && subnormal(as<float>(r), Type::F32))
        r &= 0x80000000;
      return r;
    }
    const int64_t v = readInteger(a, from);
    const bool unsigned64 = from == Type::U64;
    if (isFloat(to)) {
      const double x = integerTo(v, unsigned64, to, info.rounding);
      return to == Type::F32 ? word(float(x)) : to == Type::F64 ? word(x) : writeFloat(x, to, info);
    }
    const uint64_t r = info.sat ? saturate(v, unsigned64, to) : uint64_t(v);
    return uint64_t(readInteger(r, to)) & destMask;
  }
};

/// cvt.rn.f16x2.f32 d, a, b: a becomes the upper half.
struct CvtPack {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &info) {
    const auto [to, from] = typesOf(info);
    const unsigned width = bitsOf(to);
    return writeFloat(as<float>(a), to, info) << width | writeFloat(as<float>(b), to, info);
  }
};

/// cvt.rn.f16x2.e4m3x2 and back (the packed operand is one register).
struct CvtPair {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) {
    const auto [to, from] = typesOf(info);
    const unsigned in = bitsOf(from), out = bitsOf(to);
    const uint64_t mask = (uint64_t(1) << in) - 1;
    return writeFloat(readFloat(a >> in & mask, from), to, info) << out |
           writeFloat(readFloat(a & mask, from), to, info);
  }
};

Type half(Type t) {
  switch (t) {
  case Type::F16x2:
    return Type::F16;
  case Type::BF16x2:
    return Type::BF16;
  case Type::E4M3x2:
    return Type::E4M3;
  case Type::E5M2x2:
    return Type::E5M2;
  default:
    return Type::None;
  }
}

template <uint64_t Window, bool To> struct Cvta {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) { return To ? a - Window : a + Window; }
};

} // namespace

namespace attn::sim {

void decodeCvt(Decoder &d) {
  const int integral = d.takeOneOf({"rni", "rzi", "rmi", "rpi"});
  const bool away = d.take("rna");
  d.takeRounding();
  if (integral >= 0)
    d.in.info.rounding = Rounding(integral);
  if (away)
    d.in.info.rounding = Rounding::NearestAway;
  d.in.info.ftz = d.take("ftz");
  d.in.info.sat = d.take("sat");
  d.in.info.relu = d.take("relu");
  d.in.info.wrap = d.take("satfinite");
  d.in.info.high = integral >= 0;
  const Type to = d.takeType(), from = d.takeType();
  const auto types = [&](Type t, Type f) { d.in.info.imm = uint32_t(t) | uint32_t(f) << 8; };
  if (half(to) != Type::None && from == Type::F32) {
    types(half(to), from);
    d.expectOperands(3, 3);
    d.dest(d.operand(0), bitsOf(to));
    d.source(d.operand(1), Type::F32);
    d.source(d.operand(2), Type::F32);
    return d.set(execAlu, eachLane<CvtPack>);
  }
  d.expectOperands(2, 2);
  if (half(to) != Type::None && half(from) != Type::None) {
    types(half(to), half(from));
    d.dest(d.operand(0), bitsOf(to));
    d.source(d.operand(1), from);
    return d.set(execAlu, eachLane<CvtPair>);
  }
  if (half(to) != Type::None || half(from) != Type::None || to == Type::Pred || from == Type::Pred)
    d.failUnknown();
  const auto isBits = [](Type t) { return !isFloat(t) && !isInteger(t); };
  if (isBits(to) || isBits(from))
    d.failUnknown();
  types(to, from);
  const Operand &out = d.operand(0);
  d.dest(out, bitsOf(to), true);
  d.in.info.compare =
      uint8_t(out.kind == Operand::Register ? bitsOf(d.function->registers[out.index].type) : bitsOf(to));
  d.source(d.operand(1), from, true);
  d.set(execAlu, eachLane<Cvt>);
}

void decodeCvta(Decoder &d) {
  const bool to = d.take("to");
  const int space = d.takeOneOf({"global", "shared", "shared::cta", "local", "const", "param"});
  if (d.takeType() != Type::U64 || space < 0)
    d.failUnknown();
  d.simple(Type::U64, 1);
  const AluFn nothing = eachLane<Cvta<0, true>>;
  switch (space) {
  case 1:
  case 2:
    return d.set(execAlu, to ? AluFn(eachLane<Cvta<sharedWindow, true>>) : AluFn(eachLane<Cvta<sharedWindow, false>>));
  case 3:
    return d.set(execAlu, to ? AluFn(eachLane<Cvta<localWindow, true>>) : AluFn(eachLane<Cvta<localWindow, false>>));
  case 5:
    return d.set(execAlu, to ? AluFn(eachLane<Cvta<paramWindow, true>>) : AluFn(eachLane<Cvta<paramWindow, false>>));
  default:
    return d.set(execAlu, nothing);
  }
}

} // namespace attn::sim
