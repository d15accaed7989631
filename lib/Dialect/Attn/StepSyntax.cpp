// Text of attn.map and attn.merge.
#include "Syntax.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// `dims(b, h, i, e)`.
static ParseResult parseDims(OpAsmParser &parser, OperationState &result, SmallVectorImpl<StringRef> &dims) {
  if (parser.parseKeyword("dims") || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
        return parser.parseKeyword(&dims.emplace_back());
      }))
    return failure();
  result.addAttribute("dim_names", parser.getBuilder().getStrArrayAttr(dims));
  return success();
}

static void printDims(OpAsmPrinter &p, ArrayAttr names) {
  p << " dims(";
  llvm::interleaveComma(names, p, [&](Attribute name) { p << cast<StringAttr>(name).getValue(); });
  p << ")";
}

static ArrayAttr arrayOf(Builder &b, ArrayRef<AffineMap> maps) { return b.getAffineMapArrayAttr(maps); }

//===--- attn.map ---===//

static ParseResult parseReduction(OpAsmParser &parser, OperationState &result, ArrayRef<StringRef> dims) {
  Builder &b = parser.getBuilder();
  StringRef kind;
  SmallVector<int64_t> reduced;
  MapReduction reduction = MapReduction::None;
  if (succeeded(parser.parseOptionalKeyword(&kind, {"sum", "max"}))) {
    reduction = kind == "sum" ? MapReduction::Sum : MapReduction::Max;
    auto parseDim = [&]() -> ParseResult {
      SMLoc at = parser.getCurrentLocation();
      StringRef name;
      if (parser.parseKeyword(&name))
        return failure();
      const StringRef *it = llvm::find(dims, name);
      if (it == dims.end())
        return parser.emitError(at) << "[index_name] '" << name << "' is not in dims(" << llvm::join(dims, ", ") << ")";
      reduced.push_back(it - dims.begin());
      return success();
    };
    if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseDim))
      return failure();
  }
  result.addAttribute("reduction", MapReductionAttr::get(parser.getContext(), reduction));
  result.addAttribute("reduced", b.getDenseI64ArrayAttr(reduced));
  return success();
}

ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  SmallVector<StringRef> dims;
  if (parseDims(parser, result, dims) || parseReduction(parser, result, dims))
    return failure();
  // (i = %i, %x = %o[b, h, i, e], %n : i32 = %count[b])
  SmallVector<OpAsmParser::Argument> elements, indices;
  SmallVector<unsigned> positions;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<AffineMap> maps;
  auto parseIndex = [&](SMLoc at, StringRef name) -> ParseResult {
    const StringRef *it = llvm::find(dims, name);
    if (it == dims.end())
      return parser.emitError(at) << "[index_name] '" << name << "' is not in dims(" << llvm::join(dims, ", ")
                                  << "); write an index as `i = %i` and an operand as `%x = %o[i]`";
    if (llvm::is_contained(positions, it - dims.begin()))
      return parser.emitError(at) << "[index_name] '" << name << "' is given twice";
    positions.push_back(it - dims.begin());
    if (parser.parseEqual() || parser.parseArgument(indices.emplace_back()))
      return failure();
    indices.back().type = b.getIndexType();
    return success();
  };
  auto parseInput = [&]() -> ParseResult {
    SMLoc at = parser.getCurrentLocation();
    StringRef name;
    if (succeeded(parser.parseOptionalKeyword(&name)))
      return parseIndex(at, name);
    OpAsmParser::Argument &element = elements.emplace_back();
    if (parser.parseArgument(element))
      return failure();
    element.type = b.getF32Type();
    if (succeeded(parser.parseOptionalColon()) && parser.parseType(element.type))
      return failure();
    return failure(parser.parseEqual() || parser.parseOperand(operands.emplace_back()) ||
                   parseIndexList(parser, dims, maps.emplace_back()));
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseInput))
    return failure();
  SmallVector<OpAsmParser::Argument> args(elements);
  args.append(indices);
  SMLoc at = parser.getCurrentLocation();
  Region *region = result.addRegion();
  if (parser.parseRegion(*region, args))
    return failure();
  if (region->empty() || region->front().empty())
    return parser.emitError(at, "[region_empty] the region is empty; end it with attn.yield");
  // One index for each dimension, in order, also for those that the text leaves out.
  Block &block = region->front();
  Location loc = parser.getEncodedSourceLoc(at);
  for (unsigned d = 0; d < dims.size(); ++d) {
    BlockArgument fresh = block.addArgument(b.getIndexType(), loc);
    auto it = llvm::find(positions, d);
    if (it != positions.end())
      block.getArgument(elements.size() + (it - positions.begin())).replaceAllUsesWith(fresh);
  }
  block.eraseArguments(elements.size(), positions.size());

  AffineMap out;
  FunctionType types;
  if (parser.parseArrow() || parseIndexList(parser, dims, out) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  SMLoc typesAt = parser.getCurrentLocation();
  if (parser.parseColonType(types))
    return failure();
  if (types.getNumInputs() != operands.size() || types.getNumResults() != 1)
    return parser.emitError(typesAt, "[map_types] write the type of every operand and of the result: `: (X, G) -> Y`");
  for (Type t : llvm::concat<const Type>(types.getInputs(), types.getResults()))
    if (!isa<RankedTensorType>(t))
      return parser.emitError(typesAt, "[map_types] operands and result of a map are ranked tensors, not ")
             << t << "; the region may use scalars by name";
  result.addAttribute("in_maps", arrayOf(b, maps));
  result.addAttribute("out_map", AffineMapAttr::get(out));
  result.addTypes(types.getResults());
  return parser.resolveOperands(operands, types.getInputs(), typesAt, result.operands);
}

void MapOp::print(OpAsmPrinter &p) {
  printDims(p, getDimNames());
  if (hasReduction()) {
    p << (getReduction() == MapReduction::Sum ? " sum(" : " max(");
    llvm::interleaveComma(getReduced(), p, [&](int64_t d) { p << ((uint64_t)d < numDims() ? dimName(d) : "?"); });
    p << ")";
  }
  p << " (";
  bool first = true;
  unsigned inputs = getInputs().size(), args = getBody().getNumArguments();
  for (unsigned n = 0; n < inputs && n < args; ++n) {
    p << (first ? "" : ", ") << getBody().getArgument(n);
    if (Type t = getBody().getArgument(n).getType(); !t.isF32())
      p << " : " << t;
    p << " = " << getInputs()[n];
    printIndexList(p, n < getInMaps().size() ? inMap(n) : AffineMap::get(getContext()), getDimNames());
    first = false;
  }
  for (unsigned n = inputs; n < args && n - inputs < numDims(); ++n) {
    if (getBody().getArgument(n).use_empty())
      continue;
    p << (first ? "" : ", ") << dimName(n - inputs) << " = " << getBody().getArgument(n);
    first = false;
  }
  p << ") ";
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p << " -> ";
  printIndexList(p, getOutMap(), getDimNames());
  p.printOptionalAttrDict((*this)->getAttrs(), {"dim_names", "in_maps", "out_map", "reduction", "reduced"});
  p << " : ";
  p.printFunctionalType(getInputs().getTypes(), (*this)->getResultTypes());
}

void MapOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  unsigned inputs = getInputs().size();
  for (unsigned n = 0, e = region.getNumArguments(); n < e; ++n)
    if (n < inputs)
      setName(region.getArgument(n), "x");
    else if (n - inputs < numDims())
      setName(region.getArgument(n), dimName(n - inputs));
}

//===--- attn.merge ---===//

namespace {
/// `0.5`, `%x`, `%b[h]`, the last two perhaps with a type: in the parentheses of a part, or of a normalizer's
/// parameters.
struct Item {
  SMLoc at;
  std::optional<double> constant;
  OpAsmParser::UnresolvedOperand operand;
  std::optional<AffineMap> map;
  Type type;
};
} // namespace

/// Behind the parenthesis.
static ParseResult parseItems(OpAsmParser &parser, ArrayRef<StringRef> dims, SmallVectorImpl<Item> &items) {
  auto parseItem = [&]() -> ParseResult {
    Item &item = items.emplace_back();
    item.at = parser.getCurrentLocation();
    OptionalParseResult named = parser.parseOptionalOperand(item.operand);
    if (!named.has_value())
      return parser.parseFloat(item.constant.emplace());
    if (failed(*named))
      return failure();
    if (succeeded(parser.parseOptionalLSquare()) &&
        (parseIndexList(parser, dims, item.map.emplace(), OpAsmParser::Delimiter::None) || parser.parseRSquare()))
      return failure();
    if (succeeded(parser.parseOptionalColon()))
      return parser.parseType(item.type);
    return success();
  };
  return failure(parser.parseCommaSeparatedList(OpAsmParser::Delimiter::None, parseItem) || parser.parseRParen());
}

/// The normalizer's arguments: captured values, and for each one a constant, unit for a scalar, or the map of its
/// indices.
static ParseResult resolveParams(OpAsmParser &parser, ArrayRef<Item> items, unsigned numDims,
                                 SmallVectorImpl<Value> &captured, SmallVectorImpl<Attribute> &values) {
  Builder &b = parser.getBuilder();
  for (const Item &item : items) {
    if (item.constant) {
      values.push_back(b.getF64FloatAttr(*item.constant));
      continue;
    }
    if (failed(resolveCapturedAs(parser, item.operand, item.type, captured.emplace_back())))
      return failure();
    values.push_back(AffineMapAttr::get(item.map.value_or(AffineMap::get(numDims, 0, parser.getContext()))));
  }
  return success();
}

ParseResult MergeOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  MLIRContext *context = parser.getContext();
  SmallVector<StringRef> dims;
  FlatSymbolRefAttr symbol;
  SMLoc at = parser.getCurrentLocation();
  if (parseDims(parser, result, dims))
    return failure();
  if (dims.empty())
    return parser.emitError(at, "[merge_c1] name the dimensions of o, e.g. dims(b, h, i, e)");
  if (parser.parseAttribute(symbol, "normalizer", result.attributes))
    return failure();
  // Parts are separated by commas, so parentheses with others right behind them hold the parameters.
  SmallVector<SmallVector<Item>> parts(1);
  SmallVector<Value> captured;
  SmallVector<Attribute> values;
  auto error = [&] {
    return parser.emitError(at, "[merge_c3] a merge has two or more parts: (%o1, %lse1), (%o2, %lse2)");
  };
  if (parser.parseLParen() || parseItems(parser, dims, parts.back()))
    return failure();
  if (succeeded(parser.parseOptionalLParen())) {
    if (resolveParams(parser, parts.back(), dims.size(), captured, values))
      return failure();
    parts.back().clear();
    if (parseItems(parser, dims, parts.back()))
      return failure();
  }
  if (failed(parser.parseOptionalComma()))
    return error();
  do
    if (parser.parseLParen() || parseItems(parser, dims, parts.emplace_back()))
      return failure();
  while (succeeded(parser.parseOptionalComma()));

  AffineMap all = AffineMap::getMultiDimIdentityMap(dims.size(), context);
  AffineMap most = AffineMap::get(dims.size(), 0, all.getResults().drop_back(), context);
  AffineMap out = all, lse = most;
  if (succeeded(parser.parseOptionalArrow()) &&
      (parser.parseLParen() || parseIndexList(parser, dims, out) || parser.parseComma() ||
       parseIndexList(parser, dims, lse) || parser.parseRParen()))
    return failure();
  FunctionType types;
  if (parser.parseOptionalAttrDict(result.attributes))
    return failure();
  SMLoc typesAt = parser.getCurrentLocation();
  if (parser.parseColonType(types))
    return failure();
  if (types.getNumInputs() != 2 * parts.size() || types.getNumResults() != 2)
    return parser.emitError(typesAt, "[merge_types] write the types of o and lse of every part in order, and of the "
                                     "results: `: (O1, L1, O2, L2) -> (O, L)`");
  for (Type t : llvm::concat<const Type>(types.getInputs(), types.getResults()))
    if (!isa<RankedTensorType>(t))
      return parser.emitError(typesAt, "[merge_types] parts and results of a merge are ranked tensors, not ") << t;
  // First all o, then all lse.
  SmallVector<AffineMap> maps[2];
  for (unsigned n = 0; n < 2; ++n)
    for (auto [p, part] : llvm::enumerate(parts)) {
      if (part.size() != 2 || part[0].constant || part[1].constant)
        return parser.emitError(part.empty() ? at : part[0].at, "[merge_types] a part is (%o, %lse)");
      if (part[n].type)
        return parser.emitError(part[n].at, "[merge_types] the types of parts stand at the end");
      maps[n].push_back(part[n].map.value_or(n ? most : all));
      if (parser.resolveOperand(part[n].operand, types.getInput(2 * p + n), result.operands))
        return failure();
    }
  result.addOperands(captured);
  result.getOrAddProperties<Properties>().operandSegmentSizes = {(int32_t)parts.size(), (int32_t)parts.size(),
                                                                 (int32_t)captured.size()};
  result.addAttribute("part_out_maps", arrayOf(b, maps[0]));
  result.addAttribute("part_lse_maps", arrayOf(b, maps[1]));
  result.addAttribute("out_map", AffineMapAttr::get(out));
  result.addAttribute("lse_map", AffineMapAttr::get(lse));
  if (!values.empty())
    result.addAttribute("norm_values", b.getArrayAttr(values));
  result.addTypes(types.getResults());
  return success();
}

void MergeOp::print(OpAsmPrinter &p) {
  printDims(p, getDimNames());
  p << " " << getNormalizerAttr();
  if (numNormArgs()) {
    p << "(";
    for (unsigned n = 0, end = numNormArgs(); n < end; ++n) {
      p << (n ? ", " : "");
      AttendOp::NormArg arg = normArg(n);
      if (arg.value) {
        p << arg.value;
        if (arg.map && arg.map.getNumResults())
          printIndexList(p, arg.map, getDimNames());
        printCapturedType(p, arg.value);
      } else {
        p.printFloat(APFloat(arg.constant));
      }
    }
    p << ")";
  }
  AffineMap all = AffineMap::getMultiDimIdentityMap(numDims(), getContext());
  AffineMap most = AffineMap::get(numDims(), 0, all.getResults().drop_back(numDims() ? 1 : 0), getContext());
  auto operand = [&](Value v, AffineMap map, AffineMap otherwise) {
    p << v;
    if (map != otherwise)
      printIndexList(p, map, getDimNames());
  };
  SmallVector<Type> types;
  for (unsigned n = 0; n < numParts() && n < getPartLses().size(); ++n) {
    p << (n ? ", (" : " (");
    operand(getPartOuts()[n], partOutMap(n), all);
    p << ", ";
    operand(getPartLses()[n], partLseMap(n), most);
    p << ")";
    types.append({getPartOuts()[n].getType(), getPartLses()[n].getType()});
  }
  if (getOutMap() != all || getLseMap() != most) {
    p << " -> (";
    printIndexList(p, getOutMap(), getDimNames());
    p << ", ";
    printIndexList(p, getLseMap(), getDimNames());
    p << ")";
  }
  p.printOptionalAttrDict((*this)->getAttrs(), {"dim_names", "part_out_maps", "part_lse_maps", "out_map", "lse_map",
                                                "normalizer", "norm_values", "operandSegmentSizes"});
  p << " : ";
  p.printFunctionalType(types, getResultTypes());
}
