// Arithmetic on 32 lanes: a register is 32 words of 64 bits, one a lane, the value in the low bits and zeros above.
#ifndef ATTN_LIB_SIM_LANES_H
#define ATTN_LIB_SIM_LANES_H

#include "attn/Sim/Types.h"

#include <cstring>

namespace attn::sim {

constexpr unsigned warpLanes = 32;
constexpr uint32_t allLanes = 0xffffffff;

enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

/// What modifiers say about a piece of arithmetic.
struct AluInfo {
  Rounding rounding = Rounding::Nearest;
  bool ftz = false, sat = false, nan = false, relu = false, high = false, wrap = false;
  uint8_t compare = 0;
  uint32_t imm = 0;  ///< lop3's table and the like
  uint64_t seed = 0; ///< of approximate instructions
};

using AluFn = void (*)(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, const AluInfo &info);

template <typename T> T as(uint64_t word) {
  T value;
  memcpy(&value, &word, sizeof(T));
  return value;
}
template <typename T> uint64_t word(T value) {
  uint64_t result = 0;
  memcpy(&result, &value, sizeof(T));
  return result;
}

/// F::run(a, b, c, info) for each lane; inactive lanes are computed too and thrown away, so F must not trap.
template <typename F>
void eachLane(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c, const AluInfo &info) {
  for (unsigned l = 0; l < warpLanes; ++l)
    d[l] = F::run(a[l], b[l], c[l], info);
}

// By width and signedness; none for types that F is not meant for.
template <template <typename> class F> AluFn forSigned(Type t) {
  return t == Type::S16   ? eachLane<F<int16_t>>
         : t == Type::S32 ? eachLane<F<int32_t>>
         : t == Type::S64 ? eachLane<F<int64_t>>
                          : nullptr;
}
template <template <typename> class F> AluFn forUnsigned(Type t) {
  return t == Type::U16   ? eachLane<F<uint16_t>>
         : t == Type::U32 ? eachLane<F<uint32_t>>
         : t == Type::U64 ? eachLane<F<uint64_t>>
                          : nullptr;
}
template <template <typename> class F> AluFn forBits(Type t) {
  return t == Type::B16   ? eachLane<F<uint16_t>>
         : t == Type::B32 ? eachLane<F<uint32_t>>
         : t == Type::B64 ? eachLane<F<uint64_t>>
                          : nullptr;
}
template <template <typename> class F> AluFn forIntegers(Type t) {
  const AluFn s = forSigned<F>(t);
  return s ? s : forUnsigned<F>(t);
}

} // namespace attn::sim

#endif
