// Rules of elementwise programs and of sequences.
#include "attn/Dialect/Tile/Tile.h"

using namespace mlir;
using namespace attn::tile;

LogicalResult MapOp::verify() {
  auto program = (*this)->getParentOfType<ProgramOp>();
  bool maps = getInMaps().size() == getInputs().size() && program;
  unsigned dims = program ? program.getDimNames().size() : 0;
  auto fits = [&](AffineMap map, Value tensor) {
    return map.getNumDims() == dims &&
           (int64_t)map.getNumResults() == cast<RankedTensorType>(tensor.getType()).getRank();
  };
  for (unsigned n = 0; maps && n < getInputs().size(); ++n)
    maps = fits(cast<AffineMapAttr>(getInMaps()[n]).getValue(), getInputs()[n]);
  maps = maps && fits(getOutMap(), getDest()) &&
         llvm::all_of(getReduced(), [&](int64_t d) { return d >= 0 && d < (int64_t)dims; });
  if (!maps || !llvm::is_contained({"none", "sum", "max"}, getReduction()) ||
      (getReduction() == "none") != getReduced().empty())
    return emitOpError("[tile_map_c1] one map for each input and one for the destination, over the program's ")
           << dims << " dimensions; none, sum or max, the last two over some of them";
  return success();
}

LogicalResult MapOp::verifyRegions() {
  Block &block = getBody().front();
  unsigned inputs = getInputs().size();
  unsigned dims = (*this)->getParentOfType<ProgramOp>().getDimNames().size();
  bool args = block.getNumArguments() == inputs + dims &&
              llvm::all_of(block.getArguments().drop_front(std::min<size_t>(inputs, block.getNumArguments())),
                           [](BlockArgument a) { return a.getType().isIndex(); });
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!args || !yield || yield.getNumOperands() != 1 || !yield.getOperand(0).getType().isIntOrFloat())
    return emitOpError("[tile_map_c2] the region takes ")
           << inputs << " elements and " << dims << " indices and yields one number";
  return success();
}

LogicalResult SequenceOp::verifyRegions() {
  llvm::SmallPtrSet<Value, 8> written;
  unsigned inputs = getBody().getNumArguments() - std::min<unsigned>(getNumOutputs(), getBody().getNumArguments());
  auto isInput = [&](Value v) {
    auto arg = dyn_cast<BlockArgument>(v);
    return arg && arg.getArgNumber() < inputs;
  };
  for (Operation &op : getBody().front()) {
    if (isa<TemporaryOp>(op))
      continue;
    auto call = dyn_cast<CallOp>(op);
    if (!call)
      return op.emitOpError("[sequence_c1] a sequence holds tile.temporary and tile.call alone");
    for (Value v : call.getInputs())
      if (!isInput(v) && !written.contains(v))
        return call.emitOpError("[sequence_c2] reads a value that no call before it has written");
    for (Value v : call.getDests())
      if (isInput(v) || !written.insert(v).second)
        return call.emitOpError("[sequence_c2] writes ") << (isInput(v) ? "an argument" : "a value a second time");
  }
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<ProgramOp>(*this, getCalleeAttr());
  SmallVector<Type> types(getInputs().getTypes());
  llvm::append_range(types, getDests().getTypes());
  if (!callee || callee.getNumOutputs() != getDests().size() ||
      TypeRange(callee.getBody().getArgumentTypes()) != TypeRange(types))
    return emitOpError("[tile_call_c1] there is no program ")
           << getCalleeAttr() << " with " << getDests().size() << " destinations whose arguments have these types";
  return success();
}
