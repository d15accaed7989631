//===- Solve.cpp - Predicates solved for one axis -------------------------===//

#include "Bounder.h"

#include <algorithm>

using namespace attn::sets;

//===----------------------------------------------------------------------===//
// One atom
//===----------------------------------------------------------------------===//

/// `e >= 0` for the axis; false where the axis occurs in no or more than one summand or inside something that does not
/// invert to an interval.
static bool solveGe0(const Expr &e, unsigned axis, const Facts &facts, std::vector<AxisBound> &bounds) {
  LinearForm form = linearForm(e), others;
  others.constant = form.constant;
  Expr atom;
  int64_t c = 0;
  for (const auto &t : form.terms) {
    if (!mentions(t.first, axis)) {
      others.terms.push_back(t);
      continue;
    }
    if (c != 0)
      return false;
    atom = t.first;
    c = t.second;
  }
  if (c == 0)
    return false;
  // atom >= limit or atom <= limit
  Expr f = fromLinear(others);
  bool isLower = c > 0;
  Expr limit = isLower ? -floorDiv(f, c) : floorDiv(f, -c);
  if (atom.is(ExprKind::Var)) {
    bounds.push_back({limit, isLower});
    return true;
  }
  if (atom.is(ExprKind::Load) && facts.sorted.count(atom.table())) {
    std::vector<Expr> indices = atom.indices();
    unsigned last = unsigned(indices.size()) - 1;
    for (unsigned n = 0; n < last; ++n)
      if (mentions(indices[n], axis))
        return false;
    Expr place = Expr::find(atom.table(), indices, last, isLower ? limit : limit + 1);
    return solveGe0(isLower ? indices[last] - place : place - 1 - indices[last], axis, facts, bounds);
  }
  if (!atom.is(ExprKind::FloorDiv))
    return false;
  int64_t d = atom.value();
  const Expr &g = atom.operand(0);
  return solveGe0(isLower ? g - limit * d : limit * d + (d - 1) - g, axis, facts, bounds);
}

std::optional<std::vector<AxisBound>> attn::sets::solveAtom(const Pred &atom, unsigned axisVar, const Facts &facts) {
  std::vector<AxisBound> bounds;
  bool solved = false;
  if (atom.is(PredKind::Ge0))
    solved = solveGe0(atom.expr(), axisVar, facts, bounds);
  else if (atom.is(PredKind::Eq0))
    solved = solveGe0(atom.expr(), axisVar, facts, bounds) && solveGe0(-atom.expr(), axisVar, facts, bounds);
  if (!solved)
    return std::nullopt;
  return bounds;
}

//===----------------------------------------------------------------------===//
// Disjunctive form, as far as it helps the axis
//===----------------------------------------------------------------------===//

namespace {

/// Like toDNF, but a disjunction without any atom that bounds the axis stays whole: distributing it would repeat the
/// same interval. So does one that would exceed the limit, and that is recorded.
struct Distributor {
  unsigned axis;
  unsigned limit;
  const Facts &facts;
  bool exceeded = false;

  bool boundsAxis(const Pred &p) const {
    if (p.isAtom())
      return solveAtom(p, axis, facts).has_value();
    return std::any_of(p.operands().begin(), p.operands().end(), [&](const Pred &o) { return boundsAxis(o); });
  }

  static void insert(std::vector<Pred> &conjuncts, const Pred &c) {
    if (c.isFalse() ||
        std::any_of(conjuncts.begin(), conjuncts.end(), [&](const Pred &other) { return implies(c, other); }))
      return;
    conjuncts.erase(
        std::remove_if(conjuncts.begin(), conjuncts.end(), [&](const Pred &other) { return implies(other, c); }),
        conjuncts.end());
    conjuncts.push_back(c);
  }

  std::vector<Pred> distribute(const Pred &p) {
    std::vector<Pred> result;
    if (p.isFalse())
      return result;
    if (p.is(PredKind::Or) && boundsAxis(p)) {
      for (const Pred &o : p.operands())
        for (const Pred &c : distribute(o))
          insert(result, c);
      if (result.size() <= limit)
        return result;
      exceeded = true;
      return {p};
    }
    if (!p.is(PredKind::And))
      return {p};
    // Small factors first, so that a large one, not many small ones, is what stays whole.
    std::vector<std::pair<std::vector<Pred>, Pred>> factors;
    for (const Pred &o : p.operands())
      factors.push_back({distribute(o), o});
    std::sort(factors.begin(), factors.end(), [](const auto &a, const auto &b) {
      return a.first.size() != b.first.size() ? a.first.size() < b.first.size() : a < b;
    });
    result.push_back(Pred::always());
    for (const auto &[factor, operand] : factors) {
      std::vector<Pred> next;
      for (const Pred &a : result)
        for (const Pred &b : factor)
          insert(next, normalize(a && b));
      if (next.size() > limit) {
        exceeded = true;
        // As it was written, which is shorter than all its conjuncts.
        next.clear();
        for (const Pred &a : result)
          insert(next, a && operand);
      }
      result = std::move(next);
    }
    return result;
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// One conjunct
//===----------------------------------------------------------------------===//

/// The rows that satisfy the row atoms, as a box: what `may` and the tile tests may assume. It stays within the given
/// box and is not empty even where no row is left (mayRest says so), so that summaries are never read out of range.
static Box narrow(const Box &box, const std::vector<Pred> &atoms, const Facts &facts) {
  Box result = box;
  for (auto &entry : result)
    for (const Pred &p : atoms) {
      std::optional<std::vector<AxisBound>> bounds = solveAtom(p, entry.first, facts);
      if (!bounds)
        continue;
      for (const AxisBound &b : *bounds) {
        std::optional<Interval> limit = bound(b.bound, box, nullptr, facts);
        if (!limit)
          continue;
        Interval &range = entry.second;
        if (b.isLower)
          range.lo = min(range.hi, max(range.lo, limit->lo));
        else
          range.hi = max(range.lo, min(range.hi, limit->hi));
      }
    }
  return result;
}

/// One side of the interval over the box: the extremes of the tightest bound. Bounds without a range are left out of
/// `may` and leave nothing for `must`.
static void boundSide(const std::vector<AxisBound> &bounds, bool lower, const Box &rows, const Box &mayRows,
                      const Facts &facts, Conjunct &c, bool &mustUnknown) {
  std::vector<Expr> mayBounds, mustBounds;
  for (const AxisBound &b : bounds) {
    if (b.isLower != lower)
      continue;
    std::optional<Interval> must = bound(b.bound, rows, nullptr, facts);
    if (!must) {
      mustUnknown = true;
      continue;
    }
    mustBounds.push_back(lower ? must->hi : must->lo);
    mayBounds.push_back(b.bound);
  }
  if (mayBounds.empty())
    return;
  // All bounds of a side in one function of the row: their maximum is often monotone where all of them are.
  std::optional<Interval> may = bound(lower ? maxOf(mayBounds) : minOf(mayBounds), mayRows, nullptr, facts);
  (lower ? c.must.lo : c.must.hi) = lower ? maxOf(mustBounds) : minOf(mustBounds);
  if (may)
    (lower ? c.may.lo : c.may.hi) = lower ? may->lo : may->hi;
}

/// Some row must have room between each lower and each upper bound. Taken together the row often cancels: "j <= i and
/// j >= i - w" needs w >= 0, which the hull [i0 - w, i1] does not show.
static Pred roomBetween(const std::vector<AxisBound> &bounds, const Box &rows, const Facts &facts) {
  std::vector<Pred> conditions;
  auto range = [&](const Expr &e) { return bound(e, rows, nullptr, facts); };
  for (const AxisBound &lower : bounds)
    for (const AxisBound &upper : bounds) {
      if (!lower.isLower || upper.isLower)
        continue;
      std::optional<Interval> room = range(upper.bound - lower.bound);
      std::optional<Interval> lo = range(lower.bound), hi = range(upper.bound);
      if (room && lo && hi && room->hi != hi->hi - lo->lo)
        conditions.push_back(Pred::ge0(room->hi));
    }
  return Pred::all(std::move(conditions));
}

static Conjunct makeConjunct(const Pred &p, unsigned axis, const Box &rows, const Facts &facts) {
  Conjunct c;
  c.may = c.must = Interval::all();
  std::vector<Pred> atoms = p.is(PredKind::And) ? p.operands() : std::vector<Pred>();
  if (!p.is(PredKind::And) && !p.isTrue())
    atoms.push_back(p);
  for (const Pred &a : atoms) {
    if (std::optional<std::vector<AxisBound>> bounds = solveAtom(a, axis, facts)) {
      c.bounds.insert(c.bounds.end(), bounds->begin(), bounds->end());
      c.boundAtoms.push_back(a);
    } else {
      (mentions(a, axis) || hasOpaque(a) ? c.keyAtoms : c.rowAtoms).push_back(a);
    }
  }
  Pred rowPart = Pred::all(c.rowAtoms);
  Box mayRows = narrow(rows, c.rowAtoms, facts);
  bool mustUnknown = false;
  boundSide(c.bounds, /*lower=*/true, rows, mayRows, facts, c, mustUnknown);
  boundSide(c.bounds, /*lower=*/false, rows, mayRows, facts, c, mustUnknown);
  c.mayRest = normalize(mayHold(rowPart, rows, facts) && roomBetween(c.bounds, mayRows, facts));
  c.mustRest = mustUnknown ? Pred::never() : mustHold(rowPart, rows, facts);
  return c;
}

Solution attn::sets::solve(const Pred &p, unsigned axisVar, const Box &rows, unsigned limit, const Facts &facts) {
  Solution s;
  s.axis = axisVar;
  s.rows = rows;
  s.facts = facts;
  Pred normal = normalize(p);
  Distributor split{axisVar, limit, facts};
  std::vector<Pred> conjuncts = split.distribute(splitAtoms(normal, axisVar, facts));
  if (split.exceeded) {
    // Splitting Ne0 doubles; perhaps it fits without.
    Distributor whole{axisVar, limit, facts};
    std::vector<Pred> other = whole.distribute(normal);
    if (!whole.exceeded)
      conjuncts = std::move(other);
  }
  std::sort(conjuncts.begin(), conjuncts.end());
  for (const Pred &c : conjuncts) {
    Conjunct conjunct = makeConjunct(c, axisVar, rows, facts);
    if (!conjunct.mayRest.isFalse())
      s.conjuncts.push_back(std::move(conjunct));
  }
  return s;
}

//===----------------------------------------------------------------------===//
// Uses of a conjunct
//===----------------------------------------------------------------------===//

Interval Conjunct::rowInterval() const {
  Interval i = Interval::all();
  std::vector<Expr> los, his;
  for (const AxisBound &b : bounds)
    (b.isLower ? los : his).push_back(b.bound);
  if (!los.empty())
    i.lo = maxOf(los);
  if (!his.empty())
    i.hi = minOf(his);
  return i;
}

Pred Conjunct::rest() const { return Pred::all(rowAtoms) && Pred::all(keyAtoms); }

Pred attn::sets::mayHold(const Conjunct &c, const Solution &s, const Interval &keys) {
  if (c.keyAtoms.empty())
    return Pred::always();
  Box box = s.rows;
  box[s.axis] = keys;
  // A row of the grid and a column, each within reach, need not be so on one piece of a tile that wraps around.
  Pred p = Pred::all(c.keyAtoms);
  std::vector<Pred> atoms = c.keyAtoms;
  for (const Pred &a : c.boundAtoms)
    if (isSharperInPieces(a, p, box))
      atoms.push_back(a);
  return mayHold(Pred::all(std::move(atoms)), box, s.facts);
}

Pred attn::sets::mustHold(const Conjunct &c, const Solution &s, const Interval &keys) {
  Box box = s.rows;
  box[s.axis] = keys;
  return mustHold(Pred::all(c.keyAtoms), box, s.facts);
}

std::string Conjunct::str() const {
  std::string s = "may " + may.str() + " if " + mayRest.str() + "; must " + must.str() + " if " + mustRest.str();
  for (const Pred &p : rowAtoms)
    s += "; row " + p.str();
  for (const Pred &p : keyAtoms)
    s += "; key " + p.str();
  return s;
}

std::string Solution::str() const {
  std::string s;
  for (const Conjunct &c : conjuncts)
    s += c.str() + "\n";
  return s.empty() ? "empty\n" : s;
}
