// What is refused before parsing. MLIR's parser descends recursively into brackets and affine expressions, so text of a
// few hundred kilobytes can exhaust the stack; here it is bounded by one linear scan that knows just enough of the
// lexical rules.
#include "Program.h"

#include "mlir/Bytecode/BytecodeReader.h"

using namespace llvm;
using namespace attn;

namespace {

/// Operators of one bracketed expression: `d0 + d1 + ...` recurses once an operator.
constexpr int maxOperators = 4096;

class Scanner {
public:
  explicit Scanner(StringRef text) : text(text) {}

  /// The position where a bound is passed, or npos.
  size_t findExcess() {
    for (size_t at = 0; at < text.size(); ++at) {
      char c = text[at];
      if (c == '"')
        at = skipString(at);
      else if (c == '/' && text.substr(at).starts_with("//"))
        at = std::min(text.find('\n', at), text.size());
      else if (c == '-' && text.substr(at).starts_with("->"))
        ++at;
      else if (!step(c, at))
        return at;
      if (at < text.size() && !isspace(static_cast<unsigned char>(text[at])))
        last = text[at];
    }
    return StringRef::npos;
  }
  bool tooDeep = false;

private:
  /// The closing quote; strings end with their line at the latest.
  size_t skipString(size_t at) {
    for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
      if (text[at] == '\\')
        ++at;
    return at;
  }

  bool step(char c, size_t at) {
    switch (c) {
    case '(':
    case '[':
    case '{':
    case '<':
      open.push_back(c);
      operators.push_back(operators.empty() ? 0 : operators.back());
      tooDeep = open.size() > static_cast<size_t>(maxNesting);
      return !tooDeep;
    case ')':
      return close('(');
    case ']':
      return close('[');
    case '}':
      return close('{');
    case '>':
      return close('<');
    case '+':
    case '*':
      return count();
    case '-': // not the sign of a literal, of which tables have many
      return at + 1 < text.size() && isDigit(text[at + 1]) && StringRef("[(<,=:").contains(last) ? true : count();
    default: // floordiv, ceildiv, mod
      return (c == 'f' || c == 'c' || c == 'm') && startsOperatorWord(at) ? count() : true;
    }
  }

  bool startsOperatorWord(size_t at) const {
    StringRef rest = text.substr(at);
    return rest.starts_with("floordiv") || rest.starts_with("ceildiv") || rest.starts_with("mod ") ||
           rest.starts_with("mod(");
  }

  // A bracket that does not match is a syntax error later; here it only must not hide depth.
  bool close(char opening) {
    if (!open.empty() && open.back() == opening) {
      open.pop_back();
      operators.pop_back();
    }
    return true;
  }

  bool count() {
    // Outside of brackets that hold an expression there are no operators to recurse over.
    return open.empty() || open.back() == '{' || ++operators.back() <= maxOperators;
  }

  StringRef text;
  SmallVector<char> open;
  SmallVector<int> operators; // by depth
  char last = ' ';
};

} // namespace

Error attn::checkInput(StringRef source, StringRef name) {
  if (source.size() > maxSourceBytes)
    return compileError(CompileFailure::BadInput,
                        name + ": error: [input_size] the program is longer than " + Twine(maxSourceBytes) + " bytes");
  if (mlir::isBytecode(MemoryBufferRef(source, name)))
    return Error::success();
  if (size_t zero = source.find('\0'); zero != StringRef::npos)
    return compileError(CompileFailure::BadInput,
                        name + ": error: [input_text] the program is neither text nor MLIR bytecode: a zero byte at " +
                            Twine(zero));
  Scanner scanner(source);
  size_t at = scanner.findExcess();
  if (at == StringRef::npos)
    return Error::success();
  StringRef before = source.take_front(at);
  size_t line = before.count('\n') + 1, column = at - (before.rfind('\n') + 1) + 1;
  return compileError(CompileFailure::BadInput,
                      name + ":" + Twine(line) + ":" + Twine(column) + ": error: [input_nesting] " +
                          (scanner.tooDeep ? "more than " + Twine(maxNesting) + " nested brackets"
                                           : "more than " + Twine(maxOperators) + " operators in one expression"));
}
