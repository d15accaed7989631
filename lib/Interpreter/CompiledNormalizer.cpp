// Programs of the steps of a normalizer and of its finish, and where its parameters come from.
#include "CompiledKernel.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

bool CompiledNormalizer::usesClasses() const {
  for (const CompiledStep &step : steps)
    if (llvm::any_of(step.sums, [](const CompiledSum &sum) { return sum.ofClass >= 0; }))
      return true;
  return false;
}

namespace {

class NormalizerCompiler {
public:
  explicit NormalizerCompiler(CompiledKernel &kernel)
      : out(kernel.normalizer), problem(kernel.problem), attend(problem.attend) {}

  Error run() {
    NormalizerOp op = lookupNormalizer(attend);
    if (!op)
      return makeError("the module has no normalizer @" + attend.normalizerName() + "; link the library first");
    if (op.numParams() != attend.numNormArgs())
      return makeError("@" + attend.normalizerName() + " has " + Twine(op.numParams()) + " parameters, and gets " +
                       Twine(attend.numNormArgs()) + " arguments");
    for (unsigned n = 0; n < op.numParams(); ++n)
      if (Error e = parameter(attend.normArg(n)))
        return e;
    llvm::append_range(context, op.getBody().getArguments());
    lseSeed = lseSeedOf(op);
    for (Operation &inner : op.getBody().front())
      if (Error e = step(inner))
        return e;
    return finish(op);
  }

private:
  Error region(Region &r, Program &to) {
    auto program = buildRegion(problem, r, /*normalizer=*/true, context);
    if (!program)
      return program.takeError();
    to = std::move(*program);
    return Error::success();
  }

  Error optional(Region *r, std::optional<Program> &to) { return r ? region(*r, to.emplace()) : Error::success(); }

  Error parameter(const AttendOp::NormArg &arg) {
    CompiledParameter &parameter = out.parameters.emplace_back();
    parameter.constant = roundTo(problem.accumulation, arg.constant);
    if (!arg.value)
      return Error::success();
    if (!isa<RankedTensorType>(arg.value.getType())) {
      auto value = readReal(problem, arg.value);
      if (!value)
        return value.takeError();
      parameter.constant = *value;
      return Error::success();
    }
    Operand &tensor = parameter.tensor.emplace();
    tensor.view = problem.tensors.lookup(arg.value);
    for (AffineExpr e : arg.map.getResults())
      tensor.axes.push_back(axisIndex(e));
    return Error::success();
  }

  Error step(Operation &op) {
    if (isa<FinishOp>(op))
      return Error::success();
    CompiledStep &step = out.steps.emplace_back();
    step.statsBefore = context.size() - out.parameters.size();
    step.numStats = op.getNumResults();
    if (auto pass = dyn_cast<PassOp>(op)) {
      step.hasReference = pass.hasRef();
      for (unsigned k = 0; k < pass.numSums(); ++k)
        step.sums.push_back({pass.kindOf(k), pass.weightOf(k), pass.classOf(k)});
      if (Error e = region(pass.getPhi(), step.phi))
        return e;
      if (Error e = optional(pass.hasRef() ? &pass.getGauge() : nullptr, step.gauge))
        return e;
      if (Error e = optional(pass.seedRegion(), step.seed))
        return e;
      if (lseSeed.kind == LseSeed::Score && lseSeed.pass == pass)
        step.lseSum = lseSeed.sum;
      if (Error e = optional(pass.statRegion(), step.stat))
        return e;
    } else if (auto root = dyn_cast<RootOp>(op)) {
      step.kind = CompiledStep::Root;
      if (Error e = region(root.getPhi(), step.phi))
        return e;
      if (Error e = region(root.getTo(), step.to))
        return e;
    } else if (isa<SelectOp>(op)) {
      step.kind = CompiledStep::Select;
    } else {
      return makeError("the interpreter does not know '" + op.getName().getStringRef() + "' in a normalizer");
    }
    llvm::append_range(context, op.getResults());
    return Error::success();
  }

  Error finish(NormalizerOp op) {
    FinishOp finish = op.finish();
    out.finishArgs = finish.getBody().getNumArguments();
    llvm::DenseSet<Value> wide = op.perFeature();
    Operation *yield = finish.getBody().front().getTerminator();
    for (auto [n, name] : llvm::enumerate(finish.getOutNames())) {
      out.empty.push_back(cast<FloatAttr>(finish.getEmpty()[n]).getValueAsDouble());
      out.perFeature.push_back(wide.contains(yield->getOperand(n)));
      if (cast<StringAttr>(name).getValue() == "o")
        out.o = n;
    }
    return region(finish.getBody(), out.finish);
  }

  CompiledNormalizer &out;
  const Problem &problem;
  AttendOp attend;
  SmallVector<Value> context; // parameters, then statistics so far
  LseSeed lseSeed;
};

} // namespace

Error attn::interpreter::compileNormalizer(CompiledKernel &kernel) { return NormalizerCompiler(kernel).run(); }
