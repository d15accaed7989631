#include "PredicateBuilder.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Pred;

PredicateBuilder::PredicateBuilder(const TokenAxes &axes, SetPredicate &out)
    : axes(axes), numBatch(axes.numBatch), i(axes.exchanged ? out.key : out.query),
      j(axes.exchanged ? out.query : out.key), out(out) {}

Pred PredicateBuilder::set(Value v) {
  Operation *op = v.getDefiningOp();
  if (axes.gathered && op->hasAttr(kGatheredAttr))
    return Pred::always();
  auto upTo = [&](const Expr &index, Value length) { return sets::lt(index, scalar(length)); };
  return llvm::TypeSwitch<Operation *, Pred>(op)
      .Case<SetFullOp>([&](auto) { return Pred::always(); })
      .Case<SetEmptyOp>([&](auto) { return Pred::never(); })
      .Case<SetAndOp>([&](auto o) { return set(o.getLhs()) && set(o.getRhs()); })
      .Case<SetOrOp>([&](auto o) { return set(o.getLhs()) || set(o.getRhs()); })
      .Case<SetMinusOp>([&](auto o) { return sets::minus(set(o.getLhs()), set(o.getRhs())); })
      .Case<SetNotOp>([&](auto o) { return !set(o.getOperand()); })
      .Case<SetCausalOp>(
          [&](SetCausalOp o) { return sets::le(j, aligned(o.getAlignment(), o.getQLengths(), o.getKLengths())); })
      .Case<SetWindowOp>([&](SetWindowOp o) {
        Expr center = aligned(o.getAlignment(), o.getQLengths(), o.getKLengths());
        Pred p = Pred::always();
        if (o.getLeft())
          p = p && sets::ge(j, center - scalar(o.getLeft()));
        if (o.getRight())
          p = p && sets::le(j, center + scalar(o.getRight()));
        return p;
      })
      .Case<SetDilatedOp>([&](SetDilatedOp o) {
        Expr center = aligned(o.getAlignment(), o.getQLengths(), o.getKLengths());
        return Pred::eq0(sets::mod(center - j, o.getStep()));
      })
      .Case<SetNotSelfOp>(
          [&](SetNotSelfOp o) { return sets::ne(j, aligned(o.getAlignment(), o.getQLengths(), o.getKLengths())); })
      .Case<SetBlockCausalOp>([&](SetBlockCausalOp o) {
        Expr center = aligned(o.getAlignment(), o.getQLengths(), o.getKLengths());
        return sets::le(sets::floorDiv(j, o.getBlock()), sets::floorDiv(center, o.getBlock()));
      })
      .Case<SetPrefixOp>([&](SetPrefixOp o) { return upTo(j, o.getLength()); })
      .Case<SetSinksOp>([&](SetSinksOp o) { return upTo(j, o.getLength()); })
      .Case<SetGlobalOp>([&](SetGlobalOp o) { return upTo(i, o.getLength()) || upTo(j, o.getLength()); })
      .Case<SetLengthsOp>([&](SetLengthsOp o) {
        Pred p = Pred::always();
        if (o.getQ())
          p = p && sets::lt(i, perBatch(o.getQ()));
        if (o.getK())
          p = p && sets::lt(j, perBatch(o.getK()));
        return p;
      })
      .Case<SetSegmentOp>([&](SetSegmentOp o) { return sets::eq(perToken(o.getQ(), i), perToken(o.getK(), j)); })
      .Case<SetSharedPrefixOp>([&](SetSharedPrefixOp o) {
        Expr row = perToken(o.getQ(), i), key = perToken(o.getK(), j);
        Pred p = sets::eq(row, key) || sets::eq(key, scalar(o.getShared()));
        return o.getAll() ? p || sets::eq(row, scalar(o.getAll())) : p;
      })
      .Case<SetNeighborhoodOp>([&](SetNeighborhoodOp o) { return neighborhood(o); })
      .Case<SetHaloOp>([&](SetHaloOp o) { return halo(o); })
      .Case<SetDiscOp>([&](SetDiscOp o) { return disc(o); })
      .Case<SetListOp>([&](SetListOp o) { return list(o); })
      .Case<SetDiagonalsOp>([&](SetDiagonalsOp o) { return diagonals(o); })
      .Case<SetCsrOp>([&](SetCsrOp o) { return csr(o); })
      .Case<SetBitsOp>([&](SetBitsOp o) { return bits(o); })
      .Case<SetRandomBlocksOp>([&](SetRandomBlocksOp o) { return randomBlocks(o); })
      .Case<SetMaskOp>([&](SetMaskOp o) { return opaque({Value(), o}); })
      .Case<SetWhereOp>([&](SetWhereOp o) { return where(o); });
}

Pred PredicateBuilder::opaque(SetPredicate::Opaque what, bool mayBeUnknown) {
  out.opaques.push_back(what);
  unsigned id = out.opaques.size() - 1;
  return !mayBeUnknown && isOfKeys(what) ? answerable(KeyAtom{id}) : Pred::opaque(id);
}

/// Whether the key and axes.keyDims are all that a condition depends on.
bool PredicateBuilder::isOfKeys(SetPredicate::Opaque what) {
  if (!axes.keyDims)
    return false;
  auto isFixed = [&](unsigned dim) { return dim == numBatch + 1 || llvm::is_contained(*axes.keyDims, dim); };
  if (what.mask) {
    AffineMap map = what.mask.getMap();
    for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
      if (map.isFunctionOfDim(dim) && !isFixed(dim))
        return false;
    return true;
  }
  Block *body = what.condition.getParentBlock();
  llvm::SmallPtrSet<Operation *, 16> seen;
  auto walk = [&](auto &self, Value v) -> bool {
    if (auto arg = dyn_cast<BlockArgument>(v))
      return arg.getOwner() != body || isFixed(arg.getArgNumber());
    Operation *op = v.getDefiningOp();
    return !seen.insert(op).second ||
           (op->getNumRegions() == 0 && llvm::all_of(op->getOperands(), [&](Value x) { return self(self, x); }));
  };
  return walk(walk, what.condition);
}

Expr PredicateBuilder::perToken(Value tensor, const Expr &token) {
  if (cast<RankedTensorType>(tensor.getType()).getRank() == 1)
    return Expr::load(argNumber(tensor), {token});
  return Expr::load(argNumber(tensor), {Expr::var(0), token});
}

Expr PredicateBuilder::scalar(Value v) {
  if (isa<RankedTensorType>(v.getType()))
    return perBatch(v);
  if (auto e = integer(v))
    return *e;
  return Expr::var(scalarVar(argNumber(v)));
}

Expr PredicateBuilder::aligned(Alignment alignment, Value q, Value k) {
  if (alignment == Alignment::TopLeft)
    return i;
  if (q)
    return i + (perBatch(k) - perBatch(q));
  return i + (extent(numBatch + !axes.exchanged) - extent(numBatch + axes.exchanged));
}

std::vector<Expr> PredicateBuilder::indicesOf(AffineMap map) {
  std::vector<Expr> result;
  for (AffineExpr index : map.getResults()) {
    int64_t divisor = 1;
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(index)) {
      divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
      index = binary.getLHS();
    }
    if (auto constant = dyn_cast<AffineConstantExpr>(index)) {
      result.push_back(Expr::constant(constant.getValue()));
      continue;
    }
    unsigned d = cast<AffineDimExpr>(index).getPosition();
    Expr e = d == numBatch ? out.query : d == numBatch + 1 ? out.key : Expr::var(d);
    result.push_back(divisor == 1 ? e : sets::floorDiv(e, divisor));
  }
  return result;
}

SetPredicate attn::buildSetPredicate(Region &region, const TokenAxes &axes) {
  SetPredicate out;
  unsigned keyDim = axes.numBatch + 1;
  Expr position = Expr::var(keyDim);
  bool ordered = axes.gathered || axes.boxes;
  out.key = ordered ? Expr::load(kOrderTable, {position}) : position;
  out.query = Expr::var(axes.numBatch);
  if (axes.boxes)
    out.query = Expr::load(kQueryOrder, {out.query});
  // Padding, and positions that hold no key, are outside the set like any other.
  Pred real = sets::lt(position, Expr::var(ordered ? kPositions : extentVar(keyDim)));
  if (ordered && !axes.ownLists)
    real = real && Pred::ge0(out.key);
  if (axes.absentKeys)
    real = real && Pred::ge0(Expr::load(kKeyAbsent, {position}));
  if (axes.absentQueries)
    real = real && Pred::ge0(Expr::load(kQueryAbsent, {Expr::var(axes.numBatch)}));
  PredicateBuilder builder(axes, out);
  if (!region.empty())
    real = real && builder.set(region.front().getTerminator()->getOperand(0));
  out.pred = sets::normalize(real);
  return out;
}
