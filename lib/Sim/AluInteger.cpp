// Integer arithmetic and bits: add sub mul mad div rem abs neg min max and or xor not cnot shl shr popc clz brev bfe
// bfi bfind lop3 shf prmt sad dp4a mul24 mad24.
#include "Decode.h"

#include <algorithm>
#include <type_traits>

using namespace attn::sim;

namespace {

#define ATTN_SIM_OP(Name, expression)                                                                                  \
  template <typename T> struct Name {                                                                                  \
    static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {                                     \
      [[maybe_unused]] const T x = as<T>(a), y = as<T>(b), z = as<T>(c);                                               \
      using U [[maybe_unused]] = std::make_unsigned_t<T>;                                                              \
      [[maybe_unused]] constexpr unsigned width = sizeof(T) * 8;                                                       \
      return word<T>(T(expression));                                                                                   \
    }                                                                                                                  \
  };

ATTN_SIM_OP(Add, U(x) + U(y))
ATTN_SIM_OP(Sub, U(x) - U(y))
ATTN_SIM_OP(MulLow, uint64_t(U(x)) * uint64_t(U(y)))
ATTN_SIM_OP(MadLow, uint64_t(U(x)) * uint64_t(U(y)) + uint64_t(U(z)))
ATTN_SIM_OP(Min, x < y ? x : y)
ATTN_SIM_OP(Max, x > y ? x : y)
ATTN_SIM_OP(Div, !y ? T(-1) : std::is_signed_v<T> && y == T(-1) ? T(U(0) - U(x)) : T(x / y))
ATTN_SIM_OP(Rem, !y ? x : std::is_signed_v<T> && y == T(-1) ? T(0) : T(x % y))
ATTN_SIM_OP(Abs, x < 0 ? T(U(0) - U(x)) : x)
ATTN_SIM_OP(Neg, U(0) - U(x))
ATTN_SIM_OP(And, x &y)
ATTN_SIM_OP(Or, x | y)
ATTN_SIM_OP(Xor, x ^ y)
ATTN_SIM_OP(Not, ~x)
ATTN_SIM_OP(CNot, x ? 0 : 1)
ATTN_SIM_OP(Shl, uint32_t(b) >= width ? 0 : U(x) << uint32_t(b))
ATTN_SIM_OP(Shr, uint32_t(b) >= width ? (std::is_signed_v<T> && x < 0 ? T(-1) : T(0)) : T(x >> uint32_t(b)))
ATTN_SIM_OP(Sad, U(z) + (x < y ? U(y) - U(x) : U(x) - U(y)))

template <typename T> struct AddSat {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &) {
    const int64_t s = int64_t(as<int32_t>(a)) + as<int32_t>(b);
    return word<int32_t>(int32_t(s > INT32_MAX ? INT32_MAX : s < INT32_MIN ? INT32_MIN : s));
  }
};
template <typename T> struct SubSat {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &) {
    const int64_t s = int64_t(as<int32_t>(a)) - as<int32_t>(b);
    return word<int32_t>(int32_t(s > INT32_MAX ? INT32_MAX : s < INT32_MIN ? INT32_MIN : s));
  }
};

template <typename T> T upperHalf(T x, T y) {
  using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
  return T((Wide(x) * Wide(y)) >> (sizeof(T) * 8));
}
ATTN_SIM_OP(MulHigh, upperHalf<T>(x, y))
ATTN_SIM_OP(MadHigh, U(upperHalf<T>(x, y)) + U(z))

template <typename T> struct MulWide {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &) {
    const int64_t wide = int64_t(as<T>(a)) * int64_t(as<T>(b));
    return sizeof(T) == 2 ? uint32_t(wide) : uint64_t(wide);
  }
};
template <> struct MulWide<uint32_t> {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t, const AluInfo &) { return uint64_t(uint32_t(a)) * uint32_t(b); }
};
template <typename T> struct MadWide {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    const uint64_t sum = MulWide<T>::run(a, b, c, info) + c;
    return sizeof(T) == 2 ? uint32_t(sum) : sum;
  }
};

template <typename T> struct Popc {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) {
    return uint64_t(__builtin_popcountll(as<T>(a)));
  }
};
template <typename T> struct Clz {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) {
    const uint64_t x = as<T>(a);
    return x ? uint64_t(__builtin_clzll(x)) - (64 - sizeof(T) * 8) : sizeof(T) * 8;
  }
};
template <typename T> struct Brev {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) {
    return __builtin_bitreverse64(as<T>(a)) >> (64 - sizeof(T) * 8);
  }
};
template <typename T> struct Bfe {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &) {
    constexpr unsigned width = sizeof(T) * 8;
    const unsigned position = b & 0xff, length = c & 0xff;
    if (!length)
      return 0;
    const T x = as<T>(a);
    const unsigned last = std::min(position + length - 1, width - 1);
    const bool sign = std::is_signed_v<T> && (std::make_unsigned_t<T>(x) >> last & 1);
    uint64_t field = position >= width ? 0 : uint64_t(std::make_unsigned_t<T>(x)) >> position;
    const unsigned kept = position >= width ? 0 : std::min(length, width - position);
    if (kept < 64)
      field &= (uint64_t(1) << kept) - 1;
    if (sign && kept < 64)
      field |= ~uint64_t(0) << kept;
    return word<T>(T(field));
  }
};
template <typename T> struct Bfind {
  static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &info) {
    T x = as<T>(a);
    if (std::is_signed_v<T> && x < 0)
      x = T(~x);
    const uint64_t u = std::make_unsigned_t<T>(x);
    if (!u)
      return 0xffffffff;
    const unsigned top = 63 - unsigned(__builtin_clzll(u));
    return info.high ? sizeof(T) * 8 - 1 - top : top; // .shiftamt
  }
};

struct Lop3 {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    uint32_t result = 0;
    for (unsigned n = 0; n < 8; ++n)
      if (info.imm >> n & 1)
        result |= uint32_t(n & 4 ? a : ~a) & uint32_t(n & 2 ? b : ~b) & uint32_t(n & 1 ? c : ~c);
    return result;
  }
};
struct ShfLeft {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    const unsigned n = info.wrap ? c & 31 : std::min<uint32_t>(uint32_t(c), 32);
    return uint32_t(((b << 32 | uint32_t(a)) << n) >> 32);
  }
};
struct ShfRight {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    const unsigned n = info.wrap ? c & 31 : std::min<uint32_t>(uint32_t(c), 32);
    return uint32_t((b << 32 | uint32_t(a)) >> n);
  }
};
struct Prmt {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &info) {
    const uint64_t both = b << 32 | uint32_t(a);
    const unsigned n = c & 3;
    // Selectors of the special modes, lowest byte first ("prmt" of the PTX ISA).
    static const uint16_t forward[4] = {0x3210, 0x4321, 0x5432, 0x6543}, backward[4] = {0x5670, 0x6701, 0x7012, 0x0123};
    unsigned selectors = uint32_t(c);
    switch (info.imm) {
    case 1:
      selectors = forward[n];
      break;
    case 2:
      selectors = backward[n];
      break;
    case 3:
      selectors = n * 0x1111;
      break;
    case 4:
      selectors = n == 0 ? 0x3210 : n == 1 ? 0x3211 : n == 2 ? 0x3222 : 0x3333;
      break;
    case 5:
      selectors = n == 0 ? 0x0000 : n == 1 ? 0x1110 : n == 2 ? 0x2210 : 0x3210;
      break;
    case 6:
      selectors = n & 1 ? 0x3232 : 0x1010;
      break;
    default:
      break;
    }
    uint32_t result = 0;
    for (unsigned byte = 0; byte < 4; ++byte) {
      const unsigned s = selectors >> (4 * byte) & 15;
      uint32_t value = both >> (8 * (s & 7)) & 0xff;
      if (!info.imm && s & 8)
        value = value & 0x80 ? 0xff : 0;
      result |= value << (8 * byte);
    }
    return result;
  }
};
template <bool SignedA, bool SignedB> struct Dp4a {
  static uint64_t run(uint64_t a, uint64_t b, uint64_t c, const AluInfo &) {
    int64_t sum = 0;
    for (unsigned n = 0; n < 4; ++n) {
      const int x = SignedA ? int(int8_t(a >> (8 * n))) : int(uint8_t(a >> (8 * n))),
                y = SignedB ? int(int8_t(b >> (8 * n))) : int(uint8_t(b >> (8 * n)));
      sum += x * y;
    }
    return uint32_t(uint64_t(sum) + c);
  }
};

/// An integer type, or bits read as unsigned.
Type integerType(Decoder &d) {
  const Type t = d.takeType();
  if (!isInteger(t) || bitsOf(t) == 8)
    d.failUnknown();
  return t;
}

} // namespace

namespace attn::sim {

void decodeIntegerAddSub(Decoder &d, bool sub) {
  const bool sat = d.take("sat");
  const Type t = integerType(d);
  d.simple(t, 2);
  if (sat && t != Type::S32)
    d.failUnknown();
  d.set(execAlu, sat   ? (sub ? AluFn(eachLane<SubSat<int32_t>>) : AluFn(eachLane<AddSat<int32_t>>))
                 : sub ? forIntegers<Sub>(t)
                       : forIntegers<Add>(t));
}

void decodeIntegerMul(Decoder &d, bool mad) {
  const int part = d.takeOneOf({"lo", "hi", "wide"});
  const Type t = integerType(d);
  if (part < 0 || d.has("sat"))
    d.failUnknown();
  const unsigned wide = part == 2 ? 2 : 1;
  d.expectOperands(mad ? 4 : 3, mad ? 4 : 3);
  d.dest(d.operand(0), bitsOf(t) * wide);
  d.source(d.operand(1), t);
  d.source(d.operand(2), t);
  if (mad)
    d.source(d.operand(3), wide == 2 ? Type(int(t) + 1) : t);
  if (part == 2) {
    const AluFn fn = t == Type::S16   ? mad ? eachLane<MadWide<int16_t>> : eachLane<MulWide<int16_t>>
                     : t == Type::U16 ? mad ? eachLane<MadWide<uint16_t>> : eachLane<MulWide<uint16_t>>
                     : t == Type::S32 ? mad ? eachLane<MadWide<int32_t>> : eachLane<MulWide<int32_t>>
                     : t == Type::U32 ? mad ? eachLane<MadWide<uint32_t>> : eachLane<MulWide<uint32_t>>
                                      : AluFn(nullptr);
    return d.set(execAlu, fn);
  }
  d.set(execAlu, part == 0 ? (mad ? forIntegers<MadLow>(t) : forIntegers<MulLow>(t))
                 : mad     ? forIntegers<MadHigh>(t)
                           : forIntegers<MulHigh>(t));
}

void decodeIntegerUnary(Decoder &d, bool neg) {
  const Type t = integerType(d);
  d.simple(t, 1);
  d.set(execAlu, neg ? forSigned<Neg>(t) : forSigned<Abs>(t));
}

void decodeIntegerMinMax(Decoder &d, bool max) {
  const Type t = integerType(d);
  d.simple(t, 2);
  d.set(execAlu, max ? forIntegers<Max>(t) : forIntegers<Min>(t));
}

void decodeDivRem(Decoder &d, bool rem) {
  const Type t = integerType(d);
  d.simple(t, 2);
  d.set(execAlu, rem ? forIntegers<Rem>(t) : forIntegers<Div>(t));
}

void decodeLogic(Decoder &d) {
  const Type t = d.takeType();
  const std::string &root = d.st->root;
  d.simple(t, root == "not" || root == "cnot" ? 1 : 2);
  if (t == Type::Pred) { // one bit; what is above it is never read
    struct NotPred {
      static uint64_t run(uint64_t a, uint64_t, uint64_t, const AluInfo &) { return ~a & 1; }
    };
    return d.set(execAlu, root == "and"   ? AluFn(eachLane<And<uint64_t>>)
                          : root == "or"  ? AluFn(eachLane<Or<uint64_t>>)
                          : root == "xor" ? AluFn(eachLane<Xor<uint64_t>>)
                          : root == "not" ? AluFn(eachLane<NotPred>)
                                          : nullptr);
  }
  d.set(execAlu, root == "and"   ? forBits<And>(t)
                 : root == "or"  ? forBits<Or>(t)
                 : root == "xor" ? forBits<Xor>(t)
                 : root == "not" ? forBits<Not>(t)
                                 : forBits<CNot>(t));
}

void decodeShift(Decoder &d) {
  const Type t = d.takeType();
  d.expectOperands(3, 3);
  d.dest(d.operand(0), bitsOf(t));
  d.source(d.operand(1), t);
  d.source(d.operand(2), Type::U32);
  const bool left = d.st->root == "shl";
  const AluFn bits = left ? forBits<Shl>(t) : forBits<Shr>(t);
  d.set(execAlu, bits ? bits : left ? nullptr : forIntegers<Shr>(t));
}

void decodeBitCount(Decoder &d) {
  const std::string &root = d.st->root;
  d.in.info.high = d.take("shiftamt");
  const Type t = d.takeType();
  d.expectOperands(2, 2);
  d.dest(d.operand(0), root == "brev" ? bitsOf(t) : 32);
  d.source(d.operand(1), t);
  d.set(execAlu, root == "popc"   ? forBits<Popc>(t)
                 : root == "clz"  ? forBits<Clz>(t)
                 : root == "brev" ? forBits<Brev>(t)
                                  : forIntegers<Bfind>(t));
  if (bitsOf(t) == 16)
    d.failUnknown();
}

void decodeBfe(Decoder &d) {
  const Type t = integerType(d);
  d.expectOperands(4, 4);
  d.dest(d.operand(0), bitsOf(t));
  d.source(d.operand(1), t);
  d.source(d.operand(2), Type::U32);
  d.source(d.operand(3), Type::U32);
  d.set(execAlu, bitsOf(t) == 16 ? nullptr : forIntegers<Bfe>(t));
}

void decodeLop3(Decoder &d) {
  if (d.takeType() != Type::B32)
    d.failUnknown();
  d.expectOperands(5, 5);
  d.dest(d.operand(0), 32);
  for (int n = 1; n <= 3; ++n)
    d.source(d.operand(size_t(n)), Type::B32);
  d.in.info.imm = uint32_t(d.integer(d.operand(4), "the table"));
  d.set(execAlu, eachLane<Lop3>);
}

void decodeShf(Decoder &d) {
  const int way = d.takeOneOf({"l", "r"}), mode = d.takeOneOf({"clamp", "wrap"});
  if (way < 0 || mode < 0)
    d.failUnknown();
  d.in.info.wrap = mode == 1;
  d.simple(d.takeType(), 3);
  d.set(execAlu, way ? eachLane<ShfRight> : eachLane<ShfLeft>);
}

void decodePrmt(Decoder &d) {
  const Type t = d.takeType();
  d.in.info.imm = uint32_t(d.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}) + 1);
  d.simple(t, 3);
  d.set(execAlu, eachLane<Prmt>);
}

void decodeSad(Decoder &d) {
  const Type t = integerType(d);
  d.simple(t, 3);
  d.set(execAlu, forIntegers<Sad>(t));
}

void decodeDp4a(Decoder &d) {
  const Type a = d.takeType(), b = d.takeType();
  d.simple(Type::B32, 3);
  d.set(execAlu, a == Type::S32
                     ? (b == Type::S32 ? AluFn(eachLane<Dp4a<true, true>>) : AluFn(eachLane<Dp4a<true, false>>))
                 : b == Type::S32 ? AluFn(eachLane<Dp4a<false, true>>)
                                  : AluFn(eachLane<Dp4a<false, false>>));
}

} // namespace attn::sim
