// Text of attn.attend.
#include "OperandSyntax.h"
#include "OutputSyntax.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// `= 0.125` (then the attribute) or `= %s` with an optional type.
static ParseResult parseReal(OpAsmParser &parser, OperationState &result, StringRef attribute, Value &captured) {
  OpAsmParser::UnresolvedOperand operand;
  if (parser.parseEqual())
    return failure();
  OptionalParseResult named = parser.parseOptionalOperand(operand);
  if (named.has_value())
    return failed(*named) ? failure() : resolveCaptured(parser, operand, captured);
  double constant;
  if (parser.parseFloat(constant))
    return failure();
  result.addAttribute(attribute, parser.getBuilder().getF64FloatAttr(constant));
  return success();
}

/// `= 512` (then the attribute) or `= %t` with an optional type.
static ParseResult parseInteger(OpAsmParser &parser, OperationState &result, StringRef attribute, Value &captured) {
  int64_t constant;
  if (parser.parseEqual())
    return failure();
  OptionalParseResult number = parser.parseOptionalInteger(constant);
  if (!number.has_value())
    return parseCaptured(parser, captured);
  if (failed(*number))
    return failure();
  result.addAttribute(attribute, parser.getBuilder().getI64IntegerAttr(constant));
  return success();
}

/// `(seed = %s, probability = 0.1)`.
static ParseResult parseDropout(OpAsmParser &parser, OperationState &result, Value &seed, Value &probability) {
  return failure(parser.parseLParen() || parser.parseKeyword("seed") ||
                 parseInteger(parser, result, "drop_seed_value", seed) || parser.parseComma() ||
                 parser.parseKeyword("probability") ||
                 parseReal(parser, result, "drop_probability_value", probability) || parser.parseRParen());
}

/// `[?, 64]` after the name of a token axis, if it is there.
static ParseResult parseGrid(OpAsmParser &parser, SmallVectorImpl<int64_t> &grid) {
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::OptionalSquare, [&]() -> ParseResult {
    if (succeeded(parser.parseOptionalQuestion())) {
      grid.push_back(ShapedType::kDynamic);
      return success();
    }
    return parser.parseInteger(grid.emplace_back());
  });
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

ParseResult AttendOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  // dims(batch | query | key | features)
  SmallVector<StringRef> dims;
  SmallVector<int64_t> groups(1, 0), grids[2], extents;
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
    SMLoc gridAt = parser.getCurrentLocation();
    if (succeeded(parser.parseOptionalEqual())) { // `c = 64`
      extents.resize(dims.size());
      if (parser.parseInteger(extents.back()))
        return failure();
      if (groups.size() != 4 || extents.back() < 1)
        return parser.emitError(gridAt, "[attend_c3] extents of at least 1 are written for features: dims(b | i | j | "
                                        "c = 64); those of other dimensions are the tensors'");
      continue;
    }
    SmallVector<int64_t> grid;
    if (parseGrid(parser, grid))
      return failure();
    if (grid.empty())
      continue;
    if (groups.size() != 2 && groups.size() != 3)
      return parser.emitError(gridAt, "[attend_c13] the query and the key axis may have grids: dims(b | i[?, 64] | "
                                      "j[?, 64] | c), not batch dimensions and features");
    grids[groups.size() - 2] = grid;
  }
  if (groups.size() != 4 || groups[1] != 1 || groups[2] != 1 || groups[3] < 1)
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
  OperandClauses operands(dims, numBatch);
  if (operands.parseOperands(parser))
    return failure();
  // The clauses: most at most once, in any order, up to `outputs`.
  OutputClauses outputs(dims, numBatch, operands.valueless() ? numBatch + 2 : dims.size() - 1);
  Value scale, first, seed, probability;
  auto setRegion = std::make_unique<Region>(), scoreRegion = std::make_unique<Region>();
  llvm::StringSet<> seen;
  while (true) {
    SMLoc at = parser.getCurrentLocation();
    StringRef clause;
    if (failed(parser.parseOptionalKeyword(&clause, {"scale", "set", "score", "normalize", "first", "dropout", "class",
                                                     "reduce", "epilogue", "columns", "aggregate", "bilinear", "dot"})))
      break;
    if (!OutputClauses::mayRepeat(clause) && !seen.insert(clause).second)
      return parser.emitError(at) << "[attend_clause] '" << clause << "' is given twice";
    if (clause == "scale"                         ? parseReal(parser, result, "scale_value", scale)
        : clause == "set"                         ? parseSetClause(parser, dims, numBatch + 2, *setRegion)
        : clause == "score"                       ? parseScore(parser, dims, numBatch + 2, *scoreRegion)
        : clause == "first"                       ? parseInteger(parser, result, "first_value", first)
        : clause == "dropout"                     ? parseDropout(parser, result, seed, probability)
        : clause == "bilinear" || clause == "dot" ? operands.parse(parser, clause)
                                                  : outputs.parse(parser, clause, result))
      return failure();
  }
  if (operands.valueless() && groups[3] != (int64_t)operands.numContracted())
    return parser.emitError(dimsAt, "[attend_c20] without v there is one feature: dims(b | i | j | c)");
  const unsigned contracted = operands.numContracted();
  if (!operands.valueless() && groups[3] != contracted + 1 && (contracted != 1 || groups[3] != 1))
    return parser.emitError(dimsAt, "[attend_c1] write dims(batch.. | query | key | dot feature, value feature), e.g. "
                                    "dims(b, h | i | j | c, e); here there are ")
           << contracted << " contracted features";
  if (operands.check(parser))
    return failure();

  // outputs o[..], lse[..]
  SmallVector<Attribute> outNames, outMaps;
  if (parser.parseKeyword("outputs"))
    return failure();
  do {
    StringRef name;
    AffineMap outMap;
    if (parser.parseKeyword(&name) ||
        parseIndexList(parser, dims, outMap, OpAsmParser::Delimiter::Square, outputs.rankOf(name)))
      return failure();
    outNames.push_back(b.getStringAttr(name));
    outMaps.push_back(AffineMapAttr::get(outMap));
  } while (succeeded(parser.parseOptionalComma()));

  SMLoc typesAt = parser.getCurrentLocation();
  FunctionType types;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(types))
    return failure();
  if (types.getNumInputs() != operands.numTypes())
    return parser.emitError(typesAt, operands.valueless()
                                         ? "[attend_types] write the types of q and k: `: (Q, K) -> (outputs)`"
                                         : "[attend_types] write the types of q, k and v: `: (Q, K, V) -> (outputs)`")
           << "; behind them those of further parts (q, k, q, k..) and of the bilinear tensor";
  for (Type t : llvm::concat<const Type>(types.getInputs(), types.getResults()))
    if (!isa<RankedTensorType>(t))
      return parser.emitError(typesAt, "[attend_types] operands and outputs of an attend are ranked tensors, not ")
             << t;
  if (operands.resolve(parser, types.getInputs(), typesAt))
    return failure();
  llvm::append_range(result.operands, operands.first);
  auto &properties = result.getOrAddProperties<Properties>();
  properties.operandSegmentSizes = {1,
                                    1,
                                    1,
                                    0,
                                    0,
                                    0,
                                    0,
                                    (int)outputs.normArgs.size(),
                                    (int)outputs.aggregated.size(),
                                    (int)operands.parts.size(),
                                    (int)operands.last.size()};
  const Value optional[] = {scale, first, seed, probability};
  for (auto [n, value] : llvm::enumerate(optional)) {
    if (!value)
      continue;
    result.operands.push_back(value);
    properties.operandSegmentSizes[3 + n] = 1;
  }
  llvm::append_range(result.operands, outputs.normArgs);
  llvm::append_range(result.operands, outputs.aggregated);
  llvm::append_range(result.operands, operands.parts);
  llvm::append_range(result.operands, operands.last);
  for (unsigned n = 0; n < 2; ++n)
    if (!grids[n].empty())
      result.addAttribute(n ? "key_grid" : "query_grid", b.getDenseI64ArrayAttr(grids[n]));

  result.addAttribute("dim_names", b.getArrayAttr(names));
  result.addAttribute("num_batch", b.getI64IntegerAttr(numBatch));
  operands.addAttributes(b, result);
  if (!extents.empty()) {
    extents.resize(dims.size());
    result.addAttribute("feature_extents", b.getDenseI64ArrayAttr(ArrayRef(extents).drop_front(numBatch + 2)));
  }
  result.addAttribute("out_names", b.getArrayAttr(outNames));
  result.addAttribute("out_maps", b.getArrayAttr(outMaps));
  result.addTypes(types.getResults());
  result.addRegion(std::move(setRegion));
  result.addRegion(std::move(scoreRegion));
  outputs.addTo(b, result, /*moreFollow=*/operands.hasRegions());
  operands.addRegions(result);
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
    if (auto written = getFeatureExtents(); written && d >= nb + 2 && d - nb - 2 < written->size())
      if (int64_t extent = (*written)[d - nb - 2]; extent > 0)
        p << " = " << extent;
    auto grid = d == nb ? getQueryGrid() : d == nb + 1 ? getKeyGrid() : std::nullopt;
    if (!grid)
      continue;
    p << "[";
    llvm::interleaveComma(*grid, p, [&](int64_t extent) {
      if (ShapedType::isDynamic(extent))
        p << "?";
      else
        p << extent;
    });
    p << "]";
  }
  p << ")";
  p.increaseIndent();
  p.increaseIndent();
  auto line = [&]() -> OpAsmPrinter & {
    p.printNewline();
    return p;
  };
  printOperands(p, *this, [&] { line(); });
  if (getScale()) {
    line() << "scale = " << getScale() << " : " << getScale().getType();
  } else if (getScaleValue()) {
    line() << "scale = ";
    p.printFloat(*getScaleValue());
  }
  auto integer = [&](Value captured, std::optional<uint64_t> constant) {
    if (captured)
      printCaptured(p, captured);
    else
      p << (constant ? (int64_t)*constant : 0);
  };
  if (getFirst() || getFirstValue()) {
    line() << "first = ";
    integer(getFirst(), getFirstValue());
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
  printOutputClauses(p, *this, [&] { line(); });
  if (hasDropout()) {
    line() << "dropout(seed = ";
    integer(getDropSeed(), getDropSeedValue());
    p << ", probability = ";
    if (getDropProbability())
      printCaptured(p, getDropProbability());
    else
      p.printFloat(getDropProbabilityValue().value_or(APFloat(0.0)));
    p << ")";
  }
  line() << "outputs ";
  for (unsigned r = 0, n = getOutNames().size(); r < n; ++r) {
    p << (r ? ", " : "") << outName(r);
    auto topk = topkOf(*this, outName(r));
    printIndexList(p, outMap(r), getDimNames(), topk ? reductionRank(*topk) : StringRef());
  }
  p.printOptionalAttrDict((*this)->getAttrs(), {"dim_names",     "num_batch",       "q_map",
                                                "k_map",         "v_map",           "out_names",
                                                "out_maps",      "normalizer",      "scale_value",
                                                "first_value",   "drop_seed_value", "drop_probability_value",
                                                "query_grid",    "key_grid",        "operandSegmentSizes",
                                                "norm_values",   "valueless",       "reduce_names",
                                                "reduce_kinds",  "epilogue_args",   "epilogue_outs",
                                                "column_names",  "aggregate_names", "aggregate_maps",
                                                "part_maps",     "bilinear_map",    "feature_extents",
                                                "reduce_counts", "reduce_ranks"});
  line() << ": ";
  p.printFunctionalType(printedTypes(*this), getResultTypes());
  p.decreaseIndent();
  p.decreaseIndent();
}

static void nameIndices(Region &region, ArrayAttr dims, unsigned leading, OpAsmSetValueNameFn setName) {
  for (unsigned a = leading, n = region.getNumArguments(); a < n && a - leading < dims.size(); ++a)
    setName(region.getArgument(a), cast<StringAttr>(dims[a - leading]).getValue());
}

/// `n`: which of the operands' regions.
static void nameOperandRegion(AttendOp op, Region &region, unsigned n, OpAsmSetValueNameFn setName) {
  setName(region.getArgument(0), "x");
  if (n == 3 && region.getNumArguments() > 1)
    setName(region.getArgument(1), "y");
  for (BlockArgument arg : region.getArguments())
    if (int dim = op.dimOf(arg); dim >= 0 && dim < (int)op.numDims())
      setName(arg, op.dimName(dim));
}

void AttendOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (region.empty() || !region.getNumArguments() || &region == &getSet())
    return;
  if (&region == &getScore()) {
    setName(region.getArgument(0), "s");
    nameIndices(region, getDimNames(), 1, setName);
    return;
  }
  if (&region == classRegion())
    return nameIndices(region, getDimNames(), 0, setName);
  if (&region == epilogueRegion())
    return;
  unsigned leading = &region >= &getMore()[0] + 2 + numReductions() ? 2 : 1;
  if (unsigned n = &region - &getMore()[0], base = 2 + numReductions() + numColumns(); n >= base)
    return nameOperandRegion(*this, region, n - base, setName);
  if (region.getNumArguments() < leading)
    return;
  setName(region.getArgument(leading - 1), "s");
  if (leading == 2)
    setName(region.getArgument(0), "w");
  nameIndices(region, getDimNames(), leading, setName);
}

void SetWhereOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (auto attend = (*this)->getParentOfType<AttendOp>())
    nameIndices(region, attend.getDimNames(), 0, setName);
}
