//===- Hold.cpp - Conditions on boxes --------------------------------------===//

#include "Bounder.h"

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

static Pred holdsForAtom(const Pred &p, const Box &box, bool must, const Facts &facts) {
  if (p.is(PredKind::Opaque))
    return holdsForOpaque(p, must);
  Pred unknown = must ? Pred::never() : Pred::always();
  if (!facts.range.empty()) {
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
  return normalize(p.is(PredKind::And) ? Pred::all(std::move(ops)) : Pred::any(std::move(ops)));
}

Pred attn::sets::mayHold(const Pred &p, const Box &box, const Facts &facts) {
  return holds(p, box, /*must=*/false, facts);
}
Pred attn::sets::mustHold(const Pred &p, const Box &box, const Facts &facts) {
  return holds(p, box, /*must=*/true, facts);
}
