//===- Expr.cpp - Nodes, order, printing and evaluation -------------------===//

#include "ExprNode.h"

#include <algorithm>
#include <cassert>

using namespace attn::sets;

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Expr Expr::make(ExprKind kind, int64_t value, unsigned id, unsigned axis, std::vector<Expr> operands) {
  size_t hash = hashMix(size_t(kind), size_t(value));
  hash = hashMix(hashMix(hash, id), axis);
  for (const Expr &e : operands)
    hash = hashMix(hash, e.hash());
  return Expr(std::make_shared<const Node>(Node{kind, value, id, axis, std::move(operands), hash}));
}

Expr::Expr() {
  static const Expr zero = make(ExprKind::Const, 0, 0, 0, {});
  node = zero.node;
}

ExprKind Expr::kind() const { return node->kind; }
int64_t Expr::value() const { return node->value; }
const std::vector<Expr> &Expr::operands() const { return node->operands; }
size_t Expr::hash() const { return node->hash; }

unsigned Expr::varId() const {
  assert(is(ExprKind::Var));
  return node->id;
}

[[maybe_unused]] static bool isTableKind(ExprKind k) {
  return k == ExprKind::Load || k == ExprKind::LoadMin || k == ExprKind::LoadMax || k == ExprKind::Find;
}

unsigned Expr::table() const {
  assert(isTableKind(kind()));
  return node->id;
}

unsigned Expr::axis() const {
  assert(isTableKind(kind()) && !is(ExprKind::Load));
  return node->axis;
}

std::vector<Expr> Expr::indices() const {
  assert(isTableKind(kind()));
  return {operands().begin(), operands().end() - (is(ExprKind::Load) ? 0 : is(ExprKind::Find) ? 1 : 2)};
}

const Expr &Expr::lo() const { return operands()[operands().size() - 2]; }
const Expr &Expr::hi() const { return operands().back(); }
const Expr &Expr::sought() const { return operands().back(); }

int Expr::compare(const Expr &other) const {
  if (node == other.node)
    return 0;
  const Node &a = *node, &b = *other.node;
  if (a.kind != b.kind)
    return a.kind < b.kind ? -1 : 1;
  if (a.id != b.id)
    return a.id < b.id ? -1 : 1;
  if (a.axis != b.axis)
    return a.axis < b.axis ? -1 : 1;
  if (a.operands.size() != b.operands.size())
    return a.operands.size() < b.operands.size() ? -1 : 1;
  for (size_t n = 0; n < a.operands.size(); ++n)
    if (int c = a.operands[n].compare(b.operands[n]))
      return c;
  if (a.value != b.value)
    return a.value < b.value ? -1 : 1;
  return 0;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static std::string list(const std::vector<Expr> &es) {
  std::string s;
  for (const Expr &e : es)
    s += (s.empty() ? "" : ", ") + e.str();
  return s;
}

std::string Expr::str() const {
  const std::vector<Expr> &ops = operands();
  switch (kind()) {
  case ExprKind::Const:
    return std::to_string(value());
  case ExprKind::Var:
    return "v" + std::to_string(varId());
  case ExprKind::Add: {
    std::string s;
    for (const Expr &e : ops) {
      bool negative = e.is(ExprKind::MulConst) && e.value() < 0;
      std::string term = negative ? (-e).str() : e.str();
      s += s.empty() ? (negative ? "-" : "") + term : (negative ? " - " : " + ") + term;
    }
    if (value() != 0)
      s += value() < 0 ? " - " + std::to_string(value()).substr(1) : " + " + std::to_string(value());
    return s;
  }
  case ExprKind::MulConst:
    return std::to_string(value()) + "*" + ops[0].str();
  case ExprKind::Mul: {
    std::string s;
    for (const Expr &e : ops)
      s += (s.empty() ? "" : "*") + (e.is(ExprKind::Add) ? "(" + e.str() + ")" : e.str());
    return s;
  }
  case ExprKind::FloorDiv:
    return "floordiv(" + ops[0].str() + ", " + std::to_string(value()) + ")";
  case ExprKind::Mod:
    return "mod(" + ops[0].str() + ", " + std::to_string(value()) + ")";
  case ExprKind::Min:
    return "min(" + list(ops) + ")";
  case ExprKind::Max:
    return "max(" + list(ops) + ")";
  case ExprKind::Select:
    return "(" + ops[0].str() + " >= 0 ? " + ops[1].str() + " : " + ops[2].str() + ")";
  case ExprKind::Load:
    return "t" + std::to_string(table()) + "[" + list(ops) + "]";
  case ExprKind::LoadMin:
  case ExprKind::LoadMax: {
    std::string s;
    for (size_t n = 0; n + 2 < ops.size(); ++n)
      s += (n ? ", " : "") + (n == axis() ? lo().str() + ".." + hi().str() : ops[n].str());
    return (is(ExprKind::LoadMin) ? "min t" : "max t") + std::to_string(table()) + "[" + s + "]";
  }
  case ExprKind::Find: {
    std::string s;
    for (size_t n = 0; n + 1 < ops.size(); ++n)
      s += (n ? ", " : "") + (n == axis() ? ">= " + sought().str() : ops[n].str());
    return "find t" + std::to_string(table()) + "[" + s + "]";
  }
  }
  return "?";
}

//===----------------------------------------------------------------------===//
// Walks
//===----------------------------------------------------------------------===//

bool attn::sets::mentions(const Expr &e, unsigned varId) {
  if (e.is(ExprKind::Var))
    return e.varId() == varId;
  return std::any_of(e.operands().begin(), e.operands().end(), [&](const Expr &o) { return mentions(o, varId); });
}

void attn::sets::collectVars(const Expr &e, std::set<unsigned> &vars) {
  if (e.is(ExprKind::Var))
    vars.insert(e.varId());
  for (const Expr &o : e.operands())
    collectVars(o, vars);
}

/// The same operation on other operands.
static Expr rebuild(const Expr &e, std::vector<Expr> ops) {
  switch (e.kind()) {
  case ExprKind::Const:
  case ExprKind::Var:
    return e;
  case ExprKind::Add: {
    LinearForm sum;
    sum.constant = e.value();
    for (const Expr &o : ops) {
      LinearForm part = linearForm(o);
      sum.constant = addSat(sum.constant, part.constant);
      sum.terms.insert(sum.terms.end(), part.terms.begin(), part.terms.end());
    }
    return fromLinear(sum);
  }
  case ExprKind::MulConst:
    return ops[0] * e.value();
  case ExprKind::Mul: {
    Expr product = ops[0];
    for (size_t n = 1; n < ops.size(); ++n)
      product = product * ops[n];
    return product;
  }
  case ExprKind::FloorDiv:
    return floorDiv(ops[0], e.value());
  case ExprKind::Mod:
    return mod(ops[0], e.value());
  case ExprKind::Min:
    return minOf(std::move(ops));
  case ExprKind::Max:
    return maxOf(std::move(ops));
  case ExprKind::Select:
    return Expr::select(ops[0], ops[1], ops[2]);
  case ExprKind::Load:
    return Expr::load(e.table(), std::move(ops));
  case ExprKind::LoadMin:
  case ExprKind::LoadMax: {
    Expr hi = ops.back(), lo = ops[ops.size() - 2];
    ops.resize(ops.size() - 2);
    return e.is(ExprKind::LoadMin) ? Expr::loadMin(e.table(), std::move(ops), e.axis(), lo, hi)
                                   : Expr::loadMax(e.table(), std::move(ops), e.axis(), lo, hi);
  }
  case ExprKind::Find: {
    Expr sought = ops.back();
    ops.pop_back();
    return Expr::find(e.table(), std::move(ops), e.axis(), sought);
  }
  }
  return e;
}

Expr attn::sets::rewriteOperands(const Expr &e, const std::function<Expr(const Expr &)> &f) {
  if (e.operands().empty())
    return e;
  std::vector<Expr> ops;
  bool changed = false;
  for (const Expr &o : e.operands()) {
    ops.push_back(f(o));
    changed |= ops.back().identity() != o.identity();
  }
  return changed ? rebuild(e, std::move(ops)) : e;
}

Expr attn::sets::substitute(const Expr &e, const std::map<unsigned, Expr> &replacements) {
  if (e.is(ExprKind::Var)) {
    auto it = replacements.find(e.varId());
    return it == replacements.end() ? e : it->second;
  }
  return rewriteOperands(e, [&](const Expr &o) { return substitute(o, replacements); });
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

/// Products and sums stop at 2^120: far beyond anything meaningful, and 128 bits hold the sum of two.
static Wide limitWide(Wide x) {
  constexpr Wide limit = Wide(1) << 120;
  return x > limit ? limit : x < -limit ? -limit : x;
}

static Wide multiplyWide(Wide a, Wide b) {
  Wide product;
  if (!__builtin_mul_overflow(a, b, &product))
    return limitWide(product);
  constexpr Wide limit = Wide(1) << 120;
  return (a < 0) == (b < 0) ? limit : -limit;
}

static Wide evalWide(const Expr &e, const Env &env) {
  auto arg = [&](unsigned n) { return evalWide(e.operand(n), env); };
  switch (e.kind()) {
  case ExprKind::Const:
    return e.value();
  case ExprKind::Var:
    return env.var(e.varId());
  case ExprKind::Add: {
    Wide sum = e.value();
    for (const Expr &o : e.operands())
      sum = limitWide(sum + evalWide(o, env));
    return sum;
  }
  case ExprKind::MulConst:
    return multiplyWide(arg(0), e.value());
  case ExprKind::Mul: {
    Wide product = arg(0);
    for (unsigned n = 1; n < e.operands().size(); ++n)
      product = multiplyWide(product, arg(n));
    return product;
  }
  case ExprKind::FloorDiv:
    return floorQuotient<Wide>(arg(0), e.value());
  case ExprKind::Mod:
    return floorRemainder<Wide>(arg(0), e.value());
  case ExprKind::Min:
  case ExprKind::Max: {
    Wide best = arg(0);
    for (unsigned n = 1; n < e.operands().size(); ++n)
      best = e.is(ExprKind::Min) ? std::min(best, arg(n)) : std::max(best, arg(n));
    return best;
  }
  case ExprKind::Select:
    return arg(arg(0) >= 0 ? 1 : 2);
  case ExprKind::Load:
  case ExprKind::LoadMin:
  case ExprKind::LoadMax: {
    std::vector<int64_t> index;
    for (const Expr &o : e.indices())
      index.push_back(saturate(evalWide(o, env)));
    if (e.is(ExprKind::Load))
      return env.load(e.table(), index);
    int64_t lo = saturate(evalWide(e.lo(), env)), hi = saturate(evalWide(e.hi(), env));
    if (env.extent) {
      lo = std::max<int64_t>(lo, 0);
      hi = std::min<int64_t>(hi, env.extent(e.table(), e.axis()) - 1);
    }
    bool isMin = e.is(ExprKind::LoadMin);
    int64_t best = isMin ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    for (int64_t n = lo; n <= hi; ++n) {
      index[e.axis()] = n;
      int64_t x = env.load(e.table(), index);
      best = isMin ? std::min(best, x) : std::max(best, x);
    }
    return best;
  }
  case ExprKind::Find: {
    std::vector<int64_t> index;
    for (const Expr &o : e.indices())
      index.push_back(saturate(evalWide(o, env)));
    Wide sought = evalWide(e.sought(), env);
    int64_t first = 0, last = env.extent(e.table(), e.axis());
    while (first < last) {
      int64_t middle = index[e.axis()] = first + (last - first) / 2;
      if (env.load(e.table(), index) < sought)
        first = middle + 1;
      else
        last = middle;
    }
    return first;
  }
  }
  return 0;
}

int64_t attn::sets::eval(const Expr &e, const Env &env) { return saturate(evalWide(e, env)); }

int attn::sets::evalSign(const Expr &e, const Env &env) {
  Wide x = evalWide(e, env);
  return x < 0 ? -1 : x > 0 ? 1 : 0;
}
