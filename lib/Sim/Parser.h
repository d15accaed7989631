// The parser's state; Parser.cpp has the module's and the body's grammar, ParserOperands.cpp that of operands and
// initial values.
#ifndef ATTN_LIB_SIM_PARSER_H
#define ATTN_LIB_SIM_PARSER_H

#include "Lexer.h"
#include "attn/Sim/Module.h"

#include <unordered_map>

namespace attn::sim {

class Parser {
public:
  explicit Parser(std::string_view text) : tokens(tokenize(text)) {}
  Module run();

private:
  std::vector<Token> tokens;
  size_t at = 0;
  int depth = 0; ///< of operands and blocks: a limit keeps hostile texts from the end of the stack
  Module module;
  Function *function = nullptr; // the body that is being parsed

  struct Scope {
    uint32_t id;
    std::unordered_map<std::string, uint32_t> registers;                     // plain names
    std::unordered_map<std::string, std::pair<uint32_t, uint32_t>> families; // %r<50>: prefix -> (first, count)
    std::unordered_map<std::string, std::string> variables;                  // names that were made unique
  };
  std::vector<Scope> scopes;

  // Tokens.
  const Token &peek(size_t n = 0) const { return tokens[std::min(at + n, tokens.size() - 1)]; }
  Token take() { return tokens[at == tokens.size() - 1 ? at : at++]; }
  bool isPunctuation(const char *text, size_t n = 0) const {
    return peek(n).kind == Token::Punctuation && peek(n).text == text;
  }
  bool isDot(const char *text, size_t n = 0) const { return peek(n).kind == Token::Dot && peek(n).text == text; }
  bool takePunctuation(const char *text);
  bool takeDot(const char *text);
  void expect(const char *text, const char *where);
  std::string expectWord(const char *what);
  uint64_t expectInteger(const char *what);
  [[noreturn]] void fail(const Token &token, const std::string &message) const;

  // Parser.cpp
  void topLevel();
  void skipLine();
  void skipSection();
  void functionHeader(bool entry);
  std::vector<Variable> paramList();
  bool performanceDirective();
  void body();
  void block();
  void statement();
  void registers();
  std::optional<uint32_t> findRegister(const std::string &name) const;

  // ParserOperands.cpp
  /// After the space: alignment, type, names with dimensions and values, up to the semicolon (or one name of a
  /// parameter list).
  std::vector<Variable> variables(Space space, bool external, bool single);
  void initialValues(Variable &variable, unsigned elementBytes);
  Operand operand();
  Operand primary();
  Operand name(bool allowOffset);
  int64_t signedInteger();
};

} // namespace attn::sim

#endif
