#include "attn/Conversion/SetEmitter.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::ExprKind;
using sets::Pred;
using sets::PredKind;
using V = Value;
using Val = RegionEmitter::Val;

Val SetEmitter::exprWith(const Expr &x, unsigned var, Val v) {
  auto saved = vars;
  vars[var] = v;
  Val r = expr(x);
  vars = std::move(saved);
  return r;
}

void SetEmitter::hoist(const Expr &x, ArrayRef<unsigned> varying) {
  bool free = llvm::none_of(varying, [&](unsigned v) { return sets::mentions(x, v); });
  if (free && (x.is(ExprKind::Load) || x.is(ExprKind::LoadMin) || x.is(ExprKind::LoadMax))) {
    if (!hoisted->count(x)) {
      Val v = expr(x);
      (*hoisted)[x] = v;
    }
    return;
  }
  for (const Expr &operand : x.operands())
    hoist(operand, varying);
}

void SetEmitter::hoist(const Pred &p, ArrayRef<unsigned> varying) {
  if (p.is(PredKind::And) || p.is(PredKind::Or))
    for (const Pred &operand : p.operands())
      hoist(operand, varying);
  else if (p.isAtom() && !p.is(PredKind::Opaque))
    hoist(p.expr(), varying);
}

/// Rounded down; shifts where the divisor is a power of 2, unsigned division where the dividend cannot be negative.
Val SetEmitter::quotient(const Val &a, int64_t divisor) {
  auto floorOf = [&](RegionEmitter::Int n) { return n >= 0 ? n / divisor : -((-n + divisor - 1) / divisor); };
  bool narrow = getElementTypeOrSelf(a.v.getType()).isInteger(32) && divisor <= INT32_MAX;
  V x = narrow ? a.v : region.wide(a);
  auto constant = [&](int64_t n) -> V {
    if (auto type = dyn_cast<VectorType>(x.getType()))
      return e.splatInt(type, n);
    return arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(x.getType(), n));
  };
  V q;
  if (llvm::isPowerOf2_64(divisor))
    q = arith::ShRSIOp::create(e.b, e.loc, x, constant(llvm::Log2_64(divisor)));
  else if (a.lo >= 0)
    q = arith::DivUIOp::create(e.b, e.loc, x, constant(divisor));
  else
    q = arith::FloorDivSIOp::create(e.b, e.loc, x, constant(divisor));
  return region.make(q, floorOf(a.lo), floorOf(a.hi));
}

Val SetEmitter::expr(const Expr &x) {
  if (hoisted) {
    auto it = hoisted->find(x);
    if (it != hoisted->end())
      return it->second;
  }
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
    if (x.is(ExprKind::FloorDiv))
      return quotient(a, x.value());
    Val r;
    if (llvm::isPowerOf2_64(x.value()) && x.value() <= INT32_MAX) {
      Type type = a.v.getType();
      V mask = isa<VectorType>(type)
                   ? e.splatInt(cast<VectorType>(type), x.value() - 1)
                   : (V)arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(type, x.value() - 1));
      r.v = e.both(a.v, mask);
    } else {
      r = region.combine("sub", a, region.combine("mul", quotient(a, x.value()), region.constantInt(x.value())));
    }
    return region.make(r.v, 0, x.value() - 1);
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

V SetEmitter::opaque(const Pred &p, bool unknownHolds) {
  if (p.opaqueId() & Pred::answerable) {
    constexpr unsigned questions = Pred::mayBit | Pred::mustBit;
    Question question = p.opaqueId() & Pred::mayBit ? kMay : p.opaqueId() & Pred::mustBit ? kMust : kLanes;
    V v = answer(p.opaqueId() & ~(Pred::answerable | questions), question);
    if (!p.negated())
      return v;
    return isa<VectorType>(v.getType()) ? (V)arith::XOrIOp::create(e.b, e.loc, v, region.asVector(e.i1(true)))
                                        : e.invert(v);
  }
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
        bool isKey = dim.getPosition() == keyDim && logicalKey,
             isQuery = dim.getPosition() + 1 == keyDim && logicalQuery;
        indices.push_back(isKey ? *logicalKey : isQuery ? *logicalQuery : vars.at(dim.getPosition()));
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

/// `e >= 0`, `== 0`, `!= 0` with what lanes differ in on one side and all else, scalars, on the other; null where there
/// is only one of them.
V SetEmitter::lanesAgainstScalars(const Expr &e, arith::CmpIPredicate cmp) {
  using P = arith::CmpIPredicate;
  sets::LinearForm form = sets::linearForm(e), rest;
  rest.constant = form.constant;
  std::vector<std::pair<Expr, int64_t>> lanes;
  for (const auto &term : form.terms) {
    std::set<unsigned> mentioned;
    sets::collectVars(term.first, mentioned);
    bool varies = llvm::any_of(mentioned, [&](unsigned v) { return vars.count(v) && vars.at(v).isVector(); });
    (varies ? lanes : rest.terms).push_back(term);
  }
  if (lanes.empty() || (rest.terms.empty() && lanes.size() > 1))
    return {};
  // lanes >= -rest, or lanes <= rest where all lanes are subtracted
  bool flip = llvm::all_of(lanes, [](const auto &term) { return term.second < 0; });
  std::optional<Val> sum;
  for (const auto &[atom, coefficient] : lanes) {
    int64_t c = flip ? -coefficient : coefficient;
    Val v = c == 1 || c == -1 ? expr(atom) : region.combine("mul", expr(atom), region.constantInt(std::abs(c)));
    if (!sum && c > 0)
      sum = v;
    else
      sum = region.combine(c > 0 ? "add" : "sub", sum ? *sum : region.constantInt(0), v);
  }
  Expr other = flip ? sets::fromLinear(rest) : -sets::fromLinear(rest);
  P p = cmp == P::sge && flip ? P::sle : cmp;
  // Elements may be any i64: `a >= b + 1` is asked as `a > b`, which does not wrap.
  int64_t constant = sets::linearForm(other).constant;
  if (p == P::sge && constant == 1)
    p = P::sgt, other = other - 1;
  else if (p == P::sle && constant == -1)
    p = P::slt, other = other + 1;
  return region.compareLanes(p, *sum, expr(other));
}

V SetEmitter::pred(const Pred &p, bool unknownHolds) {
  auto compare = [&](arith::CmpIPredicate cmp) {
    if (V v = lanesAgainstScalars(p.expr(), cmp))
      return v;
    auto [first, second] = sets::splitSides(p.expr());
    // Elements may be any i64: `a >= b + 1` is asked as `a > b`, which does not wrap.
    if (cmp == arith::CmpIPredicate::sge && sets::linearForm(second).constant == 1)
      return region.compare(arith::CmpIPredicate::sgt, expr(first), expr(second - 1));
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
