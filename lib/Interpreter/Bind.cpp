#include "Bind.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

Error attn::interpreter::makeError(const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

AxisIndex attn::interpreter::axisIndex(AffineExpr e) {
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return {-1, 1, constant.getValue()};
  if (auto dim = dyn_cast<AffineDimExpr>(e))
    return {(int)dim.getPosition(), 1, 0};
  auto binary = cast<AffineBinaryOpExpr>(e);
  const int dim = cast<AffineDimExpr>(binary.getLHS()).getPosition();
  const int64_t constant = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  return binary.getKind() == AffineExprKind::Add ? AxisIndex{dim, 1, constant} : AxisIndex{dim, constant, 0};
}

int64_t Operand::offset(ArrayRef<int64_t> dims) const {
  int64_t sum = 0;
  for (auto [n, axis] : llvm::enumerate(axes))
    sum += ((axis.dim < 0 ? 0 : dims[axis.dim] / axis.divisor) + axis.constant) * view.stride[n];
  return sum;
}

bool Part::isStrided() const {
  return !region &&
         llvm::any_of(axes, [&](const AxisIndex &axis) { return axis.dim == (int)feature && axis.divisor == 1; });
}

int64_t Operand::strideOf(unsigned dim) const {
  for (auto [n, axis] : llvm::enumerate(axes))
    if (axis.dim == (int)dim)
      return view.stride[n];
  llvm_unreachable("the verifier asks for the dimension");
}

namespace {

/// Rule by rule over all tensors, in the runtime's order, so that both name the same fault.
class Binder {
public:
  Binder(KernelOp kernel, AttendOp attend) : kernel(kernel), attend(attend) {}

  llvm::Expected<Problem> run(ArrayRef<attn_tensor> args, ArrayRef<attn_scalar> params) {
    problem.kernel = kernel;
    problem.attend = attend;
    problem.accumulation = attend.accumulationType().isF64() ? Format::F64 : Format::F32;
    problem.extents.assign(attend.numDims(), -1);
    for (unsigned f = attend.dotDim(); f < attend.numDims(); ++f)
      if (isWritten(f))
        problem.extents[f] = attend.featureExtent(f);
    if (Error e = split(args, params))
      return std::move(e);
    if (Error e = collectUses())
      return std::move(e);
    for (auto check : {&Binder::types, &Binder::pointers, &Binder::define, &Binder::tokens, &Binder::grids,
                       &Binder::derived, &Binder::results, &Binder::strides, &Binder::lengthValues})
      if (Error e = (this->*check)())
        return std::move(e);
    for (unsigned n = 0; n < attend.numParts(); ++n) {
      problem.q.push_back(part(attend.qPart(n)));
      problem.k.push_back(part(attend.kPart(n)));
    }
    problem.v = part(attend.vPart());
    if (attend.getBilinear())
      problem.bilinear = operand(attend.getBilinear(), *attend.getBilinearMap());
    return std::move(problem);
  }

private:
  struct Argument {
    Value value;
    const attn_tensor *tensor;
    StringRef name;
    RankedTensorType type() const { return cast<RankedTensorType>(value.getType()); }
  };
  /// A tensor axis that a dimension indexes: as long as the dimension, or ceil(that / divisor). With `more` elements it
  /// is at least so much longer.
  struct Use {
    Value tensor;
    unsigned axis;
    AxisIndex index;
    int64_t more = 0;
  };

  Error split(ArrayRef<attn_tensor> args, ArrayRef<attn_scalar> params) {
    size_t tensors = 0, scalars = 0;
    for (auto [n, arg] : llvm::enumerate(kernel.getBody().getArguments())) {
      if (!isa<RankedTensorType>(arg.getType())) {
        if (scalars < params.size())
          problem.scalars[arg] = params[scalars];
        ++scalars;
      } else {
        if (tensors < args.size())
          arguments.push_back({arg, &args[tensors], kernel.argName(n)});
        ++tensors;
      }
    }
    if (tensors != args.size() || scalars != params.size())
      return makeError("ATTN_E_ARGUMENT: " + Twine(args.size()) + " tensors and " + Twine(params.size()) +
                       " scalars given, " + Twine(tensors) + " and " + Twine(scalars) + " expected");
    return Error::success();
  }

  Error addMap(Value tensor, AffineMap map) {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      uses.push_back({tensor, (unsigned)axis, axisIndex(e)});
    return Error::success();
  }

  /// Features of written extent have axes whose static extents were verified.
  Error addOperand(Value tensor, AffineMap map) {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (AxisIndex index = axisIndex(e); !isWritten(index.dim))
        uses.push_back({tensor, (unsigned)axis, index});
    return Error::success();
  }

  bool isWritten(int dim) {
    auto extents = attend.getFeatureExtents();
    return extents && dim >= (int)attend.dotDim() && (*extents)[dim - attend.dotDim()] > 0;
  }

  Error addLast(Value tensor, AxisIndex index, int64_t more = 0) {
    unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
    uses.push_back({tensor, rank - 1, index, more});
    return Error::success();
  }

  /// A rank-1 tensor over the first batch dimension; `bound`, if >= 0, is the dimension whose extent limits its values.
  Error addPerBatch(Value tensor, int bound) {
    if (!tensor || !isa<RankedTensorType>(tensor.getType()))
      return Error::success();
    if (cast<RankedTensorType>(tensor.getType()).getRank() != 1 || attend.numBatch() == 0)
      return makeError("ATTN_E_RANK: lengths and prefixes are rank-1 tensors over the first batch dimension");
    uses.push_back({tensor, 0, {0, 1, 0}});
    if (bound >= 0)
      lengths.push_back({tensor, (unsigned)bound});
    return Error::success();
  }

  Error addSegments(Value tensor, unsigned tokens) {
    unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
    if (rank == 2 && attend.numBatch() == 0)
      return makeError("ATTN_E_RANK: segment ids over (batch, token) need a batch dimension");
    if (rank == 2)
      uses.push_back({tensor, 0, {0, 1, 0}});
    uses.push_back({tensor, rank - 1, {(int)tokens, 1, 0}});
    return Error::success();
  }

  Error collectUses() {
    Error error = Error::success();
    auto add = [&](const AttendOp::Operand &x) {
      error = llvm::joinErrors(std::move(error), addOperand(x.tensor, x.map));
    };
    for (unsigned n = 0; n < attend.numParts(); ++n) {
      add(attend.qPart(n));
      add(attend.kPart(n));
    }
    add(attend.vPart());
    if (attend.getBilinear())
      error = llvm::joinErrors(std::move(error), addOperand(attend.getBilinear(), *attend.getBilinearMap()));
    for (unsigned n = 0; n < attend.numNormArgs(); ++n)
      if (AttendOp::NormArg arg = attend.normArg(n); arg.value && isa<RankedTensorType>(arg.value.getType()))
        error = llvm::joinErrors(std::move(error), addMap(arg.value, arg.map));
    for (unsigned n = 0; n < attend.numAggregates(); ++n)
      error =
          llvm::joinErrors(std::move(error), addMap(attend.getAggregated()[n],
                                                    cast<AffineMapAttr>((*attend.getAggregateMaps())[n]).getValue()));
    int i = attend.queryDim(), j = attend.keyDim();
    auto both = [&](Value q, Value k) { return llvm::joinErrors(addPerBatch(q, i), addPerBatch(k, j)); };
    attend.getSet().walk([&](Operation *op) {
      Error e = llvm::TypeSwitch<Operation *, Error>(op)
                    .Case<SetCausalOp, SetWindowOp, SetDilatedOp, SetNotSelfOp, SetBlockCausalOp>(
                        [&](auto o) { return both(o.getQLengths(), o.getKLengths()); })
                    .Case<SetLengthsOp>([&](SetLengthsOp o) { return both(o.getQ(), o.getK()); })
                    .Case<SetPrefixOp, SetGlobalOp, SetSinksOp>([&](auto o) { return addPerBatch(o.getLength(), -1); })
                    .Case<SetSegmentOp, SetSharedPrefixOp>(
                        [&](auto o) { return llvm::joinErrors(addSegments(o.getQ(), i), addSegments(o.getK(), j)); })
                    .Case<SetMaskOp>([&](SetMaskOp o) { return addMap(o.getMask(), o.getMap()); })
                    .Case<SetListOp>([&](SetListOp o) { return addMap(o.getList(), o.getMap()); })
                    .Case<SetDiagonalsOp>([&](SetDiagonalsOp o) {
                      return llvm::joinErrors(both(o.getQLengths(), o.getKLengths()), addMap(o.getList(), o.getMap()));
                    })
                    .Case<SetCsrOp>([&](SetCsrOp o) {
                      Error maps =
                          llvm::joinErrors(addMap(o.getOffsets(), o.getMap()), addMap(o.getColumns(), o.getMap()));
                      return llvm::joinErrors(std::move(maps), addLast(o.getOffsets(), {i, 1, 0}, 1));
                    })
                    .Case<SetBitsOp>([&](SetBitsOp o) {
                      const int width = cast<RankedTensorType>(o.getWords().getType()).getElementTypeBitWidth();
                      return llvm::joinErrors(addMap(o.getWords(), o.getMap()), addLast(o.getWords(), {j, width, 0}));
                    })
                    .Case<SetRandomBlocksOp>([&](SetRandomBlocksOp o) { // an empty list has no last element
                      bool list = isa<RankedTensorType>(o.getProbability().getType());
                      return list ? addLast(o.getProbability(), {-1, 1, 0}) : Error::success();
                    })
                    .Default([](Operation *) { return Error::success(); });
      error = llvm::joinErrors(std::move(error), std::move(e));
    });
    return error;
  }

  Error types() {
    for (const Argument &a : arguments) {
      Format format = *formatOf(a.type().getElementType());
      const attn_tensor &t = *a.tensor;
      if (256u * t.code + t.bits != formatCode(format) || t.lanes != 1)
        return makeError("ATTN_E_DTYPE: '" + a.name + "' must be " + formatName(format));
      if (t.rank != a.type().getRank())
        return makeError("ATTN_E_RANK: '" + a.name + "' has rank " + Twine(t.rank) + ", expected " +
                         Twine(a.type().getRank()));
      View view;
      view.data = (const char *)t.data;
      view.format = format;
      view.rank = t.rank;
      std::copy_n(t.shape, t.rank, view.shape);
      std::copy_n(t.stride, t.rank, view.stride);
      problem.tensors[a.value] = view;
    }
    return Error::success();
  }

  Error pointers() {
    for (const Argument &a : arguments) {
      bool empty = llvm::is_contained(ArrayRef<int64_t>(a.tensor->shape, a.tensor->rank), 0);
      if (!empty && (!a.tensor->data || (uintptr_t)a.tensor->data % formatBytes(problem.tensors[a.value].format)))
        return makeError("ATTN_E_ARGUMENT: the pointer of '" + a.name + "' is null or not aligned to its element");
    }
    return Error::success();
  }

  Error shape(Value tensor, unsigned axis, int64_t found, const Twine &expected) {
    StringRef name;
    for (const Argument &a : arguments)
      if (a.value == tensor)
        name = a.name;
    return makeError("ATTN_E_SHAPE: axis " + Twine(axis) + " of '" + name + "' has extent " + Twine(found) +
                     ", expected " + expected);
  }

  /// Static extents hold, and plain axes say what the dimensions' extents are.
  Error define() {
    for (const Argument &a : arguments)
      for (auto [axis, extent] : llvm::enumerate(a.type().getShape())) {
        int64_t n = a.tensor->shape[axis];
        if (n < 0 || (extent != ShapedType::kDynamic && n != extent))
          return shape(a.value, axis, n, n < 0 ? Twine("one of at least 0") : Twine(extent));
      }
    for (const Use &use : uses) {
      if (use.index.dim < 0 || use.index.divisor != 1 || use.more)
        continue;
      int64_t &extent = problem.extents[use.index.dim], n = problem.tensors[use.tensor].shape[use.axis];
      if (extent >= 0 && extent != n)
        return shape(use.tensor, use.axis, n,
                     Twine(extent) + ", the extent of '" + attend.dimName(use.index.dim) + "'");
      bool tokens = use.index.dim == (int)attend.queryDim() || use.index.dim == (int)attend.keyDim();
      if (tokens && n > ATTN_MAX_EXTENT)
        return makeError("ATTN_E_OVERFLOW: '" + attend.dimName(use.index.dim) + "' has extent " + Twine(n));
      extent = n;
    }
    return Error::success();
  }

  /// Tokens and batch indices that none of these axes has alone: an axis of a captured load says how many there are,
  /// else for tokens the axes of all of them `floordiv` a constant, of which the one with the fewest counts.
  Error tokens() {
    for (unsigned dim = 0; dim < attend.dotDim(); ++dim) {
      int64_t &extent = problem.extents[dim];
      if (extent >= 0)
        continue;
      auto define = [&](Value tensor, ValueRange indices) {
        for (auto [axis, index] : llvm::enumerate(indices))
          if (auto arg = dyn_cast<BlockArgument>(index); arg && attend.dimOf(arg) == (int)dim && extent < 0)
            extent = problem.tensors[tensor].shape[axis];
      };
      attend->walk([&](Operation *op) {
        if (auto load = dyn_cast<LoadOp>(op))
          define(load.getTensor(), load.getIndices());
        if (auto member = dyn_cast<MemberOp>(op))
          define(member.getList(), member.getIndices());
      });
      if (extent < 0)
        for (const Use &use : uses) {
          if (use.index.dim != (int)dim || use.index.divisor == 1)
            continue;
          __int128 tokens = (__int128)problem.tensors[use.tensor].shape[use.axis] * use.index.divisor;
          if (extent < 0 || tokens < extent)
            extent = tokens > ATTN_MAX_EXTENT ? ATTN_MAX_EXTENT + (int64_t)1 : (int64_t)tokens;
        }
      if (extent > ATTN_MAX_EXTENT)
        return makeError("ATTN_E_OVERFLOW: '" + attend.dimName(dim) + "' has more tokens than fit");
      if (extent < 0)
        return makeError("ATTN_E_SHAPE: no input says what the extent of '" + attend.dimName(dim) + "' is");
    }
    return Error::success();
  }

  /// A static grid behind a constant `first` says how many tokens there are; any other is a shape alone.
  Error grids() {
    const std::optional<ArrayRef<int64_t>> grids[] = {attend.getQueryGrid(), attend.getKeyGrid()};
    for (auto [n, grid] : llvm::enumerate(grids)) {
      if (!grid || attend.getFirst() || llvm::any_of(*grid, ShapedType::isDynamic))
        continue;
      const int64_t tokens = llvm::product_of(*grid) + attend.getFirstValue().value_or(0);
      const unsigned dim = attend.queryDim() + n;
      for (const Use &use : uses)
        if (use.index.dim == (int)dim && use.index.divisor == 1 && !use.more && problem.extents[dim] != tokens)
          return shape(use.tensor, use.axis, problem.extents[dim], Twine(tokens) + ", the tokens of its grid");
    }
    return Error::success();
  }

  /// Every index that a floordiv or a constant can form lies inside its axis.
  Error derived() {
    for (const Use &use : uses) {
      int64_t n = problem.tensors[use.tensor].shape[use.axis];
      if (use.index.dim < 0) {
        if (n <= use.index.constant)
          return shape(use.tensor, use.axis, n, "more than the constant index " + Twine(use.index.constant));
        continue;
      }
      const int64_t need = llvm::divideCeil(problem.extents[use.index.dim], use.index.divisor) + use.more;
      if (use.more ? n < need : n != need)
        return shape(use.tensor, use.axis, n,
                     Twine(use.more ? "at least " : "") + Twine(need) + " for '" + attend.dimName(use.index.dim) + "'");
    }
    return Error::success();
  }

  /// Static extents of results, which have no tensor here.
  Error results() {
    for (unsigned r = 0; r < attend.getNumResults(); ++r)
      for (auto [axis, e] : llvm::enumerate(attend.outMap(r).getResults())) {
        if (isa<AffineSymbolExpr>(e)) // the rank of a topk
          continue;
        int64_t extent = cast<RankedTensorType>(attend.getResult(r).getType()).getDimSize(axis);
        int64_t found = problem.extents[cast<AffineDimExpr>(e).getPosition()];
        if (extent != ShapedType::kDynamic && extent != found)
          return makeError("ATTN_E_SHAPE: axis " + Twine(axis) + " of result '" + attend.outName(r) + "' has extent " +
                           Twine(extent) + ", the inputs say " + Twine(found));
      }
    return Error::success();
  }

  Error strides() {
    for (const Argument &a : arguments)
      for (int64_t stride : ArrayRef<int64_t>(a.tensor->stride, a.tensor->rank))
        if (stride < 0)
          return makeError("ATTN_E_STRIDE: '" + a.name + "' has stride " + Twine(stride));
    return Error::success();
  }

  Error lengthValues() {
    for (auto [tensor, dim] : lengths) {
      const View &view = problem.tensors[tensor];
      for (int64_t b = 0; b < view.shape[0]; ++b)
        if (int64_t n = readInt(view, b * view.stride[0]); n < 0 || n > problem.extents[dim])
          return makeError("ATTN_E_LENGTH: length " + Twine(n) + " for '" + attend.dimName(dim) + "' of extent " +
                           Twine(problem.extents[dim]));
    }
    return Error::success();
  }

  Operand operand(Value tensor, AffineMap map) {
    Operand o;
    o.view = problem.tensors[tensor];
    for (AffineExpr e : map.getResults())
      o.axes.push_back(axisIndex(e));
    return o;
  }

  Part part(const AttendOp::Operand &x) {
    Part part;
    static_cast<Operand &>(part) = operand(x.tensor, x.map);
    part.token = x.token;
    part.feature = x.feature;
    part.extent = x.extent;
    part.region = x.region;
    return part;
  }

  KernelOp kernel;
  AttendOp attend;
  Problem problem;
  std::vector<Argument> arguments;
  std::vector<Use> uses;
  std::vector<std::pair<Value, unsigned>> lengths;
};

/// Tensors reach an attend straight from the kernel's arguments; anything else the language has no op for.
Error checkTensors(KernelOp kernel) {
  WalkResult result = kernel.getBody().walk([&](Operation *op) {
    for (Value v : op->getOperands())
      if (isa<RankedTensorType>(v.getType()) && !isa<ReturnOp>(op) &&
          (!isa<BlockArgument>(v) || cast<BlockArgument>(v).getOwner() != &kernel.getBody().front()))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return result.wasInterrupted() ? makeError("the interpreter reads tensors that are arguments of the kernel only")
                                 : Error::success();
}

} // namespace

llvm::Expected<Problem> attn::interpreter::bind(KernelOp kernel, ArrayRef<attn_tensor> args,
                                                ArrayRef<attn_scalar> params) {
  std::string message;
  AttendOp attend;
  {
    ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &d) { message = d.str(); });
    attend = getSingleAttend(kernel);
  }
  if (!attend)
    return makeError(message);
  if (Error e = checkTensors(kernel))
    return std::move(e);
  return Binder(kernel, attend).run(args, params);
}
