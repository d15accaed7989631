#include "ListChecks.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

bool ListCheck::fails(ArrayRef<int64_t> dims) const {
  auto start = [&](const View &view) {
    int64_t offset = 0;
    for (auto [axis, index] : llvm::enumerate(indices))
      offset += (index.dim < 0 ? index.constant : dims[index.dim] / index.divisor) * view.stride[axis];
    return offset;
  };
  const unsigned last = list.rank - 1;
  int64_t from = 0, to = list.shape[last];
  bool bad = false;
  if (offsets) {
    const int64_t i = dims.back(), row = start(*offsets), stride = offsets->stride[last], count = to;
    from = readInt(*offsets, row + i * stride);
    to = readInt(*offsets, row + (i + 1) * stride);
    bad = from < 0 || to < from || to > count;
    from = std::clamp<int64_t>(from, 0, count);
    to = std::clamp<int64_t>(to, 0, count);
  }
  for (int64_t n = from, row = start(list); n < to && !bad; ++n) {
    const int64_t element = readInt(list, row + n * list.stride[last]);
    bad = (element < 0 || element >= extent) && !(padded && element == -1);
  }
  return bad;
}

std::vector<ListCheck> attn::interpreter::listChecks(const Problem &problem) {
  std::vector<ListCheck> checks;
  AttendOp attend = problem.attend;
  if (attend.getSet().empty())
    return checks;
  const int64_t keys = problem.extents[attend.keyDim()];
  auto add = [&](Value list, AffineMap map, int64_t extent, bool padded, std::optional<View> offsets) {
    ListCheck check{problem.tensors.lookup(list), {}, extent, padded, offsets};
    for (AffineExpr e : map.getResults())
      check.indices.push_back(axisIndex(e));
    checks.push_back(std::move(check));
  };
  // From the yielded set to its parts: a set that nothing uses reads no list.
  SmallVector<Value> work(attend.getSet().front().getTerminator()->getOperands());
  llvm::DenseSet<Operation *> seen;
  while (!work.empty()) {
    Operation *op = work.pop_back_val().getDefiningOp();
    if (!op || !seen.insert(op).second)
      continue;
    if (auto list = dyn_cast<SetListOp>(op))
      add(list.getList(), list.getMap(), llvm::divideCeil(keys, list.getBlock()), true, std::nullopt);
    else if (auto csr = dyn_cast<SetCsrOp>(op))
      add(csr.getColumns(), csr.getMap(), keys, false, problem.tensors.lookup(csr.getOffsets()));
    for (Value v : op->getOperands())
      if (isa<SetType>(v.getType()))
        work.push_back(v);
  }
  return checks;
}
