// Conditions of `where` regions: what of them the algebra can express, as predicates; the rest as opaque atoms.
#include "PredicateBuilder.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Pred;

/// A load by anything but the bare indices of the region, which the call's checks keep in bounds.
static bool mayBeOutOfBounds(SetWhereOp where) {
  auto bare = [&](Value v) {
    auto arg = dyn_cast<BlockArgument>(v);
    return arg && arg.getOwner() == &where.getBody().front();
  };
  return where
      .walk([&](Operation *op) {
        auto load = dyn_cast<attn::LoadOp>(op);
        auto member = dyn_cast<MemberOp>(op);
        bool safe = !(load && !llvm::all_of(load.getIndices(), bare)) &&
                    !(member && (member.getFrom() || !llvm::all_of(member.getIndices(), bare)));
        return safe ? WalkResult::advance() : WalkResult::interrupt();
      })
      .wasInterrupted();
}

/// Of indices and their quotients and remainders alone, each below 2^31.
static bool ofIndices(const Expr &e) {
  auto isIndex = [](const Expr &x) { return x.is(sets::ExprKind::Var) && x.varId() < 32; };
  sets::LinearForm form = sets::linearForm(e);
  return std::abs(form.constant) < (int64_t(1) << 31) &&
         llvm::all_of(
             form.terms,
             [&](const auto &term) {
               const Expr &x = term.first;
               bool part = x.is(sets::ExprKind::FloorDiv) || x.is(sets::ExprKind::Mod);
               return std::abs(term.second) == 1 && isIndex(part ? x.operand(0) : x);
             });
}

Pred PredicateBuilder::where(SetWhereOp op) {
  for (auto [d, arg] : llvm::enumerate(op.getBody().getArguments()))
    indices[arg] = d == numBatch ? out.query : d == numBatch + 1 ? out.key : Expr::var(d);
  Value result = cast<YieldOp>(op.getBody().front().getTerminator()).getOperand(0);
  // A load that may be out of bounds makes the whole condition unknown there, so it is evaluated as a whole.
  return mayBeOutOfBounds(op) ? opaque({result, SetMaskOp()}, /*mayBeUnknown=*/true) : condition(result);
}

/// An integer value as an expression; none where the algebra has no such operation.
std::optional<Expr> PredicateBuilder::integer(Value v) {
  APInt constant;
  if (matchPattern(v, m_ConstantInt(&constant)))
    return Expr::constant(constant.getSExtValue());
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    auto it = indices.find(v);
    if (it != indices.end())
      return it->second;
    return v.getType().isIntOrIndex() ? std::optional<Expr>(Expr::var(scalarVar(arg.getArgNumber()))) : std::nullopt;
  }
  Operation *op = v.getDefiningOp();
  auto operand = [&](unsigned n) { return integer(op->getOperand(n)); };
  auto binary = [&](auto combine) -> std::optional<Expr> {
    auto a = operand(0), b = operand(1);
    return a && b ? combine(*a, *b) : std::nullopt;
  };
  // The algebra's integers do not wrap; the text's narrow ones do.
  if (isa_and_nonnull<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) && !v.getType().isIndex() &&
      !v.getType().isInteger(64))
    return std::nullopt;
  return llvm::TypeSwitch<Operation *, std::optional<Expr>>(op)
      .Case<arith::AddIOp>([&](auto) { return binary([](Expr a, Expr b) -> std::optional<Expr> { return a + b; }); })
      .Case<arith::SubIOp>([&](auto) { return binary([](Expr a, Expr b) -> std::optional<Expr> { return a - b; }); })
      .Case<arith::MulIOp>([&](auto) {
        return binary([](Expr a, Expr b) -> std::optional<Expr> {
          if (a.isConst() || b.isConst())
            return a.isConst() ? b * a.value() : a * b.value();
          // Products of indices stay below 2^62, which elements and scalars need not.
          return ofIndices(a) && ofIndices(b) ? std::optional<Expr>(a * b) : std::nullopt;
        });
      })
      .Case<arith::FloorDivSIOp>([&](auto) {
        return binary([](Expr a, Expr b) -> std::optional<Expr> {
          return b.isConst() && b.value() > 0 ? std::optional<Expr>(sets::floorDiv(a, b.value())) : std::nullopt;
        });
      })
      .Case<arith::DivUIOp, arith::DivSIOp, arith::RemUIOp, arith::RemSIOp>([&](auto o) {
        // These agree with floor division where the dividend cannot be negative: indices.
        bool div = isa<arith::DivUIOp, arith::DivSIOp>(o.getOperation());
        return binary([&](Expr a, Expr b) -> std::optional<Expr> {
          if (!b.isConst() || b.value() <= 0 || !a.is(sets::ExprKind::Var) || a.varId() >= 32)
            return std::nullopt;
          return div ? sets::floorDiv(a, b.value()) : sets::mod(a, b.value());
        });
      })
      .Case<arith::MaxSIOp>(
          [&](auto) { return binary([](Expr a, Expr b) -> std::optional<Expr> { return sets::max(a, b); }); })
      .Case<arith::MinSIOp>(
          [&](auto) { return binary([](Expr a, Expr b) -> std::optional<Expr> { return sets::min(a, b); }); })
      .Case<arith::IndexCastOp, arith::ExtSIOp>([&](auto o) -> std::optional<Expr> {
        // A narrowing cast could wrap, except that of a bare index (below 2^31) to i32.
        auto width = [](Type t) { return t.isIndex() ? 64u : t.getIntOrFloatBitWidth(); };
        if (width(o.getType()) < width(o.getIn().getType())) {
          auto e = operand(0);
          bool bare = o.getType().isInteger(32) && e && e->is(sets::ExprKind::Var) && e->varId() < 32;
          return bare ? e : std::nullopt;
        }
        return o.getIn().getType().isInteger(1) ? std::nullopt : operand(0);
      })
      .Case<LoadOp>([&](LoadOp o) { return loaded(o); })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<Expr> PredicateBuilder::loaded(LoadOp op) {
  if (!op.getType().isInteger(64) && !op.getType().isInteger(32) && !op.getType().isInteger(8))
    return std::nullopt;
  std::vector<Expr> index;
  for (Value at : op.getIndices()) {
    auto e = integer(at);
    // Data-dependent and computed indices may be out of bounds: those are checked lane by lane. The key index of a
    // position is an index by the order.
    bool bare = e && (e->isConst() || (e->is(sets::ExprKind::Var) && e->varId() < 32) || *e == j || *e == i);
    if (!bare)
      return std::nullopt;
    index.push_back(*e);
  }
  return Expr::load(argNumber(op.getTensor()), index);
}

Pred PredicateBuilder::condition(Value v) {
  APInt constant;
  if (matchPattern(v, m_ConstantInt(&constant)))
    return constant.isZero() ? Pred::never() : Pred::always();
  Operation *op = v.getDefiningOp();
  if (auto cmp = dyn_cast_or_null<arith::CmpIOp>(op)) {
    auto a = integer(cmp.getLhs()), b = integer(cmp.getRhs());
    if (a && b)
      switch (cmp.getPredicate()) {
      case arith::CmpIPredicate::eq:
        return sets::eq(*a, *b);
      case arith::CmpIPredicate::ne:
        return sets::ne(*a, *b);
      case arith::CmpIPredicate::slt:
        return sets::lt(*a, *b);
      case arith::CmpIPredicate::sle:
        return sets::le(*a, *b);
      case arith::CmpIPredicate::sgt:
        return sets::gt(*a, *b);
      case arith::CmpIPredicate::sge:
        return sets::ge(*a, *b);
      default:
        break;
      }
  }
  if (auto m = dyn_cast_or_null<MemberOp>(op))
    if (auto p = member(m))
      return *p;
  if (isa_and_nonnull<arith::AndIOp>(op))
    return condition(op->getOperand(0)) && condition(op->getOperand(1));
  if (isa_and_nonnull<arith::OrIOp>(op))
    return condition(op->getOperand(0)) || condition(op->getOperand(1));
  if (isa_and_nonnull<arith::XOrIOp>(op)) {
    Pred a = condition(op->getOperand(0)), b = condition(op->getOperand(1));
    return (a && !b) || (!a && b);
  }
  return opaque({v, SetMaskOp()});
}
