//===- Expr.h - Symbolic integer expressions over token indices -----------===//
//
// The problem
// -----------
// A mask is a predicate over (b, h, i, j), and a kernel that visits every pair to find out which ones are visible has
// already lost. What the compiler wants is to ask, once per block of rows, "which keys can any of these rows see?", and
// to have the answer *as a formula*: the block's end points, the window's width and the tensors' extents are known only
// when the kernel runs. So the answer is an expression tree. The compiler emits the tree as a handful of scalar
// instructions in front of the key loop; tests and `--explain` evaluate the very same tree with numbers.
//
// The three parts of the library (see also Pred.h, Solve.h, Count.h):
//
//   Expr   integers: linear combinations, products, floor division and modulus by positive constants, min, max, select,
//          elements of captured integer tensors, extremes of such a tensor along one axis, and places in sorted ones.
//   Pred   truth: `e >= 0`, `e == 0`, `e != 0`, conditions nobody can see into, and their and/or.
//   Solve  `solve(predicate, axis, box)`: the predicate as intervals of the axis, valid for a whole box of rows.
//
// Laws
// ----
// * An Expr is an immutable value. Two expressions built along different ways are structurally equal (==, one hash)
//   whenever they have the same canonical form:
//     - a sum is one flat linear combination, terms sorted, equal terms added up:    i - j == -(j - i),  i + 0 == i
//     - constants and multiples leave a floordiv:       floorDiv(4 i + j + 9, 4) == i + floorDiv(j + 1, 4) + 2
//     - common factors cancel:                          floorDiv(2 i + 1, 4) == floorDiv(i, 2)
//     - divisions nest:                                 floorDiv(floorDiv(i, 2), 3) == floorDiv(i, 6)
//     - multiples of the divisor leave a modulus:       mod(i + 8 j, 4) == mod(i, 4)
//     - a modulus written out is a modulus:             i - 4 floorDiv(i, 4) == mod(i, 4)
//     - min and max are flat, sorted, without repeats or operands that another one dominates by a constant.
//     - a product is flat and sorted, its operands without common factors, the first coefficient of each positive:
//       (2 i - 2 j)(j - i) == -2 (i - j)^2. Products of sums are not multiplied out.
// * floorDiv and mod round towards minus infinity: mod is in [0, c), x == c * floorDiv(x, c) + mod(x, c).
// * Every rewriting is an identity over the integers; none looks at ranges of variables.
//
// Numbers
// -------
// Values are mathematical integers as long as they stay below 2^62. That is a promise of whoever binds variables: token
// indices, extents and lengths are within +-2^31, and run-time scalars such as window widths are saturated to +-2^40
// before they are used (a window wider than any sequence is a window without that side). Constant folding saturates at
// the ends of int64, eval() computes in 128 bits and saturates at the end, so neither ever overflows; emitted code may
// use plain wrapping 64-bit adds under the same promise. Tensor elements may be any int64: compare them as the two
// sides of `splitSides` (a - b >= 0 as a >= b), which needs no promise.
//
// Indices out of range
// --------------------
// A tile holds pairs that the predicate rules out, and rows are asked about before it is known whether they see
// anything: so a Load may be evaluated at an index outside the tensor, where it may give any value but must not be read
// from memory, and LoadMin/LoadMax range over the part inside. The language says more, that such a pair is absent; a
// predicate that loads at a computed index says it by conjoining `0 <= index` and `index < extent` at its top.
//
// A worked example: the keys that rows i0..i1 see under "causal, in a window of w" are
//
//   Expr j = Expr::var(J), i = Expr::var(I), w = Expr::var(W);
//   Pred p = le(j, i) && ge(j, i - w);
//   Solution s = solve(p, J, {{I, {i0, i1}}});       // one conjunct: may = [i0 - w, i1], must = [i1 - w, i0]
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SETS_EXPR_H
#define ATTN_SETS_EXPR_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace attn::sets {

enum class ExprKind { Const, Var, Add, MulConst, Mul, FloorDiv, Mod, Min, Max, Select, Load, LoadMin, LoadMax, Find };

/// A handle on an immutable expression node: copy it freely. The default value is the constant 0.
///
/// What each kind holds:
///   Const     value()
///   Var       varId()
///   Add       the sum of operands() plus value(); operands are neither Add nor Const; at least one MulConst-or-other
///             operand, two summands in all
///   MulConst  value() * operand(0), value() not 0 or 1, the operand neither Const, Add nor MulConst
///   Mul       the product of operands(), two or more (a repeated one is a power), none of them Const, MulConst or Mul
///   FloorDiv  floor(operand(0) / value()), value() > 1
///   Mod       operand(0) - value() * floor(operand(0) / value()), value() > 1
///   Min, Max  of operands(), two or more
///   Select    operand(0) >= 0 ? operand(1) : operand(2)
///   Load      element of tensor table() at operands() (= indices())
///   LoadMin, LoadMax  extreme of tensor table() at indices(), the axis()-th index running over lo()..hi() inclusive
///   and
///             *clipped to the tensor's extent*; of nothing, INT64_MAX for LoadMin and INT64_MIN for LoadMax.
///             operands() are indices() (a 0 stands at axis()), then lo(), then hi().
///   Find      the least n in [0, extent] such that n is the extent, or the element of tensor table() at indices(), the
///             axis()-th index being n, is at least sought(). The elements ascend along the axis. operands() are
///             indices() (a 0 stands at axis()), then sought().
class Expr {
public:
  struct Node;

  Expr();

  static Expr constant(int64_t value);
  static Expr var(unsigned id);
  static Expr load(unsigned table, std::vector<Expr> indices);
  static Expr loadMin(unsigned table, std::vector<Expr> indices, unsigned axis, Expr lo, Expr hi);
  static Expr loadMax(unsigned table, std::vector<Expr> indices, unsigned axis, Expr lo, Expr hi);
  static Expr find(unsigned table, std::vector<Expr> indices, unsigned axis, Expr sought);
  /// `cond >= 0 ? a : b`.
  static Expr select(const Expr &cond, const Expr &a, const Expr &b);

  ExprKind kind() const;
  bool is(ExprKind k) const { return kind() == k; }
  bool isConst() const { return is(ExprKind::Const); }
  bool isConst(int64_t value) const { return isConst() && this->value() == value; }
  /// Const: the constant; Add: the constant summand; MulConst: the coefficient; FloorDiv, Mod: the divisor.
  int64_t value() const;
  unsigned varId() const;
  unsigned table() const;
  unsigned axis() const;
  const std::vector<Expr> &operands() const;
  const Expr &operand(unsigned n) const { return operands()[n]; }
  std::vector<Expr> indices() const;
  const Expr &lo() const;
  const Expr &hi() const;
  const Expr &sought() const;

  /// Structural total order: negative, zero, positive. It does not depend on addresses, so output is reproducible.
  int compare(const Expr &other) const;
  size_t hash() const;
  /// Same node: a sufficient test of equality, and a key for an emitter's cache.
  const void *identity() const { return node.get(); }
  std::string str() const;

  friend bool operator==(const Expr &a, const Expr &b) { return a.hash() == b.hash() && a.compare(b) == 0; }
  friend bool operator!=(const Expr &a, const Expr &b) { return !(a == b); }
  friend bool operator<(const Expr &a, const Expr &b) { return a.compare(b) < 0; }

private:
  explicit Expr(std::shared_ptr<const Node> node) : node(std::move(node)) {}
  static Expr make(ExprKind kind, int64_t value, unsigned id, unsigned axis, std::vector<Expr> operands);
  friend struct ExprBuilder;

  std::shared_ptr<const Node> node;
};

struct ExprHash {
  size_t operator()(const Expr &e) const { return e.hash(); }
};

Expr operator+(const Expr &a, const Expr &b);
Expr operator-(const Expr &a, const Expr &b);
Expr operator-(const Expr &a);
Expr operator*(const Expr &a, int64_t factor);
Expr operator*(const Expr &a, const Expr &b);
Expr operator+(const Expr &a, int64_t constant);
Expr operator-(const Expr &a, int64_t constant);
/// Floor division and modulus; the divisor is positive.
Expr floorDiv(const Expr &e, int64_t divisor);
Expr mod(const Expr &e, int64_t divisor);
Expr min(const Expr &a, const Expr &b);
Expr max(const Expr &a, const Expr &b);
Expr minOf(std::vector<Expr> operands);
Expr maxOf(std::vector<Expr> operands);

/// An expression as constant + sum of coefficient * atom; atoms are sorted and no Const, Add or MulConst. A Mul is an
/// atom.
struct LinearForm {
  int64_t constant = 0;
  std::vector<std::pair<Expr, int64_t>> terms;
};
LinearForm linearForm(const Expr &e);
Expr fromLinear(const LinearForm &form);

/// `e` as first - second, both without negative coefficients: what to emit for `e >= 0` is `first >= second`.
std::pair<Expr, Expr> splitSides(const Expr &e);

bool mentions(const Expr &e, unsigned varId);
void collectVars(const Expr &e, std::set<unsigned> &vars);
Expr substitute(const Expr &e, const std::map<unsigned, Expr> &replacements);

/// Where numbers come from. `var` is needed as soon as there is a Var, and so on; `extent(table, axis)` clips
/// LoadMin and LoadMax and may be left out where their bounds are in range; a Find needs it.
struct Env {
  std::function<int64_t(unsigned varId)> var;
  std::function<int64_t(unsigned table, const std::vector<int64_t> &indices)> load;
  std::function<int64_t(unsigned table, unsigned axis)> extent;
  std::function<bool(unsigned opaqueId)> opaque;
};

/// What the caller promises of tensors, by table. `sorted`: the elements ascend along the last axis. `range`: the least
/// and the greatest value an element may have.
struct Facts {
  std::set<unsigned> sorted;
  std::map<unsigned, std::pair<int64_t, int64_t>> range;
};

int64_t eval(const Expr &e, const Env &env);
/// The sign of the exact value (-1, 0, 1), also where the value itself would leave int64.
int evalSign(const Expr &e, const Env &env);

} // namespace attn::sets

#endif // ATTN_SETS_EXPR_H
