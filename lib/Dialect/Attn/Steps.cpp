// Kernels of several steps: what they consist of.
#include "attn/Dialect/Attn/Attn.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

static Type elementOf(Value v) { return cast<RankedTensorType>(v.getType()).getElementType(); }

FloatType MapOp::accumulationType() {
  bool f64 = llvm::any_of(getInputs(), [](Value v) { return elementOf(v).isF64(); });
  return f64 ? (FloatType)Float64Type::get(getContext()) : (FloatType)Float32Type::get(getContext());
}

Type MapOp::yieldType() {
  Type element = elementOf(getResult());
  return element.isIntOrIndex() ? element : accumulationType();
}

Type MapOp::elementArgType(unsigned n) {
  Type element = elementOf(getInputs()[n]);
  return element.isIntOrIndex() ? element : accumulationType();
}

FloatType MergeOp::accumulationType() {
  bool f64 = elementOf(getOut()).isF64();
  return f64 ? (FloatType)Float64Type::get(getContext()) : (FloatType)Float32Type::get(getContext());
}

unsigned MergeOp::valueDim() {
  llvm::SmallBitVector used(numDims());
  for (AffineExpr e : getLseMap().getResults())
    used.set(cast<AffineDimExpr>(e).getPosition());
  return used.find_first_unset();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getCalleeAttr());
  if (!callee)
    return emitOpError("[call_c1] there is no kernel ") << getCalleeAttr() << " in the module";
  if (TypeRange(callee.getArgumentTypes()) != getOperandTypes() ||
      TypeRange(callee.getResultTypes()) != getResultTypes())
    return emitOpError("[call_c1] ") << getCalleeAttr()
                                     << " takes and returns other types: " << callee.getFunctionType();
  return success();
}

bool attn::isStep(Operation *op) { return isa<AttendOp, MapOp, MergeOp, CallOp>(op); }

SmallVector<Operation *> attn::stepsOf(KernelOp kernel) {
  SmallVector<Operation *> steps;
  for (Operation &op : kernel.getBody().front().without_terminator())
    steps.push_back(&op);
  return steps;
}

LogicalResult attn::verifySteps(KernelOp kernel) {
  auto ret = cast<ReturnOp>(kernel.getBody().front().getTerminator());
  bool any = false;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (!isStep(&op))
      return op.emitError(
          "[kernel_s1] a kernel holds steps (attn.attend, attn.map, attn.merge) and its return; compute "
          "inside the regions of an attend or a map");
    any = true;
  }
  if (!any || ret.getNumOperands() == 0)
    return kernel.emitError("[kernel_s1] a kernel has one step or more and returns results of its steps");
  llvm::SmallDenseSet<Value> seen;
  for (Value v : ret.getOperands()) {
    if (!v.getDefiningOp())
      return kernel.emitError("[kernel_s1] a kernel returns results of its steps, not its own arguments");
    if (!seen.insert(v).second)
      return kernel.emitError("[kernel_s1] return a result of a step once");
  }
  return success();
}

Operation *attn::getSingleStep(KernelOp kernel) {
  Block &body = kernel.getBody().front();
  if (body.getOperations().size() != 2 || !isStep(&body.front()))
    return nullptr;
  auto ret = cast<ReturnOp>(body.getTerminator());
  return ret.getOperands() == ValueRange(body.front().getResults()) ? &body.front() : nullptr;
}

OwningOpRef<ModuleOp> attn::isolateStep(Operation *step, StringRef name, SmallVectorImpl<Value> &captured) {
  auto kernel = step->getParentOfType<KernelOp>();
  auto module = step->getParentOfType<ModuleOp>();
  MLIRContext *context = step->getContext();
  Location loc = step->getLoc();
  // What the step uses of the kernel, in the kernel's order: its arguments, then results of steps.
  llvm::SetVector<Value> used;
  step->walk([&](Operation *inner) {
    for (Value v : inner->getOperands())
      if (v.getParentBlock() == &kernel.getBody().front())
        used.insert(v);
  });
  captured.assign(used.begin(), used.end());
  auto steps = stepsOf(kernel);
  auto place = [&](Value v) -> std::pair<size_t, unsigned> {
    if (auto arg = dyn_cast<BlockArgument>(v))
      return {0, arg.getArgNumber()};
    return {1 + (llvm::find(steps, v.getDefiningOp()) - steps.begin()), cast<OpResult>(v).getResultNumber()};
  };
  llvm::sort(captured, [&](Value a, Value b) { return place(a) < place(b); });

  llvm::StringSet<> taken;
  SmallVector<StringRef> argNames, resNames;
  auto unique = [&](std::string name) {
    while (!taken.insert(name).second)
      name += "_";
    return StringAttr::get(context, name).getValue();
  };
  auto resultName = [&](Value v) {
    auto ret = cast<ReturnOp>(kernel.getBody().front().getTerminator());
    for (auto [n, returned] : llvm::enumerate(ret.getOperands()))
      if (returned == v && n < kernel.getResNames().size())
        return kernel.resName(n).str();
    return ("step" + Twine(place(v).first - 1) + "_" + Twine(place(v).second)).str();
  };
  SmallVector<Type> argTypes;
  SmallVector<Attribute> facts;
  ArrayAttr allFacts = kernel.getArgAttrsAttr();
  for (Value v : captured) {
    auto arg = dyn_cast<BlockArgument>(v);
    argNames.push_back(unique(arg ? kernel.argName(arg.getArgNumber()).str() : resultName(v)));
    argTypes.push_back(v.getType());
    facts.push_back(arg && allFacts ? allFacts[arg.getArgNumber()] : DictionaryAttr::get(context));
  }
  for (Value v : step->getResults())
    resNames.push_back(unique(resultName(v)));

  OwningOpRef<ModuleOp> made = ModuleOp::create(module.getLoc());
  OpBuilder b = OpBuilder::atBlockEnd(made->getBody());
  for (auto normalizer : module.getOps<NormalizerOp>())
    b.clone(*normalizer);
  auto alone =
      KernelOp::create(b, loc, StringAttr::get(context, name),
                       TypeAttr::get(FunctionType::get(context, argTypes, step->getResultTypes())),
                       b.getStrArrayAttr(argNames), b.getStrArrayAttr(resNames), b.getArrayAttr(facts), ArrayAttr());
  Block &body = alone.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value v : captured)
    mapping.map(v, body.addArgument(v.getType(), v.getLoc()));
  b.setInsertionPointToEnd(&body);
  Operation *copy = b.clone(*step, mapping);
  ReturnOp::create(b, loc, copy->getResults());
  return made;
}
