// attn.merge: the states (lse, 1, o) of a row's parts, gauged to the largest reference and finished.
#include "Machine.h"
#include "ProgramBuilder.h"
#include "StepEvaluators.h"

#include <cmath>

#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

namespace {

/// The regions of the normalizer.
struct MergePrograms {
  MergeForm form;
  Program gauge, finish; // their own arguments, then the normalizer's parameters
  std::optional<Program> seed;
  double empty[2]; // o, lse
};

/// A parameter: one number, or an element of a tensor for each row.
struct Parameter {
  double constant = 0;
  std::optional<Operand> tensor;
};

template <typename Acc, typename Real, bool Plain> class MergeStep final : public StepEvaluator {
public:
  MergeStep(Bound &&given, MergeOp op, MergePrograms &&made)
      : bound(std::move(given)), programs(std::move(made)), gauge(programs.gauge), finish(programs.finish),
        valueDim(op.valueDim()) {
    if (programs.seed)
      seed.emplace(*programs.seed);
    for (unsigned n = 0; n < op.numNormArgs(); ++n) {
      AttendOp::NormArg arg = op.normArg(n);
      Parameter &parameter = parameters.emplace_back();
      parameter.constant = arg.constant;
      if (arg.value && isa<RankedTensorType>(arg.value.getType()))
        parameter.tensor = bound.operand(arg.value, arg.map);
      else if (arg.value)
        parameter.constant = bound.problem.scalars.lookup(arg.value).f;
      parameter.constant = roundTo<double>(bound.problem.accumulation, parameter.constant); // as f32 of the form
    }
    for (unsigned p = 0; p < op.numParts(); ++p) {
      outs.push_back(bound.operand(op.getPartOuts()[p], op.partOutMap(p)));
      lses.push_back(bound.operand(op.getPartLses()[p], op.partLseMap(p)));
    }
  }

  ArrayRef<int64_t> extents() const override { return bound.extents; }

  void row(ArrayRef<int64_t> at, StepRow &result) override {
    std::vector<double> out, lse;
    given.clear();
    for (const Parameter &p : parameters)
      given.push_back(p.tensor ? readFloat(p.tensor->view, p.tensor->offset(at)) : p.constant);
    SmallVector<Acc> refs;
    for (const Operand &part : lses)
      refs.push_back((Acc)readFloat(part.view, part.offset(at)));
    if (seed) { // one more state
      run(*seed, {});
      refs.push_back((Acc)seed->real(0));
    }
    Acc r = refs.front();
    for (Acc x : refs)
      r = std::isnan(x) || x > r ? x : r;
    const bool empty = r == none;
    SmallVector<Acc> weights;
    for (Acc x : refs)
      weights.push_back(x == none ? Acc(0) : gauged(x, r));
    Acc l = 0;
    for (size_t p = 0; p < lses.size(); ++p)
      l += weights[p];
    if (seed)
      l += weights.back() * (Acc)seed->real(1 + programs.form.one);
    SmallVector<int64_t> dims(at);
    for (int64_t e = 0; e < bound.extents[valueDim]; ++e) {
      dims[valueDim] = e;
      Acc n = 0;
      for (auto [part, weight] : llvm::zip(outs, weights)) {
        if (weight == 0)
          continue;
        Acc product = weight * (Acc)readFloat(part.view, part.offset(dims));
        n += product;
      }
      if (seed)
        n += weights.back() * (Acc)seed->real(1 + programs.form.value);
      out.push_back(empty ? programs.empty[0] : finished(r, l, n, programs.form.out));
    }
    lse.push_back(empty ? programs.empty[1] : finished(r, l, 0, programs.form.lse));
    result.results.push_back({std::move(out), {}});
    result.results.push_back({std::move(lse), {}});
  }

private:
  static constexpr Acc none = -std::numeric_limits<Acc>::infinity();

  /// Behind a region's own arguments stand the parameters.
  void run(Machine<Real, Plain> &machine, ArrayRef<Acc> args) {
    unsigned arg = 0;
    for (Acc x : args)
      machine.setReal(arg++, x);
    for (double x : given)
      machine.setReal(arg++, (Real)x);
    machine.run();
  }

  Acc gauged(Acc from, Acc to) {
    run(gauge, {from, to});
    return (Acc)gauge.real();
  }

  double finished(Acc r, Acc l, Acc n, unsigned output) {
    Acc args[3] = {r};
    args[1 + programs.form.one] = l;
    args[1 + programs.form.value] = n;
    run(finish, args);
    return (double)finish.real(output);
  }

  Bound bound;
  MergePrograms programs;
  Machine<Real, Plain> gauge, finish;
  unsigned valueDim;
  std::vector<Operand> outs, lses;
  std::optional<Machine<Real, Plain>> seed;
  std::vector<Parameter> parameters;
  SmallVector<double> given; // the parameters of the row
};

/// A region of the normalizer, its arguments in order, then the normalizer's.
llvm::Error compileRegion(const Problem &problem, Region &region, Program &out) {
  ProgramBuilder builder(problem, /*normalizer=*/true);
  for (BlockArgument a : region.getArguments())
    builder.arg(a);
  for (BlockArgument a : region.getParentRegion()->getArguments())
    builder.arg(a);
  builder.emitRegion(region);
  SmallVector<uint32_t> results;
  for (Value v : region.front().getTerminator()->getOperands())
    results.push_back(builder.at(v));
  auto program = builder.finish(results);
  if (!program)
    return program.takeError();
  out = std::move(*program);
  return llvm::Error::success();
}

} // namespace

llvm::Expected<std::unique_ptr<StepEvaluator>> attn::interpreter::makeMerge(KernelOp kernel, MergeOp op,
                                                                            ArrayRef<attn_tensor> args,
                                                                            ArrayRef<attn_scalar> params,
                                                                            Precision precision) {
  auto module = op->getParentOfType<ModuleOp>();
  auto normalizer = module.lookupSymbol<NormalizerOp>(op.getNormalizer());
  if (!normalizer)
    return makeError("the module has no normalizer @" + op.getNormalizer() + "; link the library first");
  std::string why;
  MergePrograms programs;
  if (auto form = mergeForm(normalizer, why))
    programs.form = *form;
  else
    return makeError("the outputs of @" + op.getNormalizer() + " do not merge: it " + why);
  SmallVector<std::pair<Value, AffineMap>> uses;
  for (unsigned p = 0; p < op.numParts(); ++p) {
    uses.push_back({op.getPartOuts()[p], op.partOutMap(p)});
    uses.push_back({op.getPartLses()[p], op.partLseMap(p)});
  }
  for (unsigned n = 0; n < op.numNormArgs(); ++n)
    if (AttendOp::NormArg arg = op.normArg(n); arg.value && isa<RankedTensorType>(arg.value.getType()))
      uses.push_back({arg.value, arg.map});
  uses.push_back({op.getOut(), op.getOutMap()});
  uses.push_back({op.getLse(), op.getLseMap()});
  auto bound = bindStep(kernel, op.numDims(), uses, args, params);
  if (!bound)
    return bound.takeError();
  const bool f64 = op.accumulationType().isF64();
  bound->problem.accumulation = f64 ? Format::F64 : Format::F32;
  if (llvm::Error e = compileRegion(bound->problem, programs.form.pass.getGauge(), programs.gauge))
    return std::move(e);
  if (llvm::Error e = compileRegion(bound->problem, programs.form.finish.getBody(), programs.finish))
    return std::move(e);
  if (Region *seed = programs.form.pass.seedRegion())
    if (llvm::Error e = compileRegion(bound->problem, *seed, programs.seed.emplace()))
      return std::move(e);
  const unsigned outputs[] = {programs.form.out, programs.form.lse};
  for (unsigned n = 0; n < 2; ++n)
    programs.empty[n] = cast<FloatAttr>(programs.form.finish.getEmpty()[outputs[n]]).getValueAsDouble();
  std::unique_ptr<StepEvaluator> step;
  if (precision == Precision::Plain && f64)
    step = std::make_unique<MergeStep<double, double, true>>(std::move(*bound), op, std::move(programs));
  else if (precision == Precision::Plain)
    step = std::make_unique<MergeStep<float, double, true>>(std::move(*bound), op, std::move(programs));
  else if (f64)
    step = std::make_unique<MergeStep<long double, long double, false>>(std::move(*bound), op, std::move(programs));
  else
    step = std::make_unique<MergeStep<double, double, false>>(std::move(*bound), op, std::move(programs));
  return std::move(step);
}
