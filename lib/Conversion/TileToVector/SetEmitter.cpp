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
  case ExprKind::Mul: {
    // Equal operands stand beside each other: a power computes its base once.
    Val base = expr(x.operand(0)), product = base;
    for (unsigned n = 1; n < x.operands().size(); ++n) {
      if (x.operand(n) != x.operand(n - 1))
        base = expr(x.operand(n));
      product = region.combine("mul", product, base);
    }
    return product;
  }
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
  case ExprKind::Find:
    return find(x);
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

  V offset = e.i64(0);
  for (unsigned axis = 0; axis < indices.size(); ++axis)
    if (axis != x.axis())
      offset = e.add(offset, e.mul(scalar(indices[axis]), t.strides[axis]));
  V r = e.loop(lo, e.add(hi, 1), 1, none, [&](V n, ValueRange acc) {
    V v = elementAt(t, e.add(offset, e.mul(n, t.strides[x.axis()])));
    return SmallVector<V>{least ? e.min(acc[0], v) : e.max(acc[0], v)};
  })[0];
  return region.make(r, INT64_MIN, INT64_MAX);
}

/// The integer at an offset, counted in elements, as i64.
V SetEmitter::elementAt(TensorRef &t, V offset) {
  Type element = t.type.getElementType();
  V v = e.load(element, e.at(t.data, e.mul(offset, Emit::elementBytes(element))));
  return element.isInteger(64) ? v : (V)arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), v);
}

/// The first place along a sorted axis whose element is not below the sought value, by bisection. Bounds of intervals
/// are scalars; should lanes ask, each is searched for by itself.
Val SetEmitter::find(const Expr &x) {
  TensorRef &t = tensorOf(x.table());
  // Elements may be any i64: `element < value + 1` is asked as `element <= value`, which does not wrap.
  sets::LinearForm form = sets::linearForm(x.sought());
  bool orEqual = form.constant > 0;
  Val sought = expr(orEqual ? x.sought() - 1 : x.sought());
  SmallVector<std::pair<Val, V>> others; // index and stride
  for (auto [axis, index] : llvm::enumerate(x.indices()))
    if (axis != x.axis())
      others.push_back({expr(index), t.strides[axis]});
  bool lanes = sought.isVector() || llvm::any_of(others, [](auto &o) { return o.first.isVector(); });

  auto search = [&](int64_t lane) {
    auto of = [&](const Val &v) -> V {
      return v.isVector() ? (V)vector::ExtractOp::create(e.b, e.loc, region.wide(v), ArrayRef<int64_t>{lane})
                          : region.wide(v);
    };
    V offset = e.i64(0), value = of(sought);
    for (auto &[index, stride] : others)
      offset = e.add(offset, e.mul(of(index), stride));
    return e.whileLoop(
        {e.i64(0), t.extents[x.axis()]}, [&](ValueRange at) { return e.lt(at[0], at[1]); },
        [&](ValueRange at) {
          V middle = e.divUnsigned(e.add(at[0], at[1]), 2);
          V element = elementAt(t, e.add(offset, e.mul(middle, t.strides[x.axis()])));
          V below = orEqual ? e.le(element, value) : e.lt(element, value);
          return SmallVector<V>{e.select(below, e.add(middle, 1), at[0]), e.select(below, at[1], middle)};
        })[0];
  };
  if (!lanes)
    return region.make(search(0), 0, INT64_MAX);
  V places = e.splatInt(e.vecOf(e.i64Type()), 0);
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    places = vector::InsertOp::create(e.b, e.loc, search(lane), places, ArrayRef<int64_t>{lane});
  return region.make(places, 0, INT64_MAX);
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
