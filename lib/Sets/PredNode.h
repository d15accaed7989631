//===- PredNode.h - The node behind Pred, private to the library ------------===//

#ifndef ATTN_LIB_SETS_PREDNODE_H
#define ATTN_LIB_SETS_PREDNODE_H

#include "attn/Sets/Pred.h"

#include "ExprNode.h"

namespace attn::sets {

/// An arithmetic atom as a set of values of a part that atoms share: part in [lo, hi], or part != lo (hole).
struct AtomRange {
  static constexpr int64_t least = std::numeric_limits<int64_t>::min(), greatest = std::numeric_limits<int64_t>::max();
  Expr part;
  int64_t lo = least, hi = greatest;
  bool hole = false;
};

struct Pred::Node {
  PredKind kind;
  Expr e;
  unsigned id;
  bool negated;
  std::vector<Pred> operands;
  size_t hash;
  /// Of Ge0, Eq0, Ne0. Kept, because implication asks for it for every pair of atoms.
  std::optional<AtomRange> range;
  /// The atom that this one was written as the complement of: normal forms negate, work, and negate back.
  std::optional<Pred> complement;
  /// What normalize() returned.
  bool isNormal;
};

struct PredAccess {
  static const std::optional<AtomRange> &range(const Pred &p) { return p.node->range; }
  static const std::optional<Pred> &complement(const Pred &p) { return p.node->complement; }
  static bool isNormal(const Pred &p) { return p.node->isNormal; }
  static Pred asNormal(const Pred &p) {
    if (p.node->isNormal || p.operands().empty())
      return p;
    Pred::Node node = *p.node;
    node.isNormal = true;
    return Pred(std::make_shared<const Pred::Node>(std::move(node)));
  }
  static Pred withComplement(const Pred &p, const Pred &complement) {
    Pred::Node node = *p.node;
    node.complement = complement;
    return Pred(std::make_shared<const Pred::Node>(std::move(node)));
  }
};

} // namespace attn::sets

#endif // ATTN_LIB_SETS_PREDNODE_H
