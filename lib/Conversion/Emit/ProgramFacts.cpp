// What a tile program says of its tensors and axes, whatever it is lowered to.
#include "attn/Conversion/ProgramFacts.h"

using namespace mlir;
using namespace attn;

TokenAxes attn::tokenAxes(tile::ForOp op) {
  TokenAxes axes;
  axes.numBatch = op->getParentOfType<tile::ProgramOp>().getNumBatch();
  if (auto grid = op.getQueryGrid())
    axes.queryGrid.assign(grid->begin(), grid->end());
  if (auto grid = op.getKeyGrid())
    axes.keyGrid.assign(grid->begin(), grid->end());
  axes.exchanged = op->hasAttr(kExchanged);
  if (axes.exchanged)
    std::swap(axes.queryGrid, axes.keyGrid);
  axes.first = op.getFirst();
  axes.firstValue = op.getFirstValue().value_or(0);
  axes.gathered = op.getOrder() && !op.getBoxes();
  axes.boxes = op.getBoxes();
  op->getParentOfType<tile::VariantOp>().walk([&](Operation *inner) {
    if (auto packs = dyn_cast<tile::PackOp>(inner))
      axes.absentKeys |= packs.getChecked();
    else if (auto loads = dyn_cast<tile::LoadOp>(inner))
      axes.absentQueries |= loads.getChecked();
  });
  axes.ownLists = axes.gathered && isa<tile::ListsType>(op.getOrder().getType());
  return axes;
}

SetPredicate attn::pairPredicate(tile::ForOp op) {
  TokenAxes axes = tokenAxes(op);
  axes.absentKeys = axes.absentQueries = false;
  return buildSetPredicate(op.getSet(), axes);
}

sets::Facts attn::argumentFactsOf(tile::ProgramOp program) { return argumentFactsOf(program.getArgAttrsAttr()); }

sets::Facts attn::argumentFactsOf(ArrayAttr argAttrs) {
  sets::Facts facts;
  if (!argAttrs)
    return facts;
  for (auto [n, attrs] : llvm::enumerate(argAttrs.getAsRange<DictionaryAttr>())) {
    if (attrs.contains("attn.sorted"))
      facts.sorted.insert(n);
    if (auto range = attrs.getAs<DenseI64ArrayAttr>("attn.range"))
      facts.range[n] = {range[0], range[1] - 1};
  }
  return facts;
}

OperandIndex OperandIndex::of(AffineExpr expr) {
  OperandIndex x;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    x.offset = constant.getValue();
  } else if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    x.dim = dim.getPosition();
  } else {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    x.dim = cast<AffineDimExpr>(binary.getLHS()).getPosition();
    int64_t constant = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    (expr.getKind() == AffineExprKind::Add ? x.offset : x.divisor) = constant;
  }
  return x;
}

tile::MapOp attn::mapOf(tile::ProgramOp program) {
  tile::MapOp found;
  program.getBody().walk([&](tile::MapOp map) { found = map; });
  return found;
}

/// In f64 there are the basic operations, exp and log: so sums of logarithms lose nothing where numbers are large.
bool attn::computesInF64(Block &body) {
  return llvm::all_of(body.without_terminator(), [](Operation &op) {
    return op.getName().getDialectNamespace() == "arith" ||
           isa<math::ExpOp, math::LogOp, math::SqrtOp, math::AbsFOp>(op);
  });
}
