// Kernels of several steps: what they consist of.
#include "attn/Dialect/Attn/Attn.h"

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
