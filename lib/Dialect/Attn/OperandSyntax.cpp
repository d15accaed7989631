#include "OperandSyntax.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// `%x` with `: type` where it is no f32.
static ParseResult parseNumber(OpAsmParser &parser, OpAsmParser::Argument &arg) {
  if (parser.parseArgument(arg))
    return failure();
  arg.type = parser.getBuilder().getF32Type();
  return failure(succeeded(parser.parseOptionalColon()) && parser.parseType(arg.type));
}

/// `, i = %i, c = %c)` and a region, whose entry block gets `leading` and then one index for each slot.
static ParseResult parseSlotRegion(OpAsmParser &parser, ArrayRef<StringRef> dims,
                                   ArrayRef<OpAsmParser::Argument> leading, unsigned numSlots,
                                   llvm::function_ref<int(unsigned, SMLoc)> slotOf, Region &region) {
  return parseSlots(parser, dims, leading, numSlots, slotOf, region, [&](SMLoc at, StringRef name) -> ParseResult {
    return parser.emitError(at) << "[index_name] this region has no index '" << name
                                << "'; an operand's has its batch dimensions, token and feature, that of dot "
                                   "batch dimensions and the contracted feature";
  });
}

ParseResult OperandClauses::parseRegion(Parser &parser, Operand &operand, unsigned token) {
  Parser::Argument element;
  if (parser.parseLParen() || parseNumber(parser, element))
    return failure();
  auto slotOf = [&](unsigned dim, SMLoc at) -> int {
    if (dim < numBatch)
      return dim;
    if (dim == token)
      return numBatch;
    if (dim < numBatch + 2 || (operand.feature >= 0 && operand.feature != (int)dim))
      return -1;
    operand.feature = dim;
    operand.featureAt = at;
    return numBatch + 1;
  };
  return parseSlotRegion(parser, dims, element, numBatch + 2, slotOf, *operand.region);
}

ParseResult OperandClauses::parseOperand(Parser &parser, Operand &operand, unsigned token) {
  operand.present = true;
  if (parser.parseOperand(operand.name) || parseIndexList(parser, dims, operand.map))
    return failure();
  return succeeded(parser.parseOptionalKeyword("as")) ? parseRegion(parser, operand, token) : ParseResult(success());
}

ParseResult OperandClauses::parseOperands(Parser &parser) {
  auto parseParts = [&](StringRef name, unsigned token, SmallVector<Operand, 2> &parts) -> ParseResult {
    if (parser.parseKeyword(name) || parser.parseEqual())
      return failure();
    do {
      if (parseOperand(parser, parts.emplace_back(), token))
        return failure();
    } while (succeeded(parser.parseOptionalVerticalBar()));
    return success();
  };
  SMLoc at = parser.getCurrentLocation();
  if (parseParts("q", numBatch, q) || parseParts("k", numBatch + 1, k))
    return failure();
  if (q.size() != k.size())
    return parser.emitError(at) << "[attend_c22] q has " << q.size() << " parts and k " << k.size()
                                << "; a part of q meets the part of k at the same place";
  if (failed(parser.parseOptionalKeyword("v")))
    return success();
  if (parser.parseEqual() || parseOperand(parser, v, numBatch + 1))
    return failure();
  SMLoc barAt = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalVerticalBar()))
    return parser.emitError(barAt, "[attend_c22] values have one part; q and k may have several");
  return success();
}

ParseResult OperandClauses::parse(Parser &parser, StringRef clause) {
  if (clause == "bilinear") {
    bilinear.present = true;
    return failure(parser.parseEqual() || parser.parseOperand(bilinear.name) ||
                   parseIndexList(parser, dims, bilinear.map));
  }
  dot.present = true;
  Parser::Argument numbers[2];
  if (parser.parseLParen() || parseNumber(parser, numbers[0]) || parser.parseComma() || parseNumber(parser, numbers[1]))
    return failure();
  auto slotOf = [&](unsigned dim, SMLoc) {
    return dim < numBatch ? (int)dim : dim == numBatch + 2 ? (int)numBatch : -1;
  };
  return parseSlotRegion(parser, dims, numbers, numBatch + 1, slotOf, *dot.region);
}

ParseResult OperandClauses::checkFeature(Parser &parser, Operand &operand, unsigned feature) {
  if (operand.feature < 0 || operand.feature == (int)feature)
    return success();
  InFlightDiagnostic error = parser.emitError(operand.featureAt);
  error << "[index_name] the feature of this operand is not '" << dims[operand.feature] << "'";
  if (feature < dims.size())
    error << "; it is '" << dims[feature] << "'";
  return error;
}

ParseResult OperandClauses::check(Parser &parser) {
  unsigned dotDim = numBatch + 2;
  for (unsigned n = 0; n < q.size(); ++n)
    if (checkFeature(parser, q[n], dotDim + n) ||
        checkFeature(parser, k[n], dotDim + n + (n == 0 && bilinear.present ? 1 : 0)))
      return failure();
  return checkFeature(parser, v, dims.size() - 1);
}

ParseResult OperandClauses::resolve(Parser &parser, ArrayRef<Type> types, SMLoc at) {
  auto resolveTo = [&](Operand &operand, Type type, SmallVector<Value> &to) {
    return parser.resolveOperand(operand.name, type, to);
  };
  unsigned n = valueless() ? 2 : 3;
  if (resolveTo(q[0], types[0], first) || resolveTo(k[0], types[1], first) ||
      (!valueless() && resolveTo(v, types[2], first)))
    return failure();
  if (valueless()) // keys stand for values that nothing asks for
    first.push_back(first.back());
  for (unsigned part = 1; part < q.size(); ++part, n += 2)
    if (resolveTo(q[part], types[n], parts) || resolveTo(k[part], types[n + 1], parts))
      return failure();
  return failure(bilinear.present && resolveTo(bilinear, types[n], last));
}

bool OperandClauses::hasRegions() const {
  auto has = [](const Operand &operand) { return !operand.region->empty(); };
  return llvm::any_of(q, has) || llvm::any_of(k, has) || has(v) || has(dot);
}

void OperandClauses::addAttributes(Builder &b, OperationState &result) {
  result.addAttribute("q_map", AffineMapAttr::get(q[0].map));
  result.addAttribute("k_map", AffineMapAttr::get(k[0].map));
  result.addAttribute("v_map", AffineMapAttr::get(valueless() ? k[0].map : v.map));
  if (valueless())
    result.addAttribute("valueless", b.getUnitAttr());
  SmallVector<AffineMap> maps;
  for (unsigned n = 1; n < q.size(); ++n)
    maps.append({q[n].map, k[n].map});
  if (!maps.empty())
    result.addAttribute("part_maps", b.getAffineMapArrayAttr(maps));
  if (bilinear.present)
    result.addAttribute("bilinear_map", AffineMapAttr::get(bilinear.map));
}

void OperandClauses::addRegions(OperationState &result) {
  if (!hasRegions())
    return;
  for (Operand *operand : {&q[0], &k[0], &v, &dot})
    result.addRegion(std::move(operand->region));
  for (unsigned n = 1; n < q.size(); ++n) {
    result.addRegion(std::move(q[n].region));
    result.addRegion(std::move(k[n].region));
  }
}

//===--- printing
//---------------------------------------------------------------------------------------------------===//

static void printNumber(OpAsmPrinter &p, BlockArgument arg) {
  p << arg;
  if (!arg.getType().isF32())
    p << " : " << arg.getType();
}

/// `%x, i = %i) {..}`; `dims`: of the arguments behind the numbers.
static void printSlotRegion(OpAsmPrinter &p, AttendOp op, Region &region, unsigned numbers, ArrayRef<unsigned> dims) {
  for (unsigned n = 0; n < numbers && n < region.getNumArguments(); ++n) {
    p << (n ? ", " : "");
    printNumber(p, region.getArgument(n));
  }
  for (auto [n, dim] : llvm::enumerate(dims))
    if (numbers + n < region.getNumArguments() && !region.getArgument(numbers + n).use_empty())
      p << ", " << (dim < op.numDims() ? op.dimName(dim) : "?") << " = " << region.getArgument(numbers + n);
  p << ") ";
  p.printRegion(region, /*printEntryBlockArgs=*/false);
}

static void printOperand(OpAsmPrinter &p, AttendOp op, const AttendOp::Operand &operand) {
  p << operand.tensor;
  printIndexList(p, operand.map, op.getDimNames());
  if (!operand.region)
    return;
  SmallVector<unsigned> dims = llvm::to_vector(llvm::seq<unsigned>(0, op.numBatch()));
  dims.append({operand.token, operand.feature});
  p << " as (";
  printSlotRegion(p, op, *operand.region, 1, dims);
}

void attn::syntax::printOperands(OpAsmPrinter &p, AttendOp op, llvm::function_ref<void()> line) {
  // What is plain stands on one line.
  bool own = op.numParts() > 1;
  for (unsigned n = 0; n < 3; ++n)
    own |= op.operandRegion(n) != nullptr;
  auto begin = [&](StringRef name) {
    if (own || name == "q")
      line();
    else
      p << " ";
    p << name << " = ";
  };
  begin("q");
  for (unsigned n = 0; n < op.numParts(); ++n) {
    p << (n ? " | " : "");
    printOperand(p, op, op.qPart(n));
  }
  begin("k");
  for (unsigned n = 0; n < op.numParts(); ++n) {
    p << (n ? " | " : "");
    printOperand(p, op, op.kPart(n));
  }
  if (!op.getValueless()) {
    begin("v");
    printOperand(p, op, op.vPart());
  }
  if (op.getBilinear()) {
    line();
    p << "bilinear = " << op.getBilinear();
    if (op.getBilinearMap())
      printIndexList(p, *op.getBilinearMap(), op.getDimNames());
  }
  if (Region *region = op.dotRegion()) {
    line();
    p << "dot(";
    SmallVector<unsigned> indices = llvm::to_vector(llvm::seq<unsigned>(0, op.numBatch()));
    indices.push_back(op.dotDim());
    printSlotRegion(p, op, *region, 2, indices);
  }
}

SmallVector<Type> attn::syntax::printedTypes(AttendOp op) {
  SmallVector<Type> types{op.getQ().getType(), op.getK().getType()};
  if (!op.getValueless())
    types.push_back(op.getV().getType());
  llvm::append_range(types, op.getParts().getTypes());
  if (op.getBilinear())
    types.push_back(op.getBilinear().getType());
  return types;
}
