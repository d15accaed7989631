#include "attn/Interpreter/Steps.h"

#include "StepEvaluators.h"
#include "attn/Support/Buffer.h"

#include <cstring>

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

namespace {

class AttendStep final : public StepEvaluator {
public:
  AttendStep(std::unique_ptr<Interpreter> inner, AttendOp op, Precision precision)
      : inner(std::move(inner)), op(op), sources(outputSources(op)), precision(precision) {}

  ArrayRef<int64_t> extents() const override { return inner->extents(); }
  Interpreter *interpreter() override { return inner.get(); }

  void row(ArrayRef<int64_t> at, StepRow &result) override {
    RowResult row = inner->row(at.take_front(op.numBatch()), at[op.queryDim()], precision);
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      StepRow::Values &values = result.results.emplace_back();
      if (isOverKeys(sources[r]))
        continue;
      values.numbers = std::move(row.outputs[op.outName(r).str()]);
      if (cast<RankedTensorType>(op.getResult(r).getType()).getElementType().isIntOrIndex())
        values.integers.assign(values.numbers.begin(), values.numbers.end());
    }
    result.empty = row.visible == 0;
    result.badIndex = row.badIndex;
  }

  void keyRow(ArrayRef<int64_t> at, StepRow &result) override {
    ArrayRef<int64_t> batch = at.take_front(op.numBatch());
    if (!known || ArrayRef<int64_t>(batchOfColumns) != batch) {
      batchOfColumns.assign(batch.begin(), batch.end());
      columns = inner->columns(batch, precision);
      known = true;
    }
    const auto j = (size_t)at[op.keyDim()], keys = (size_t)extents()[op.keyDim()];
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      StepRow::Values &values = result.results.emplace_back();
      if (!isOverKeys(sources[r]))
        continue;
      const std::vector<double> &all = columns.outputs[op.outName(r).str()];
      const size_t length = all.size() / keys;
      values.numbers.assign(all.begin() + j * length, all.begin() + (j + 1) * length);
    }
    result.badIndex = columns.badIndex;
  }

  static bool isOverKeys(const OutputSource &source) {
    return source.kind == OutputSource::Column || source.kind == OutputSource::Aggregate;
  }

private:
  std::unique_ptr<Interpreter> inner;
  AttendOp op;
  SmallVector<OutputSource> sources;
  Precision precision;
  bool known = false; // the columns of one batch element
  std::vector<int64_t> batchOfColumns;
  ColumnResult columns;
};

/// A result that was computed: dense, in its declared type.
struct Stored {
  Buffer data;
  attn_tensor tensor{};
};

class KernelSteps final : public Steps {
public:
  KernelSteps(KernelOp kernel, ArrayRef<attn_tensor> args, ArrayRef<attn_scalar> params, Products products)
      : kernel(kernel), products(products) {
    size_t tensors = 0, scalars = 0;
    for (BlockArgument arg : kernel.getBody().getArguments())
      if (isa<RankedTensorType>(arg.getType()))
        given[arg] = args[tensors++];
      else
        scalar[arg] = params[scalars++];
    for (Operation *op : stepsOf(kernel)) {
      ops.push_back(op);
      auto &part = parts.emplace_back();
      part.module = isolateStep(op, kernel.getSymName(), part.captured);
      part.kernel = *part.module->getOps<KernelOp>().begin();
      part.op = &part.kernel.getBody().front().front();
      describe(part);
    }
  }

  ArrayRef<Operation *> steps() const override { return ops; }

  std::pair<unsigned, unsigned> source(unsigned result) const override {
    auto ret = cast<ReturnOp>(KernelOp(kernel).getBody().front().getTerminator());
    auto value = cast<OpResult>(ret.getOperand(result));
    return {unsigned(llvm::find(ops, value.getOwner()) - ops.begin()), value.getResultNumber()};
  }

  Error prepare(unsigned step, Precision precision) override {
    Part &part = parts[step];
    auto &evaluator = part.evaluators[(int)precision];
    if (evaluator)
      return Error::success();
    SmallVector<attn_tensor> tensors;
    SmallVector<attn_scalar> scalars;
    for (Value v : part.captured) {
      if (auto it = scalar.find(v); it != scalar.end()) {
        scalars.push_back(it->second);
      } else if (auto it = given.find(v); it != given.end()) {
        tensors.push_back(it->second);
      } else {
        unsigned source = llvm::find(ops, v.getDefiningOp()) - ops.begin();
        if (Error e = compute(source, precision))
          return e;
        tensors.push_back(tensor(v, precision));
      }
    }
    auto made = make(part, tensors, scalars, precision);
    if (!made)
      return made.takeError();
    evaluator = std::move(*made);
    return Error::success();
  }

  ArrayRef<int64_t> extents(unsigned step) const override { return any(step).extents(); }

  bool isOverKeys(unsigned step, unsigned result) const override { return parts[step].overKeys[result]; }

  int64_t rows(unsigned step, bool overKeys) const override {
    int64_t n = 1;
    for (unsigned d : parts[step].rowDims[overKeys])
      n *= extents(step)[d];
    return n;
  }

  SmallVector<int64_t> indicesAt(unsigned step, int64_t row, bool overKeys) const override {
    SmallVector<int64_t> at(extents(step).size(), 0);
    for (unsigned d : llvm::reverse(parts[step].rowDims[overKeys])) {
      at[d] = row % extents(step)[d];
      row /= extents(step)[d];
    }
    return at;
  }

  AffineMap map(unsigned step, unsigned result) const override { return parts[step].maps[result]; }
  int along(unsigned step, unsigned result) const override { return parts[step].along[result]; }

  StepRow row(unsigned step, int64_t row, Precision precision, bool overKeys) override {
    StepRow result;
    StepEvaluator &evaluator = *parts[step].evaluators[(int)precision];
    if (overKeys)
      evaluator.keyRow(indicesAt(step, row, true), result);
    else
      evaluator.row(indicesAt(step, row, false), result);
    return result;
  }

  Interpreter *attend(unsigned step, Precision precision) override {
    auto &evaluator = parts[step].evaluators[(int)precision];
    return evaluator ? evaluator->interpreter() : nullptr;
  }

  attn_tensor tensor(Value value, Precision precision) const override {
    auto it = stored[(int)precision].find(value);
    return it == stored[(int)precision].end() ? attn_tensor{} : it->second->tensor;
  }

  bool badIndex() const override { return bad; }

private:
  struct Part {
    OwningOpRef<ModuleOp> module;
    KernelOp kernel;
    Operation *op = nullptr; // of that kernel
    SmallVector<Value> captured;
    SmallVector<unsigned> rowDims[2]; // second: of results over keys
    SmallVector<bool> overKeys;
    SmallVector<AffineMap> maps;
    SmallVector<int> along;
    std::unique_ptr<StepEvaluator> evaluators[2];
    bool computed[2] = {false, false};
  };

  static unsigned position(AffineExpr e) {
    return isa<AffineSymbolExpr>(e) ? kRankDim : cast<AffineDimExpr>(e).getPosition();
  }

  static void describe(Part &part) {
    llvm::TypeSwitch<Operation *>(part.op)
        .Case([&](AttendOp op) {
          for (unsigned d = 0; d < op.numBatch(); ++d)
            for (auto &dims : part.rowDims)
              dims.push_back(d);
          part.rowDims[0].push_back(op.queryDim());
          part.rowDims[1].push_back(op.keyDim());
          SmallVector<OutputSource> sources = outputSources(op);
          for (unsigned r = 0; r < op.getNumResults(); ++r) {
            part.maps.push_back(op.outMap(r));
            part.overKeys.push_back(AttendStep::isOverKeys(sources[r]));
          }
        })
        .Case([&](MapOp op) {
          for (AffineExpr e : op.getOutMap().getResults().drop_back())
            part.rowDims[0].push_back(position(e));
          part.maps.push_back(op.getOutMap());
        })
        .Case([&](MergeOp op) {
          for (AffineExpr e : op.getLseMap().getResults())
            part.rowDims[0].push_back(position(e));
          part.maps = {op.getOutMap(), op.getLseMap()};
        });
    part.overKeys.resize(part.maps.size(), false);
    for (auto [map, overKeys] : llvm::zip(part.maps, part.overKeys)) {
      int along = -1;
      for (AffineExpr e : map.getResults())
        if (!llvm::is_contained(part.rowDims[overKeys], position(e)))
          along = position(e);
      part.along.push_back(along);
    }
  }

  llvm::Expected<std::unique_ptr<StepEvaluator>> make(Part &part, ArrayRef<attn_tensor> tensors,
                                                      ArrayRef<attn_scalar> scalars, Precision precision) {
    if (auto op = dyn_cast<MapOp>(part.op))
      return makeMap(part.kernel, op, tensors, scalars, precision);
    if (auto op = dyn_cast<MergeOp>(part.op))
      return makeMerge(part.kernel, op, tensors, scalars, precision);
    auto op = dyn_cast<AttendOp>(part.op);
    if (!op)
      return makeError("the interpreter does not know '" + part.op->getName().getStringRef() +
                       "'; give it the program before it was split");
    auto inner = Interpreter::create(part.kernel, tensors, scalars, products);
    if (!inner)
      return inner.takeError();
    return std::make_unique<AttendStep>(std::move(*inner), op, precision);
  }

  const StepEvaluator &any(unsigned step) const {
    const Part &part = parts[step];
    return part.evaluators[0] ? *part.evaluators[0] : *part.evaluators[1];
  }

  Error compute(unsigned step, Precision precision) {
    Part &part = parts[step];
    if (part.computed[(int)precision])
      return Error::success();
    if (Error e = prepare(step, precision))
      return e;
    SmallVector<Stored *> targets;
    for (auto [r, value] : llvm::enumerate(ops[step]->getResults())) {
      auto &target = stored[(int)precision][value];
      target = std::make_unique<Stored>();
      if (Error e = allocate(*target, cast<RankedTensorType>(value.getType()), part.maps[r], step))
        return e;
      targets.push_back(target.get());
    }
    for (bool overKeys : {false, true})
      for (int64_t n = 0, count = llvm::is_contained(part.overKeys, overKeys) ? rows(step, overKeys) : 0; n < count;
           ++n) {
        StepRow result = row(step, n, precision, overKeys);
        bad |= result.badIndex;
        SmallVector<int64_t> at = indicesAt(step, n, overKeys);
        for (auto [r, target] : llvm::enumerate(targets))
          if (part.overKeys[r] == overKeys)
            store(*target, part.maps[r], part.along[r], at, result.results[r]);
      }
    part.computed[(int)precision] = true;
    return Error::success();
  }

  Error allocate(Stored &target, RankedTensorType type, AffineMap map, unsigned step) {
    Format format = *formatOf(type.getElementType());
    attn_tensor &t = target.tensor;
    t.code = formatCode(format) / 256;
    t.bits = formatCode(format) % 256;
    t.lanes = 1;
    t.rank = type.getRank();
    int64_t elements = 1;
    for (int n = t.rank; n--;) {
      unsigned dim = position(map.getResult(n));
      t.shape[n] = dim == kRankDim ? type.getDimSize(n) : extents(step)[dim];
      t.stride[n] = elements;
      if (__builtin_mul_overflow(elements, std::max<int64_t>(t.shape[n], 1), &elements))
        return makeError("ATTN_E_OVERFLOW: the result of a step has more than 2^63 elements");
    }
    uint64_t bytes;
    if (!__builtin_mul_overflow((uint64_t)elements, (uint64_t)formatBytes(format), &bytes))
      target.data = Buffer::allocate(bytes);
    if (!target.data.data())
      return makeError("ATTN_E_OVERFLOW: no memory for the result of a step");
    t.data = target.data.data();
    return Error::success();
  }

  static void store(Stored &target, AffineMap map, int along, ArrayRef<int64_t> at, const StepRow::Values &values) {
    const attn_tensor &t = target.tensor;
    int64_t offset = 0, step = 0;
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if ((int)position(e) == along)
        step = t.stride[axis];
      else
        offset += at[position(e)] * t.stride[axis];
    for (size_t n = 0; n < values.numbers.size(); ++n, offset += step)
      if (t.code == ATTN_INT)
        write(t, offset, values.integers[n]);
      else
        write(t, offset, bitsOf(floatFormat(t), values.numbers[n]));
  }

  static Format floatFormat(const attn_tensor &t) {
    if (t.code == ATTN_BFLOAT)
      return Format::BF16;
    return t.bits == 64 ? Format::F64 : t.bits == 32 ? Format::F32 : Format::F16;
  }

  /// The low bits of an integer or of a float's pattern.
  static void write(const attn_tensor &t, int64_t offset, int64_t bits) {
    const size_t bytes = t.bits / 8;
    std::memcpy((char *)t.data + offset * (int64_t)bytes, &bits, bytes); // little endian, as the targets are
  }

  KernelOp kernel;
  Products products;
  SmallVector<Operation *> ops;
  std::vector<Part> parts;
  llvm::DenseMap<Value, attn_tensor> given;
  llvm::DenseMap<Value, attn_scalar> scalar;
  llvm::DenseMap<Value, std::unique_ptr<Stored>> stored[2];
  bool bad = false;
};

} // namespace

llvm::Expected<std::unique_ptr<Steps>> Steps::create(KernelOp kernel, ArrayRef<attn_tensor> args,
                                                     ArrayRef<attn_scalar> params, Products products) {
  std::string message;
  {
    ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &d) { message = d.str(); });
    if (failed(verifySteps(kernel)))
      return makeError(message);
  }
  for (Operation *op : stepsOf(kernel))
    if (auto attend = dyn_cast<AttendOp>(op); attend && !lookupNormalizer(attend))
      return makeError("the module has no normalizer @" + attend.normalizerName() + "; link the library first");
  size_t tensors = llvm::count_if(kernel.getArgumentTypes(), [](Type t) { return isa<RankedTensorType>(t); });
  size_t scalars = kernel.getArgumentTypes().size() - tensors;
  if (tensors != args.size() || scalars != params.size())
    return makeError("ATTN_E_ARGUMENT: " + Twine(args.size()) + " tensors and " + Twine(params.size()) +
                     " scalars given, " + Twine(tensors) + " and " + Twine(scalars) + " expected");
  return std::make_unique<KernelSteps>(kernel, args, params, products);
}
