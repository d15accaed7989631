// attn.kernel: text and rules. attn.load: text and rules.
#include "Rules.h"
#include "Syntax.h"

#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &b = parser.getBuilder();
  StringAttr name;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(), result.attributes))
    return failure();

  SmallVector<OpAsmParser::Argument> args;
  if (parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren, /*allowType=*/true, /*allowAttrs=*/true))
    return failure();
  SmallVector<Type> argTypes, resTypes;
  SmallVector<Attribute> argNames, resNames, argAttrs;
  bool haveAttrs = false;
  for (auto &arg : args) {
    argTypes.push_back(arg.type);
    argNames.push_back(b.getStringAttr(arg.ssaName.name.drop_front()));
    argAttrs.push_back(arg.attrs ? arg.attrs : b.getDictionaryAttr({}));
    haveAttrs |= arg.attrs && !arg.attrs.empty();
  }
  auto parseResult = [&]() -> ParseResult {
    StringRef resName;
    Type type;
    if (parser.parseKeyword(&resName) || parser.parseColonType(type))
      return failure();
    resNames.push_back(b.getStringAttr(resName));
    resTypes.push_back(type);
    return success();
  };
  if (succeeded(parser.parseOptionalArrow()) &&
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseResult))
    return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute("function_type", TypeAttr::get(b.getFunctionType(argTypes, resTypes)));
  result.addAttribute("arg_names", b.getArrayAttr(argNames));
  result.addAttribute("res_names", b.getArrayAttr(resNames));
  if (haveAttrs)
    result.addAttribute("arg_attrs", b.getArrayAttr(argAttrs));
  syntax::KernelScope scope(args);
  return parser.parseRegion(*result.addRegion(), args);
}

/// The attributes of an argument; an empty dictionary where there are none.
static DictionaryAttr factsOf(KernelOp kernel, unsigned n) {
  ArrayAttr all = kernel.getArgAttrsAttr();
  return all && n < all.size() ? cast<DictionaryAttr>(all[n]) : DictionaryAttr::get(kernel.getContext());
}

void KernelOp::print(OpAsmPrinter &p) {
  p << ' ';
  p.printSymbolName(getSymName());
  p << '(';
  bool haveBody = !getBody().empty();
  for (auto [n, type] : llvm::enumerate(getArgumentTypes())) {
    p << (n ? ", " : "");
    if (haveBody && n < getBody().getNumArguments())
      p.printRegionArgument(getBody().getArgument(n), factsOf(*this, n).getValue());
    else
      p << type;
  }
  p << ") -> (";
  for (auto [n, type] : llvm::enumerate(getResultTypes()))
    p << (n ? ", " : "") << (n < getResNames().size() ? resName(n) : "?") << ": " << type;
  p << ')';
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                     {"sym_name", "function_type", "arg_names", "res_names", "arg_attrs"});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void KernelOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (unsigned a = 0; a < region.getNumArguments() && a < getArgNames().size(); ++a)
    setName(region.getArgument(a), argName(a));
}

static bool isKernelElement(Type t) {
  return rules::isNumber(t) || t.isSignlessInteger(64) || t.isSignlessInteger(32) || t.isSignlessInteger(8) ||
         t.isSignlessInteger(1);
}

/// kernel_c4: what the caller promises about an argument.
static LogicalResult verifyFacts(KernelOp kernel, unsigned n) {
  auto error = [&] { return kernel.emitOpError("[kernel_c4] argument %") << kernel.argName(n); };
  for (NamedAttribute fact : factsOf(kernel, n)) {
    StringRef name = fact.getName();
    if (name != "attn.sorted" && name != "attn.range")
      return error() << " has the attribute '" << name
                     << "'; there are attn.sorted and attn.range = array<i64: 0, 100>";
    if (!rules::isIntTensor(kernel.getArgumentTypes()[n], 1, 6))
      return error() << " of type " << kernel.getArgumentTypes()[n] << " has the fact " << name
                     << "; facts are about tensors of i32 or i64";
    if (name == "attn.sorted" && !isa<UnitAttr>(fact.getValue()))
      return error() << ": write attn.sorted alone, without a value";
    if (name == "attn.sorted")
      continue;
    auto range = dyn_cast<DenseI64ArrayAttr>(fact.getValue());
    if (!range || range.size() != 2 || range[0] >= range[1])
      return error() << ": write attn.range = array<i64: 0, 100> for 0 <= x < 100, not " << fact.getValue();
  }
  return success();
}

LogicalResult KernelOp::verify() {
  // kernel_c1
  auto check = [&](Type t, const Twine &what, bool scalars) -> LogicalResult {
    if (auto tensor = dyn_cast<RankedTensorType>(t)) {
      if (tensor.getRank() < 1 || tensor.getRank() > 6)
        return emitOpError("[kernel_c1] ") << what << " has rank " << tensor.getRank() << "; tensors have rank 1 to 6";
      Type element = tensor.getElementType();
      if (!isKernelElement(element) && !(scalars && rules::isByteFloat(element))) {
        InFlightDiagnostic error = emitOpError("[kernel_c1] ");
        error << what << " has element type " << element << "; there are f64, f32, bf16, f16, i64, i32, i8 and i1";
        if (scalars)
          error << ", f8E4M3FN and f8E5M2";
        return error;
      }
      return success();
    }
    if (scalars && (t.isIndex() || t.isF32() || t.isF64() || t.isSignlessInteger(64) || t.isSignlessInteger(32)))
      return success();
    return emitOpError("[kernel_c1] ") << what << " has type " << t << "; use a ranked tensor"
                                       << (scalars ? " or a scalar index, i64, i32, f32, f64" : "");
  };
  if (!rules::isIdentifier(getSymName()))
    return emitOpError(
        "[kernel_c2] the kernel's name must be an identifier [A-Za-z_][A-Za-z0-9_]*, for it becomes a C symbol");
  if (getArgNames().size() != getArgumentTypes().size() || getResNames().size() != getResultTypes().size())
    return emitOpError("[kernel_c2] one name for every argument and result");
  llvm::StringSet<> seen;
  for (Attribute a : llvm::concat<const Attribute>(getArgNames(), getResNames())) {
    StringRef name = cast<StringAttr>(a).getValue();
    if (!rules::isIdentifier(name))
      return emitOpError("[kernel_c2] '") << name << "' is no identifier; name arguments with letters, digits and _";
    if (!seen.insert(name).second)
      return emitOpError("[kernel_c2] the name '") << name << "' is used twice";
  }
  for (auto [n, t] : llvm::enumerate(getArgumentTypes()))
    if (failed(check(t, "argument %" + argName(n), true)))
      return failure();
  for (auto [n, t] : llvm::enumerate(getResultTypes()))
    if (failed(check(t, "result " + resName(n), false)))
      return failure();
  for (unsigned n = 0, e = getArgumentTypes().size(); n < e; ++n)
    if (failed(verifyFacts(*this, n)))
      return failure();
  if (ArrayAttr results = getResAttrsAttr())
    for (Attribute attrs : results)
      if (!cast<DictionaryAttr>(attrs).empty())
        return emitOpError("[kernel_c4] results have no facts; leave res_attrs out");
  // kernel_c3
  auto ret = dyn_cast<ReturnOp>(getBody().front().back());
  if (!ret)
    return emitOpError("[kernel_c3] end the body with attn.return");
  if (ret.getOperandTypes() != TypeRange(getResultTypes()))
    return ret.emitOpError("[kernel_c3] the returned types differ from the kernel's result types");
  return success();
}

AttendOp attn::getSingleAttend(KernelOp kernel) {
  auto attend = dyn_cast_or_null<AttendOp>(getSingleStep(kernel));
  if (!attend)
    kernel.emitError("[kernel_s1] this kernel is not one attend whose results it returns, all and in order; kernels of "
                     "other steps are split first, by --attn-expand-merge and --attn-split-kernel");
  return attend;
}

//===--- attn.load
//---------------------------------------------------------------------------------------------------------------------===//

ParseResult LoadOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand tensor;
  SmallVector<OpAsmParser::UnresolvedOperand> indices;
  RankedTensorType type;
  if (parser.parseOperand(tensor) || parser.parseOperandList(indices, OpAsmParser::Delimiter::Square) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type))
    return failure();
  Type indexType = parser.getBuilder().getIndexType();
  if (succeeded(parser.parseOptionalComma()) && parser.parseType(indexType))
    return failure();
  if (parser.resolveOperand(tensor, type, result.operands) ||
      parser.resolveOperands(indices, indexType, result.operands))
    return failure();
  result.addTypes(type.getElementType());
  return success();
}

void LoadOp::print(OpAsmPrinter &p) {
  p << ' ' << getTensor() << '[' << getIndices() << ']';
  p.printOptionalAttrDict((*this)->getAttrs());
  p << " : " << getTensor().getType();
  if (!getIndices().empty() && !getIndices().front().getType().isIndex())
    p << ", " << getIndices().front().getType();
}

LogicalResult LoadOp::verify() {
  auto type = cast<RankedTensorType>(getTensor().getType());
  if ((int64_t)getIndices().size() != type.getRank())
    return emitOpError("[load_c1] ") << getIndices().size() << " indices for a tensor of rank " << type.getRank();
  if (getResult().getType() != type.getElementType())
    return emitOpError("[load_c1] the result has the tensor's element type");
  for (Value i : getIndices())
    if (i.getType() != getIndices().front().getType())
      return emitOpError("[load_c1] indices are of one type");
  return success();
}
