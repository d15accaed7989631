// Programs of a kernel's regions and of its normalizer.
#include "Machine.h"
#include "ProgramBuilder.h"
#include "RowEvaluator.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

namespace {

class KernelCompiler {
public:
  explicit KernelCompiler(Problem &&problem) : kernel(std::make_unique<CompiledKernel>()), attend(problem.attend) {
    kernel->problem = std::move(problem);
  }

  llvm::Expected<std::unique_ptr<CompiledKernel>> run() {
    if (Error e = take(buildSet(kernel->problem), kernel->set))
      return std::move(e);
    if (Error e = take(buildScore(kernel->problem), kernel->score))
      return std::move(e);
    if (Error e = scale())
      return std::move(e);
    if (Error e = dropout())
      return std::move(e);
    if (Error e = normalizer())
      return std::move(e);
    return std::move(kernel);
  }

private:
  static Error take(llvm::Expected<Program> program, Program &out) {
    if (!program)
      return program.takeError();
    out = std::move(*program);
    return Error::success();
  }

  Error scale() {
    if (attend.getScaleValue())
      kernel->scaleValue = attend.getScaleValue()->convertToDouble();
    if (!attend.getScale())
      return Error::success();
    return take(scalar(attend.getScale()), kernel->scale.emplace());
  }

  /// A scalar of the attend, which only the kernel's scalars decide.
  llvm::Expected<Program> scalar(Value v) {
    ProgramBuilder builder(kernel->problem);
    builder.emitLive(nullptr, v);
    return builder.finish(builder.at(v));
  }

  /// The probability is an f32, a constant one too: what is compared and what is divided by are the same number.
  Error dropout() {
    if (!attend.hasDropout())
      return Error::success();
    CompiledDropout &drop = kernel->dropout.emplace();
    drop.seed = attend.getDropSeedValue().value_or(0);
    if (attend.getDropProbabilityValue())
      drop.probability = (float)attend.getDropProbabilityValue()->convertToDouble();
    Program program;
    if (Value seed = attend.getDropSeed()) {
      if (Error e = take(scalar(seed), program))
        return e;
      Machine<double, true> machine(program);
      machine.run();
      drop.seed = machine.integer();
    }
    if (Value probability = attend.getDropProbability()) {
      if (Error e = take(scalar(probability), program))
        return e;
      Machine<double, true> machine(program);
      machine.run();
      drop.probability = (float)machine.real();
    }
    return Error::success();
  }

  /// A region of the normalizer, its arguments in order.
  Error floats(Region &region, Program &out) {
    ProgramBuilder builder(kernel->problem, /*normalizer=*/true);
    for (BlockArgument a : region.getArguments())
      builder.arg(a);
    builder.emitRegion(region);
    SmallVector<uint32_t> results;
    for (Value v : region.front().getTerminator()->getOperands())
      results.push_back(builder.at(v));
    return take(builder.finish(results), out);
  }

  /// Whether output n of the finish depends on its argument `arg`.
  static bool dependsOn(FinishOp finish, unsigned n, BlockArgument arg) {
    SmallVector<Value> work{finish.getBody().front().getTerminator()->getOperand(n)};
    llvm::DenseSet<Value> seen;
    while (!work.empty()) {
      Value v = work.pop_back_val();
      if (v == arg)
        return true;
      if (Operation *op = v.getDefiningOp(); op && seen.insert(v).second)
        work.append(op->operand_begin(), op->operand_end());
    }
    return false;
  }

  Error normalizer() {
    NormalizerOp op = lookupNormalizer(attend);
    if (!op)
      return makeError("the module has no normalizer @" + attend.normalizerName() + "; link the library first");
    FinishOp finish;
    for (Operation &inner : op.getBody().front()) {
      if (auto pass = dyn_cast<PassOp>(inner)) {
        CompiledPass &compiled = kernel->passes.emplace_back();
        compiled.hasReference = pass.getRef() == Reference::Max;
        for (Attribute kind : pass.getSumKinds())
          compiled.sums.push_back((SumKind)cast<IntegerAttr>(kind).getInt());
        if (Error e = floats(pass.getPhi(), compiled.phi))
          return e;
      } else if (!(finish = dyn_cast<FinishOp>(inner))) {
        return makeError("the interpreter does not know '" + inner.getName().getStringRef() + "' in a normalizer");
      }
    }
    if (Error e = floats(finish.getBody(), kernel->finish))
      return e;
    return outputs(finish);
  }

  Error outputs(FinishOp finish) {
    const CompiledPass &last = kernel->passes.back();
    for (unsigned r = 0; r < attend.getNumResults(); ++r) {
      StringRef name = attend.outName(r);
      auto found = llvm::find(finish.getOutNames(), cast<Attribute>(attend.getOutNames()[r]));
      if (found == finish.getOutNames().end())
        return makeError("the normalizer has no output '" + name + "'");
      unsigned n = found - finish.getOutNames().begin();
      bool perFeature = attend.outMap(r).isFunctionOfDim(attend.valueDim());
      for (auto [s, kind] : llvm::enumerate(last.sums))
        if (kind == SumKind::Value && !perFeature &&
            dependsOn(finish, n, finish.getBody().getArgument(s + last.hasReference)))
          return makeError("output '" + name + "' has no value feature but depends on a sum of values");
      kernel->outputs.push_back({name.str(), n, perFeature, cast<FloatAttr>(finish.getEmpty()[n]).getValueAsDouble()});
    }
    return Error::success();
  }

  std::unique_ptr<CompiledKernel> kernel;
  AttendOp attend;
};

} // namespace

llvm::Expected<std::unique_ptr<CompiledKernel>> attn::interpreter::compile(Problem problem) {
  return KernelCompiler(std::move(problem)).run();
}
