// Text of attn.attend, and the pieces of syntax that set expressions share with it.
#include "Syntax.h"

#include "llvm/ADT/StringSet.h"

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

ParseResult attn::syntax::resolveCaptured(OpAsmParser &parser, const OpAsmParser::UnresolvedOperand &operand,
                                          Value &value) {
  Type type = KernelScope::lookup(operand.name);
  if (succeeded(parser.parseOptionalColon())) {
    if (parser.parseType(type))
      return failure();
  } else if (!type) {
    return parser.emitError(operand.location)
           << "[captured_type] " << operand.name << " is no argument of the kernel; write its type: `" << operand.name
           << " : type`";
  }
  SmallVector<Value> values;
  if (parser.resolveOperand(operand, type, values))
    return failure();
  value = values.front();
  return success();
}

ParseResult attn::syntax::parseCaptured(OpAsmParser &parser, Value &value) {
  OpAsmParser::UnresolvedOperand operand;
  return failure(parser.parseOperand(operand) || resolveCaptured(parser, operand, value));
}

ParseResult attn::syntax::parseIndexList(OpAsmParser &parser, ArrayRef<StringRef> dims, AffineMap &map) {
  MLIRContext *context = parser.getContext();
  SmallVector<AffineExpr> results;
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
    }
    results.push_back(expr);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseIndex))
    return failure();
  map = AffineMap::get(dims.size(), 0, results, context);
  return success();
}

void attn::syntax::printIndexList(OpAsmPrinter &p, AffineMap map, ArrayAttr dims) {
  auto name = [&](AffineExpr e) -> StringRef {
    auto dim = dyn_cast<AffineDimExpr>(e);
    return dim && dim.getPosition() < dims.size() ? cast<StringAttr>(dims[dim.getPosition()]).getValue()
                                                  : StringRef("?");
  };
  p << "[";
  llvm::interleaveComma(map.getResults(), p, [&](AffineExpr e) {
    if (auto constant = dyn_cast<AffineConstantExpr>(e)) {
      p << constant.getValue();
    } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(e)) {
      p << name(binary.getLHS()) << " floordiv ";
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

ParseResult attn::syntax::parseIndexedRegion(OpAsmParser &parser, ArrayRef<StringRef> dims, unsigned numIndices,
                                             ArrayRef<OpAsmParser::Argument> leading, Region &region) {
  SmallVector<OpAsmParser::Argument> args(leading);
  SmallVector<unsigned> positions;
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
    const StringRef *it = llvm::find(dims.take_front(numIndices), name);
    if (it == dims.begin() + numIndices)
      return parser.emitError(at) << "[index_name] '" << name << "' is no batch, query or key dimension; there are "
                                  << llvm::join(dims.take_front(numIndices), ", ");
    if (llvm::is_contained(positions, it - dims.begin()))
      return parser.emitError(at) << "[index_name] '" << name << "' is given twice";
    positions.push_back(it - dims.begin());
    arg.type = index;
    args.push_back(arg);
  }
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseRegion(region, args))
    return failure();
  if (region.empty() || region.front().empty())
    return parser.emitError(at, "[region_empty] the region is empty; end it with attn.yield");
  // One index argument a dimension, in order: those that the text does not name are added, then all are sorted by use
  // replacement.
  Block &block = region.front();
  Location loc = parser.getEncodedSourceLoc(at);
  for (unsigned d = 0; d < numIndices; ++d) {
    BlockArgument fresh = block.addArgument(index, loc);
    auto it = llvm::find(positions, d);
    if (it != positions.end())
      block.getArgument(leading.size() + (it - positions.begin())).replaceAllUsesWith(fresh);
  }
  block.eraseArguments(leading.size(), positions.size());
  return success();
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

/// `= 0.125` or `= %s` with an optional type.
static ParseResult parseScale(OpAsmParser &parser, OperationState &result, Value &scale) {
  if (parser.parseEqual())
    return failure();
  OpAsmParser::UnresolvedOperand operand;
  OptionalParseResult captured = parser.parseOptionalOperand(operand);
  if (captured.has_value())
    return failed(*captured) ? failure() : resolveCaptured(parser, operand, scale);
  double constant;
  if (parser.parseFloat(constant))
    return failure();
  result.addAttribute("scale_value", parser.getBuilder().getF64FloatAttr(constant));
  return success();
}

static ParseResult parseSetClause(OpAsmParser &parser, ArrayRef<StringRef> dims, unsigned numIndices, Region &region) {
  Location loc = parser.getEncodedSourceLoc(parser.getCurrentLocation());
  OpBuilder builder(parser.getContext());
  builder.createBlock(&region);
  Value set;
  if (parser.parseEqual() || parseSet(parser, builder, dims, numIndices, set))
    return failure();
  YieldOp::create(builder, loc, set);
  return success();
}

static ParseResult parseScore(OpAsmParser &parser, ArrayRef<StringRef> dims, unsigned numIndices, Region &region) {
  OpAsmParser::Argument score;
  if (parser.parseLParen() || parser.parseArgument(score))
    return failure();
  score.type = parser.getBuilder().getF32Type();
  if (succeeded(parser.parseOptionalColon()) && parser.parseType(score.type))
    return failure();
  return parseIndexedRegion(parser, dims, numIndices, score, region);
}

static ParseResult parseNormalize(OpAsmParser &parser, OperationState &result) {
  FlatSymbolRefAttr symbol;
  return failure(parser.parseEqual() || parser.parseAttribute(symbol, "normalizer", result.attributes));
}

ParseResult AttendOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  // dims(batch | query | key | features)
  SmallVector<StringRef> dims;
  SmallVector<int64_t> groups(1, 0);
  SMLoc dimsAt = parser.getCurrentLocation();
  if (parser.parseKeyword("dims") || parser.parseLParen())
    return failure();
  while (failed(parser.parseOptionalRParen())) {
    if (succeeded(parser.parseOptionalVerticalBar())) {
      groups.push_back(0);
      continue;
    }
    if (groups.back() > 0 && parser.parseComma())
      return failure();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    dims.push_back(name);
    ++groups.back();
  }
  if (groups.size() != 4 || groups[1] != 1 || groups[2] != 1 || groups[3] < 1 || groups[3] > 2)
    return parser.emitError(
        dimsAt,
        "[attend_c1] write dims(batch.. | query | key | dot feature, value feature), e.g. dims(b, h | i | j | c, e)");
  if (groups[0] > 4)
    return parser.emitError(dimsAt, "[attend_c1] at most 4 batch dimensions");
  SmallVector<Attribute> names;
  for (StringRef d : dims)
    names.push_back(b.getStringAttr(d));
  unsigned numBatch = groups[0];

  // q = %q[..] k = %k[..] v = %v[..]
  OpAsmParser::UnresolvedOperand operand[3];
  AffineMap map[3];
  for (auto [n, name] : llvm::enumerate(ArrayRef<StringRef>{"q", "k", "v"}))
    if (parser.parseKeyword(name) || parser.parseEqual() || parser.parseOperand(operand[n]) ||
        parseIndexList(parser, dims, map[n]))
      return failure();
  // scale, set, score, normalize: each at most once, in any order, up to `outputs`.
  Value scale;
  auto setRegion = std::make_unique<Region>(), scoreRegion = std::make_unique<Region>();
  llvm::StringSet<> seen;
  while (true) {
    SMLoc at = parser.getCurrentLocation();
    StringRef clause;
    if (failed(parser.parseOptionalKeyword(&clause, {"scale", "set", "score", "normalize"})))
      break;
    if (!seen.insert(clause).second)
      return parser.emitError(at) << "[attend_clause] '" << clause << "' is given twice";
    if (clause == "scale"   ? parseScale(parser, result, scale)
        : clause == "set"   ? parseSetClause(parser, dims, numBatch + 2, *setRegion)
        : clause == "score" ? parseScore(parser, dims, numBatch + 2, *scoreRegion)
                            : parseNormalize(parser, result))
      return failure();
  }

  // outputs o[..], lse[..]
  SmallVector<Attribute> outNames, outMaps;
  if (parser.parseKeyword("outputs"))
    return failure();
  do {
    StringRef name;
    AffineMap outMap;
    if (parser.parseKeyword(&name) || parseIndexList(parser, dims, outMap))
      return failure();
    outNames.push_back(b.getStringAttr(name));
    outMaps.push_back(AffineMapAttr::get(outMap));
  } while (succeeded(parser.parseOptionalComma()));

  SMLoc typesAt = parser.getCurrentLocation();
  FunctionType types;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(types))
    return failure();
  if (types.getNumInputs() != 3)
    return parser.emitError(typesAt, "[attend_types] write the types of q, k and v: `: (Q, K, V) -> (outputs)`");
  for (Type t : llvm::concat<const Type>(types.getInputs(), types.getResults()))
    if (!isa<RankedTensorType>(t))
      return parser.emitError(typesAt, "[attend_types] operands and outputs of an attend are ranked tensors, not ")
             << t;
  if (parser.resolveOperands(operand, types.getInputs(), typesAt, result.operands))
    return failure();
  if (scale)
    result.operands.push_back(scale);
  result.getOrAddProperties<Properties>().operandSegmentSizes = {1, 1, 1, scale ? 1 : 0, 0, 0, 0};

  result.addAttribute("dim_names", b.getArrayAttr(names));
  result.addAttribute("num_batch", b.getI64IntegerAttr(numBatch));
  result.addAttribute("q_map", AffineMapAttr::get(map[0]));
  result.addAttribute("k_map", AffineMapAttr::get(map[1]));
  result.addAttribute("v_map", AffineMapAttr::get(map[2]));
  result.addAttribute("out_names", b.getArrayAttr(outNames));
  result.addAttribute("out_maps", b.getArrayAttr(outMaps));
  result.addTypes(types.getResults());
  result.addRegion(std::move(setRegion));
  result.addRegion(std::move(scoreRegion));
  return success();
}

void AttendOp::print(OpAsmPrinter &p) {
  p << " dims(";
  unsigned nb = numBatch();
  for (unsigned d = 0, n = numDims(); d < n; ++d) {
    if (d == nb || d == nb + 1 || d == nb + 2)
      p << (d == 0 ? "| " : " | ");
    else if (d > 0)
      p << ", ";
    p << dimName(d);
  }
  p << ")";
  p.increaseIndent();
  p.increaseIndent();
  auto line = [&]() -> OpAsmPrinter & {
    p.printNewline();
    return p;
  };
  auto operand = [&](StringRef name, Value v, AffineMap m) {
    p << name << " = " << v;
    printIndexList(p, m, getDimNames());
  };
  line();
  operand("q", getQ(), getQMap());
  operand(" k", getK(), getKMap());
  operand(" v", getV(), getVMap());
  if (getScale()) {
    line() << "scale = " << getScale() << " : " << getScale().getType();
  } else if (getScaleValue()) {
    line() << "scale = ";
    p.printFloat(*getScaleValue());
  }
  if (!getSet().empty()) {
    line() << "set = ";
    auto yield = dyn_cast<YieldOp>(getSet().front().back());
    if (yield && yield->getNumOperands() == 1)
      printSet(p, yield.getOperand(0), getDimNames());
    else
      p << "<<not a set>>";
  }
  if (!getScore().empty()) {
    line() << "score(";
    if (getScore().getNumArguments()) {
      p << getScore().getArgument(0);
      if (!getScore().getArgument(0).getType().isF32())
        p << " : " << getScore().getArgument(0).getType();
    }
    printIndexedRegion(p, getScore(), getDimNames(), 1);
  }
  if (getNormalizerAttr())
    line() << "normalize = " << getNormalizerAttr();
  line() << "outputs ";
  for (unsigned r = 0, n = getOutNames().size(); r < n; ++r) {
    p << (r ? ", " : "") << outName(r);
    printIndexList(p, outMap(r), getDimNames());
  }
  p.printOptionalAttrDict((*this)->getAttrs(), {"dim_names", "num_batch", "q_map", "k_map", "v_map", "out_names",
                                                "out_maps", "normalizer", "scale_value", "operandSegmentSizes"});
  line() << ": ";
  p.printFunctionalType(TypeRange{getQ().getType(), getK().getType(), getV().getType()}, getResultTypes());
  p.decreaseIndent();
  p.decreaseIndent();
}

static void nameIndices(Region &region, ArrayAttr dims, unsigned leading, OpAsmSetValueNameFn setName) {
  for (unsigned a = leading, n = region.getNumArguments(); a < n && a - leading < dims.size(); ++a)
    setName(region.getArgument(a), cast<StringAttr>(dims[a - leading]).getValue());
}

void AttendOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (&region != &getScore() || region.empty() || !region.getNumArguments())
    return;
  setName(region.getArgument(0), "s");
  nameIndices(region, getDimNames(), 1, setName);
}

void SetWhereOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (auto attend = (*this)->getParentOfType<AttendOp>())
    nameIndices(region, attend.getDimNames(), 0, setName);
}
