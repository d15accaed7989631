// Text of the sets over token positions: causal and its kin, prefixes, segments, masks.
#include "SetParser.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// Sets along a diagonal: `name<top_left, step = 4, q = %ql, k = %kl>`.
static ParseResult parseAligned(SetParser &p, Location at, StringRef name, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  AlignmentAttr alignment;
  Value left, right, q, k;
  std::optional<int64_t> extra;
  SmallVector<NamedArgument, 4> arguments;
  if (name == "window")
    arguments.append({{"left", &left}, {"right", &right}});
  else if (name == "dilated")
    arguments.push_back({"step", &extra});
  else if (name == "block_causal")
    arguments.push_back({"block", &extra});
  arguments.append({{"q", &q}, {"k", &k}});
  if (p.parseAlignment(alignment) || p.parseArguments(arguments, false))
    return failure();
  if (name == "causal") {
    result = SetCausalOp::create(p.builder, at, p.type(), alignment, q, k);
  } else if (name == "window") {
    result = SetWindowOp::create(p.builder, at, p.type(), alignment, left, right, q, k);
  } else if (name == "not_self") {
    result = SetNotSelfOp::create(p.builder, at, p.type(), alignment, q, k);
  } else if (name == "dilated") {
    if (!extra)
      return p.parser.emitError(where, "[dilated_c2] give the step: `dilated<top_left, step = 4>`");
    result = SetDilatedOp::create(p.builder, at, p.type(), alignment, q, k, p.builder.getI64IntegerAttr(*extra));
  } else {
    if (!extra)
      return p.parser.emitError(where, "[block_causal_c2] give the block: `block_causal<top_left, block = 128>`");
    result = SetBlockCausalOp::create(p.builder, at, p.type(), alignment, q, k, p.builder.getI64IntegerAttr(*extra));
  }
  return success();
}

/// `name<4>`, `name<%n>`.
template <typename Op> static ParseResult parseCount(SetParser &p, Location at, StringRef, Value &result) {
  Value length;
  if (p.parseParameter(length) || p.parser.parseGreater())
    return failure();
  result = Op::create(p.builder, at, p.type(), length);
  return success();
}

static ParseResult parseLengths(SetParser &p, Location at, StringRef, Value &result) {
  Value q, k;
  if (p.parseArguments({{"q", &q}, {"k", &k}}, true))
    return failure();
  result = SetLengthsOp::create(p.builder, at, p.type(), q, k);
  return success();
}

/// `name<%seg>` or `name<q = %a, k = %b>`, with more arguments for shared_prefix.
static ParseResult parseSegments(SetParser &p, Location at, StringRef name, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  Value q, k, shared, all;
  SmallVector<NamedArgument, 4> arguments;
  OpAsmParser::UnresolvedOperand probe;
  OptionalParseResult single = p.parser.parseOptionalOperand(probe);
  if (single.has_value()) {
    if (failed(*single) || resolveCaptured(p.parser, probe, q))
      return failure();
    k = q;
  } else {
    arguments.append({{"q", &q}, {"k", &k}});
  }
  bool prefix = name == "shared_prefix";
  if (prefix)
    arguments.append({{"shared", &shared}, {"all", &all}});
  if (arguments.empty() ? p.parser.parseGreater() : p.parseArguments(arguments, !single.has_value()))
    return failure();
  if (!q || !k)
    return p.parser.emitError(where) << (prefix ? "[shared_prefix_c2]" : "[same_segment_c2]")
                                     << " give one tensor, or both q and k";
  if (prefix && !shared)
    shared = arith::ConstantIndexOp::create(p.builder, at, 0);
  result = prefix ? (Value)SetSharedPrefixOp::create(p.builder, at, p.type(), q, k, shared, all)
                  : (Value)SetSegmentOp::create(p.builder, at, p.type(), q, k);
  return success();
}

static ParseResult parseMask(SetParser &p, Location at, StringRef, Value &result) {
  Value mask;
  AffineMap map;
  if (p.parseIndexed(mask, map) || p.parser.parseGreater())
    return failure();
  result = SetMaskOp::create(p.builder, at, p.type(), mask, AffineMapAttr::get(map));
  return success();
}

ArrayRef<NamedSet> attn::syntax::tokenSets() {
  static constexpr NamedSet sets[] = {{"causal", parseAligned},
                                      {"window", parseAligned},
                                      {"dilated", parseAligned},
                                      {"not_self", parseAligned},
                                      {"block_causal", parseAligned},
                                      {"prefix", parseCount<SetPrefixOp>},
                                      {"global", parseCount<SetGlobalOp>},
                                      {"sinks", parseCount<SetSinksOp>},
                                      {"lengths", parseLengths},
                                      {"same_segment", parseSegments},
                                      {"shared_prefix", parseSegments},
                                      {"mask", parseMask}};
  return sets;
}

bool attn::syntax::printTokenSet(OpAsmPrinter &p, Operation *op, ArrayAttr dims) {
  auto aligned = [&](StringRef name, auto o, ArrayRef<std::pair<StringRef, Value>> parameters,
                     std::optional<std::pair<StringRef, int64_t>> extra = std::nullopt) {
    p << name << "<" << stringifyAlignment(o.getAlignment());
    if (extra)
      p << ", " << extra->first << " = " << extra->second;
    printParameters(p, parameters, false);
    printParameters(p, {{"q", o.getQLengths()}, {"k", o.getKLengths()}}, false);
    p << ">";
  };
  auto count = [&](StringRef name, Value length) {
    p << name << "<";
    printParameter(p, length);
    p << ">";
  };
  auto segments = [&](StringRef name, Value q, Value k) {
    p << name << "<";
    if (q == k)
      printParameter(p, q);
    else
      printParameters(p, {{"q", q}, {"k", k}}, true);
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](SetCausalOp o) { return aligned("causal", o, {}), true; })
      .Case([&](SetWindowOp o) { return aligned("window", o, {{"left", o.getLeft()}, {"right", o.getRight()}}), true; })
      .Case([&](SetDilatedOp o) { return aligned("dilated", o, {}, {{"step", (int64_t)o.getStep()}}), true; })
      .Case([&](SetNotSelfOp o) { return aligned("not_self", o, {}), true; })
      .Case(
          [&](SetBlockCausalOp o) { return aligned("block_causal", o, {}, {{"block", (int64_t)o.getBlock()}}), true; })
      .Case([&](SetPrefixOp o) { return count("prefix", o.getLength()), true; })
      .Case([&](SetGlobalOp o) { return count("global", o.getLength()), true; })
      .Case([&](SetSinksOp o) { return count("sinks", o.getLength()), true; })
      .Case([&](SetLengthsOp o) {
        p << "lengths<";
        printParameters(p, {{"q", o.getQ()}, {"k", o.getK()}}, true);
        p << ">";
        return true;
      })
      .Case([&](SetSegmentOp o) {
        segments("same_segment", o.getQ(), o.getK());
        p << ">";
        return true;
      })
      .Case([&](SetSharedPrefixOp o) {
        segments("shared_prefix", o.getQ(), o.getK());
        // 0 is what the text means where it says nothing.
        bool usual = matchPattern(o.getShared(), m_Zero());
        printParameters(p, {{"shared", usual ? Value() : o.getShared()}, {"all", o.getAll()}}, false);
        p << ">";
        return true;
      })
      .Case([&](SetMaskOp o) {
        p << "mask<";
        printIndexed(p, o.getMask(), o.getMap(), dims);
        p << ">";
        return true;
      })
      .Default(false);
}
