// Programs behind the normalizer: classes, reductions, the epilogue, columns; and the source of every output.
#include "CompiledKernel.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;
using llvm::Error;

namespace {

class OutputCompiler {
public:
  explicit OutputCompiler(CompiledKernel &kernel)
      : kernel(kernel), problem(kernel.problem), attend(problem.attend), normalizer(lookupNormalizer(attend)) {}

  Error run() {
    if (kernel.normalizer.usesClasses()) {
      if (!attend.classRegion())
        return makeError("the normalizer sums over classes of keys and the attend has no class region");
      if (Error e = region(*attend.classRegion(), kernel.classes.emplace()))
        return e;
    }
    for (unsigned n = 0; n < attend.numReductions(); ++n)
      kernel.reductions.push_back({attend.reductionKind(n), false, std::nullopt, attend.reductionCount(n)});
    if (Error e = epilogueArguments())
      return e;
    for (unsigned r = 0; r < attend.getNumResults(); ++r)
      if (Error e = output(attend.outName(r), attend.outMap(r)))
        return e;
    for (unsigned n = 0; n < attend.numReductions(); ++n)
      if (Region *f = attend.reductionRegion(n); f && kernel.reductions[n].needed)
        if (Error e = region(*f, kernel.reductions[n].f.emplace()))
          return e;
    return Error::success();
  }

private:
  Error region(Region &r, Program &to, std::optional<unsigned> only = std::nullopt) {
    auto program = buildRegion(problem, r, /*normalizer=*/false, {}, only);
    if (!program)
      return program.takeError();
    to = std::move(*program);
    return Error::success();
  }

  static std::optional<unsigned> indexOf(std::optional<ArrayAttr> names, StringRef name) {
    if (names)
      for (auto [n, a] : llvm::enumerate(*names))
        if (cast<StringAttr>(a).getValue() == name)
          return n;
    return std::nullopt;
  }

  /// A reduction's name comes before one of the finish.
  Error epilogueArguments() {
    if (!attend.epilogueRegion() || !attend.getEpilogueArgs())
      return Error::success();
    for (Attribute a : attend.getEpilogueArgsAttr()) {
      StringRef name = cast<StringAttr>(a).getValue();
      if (auto n = indexOf(attend.getReduceNames(), name))
        kernel.epilogueArgs.push_back({CompiledEpilogueArgument::Reduction, *n});
      else if (auto n = indexOf(normalizer.finish().getOutNames(), name))
        kernel.epilogueArgs.push_back({CompiledEpilogueArgument::Finish, *n});
      else if (name == "lse")
        kernel.epilogueArgs.push_back({CompiledEpilogueArgument::LogSumExp, 0});
      else
        return makeError("the epilogue takes '" + name + "', which is no output of the normalizer and no reduction");
    }
    return Error::success();
  }

  Error output(StringRef name, AffineMap map) {
    auto source = findOutput(attend, normalizer, name);
    if (!source)
      return makeError("the normalizer has no output '" + name + "'");
    kernel.needsValues |= source->needsValues;
    if (source->kind == OutputSource::Column)
      return column(name, source->index);
    if (source->kind == OutputSource::Aggregate)
      return aggregate(name, source->index, map);
    CompiledOutput &out = kernel.outputs.emplace_back();
    out.name = name.str();
    out.source = *source;
    if (source->kind == OutputSource::Reduction)
      kernel.reductions[source->index].needed = true;
    if (source->kind != OutputSource::Epilogue)
      return Error::success();
    Region &body = *attend.epilogueRegion();
    for (BlockArgument arg : argumentsOf(body.front().getTerminator()->getOperand(source->index), body.front()))
      if (arg.getArgNumber() < kernel.epilogueArgs.size())
        if (auto from = kernel.epilogueArgs[arg.getArgNumber()]; from.kind == CompiledEpilogueArgument::Reduction)
          kernel.reductions[from.index].needed = true;
    return region(body, out.epilogue.emplace(), source->index);
  }

  /// The block's arguments that a value depends on.
  static SmallVector<BlockArgument> argumentsOf(Value root, Block &block) {
    SmallVector<Value> work{root};
    llvm::DenseSet<Value> seen;
    SmallVector<BlockArgument> found;
    while (!work.empty()) {
      Value v = work.pop_back_val();
      if (!seen.insert(v).second)
        continue;
      if (auto arg = dyn_cast<BlockArgument>(v); arg && arg.getOwner() == &block)
        found.push_back(arg);
      if (Operation *op = v.getDefiningOp())
        llvm::append_range(work, op->getOperands());
    }
    return found;
  }

  Error column(StringRef name, unsigned n) {
    CompiledColumn &column = kernel.columns.emplace_back();
    column.name = name.str();
    return region(*attend.columnRegion(n), column.f);
  }

  Error aggregate(StringRef name, unsigned n, AffineMap map) {
    CompiledAggregate &aggregate = kernel.aggregates.emplace_back();
    aggregate.name = name.str();
    aggregate.u.view = problem.tensors.lookup(attend.getAggregated()[n]);
    for (AffineExpr e : cast<AffineMapAttr>((*attend.getAggregateMaps())[n]).getValue().getResults()) {
      aggregate.u.axes.push_back(axisIndex(e));
      if (int dim = aggregate.u.axes.back().dim; dim >= (int)attend.dotDim())
        aggregate.feature = dim;
    }
    for (unsigned dim : {attend.dotDim(), attend.valueDim()})
      if (map.isFunctionOfDim(dim) != (dim == aggregate.feature))
        return makeError("the output '" + name + "' has the feature of the tensor that it aggregates, '" +
                         attend.dimName(aggregate.feature) + "', and no other");
    return Error::success();
  }

  CompiledKernel &kernel;
  const Problem &problem;
  AttendOp attend;
  NormalizerOp normalizer;
};

} // namespace

Error attn::interpreter::compileOutputs(CompiledKernel &kernel) { return OutputCompiler(kernel).run(); }
