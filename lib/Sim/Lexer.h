// Words, modifiers, numbers and punctuation of PTX.
#ifndef ATTN_LIB_SIM_LEXER_H
#define ATTN_LIB_SIM_LEXER_H

#include "attn/Sim/Types.h"

#include <string>
#include <vector>

namespace attn::sim {

struct Token {
  enum Kind : uint8_t {
    Word,    ///< add, %r1, $L__BB0_1, _
    Dot,     ///< .f32, .shared::cta: the text keeps no dot
    Integer, ///< `bits`
    Float,   ///< `bits` of an f32 (`floatBits` 32) or f64
    String,
    Punctuation,
    End
  };
  Kind kind;
  Place place;
  std::string text;
  uint64_t bits = 0;
  uint8_t floatBits = 0;
  bool adjacent = false; ///< no space before it
};

/// Throws Error.
std::vector<Token> tokenize(std::string_view text);

} // namespace attn::sim

#endif
