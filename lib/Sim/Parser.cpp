// The grammar of modules, functions and bodies.
#include "Parser.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

bool Parser::takePunctuation(const char *text) { return isPunctuation(text) && (take(), true); }
bool Parser::takeDot(const char *text) { return isDot(text) && (take(), true); }

void Parser::fail(const Token &token, const std::string &message) const { throw Error(token.place, message); }

void Parser::expect(const char *text, const char *where) {
  if (!takePunctuation(text))
    fail(peek(), fmt::format("expected '{}' {}, found '{}'", text, where, peek().text));
}

std::string Parser::expectWord(const char *what) {
  if (peek().kind != Token::Word)
    fail(peek(), fmt::format("expected {}, found '{}'", what, peek().text));
  return take().text;
}

uint64_t Parser::expectInteger(const char *what) {
  if (peek().kind != Token::Integer)
    fail(peek(), fmt::format("expected {}, found '{}'", what, peek().text));
  return take().bits;
}

void Parser::skipLine() {
  const uint32_t line = peek().place.line;
  while (peek().kind != Token::End && peek().place.line == line)
    take();
}

void Parser::skipSection() {
  const Token start = peek();
  while (!isPunctuation("{") && peek().kind != Token::End)
    take();
  int depth = 0;
  do {
    if (peek().kind == Token::End)
      fail(start, "the section that begins here has no closing '}'");
    depth += isPunctuation("{") - isPunctuation("}");
    take();
  } while (depth > 0);
}

Module Parser::run() {
  while (peek().kind != Token::End)
    topLevel();
  if (module.version.empty())
    fail(tokens.front(), "no .version directive: is this a PTX file?");
  return std::move(module);
}

void Parser::topLevel() {
  const Token start = peek();
  if (start.kind != Token::Dot)
    fail(start, fmt::format("expected a directive such as .entry or .global, found '{}'", start.text));
  if (start.text == "version") {
    take();
    const Token number = take(); // 9.0 reads as a float
    module.version = number.text;
    return;
  }
  if (start.text == "target") {
    take();
    module.target = expectWord("a target such as sm_80");
    while (takePunctuation(","))
      expectWord("a target option");
    return;
  }
  if (start.text == "address_size") {
    take();
    const Token size = peek();
    if (expectInteger("32 or 64") != 64)
      fail(size, "only .address_size 64 is simulated");
    return;
  }
  if (start.text == "file" || start.text == "loc")
    return skipLine();
  if (start.text == "section")
    return skipSection();
  bool external = false;
  while (isDot("visible") || isDot("extern") || isDot("weak") || isDot("common"))
    external |= take().text == "extern";
  if (isDot("entry") || isDot("func"))
    return functionHeader(take().text == "entry");
  for (auto [word, space] : {std::pair{"global", Space::Global}, {"const", Space::Const}, {"shared", Space::Shared}})
    if (takeDot(word)) {
      for (Variable &v : variables(space, external, false))
        module.variables.push_back(std::move(v));
      return;
    }
  fail(peek(), fmt::format("the directive .{} is not simulated", peek().text));
}

std::vector<Variable> Parser::paramList() {
  std::vector<Variable> params;
  expect("(", "before the parameters");
  while (!takePunctuation(")")) {
    if (!params.empty())
      expect(",", "between parameters");
    if (!takeDot("param"))
      fail(peek(), fmt::format("expected .param, found '{}'", peek().text));
    params.push_back(std::move(variables(Space::Param, false, true).front()));
  }
  return params;
}

bool Parser::performanceDirective() {
  const std::string word = peek().kind == Token::Dot ? peek().text : "";
  std::array<uint32_t, 3> *triple = word == "reqntid"             ? &function->reqntid
                                    : word == "maxntid"           ? &function->maxntid
                                    : word == "reqnctapercluster" ? &function->cluster
                                                                  : nullptr;
  if (triple) {
    take();
    *triple = {1, 1, 1};
    size_t n = 0;
    do
      if (n < 3)
        (*triple)[n++] = uint32_t(expectInteger("an extent"));
    while (takePunctuation(","));
    return true;
  }
  if (word == "minnctapersm" || word == "maxnreg" || word == "maxclusterrank") {
    take();
    expectInteger("a number");
    return true;
  }
  return takeDot("noreturn") || takeDot("explicitcluster");
}

void Parser::functionHeader(bool entry) {
  module.functions.push_back(std::make_unique<Function>());
  function = module.functions.back().get();
  function->entry = entry;
  if (!entry && isPunctuation("("))
    function->returns = paramList();
  function->place = peek().place;
  function->name = expectWord("a name");
  if (module.findFunction(function->name) != function) { // a declaration before the definition
    const Function *before = module.findFunction(function->name);
    if (!before->statements.empty())
      throw Error(function->place, fmt::format("'{}' is defined twice", function->name));
    module.functions.erase(
        std::find_if(module.functions.begin(), module.functions.end(), [&](auto &f) { return f.get() == before; }));
  }
  if (isPunctuation("("))
    function->params = paramList();
  while (performanceDirective())
    ;
  if (!takePunctuation(";")) { // else a declaration
    scopes.clear();
    body();
  }
  function = nullptr;
}

void Parser::body() {
  block();
  Statement end; // falling off the end is a return
  end.place = tokens[at - 1].place;
  end.text = end.root = "ret";
  function->statements.push_back(std::move(end));
}

void Parser::block() {
  const Token start = peek();
  expect("{", "before a body");
  if (scopes.size() > 200)
    fail(start, "blocks are nested more than 200 deep");
  const uint32_t id = uint32_t(function->scopeParents.size());
  function->scopeParents.push_back(scopes.empty() ? 0 : scopes.back().id);
  scopes.push_back({id, {}, {}, {}});
  while (!takePunctuation("}")) {
    if (peek().kind == Token::End)
      fail(start, "the body that begins here has no closing '}'");
    if (isPunctuation("{"))
      block();
    else
      statement();
  }
  scopes.pop_back();
}

void Parser::statement() {
  const Token start = peek();
  if (start.kind == Token::Dot) {
    if (start.text == "loc" || start.text == "file")
      return skipLine();
    take();
    if (start.text == "reg")
      return registers();
    if (start.text == "pragma") {
      while (peek().kind == Token::String || isPunctuation(","))
        take();
      return expect(";", "after .pragma");
    }
    for (auto [word, space] : {std::pair{"local", Space::Local}, {"shared", Space::Shared}, {"param", Space::Param}})
      if (start.text == word) {
        for (Variable &v : variables(space, false, false)) {
          const std::string unique = fmt::format("{}@{}", v.name, function->locals.size());
          scopes.back().variables[v.name] = unique;
          v.name = unique;
          function->locals.push_back(std::move(v));
        }
        return;
      }
    fail(start, fmt::format("the directive .{} is not simulated", start.text));
  }
  if (start.kind == Token::Word && isPunctuation(":", 1)) {
    take(), take();
    if (!function->labels.insert({{scopes.back().id, start.text}, uint32_t(function->statements.size())}).second)
      fail(start, fmt::format("the label '{}' is defined twice", start.text));
    return;
  }
  Statement s;
  s.scope = scopes.back().id;
  if (takePunctuation("@")) {
    s.guardNegated = takePunctuation("!");
    const Token guard = peek();
    const auto reg = findRegister(expectWord("a predicate"));
    if (!reg || function->registers[*reg].type != Type::Pred)
      fail(guard, fmt::format("'{}' is no predicate register", guard.text));
    s.guard = int32_t(*reg);
  }
  s.place = peek().place;
  s.root = s.text = expectWord("an instruction");
  while (peek().kind == Token::Dot) {
    s.text += "." + peek().text;
    s.modifiers.push_back(take().text);
  }
  while (!takePunctuation(";")) {
    if (!s.operands.empty())
      expect(",", fmt::format("or ';' after an operand of '{}'", s.text).c_str());
    s.operands.push_back(operand());
  }
  function->statements.push_back(std::move(s));
}

void Parser::registers() {
  const Token typeToken = take();
  const auto type = typeToken.kind == Token::Dot ? typeNamed(typeToken.text) : std::nullopt;
  if (!type)
    fail(typeToken, fmt::format("'.{}' is no type of registers", typeToken.text));
  do {
    const std::string name = expectWord("a register name");
    const uint32_t first = uint32_t(function->registers.size());
    if (takePunctuation("<")) {
      const Token countToken = peek();
      const uint64_t count = expectInteger("how many registers");
      if (count > 1u << 20)
        fail(countToken, "more than 2^20 registers");
      expect(">", "after the number of registers");
      for (uint64_t i = 0; i < count; ++i)
        function->registers.push_back({name + std::to_string(i), *type});
      scopes.back().families[name] = {first, uint32_t(count)};
    } else {
      function->registers.push_back({name, *type});
      scopes.back().registers[name] = first;
    }
  } while (takePunctuation(","));
  expect(";", "after .reg");
}

std::optional<uint32_t> Parser::findRegister(const std::string &name) const {
  size_t digits = name.size();
  while (digits > 0 && isdigit(uint8_t(name[digits - 1])))
    --digits;
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    if (auto found = scope->registers.find(name); found != scope->registers.end())
      return found->second;
    // %r<50> declares %r0 to %r49; a family's own name may end in digits too, so every split counts.
    for (size_t split = digits; split < name.size() && name.size() - split < 8; ++split)
      if (auto found = scope->families.find(name.substr(0, split)); found != scope->families.end()) {
        const uint32_t n = uint32_t(std::stoul(name.substr(split)));
        if (n < found->second.second && (name[split] != '0' || split + 1 == name.size()))
          return found->second.first + n;
      }
  }
  return std::nullopt;
}

std::optional<uint32_t> Function::findLabel(uint32_t scope, const std::string &label) const {
  for (;; scope = scopeParents[scope]) {
    if (auto found = labels.find({scope, label}); found != labels.end())
      return found->second;
    if (scope == 0)
      return std::nullopt;
  }
}

const Function *Module::findFunction(std::string_view name) const {
  for (auto &f : functions)
    if (f->name == name)
      return f.get();
  return nullptr;
}

Module attn::sim::parseModule(std::string_view text) { return Parser(text).run(); }
