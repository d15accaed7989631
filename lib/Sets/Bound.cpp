//===- Bound.cpp - Symbolic ranges of expressions and conditions on boxes -===//

#include "attn/Sets/Solve.h"

#include "ExprNode.h"

#include <algorithm>

using namespace attn::sets;

//===----------------------------------------------------------------------===//
// Monotone functions take their extremes at the corners
//===----------------------------------------------------------------------===//

namespace {
enum class Trend { Constant, Up, Down, Unknown };
} // namespace

static Trend merge(Trend a, Trend b) {
  return a == Trend::Constant || a == b ? b : b == Trend::Constant ? a : Trend::Unknown;
}

static Trend trendOf(const Expr &e, unsigned var) {
  if (!mentions(e, var))
    return Trend::Constant;
  Trend t = Trend::Constant;
  switch (e.kind()) {
  case ExprKind::Var:
    return Trend::Up;
  case ExprKind::MulConst:
    t = trendOf(e.operand(0), var);
    return e.value() > 0 || t == Trend::Unknown ? t : t == Trend::Up ? Trend::Down : Trend::Up;
  case ExprKind::Add:
  case ExprKind::FloorDiv:
  case ExprKind::Min:
  case ExprKind::Max:
    for (const Expr &o : e.operands())
      t = merge(t, trendOf(o, var));
    return t;
  case ExprKind::Select:
    if (mentions(e.operand(0), var))
      return Trend::Unknown;
    return merge(trendOf(e.operand(1), var), trendOf(e.operand(2), var));
  default:
    return Trend::Unknown;
  }
}

static std::set<unsigned> boxedVars(const Expr &e, const Box &box) {
  std::set<unsigned> vars, boxed;
  collectVars(e, vars);
  for (unsigned v : vars)
    if (box.count(v))
      boxed.insert(v);
  return boxed;
}

static std::optional<Interval> boundMonotone(const Expr &e, const Box &box, const std::set<unsigned> &vars) {
  std::map<unsigned, Expr> atLeast, atMost;
  for (unsigned v : vars) {
    Trend t = trendOf(e, v);
    if (t == Trend::Unknown)
      return std::nullopt;
    const Interval &range = box.at(v);
    atLeast[v] = t == Trend::Up ? range.lo : range.hi;
    atMost[v] = t == Trend::Up ? range.hi : range.lo;
  }
  return Interval{substitute(e, atLeast), substitute(e, atMost)};
}

//===----------------------------------------------------------------------===//
// Interval arithmetic for the rest
//===----------------------------------------------------------------------===//

/// `exact` is cleared where an end may not be attained.
static std::optional<Interval> boundInto(const Expr &e, const Box &box, bool &exact);

/// Summands that share boxed variables are bounded together where they are monotone together, else one by one, which is
/// no longer exact; summands that share none add up exactly.
static std::optional<Interval> boundSum(const Expr &e, const Box &box, bool &exact) {
  struct Part {
    LinearForm sum;
    std::set<unsigned> vars;
  };
  std::vector<Part> parts;
  LinearForm form = linearForm(e);
  for (const auto &t : form.terms) {
    Part merged{{0, {t}}, boxedVars(t.first, box)};
    for (size_t n = 0; n < parts.size();) {
      bool shares = std::any_of(parts[n].vars.begin(), parts[n].vars.end(),
                                [&](unsigned v) { return merged.vars.count(v) != 0; });
      if (!shares) {
        ++n;
        continue;
      }
      merged.sum.terms.insert(merged.sum.terms.end(), parts[n].sum.terms.begin(), parts[n].sum.terms.end());
      merged.vars.insert(parts[n].vars.begin(), parts[n].vars.end());
      parts.erase(parts.begin() + n);
    }
    parts.push_back(std::move(merged));
  }
  Interval total = Interval::point(Expr::constant(form.constant));
  auto add = [&](const Interval &i) { total = {total.lo + i.lo, total.hi + i.hi}; };
  for (const Part &part : parts) {
    if (std::optional<Interval> i = boundMonotone(fromLinear(part.sum), box, part.vars)) {
      add(*i);
      continue;
    }
    exact &= part.sum.terms.size() == 1;
    for (const auto &t : part.sum.terms) {
      bool termExact = true;
      std::optional<Interval> i = boundInto(t.first, box, termExact);
      if (!i)
        return std::nullopt;
      exact &= termExact;
      Expr a = i->lo * t.second, b = i->hi * t.second;
      add(t.second > 0 ? Interval{a, b} : Interval{b, a});
    }
  }
  return total;
}

/// Does `e` take every value between its extremes over a box? True of sums of distinct boxed variables with
/// coefficients +-1, plus anything free of the box, and of quotients of such.
static bool takesAllValues(const Expr &e, const Box &box) {
  LinearForm form = linearForm(e);
  std::set<unsigned> seen;
  for (const auto &t : form.terms) {
    std::set<unsigned> vars = boxedVars(t.first, box);
    if (vars.empty())
      continue;
    bool dense =
        t.first.is(ExprKind::Var) || (t.first.is(ExprKind::FloorDiv) && takesAllValues(t.first.operand(0), box));
    if (!dense || (t.second != 1 && t.second != -1))
      return false;
    for (unsigned v : vars)
      if (!seen.insert(v).second)
        return false;
  }
  return true;
}

/// mod is the identity minus a constant as long as the quotient stays, and may be anything once it changes.
static std::optional<Interval> boundMod(const Expr &e, const Box &box, bool &exact) {
  int64_t c = e.value();
  const Expr &x = e.operand(0);
  std::optional<Interval> in = boundInto(x, box, exact);
  exact &= takesAllValues(x, box);
  Interval any{Expr(), Expr::constant(c - 1)};
  if (!in) {
    exact = false;
    return any;
  }
  Expr width = in->hi - in->lo;
  if (width.isConst() && width.value() >= c - 1)
    return any;
  Expr same = floorDiv(in->lo, c) - floorDiv(in->hi, c);
  return Interval{Expr::select(same, mod(in->lo, c), any.lo), Expr::select(same, mod(in->hi, c), any.hi)};
}

static std::optional<Interval> boundSelect(const Expr &e, const Box &box, bool &exact) {
  const Expr &cond = e.operand(0);
  std::optional<Interval> a = boundInto(e.operand(1), box, exact), b = boundInto(e.operand(2), box, exact);
  if (!a || !b)
    return std::nullopt;
  if (boxedVars(cond, box).empty())
    return Interval{Expr::select(cond, a->lo, b->lo), Expr::select(cond, a->hi, b->hi)};
  exact = false;
  Interval either{min(a->lo, b->lo), max(a->hi, b->hi)};
  bool condExact = true;
  std::optional<Interval> c = boundInto(cond, box, condExact);
  if (!c)
    return either;
  Expr never = -c->hi - 1;
  return Interval{Expr::select(c->lo, a->lo, Expr::select(never, b->lo, either.lo)),
                  Expr::select(c->lo, a->hi, Expr::select(never, b->hi, either.hi))};
}

/// One index varies over the box: the extremes of the tensor between its ends. Two varying indices would need a
/// summary in two dimensions; there is none.
static std::optional<Interval> boundLoad(const Expr &e, const Box &box, bool &exact) {
  std::optional<unsigned> varying;
  std::vector<Expr> indices = e.indices();
  for (unsigned n = 0; n < indices.size(); ++n) {
    if (boxedVars(indices[n], box).empty())
      continue;
    if (varying)
      return std::nullopt;
    varying = n;
  }
  bool indexExact = true;
  std::optional<Interval> index = boundInto(indices[*varying], box, indexExact);
  if (!index)
    return std::nullopt;
  exact &= indexExact && takesAllValues(indices[*varying], box);
  return Interval{Expr::loadMin(e.table(), indices, *varying, index->lo, index->hi),
                  Expr::loadMax(e.table(), indices, *varying, index->lo, index->hi)};
}

static std::optional<Interval> boundInto(const Expr &e, const Box &box, bool &exact) {
  std::set<unsigned> vars = boxedVars(e, box);
  if (vars.empty())
    return Interval::point(e);
  if (std::optional<Interval> i = boundMonotone(e, box, vars))
    return i;
  switch (e.kind()) {
  case ExprKind::Add:
  case ExprKind::MulConst:
    return boundSum(e, box, exact);
  case ExprKind::FloorDiv: {
    std::optional<Interval> i = boundInto(e.operand(0), box, exact);
    if (!i)
      return std::nullopt;
    return Interval{floorDiv(i->lo, e.value()), floorDiv(i->hi, e.value())};
  }
  case ExprKind::Mod:
    return boundMod(e, box, exact);
  case ExprKind::Min:
  case ExprKind::Max: {
    bool isMin = e.is(ExprKind::Min);
    std::vector<Expr> los, his;
    for (const Expr &o : e.operands()) {
      std::optional<Interval> i = boundInto(o, box, exact);
      if (!i)
        return std::nullopt;
      los.push_back(i->lo);
      his.push_back(i->hi);
    }
    // The far end would need all operands at their extremes at once.
    exact = false;
    return isMin ? Interval{minOf(los), minOf(his)} : Interval{maxOf(los), maxOf(his)};
  }
  case ExprKind::Select:
    return boundSelect(e, box, exact);
  case ExprKind::Load:
    return boundLoad(e, box, exact);
  default:
    return std::nullopt;
  }
}

std::optional<Interval> attn::sets::bound(const Expr &e, const Box &box, bool *exact) {
  bool attained = true;
  std::optional<Interval> i = boundInto(e, box, attained);
  if (exact)
    *exact = attained && i;
  return i;
}

//===----------------------------------------------------------------------===//
// Conditions on boxes
//===----------------------------------------------------------------------===//

static Pred holdsForAtom(const Pred &p, const Box &box, bool must) {
  if (p.is(PredKind::Opaque))
    return must ? Pred::never() : Pred::always();
  std::optional<Interval> i = bound(p.expr(), box);
  if (!i)
    return must ? Pred::never() : Pred::always();
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

static Pred holds(const Pred &p, const Box &box, bool must) {
  if (p.isTrue() || p.isFalse())
    return p;
  if (p.isAtom())
    return holdsForAtom(p, box, must);
  std::vector<Pred> ops;
  for (const Pred &o : p.operands())
    ops.push_back(holds(o, box, must));
  return normalize(p.is(PredKind::And) ? Pred::all(std::move(ops)) : Pred::any(std::move(ops)));
}

Pred attn::sets::mayHold(const Pred &p, const Box &box) { return holds(p, box, /*must=*/false); }
Pred attn::sets::mustHold(const Pred &p, const Box &box) { return holds(p, box, /*must=*/true); }
