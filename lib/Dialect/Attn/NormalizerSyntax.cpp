// Text of attn.normalizer, attn.pass, attn.root and attn.finish.
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;

/// `(%a, %b)`, all f32.
static ParseResult parseFloats(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &args) {
  if (parser.parseArgumentList(args, OpAsmParser::Delimiter::OptionalParen))
    return failure();
  for (auto &arg : args)
    arg.type = parser.getBuilder().getF32Type();
  return success();
}

/// `(%a, %b) { .. }` with f32 arguments.
static ParseResult parseFloatRegion(OpAsmParser &parser, Region &region) {
  SmallVector<OpAsmParser::Argument> args;
  SMLoc at = parser.getCurrentLocation();
  if (parseFloats(parser, args) || parser.parseRegion(region, args))
    return failure();
  if (region.empty() || region.front().empty())
    return parser.emitError(at, "[region_empty] the region is empty; end it with attn.yield");
  return success();
}

static void printFloats(OpAsmPrinter &p, Region &region) {
  if (region.getNumArguments() == 0)
    return;
  p << "(";
  llvm::interleaveComma(region.getArguments(), p, [&](BlockArgument a) { p << a; });
  p << ")";
}

static void printFloatRegion(OpAsmPrinter &p, StringRef keyword, Region &region) {
  p << " " << keyword;
  printFloats(p, region);
  p << " ";
  p.printRegion(region, /*printEntryBlockArgs=*/false);
}

ParseResult NormalizerOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> params;
  Region *body = result.addRegion();
  if (parser.parseSymbolName(name, "sym_name", result.attributes) || parseFloats(parser, params) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) || parser.parseRegion(*body, params))
    return failure();
  if (body->empty())
    body->emplaceBlock();
  return success();
}

void NormalizerOp::print(OpAsmPrinter &p) {
  p << " ";
  p.printSymbolName(getSymName());
  printFloats(p, getBody());
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"sym_name"});
  p << " ";
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

namespace {
/// The list behind `sums`.
struct Sums {
  SmallVector<Attribute> names;
  SmallVector<int32_t> kinds;
  SmallVector<int64_t> weights, classes;

  /// `NAME = one|value|count [of K] [in C]`
  ParseResult parse(OpAsmParser &parser) {
    StringRef name, kind;
    SMLoc kindAt;
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.getCurrentLocation(&kindAt) ||
        parser.parseKeyword(&kind))
      return failure();
    auto k = symbolizeSumKind(kind);
    if (!k)
      return parser.emitError(kindAt, "[pass_sum] a sum is of `one`, of `value` or of `count`");
    names.push_back(parser.getBuilder().getStringAttr(name));
    kinds.push_back((int32_t)*k);
    weights.push_back(0);
    classes.push_back(-1);
    if (succeeded(parser.parseOptionalKeyword("of")) && parser.parseInteger(weights.back()))
      return failure();
    return failure(succeeded(parser.parseOptionalKeyword("in")) && parser.parseInteger(classes.back()));
  }
};
} // namespace

ParseResult PassOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  Region *gauge = result.addRegion(), *phi = result.addRegion();
  auto seed = std::make_unique<Region>(), stat = std::make_unique<Region>();
  StringRef ref;
  SMLoc at;
  if (parser.parseKeyword("ref") || parser.parseEqual() || parser.getCurrentLocation(&at) || parser.parseKeyword(&ref))
    return failure();
  auto reference = symbolizeReference(ref);
  if (!reference)
    return parser.emitError(at, "[pass_ref] a reference is max or none");
  result.addAttribute("ref", ReferenceAttr::get(parser.getContext(), *reference));
  if (succeeded(parser.parseOptionalKeyword("gauge")) && parseFloatRegion(parser, *gauge))
    return failure();
  if (parser.parseKeyword("phi") || parseFloatRegion(parser, *phi))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("seed")) && parseFloatRegion(parser, *seed))
    return failure();
  Sums sums;
  if (parser.parseKeyword("sums") ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] { return sums.parse(parser); }))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("stat"))) {
    if (parseFloatRegion(parser, *stat))
      return failure();
    result.addTypes(SmallVector<Type>(stat->front().back().getNumOperands(), b.getF32Type()));
  }
  if (parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.addAttribute("sum_names", b.getArrayAttr(sums.names));
  result.addAttribute("sum_kinds", b.getI32ArrayAttr(sums.kinds));
  if (llvm::any_of(sums.weights, [](int64_t w) { return w != 0; }))
    result.addAttribute("sum_weights", b.getDenseI64ArrayAttr(sums.weights));
  if (llvm::any_of(sums.classes, [](int64_t c) { return c != -1; }))
    result.addAttribute("sum_classes", b.getDenseI64ArrayAttr(sums.classes));
  if (!seed->empty() || !stat->empty()) {
    result.addRegion(std::move(seed));
    result.addRegion(std::move(stat));
  }
  return success();
}

void PassOp::print(OpAsmPrinter &p) {
  p << " ref = " << stringifyReference(getRef());
  if (!getGauge().empty())
    printFloatRegion(p, "gauge", getGauge());
  printFloatRegion(p, "phi", getPhi());
  if (Region *seed = seedRegion())
    printFloatRegion(p, "seed", *seed);
  p << " sums(";
  for (unsigned n = 0; n < getSumNames().size() && n < getSumKinds().size(); ++n) {
    p << (n ? ", " : "") << cast<StringAttr>(getSumNames()[n]).getValue() << " = " << stringifySumKind(kindOf(n));
    if (getSumWeights() && n < getSumWeights()->size() && weightOf(n))
      p << " of " << weightOf(n);
    if (getSumClasses() && n < getSumClasses()->size() && classOf(n) != -1)
      p << " in " << classOf(n);
  }
  p << ")";
  if (Region *stat = statRegion())
    printFloatRegion(p, "stat", *stat);
  p.printOptionalAttrDict((*this)->getAttrs(), {"ref", "sum_names", "sum_kinds", "sum_weights", "sum_classes"});
}

ParseResult RootOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  int64_t sweeps = 40;
  Region *phi = result.addRegion(), *to = result.addRegion();
  if (parser.parseKeyword("phi") || parseFloatRegion(parser, *phi) || parser.parseKeyword("to") ||
      parseFloatRegion(parser, *to))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("at_most")) && parser.parseInteger(sweeps))
    return failure();
  result.addAttribute("at_most", b.getI64IntegerAttr(sweeps));
  result.addTypes(b.getF32Type());
  return parser.parseOptionalAttrDict(result.attributes);
}

void RootOp::print(OpAsmPrinter &p) {
  printFloatRegion(p, "phi", getPhi());
  printFloatRegion(p, "to", getTo());
  if (getAtMost() != 40)
    p << " at_most " << (int64_t)getAtMost();
  p.printOptionalAttrDict((*this)->getAttrs(), {"at_most"});
}

ParseResult FinishOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  if (parseFloatRegion(parser, *result.addRegion()))
    return failure();
  SmallVector<Attribute> names;
  SmallVector<double> empty;
  auto parseName = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    names.push_back(b.getStringAttr(name));
    return success();
  };
  // MLIR has no token for infinities; `-inf` is two tokens, a minus sign being part of a number only.
  auto parseEmpty = [&]() -> ParseResult {
    SMLoc at = parser.getCurrentLocation();
    StringRef word;
    if (succeeded(parser.parseOptionalKeyword(&word))) {
      double inf = std::numeric_limits<double>::infinity();
      if (word != "inf" && word != "neg_inf")
        return parser.emitError(at, "[finish_c1] an empty value is a number, inf or neg_inf");
      empty.push_back(word == "inf" ? inf : -inf);
      return success();
    }
    return parser.parseFloat(empty.emplace_back());
  };
  if (parser.parseKeyword("outputs") || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseName) ||
      parser.parseKeyword("empty") || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseEmpty) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.addAttribute("out_names", b.getArrayAttr(names));
  result.addAttribute("empty", b.getF64ArrayAttr(empty));
  return success();
}

void FinishOp::print(OpAsmPrinter &p) {
  printFloatRegion(p, "", getBody());
  p << " outputs(";
  llvm::interleaveComma(getOutNames(), p, [&](Attribute a) { p << cast<StringAttr>(a).getValue(); });
  p << ") empty(";
  llvm::interleaveComma(getEmpty(), p, [&](Attribute a) {
    APFloat value = cast<FloatAttr>(a).getValue();
    if (value.isInfinity())
      p << (value.isNegative() ? "neg_inf" : "inf");
    else
      p.printFloat(value);
  });
  p << ")";
  p.printOptionalAttrDict((*this)->getAttrs(), {"out_names", "empty"});
}
