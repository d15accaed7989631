//===- Pred.cpp - Predicate nodes, constructors and walks -----------------===//

#include "PredNode.h"

#include <algorithm>
#include <cassert>
#include <numeric>

using namespace attn::sets;

static std::optional<AtomRange> rangeOf(PredKind kind, const Expr &e) {
  if (kind != PredKind::Ge0 && kind != PredKind::Eq0 && kind != PredKind::Ne0)
    return std::nullopt;
  LinearForm form = linearForm(e);
  int64_t k = form.constant;
  bool flip = form.terms[0].second < 0;
  form.constant = 0;
  for (auto &t : form.terms)
    t.second = flip ? mulSat(t.second, -1) : t.second;
  AtomRange r;
  r.part = k == 0 && !flip ? e : fromLinear(form);
  if (kind == PredKind::Ge0) {
    (flip ? r.hi : r.lo) = flip ? k : mulSat(k, -1);
  } else {
    r.lo = r.hi = mulSat(k, -1);
    r.hole = kind == PredKind::Ne0;
  }
  return r;
}

Pred Pred::make(PredKind kind, Expr e, unsigned id, bool negated, std::vector<Pred> operands) {
  size_t hash = hashMix(hashMix(size_t(kind) + 101, e.hash()), id * 2 + negated);
  for (const Pred &p : operands)
    hash = hashMix(hash, p.hash());
  std::optional<AtomRange> range = rangeOf(kind, e);
  return Pred(std::make_shared<const Node>(
      Node{kind, std::move(e), id, negated, std::move(operands), hash, std::move(range), std::nullopt, false}));
}

Pred::Pred() : node(always().node) {}

Pred Pred::always() {
  static const Pred p = make(PredKind::True, Expr(), 0, false, {});
  return p;
}
Pred Pred::never() {
  static const Pred p = make(PredKind::False, Expr(), 0, false, {});
  return p;
}
Pred Pred::opaque(unsigned id, bool negated) { return make(PredKind::Opaque, Expr(), id, negated, {}); }

PredKind Pred::kind() const { return node->kind; }
bool Pred::isAtom() const {
  return is(PredKind::Ge0) || is(PredKind::Eq0) || is(PredKind::Ne0) || is(PredKind::Opaque);
}
const Expr &Pred::expr() const { return node->e; }
unsigned Pred::opaqueId() const { return node->id; }
bool Pred::negated() const { return node->negated; }
const std::vector<Pred> &Pred::operands() const { return node->operands; }
size_t Pred::hash() const { return node->hash; }

int Pred::compare(const Pred &other) const {
  if (node == other.node)
    return 0;
  const Node &a = *node, &b = *other.node;
  if (a.kind != b.kind)
    return a.kind < b.kind ? -1 : 1;
  if (a.id != b.id)
    return a.id < b.id ? -1 : 1;
  if (a.negated != b.negated)
    return a.negated < b.negated ? -1 : 1;
  if (int c = a.e.compare(b.e))
    return c;
  if (a.operands.size() != b.operands.size())
    return a.operands.size() < b.operands.size() ? -1 : 1;
  for (size_t n = 0; n < a.operands.size(); ++n)
    if (int c = a.operands[n].compare(b.operands[n]))
      return c;
  return 0;
}

//===----------------------------------------------------------------------===//
// Atoms
//===----------------------------------------------------------------------===//

static int64_t contentOf(const LinearForm &form) {
  int64_t g = 0;
  for (const auto &t : form.terms)
    g = std::gcd(g, t.second);
  return g;
}

/// Coefficients divided by their gcd; the constant by floor, as `e >= 0` over the integers allows.
static LinearForm primitive(LinearForm form) {
  int64_t g = contentOf(form);
  for (auto &t : form.terms)
    t.second /= g;
  form.constant = floorQuotient(form.constant, g);
  return form;
}

Pred Pred::ge0(const Expr &input) {
  if (input.isConst())
    return input.value() >= 0 ? always() : never();
  LinearForm form = primitive(linearForm(input));
  if (form.terms.size() == 1) {
    const Expr &atom = form.terms[0].first;
    bool positive = form.terms[0].second > 0;
    int64_t k = form.constant;
    // floorDiv(x, c) >= -k is x >= -k c, and floorDiv(x, c) <= k is x <= k c + c - 1.
    if (atom.is(ExprKind::FloorDiv)) {
      Expr x = atom.operand(0), kc = Expr::constant(mulSat(k, atom.value()));
      return positive ? ge0(x + kc) : ge0(kc + (atom.value() - 1) - x);
    }
    // A remainder is in [0, c).
    if (atom.is(ExprKind::Mod)) {
      int64_t least = positive ? k : addSat(k, 1 - atom.value());
      int64_t most = positive ? addSat(k, atom.value() - 1) : k;
      if (least >= 0)
        return always();
      if (most < 0)
        return never();
      // One value left: an equation, so that each of the few sets of remainders has one writing.
      if (most == 0)
        return make(PredKind::Eq0, positive ? atom - (atom.value() - 1) : atom, 0, false, {});
    }
  }
  return make(PredKind::Ge0, fromLinear(form), 0, false, {});
}

Pred Pred::eq0(const Expr &input) {
  if (input.isConst())
    return input.value() == 0 ? always() : never();
  LinearForm form = linearForm(input);
  if (form.constant % contentOf(form) != 0)
    return never();
  form = primitive(form);
  if (form.terms[0].second < 0) {
    for (auto &t : form.terms)
      t.second = mulSat(t.second, -1);
    form.constant = mulSat(form.constant, -1);
  }
  Expr e = fromLinear(form);
  if (form.terms.size() == 1) {
    const Expr &atom = form.terms[0].first;
    if (atom.is(ExprKind::FloorDiv))
      return ge0(e) && ge0(-e);
    if (atom.is(ExprKind::Mod) && (form.constant > 0 || form.constant <= -atom.value()))
      return never();
  }
  return make(PredKind::Eq0, e, 0, false, {});
}

Pred Pred::ne0(const Expr &e) {
  Pred p = eq0(e);
  if (!p.is(PredKind::Eq0))
    return !p;
  // Not the least (greatest) remainder is an inequality.
  LinearForm form = linearForm(p.expr());
  if (form.terms.size() == 1 && form.terms[0].first.is(ExprKind::Mod)) {
    const Expr &remainder = form.terms[0].first;
    if (form.constant == 0)
      return ge0(remainder - 1);
    if (form.constant == 1 - remainder.value())
      return ge0(Expr::constant(remainder.value() - 2) - remainder);
  }
  return make(PredKind::Ne0, p.expr(), 0, false, {});
}

Pred attn::sets::ge(const Expr &a, const Expr &b) { return Pred::ge0(a - b); }
Pred attn::sets::le(const Expr &a, const Expr &b) { return Pred::ge0(b - a); }
Pred attn::sets::gt(const Expr &a, const Expr &b) { return Pred::ge0(a - b - 1); }
Pred attn::sets::lt(const Expr &a, const Expr &b) { return Pred::ge0(b - a - 1); }
Pred attn::sets::eq(const Expr &a, const Expr &b) { return Pred::eq0(a - b); }
Pred attn::sets::ne(const Expr &a, const Expr &b) { return Pred::ne0(a - b); }

//===----------------------------------------------------------------------===//
// And, or, not
//===----------------------------------------------------------------------===//

static size_t partHash(const Pred &p) {
  const std::optional<AtomRange> &r = PredAccess::range(p);
  return r ? r->part.hash() : hashMix(p.opaqueId(), 1);
}

Pred Pred::combine(PredKind kind, std::vector<Pred> input) {
  PredKind unit = kind == PredKind::And ? PredKind::True : PredKind::False;
  PredKind zero = kind == PredKind::And ? PredKind::False : PredKind::True;
  Pred zeroPred = kind == PredKind::And ? never() : always();
  std::vector<Pred> ops;
  while (!input.empty()) {
    Pred p = input.back();
    input.pop_back();
    if (p.is(zero))
      return zeroPred;
    if (p.is(kind))
      input.insert(input.end(), p.operands().begin(), p.operands().end());
    else if (!p.is(unit))
      ops.push_back(p);
  }
  std::sort(ops.begin(), ops.end());
  ops.erase(std::unique(ops.begin(), ops.end()), ops.end());
  // An atom and its complement are about the same part; so only where two are, a complement is worth writing.
  std::vector<size_t> parts;
  for (const Pred &p : ops)
    if (p.isAtom())
      parts.push_back(partHash(p));
  std::sort(parts.begin(), parts.end());
  for (const Pred &p : ops) {
    if (!p.isAtom())
      continue;
    auto same = std::equal_range(parts.begin(), parts.end(), partHash(p));
    if (same.second - same.first > 1 && std::binary_search(ops.begin(), ops.end(), !p))
      return zeroPred;
  }
  if (ops.empty())
    return kind == PredKind::And ? always() : never();
  return ops.size() == 1 ? ops[0] : make(kind, Expr(), 0, false, std::move(ops));
}

Pred Pred::all(std::vector<Pred> operands) { return combine(PredKind::And, std::move(operands)); }
Pred Pred::any(std::vector<Pred> operands) { return combine(PredKind::Or, std::move(operands)); }

Pred attn::sets::operator&&(const Pred &a, const Pred &b) { return Pred::all({a, b}); }
Pred attn::sets::operator||(const Pred &a, const Pred &b) { return Pred::any({a, b}); }
Pred attn::sets::minus(const Pred &a, const Pred &b) { return a && !b; }

static Pred negate(const Pred &p) {
  switch (p.kind()) {
  case PredKind::True:
    return Pred::never();
  case PredKind::False:
    return Pred::always();
  case PredKind::Ge0:
    return Pred::ge0(-p.expr() - 1);
  case PredKind::Eq0:
    return Pred::ne0(p.expr());
  case PredKind::Ne0:
    return Pred::eq0(p.expr());
  case PredKind::Opaque:
    return Pred::opaque(p.opaqueId(), !p.negated());
  case PredKind::And:
  case PredKind::Or: {
    std::vector<Pred> ops;
    for (const Pred &o : p.operands())
      ops.push_back(!o);
    return p.is(PredKind::And) ? Pred::any(std::move(ops)) : Pred::all(std::move(ops));
  }
  }
  return p;
}

Pred attn::sets::operator!(const Pred &p) {
  if (const std::optional<Pred> &known = PredAccess::complement(p))
    return *known;
  Pred result = negate(p);
  return result.isAtom() ? PredAccess::withComplement(result, p) : result;
}

//===----------------------------------------------------------------------===//
// Printing and walks
//===----------------------------------------------------------------------===//

std::string Pred::str() const {
  switch (kind()) {
  case PredKind::True:
    return "true";
  case PredKind::False:
    return "false";
  case PredKind::Ge0: {
    auto sides = splitSides(expr());
    return sides.first.str() + " >= " + sides.second.str();
  }
  case PredKind::Eq0:
  case PredKind::Ne0: {
    auto sides = splitSides(expr());
    return sides.first.str() + (is(PredKind::Eq0) ? " == " : " != ") + sides.second.str();
  }
  case PredKind::Opaque:
    return (negated() ? "!opaque" : "opaque") + std::to_string(opaqueId());
  case PredKind::And:
  case PredKind::Or: {
    std::string s;
    for (const Pred &p : operands())
      s += (s.empty() ? "" : is(PredKind::And) ? " and " : " or ") + p.str();
    return "(" + s + ")";
  }
  }
  return "?";
}

bool attn::sets::mentions(const Pred &p, unsigned varId) {
  return mentions(p.expr(), varId) ||
         std::any_of(p.operands().begin(), p.operands().end(), [&](const Pred &o) { return mentions(o, varId); });
}

bool attn::sets::hasOpaque(const Pred &p) {
  return p.is(PredKind::Opaque) || std::any_of(p.operands().begin(), p.operands().end(), hasOpaque);
}

void attn::sets::collectVars(const Pred &p, std::set<unsigned> &vars) {
  collectVars(p.expr(), vars);
  for (const Pred &o : p.operands())
    collectVars(o, vars);
}

Pred attn::sets::rewrite(const Pred &p, const std::function<Expr(const Expr &)> &f) {
  switch (p.kind()) {
  case PredKind::True:
  case PredKind::False:
  case PredKind::Opaque:
    return p;
  case PredKind::Ge0:
    return Pred::ge0(f(p.expr()));
  case PredKind::Eq0:
    return Pred::eq0(f(p.expr()));
  case PredKind::Ne0:
    return Pred::ne0(f(p.expr()));
  case PredKind::And:
  case PredKind::Or: {
    std::vector<Pred> ops;
    for (const Pred &o : p.operands())
      ops.push_back(rewrite(o, f));
    return p.is(PredKind::And) ? Pred::all(std::move(ops)) : Pred::any(std::move(ops));
  }
  }
  return p;
}

Pred attn::sets::substitute(const Pred &p, const std::map<unsigned, Expr> &replacements) {
  return rewrite(p, [&](const Expr &e) { return substitute(e, replacements); });
}

bool attn::sets::eval(const Pred &p, const Env &env) {
  switch (p.kind()) {
  case PredKind::True:
    return true;
  case PredKind::False:
    return false;
  case PredKind::Ge0:
    return evalSign(p.expr(), env) >= 0;
  case PredKind::Eq0:
    return evalSign(p.expr(), env) == 0;
  case PredKind::Ne0:
    return evalSign(p.expr(), env) != 0;
  case PredKind::Opaque:
    return env.opaque(p.opaqueId()) != p.negated();
  case PredKind::And:
    return std::all_of(p.operands().begin(), p.operands().end(), [&](const Pred &o) { return eval(o, env); });
  case PredKind::Or:
    return std::any_of(p.operands().begin(), p.operands().end(), [&](const Pred &o) { return eval(o, env); });
  }
  return false;
}
