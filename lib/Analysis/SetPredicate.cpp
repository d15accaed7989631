#include "attn/Analysis/SetPredicate.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Pred;

namespace {

class PredicateBuilder {
public:
  PredicateBuilder(unsigned numBatch, SetPredicate &out)
      : numBatch(numBatch), i(Expr::var(numBatch)), j(Expr::var(numBatch + 1)), out(out) {}

  Pred set(Value v) {
    Operation *op = v.getDefiningOp();
    return llvm::TypeSwitch<Operation *, Pred>(op)
        .Case<SetFullOp>([&](auto) { return Pred::always(); })
        .Case<SetEmptyOp>([&](auto) { return Pred::never(); })
        .Case<SetAndOp>([&](auto o) { return set(o.getLhs()) && set(o.getRhs()); })
        .Case<SetOrOp>([&](auto o) { return set(o.getLhs()) || set(o.getRhs()); })
        .Case<SetMinusOp>([&](auto o) { return sets::minus(set(o.getLhs()), set(o.getRhs())); })
        .Case<SetNotOp>([&](auto o) { return !set(o.getOperand()); })
        .Case<SetCausalOp>(
            [&](SetCausalOp o) { return sets::le(j, i + shift(o.getAlignment(), o.getQLengths(), o.getKLengths())); })
        .Case<SetWindowOp>([&](SetWindowOp o) {
          Expr center = i + shift(o.getAlignment(), o.getQLengths(), o.getKLengths());
          Pred p = Pred::always();
          if (o.getLeft())
            p = p && sets::ge(j, center - scalar(o.getLeft()));
          if (o.getRight())
            p = p && sets::le(j, center + scalar(o.getRight()));
          return p;
        })
        .Case<SetPrefixOp>([&](SetPrefixOp o) { return sets::lt(j, scalar(o.getLength())); })
        .Case<SetLengthsOp>([&](SetLengthsOp o) {
          Pred p = Pred::always();
          if (o.getQ())
            p = p && sets::lt(i, perBatch(o.getQ()));
          if (o.getK())
            p = p && sets::lt(j, perBatch(o.getK()));
          return p;
        })
        .Case<SetSegmentOp>([&](SetSegmentOp o) { return sets::eq(perToken(o.getQ(), i), perToken(o.getK(), j)); })
        .Case<SetMaskOp>([&](SetMaskOp o) { return opaque({Value(), o}); })
        .Case<SetWhereOp>([&](SetWhereOp o) {
          for (auto [d, arg] : llvm::enumerate(o.getBody().getArguments()))
            indices[arg] = Expr::var(d);
          Value result = cast<YieldOp>(o.getBody().front().getTerminator()).getOperand(0);
          // A load that may be out of bounds makes the whole condition unknown there, so it is evaluated as a whole.
          if (mayBeOutOfBounds(o))
            return opaque({result, SetMaskOp()});
          return condition(result);
        });
  }

private:
  Pred opaque(SetPredicate::Opaque what) {
    out.opaques.push_back(what);
    return Pred::opaque(out.opaques.size() - 1);
  }

  /// A load by anything but the bare indices of the region, which the call's checks keep in bounds.
  static bool mayBeOutOfBounds(SetWhereOp where) {
    return where
        .walk([&](attn::LoadOp load) {
          bool bare = llvm::all_of(load.getIndices(), [&](Value v) {
            auto arg = dyn_cast<BlockArgument>(v);
            return arg && arg.getOwner() == &where.getBody().front();
          });
          return bare ? WalkResult::advance() : WalkResult::interrupt();
        })
        .wasInterrupted();
  }

  static unsigned argNumber(Value v) { return cast<BlockArgument>(v).getArgNumber(); }

  Expr perBatch(Value tensor) { return Expr::load(argNumber(tensor), {Expr::var(0)}); }
  Expr perToken(Value tensor, const Expr &token) {
    if (cast<RankedTensorType>(tensor.getType()).getRank() == 1)
      return Expr::load(argNumber(tensor), {token});
    return Expr::load(argNumber(tensor), {Expr::var(0), token});
  }

  Expr scalar(Value v) {
    if (isa<RankedTensorType>(v.getType()))
      return perBatch(v);
    if (auto e = integer(v))
      return *e;
    return Expr::var(scalarVar(argNumber(v)));
  }

  /// The diagonal's offset: 0, J - I, or klen[b] - qlen[b].
  Expr shift(Alignment alignment, Value q, Value k) {
    if (alignment == Alignment::TopLeft)
      return Expr::constant(0);
    if (q)
      return perBatch(k) - perBatch(q);
    return Expr::var(extentVar(numBatch + 1)) - Expr::var(extentVar(numBatch));
  }

  /// An integer value as an expression; none where the algebra has no such operation.
  std::optional<Expr> integer(Value v) {
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
            return a.isConst()   ? std::optional<Expr>(b * a.value())
                   : b.isConst() ? std::optional<Expr>(a * b.value())
                                 : std::nullopt;
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
        .Case<LoadOp>([&](LoadOp o) -> std::optional<Expr> {
          if (!o.getType().isInteger(64) && !o.getType().isInteger(32) && !o.getType().isInteger(8))
            return std::nullopt;
          std::vector<Expr> index;
          for (Value at : o.getIndices()) {
            auto e = integer(at);
            // Data-dependent and computed indices may be out of bounds: those are checked lane by lane.
            if (!e || !(e->isConst() || (e->is(sets::ExprKind::Var) && e->varId() < 32)))
              return std::nullopt;
            index.push_back(*e);
          }
          return Expr::load(argNumber(o.getTensor()), index);
        })
        .Default([](Operation *) { return std::nullopt; });
  }

  Pred condition(Value v) {
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

  unsigned numBatch;
  Expr i, j;
  SetPredicate &out;
  llvm::DenseMap<Value, Expr> indices;
};

} // namespace

SetPredicate attn::buildSetPredicate(Region &region, unsigned numBatch) {
  SetPredicate out;
  if (region.empty())
    return out;
  PredicateBuilder builder(numBatch, out);
  out.pred = sets::normalize(builder.set(region.front().getTerminator()->getOperand(0)));
  return out;
}
