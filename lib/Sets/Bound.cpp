//===- Bound.cpp - Symbolic ranges of expressions --------------------------===//

#include "Bounder.h"

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
  case ExprKind::Find: {
    std::vector<Expr> indices = e.indices();
    if (std::any_of(indices.begin(), indices.end(), [&](const Expr &i) { return mentions(i, var); }))
      return Trend::Unknown;
    return trendOf(e.sought(), var);
  }
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

std::optional<Interval> Bounder::monotone(const Expr &e, const std::set<unsigned> &vars) const {
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

/// Does an element of a tensor, at an index that varies, occur in it?
static bool hasElement(const Expr &e, const Box &box) {
  return (e.is(ExprKind::Load) && !boxedVars(e, box).empty()) ||
         std::any_of(e.operands().begin(), e.operands().end(), [&](const Expr &o) { return hasElement(o, box); });
}

//===----------------------------------------------------------------------===//
// Interval arithmetic for the rest
//===----------------------------------------------------------------------===//

/// Summands that share boxed variables are bounded together where they are monotone together, else one by one, which is
/// no longer exact; summands that share none add up exactly.
std::optional<Interval> Bounder::sum(const Expr &e, bool &exact) const {
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
    if (std::optional<Interval> i = monotone(fromLinear(part.sum), part.vars)) {
      add(*i);
      continue;
    }
    exact &= part.sum.terms.size() == 1;
    for (const auto &t : part.sum.terms) {
      bool termExact = true;
      std::optional<Interval> i = into(t.first, termExact);
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
std::optional<Interval> Bounder::modulus(const Expr &e, bool &exact) const {
  int64_t c = e.value();
  const Expr &x = e.operand(0);
  std::optional<Interval> in = into(x, exact);
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

std::optional<Interval> Bounder::select(const Expr &e, bool &exact) const {
  const Expr &cond = e.operand(0);
  std::optional<Interval> a = into(e.operand(1), exact), b = into(e.operand(2), exact);
  if (!a || !b)
    return std::nullopt;
  if (boxedVars(cond, box).empty())
    return Interval{Expr::select(cond, a->lo, b->lo), Expr::select(cond, a->hi, b->hi)};
  exact = false;
  Interval either{min(a->lo, b->lo), max(a->hi, b->hi)};
  bool condExact = true;
  std::optional<Interval> c = into(cond, condExact);
  if (!c)
    return either;
  Expr never = -c->hi - 1;
  return Interval{Expr::select(c->lo, a->lo, Expr::select(never, b->lo, either.lo)),
                  Expr::select(c->lo, a->hi, Expr::select(never, b->hi, either.hi))};
}

/// Ends of the square of what lies in [lo, hi]: the distances of its nearest and farthest point from zero.
static Interval distances(const Interval &i) { return {maxOf({Expr(), i.lo, -i.hi}), max(-i.lo, i.hi)}; }

static Expr power(const Expr &base, size_t exponent) {
  Expr result = base;
  for (size_t n = 1; n < exponent; ++n)
    result = result * base;
  return result;
}

/// Powers are bounded as such, products of different things by their corners.
std::optional<Interval> Bounder::product(const Expr &e, bool &exact) const {
  std::optional<Interval> total;
  unsigned varying = 0;
  const std::vector<Expr> &ops = e.operands();
  for (size_t n = 0, exponent; n < ops.size(); n += exponent) {
    const Expr &base = ops[n];
    exponent = std::upper_bound(ops.begin() + n, ops.end(), base) - (ops.begin() + n);
    std::optional<Interval> i = into(base, exact);
    if (!i)
      return std::nullopt;
    bool fixed = boxedVars(base, box).empty();
    varying += !fixed;
    if (exponent % 2 == 0 && !fixed) {
      // Between a negative and a positive end there need not be a zero.
      exact &= takesAllValues(base, box);
      i = distances(*i);
    }
    Interval factor{power(i->lo, exponent), power(i->hi, exponent)};
    if (!total) {
      total = factor;
      continue;
    }
    std::vector<Expr> corners = {total->lo * factor.lo, total->lo * factor.hi, total->hi * factor.lo,
                                 total->hi * factor.hi};
    total = Interval{minOf(corners), maxOf(corners)};
  }
  exact &= varying <= 1;
  return total;
}

/// One index varies over the box: the extremes of the tensor between its ends. Two varying indices would need a
/// summary in two dimensions; there is none. An index that is itself an element would make the ends anything, so that
/// each tile would look at the whole tensor: there too a promised range is what is used.
std::optional<Interval> Bounder::load(const Expr &e, bool &exact) const {
  std::optional<Interval> promised;
  if (auto it = facts.range.find(e.table()); it != facts.range.end())
    promised = Interval{Expr::constant(it->second.first), Expr::constant(it->second.second)};
  auto promise = [&] {
    exact = false;
    return promised;
  };
  std::optional<unsigned> varying;
  std::vector<Expr> indices = e.indices();
  for (unsigned n = 0; n < indices.size(); ++n) {
    if (boxedVars(indices[n], box).empty())
      continue;
    if (varying || (promised && (rangesOnly || hasElement(indices[n], box))))
      return promise();
    varying = n;
  }
  bool indexExact = true;
  std::optional<Interval> index = into(indices[*varying], indexExact);
  if (!index)
    return promise();
  bool sorted = *varying + 1 == indices.size() && facts.sorted.count(e.table());
  exact &= indexExact && (sorted || takesAllValues(indices[*varying], box));
  return Interval{Expr::loadMin(e.table(), indices, *varying, index->lo, index->hi),
                  Expr::loadMax(e.table(), indices, *varying, index->lo, index->hi)};
}

/// A place in a sorted tensor ascends with what is sought.
std::optional<Interval> Bounder::find(const Expr &e, bool &exact) const {
  std::vector<Expr> indices = e.indices();
  if (std::any_of(indices.begin(), indices.end(), [&](const Expr &i) { return !boxedVars(i, box).empty(); }))
    return std::nullopt;
  std::optional<Interval> sought = into(e.sought(), exact);
  if (!sought)
    return std::nullopt;
  return Interval{Expr::find(e.table(), indices, e.axis(), sought->lo),
                  Expr::find(e.table(), indices, e.axis(), sought->hi)};
}

std::optional<Interval> Bounder::into(const Expr &e, bool &exact) const {
  std::set<unsigned> vars = boxedVars(e, box);
  if (vars.empty())
    return Interval::point(e);
  if (std::optional<Interval> i = monotone(e, vars))
    return i;
  switch (e.kind()) {
  case ExprKind::Add:
  case ExprKind::MulConst:
    return sum(e, exact);
  case ExprKind::FloorDiv: {
    std::optional<Interval> i = into(e.operand(0), exact);
    if (!i)
      return std::nullopt;
    return Interval{floorDiv(i->lo, e.value()), floorDiv(i->hi, e.value())};
  }
  case ExprKind::Mod:
    return modulus(e, exact);
  case ExprKind::Mul:
    return product(e, exact);
  case ExprKind::Min:
  case ExprKind::Max: {
    bool isMin = e.is(ExprKind::Min);
    std::vector<Expr> los, his;
    for (const Expr &o : e.operands()) {
      std::optional<Interval> i = into(o, exact);
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
    return select(e, exact);
  case ExprKind::Load:
    return load(e, exact);
  case ExprKind::Find:
    return find(e, exact);
  default:
    return std::nullopt;
  }
}

std::optional<Interval> attn::sets::bound(const Expr &e, const Box &box, bool *exact, const Facts &facts) {
  bool attained = true;
  std::optional<Interval> i = Bounder{box, facts}.into(e, attained);
  if (exact)
    *exact = attained && i;
  return i;
}
