// Facts of the arguments of a kernel that is one attn.map.
#include "attn/Analysis/ArgumentFacts.h"

using namespace mlir;
using namespace attn;

namespace {

class MapCollector {
public:
  MapCollector(KernelOp kernel, MapOp map) : kernel(kernel), map(map) {
    for (Type t : llvm::concat<const Type>(kernel.getArgumentTypes(), kernel.getResultTypes()))
      facts.push_back(ArgumentFact::ofType(t));
  }

  LogicalResult run() {
    for (auto [n, input] : llvm::enumerate(map.getInputs()))
      if (failed(mapped(facts[cast<BlockArgument>(input).getArgNumber()], map.inMap(n))))
        return failure();
    if (failed(mapped(facts.back(), map.getOutMap())))
      return failure();
    auto result = map.getBody().walk([&](Operation *op) {
      LogicalResult done = success();
      if (auto load = dyn_cast<attn::LoadOp>(op))
        done = captured(load.getTensor(), load.getIndices());
      else if (auto member = dyn_cast<MemberOp>(op))
        done = captured(member.getList(), member.getIndices());
      return failed(done) ? WalkResult::interrupt() : WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  SmallVector<ArgumentFact> facts;

private:
  LogicalResult merge(AxisFact &axis, const AxisFact &use, unsigned n) {
    if (axis.merge(use))
      return success();
    return map.emitError("[unsupported_axis] axis ")
           << n << " of one tensor is indexed in ways that contradict each other; pass it as two arguments";
  }

  LogicalResult mapped(ArgumentFact &fact, AffineMap m) {
    for (auto [n, e] : llvm::enumerate(m.getResults()))
      if (failed(merge(fact.axes[n], AxisFact::ofIndex(e), n)))
        return failure();
    return success();
  }

  /// An axis indexed by a bare dimension has its extent; any other index is checked where it is used.
  LogicalResult captured(Value tensor, ValueRange indices) {
    auto argument = dyn_cast<BlockArgument>(tensor);
    if (!argument || argument.getOwner() != &kernel.getBody().front())
      return map.emitError("[unsupported_operand] captured tensors are arguments of the kernel");
    ArgumentFact &fact = facts[argument.getArgNumber()];
    for (auto [n, index] : llvm::enumerate(indices)) {
      auto arg = dyn_cast<BlockArgument>(index);
      if (!arg || arg.getOwner() != &map.getBody().front() || arg.getArgNumber() < map.getInputs().size())
        continue;
      AxisFact use;
      use.free = 0;
      use.dim = arg.getArgNumber() - map.getInputs().size();
      if (failed(merge(fact.axes[n], use, n)))
        return failure();
    }
    return success();
  }

  KernelOp kernel;
  MapOp map;
};

} // namespace

FailureOr<SmallVector<ArgumentFact>> attn::argumentFacts(KernelOp kernel, MapOp map) {
  MapCollector collector(kernel, map);
  if (failed(collector.run()))
    return failure();
  return collector.facts;
}
