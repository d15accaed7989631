// The grammar of operands, variables and their initial values.
#include "Parser.h"

#include <fmt/format.h>

#include <cstring>

using namespace attn::sim;

int64_t Parser::signedInteger() {
  takePunctuation("+"); // nvcc writes [%rd1+-4]
  const bool minus = takePunctuation("-");
  const uint64_t bits = expectInteger("an integer");
  return int64_t(minus ? 0 - bits : bits);
}

std::vector<Variable> Parser::variables(Space space, bool external, bool single) {
  Variable v;
  v.space = space;
  v.external = external;
  bool aligned = false;
  std::optional<Type> type;
  uint64_t width = 1;
  while (peek().kind == Token::Dot) {
    const Token word = take();
    if (word.text == "align") {
      const Token number = peek();
      v.align = uint32_t(expectInteger("an alignment"));
      if (!v.align || (v.align & (v.align - 1)) || v.align > 1u << 16)
        fail(number, "an alignment is a power of two up to 65536");
      aligned = true;
    } else if (word.text == "v2" || word.text == "v4") {
      width = word.text == "v2" ? 2 : 4;
    } else if (word.text == "ptr" || word.text == "global" || word.text == "shared" || word.text == "const" ||
               word.text == "local") {
      continue; // attributes of a pointer parameter; they change nothing
    } else if (type = typeNamed(word.text); !type) {
      fail(word, fmt::format("'.{}' is no type of variables", word.text));
    }
  }
  if (!type)
    fail(peek(), "expected a type");
  const unsigned elementBytes = bytesOf(*type);
  v.type = *type;
  // `.param .u64 .ptr .global .align 16 name` aligns what the pointer points to; the parameter itself has its own
  // type's alignment.
  if (!aligned || (space == Space::Param && elementBytes > 1))
    v.align = uint32_t(elementBytes * width);
  std::vector<Variable> result;
  do {
    Variable one = v;
    one.place = peek().place;
    one.name = expectWord("a variable's name");
    uint64_t count = width;
    bool open = false;
    while (takePunctuation("[")) {
      if (takePunctuation("]")) {
        open = true;
        continue;
      }
      const Token number = peek();
      const uint64_t extent = expectInteger("an extent");
      if (extent && count > (uint64_t(1) << 32) / extent)
        fail(number, "the variable has more than 2^32 elements");
      count *= extent;
      expect("]", "after an extent");
    }
    one.bytes = open ? 0 : count * elementBytes;
    if (takePunctuation("=")) {
      initialValues(one, elementBytes);
      if (open)
        one.bytes = one.initial.size();
      if (one.initial.size() > one.bytes)
        throw Error(one.place, fmt::format("'{}' has more initial values than elements", one.name));
      one.initial.resize(one.bytes);
    } else if (open && !(external && space == Space::Shared) && space != Space::Param) {
      throw Error(one.place,
                  fmt::format("'{}' has no extent; only .extern .shared arrays get theirs at launch", one.name));
    }
    result.push_back(std::move(one));
  } while (!single && takePunctuation(","));
  if (!single)
    expect(";", "after a variable");
  return result;
}

void Parser::initialValues(Variable &variable, unsigned elementBytes) {
  if (takePunctuation("{")) {
    if (++depth > 20)
      fail(peek(), "initial values are nested more than 20 deep");
    while (!takePunctuation("}")) {
      initialValues(variable, elementBytes);
      if (!isPunctuation("}"))
        expect(",", "between initial values");
    }
    --depth;
    return;
  }
  const bool minus = takePunctuation("-");
  const Token value = take();
  uint64_t bits = value.bits;
  if (value.kind == Token::Float && value.floatBits == 64 && elementBytes == 4) { // 1.5 for an f32
    double wide;
    memcpy(&wide, &bits, 8);
    const float narrow = float(minus ? -wide : wide);
    bits = 0;
    memcpy(&bits, &narrow, 4);
  } else if (value.kind == Token::Float) {
    bits ^= minus ? uint64_t(1) << (value.floatBits - 1) : 0;
  } else if (value.kind == Token::Integer) {
    bits = minus ? 0 - bits : bits;
  } else {
    fail(value, fmt::format("'{}' as an initial value is not simulated; numbers are", value.text));
  }
  const size_t size = variable.initial.size();
  variable.initial.resize(size + elementBytes);
  memcpy(variable.initial.data() + size, &bits, elementBytes);
}

Operand Parser::name(bool allowOffset) {
  Operand o;
  const Token token = take();
  o.place = token.place;
  o.name = token.text;
  if (o.name == "_")
    return o; // Sink
  if (peek().kind == Token::Dot && peek().adjacent && o.name[0] == '%')
    o.name += "." + take().text; // %tid.x
  if (const auto reg = findRegister(o.name)) {
    o.kind = Operand::Register;
    o.index = *reg;
    return o;
  }
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto found = scope->variables.find(o.name); found != scope->variables.end()) {
      o.name = found->second;
      break;
    }
  o.kind = Operand::Name;
  if (allowOffset && (isPunctuation("+") || isPunctuation("-")))
    o.offset = signedInteger();
  return o;
}

Operand Parser::primary() {
  const Token token = peek();
  if (depth > 20)
    fail(token, "operands are nested more than 20 deep");
  struct Deeper {
    int &depth;
    explicit Deeper(int &d) : depth(d) { ++depth; }
    ~Deeper() { --depth; }
  } deeper(depth);
  Operand o;
  o.place = token.place;
  if (takePunctuation("{")) {
    o.kind = Operand::Vector;
    do
      o.elements.push_back(operand());
    while (takePunctuation(","));
    expect("}", "after a vector");
    return o;
  }
  if (takePunctuation("(")) {
    o.kind = Operand::List;
    while (!takePunctuation(")")) {
      if (!o.elements.empty())
        expect(",", "between arguments");
      o.elements.push_back(operand());
    }
    return o;
  }
  if (takePunctuation("[")) {
    o.kind = Operand::Address;
    if (peek().kind == Token::Word) {
      o.elements.push_back(name(false));
      if (isPunctuation("+") || isPunctuation("-"))
        o.offset = signedInteger();
      if (isPunctuation(",")) // tensor coordinates
        fail(peek(), "addresses with coordinates are not simulated");
    } else {
      o.offset = signedInteger();
    }
    expect("]", "after an address");
    return o;
  }
  if (takePunctuation("!")) {
    o = name(false);
    o.negated = true;
    if (o.kind != Operand::Register)
      fail(token, "'!' stands before a predicate register");
    return o;
  }
  if (isPunctuation("-") || isPunctuation("+")) {
    const bool minus = take().text == "-";
    o = primary();
    if (o.kind == Operand::Integer)
      o.bits = minus ? 0 - o.bits : o.bits;
    else if (o.kind == Operand::Float)
      o.bits ^= minus ? uint64_t(1) << (o.floatBits - 1) : 0;
    else
      fail(token, "a sign stands before a number");
    return o;
  }
  if (token.kind == Token::Integer || token.kind == Token::Float) {
    take();
    o.kind = token.kind == Token::Integer ? Operand::Integer : Operand::Float;
    o.bits = token.bits;
    o.floatBits = token.floatBits;
    return o;
  }
  if (token.kind == Token::Word)
    return name(true);
  fail(token, fmt::format("expected an operand, found '{}'", token.text));
}

Operand Parser::operand() {
  Operand first = primary();
  if (!takePunctuation("|"))
    return first;
  Operand pair;
  pair.kind = Operand::Pair;
  pair.place = first.place;
  pair.elements.push_back(std::move(first));
  pair.elements.push_back(primary());
  return pair;
}
