// Words, modifiers, numbers and punctuation of PTX.
#include "Lexer.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

using namespace attn::sim;

namespace {

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '%'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWord(char c) { return isLetter(c) || isDigit(c); }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  std::vector<Token> run() {
    while (skipBlank())
      next();
    Token end{Token::End, here(), "the end of the file"};
    tokens.push_back(end);
    return std::move(tokens);
  }

private:
  std::string_view text;
  size_t at = 0, lineStart = 0;
  uint32_t line = 1;
  std::vector<Token> tokens;

  Place here() const { return {line, uint32_t(at - lineStart + 1)}; }
  char peek(size_t n = 0) const { return at + n < text.size() ? text[at + n] : '\0'; }

  void advance() {
    if (text[at++] == '\n') {
      ++line;
      lineStart = at;
    }
  }

  /// False at the end of the text.
  bool skipBlank() {
    while (at < text.size()) {
      const char c = peek();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0') {
        advance();
      } else if (c == '/' && peek(1) == '/') {
        while (at < text.size() && peek() != '\n')
          advance();
      } else if (c == '/' && peek(1) == '*') {
        const Place start = here();
        while (at < text.size() && !(peek() == '*' && peek(1) == '/'))
          advance();
        if (at >= text.size())
          throw Error(start, "the comment that begins here has no end; close it with */");
        at += 2;
      } else {
        return true;
      }
    }
    return false;
  }

  void add(Token::Kind kind, Place place, size_t from, size_t skip = 0) {
    Token token{kind, place, std::string(text.substr(from + skip, at - from - skip))};
    token.adjacent = !tokens.empty() && from > 0 && !strchr(" \t\r\n", text[from - 1]);
    tokens.push_back(std::move(token));
  }

  void next() {
    const Place place = here();
    const size_t from = at;
    const char c = peek();
    if (isLetter(c)) {
      while (isWord(peek()))
        ++at;
      return add(Token::Word, place, from);
    }
    if (c == '.' && isWord(peek(1))) {
      ++at;
      while (isWord(peek()) || (peek() == ':' && peek(1) == ':' && isWord(peek(2)) && ++at))
        ++at;
      return add(Token::Dot, place, from, 1);
    }
    if (isDigit(c))
      return number(place);
    if (c == '"') {
      ++at;
      while (at < text.size() && peek() != '"' && peek() != '\n')
        ++at;
      if (peek() != '"')
        throw Error(place, "the string that begins here does not end on its line");
      ++at;
      return add(Token::String, place, from);
    }
    if (!strchr("()[]{}<>,;:+-|=@!*", c))
      throw Error(place, fmt::format("unexpected character '{}'",
                                     c >= 32 && c < 127 ? std::string(1, c) : fmt::format("\\x{:02x}", uint8_t(c))));
    ++at;
    add(Token::Punctuation, place, from);
  }

  void number(Place place) {
    const size_t from = at;
    const char kind = char(peek() == '0' ? peek(1) | 0x20 : 0);
    uint64_t bits = 0;
    uint8_t floatBits = 0;
    if (kind == 'f' || kind == 'd') {
      const int digits = kind == 'f' ? 8 : 16;
      at += 2;
      for (int i = 0; i < digits; ++i, ++at) {
        if (!isHex(peek()))
          throw Error(place, fmt::format("0{} needs {} hexadecimal digits", kind, digits));
        bits = bits << 4 | uint64_t(isDigit(peek()) ? peek() - '0' : (peek() | 0x20) - 'a' + 10);
      }
      floatBits = uint8_t(digits * 4);
    } else {
      while (isHex(peek()) || (at == from + 1 && (kind == 'x' || kind == 'b')))
        ++at;
      const bool decimal = kind != 'x' && kind != 'b';
      if (decimal && (peek() == '.' || strchr("eE", text[at - 1]))) {
        at = from;
        const std::string rest(text.substr(from, 64));
        char *end;
        const double value = strtod(rest.c_str(), &end);
        at += size_t(end - rest.c_str());
        memcpy(&bits, &value, 8);
        floatBits = 64;
      } else {
        const std::string digits(text.substr(from, at - from));
        char *end;
        errno = 0;
        bits = kind == 'b' ? strtoull(digits.c_str() + 2, &end, 2) : strtoull(digits.c_str(), &end, 0);
        if (*end || errno)
          throw Error(place, fmt::format("'{}' is not an integer of 64 bits", digits));
        if (peek() == 'U')
          ++at;
      }
    }
    if (isWord(peek()))
      throw Error(place, fmt::format("a number runs into '{}'", peek()));
    add(floatBits ? Token::Float : Token::Integer, place, from);
    tokens.back().bits = bits;
    tokens.back().floatBits = floatBits;
  }
};

} // namespace

std::vector<Token> attn::sim::tokenize(std::string_view text) { return Lexer(text).run(); }
