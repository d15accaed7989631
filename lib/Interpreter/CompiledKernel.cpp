// Programs of a kernel's regions. Its normalizer and its outputs: CompiledNormalizer.cpp, CompiledOutputs.cpp.
#include "CompiledKernel.h"

#include "Machine.h"
#include "ProgramBuilder.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

/// A scalar of the attend, which only the kernel's scalars decide.
static llvm::Expected<Program> buildScalar(const Problem &problem, Value v) {
  ProgramBuilder builder(problem);
  builder.emitLive(nullptr, v);
  return builder.finish(builder.at(v));
}

llvm::Expected<double> attn::interpreter::readReal(const Problem &problem, Value scalar) {
  auto program = buildScalar(problem, scalar);
  if (!program)
    return program.takeError();
  Machine<double, true> machine(*program);
  machine.run();
  return machine.real();
}

llvm::Expected<Program> attn::interpreter::buildRegion(const Problem &problem, Region &region, bool normalizer,
                                                       ArrayRef<Value> more, std::optional<unsigned> only) {
  ProgramBuilder builder(problem, normalizer);
  for (BlockArgument a : region.getArguments())
    builder.arg(a);
  for (Value v : more)
    builder.arg(v);
  SmallVector<Value> roots(region.front().getTerminator()->getOperands());
  if (only)
    roots = {roots[*only]};
  builder.emitLive(&region.front(), roots);
  SmallVector<uint32_t> results;
  for (Value v : roots)
    results.push_back(builder.at(v));
  return builder.finish(results);
}

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
    if (Error e = operands())
      return std::move(e);
    if (Error e = scale())
      return std::move(e);
    if (Error e = dropout())
      return std::move(e);
    if (Error e = compileNormalizer(*kernel))
      return std::move(e);
    if (Error e = compileOutputs(*kernel))
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

  Error region(Region *region, std::optional<Program> &out) {
    return region ? take(buildRegion(kernel->problem, *region), out.emplace()) : Error::success();
  }

  Error operands() {
    const Problem &p = kernel->problem;
    kernel->q.resize(p.q.size());
    kernel->k.resize(p.k.size());
    for (unsigned n = 0; n < p.q.size(); ++n) {
      if (Error e = region(p.q[n].region, kernel->q[n]))
        return e;
      if (Error e = region(p.k[n].region, kernel->k[n]))
        return e;
    }
    if (Error e = region(p.v.region, kernel->v))
      return e;
    return region(attend.dotRegion(), kernel->dot);
  }

  Error scale() {
    if (attend.getScaleValue())
      kernel->scaleValue = attend.getScaleValue()->convertToDouble();
    if (!attend.getScale())
      return Error::success();
    return take(scalar(attend.getScale()), kernel->scale.emplace());
  }

  llvm::Expected<Program> scalar(Value v) { return buildScalar(kernel->problem, v); }

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
      auto value = readReal(kernel->problem, probability);
      if (!value)
        return value.takeError();
      drop.probability = (float)*value;
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
