// What an attend reads, as tile.pack, tile.load and tile.pick take it: parts side by side, each through its region.
#include "Lowering.h"
#include "attn/Analysis/OperandBounds.h"

using namespace mlir;
using namespace attn;

SmallVector<AttendOp::Operand> Lowering::keyParts() {
  SmallVector<AttendOp::Operand> parts;
  for (unsigned n = 0; n < attend.numParts(); ++n)
    parts.push_back(attend.kPart(n));
  return parts;
}

/// What the panels of a unit hold: the keys, of every branch where there are several.
SmallVector<AttendOp::Operand> Lowering::packedKeys() {
  if (!branch)
    return keyParts();
  SmallVector<AttendOp::Operand> parts;
  for (int64_t n = 0; n < branch[1]; ++n)
    for (AttendOp::Operand part : keyParts()) {
      part.map = part.map.replace(b.getAffineDimExpr(branch[0]), b.getAffineConstantExpr(n), part.map.getNumDims(), 0);
      parts.push_back(part);
    }
  return parts;
}

SmallVector<AttendOp::Operand> Lowering::queryParts() {
  SmallVector<AttendOp::Operand> parts;
  for (unsigned n = 0; n < attend.numParts(); ++n)
    parts.push_back(attend.qPart(n));
  return parts;
}

/// A key is absent if one of its parts or its value cannot be read.
bool Lowering::keysMayBeAbsent() {
  SmallVector<AttendOp::Operand> all = keyParts();
  all.push_back(attend.vPart());
  return llvm::any_of(all, mayBeAbsent);
}

void Lowering::cloneProducer(Region *from, Region &to) {
  if (!from)
    return;
  IRMapping map = args;
  from->cloneInto(&to, map);
  Operation *yield = to.front().getTerminator();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(yield);
  tile::YieldOp::create(b, loc, yield->getOperands());
  yield->erase();
}

Lowering::Sources Lowering::sourcesOf(ArrayRef<AttendOp::Operand> parts) {
  Sources s;
  SmallVector<int64_t> extents;
  for (const AttendOp::Operand &part : parts) {
    s.tensors.push_back(args.lookup(part.tensor));
    s.maps.push_back(part.map);
    extents.push_back(part.extent);
    if (part.region)
      s.producers = parts.size();
  }
  if (parts.size() > 1)
    s.extents = b.getDenseI64ArrayAttr(extents);
  return s;
}

Value Lowering::packOf(ArrayRef<AttendOp::Operand> parts, Type type, Value order) {
  Sources s = sourcesOf(parts);
  auto op = tile::PackOp::create(b, loc, type, s.tensors, order, b.getAffineMapArrayAttr(s.maps), s.extents,
                                 llvm::any_of(parts, mayBeAbsent) ? b.getUnitAttr() : UnitAttr(), s.producers);
  for (auto [n, region] : llvm::enumerate(op.getProducers()))
    cloneProducer(parts[n].region, region);
  return op;
}

Value Lowering::loadQueries(Type type) {
  SmallVector<AttendOp::Operand> parts = queryParts();
  Sources s = sourcesOf(parts);
  auto op = tile::LoadOp::create(b, loc, type, s.tensors, b.getAffineMapArrayAttr(s.maps), s.extents,
                                 llvm::any_of(parts, mayBeAbsent) ? b.getUnitAttr() : UnitAttr(), s.producers);
  for (auto [n, region] : llvm::enumerate(op.getProducers()))
    cloneProducer(parts[n].region, region);
  return op;
}
