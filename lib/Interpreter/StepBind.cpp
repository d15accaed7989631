// Binds a map or a merge to the tensors and scalars of one call.
#include "StepEvaluators.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

Operand Bound::operand(Value value, AffineMap map) const {
  Operand o;
  o.view = problem.tensors.lookup(value);
  for (AffineExpr e : map.getResults())
    o.axes.push_back(axisIndex(e));
  return o;
}

namespace {

class StepBinder {
public:
  StepBinder(KernelOp kernel, unsigned numDims, ArrayRef<std::pair<Value, AffineMap>> uses)
      : kernel(kernel), uses(uses) {
    bound.problem.kernel = kernel;
    bound.extents.assign(numDims, -1);
  }

  llvm::Expected<Bound> run(ArrayRef<attn_tensor> args, ArrayRef<attn_scalar> params) {
    if (Error e = split(args, params))
      return std::move(e);
    for (auto [value, map] : uses)
      for (auto [axis, e] : llvm::enumerate(map.getResults()))
        if (AxisIndex index = axisIndex(e); index.dim >= 0 && index.divisor == 1)
          if (Error e = define(index.dim, extentOf(value, axis), value, axis))
            return std::move(e);
    for (auto [value, map] : uses)
      for (auto [axis, e] : llvm::enumerate(map.getResults()))
        if (Error e2 = fits(value, axis, axisIndex(e)))
          return std::move(e2);
    return std::move(bound);
  }

private:
  Error split(ArrayRef<attn_tensor> args, ArrayRef<attn_scalar> params) {
    size_t tensors = 0, scalars = 0;
    for (auto [n, arg] : llvm::enumerate(kernel.getBody().getArguments())) {
      auto type = dyn_cast<RankedTensorType>(arg.getType());
      if (!type) {
        if (scalars < params.size())
          bound.problem.scalars[arg] = params[scalars];
        ++scalars;
        continue;
      }
      if (tensors < args.size())
        if (Error e = view(arg, type, args[tensors], kernel.argName(n)))
          return e;
      ++tensors;
    }
    if (tensors != args.size() || scalars != params.size())
      return makeError("ATTN_E_ARGUMENT: " + Twine(args.size()) + " tensors and " + Twine(params.size()) +
                       " scalars given, " + Twine(tensors) + " and " + Twine(scalars) + " expected");
    return Error::success();
  }

  Error view(Value value, RankedTensorType type, const attn_tensor &t, StringRef name) {
    Format format = *formatOf(type.getElementType());
    if (256u * t.code + t.bits != formatCode(format) || t.lanes != 1)
      return makeError("ATTN_E_DTYPE: '" + name + "' must be " + formatName(format));
    if (t.rank != type.getRank())
      return makeError("ATTN_E_RANK: '" + name + "' has rank " + Twine(t.rank) + ", expected " + Twine(type.getRank()));
    View view;
    view.data = (const char *)t.data;
    view.format = format;
    view.rank = t.rank;
    std::copy_n(t.shape, t.rank, view.shape);
    std::copy_n(t.stride, t.rank, view.stride);
    for (auto [axis, extent] : llvm::enumerate(type.getShape()))
      if (view.shape[axis] < 0 || (extent != ShapedType::kDynamic && view.shape[axis] != extent))
        return makeError("ATTN_E_SHAPE: axis " + Twine(axis) + " of '" + name + "' has extent " +
                         Twine(view.shape[axis]) + ", expected " + Twine(extent));
      else if (view.stride[axis] < 0)
        return makeError("ATTN_E_STRIDE: '" + name + "' has stride " + Twine(view.stride[axis]));
    bound.problem.tensors[value] = view;
    return Error::success();
  }

  /// Of an argument what the call gives; of a result, which has no tensor here, what its type says.
  int64_t extentOf(Value value, unsigned axis) const {
    auto it = bound.problem.tensors.find(value);
    if (it != bound.problem.tensors.end())
      return it->second.shape[axis];
    return cast<RankedTensorType>(value.getType()).getDimSize(axis);
  }

  std::string nameOf(Value value) {
    if (auto arg = dyn_cast<BlockArgument>(value))
      return kernel.argName(arg.getArgNumber()).str();
    return kernel.resName(cast<OpResult>(value).getResultNumber()).str();
  }

  Error define(unsigned dim, int64_t extent, Value value, unsigned axis) {
    int64_t &known = bound.extents[dim];
    if (extent == ShapedType::kDynamic)
      return Error::success();
    if (known >= 0 && known != extent)
      return makeError("ATTN_E_SHAPE: axis " + Twine(axis) + " of '" + nameOf(value) + "' has extent " + Twine(extent) +
                       ", expected " + Twine(known));
    known = extent;
    return Error::success();
  }

  Error fits(Value value, unsigned axis, AxisIndex index) {
    int64_t extent = extentOf(value, axis);
    if (extent == ShapedType::kDynamic)
      return Error::success();
    if (index.dim < 0 && extent <= index.constant)
      return makeError("ATTN_E_SHAPE: axis " + Twine(axis) + " of '" + nameOf(value) + "' has extent " + Twine(extent) +
                       ", expected more than the constant index " + Twine(index.constant));
    if (index.dim < 0)
      return Error::success();
    if (int64_t need = llvm::divideCeil(bound.extents[index.dim], index.divisor); need != extent)
      return makeError("ATTN_E_SHAPE: axis " + Twine(axis) + " of '" + nameOf(value) + "' has extent " + Twine(extent) +
                       ", expected " + Twine(need));
    return Error::success();
  }

  KernelOp kernel;
  ArrayRef<std::pair<Value, AffineMap>> uses;
  Bound bound;
};

} // namespace

llvm::Expected<Bound> attn::interpreter::bindStep(KernelOp kernel, unsigned numDims,
                                                  ArrayRef<std::pair<Value, AffineMap>> uses,
                                                  ArrayRef<attn_tensor> args, ArrayRef<attn_scalar> params) {
  return StepBinder(kernel, numDims, uses).run(args, params);
}
