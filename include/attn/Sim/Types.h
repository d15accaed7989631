// The types of PTX operands and the state spaces of its memory.
#ifndef ATTN_SIM_TYPES_H
#define ATTN_SIM_TYPES_H

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attn::sim {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
}; // clang-format keeps one family a line

enum class Space : uint8_t { Generic, Global, Shared, Local, Param, Const };

unsigned bitsOf(Type type);
inline unsigned bytesOf(Type type) { return (bitsOf(type) + 7) / 8; }
bool isSigned(Type type);
bool isFloat(Type type);
bool isInteger(Type type); // .uN and .sN
/// The type that a modifier without its dot names: "f16x2".
std::optional<Type> typeNamed(std::string_view name);
const char *nameOf(Type type);
const char *nameOf(Space space);

/// Where something stands in the PTX text; both count from 1.
struct Place {
  uint32_t line = 0, column = 0;
};

/// What is wrong with a text, or what of it is not simulated; `what()` says it without the place.
struct Error : std::runtime_error {
  Error(Place place, const std::string &message) : std::runtime_error(message), place(place) {}
  Place place;
};

} // namespace attn::sim

#endif
