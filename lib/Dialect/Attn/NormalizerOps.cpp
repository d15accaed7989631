// attn.normalizer, attn.pass, attn.finish: text and rules.
#include "Rules.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

/// f32 stands for the accumulation type, so no other float may occur.
static LogicalResult verifyFormula(Region &region, StringRef label) {
  return rules::verifyScalarRegion(region, label, /*loads=*/false, [](Type t) {
    return t.isF32() || t.isIndex() || t.isSignlessInteger(1) || t.isSignlessInteger(32) || t.isSignlessInteger(64);
  });
}

/// `(%a, %b) { .. }` with f32 arguments.
static ParseResult parseFloatRegion(OpAsmParser &parser, Region &region) {
  SmallVector<OpAsmParser::Argument> args;
  if (parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren))
    return failure();
  for (auto &arg : args)
    arg.type = parser.getBuilder().getF32Type();
  return parser.parseRegion(region, args);
}

static void printFloatRegion(OpAsmPrinter &p, StringRef keyword, Region &region) {
  p << " " << keyword << "(";
  llvm::interleaveComma(region.getArguments(), p, [&](BlockArgument a) { p << a; });
  p << ") ";
  p.printRegion(region, /*printEntryBlockArgs=*/false);
}

static LogicalResult yieldsFloats(Operation *op, StringRef label, Region &region, unsigned args, unsigned results,
                                  StringRef what) {
  if (region.getNumArguments() != args || llvm::any_of(region.getArgumentTypes(), [](Type t) { return !t.isF32(); }))
    return op->emitOpError("[") << label << "] " << what << " takes " << args << " f32 argument"
                                << (args == 1 ? "" : "s");
  auto yield = dyn_cast<YieldOp>(region.front().back());
  if (!yield || yield.getNumOperands() != results ||
      llvm::any_of(yield.getOperandTypes(), [](Type t) { return !t.isF32(); }))
    return op->emitOpError("[") << label << "] " << what << " yields " << results << " f32 value"
                                << (results == 1 ? "" : "s");
  return success();
}

ParseResult PassOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  Region *gauge = result.addRegion(), *phi = result.addRegion();
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
  SmallVector<Attribute> names;
  SmallVector<int32_t> kinds;
  auto parseSum = [&]() -> ParseResult {
    StringRef name, kind;
    SMLoc kindAt;
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.getCurrentLocation(&kindAt) ||
        parser.parseKeyword(&kind))
      return failure();
    auto k = symbolizeSumKind(kind);
    if (!k)
      return parser.emitError(kindAt, "[pass_sum] a sum is of `one` or of `value`");
    names.push_back(b.getStringAttr(name));
    kinds.push_back((int32_t)*k);
    return success();
  };
  if (parser.parseKeyword("sums") || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseSum) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.addAttribute("sum_names", b.getArrayAttr(names));
  result.addAttribute("sum_kinds", b.getI32ArrayAttr(kinds));
  return success();
}

void PassOp::print(OpAsmPrinter &p) {
  p << " ref = " << stringifyReference(getRef());
  if (!getGauge().empty())
    printFloatRegion(p, "gauge", getGauge());
  printFloatRegion(p, "phi", getPhi());
  p << " sums(";
  for (auto [n, name] : llvm::enumerate(getSumNames()))
    p << (n ? ", " : "") << cast<StringAttr>(name).getValue() << " = "
      << stringifySumKind((SumKind)cast<IntegerAttr>(getSumKinds()[n]).getInt());
  p << ")";
  p.printOptionalAttrDict((*this)->getAttrs(), {"ref", "sum_names", "sum_kinds"});
}

LogicalResult PassOp::verifyRegions() {
  bool max = getRef() == Reference::Max;
  if (max == getGauge().empty())
    return emitOpError(
        max ? "[pass_c1] a pass with a reference needs a gauge(%r0, %r1): how weights change when the reference moves"
            : "[pass_c1] a pass without reference has no gauge");
  if (max && failed(yieldsFloats(*this, "pass_c2", getGauge(), 2, 1, "gauge")))
    return failure();
  if (failed(yieldsFloats(*this, "pass_c2", getPhi(), max ? 2 : 1, 1, "phi")))
    return failure();
  llvm::StringSet<> seen;
  unsigned values = 0;
  if (getSumNames().size() != getSumKinds().size())
    return emitOpError("[pass_c3] one kind for every sum");
  for (auto [name, kind] : llvm::zip(getSumNames(), getSumKinds())) {
    if (!rules::isIdentifier(cast<StringAttr>(name).getValue()))
      return emitOpError("[pass_c3] ") << name << " is no identifier; name sums with letters, digits and _";
    if (!seen.insert(cast<StringAttr>(name).getValue()).second)
      return emitOpError("[pass_c3] the sum ") << name << " is listed twice";
    if (!symbolizeSumKind((uint32_t)cast<IntegerAttr>(kind).getInt()))
      return emitOpError("[pass_c3] a sum is of `one` or of `value`");
    values += cast<IntegerAttr>(kind).getInt() == (int64_t)SumKind::Value;
  }
  if (values > 1)
    return emitOpError("[pass_c3] at most one sum of `value`");
  return failure(failed(verifyFormula(getGauge(), "pass_c4")) || failed(verifyFormula(getPhi(), "pass_c4")));
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

LogicalResult FinishOp::verifyRegions() {
  if (getOutNames().size() != getEmpty().size())
    return emitOpError("[finish_c1] one empty value for every output");
  if (failed(
          yieldsFloats(*this, "finish_c1", getBody(), getBody().getNumArguments(), getOutNames().size(), "the finish")))
    return failure();
  llvm::StringSet<> seen;
  for (Attribute name : getOutNames()) {
    if (!rules::isIdentifier(cast<StringAttr>(name).getValue()))
      return emitOpError("[finish_c2] ") << name << " is no identifier; name outputs with letters, digits and _";
    if (!seen.insert(cast<StringAttr>(name).getValue()).second)
      return emitOpError("[finish_c2] the output ") << name << " is listed twice";
  }
  for (Attribute value : getEmpty())
    if (cast<FloatAttr>(value).getValue().isNaN())
      return emitOpError("[finish_c4] an empty value is a number, inf or neg_inf");
  return verifyFormula(getBody(), "finish_c3");
}

LogicalResult NormalizerOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getNumArguments() != 0)
    return emitOpError("[normalizer_c1] a normalizer has no arguments; its passes and its finish have");
  if (block.empty() || !isa<FinishOp>(block.back()))
    return emitOpError("[normalizer_c1] a normalizer ends with attn.finish");
  PassOp last;
  for (Operation &op : block) {
    if (auto pass = dyn_cast<PassOp>(op))
      last = pass;
    else if (!isa<FinishOp>(op) || &op != &block.back())
      return op.emitOpError("[normalizer_c1] a normalizer holds attn.pass ops, then one attn.finish");
  }
  if (!last)
    return emitOpError("[normalizer_c1] a normalizer has at least one attn.pass");
  unsigned expected = last.getSumNames().size() + (last.getRef() == Reference::Max ? 1 : 0);
  if (cast<FinishOp>(block.back()).getBody().getNumArguments() != expected)
    return emitOpError("[normalizer_c2] the finish takes ")
           << expected << " arguments: the reference if there is one, then the sums of the last pass";
  return success();
}
