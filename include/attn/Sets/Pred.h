//===- Pred.h - Predicates over symbolic integers -------------------------===//
//
// A Pred is a set of index tuples, written as a condition. Negation is not a node: it is pushed to the atoms when it is
// written, because every atom's complement is an atom again over the integers (not e >= 0 is -e - 1 >= 0). What stays
// is and/or over
//
//   Ge0(e)           e >= 0, divided by the common factor of its coefficients: 2 i - 2 j - 1 >= 0 is i - j - 1 >= 0
//   Eq0(e), Ne0(e)   likewise; the first coefficient is positive, so i == j and j == i are one atom
//   Opaque(id, neg)  a condition the algebra cannot see into (a captured mask, a float comparison). It may depend on
//                    every index. `negated` complements its truth value, NaNs and all.
//
// An Opaque is answerable if its id has the bit Pred::answerable: whoever emits the code can tell, for a box of all
// indices, whether the condition may hold somewhere in it and whether it must hold everywhere. mayHold and mustHold ask
// that by Opaque(id | mayBit) and Opaque(id | mustBit), see Solve.h. Everywhere else it is an Opaque like any other.
//
// The constructors flatten, sort, drop repeats and find an atom beside its complement. normalize() goes further: atoms
// with the same linear part are merged into one interval of that part (i - j >= 0 and i - j >= 3; e >= 0 and -e >= 0
// is e == 0; e >= 0 or e <= 0 is True), what another child implies is absorbed, disjuncts that a sibling refutes are
// dropped. It keeps the and/or nesting: it does not look for equalities that only distribution shows.
//
// Laws: normalize(p) has the same truth value as p everywhere; normalize(normalize(p)) == normalize(p);
// normalize(!!p) == normalize(p); commuted, re-associated and De-Morganed writings become structurally equal.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SETS_PRED_H
#define ATTN_SETS_PRED_H

#include "attn/Sets/Expr.h"

#include <optional>

namespace attn::sets {

enum class PredKind { True, False, Ge0, Eq0, Ne0, Opaque, And, Or };

/// A handle on an immutable predicate. The default value is True.
class Pred {
public:
  struct Node;

  Pred();

  /// Bits of an opaque id: it can be asked about boxes, and it is such a question.
  static constexpr unsigned answerable = 1u << 30, mayBit = 1u << 29, mustBit = 1u << 28;
  /// The id without its bits.
  static unsigned opaqueIndex(unsigned id) { return id & (mustBit - 1); }

  static Pred always();
  static Pred never();
  static Pred ge0(const Expr &e);
  static Pred eq0(const Expr &e);
  static Pred ne0(const Expr &e);
  static Pred opaque(unsigned id, bool negated = false);
  static Pred all(std::vector<Pred> operands);
  static Pred any(std::vector<Pred> operands);

  PredKind kind() const;
  bool is(PredKind k) const { return kind() == k; }
  bool isTrue() const { return is(PredKind::True); }
  bool isFalse() const { return is(PredKind::False); }
  /// Ge0, Eq0, Ne0 or Opaque.
  bool isAtom() const;
  /// Ge0, Eq0, Ne0: the expression compared with zero.
  const Expr &expr() const;
  unsigned opaqueId() const;
  bool negated() const;
  /// And, Or: two or more, sorted.
  const std::vector<Pred> &operands() const;

  int compare(const Pred &other) const;
  size_t hash() const;
  const void *identity() const { return node.get(); }
  std::string str() const;

  friend bool operator==(const Pred &a, const Pred &b) { return a.hash() == b.hash() && a.compare(b) == 0; }
  friend bool operator!=(const Pred &a, const Pred &b) { return !(a == b); }
  friend bool operator<(const Pred &a, const Pred &b) { return a.compare(b) < 0; }

private:
  explicit Pred(std::shared_ptr<const Node> node) : node(std::move(node)) {}
  static Pred make(PredKind kind, Expr e, unsigned id, bool negated, std::vector<Pred> operands);
  static Pred combine(PredKind kind, std::vector<Pred> operands);
  friend struct PredAccess;

  std::shared_ptr<const Node> node;
};

struct PredHash {
  size_t operator()(const Pred &p) const { return p.hash(); }
};

Pred operator&&(const Pred &a, const Pred &b);
Pred operator||(const Pred &a, const Pred &b);
Pred operator!(const Pred &p);
/// The set difference, `a and not b`.
Pred minus(const Pred &a, const Pred &b);

Pred le(const Expr &a, const Expr &b);
Pred lt(const Expr &a, const Expr &b);
Pred ge(const Expr &a, const Expr &b);
Pred gt(const Expr &a, const Expr &b);
Pred eq(const Expr &a, const Expr &b);
Pred ne(const Expr &a, const Expr &b);

Pred normalize(const Pred &p);

/// Sound and incomplete: true means that wherever p holds, q holds.
bool implies(const Pred &p, const Pred &q);

/// The disjunctive form: an outer or of inner ands, every inner element an atom; none where it would take more than
/// `limit` conjuncts. Contradictory conjuncts and those that another one covers are left out; `False` is the empty list
/// and `True` a list with one empty conjunct. With an `axis`, Ne0 and min, max, select that mention it are split into
/// Ge0 atoms (two half-lines), unless only that goes over the limit.
std::optional<std::vector<std::vector<Pred>>> toDNF(const Pred &p, unsigned limit = 16,
                                                    std::optional<unsigned> axis = std::nullopt);

/// Rewrites the atoms of `p` that mention `axis` under a min, max or select, or in a Ne0, as Ge0 atoms without them.
/// An atom that would grow beyond eight pieces stays as it is.
Pred splitAtoms(const Pred &p, unsigned axis, const Facts &facts = {});

bool mentions(const Pred &p, unsigned varId);
/// Does an Opaque occur in it?
bool hasOpaque(const Pred &p);
void collectVars(const Pred &p, std::set<unsigned> &vars);
/// `p` with f of the expression of each atom in its place.
Pred rewrite(const Pred &p, const std::function<Expr(const Expr &)> &f);
Pred substitute(const Pred &p, const std::map<unsigned, Expr> &replacements);
bool eval(const Pred &p, const Env &env);

} // namespace attn::sets

#endif // ATTN_SETS_PRED_H
