// Text of set expressions: `causal<bottom_right> and window<top_left, left = %w> minus where(i = %i) {..}`.
//
//   or := and ('or' and)*      and := unary (('and' | 'minus') unary)*      unary := 'not' unary | '(' or ')' |
//   name<...> | where(...) {...}
#include "Syntax.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

namespace {

class SetParser {
public:
  SetParser(OpAsmParser &parser, OpBuilder &builder, ArrayRef<StringRef> dims, unsigned numIndices)
      : parser(parser), builder(builder), dims(dims), numIndices(numIndices) {}

  ParseResult parseOr(Value &result) {
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

private:
  Location loc() { return parser.getEncodedSourceLoc(parser.getCurrentLocation()); }
  Type type() { return SetType::get(parser.getContext()); }

  ParseResult parseAnd(Value &result) {
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

  ParseResult parseUnary(Value &result) {
    // Bounded so that hostile text cannot exhaust the stack.
    if (++depth > 64)
      return parser.emitError(parser.getCurrentLocation(),
                              "[set_depth] more than 64 nested set expressions; name parts with `where`");
    ParseResult parsed = parsePrimary(result);
    --depth;
    return parsed;
  }

  ParseResult parsePrimary(Value &result) {
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

  ParseResult parseAlignment(AlignmentAttr &alignment) {
    SMLoc at = parser.getCurrentLocation();
    StringRef word;
    if (failed(parser.parseOptionalKeyword(&word)) || !symbolizeAlignment(word))
      return parser.emitError(at, "[set_alignment] write `top_left` (j <= i) or `bottom_right` (j <= i + J - I): for "
                                  "different lengths they differ");
    alignment = AlignmentAttr::get(parser.getContext(), *symbolizeAlignment(word));
    return success();
  }

  /// A constant, or a captured value.
  ParseResult parseParameter(Value &value) {
    int64_t constant;
    OptionalParseResult parsed = parser.parseOptionalInteger(constant);
    if (!parsed.has_value())
      return parseCaptured(parser, value);
    if (failed(*parsed))
      return failure();
    value = arith::ConstantIndexOp::create(builder, loc(), constant);
    return success();
  }

  /// `, name = parameter` pairs up to `>`; `first` when no comma stands before the first.
  ParseResult parseParameters(ArrayRef<StringRef> names, MutableArrayRef<Value> values, bool first) {
    while (true) {
      if (succeeded(parser.parseOptionalGreater()))
        return success();
      if (!first && parser.parseComma())
        return failure();
      first = false;
      SMLoc at = parser.getCurrentLocation();
      StringRef name;
      if (parser.parseKeyword(&name) || parser.parseEqual())
        return failure();
      auto *it = llvm::find(names, name);
      if (it == names.end())
        return parser.emitError(at) << "[set_parameter] no parameter '" << name
                                    << "' here; there are: " << llvm::join(names, ", ");
      Value &slot = values[it - names.begin()];
      if (slot)
        return parser.emitError(at) << "[set_parameter] '" << name << "' is given twice";
      if (parseParameter(slot))
        return failure();
    }
  }

  ParseResult parseNamed(Value &result) {
    Location at = loc();
    SMLoc where = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    if (name == "full" || name == "empty") {
      result = name == "full" ? (Value)SetFullOp::create(builder, at, type())
                              : (Value)SetEmptyOp::create(builder, at, type());
      return success();
    }
    if (name == "where") {
      auto op = SetWhereOp::create(builder, at, type());
      result = op;
      return failure(parser.parseLParen() || parseIndexedRegion(parser, dims, numIndices, {}, op.getBody()));
    }
    if (name == "causal" || name == "window") {
      AlignmentAttr alignment;
      if (parser.parseLess() || parseAlignment(alignment))
        return failure();
      Value v[4] = {};
      if (name == "causal") {
        if (parseParameters({"q", "k"}, MutableArrayRef<Value>(v, 2), false))
          return failure();
        result = SetCausalOp::create(builder, at, type(), alignment, v[0], v[1]);
      } else {
        if (parseParameters({"left", "right", "q", "k"}, v, false))
          return failure();
        result = SetWindowOp::create(builder, at, type(), alignment, v[0], v[1], v[2], v[3]);
      }
      return success();
    }
    if (name == "prefix") {
      Value length;
      if (parser.parseLess() || parseParameter(length) || parser.parseGreater())
        return failure();
      result = SetPrefixOp::create(builder, at, type(), length);
      return success();
    }
    if (name == "lengths") {
      Value v[2] = {};
      if (parser.parseLess() || parseParameters({"q", "k"}, v, true))
        return failure();
      result = SetLengthsOp::create(builder, at, type(), v[0], v[1]);
      return success();
    }
    if (name == "same_segment") {
      Value v[2] = {};
      if (parser.parseLess())
        return failure();
      OpAsmParser::UnresolvedOperand probe;
      OptionalParseResult single = parser.parseOptionalOperand(probe);
      if (single.has_value()) {
        if (failed(*single) || resolveCaptured(parser, probe, v[0]) || parser.parseGreater())
          return failure();
        v[1] = v[0];
      } else if (parseParameters({"q", "k"}, v, true)) {
        return failure();
      }
      if (!v[0] || !v[1])
        return parser.emitError(where, "[same_segment_c2] give one tensor, or both q and k");
      result = SetSegmentOp::create(builder, at, type(), v[0], v[1]);
      return success();
    }
    if (name == "mask") {
      OpAsmParser::UnresolvedOperand operand;
      Value mask;
      AffineMap map;
      if (parser.parseLess() || parser.parseOperand(operand) || parseIndexList(parser, dims, map) ||
          resolveCaptured(parser, operand, mask) || parser.parseGreater())
        return failure();
      result = SetMaskOp::create(builder, at, type(), mask, AffineMapAttr::get(map));
      return success();
    }
    return parser.emitError(where)
           << "[set_name] no set is called '" << name
           << "'; there are full, empty, causal, window, prefix, lengths, same_segment, mask and where";
  }

  OpAsmParser &parser;
  OpBuilder &builder;
  ArrayRef<StringRef> dims;
  unsigned numIndices;
  unsigned depth = 0;
};

/// A constant prints as its number, a kernel argument by name, anything else with its type.
void printParameter(OpAsmPrinter &p, Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    p << constant.getSExtValue();
    return;
  }
  p << value;
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg || !isa_and_nonnull<KernelOp>(arg.getOwner()->getParentOp()))
    p << " : " << value.getType();
}

void printParameters(OpAsmPrinter &p, ArrayRef<std::pair<StringRef, Value>> parameters, bool first) {
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

} // namespace

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
      .Case<SetCausalOp>([&](SetCausalOp o) {
        p << "causal<" << stringifyAlignment(o.getAlignment());
        printParameters(p, {{"q", o.getQLengths()}, {"k", o.getKLengths()}}, false);
        p << ">";
      })
      .Case<SetWindowOp>([&](SetWindowOp o) {
        p << "window<" << stringifyAlignment(o.getAlignment());
        printParameters(
            p, {{"left", o.getLeft()}, {"right", o.getRight()}, {"q", o.getQLengths()}, {"k", o.getKLengths()}}, false);
        p << ">";
      })
      .Case<SetPrefixOp>([&](SetPrefixOp o) {
        p << "prefix<";
        printParameter(p, o.getLength());
        p << ">";
      })
      .Case<SetLengthsOp>([&](SetLengthsOp o) {
        p << "lengths<";
        printParameters(p, {{"q", o.getQ()}, {"k", o.getK()}}, true);
        p << ">";
      })
      .Case<SetSegmentOp>([&](SetSegmentOp o) {
        p << "same_segment<";
        if (o.getQ() == o.getK())
          printParameter(p, o.getQ());
        else
          printParameters(p, {{"q", o.getQ()}, {"k", o.getK()}}, true);
        p << ">";
      })
      .Case<SetMaskOp>([&](SetMaskOp o) {
        p << "mask<" << o.getMask();
        printIndexList(p, o.getMap(), dims);
        auto arg = dyn_cast<BlockArgument>(o.getMask());
        if (!arg || !isa_and_nonnull<KernelOp>(arg.getOwner()->getParentOp()))
          p << " : " << o.getMask().getType();
        p << ">";
      })
      .Case<SetWhereOp>([&](SetWhereOp o) {
        p << "where(";
        printIndexedRegion(p, o.getBody(), dims, 0);
      })
      .Default([&](Operation *) { p << "<<not a set>>"; });
}
