// Sets that the caller gives as lists, words of bits, or a seed.
#include "PredicateBuilder.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Pred;

Pred PredicateBuilder::list(SetListOp op) {
  MemberAtom atom;
  atom.list = argNumber(op.getList());
  atom.indices = indicesOf(op.getMap());
  atom.value = sets::floorDiv(Expr::var(kLogicalKey), op.getBlock());
  atom.limit = sets::floorDiv(extent(numBatch + 1) + (op.getBlock() - 1), op.getBlock());
  return answerable(std::move(atom));
}

Pred PredicateBuilder::diagonals(SetDiagonalsOp op) {
  MemberAtom atom;
  atom.list = argNumber(op.getList());
  atom.indices = indicesOf(op.getMap());
  atom.value = aligned(op.getAlignment(), op.getQLengths(), op.getKLengths()) - Expr::var(kLogicalKey);
  if (!op.getSymmetric())
    return answerable(std::move(atom));
  MemberAtom after = atom;
  after.value = -atom.value;
  Pred before = sets::ge(aligned(op.getAlignment(), op.getQLengths(), op.getKLengths()), j);
  return (before && answerable(std::move(atom))) || (!before && answerable(std::move(after)));
}

Pred PredicateBuilder::csr(SetCsrOp op) {
  MemberAtom atom;
  atom.list = argNumber(op.getColumns());
  atom.indices = indicesOf(op.getMap());
  atom.value = Expr::var(kLogicalKey);
  atom.offsets = argNumber(op.getOffsets());
  atom.limit = extent(numBatch + 1);
  return answerable(std::move(atom));
}

Pred PredicateBuilder::bits(SetBitsOp op) {
  BitsAtom atom;
  atom.words = argNumber(op.getWords());
  atom.indices = indicesOf(op.getMap());
  return answerable(std::move(atom));
}

Pred PredicateBuilder::randomBlocks(SetRandomBlocksOp op) {
  RandomAtom atom;
  atom.seed = op.getSeed();
  atom.probability = op.getProbability();
  for (unsigned d = 0; d < numBatch; ++d)
    atom.batch.push_back(Expr::var(d));
  atom.rowBlock = sets::floorDiv(i, op.getBlock()[0]);
  atom.keyBlock = sets::floorDiv(j, op.getBlock()[1]);
  return answerable(std::move(atom));
}

/// Of a `where`: none where the value or an index is nothing that the algebra knows, or an index may be a bad one.
std::optional<Pred> PredicateBuilder::member(MemberOp op) {
  if (op.getFrom())
    return std::nullopt;
  MemberAtom atom;
  atom.list = argNumber(op.getList());
  auto value = integer(op.getValue());
  if (!value)
    return std::nullopt;
  atom.value =
      axes.gathered || axes.boxes ? *value : sets::substitute(*value, {{numBatch + 1, Expr::var(kLogicalKey)}});
  // Of the key, or of the query alone.
  atom.ofRows = !sets::mentions(atom.value, kLogicalKey);
  if (sets::mentions(atom.value, numBatch + 1) ||
      !sets::solveAtom(sets::eq(atom.value, Expr::var(kElement)), atom.ofRows ? numBatch : kLogicalKey))
    return std::nullopt;
  for (Value index : op.getIndices()) {
    auto e = integer(index);
    if (!e || !(e->isConst() || (e->is(sets::ExprKind::Var) && e->varId() < numBatch + (atom.ofRows ? 0 : 1))))
      return std::nullopt;
    atom.indices.push_back(*e);
  }
  return answerable(std::move(atom));
}
