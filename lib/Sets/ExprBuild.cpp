//===- ExprBuild.cpp - Canonicalizing constructors ------------------------===//
//
// Everything here is an identity over the integers. The linear form is the work horse: every operation takes its
// operands apart into constant + sum of coefficient * atom, and puts the result together again.
//
//===----------------------------------------------------------------------===//

#include "ExprNode.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <optional>

using namespace attn::sets;

Expr Expr::constant(int64_t value) { return value == 0 ? Expr() : ExprBuilder::make(ExprKind::Const, value, 0, 0, {}); }
Expr Expr::var(unsigned id) { return ExprBuilder::make(ExprKind::Var, 0, id, 0, {}); }

//===----------------------------------------------------------------------===//
// Linear combinations
//===----------------------------------------------------------------------===//

LinearForm attn::sets::linearForm(const Expr &e) {
  LinearForm form;
  auto addTerm = [&](const Expr &t) {
    if (t.is(ExprKind::MulConst))
      form.terms.push_back({t.operand(0), t.value()});
    else
      form.terms.push_back({t, 1});
  };
  if (e.isConst()) {
    form.constant = e.value();
  } else if (e.is(ExprKind::Add)) {
    form.constant = e.value();
    for (const Expr &t : e.operands())
      addTerm(t);
  } else {
    addTerm(e);
  }
  return form;
}

static void sortAndMerge(LinearForm &form) {
  auto &terms = form.terms;
  std::sort(terms.begin(), terms.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  size_t out = 0;
  for (size_t n = 0; n < terms.size();) {
    auto merged = terms[n++];
    while (n < terms.size() && terms[n].first == merged.first)
      merged.second = addSat(merged.second, terms[n++].second);
    if (merged.second != 0)
      terms[out++] = merged;
  }
  terms.erase(terms.begin() + out, terms.end());
}

static int64_t coefficientOf(const LinearForm &form, const Expr &atom) {
  for (const auto &t : form.terms)
    if (t.first == atom)
      return t.second;
  return 0;
}

static void addScaled(LinearForm &form, const LinearForm &part, int64_t factor) {
  form.constant = addSat(form.constant, mulSat(part.constant, factor));
  for (const auto &t : part.terms)
    form.terms.push_back({t.first, mulSat(t.second, factor)});
}

/// x = c floorDiv(x, c) + mod(x, c), used in the direction that makes the sum shorter:
///   a x - a c floorDiv(x, c)  ->  a mod(x, c)           a x - a mod(x, c)  ->  a c floorDiv(x, c)
/// Both take away every term of x and the quotient or remainder, and add one term: the length decreases, so this ends.
static bool foldDivisionPairs(LinearForm &form) {
  for (const auto &term : form.terms) {
    const Expr &atom = term.first;
    if (!atom.is(ExprKind::FloorDiv) && !atom.is(ExprKind::Mod))
      continue;
    bool isDiv = atom.is(ExprKind::FloorDiv);
    int64_t divisor = atom.value();
    if (isDiv && term.second % divisor != 0)
      continue;
    // The multiple of x that the other terms must show.
    int64_t factor = isDiv ? -(term.second / divisor) : -term.second;
    const Expr x = atom.operand(0);
    LinearForm inner = linearForm(x);
    bool all = std::all_of(inner.terms.begin(), inner.terms.end(), [&](const auto &t) {
      return coefficientOf(form, t.first) == mulSat(factor, t.second) && t.first != atom;
    });
    if (!all)
      continue;
    LinearForm result = form;
    result.terms.erase(result.terms.begin() + (&term - form.terms.data()));
    addScaled(result, inner, -factor);
    Expr other = isDiv ? mod(x, divisor) : floorDiv(x, divisor);
    addScaled(result, linearForm(other), isDiv ? factor : mulSat(factor, divisor));
    form = std::move(result);
    return true;
  }
  return false;
}

Expr attn::sets::fromLinear(const LinearForm &input) {
  LinearForm form = input;
  do
    sortAndMerge(form);
  while (foldDivisionPairs(form));
  if (form.terms.empty())
    return Expr::constant(form.constant);
  std::vector<Expr> summands;
  for (const auto &t : form.terms)
    summands.push_back(t.second == 1 ? t.first : ExprBuilder::make(ExprKind::MulConst, t.second, 0, 0, {t.first}));
  if (summands.size() == 1 && form.constant == 0)
    return summands[0];
  return ExprBuilder::make(ExprKind::Add, form.constant, 0, 0, std::move(summands));
}

static Expr combine(const Expr &a, int64_t fa, const Expr &b, int64_t fb) {
  LinearForm sum;
  addScaled(sum, linearForm(a), fa);
  addScaled(sum, linearForm(b), fb);
  return fromLinear(sum);
}

Expr attn::sets::operator+(const Expr &a, const Expr &b) { return combine(a, 1, b, 1); }
Expr attn::sets::operator-(const Expr &a, const Expr &b) { return combine(a, 1, b, -1); }
Expr attn::sets::operator-(const Expr &a) { return a * -1; }
Expr attn::sets::operator*(const Expr &a, int64_t factor) { return combine(a, factor, Expr(), 1); }
Expr attn::sets::operator+(const Expr &a, int64_t constant) { return a + Expr::constant(constant); }
Expr attn::sets::operator-(const Expr &a, int64_t constant) { return a - Expr::constant(constant); }

/// Divides the form by its common factor, with the sign that leaves the first coefficient positive, and returns that.
static int64_t takeFactor(LinearForm &form) {
  int64_t g = std::abs(form.constant);
  for (const auto &t : form.terms)
    g = std::gcd(g, t.second);
  if (form.terms[0].second < 0)
    g = -g;
  form.constant /= g;
  for (auto &t : form.terms)
    t.second /= g;
  return g;
}

Expr attn::sets::operator*(const Expr &a, const Expr &b) {
  if (a.isConst() || b.isConst())
    return a.isConst() ? b * a.value() : a * b.value();
  int64_t factor = 1;
  std::vector<Expr> ops;
  for (const Expr *e : {&a, &b}) {
    LinearForm form = linearForm(*e);
    factor = mulSat(factor, takeFactor(form));
    Expr rest = fromLinear(form);
    if (rest.is(ExprKind::Mul))
      ops.insert(ops.end(), rest.operands().begin(), rest.operands().end());
    else
      ops.push_back(rest);
  }
  std::sort(ops.begin(), ops.end());
  return ExprBuilder::make(ExprKind::Mul, 0, 0, 0, std::move(ops)) * factor;
}

std::pair<Expr, Expr> attn::sets::splitSides(const Expr &e) {
  LinearForm form = linearForm(e), left, right;
  (form.constant >= 0 ? left : right).constant = form.constant >= 0 ? form.constant : mulSat(form.constant, -1);
  for (const auto &t : form.terms)
    if (t.second > 0)
      left.terms.push_back(t);
    else
      right.terms.push_back({t.first, mulSat(t.second, -1)});
  return {fromLinear(left), fromLinear(right)};
}

//===----------------------------------------------------------------------===//
// Floor division and modulus
//===----------------------------------------------------------------------===//

static int64_t gcdWith(const LinearForm &form, int64_t g) {
  for (const auto &t : form.terms)
    g = std::gcd(g, t.second);
  return g;
}

Expr attn::sets::floorDiv(const Expr &e, int64_t divisor) {
  assert(divisor > 0);
  if (divisor == 1)
    return e;
  LinearForm quotient, rest;
  LinearForm form = linearForm(e);
  quotient.constant = floorQuotient(form.constant, divisor);
  rest.constant = floorRemainder(form.constant, divisor);
  for (const auto &t : form.terms)
    if (t.second % divisor == 0)
      quotient.terms.push_back({t.first, t.second / divisor});
    else
      rest.terms.push_back(t);
  if (rest.terms.empty())
    return fromLinear(quotient);

  // floor((g x + r) / (g c)) = floor((x + floor(r / g)) / c)
  int64_t g = gcdWith(rest, divisor);
  for (auto &t : rest.terms)
    t.second /= g;
  rest.constant = floorQuotient(rest.constant, g);
  divisor /= g;

  Expr atom;
  const auto &first = rest.terms[0];
  int64_t product;
  if (rest.terms.size() == 1 && first.second == 1 && first.first.is(ExprKind::FloorDiv) &&
      !__builtin_mul_overflow(divisor, first.first.value(), &product)) {
    // floor((floor(y / d) + r) / c) = floor((y + r d) / (c d))
    int64_t d = first.first.value();
    atom = floorDiv(first.first.operand(0) + mulSat(rest.constant, d), product);
  } else if (rest.terms.size() == 1 && first.second == 1 && first.first.is(ExprKind::Mod) &&
             addSat(rest.constant, first.first.value() - 1) < divisor) {
    atom = Expr();
  } else {
    atom = ExprBuilder::make(ExprKind::FloorDiv, divisor, 0, 0, {fromLinear(rest)});
  }
  addScaled(quotient, linearForm(atom), 1);
  return fromLinear(quotient);
}

Expr attn::sets::mod(const Expr &e, int64_t divisor) {
  assert(divisor > 0);
  if (divisor == 1)
    return Expr();
  LinearForm form = linearForm(e), rest;
  // mod(a mod(y, d) + z, c) = mod(a y + z, c) where c divides d
  for (bool again = true; again;) {
    again = false;
    for (size_t n = 0; n < form.terms.size(); ++n) {
      auto term = form.terms[n];
      if (!term.first.is(ExprKind::Mod) || term.first.value() % divisor != 0)
        continue;
      form.terms.erase(form.terms.begin() + n);
      addScaled(form, linearForm(term.first.operand(0)), term.second);
      form = linearForm(fromLinear(form));
      again = true;
      break;
    }
  }
  rest.constant = floorRemainder(form.constant, divisor);
  for (const auto &t : form.terms) {
    // Balanced residues keep coefficients, and with them the range of the operand, small.
    int64_t m = floorRemainder(t.second, divisor);
    if (m > divisor - m)
      m -= divisor;
    if (m != 0)
      rest.terms.push_back({t.first, m});
  }
  if (rest.terms.empty())
    return Expr::constant(rest.constant);

  // mod(g x + r, g c) = g mod(x + floor(r / g), c) + mod(r, g)
  int64_t g = gcdWith(rest, divisor);
  if (g > 1) {
    int64_t low = floorRemainder(rest.constant, g);
    for (auto &t : rest.terms)
      t.second /= g;
    rest.constant = floorQuotient(rest.constant, g);
    return mod(fromLinear(rest), divisor / g) * g + low;
  }
  Expr x = fromLinear(rest);
  if (x.is(ExprKind::Mod) && x.value() <= divisor)
    return x;
  if (linearForm(x).terms != rest.terms)
    return mod(x, divisor);
  return ExprBuilder::make(ExprKind::Mod, divisor, 0, 0, {x});
}

//===----------------------------------------------------------------------===//
// Min, max, select
//===----------------------------------------------------------------------===//

static Expr extreme(ExprKind kind, std::vector<Expr> input) {
  assert(!input.empty());
  bool isMin = kind == ExprKind::Min;
  std::vector<Expr> ops;
  std::optional<int64_t> constant;
  while (!input.empty()) {
    Expr e = input.back();
    input.pop_back();
    if (e.is(kind))
      input.insert(input.end(), e.operands().begin(), e.operands().end());
    else if (e.isConst())
      constant = !constant ? e.value() : isMin ? std::min(*constant, e.value()) : std::max(*constant, e.value());
    else
      ops.push_back(e);
  }
  if (constant)
    ops.push_back(Expr::constant(*constant));
  std::sort(ops.begin(), ops.end());
  ops.erase(std::unique(ops.begin(), ops.end()), ops.end());
  // An operand that differs from another by a constant decides between the two. Long lists are left alone: quadratic.
  if (ops.size() <= 16)
    for (size_t a = 0; a < ops.size(); ++a)
      for (size_t b = 0; b < ops.size();) {
        Expr d = a == b ? Expr::constant(isMin ? -1 : 1) : ops[b] - ops[a];
        if (a != b && d.isConst() && (d.value() >= 0) == isMin) {
          ops.erase(ops.begin() + b);
          a -= b < a;
        } else {
          ++b;
        }
      }
  return ops.size() == 1 ? ops[0] : ExprBuilder::make(kind, 0, 0, 0, std::move(ops));
}

Expr attn::sets::minOf(std::vector<Expr> operands) { return extreme(ExprKind::Min, std::move(operands)); }
Expr attn::sets::maxOf(std::vector<Expr> operands) { return extreme(ExprKind::Max, std::move(operands)); }
Expr attn::sets::min(const Expr &a, const Expr &b) { return minOf({a, b}); }
Expr attn::sets::max(const Expr &a, const Expr &b) { return maxOf({a, b}); }

Expr Expr::select(const Expr &cond, const Expr &a, const Expr &b) {
  if (a == b)
    return a;
  if (cond.isConst())
    return cond.value() >= 0 ? a : b;
  return ExprBuilder::make(ExprKind::Select, 0, 0, 0, {cond, a, b});
}

//===----------------------------------------------------------------------===//
// Tensor elements
//===----------------------------------------------------------------------===//

Expr Expr::load(unsigned table, std::vector<Expr> indices) {
  return ExprBuilder::make(ExprKind::Load, 0, table, 0, std::move(indices));
}

static Expr loadExtreme(ExprKind kind, unsigned table, std::vector<Expr> indices, unsigned axis, const Expr &lo,
                        const Expr &hi) {
  assert(axis < indices.size());
  if (lo == hi) {
    indices[axis] = lo;
    return Expr::load(table, std::move(indices));
  }
  indices[axis] = Expr();
  indices.push_back(lo);
  indices.push_back(hi);
  return ExprBuilder::make(kind, 0, table, axis, std::move(indices));
}

Expr Expr::loadMin(unsigned table, std::vector<Expr> indices, unsigned axis, Expr lo, Expr hi) {
  return loadExtreme(ExprKind::LoadMin, table, std::move(indices), axis, lo, hi);
}
Expr Expr::loadMax(unsigned table, std::vector<Expr> indices, unsigned axis, Expr lo, Expr hi) {
  return loadExtreme(ExprKind::LoadMax, table, std::move(indices), axis, lo, hi);
}

Expr Expr::find(unsigned table, std::vector<Expr> indices, unsigned axis, Expr sought) {
  assert(axis < indices.size());
  indices[axis] = Expr();
  indices.push_back(std::move(sought));
  return ExprBuilder::make(ExprKind::Find, 0, table, axis, std::move(indices));
}
