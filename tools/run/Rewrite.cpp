// --dtype: the same program for another element type.
#include "Failure.h"
#include "Program.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace attn;
using namespace attn::run;

namespace {

Type withElement(Type type, Type element) {
  auto tensor = cast<RankedTensorType>(type);
  return RankedTensorType::get(tensor.getShape(), element, tensor.getEncoding());
}

/// The kernel's types from those of its body, after the body changed.
void updateSignature(KernelOp kernel) {
  auto &block = kernel.getBody().front();
  kernel.setFunctionTypeAttr(TypeAttr::get(
      FunctionType::get(kernel.getContext(), block.getArgumentTypes(), block.getTerminator()->getOperandTypes())));
}

/// Everything that is f32 becomes f64: captured tensors, scalars, score regions with their constants, lse. Normalizers
/// are written for the accumulation type and stay as they are.
void widen(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  Type f64 = Float64Type::get(context);
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](Float32Type) -> Type { return f64; });
  replacer.addReplacement([&](FloatAttr a) -> std::optional<Attribute> {
    if (!a.getType().isF32())
      return std::nullopt;
    return FloatAttr::get(f64, a.getValueAsDouble());
  });
  replacer.addReplacement([&](DenseFPElementsAttr a) -> std::optional<Attribute> {
    if (!a.getElementType().isF32())
      return std::nullopt;
    return a.mapValues(f64, [](const APFloat &x) {
      APFloat wide = x;
      bool lost;
      wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      return wide.bitcastToAPInt();
    });
  });
  replacer.recursivelyReplaceElementsIn(kernel, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
}

} // namespace

llvm::Error attn::run::rewriteElements(KernelOp kernel, AttendOp attend, Element element) {
  const auto from = elementOf(attend.getQ().getType());
  auto same = [&](Value v) { return elementOf(v.getType()) == from; };
  if (!same(attend.getK()) || !same(attend.getV()))
    return fail(ExitBadInput, "--dtype {}: q, k and v are of several types; write the program's types by hand",
                nameOf(element));
  if (from == element)
    return llvm::Error::success();
  if (from != Element::F32)
    return fail(ExitBadInput, "--dtype {} rewrites programs of f32, and this one is of {}; write its types by hand",
                nameOf(element), nameOf(*from));
  if (element == Element::F64) {
    widen(kernel);
    updateSignature(kernel);
    return llvm::Error::success();
  }
  Type narrow = typeOf(element, kernel.getContext());
  for (Value v : {attend.getQ(), attend.getK(), attend.getV()}) {
    if (!isa<BlockArgument>(v))
      return fail(ExitBadInput, "--dtype {}: an operand of the attend is no argument of the kernel", nameOf(element));
    // A captured use reads scores' own numbers from it: those would change too.
    for (Operation *user : v.getUsers())
      if (user != attend)
        return fail(ExitBadInput, "--dtype {}: argument {} is also used by {}; write the program's types by hand",
                    nameOf(element), kernel.argName(cast<BlockArgument>(v).getArgNumber()).str(),
                    user->getName().getStringRef().str());
    v.setType(withElement(v.getType(), narrow));
  }
  for (unsigned r = 0; r < attend.getNumResults(); ++r)
    if (attend.outName(r) == "o")
      attend.getResult(r).setType(withElement(attend.getResult(r).getType(), narrow));
  updateSignature(kernel);
  return llvm::Error::success();
}

llvm::Error attn::run::rewriteSteps(KernelOp kernel, Element element) {
  if (element != Element::F64)
    return fail(ExitBadInput,
                "--dtype {}: which tensors of several steps would be narrow is not said; write the program's types by "
                "hand, or use --dtype f64",
                nameOf(element));
  for (Type type : kernel.getArgumentTypes())
    if (auto e = elementOf(type); e && isFloat(*e) && *e != Element::F32 && isa<RankedTensorType>(type))
      return fail(ExitBadInput,
                  "--dtype {} rewrites programs of f32, and this one has tensors of {}; write its types by hand",
                  nameOf(element), nameOf(*e));
  widen(kernel);
  updateSignature(kernel);
  return llvm::Error::success();
}
