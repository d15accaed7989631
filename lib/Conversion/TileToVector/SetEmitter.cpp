#include "SetEmitter.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::ExprKind;
using sets::Pred;
using sets::PredKind;
using V = Value;
using Val = RegionEmitter::Val;

Val SetEmitter::expr(const Expr &x) {
  switch (x.kind()) {
  case ExprKind::Const:
    return region.constantInt(x.value());
  case ExprKind::Var:
    return vars.at(x.varId());
  case ExprKind::Add: {
    std::optional<Val> sum;
    for (const Expr &term : x.operands()) {
      // Terms with a negative coefficient are subtracted, which keeps `j - i` one instruction.
      if (term.is(ExprKind::MulConst) && term.value() < 0 && sum) {
        Expr positive = term.operand(0) * -term.value();
        sum = region.combine("sub", *sum, expr(positive));
      } else {
        sum = sum ? region.combine("add", *sum, expr(term)) : expr(term);
      }
    }
    return x.value() ? region.combine("add", *sum, region.constantInt(x.value())) : *sum;
  }
  case ExprKind::MulConst:
    return region.combine("mul", expr(x.operand(0)), region.constantInt(x.value()));
  case ExprKind::FloorDiv:
  case ExprKind::Mod: {
    Val a = expr(x.operand(0));
    V wide = region.wide(a), divisor = e.i64(x.value());
    V q;
    if (a.isVector())
      q = arith::FloorDivSIOp::create(e.b, e.loc, wide, region.asVector(divisor));
    else
      q = e.divFloor(wide, x.value());
    auto floorOf = [&](RegionEmitter::Int n) { return n >= 0 ? n / x.value() : -((-n + x.value() - 1) / x.value()); };
    Val quotient = region.make(q, floorOf(a.lo), floorOf(a.hi));
    if (x.is(ExprKind::FloorDiv))
      return quotient;
    Val r = region.combine("sub", a, region.combine("mul", quotient, region.constantInt(x.value())));
    return region.make(region.wide(r), 0, x.value() - 1);
  }
  case ExprKind::Min:
  case ExprKind::Max: {
    Val r = expr(x.operand(0));
    for (const Expr &next : llvm::drop_begin(x.operands()))
      r = region.combine(x.is(ExprKind::Min) ? "min" : "max", r, expr(next));
    return r;
  }
  case ExprKind::Select: {
    V c = pred(Pred::ge0(x.operand(0)));
    Val a = expr(x.operand(1)), b = expr(x.operand(2));
    V va = region.wide(a), vb = region.wide(b);
    if (isa<VectorType>(c.getType()) || a.isVector() || b.isVector())
      va = region.asVector(va), vb = region.asVector(vb), c = region.asVector(c);
    return region.make(e.select(c, va, vb), std::min(a.lo, b.lo), std::max(a.hi, b.hi));
  }
  case ExprKind::Load: {
    SmallVector<Val> indices;
    for (const Expr &i : x.operands())
      indices.push_back(expr(i));
    return *region.loadAt(tensorOf(x.table()), indices);
  }
  case ExprKind::LoadMin:
  case ExprKind::LoadMax:
    return extreme(x);
  }
  llvm_unreachable("kinds are all listed");
}

/// The extreme of a tensor over lo..hi along one axis: from the summary where there is one, else element by element.
Val SetEmitter::extreme(const Expr &x) {
  bool least = x.is(ExprKind::LoadMin);
  TensorRef &t = tensorOf(x.table());
  V lo = e.max(scalar(x.lo()), e.i64(0)), hi = e.min(scalar(x.hi()), e.sub(t.extents[x.axis()], e.i64(1)));
  V none = e.i64(least ? INT64_MAX : INT64_MIN);

  std::vector<Expr> indices = x.indices();
  for (const SummaryRef &s : summaries) {
    if (s.argument != x.table())
      continue;
    bool same = true;
    for (unsigned axis = 0; axis < indices.size(); ++axis) {
      unsigned dim = cast<AffineDimExpr>(s.map.getResult(axis)).getPosition();
      same &= axis == x.axis() ? dim == keyDim : indices[axis].is(ExprKind::Var) && indices[axis].varId() == dim;
    }
    if (!same)
      continue;
    V first = e.divUnsigned(lo, s.width), last = e.divFloor(hi, s.width);
    V r = e.loop(first, e.add(last, 1), 1, none, [&](V panel, ValueRange acc) {
      V v = e.loadI64(e.at(s.base, e.mul(panel, 16)), least ? 0 : 8);
      return SmallVector<V>{least ? e.min(acc[0], v) : e.max(acc[0], v)};
    })[0];
    return region.make(r, INT64_MIN, INT64_MAX);
  }

  V base = t.data;
  V offset = e.i64(0);
  for (unsigned axis = 0; axis < indices.size(); ++axis)
    if (axis != x.axis())
      offset = e.add(offset, e.mul(scalar(indices[axis]), t.strides[axis]));
  Type element = t.type.getElementType();
  V r = e.loop(lo, e.add(hi, 1), 1, none, [&](V n, ValueRange acc) {
    V at = e.add(offset, e.mul(n, t.strides[x.axis()]));
    V v = e.load(element, e.at(base, e.mul(at, Emit::elementBytes(element))));
    if (!element.isInteger(64))
      v = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), v);
    return SmallVector<V>{least ? e.min(acc[0], v) : e.max(acc[0], v)};
  })[0];
  return region.make(r, INT64_MIN, INT64_MAX);
}

V SetEmitter::opaque(const Pred &p, bool unknownHolds) {
  size_t before = region.checks.size();
  const SetPredicate::Opaque &o = opaques[p.opaqueId()];
  V v;
  if (o.condition) {
    auto r = region.emit(o.condition);
    v = succeeded(r) ? r->v : e.i1(false);
  } else {
    SetMaskOp mask = o.mask;
    SmallVector<Val> indices;
    for (AffineExpr index : mask.getMap().getResults()) {
      if (auto constant = dyn_cast<AffineConstantExpr>(index)) {
        indices.push_back(region.constantInt(constant.getValue()));
      } else if (auto dim = dyn_cast<AffineDimExpr>(index)) {
        indices.push_back(vars.at(dim.getPosition()));
      } else {
        auto binary = cast<AffineBinaryOpExpr>(index);
        Val d = vars.at(cast<AffineDimExpr>(binary.getLHS()).getPosition());
        indices.push_back(region.make(
            e.divUnsigned(region.wide(d), cast<AffineConstantExpr>(binary.getRHS()).getValue()), 0, INT32_MAX));
      }
    }
    TensorRef &t = tensorOf(cast<BlockArgument>(mask.getMask()).getArgNumber());
    Val x = *region.loadAt(t, indices);
    Type element = t.type.getElementType();
    if (element.isInteger(1))
      v = x.v;
    else if (isa<FloatType>(element))
      v = e.cmpf(arith::CmpFPredicate::UNE, x.v, x.isVector() ? e.splat(0) : e.scalar(0));
    else
      v = region.compare(arith::CmpIPredicate::ne, x, region.constantInt(0));
  }
  auto invert = [&](V x) -> V {
    return isa<VectorType>(x.getType()) ? (V)arith::XOrIOp::create(e.b, e.loc, x, region.asVector(e.i1(true)))
                                        : e.invert(x);
  };
  if (p.negated())
    v = invert(v);
  auto &ok = known[p.opaqueId()];
  for (size_t n = before; n < region.checks.size(); ++n)
    ok = ok ? combineMasks(ok, region.checks[n].ok, true) : region.checks[n].ok;
  if (!ok) {
    known.erase(p.opaqueId());
    return v;
  }
  return unknownHolds ? combineMasks(v, invert(ok), false) : combineMasks(v, ok, true);
}

/// and / or of two conditions of which any may be a vector.
V SetEmitter::combineMasks(V a, V c, bool both) {
  if (isa<VectorType>(a.getType()) || isa<VectorType>(c.getType()))
    a = region.asVector(a), c = region.asVector(c);
  return both ? e.both(a, c) : e.either(a, c);
}

V SetEmitter::pred(const Pred &p, bool unknownHolds) {
  auto compare = [&](arith::CmpIPredicate cmp) {
    auto [first, second] = sets::splitSides(p.expr());
    return region.compare(cmp, expr(first), expr(second));
  };
  switch (p.kind()) {
  case PredKind::True:
    return e.i1(true);
  case PredKind::False:
    return e.i1(false);
  case PredKind::Ge0:
    return compare(arith::CmpIPredicate::sge);
  case PredKind::Eq0:
    return compare(arith::CmpIPredicate::eq);
  case PredKind::Ne0:
    return compare(arith::CmpIPredicate::ne);
  case PredKind::Opaque:
    return opaque(p, unknownHolds);
  case PredKind::And:
  case PredKind::Or: {
    V r;
    for (const Pred &operand : p.operands()) {
      V v = pred(operand, unknownHolds);
      r = r ? combineMasks(r, v, p.is(PredKind::And)) : v;
    }
    return r;
  }
  }
  llvm_unreachable("kinds are all listed");
}
