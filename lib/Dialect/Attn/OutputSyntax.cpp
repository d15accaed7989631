#include "OutputSyntax.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// The dimensions that an epilogue may take indices of: batch, query, value feature.
static SmallVector<unsigned> dimsOfEpilogue(unsigned numBatch, unsigned valueDim) {
  SmallVector<unsigned> dims = llvm::to_vector(llvm::seq<unsigned>(0, numBatch + 1));
  dims.push_back(valueDim);
  return dims;
}

SmallVector<unsigned> AttendOp::epilogueDims() { return dimsOfEpilogue(numBatch(), valueDim()); }

/// `%x[b, h, i]` or `%x`, with `: type` where it is no argument of the kernel.
static ParseResult parseElement(OpAsmParser &parser, ArrayRef<StringRef> dims, Value &value, AffineMap &map) {
  OpAsmParser::UnresolvedOperand operand;
  return failure(parser.parseOperand(operand) ||
                 parseIndexList(parser, dims, map, OpAsmParser::Delimiter::OptionalSquare) ||
                 resolveCaptured(parser, operand, value));
}

static void printElement(OpAsmPrinter &p, Value value, AffineMap map, ArrayAttr dims) {
  p << value;
  if (map && map.getNumResults())
    printIndexList(p, map, dims);
  printCapturedType(p, value);
}

bool OutputClauses::mayRepeat(StringRef clause) {
  return clause == "reduce" || clause == "columns" || clause == "aggregate";
}

ParseResult OutputClauses::parse(Parser &parser, StringRef clause, OperationState &result) {
  if (clause == "normalize")
    return normalize(parser, result);
  if (clause == "reduce")
    return reduce(parser);
  if (clause == "epilogue")
    return epilogue(parser);
  if (clause == "columns")
    return columns(parser);
  if (clause == "aggregate")
    return aggregate(parser);
  classRegion = std::make_unique<Region>();
  return failure(parser.parseLParen() || parseIndexedRegion(parser, dims, numBatch + 2, {}, *classRegion));
}

/// `= @name(1.0, %x, %b[h])`
ParseResult OutputClauses::normalize(Parser &parser, OperationState &result) {
  FlatSymbolRefAttr symbol;
  if (parser.parseEqual() || parser.parseAttribute(symbol, "normalizer", result.attributes))
    return failure();
  Builder &b = parser.getBuilder();
  return parser.parseCommaSeparatedList(Parser::Delimiter::OptionalParen, [&]() -> ParseResult {
    Parser::UnresolvedOperand operand;
    OptionalParseResult named = parser.parseOptionalOperand(operand);
    if (!named.has_value()) {
      double constant;
      if (parser.parseFloat(constant))
        return failure();
      normValues.push_back(b.getF64FloatAttr(constant));
      return success();
    }
    AffineMap map;
    Value value;
    if (failed(*named) || parseIndexList(parser, dims, map, Parser::Delimiter::OptionalSquare) ||
        resolveCaptured(parser, operand, value))
      return failure();
    normValues.push_back(AffineMapAttr::get(map));
    normArgs.push_back(value);
    return success();
  });
}

/// `(%w, %s, i = %i)` and a region; numbers are f32 unless the text says otherwise.
ParseResult OutputClauses::scores(Parser &parser, unsigned count, Region &region) {
  SmallVector<Parser::Argument> args(count);
  for (auto [n, arg] : llvm::enumerate(args)) {
    if ((n ? parser.parseComma() : parser.parseLParen()) || parser.parseArgument(arg))
      return failure();
    arg.type = parser.getBuilder().getF32Type();
    if (succeeded(parser.parseOptionalColon()) && parser.parseType(arg.type))
      return failure();
  }
  return parseIndexedRegion(parser, dims, numBatch + 2, args, region);
}

StringRef OutputClauses::rankOf(StringRef output) const {
  for (auto [name, rank] : llvm::zip(reduceNames, reduceRanks))
    if (cast<StringAttr>(name).getValue() == output)
      return cast<StringAttr>(rank).getValue();
  return {};
}

/// `NAME = KIND(%s, j = %j) { .. }` or `NAME[n] = topk 8(..) { .. }`, or without a region of the score itself.
ParseResult OutputClauses::reduce(Parser &parser) {
  StringRef name, kind, rank;
  SMLoc at;
  if (parser.parseKeyword(&name) ||
      (succeeded(parser.parseOptionalLSquare()) && (parser.parseKeyword(&rank) || parser.parseRSquare())) ||
      parser.parseEqual() || parser.getCurrentLocation(&at) || parser.parseKeyword(&kind))
    return failure();
  auto k = symbolizeReduceKind(kind);
  if (!k)
    return parser.emitError(at, "[attend_reduce] a reduction is weighted, sum, max, min, argmax or topk");
  int64_t count = 0;
  if (k == ReduceKind::TopK && parser.parseInteger(count))
    return failure();
  if ((k == ReduceKind::TopK) == rank.empty())
    return parser.emitError(at) << "[attend_reduce] "
                                << (rank.empty() ? "a topk names the axis of its ranks: `reduce ids[n] = topk 8`"
                                                 : "a topk alone has an axis of ranks");
  reduceNames.push_back(parser.getBuilder().getStringAttr(name));
  reduceKinds.push_back((int64_t)*k);
  reduceRanks.push_back(parser.getBuilder().getStringAttr(rank));
  reduceCounts.push_back(count);
  Region &region = *reductions.emplace_back(std::make_unique<Region>());
  // The parenthesis is read again by what follows: a score argument starts with %.
  if (failed(parser.parseOptionalLParen()))
    return success();
  Parser::Argument score;
  if (parser.parseArgument(score))
    return failure();
  score.type = parser.getBuilder().getF32Type();
  if (succeeded(parser.parseOptionalColon()) && parser.parseType(score.type))
    return failure();
  return parseIndexedRegion(parser, dims, numBatch + 2, score, region);
}

/// `(o = %o, lse = %l, h = %h, e = %e) -> (o, entropy) { .. }`: named numbers first, then indices.
ParseResult OutputClauses::epilogue(Parser &parser) {
  Builder &b = parser.getBuilder();
  SmallVector<unsigned> allowed = dimsOfEpilogue(numBatch, valueDim);
  SmallVector<Parser::Argument> numbers, indices;
  SmallVector<unsigned> positions;
  epilogueRegion = std::make_unique<Region>();
  auto argument = [&]() -> ParseResult {
    SMLoc at = parser.getCurrentLocation();
    StringRef name;
    Parser::Argument arg;
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.parseArgument(arg))
      return failure();
    const StringRef *dim = llvm::find(dims, name);
    const unsigned *it = dim == dims.end() ? allowed.end() : llvm::find(allowed, unsigned(dim - dims.begin()));
    if (dim != dims.end() && it == allowed.end())
      return parser.emitError(at) << "[index_name] an epilogue is a number for each query and value feature; '" << name
                                  << "' is neither, nor a batch dimension";
    if (it == allowed.end()) {
      arg.type = b.getF32Type();
      if (succeeded(parser.parseOptionalColon()) && parser.parseType(arg.type))
        return failure();
      epilogueArgs.push_back(b.getStringAttr(name));
      numbers.push_back(arg);
      return success();
    }
    if (llvm::is_contained(positions, it - allowed.begin()))
      return parser.emitError(at) << "[index_name] '" << name << "' is given twice";
    arg.type = b.getIndexType();
    positions.push_back(it - allowed.begin());
    indices.push_back(arg);
    return success();
  };
  auto output = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    epilogueOuts.push_back(b.getStringAttr(name));
    return success();
  };
  if (parser.parseCommaSeparatedList(Parser::Delimiter::Paren, argument) || parser.parseArrow() ||
      parser.parseCommaSeparatedList(Parser::Delimiter::Paren, output))
    return failure();
  SMLoc at = parser.getCurrentLocation();
  unsigned leading = numbers.size();
  llvm::append_range(numbers, indices);
  if (parser.parseRegion(*epilogueRegion, numbers))
    return failure();
  if (epilogueRegion->empty() || epilogueRegion->front().empty())
    return parser.emitError(at, "[region_empty] the region is empty; end it with attn.yield");
  // One index for each dimension, in order, whether the text names it or not.
  Block &block = epilogueRegion->front();
  for (unsigned d = 0; d < allowed.size(); ++d) {
    BlockArgument fresh = block.addArgument(b.getIndexType(), parser.getEncodedSourceLoc(at));
    auto it = llvm::find(positions, d);
    if (it != positions.end())
      block.getArgument(leading + (it - positions.begin())).replaceAllUsesWith(fresh);
  }
  block.eraseArguments(leading, positions.size());
  return success();
}

/// `NAME = sum(%w, %s, i = %i, j = %j) { .. }`
ParseResult OutputClauses::columns(Parser &parser) {
  StringRef name;
  if (parser.parseKeyword(&name) || parser.parseEqual() || parser.parseKeyword("sum"))
    return failure();
  columnNames.push_back(parser.getBuilder().getStringAttr(name));
  return scores(parser, 2, *columnRegions.emplace_back(std::make_unique<Region>()));
}

/// `NAME = %u[b, h, i, e]`
ParseResult OutputClauses::aggregate(Parser &parser) {
  StringRef name;
  Value value;
  AffineMap map;
  if (parser.parseKeyword(&name) || parser.parseEqual() || parseElement(parser, dims, value, map))
    return failure();
  if (!isa<RankedTensorType>(value.getType()))
    return parser.emitError(parser.getCurrentLocation(), "[attend_c19] what is aggregated is a tensor");
  aggregateNames.push_back(parser.getBuilder().getStringAttr(name));
  aggregateMaps.push_back(AffineMapAttr::get(map));
  aggregated.push_back(value);
  return success();
}

void OutputClauses::addTo(Builder &b, OperationState &result, bool moreFollow) {
  auto add = [&](StringRef name, ArrayRef<Attribute> values) {
    if (!values.empty())
      result.addAttribute(name, b.getArrayAttr(values));
  };
  add("norm_values", normValues);
  add("reduce_names", reduceNames);
  if (!reduceKinds.empty())
    result.addAttribute("reduce_kinds", b.getDenseI64ArrayAttr(reduceKinds));
  if (llvm::is_contained(reduceKinds, (int64_t)ReduceKind::TopK)) {
    result.addAttribute("reduce_counts", b.getDenseI64ArrayAttr(reduceCounts));
    result.addAttribute("reduce_ranks", b.getArrayAttr(reduceRanks));
  }
  add("epilogue_args", epilogueArgs);
  add("epilogue_outs", epilogueOuts);
  add("column_names", columnNames);
  add("aggregate_names", aggregateNames);
  add("aggregate_maps", aggregateMaps);
  if (!classRegion && !epilogueRegion && reductions.empty() && columnRegions.empty() && !moreFollow)
    return;
  result.addRegion(classRegion ? std::move(classRegion) : std::make_unique<Region>());
  result.addRegion(epilogueRegion ? std::move(epilogueRegion) : std::make_unique<Region>());
  for (auto &region : reductions)
    result.addRegion(std::move(region));
  for (auto &region : columnRegions)
    result.addRegion(std::move(region));
}

static void printNumber(OpAsmPrinter &p, BlockArgument arg) {
  p << arg;
  if (!arg.getType().isF32())
    p << " : " << arg.getType();
}

/// `(%w, %s, i = %i) { .. }`
static void printScores(OpAsmPrinter &p, Region &region, ArrayAttr dims, unsigned leading) {
  p << "(";
  for (unsigned n = 0; n < leading && n < region.getNumArguments(); ++n) {
    p << (n ? ", " : "");
    printNumber(p, region.getArgument(n));
  }
  printIndexedRegion(p, region, dims, leading);
}

static void printEpilogue(OpAsmPrinter &p, AttendOp op) {
  Region &region = *op.epilogueRegion();
  SmallVector<unsigned> dims = op.epilogueDims();
  ArrayAttr names = op.getEpilogueArgsAttr();
  unsigned leading = names ? names.size() : 0;
  p << "epilogue(";
  bool first = true;
  for (unsigned n = 0, end = region.getNumArguments(); n < end; ++n) {
    BlockArgument arg = region.getArgument(n);
    if (n >= leading + dims.size() || (n >= leading && arg.use_empty()))
      continue;
    p << (first ? "" : ", ");
    first = false;
    p << (n < leading ? cast<StringAttr>(names[n]).getValue() : op.dimName(dims[n - leading])) << " = ";
    if (n < leading)
      printNumber(p, arg);
    else
      p << arg;
  }
  p << ") -> (";
  if (op.getEpilogueOuts())
    llvm::interleaveComma(*op.getEpilogueOuts(), p, [&](Attribute a) { p << cast<StringAttr>(a).getValue(); });
  p << ") ";
  p.printRegion(region, /*printEntryBlockArgs=*/false);
}

void attn::syntax::printOutputClauses(OpAsmPrinter &p, AttendOp op, llvm::function_ref<void()> line) {
  if (Region *region = op.classRegion()) {
    line();
    p << "class(";
    printIndexedRegion(p, *region, op.getDimNames(), 0);
  }
  if (op.getNormalizerAttr()) {
    line();
    p << "normalize = " << op.getNormalizerAttr();
    for (unsigned n = 0, end = op.numNormArgs(); n < end; ++n) {
      p << (n ? ", " : "(");
      AttendOp::NormArg arg = op.normArg(n);
      if (arg.value)
        printElement(p, arg.value, arg.map, op.getDimNames());
      else
        p.printFloat(APFloat(arg.constant));
    }
    if (op.numNormArgs())
      p << ")";
  }
  for (unsigned n = 0; n < op.numReductions(); ++n) {
    line();
    p << "reduce " << op.reductionName(n);
    if (op.reductionKind(n) == ReduceKind::TopK)
      p << "[" << op.reductionRank(n) << "] = topk " << op.reductionCount(n);
    else
      p << " = " << stringifyReduceKind(op.reductionKind(n));
    if (Region *region = op.reductionRegion(n))
      printScores(p, *region, op.getDimNames(), 1);
  }
  for (unsigned n = 0; n < op.numColumns(); ++n) {
    line();
    p << "columns " << cast<StringAttr>((*op.getColumnNames())[n]).getValue() << " = sum";
    if (Region *region = op.columnRegion(n))
      printScores(p, *region, op.getDimNames(), 2);
  }
  for (unsigned n = 0; n < op.numAggregates() && n < op.getAggregated().size(); ++n) {
    line();
    p << "aggregate " << cast<StringAttr>((*op.getAggregateNames())[n]).getValue() << " = ";
    printElement(p, op.getAggregated()[n], cast<AffineMapAttr>((*op.getAggregateMaps())[n]).getValue(),
                 op.getDimNames());
  }
  if (op.epilogueRegion()) {
    line();
    printEpilogue(p, op);
  }
}
