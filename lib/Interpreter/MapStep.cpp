// attn.map: the region at every element, its sum or maximum in index order.
#include "Machine.h"
#include "ProgramBuilder.h"
#include "StepEvaluators.h"

#include <cmath>

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

namespace {

/// Acc: of the sum; Real and Plain: of the region.
template <typename Acc, typename Real, bool Plain> class MapStep final : public StepEvaluator {
public:
  MapStep(Bound &&given, MapOp op, Program &&region)
      : bound(std::move(given)), program(std::move(region)), machine(program), reduction(op.getReduction()),
        integer(op.yieldType().isIntOrIndex()), format(*formatOf(op.yieldType())) {
    for (auto [n, input] : llvm::enumerate(op.getInputs()))
      inputs.push_back(bound.operand(input, op.inMap(n)));
    for (unsigned d = 0; d < op.numDims(); ++d)
      if (op.isReduced(d))
        reduced.push_back(d);
    along = cast<AffineDimExpr>(op.getOutMap().getResults().back()).getPosition();
  }

  ArrayRef<int64_t> extents() const override { return bound.extents; }

  void row(ArrayRef<int64_t> at, StepRow &result) override {
    StepRow::Values &values = result.results.emplace_back();
    dims.assign(at.begin(), at.end());
    for (int64_t n = 0; n < bound.extents[along]; ++n) {
      dims[along] = n;
      element(result);
      if (integer)
        values.integers.push_back(whole);
      values.numbers.push_back(integer ? (double)whole : (double)number);
    }
  }

private:
  void element(StepRow &result) {
    number = reduction == MapReduction::Max ? -std::numeric_limits<Acc>::infinity() : Acc(0);
    whole = reduction == MapReduction::Max ? smallest() : 0;
    for (unsigned d : reduced) {
      dims[d] = 0;
      if (bound.extents[d] == 0)
        return;
    }
    do {
      unsigned arg = 0;
      for (const Operand &input : inputs) {
        int64_t offset = input.offset(dims);
        if (isFloat(input.view.format))
          machine.setReal(arg++, (Real)readFloat(input.view, offset));
        else
          machine.setInt(arg++, readInt(input.view, offset));
      }
      for (int64_t index : dims)
        machine.setInt(arg++, index);
      if (machine.run())
        take();
      else
        result.badIndex = true;
    } while (next());
  }

  void take() {
    if (integer) {
      int64_t x = machine.integer();
      whole = reduction == MapReduction::Max ? std::max(whole, x) : wrap((uint64_t)whole + (uint64_t)x);
      return;
    }
    Acc x = (Acc)machine.real();
    if (reduction == MapReduction::Max)
      number = std::isnan(x) || x > number ? x : number;
    else if (reduction == MapReduction::Sum)
      number += x;
    else
      number = x;
  }

  /// The next element of the reduction, the last dimension fastest.
  bool next() {
    for (unsigned d : llvm::reverse(reduced)) {
      if (++dims[d] < bound.extents[d])
        return true;
      dims[d] = 0;
    }
    return false;
  }

  int64_t smallest() const { return format == Format::I32 ? INT32_MIN : INT64_MIN; }
  int64_t wrap(uint64_t x) const { return format == Format::I32 ? (int64_t)(int32_t)x : (int64_t)x; }

  Bound bound;
  Program program;
  Machine<Real, Plain> machine;
  MapReduction reduction;
  bool integer;
  Format format;
  std::vector<Operand> inputs;
  std::vector<unsigned> reduced;
  unsigned along;
  SmallVector<int64_t> dims;
  Acc number = 0;
  int64_t whole = 0;
};

} // namespace

llvm::Expected<std::unique_ptr<StepEvaluator>> attn::interpreter::makeMap(KernelOp kernel, MapOp op,
                                                                          ArrayRef<attn_tensor> args,
                                                                          ArrayRef<attn_scalar> params,
                                                                          Precision precision) {
  SmallVector<std::pair<Value, AffineMap>> uses;
  for (auto [n, input] : llvm::enumerate(op.getInputs()))
    uses.push_back({input, op.inMap(n)});
  uses.push_back({op.getResult(), op.getOutMap()});
  auto bound = bindStep(kernel, op.numDims(), uses, args, params);
  if (!bound)
    return bound.takeError();
  const bool f64 = op.accumulationType().isF64();
  bound->problem.accumulation = f64 ? Format::F64 : Format::F32;
  bound->problem.extents = bound->extents;
  ProgramBuilder builder(bound->problem);
  for (BlockArgument arg : op.getBody().getArguments())
    builder.arg(arg);
  builder.emitRegion(op.getBody());
  auto program = builder.finish(builder.at(op.yielded()));
  if (!program)
    return program.takeError();
  // Of f64 operands the reference has long double, as in an attend.
  std::unique_ptr<StepEvaluator> step;
  if (precision == Precision::Plain && f64)
    step = std::make_unique<MapStep<double, double, true>>(std::move(*bound), op, std::move(*program));
  else if (precision == Precision::Plain)
    step = std::make_unique<MapStep<float, double, true>>(std::move(*bound), op, std::move(*program));
  else if (f64)
    step = std::make_unique<MapStep<long double, long double, false>>(std::move(*bound), op, std::move(*program));
  else
    step = std::make_unique<MapStep<double, double, false>>(std::move(*bound), op, std::move(*program));
  return std::move(step);
}
