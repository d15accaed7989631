// Pieces of the text that attend and the sets share: captured values, index lists, regions over named indices.
#include "Syntax.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

static thread_local KernelScope *currentScope = nullptr;

KernelScope::KernelScope(ArrayRef<OpAsmParser::Argument> args) : outer(currentScope) {
  for (const auto &arg : args)
    types[arg.ssaName.name.str()] = arg.type;
  currentScope = this;
}
KernelScope::~KernelScope() { currentScope = outer; }

Type KernelScope::lookup(StringRef name) {
  if (!currentScope)
    return {};
  auto it = currentScope->types.find(name.str());
  return it == currentScope->types.end() ? Type() : it->second;
}

ParseResult attn::syntax::resolveCapturedAs(OpAsmParser &parser, const OpAsmParser::UnresolvedOperand &operand,
                                            Type type, Value &value) {
  if (!type && !(type = KernelScope::lookup(operand.name)))
    return parser.emitError(operand.location)
           << "[captured_type] " << operand.name << " is no argument of the kernel; write its type: `" << operand.name
           << " : type`";
  SmallVector<Value> values;
  if (parser.resolveOperand(operand, type, values))
    return failure();
  value = values.front();
  return success();
}

ParseResult attn::syntax::resolveCaptured(OpAsmParser &parser, const OpAsmParser::UnresolvedOperand &operand,
                                          Value &value) {
  Type type;
  if (succeeded(parser.parseOptionalColon()) && parser.parseType(type))
    return failure();
  return resolveCapturedAs(parser, operand, type, value);
}

ParseResult attn::syntax::parseCaptured(OpAsmParser &parser, Value &value) {
  OpAsmParser::UnresolvedOperand operand;
  return failure(parser.parseOperand(operand) || resolveCaptured(parser, operand, value));
}

void attn::syntax::printCapturedType(OpAsmPrinter &p, Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg || !isa_and_nonnull<KernelOp>(arg.getOwner()->getParentOp()))
    p << " : " << value.getType();
}

void attn::syntax::printCaptured(OpAsmPrinter &p, Value value) {
  p << value;
  printCapturedType(p, value);
}

ParseResult attn::syntax::parseIndexList(OpAsmParser &parser, ArrayRef<StringRef> dims, AffineMap &map,
                                         OpAsmParser::Delimiter delimiter, StringRef rank) {
  MLIRContext *context = parser.getContext();
  SmallVector<AffineExpr> results;
  bool ranked = false;
  auto parseIndex = [&]() -> ParseResult {
    int64_t constant;
    OptionalParseResult number = parser.parseOptionalInteger(constant);
    if (number.has_value()) {
      results.push_back(getAffineConstantExpr(constant, context));
      return *number;
    }
    SMLoc at = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    const StringRef *it = llvm::find(dims, name);
    if (it == dims.end() && !rank.empty() && name == rank) {
      ranked = true;
      results.push_back(getAffineSymbolExpr(0, context));
      return success();
    }
    if (it == dims.end())
      return parser.emitError(at) << "[index_name] '" << name << "' is not in dims(" << llvm::join(dims, ", ") << ")";
    AffineExpr expr = getAffineDimExpr(it - dims.begin(), context);
    if (succeeded(parser.parseOptionalKeyword("floordiv"))) {
      int64_t divisor;
      SMLoc divisorAt = parser.getCurrentLocation();
      if (parser.parseInteger(divisor))
        return failure();
      if (divisor < 1)
        return parser.emitError(divisorAt, "[index_divisor] a divisor is at least 1");
      expr = expr.floorDiv(divisor);
    } else if (succeeded(parser.parseOptionalPlus())) {
      int64_t offset;
      SMLoc offsetAt = parser.getCurrentLocation();
      if (parser.parseInteger(offset))
        return failure();
      if (offset < 0)
        return parser.emitError(offsetAt, "[index_offset] an offset is at least 0");
      expr = expr + offset;
    }
    results.push_back(expr);
    return success();
  };
  if (parser.parseCommaSeparatedList(delimiter, parseIndex))
    return failure();
  map = AffineMap::get(dims.size(), ranked ? 1 : 0, results, context);
  return success();
}

void attn::syntax::printIndexList(OpAsmPrinter &p, AffineMap map, ArrayAttr dims, StringRef rank) {
  auto name = [&](AffineExpr e) -> StringRef {
    if (isa<AffineSymbolExpr>(e) && !rank.empty())
      return rank;
    auto dim = dyn_cast<AffineDimExpr>(e);
    return dim && dim.getPosition() < dims.size() ? cast<StringAttr>(dims[dim.getPosition()]).getValue()
                                                  : StringRef("?");
  };
  p << "[";
  llvm::interleaveComma(map.getResults(), p, [&](AffineExpr e) {
    if (auto constant = dyn_cast<AffineConstantExpr>(e)) {
      p << constant.getValue();
    } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(e)) {
      p << name(binary.getLHS()) << (binary.getKind() == AffineExprKind::Add ? " + " : " floordiv ");
      if (auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
        p << divisor.getValue();
      else
        p << "?";
    } else {
      p << name(e);
    }
  });
  p << "]";
}

ParseResult attn::syntax::parseSlots(OpAsmParser &parser, ArrayRef<StringRef> dims,
                                     ArrayRef<OpAsmParser::Argument> leading, unsigned numSlots,
                                     llvm::function_ref<int(unsigned, SMLoc)> slotOf, Region &region,
                                     llvm::function_ref<ParseResult(SMLoc, StringRef)> unknown) {
  SmallVector<OpAsmParser::Argument> args(leading);
  SmallVector<int> slots;
  Type index = parser.getBuilder().getIndexType();
  bool first = leading.empty();
  while (failed(parser.parseOptionalRParen())) {
    if (!first && parser.parseComma())
      return failure();
    first = false;
    SMLoc at = parser.getCurrentLocation();
    StringRef name;
    OpAsmParser::Argument arg;
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.parseArgument(arg))
      return failure();
    const StringRef *dim = llvm::find(dims, name);
    int slot = dim == dims.end() ? -1 : slotOf(dim - dims.begin(), at);
    if (slot < 0)
      return unknown(at, name);
    if (llvm::is_contained(slots, slot))
      return parser.emitError(at) << "[index_name] '" << name << "' is given twice";
    slots.push_back(slot);
    arg.type = index;
    args.push_back(arg);
  }
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseRegion(region, args))
    return failure();
  if (region.empty() || region.front().empty())
    return parser.emitError(at, "[region_empty] the region is empty; end it with attn.yield");
  // One index argument a slot, in order: those that the text does not name are added, then all are sorted by use
  // replacement.
  Block &block = region.front();
  Location loc = parser.getEncodedSourceLoc(at);
  for (unsigned n = 0; n < numSlots; ++n) {
    BlockArgument fresh = block.addArgument(index, loc);
    auto it = llvm::find(slots, (int)n);
    if (it != slots.end())
      block.getArgument(leading.size() + (it - slots.begin())).replaceAllUsesWith(fresh);
  }
  block.eraseArguments(leading.size(), slots.size());
  return success();
}

ParseResult attn::syntax::parseIndexedRegion(OpAsmParser &parser, ArrayRef<StringRef> dims, unsigned numIndices,
                                             ArrayRef<OpAsmParser::Argument> leading, Region &region) {
  ArrayRef<StringRef> indices = dims.take_front(numIndices);
  return parseSlots(
      parser, indices, leading, numIndices, [](unsigned d, SMLoc) { return (int)d; }, region,
      [&](SMLoc at, StringRef name) -> ParseResult {
        return parser.emitError(at) << "[index_name] '" << name << "' is no batch, query or key dimension; there are "
                                    << llvm::join(indices, ", ");
      });
}

void attn::syntax::printIndexedRegion(OpAsmPrinter &p, Region &region, ArrayAttr dims, unsigned leading) {
  bool first = leading == 0;
  for (unsigned a = leading, n = region.getNumArguments(); a < n; ++a) {
    BlockArgument arg = region.getArgument(a);
    if (arg.use_empty() || a - leading >= dims.size())
      continue;
    if (!first)
      p << ", ";
    first = false;
    p << cast<StringAttr>(dims[a - leading]).getValue() << " = " << arg;
  }
  p << ") ";
  p.printRegion(region, /*printEntryBlockArgs=*/false);
}
