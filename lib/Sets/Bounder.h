//===- Bounder.h - Interval arithmetic over a box, private to the library ---===//

#ifndef ATTN_LIB_SETS_BOUNDER_H
#define ATTN_LIB_SETS_BOUNDER_H

#include "attn/Sets/Solve.h"

namespace attn::sets {

/// The range of an expression over a box. `exact` is cleared where an end may not be attained.
struct Bounder {
  const Box &box;
  const Facts &facts;
  /// Take an element's range from the facts where they have one, never from the tensor: what is decided by that is
  /// decided when the kernel is compiled.
  bool rangesOnly = false;

  std::optional<Interval> into(const Expr &e, bool &exact) const;

private:
  std::optional<Interval> monotone(const Expr &e, const std::set<unsigned> &vars) const;
  std::optional<Interval> sum(const Expr &e, bool &exact) const;
  std::optional<Interval> modulus(const Expr &e, bool &exact) const;
  std::optional<Interval> product(const Expr &e, bool &exact) const;
  std::optional<Interval> select(const Expr &e, bool &exact) const;
  std::optional<Interval> load(const Expr &e, bool &exact) const;
  std::optional<Interval> find(const Expr &e, bool &exact) const;
};

/// Does mayHold of `p` look at the box in pieces, on which `atom` would be another one?
bool isSharperInPieces(const Pred &atom, const Pred &p, const Box &box);

} // namespace attn::sets

#endif // ATTN_LIB_SETS_BOUNDER_H
