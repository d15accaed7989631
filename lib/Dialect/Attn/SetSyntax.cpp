// Text of set expressions: `causal<bottom_right> and window<top_left, left = %w> minus where(i = %i) {..}`.
//
//   or := and ('or' and)*      and := unary (('and' | 'minus') unary)*      unary := 'not' unary | '(' or ')' |
//   name<...> | where(...) {...}
#include "SetParser.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

ParseResult SetParser::parseOr(Value &result) {
  if (parseAnd(result))
    return failure();
  while (succeeded(parser.parseOptionalKeyword("or"))) {
    Value rhs;
    if (parseAnd(rhs))
      return failure();
    result = SetOrOp::create(builder, loc(), type(), result, rhs);
  }
  return success();
}

ParseResult SetParser::parseAnd(Value &result) {
  if (parseUnary(result))
    return failure();
  while (true) {
    bool minus = false;
    if (failed(parser.parseOptionalKeyword("and"))) {
      if (failed(parser.parseOptionalKeyword("minus")))
        return success();
      minus = true;
    }
    Value rhs;
    if (parseUnary(rhs))
      return failure();
    result = minus ? (Value)SetMinusOp::create(builder, loc(), type(), result, rhs)
                   : (Value)SetAndOp::create(builder, loc(), type(), result, rhs);
  }
}

ParseResult SetParser::parseUnary(Value &result) {
  // Bounded so that hostile text cannot exhaust the stack.
  if (++depth > 64)
    return parser.emitError(parser.getCurrentLocation(),
                            "[set_depth] more than 64 nested set expressions; name parts with `where`");
  ParseResult parsed = parsePrimary(result);
  --depth;
  return parsed;
}

ParseResult SetParser::parsePrimary(Value &result) {
  if (succeeded(parser.parseOptionalLParen()))
    return failure(parseOr(result) || parser.parseRParen());
  if (succeeded(parser.parseOptionalKeyword("not"))) {
    Value operand;
    if (parseUnary(operand))
      return failure();
    result = SetNotOp::create(builder, loc(), type(), operand);
    return success();
  }
  return parseNamed(result);
}

ParseResult SetParser::parseNamed(Value &result) {
  Location at = loc();
  SMLoc where = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  if (name == "full" || name == "empty") {
    result =
        name == "full" ? (Value)SetFullOp::create(builder, at, type()) : (Value)SetEmptyOp::create(builder, at, type());
    return success();
  }
  if (name == "where") {
    auto op = SetWhereOp::create(builder, at, type());
    result = op;
    return failure(parser.parseLParen() || parseIndexedRegion(parser, dims, numIndices, {}, op.getBody()));
  }
  std::string known;
  for (ArrayRef<NamedSet> family : {tokenSets(), gridSets(), listSets()})
    for (const NamedSet &set : family) {
      if (set.name == name)
        return failure(parser.parseLess() || set.parse(*this, at, name, result));
      known += (", " + set.name).str();
    }
  return parser.emitError(where) << "[set_name] no set is called '" << name << "'; there are full, empty" << known
                                 << " and where";
}

ParseResult SetParser::parseAlignment(AlignmentAttr &alignment) {
  SMLoc at = parser.getCurrentLocation();
  StringRef word;
  if (failed(parser.parseOptionalKeyword(&word)) || !symbolizeAlignment(word))
    return parser.emitError(at, "[set_alignment] write `top_left` (j <= i) or `bottom_right` (j <= i + J - I): for "
                                "different lengths they differ");
  alignment = AlignmentAttr::get(parser.getContext(), *symbolizeAlignment(word));
  return success();
}

ParseResult SetParser::parseParameter(Value &value) {
  int64_t constant;
  OptionalParseResult parsed = parser.parseOptionalInteger(constant);
  if (!parsed.has_value())
    return parseCaptured(parser, value);
  if (failed(*parsed))
    return failure();
  value = arith::ConstantIndexOp::create(builder, loc(), constant);
  return success();
}

ParseResult SetParser::parseIndexed(Value &value, AffineMap &map) {
  OpAsmParser::UnresolvedOperand operand;
  return failure(parser.parseOperand(operand) ||
                 parseIndexList(parser, dims, map, OpAsmParser::Delimiter::OptionalSquare) ||
                 resolveCaptured(parser, operand, value));
}

/// What stands after the name.
ParseResult SetParser::parseArgument(const NamedArgument &argument) {
  if (bool *const *flag = std::get_if<bool *>(&argument.slot)) {
    **flag = true;
    return success();
  }
  if (parser.parseEqual())
    return failure();
  if (Value *const *value = std::get_if<Value *>(&argument.slot))
    return parseParameter(**value);
  SMLoc at = parser.getCurrentLocation();
  if (const RealSlot *real = std::get_if<RealSlot>(&argument.slot)) {
    OpAsmParser::UnresolvedOperand operand;
    OptionalParseResult captured = parser.parseOptionalOperand(operand);
    if (captured.has_value())
      return failed(*captured) ? failure() : resolveCaptured(parser, operand, *real->value);
    llvm::APFloat constant(0.0f);
    if (parser.parseFloat(llvm::APFloat::IEEEsingle(), constant))
      return failure();
    Type f32 = builder.getF32Type();
    *real->value = arith::ConstantOp::create(builder, loc(), f32, builder.getFloatAttr(f32, constant));
    return success();
  }
  auto integer = [&](int64_t &value) -> ParseResult {
    OptionalParseResult parsed = parser.parseOptionalInteger(value);
    if (!parsed.has_value())
      return parser.emitError(at) << "[set_parameter] '" << argument.name
                                  << "' is part of the program: write integer constants, no captured values";
    return *parsed;
  };
  if (std::optional<int64_t> *const *single = std::get_if<std::optional<int64_t> *>(&argument.slot))
    return integer((*single)->emplace());
  SmallVector<int64_t> &list = *std::get<SmallVector<int64_t> *>(argument.slot);
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, [&] { return integer(list.emplace_back()); });
}

ParseResult SetParser::parseArguments(ArrayRef<NamedArgument> arguments, bool first) {
  SmallVector<bool> seen(arguments.size());
  while (failed(parser.parseOptionalGreater())) {
    if (!first && parser.parseComma())
      return failure();
    first = false;
    SMLoc at = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    const NamedArgument *it = llvm::find_if(arguments, [&](const NamedArgument &a) { return a.name == name; });
    if (it == arguments.end())
      return parser.emitError(at) << "[set_parameter] no parameter '" << name << "' here; there are: "
                                  << llvm::join(llvm::map_range(arguments, [](auto &a) { return a.name; }), ", ");
    if (std::exchange(seen[it - arguments.begin()], true))
      return parser.emitError(at) << "[set_parameter] '" << name << "' is given twice";
    if (parseArgument(*it))
      return failure();
  }
  return success();
}

void attn::syntax::printParameter(OpAsmPrinter &p, Value value) {
  APInt integer;
  APFloat real(0.0f);
  if (matchPattern(value, m_ConstantInt(&integer)))
    p << integer.getSExtValue();
  else if (matchPattern(value, m_ConstantFloat(&real)))
    p.printFloat(real);
  else
    printCaptured(p, value);
}

void attn::syntax::printParameters(OpAsmPrinter &p, ArrayRef<std::pair<StringRef, Value>> parameters, bool first) {
  for (auto [name, value] : parameters) {
    if (!value)
      continue;
    if (!first)
      p << ", ";
    first = false;
    p << name << " = ";
    printParameter(p, value);
  }
}

void attn::syntax::printIndexed(OpAsmPrinter &p, Value value, AffineMap map, ArrayAttr dims) {
  p << value;
  if (map.getNumResults())
    printIndexList(p, map, dims);
  printCapturedType(p, value);
}

ParseResult attn::syntax::parseSet(OpAsmParser &parser, OpBuilder &builder, ArrayRef<StringRef> dims,
                                   unsigned numIndices, Value &result) {
  return SetParser(parser, builder, dims, numIndices).parseOr(result);
}

void attn::syntax::printSet(OpAsmPrinter &p, Value set, ArrayAttr dims) {
  Operation *op = set.getDefiningOp();
  if (!op) {
    p << "<<not a set>>";
    return;
  }
  auto binary = [&](Value lhs, StringRef word, Value rhs) {
    auto side = [&](Value v) {
      bool nested = isa_and_nonnull<SetAndOp, SetOrOp, SetMinusOp>(v.getDefiningOp());
      if (nested)
        p << "(";
      printSet(p, v, dims);
      if (nested)
        p << ")";
    };
    // Left-nested chains of one operator need no parentheses.
    if (lhs.getDefiningOp() && lhs.getDefiningOp()->getName() == op->getName())
      printSet(p, lhs, dims);
    else
      side(lhs);
    p << " " << word << " ";
    side(rhs);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case<SetFullOp>([&](auto) { p << "full"; })
      .Case<SetEmptyOp>([&](auto) { p << "empty"; })
      .Case<SetAndOp>([&](auto o) { binary(o.getLhs(), "and", o.getRhs()); })
      .Case<SetOrOp>([&](auto o) { binary(o.getLhs(), "or", o.getRhs()); })
      .Case<SetMinusOp>([&](auto o) { binary(o.getLhs(), "minus", o.getRhs()); })
      .Case<SetNotOp>([&](auto o) {
        bool nested = isa_and_nonnull<SetAndOp, SetOrOp, SetMinusOp>(o.getOperand().getDefiningOp());
        p << (nested ? "not (" : "not ");
        printSet(p, o.getOperand(), dims);
        if (nested)
          p << ")";
      })
      .Case<SetWhereOp>([&](SetWhereOp o) {
        p << "where(";
        printIndexedRegion(p, o.getBody(), dims, 0);
      })
      .Default([&](Operation *o) {
        if (!printTokenSet(p, o, dims) && !printGridSet(p, o, dims) && !printListSet(p, o, dims))
          p << "<<not a set>>";
      });
}
