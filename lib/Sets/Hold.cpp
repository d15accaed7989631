//===- Hold.cpp - Conditions on boxes --------------------------------------===//

#include "Bounder.h"

#include "ExprNode.h"

#include <algorithm>

using namespace attn::sets;

/// The condition on the range of the atom's expression; none where it has no range.
static std::optional<Pred> holdsForRange(const Pred &p, const Bounder &bounder, bool must) {
  bool exact = true;
  std::optional<Interval> i = bounder.into(p.expr(), exact);
  if (!i)
    return std::nullopt;
  // The four questions below are about the range [lo, hi] of the expression.
  Pred loNotNegative = Pred::ge0(i->lo), hiNotNegative = Pred::ge0(i->hi);
  Pred loNotPositive = Pred::ge0(-i->lo), hiNotPositive = Pred::ge0(-i->hi);
  switch (p.kind()) {
  case PredKind::Ge0:
    return must ? loNotNegative : hiNotNegative;
  case PredKind::Eq0:
    return must ? loNotNegative && hiNotPositive : loNotPositive && hiNotNegative;
  default: // Ne0
    return must ? !loNotPositive || !hiNotNegative : !loNotNegative || !hiNotPositive;
  }
}

static Pred holdsForOpaque(const Pred &p, bool must) {
  unsigned id = p.opaqueId();
  if (!(id & Pred::answerable))
    return must ? Pred::never() : Pred::always();
  // A question has its box already.
  if (id & (Pred::mayBit | Pred::mustBit))
    return p;
  // may(not p) is not must(p).
  return Pred::opaque(id | (must == p.negated() ? Pred::mayBit : Pred::mustBit), p.negated());
}

/// Whether the expression reads a tensor that a range was promised of.
static bool readsPromised(const Expr &e, const Facts &facts) {
  if (e.is(ExprKind::Load) && facts.range.count(e.table()))
    return true;
  const auto &operands = e.operands();
  return std::any_of(operands.begin(), operands.end(), [&](const Expr &o) { return readsPromised(o, facts); });
}

static Pred holdsForAtom(const Pred &p, const Box &box, bool must, const Facts &facts) {
  if (p.is(PredKind::Opaque))
    return holdsForOpaque(p, must);
  Pred unknown = must ? Pred::never() : Pred::always();
  if (readsPromised(p.expr(), facts)) {
    std::optional<Pred> promised = holdsForRange(p, Bounder{box, facts, /*rangesOnly=*/true}, must);
    if (promised && *promised == !unknown)
      return *promised;
  }
  return holdsForRange(p, Bounder{box, facts}, must).value_or(unknown);
}

static Pred holds(const Pred &p, const Box &box, bool must, const Facts &facts) {
  if (p.isTrue() || p.isFalse())
    return p;
  if (p.isAtom())
    return holdsForAtom(p, box, must, facts);
  std::vector<Pred> ops;
  for (const Pred &o : p.operands())
    ops.push_back(holds(o, box, must, facts));
  return p.is(PredKind::And) ? Pred::all(std::move(ops)) : Pred::any(std::move(ops));
}

//===----------------------------------------------------------------------===//
// Boxes that wrap around
//===----------------------------------------------------------------------===//
//
// Tokens i0..i1 of a grid with rows of c are no box of the grid: where they wrap around the end of a row, mod(i, c) by
// itself may be anything, although the one row is left at its end and the next entered at its beginning. So the box is
// cut at the first end of a row. On its first piece the row is known, and the column is i less a constant; the rest is
// a piece like any other, within one row unless the box is longer than a row. Neither piece is ever empty.

namespace {

/// v + offset, which a modulus by `divisor` takes; v is boxed and nothing else in it.
struct Cut {
  unsigned var = 0;
  Expr offset;
  int64_t divisor = 0;
};

} // namespace

/// Tiles that wrap around shorter rows do so several times.
static constexpr int64_t leastCut = 8;
/// Two cuts write everything four times. What names a neighbourhood in three dimensions has a dozen atoms.
static constexpr size_t mostAtoms = 14;

static size_t atomsOf(const Pred &p) {
  size_t n = p.isAtom();
  for (const Pred &o : p.operands())
    n += atomsOf(o);
  return n;
}

/// `e` as v + offset.
static bool isShifted(const Expr &e, const Box &box, Cut &cut) {
  LinearForm form = linearForm(e);
  bool found = false;
  for (size_t n = 0; n < form.terms.size(); ++n) {
    const Expr &term = form.terms[n].first;
    bool boxed = std::any_of(box.begin(), box.end(), [&](const auto &b) { return mentions(term, b.first); });
    if (!boxed)
      continue;
    if (found || !term.is(ExprKind::Var) || form.terms[n].second != 1)
      return false;
    found = true;
    cut.var = term.varId();
  }
  cut.offset = e - Expr::var(cut.var);
  return found;
}

static void findCut(const Expr &e, const Box &box, const std::set<unsigned> &done, Cut &best) {
  Cut cut;
  if (e.is(ExprKind::Mod) && e.value() >= leastCut && e.value() > best.divisor && isShifted(e.operand(0), box, cut) &&
      !done.count(cut.var)) {
    cut.divisor = e.value();
    best = cut;
  }
  for (const Expr &o : e.operands())
    findCut(o, box, done, best);
}

static void findCut(const Pred &p, const Box &box, const std::set<unsigned> &done, Cut &best) {
  findCut(p.expr(), box, done, best);
  for (const Pred &o : p.operands())
    findCut(o, box, done, best);
}

/// Quotients and remainders of v + offset, where it is known to lie in the given row.
static Expr inRow(const Expr &e, const Box &box, const Cut &cut, const Expr &row) {
  Cut other;
  if ((e.is(ExprKind::FloorDiv) || e.is(ExprKind::Mod)) && e.value() % cut.divisor == 0 &&
      isShifted(e.operand(0), box, other) && other.var == cut.var) {
    Expr rows = other.offset - cut.offset;
    if (rows.isConst() && rows.value() % cut.divisor == 0) {
      Expr quotient = floorDiv(row + rows.value() / cut.divisor, e.value() / cut.divisor);
      return e.is(ExprKind::FloorDiv) ? quotient : e.operand(0) - quotient * e.value();
    }
  }
  return rewriteOperands(e, [&](const Expr &o) { return inRow(o, box, cut, row); });
}

static Pred holdsInPieces(const Pred &p, const Box &box, bool must, const Facts &facts, std::set<unsigned> &done) {
  Cut cut;
  if (atomsOf(p) <= mostAtoms)
    findCut(p, box, done, cut);
  if (cut.divisor == 0)
    return holds(p, box, must, facts);
  done.insert(cut.var);
  const Interval &all = box.at(cut.var);
  Expr row = floorDiv(all.lo + cut.offset, cut.divisor);
  Expr end = (row + 1) * cut.divisor - cut.offset;
  Box first = box, rest = box;
  first[cut.var].hi = min(all.hi, end - 1);
  rest[cut.var].lo = min(all.hi, end);
  Pred inFirst = rewrite(p, [&](const Expr &e) { return inRow(e, box, cut, row); });
  Pred a = holdsInPieces(inFirst, first, must, facts, done), b = holdsInPieces(p, rest, must, facts, done);
  done.erase(cut.var);
  return must ? a && b : a || b;
}

bool attn::sets::isSharperInPieces(const Pred &atom, const Pred &p, const Box &box) {
  if (atomsOf(p) > mostAtoms)
    return false;
  std::set<unsigned> done;
  for (;;) {
    Cut cut;
    findCut(p, box, done, cut);
    if (cut.divisor == 0)
      return false;
    Pred inFirst = rewrite(atom, [&](const Expr &e) { return inRow(e, box, cut, Expr()); });
    if (inFirst != atom)
      return true;
    done.insert(cut.var);
  }
}

Pred attn::sets::mayHold(const Pred &p, const Box &box, const Facts &facts) {
  std::set<unsigned> done;
  return normalize(holdsInPieces(p, box, /*must=*/false, facts, done));
}
Pred attn::sets::mustHold(const Pred &p, const Box &box, const Facts &facts) {
  std::set<unsigned> done;
  return normalize(holdsInPieces(p, box, /*must=*/true, facts, done));
}
