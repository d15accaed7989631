//===- Normalize.cpp - Normal and disjunctive forms -----------------------===//
//
// Only conjunctions are worked on: a disjunction is negated, worked on, and negated back. Since every atom's complement
// is an atom in canonical form, nothing is lost on the way, and each law of `and` holds for `or` in its dual form.
//
//===----------------------------------------------------------------------===//

#include "attn/Sets/Solve.h"

#include "PredNode.h"

#include <algorithm>
#include <limits>

using namespace attn::sets;

static constexpr int64_t least = AtomRange::least, greatest = AtomRange::greatest;

namespace {

/// What all atoms say together about one part.
struct Group {
  int64_t lo = least, hi = greatest;
  std::set<int64_t> holes;
};

} // namespace

static const std::optional<AtomRange> &rangeOf(const Pred &p) { return PredAccess::range(p); }

/// One conjunct per part: the intersection of its ranges, written in the one canonical way.
static Pred mergeRanges(const std::vector<Pred> &conjuncts) {
  std::map<Expr, Group> groups;
  std::vector<Pred> result;
  for (const Pred &p : conjuncts) {
    const std::optional<AtomRange> &r = rangeOf(p);
    if (!r) {
      result.push_back(p);
      continue;
    }
    Group &g = groups[r->part];
    if (r->hole) {
      g.holes.insert(r->lo);
    } else {
      g.lo = std::max(g.lo, r->lo);
      g.hi = std::min(g.hi, r->hi);
    }
  }
  for (auto &entry : groups) {
    const Expr &part = entry.first;
    Group &g = entry.second;
    if (part.is(ExprKind::Mod)) {
      g.lo = std::max<int64_t>(g.lo, 0);
      g.hi = std::min(g.hi, part.value() - 1);
    }
    while (g.lo <= g.hi && g.holes.count(g.lo))
      ++g.lo;
    while (g.lo <= g.hi && g.holes.count(g.hi))
      --g.hi;
    if (g.lo > g.hi)
      return Pred::never();
    if (g.lo == g.hi) {
      result.push_back(Pred::eq0(part - g.lo));
      continue;
    }
    if (g.lo != least)
      result.push_back(Pred::ge0(part - g.lo));
    if (g.hi != greatest)
      result.push_back(Pred::ge0(Expr::constant(g.hi) - part));
    for (int64_t hole : g.holes)
      if (hole > g.lo && hole < g.hi)
        result.push_back(Pred::ne0(part - hole));
  }
  return Pred::all(std::move(result));
}

//===----------------------------------------------------------------------===//
// Implication
//===----------------------------------------------------------------------===//

static bool atomImplies(const Pred &p, const Pred &q) {
  const std::optional<AtomRange> &a = rangeOf(p), &b = rangeOf(q);
  if (!a || !b || a->part != b->part)
    return p == q;
  if (a->hole)
    return b->hole && a->lo == b->lo;
  return b->hole ? b->lo < a->lo || b->lo > a->hi : a->lo >= b->lo && a->hi <= b->hi;
}

bool attn::sets::implies(const Pred &p, const Pred &q) {
  if (p.isFalse() || q.isTrue() || p == q)
    return true;
  if (p.isTrue() || q.isFalse())
    return false;
  const auto &ps = p.operands(), &qs = q.operands();
  if (q.is(PredKind::And))
    return std::all_of(qs.begin(), qs.end(), [&](const Pred &x) { return implies(p, x); });
  if (p.is(PredKind::Or))
    return std::all_of(ps.begin(), ps.end(), [&](const Pred &x) { return implies(x, q); });
  if (q.is(PredKind::Or) && std::any_of(qs.begin(), qs.end(), [&](const Pred &x) { return implies(p, x); }))
    return true;
  if (p.is(PredKind::And))
    return std::any_of(ps.begin(), ps.end(), [&](const Pred &x) { return implies(x, q); });
  return p.isAtom() && q.isAtom() && atomImplies(p, q);
}

//===----------------------------------------------------------------------===//
// normalize
//===----------------------------------------------------------------------===//

static size_t sizeOf(const Pred &p) {
  size_t n = 1;
  for (const Pred &o : p.operands())
    n += sizeOf(o);
  return n;
}

static std::vector<Pred> conjunctsOf(const Pred &p) {
  if (p.is(PredKind::And))
    return p.operands();
  return p.isTrue() ? std::vector<Pred>() : std::vector<Pred>{p};
}

/// One pass over a conjunction whose children are normal: merge atoms, let atoms decide disjuncts, absorb.
static Pred simplifyAnd(const Pred &input) {
  Pred merged = mergeRanges(conjunctsOf(input));
  std::vector<Pred> children = conjunctsOf(merged), atoms, result;
  std::copy_if(children.begin(), children.end(), std::back_inserter(atoms), [](const Pred &p) { return p.isAtom(); });
  Pred known = Pred::all(atoms);
  for (const Pred &child : children) {
    if (!child.is(PredKind::Or)) {
      result.push_back(child);
      continue;
    }
    if (implies(known, child))
      continue;
    std::vector<Pred> open;
    for (const Pred &disjunct : child.operands())
      if (!implies(known, !disjunct))
        open.push_back(disjunct);
    result.push_back(open.size() == child.operands().size() ? child : normalize(Pred::any(std::move(open))));
  }
  // Of two disjunctions the stronger stays; of two that imply each other, the first.
  for (size_t a = 0; a < result.size(); ++a)
    for (size_t b = 0; b < result.size(); ++b)
      if (a != b && result[a].is(PredKind::Or) && result[b].is(PredKind::Or) && implies(result[a], result[b]))
        result[b] = Pred::always();
  return Pred::all(std::move(result));
}

/// Above this many nodes absorption, which compares children pairwise, is not worth its time.
static constexpr size_t absorptionLimit = 400;

Pred attn::sets::normalize(const Pred &p) {
  if (PredAccess::isNormal(p))
    return p;
  if (p.is(PredKind::Or))
    return PredAccess::asNormal(!normalize(!p));
  if (!p.is(PredKind::And))
    return p;
  std::vector<Pred> children;
  for (const Pred &o : p.operands())
    children.push_back(normalize(o));
  Pred result = Pred::all(std::move(children));
  if (sizeOf(result) > absorptionLimit)
    return PredAccess::asNormal(mergeRanges(conjunctsOf(result)));
  while (result.is(PredKind::And)) {
    Pred next = simplifyAnd(result);
    if (next == result)
      break;
    result = next;
  }
  return PredAccess::asNormal(result);
}

//===----------------------------------------------------------------------===//
// Splitting atoms for an axis
//===----------------------------------------------------------------------===//

static bool isChoice(const Expr &e, unsigned axis) {
  return (e.is(ExprKind::Min) || e.is(ExprKind::Max) || e.is(ExprKind::Select)) && mentions(e, axis);
}

static bool hasChoiceTerm(const Expr &e, unsigned axis) {
  LinearForm form = linearForm(e);
  return std::any_of(form.terms.begin(), form.terms.end(), [&](const auto &t) { return isChoice(t.first, axis); });
}

/// `e >= 0` with every min, max and select over the axis, as a summand, resolved; `budget` counts pieces.
static Pred splitGe0(const Expr &e, unsigned axis, int &budget) {
  LinearForm form = linearForm(e);
  for (size_t n = 0; n < form.terms.size(); ++n) {
    const Expr atom = form.terms[n].first;
    const int64_t c = form.terms[n].second;
    if (!isChoice(atom, axis))
      continue;
    LinearForm others = form;
    others.terms.erase(others.terms.begin() + n);
    Expr f = fromLinear(others);
    auto piece = [&](unsigned k) { return splitGe0(f + atom.operand(k) * c, axis, budget); };
    if (atom.is(ExprKind::Select)) {
      Pred cond = splitGe0(atom.operand(0), axis, budget);
      return (cond && piece(1)) || (!cond && piece(2));
    }
    std::vector<Pred> pieces;
    for (unsigned k = 0; k < atom.operands().size() && budget >= 0; ++k)
      pieces.push_back(piece(k));
    return atom.is(ExprKind::Min) == (c > 0) ? Pred::all(std::move(pieces)) : Pred::any(std::move(pieces));
  }
  --budget;
  return Pred::ge0(e);
}

Pred attn::sets::splitAtoms(const Pred &p, unsigned axis, const Facts &facts) {
  if (p.is(PredKind::And) || p.is(PredKind::Or)) {
    std::vector<Pred> ops;
    for (const Pred &o : p.operands())
      ops.push_back(splitAtoms(o, axis, facts));
    return p.is(PredKind::And) ? Pred::all(std::move(ops)) : Pred::any(std::move(ops));
  }
  if (!p.isAtom() || p.is(PredKind::Opaque))
    return p;
  const Expr &e = p.expr();
  bool choice = hasChoiceTerm(e, axis);
  int budget = 8;
  Pred result = p;
  if (p.is(PredKind::Ge0) && choice)
    result = splitGe0(e, axis, budget);
  else if (p.is(PredKind::Eq0) && choice)
    result = splitGe0(e, axis, budget) && splitGe0(-e, axis, budget);
  else if (p.is(PredKind::Ne0) && (choice || solveAtom(Pred::eq0(e), axis, facts)))
    result = splitGe0(e - 1, axis, budget) || splitGe0(-e - 1, axis, budget);
  return budget >= 0 ? result : p;
}

//===----------------------------------------------------------------------===//
// Disjunctive form
//===----------------------------------------------------------------------===//

using Conjunctions = std::vector<Pred>;

static std::optional<Conjunctions> dnf(const Pred &p, unsigned limit) {
  if (p.isFalse())
    return Conjunctions();
  if (!p.is(PredKind::And) && !p.is(PredKind::Or))
    return Conjunctions{p};
  Conjunctions result;
  if (p.is(PredKind::And))
    result.push_back(Pred::always());
  for (const Pred &o : p.operands()) {
    std::optional<Conjunctions> part = dnf(o, limit);
    if (!part)
      return std::nullopt;
    Conjunctions next = p.is(PredKind::Or) ? result : Conjunctions();
    if (p.is(PredKind::Or))
      next.insert(next.end(), part->begin(), part->end());
    else
      for (const Pred &a : result)
        for (const Pred &b : *part)
          if (Pred both = normalize(a && b); !both.isFalse())
            next.push_back(both);
    result.clear();
    for (const Pred &c : next) {
      if (std::any_of(result.begin(), result.end(), [&](const Pred &r) { return implies(c, r); }))
        continue;
      result.erase(std::remove_if(result.begin(), result.end(), [&](const Pred &r) { return implies(r, c); }),
                   result.end());
      result.push_back(c);
    }
    if (result.size() > limit)
      return std::nullopt;
  }
  return result;
}

std::optional<std::vector<std::vector<Pred>>> attn::sets::toDNF(const Pred &p, unsigned limit,
                                                                std::optional<unsigned> axis) {
  Pred normal = normalize(p);
  std::optional<Conjunctions> found = dnf(axis ? splitAtoms(normal, *axis) : normal, limit);
  if (!found && axis)
    found = dnf(normal, limit);
  if (!found)
    return std::nullopt;
  std::sort(found->begin(), found->end());
  std::vector<std::vector<Pred>> result;
  for (const Pred &c : *found)
    result.push_back(conjunctsOf(c));
  return result;
}
