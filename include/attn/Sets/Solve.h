//===- Solve.h - A predicate as intervals of one axis ---------------------===//
//
// solve(p, j, rows) asks: for which values of the axis j can the predicate hold for some row of the box, and for which
// does it hold for every row? Any variable may be the axis: forward asks for keys of a box of queries, the backward and
// column sums ask for queries of a box of keys.
//
// Tier 1, intervals. p is put in disjunctive form. An atom that can be solved for j, for one row, becomes a bound on j
// that is *exact*:
//
//     c j + f >= 0              c > 0:  j >= -floorDiv(f, c)          c < 0:  j <= floorDiv(f, -c)
//     floorDiv(g, d) >= e       g >= d e
//     floorDiv(g, d) <= e       g <= d e + d - 1
//     e == 0                    e >= 0 and -e >= 0
//     t[..., g] >= e            g >= Find(t, e)                       where t is sorted along its last axis
//     t[..., g] <= e            g <= Find(t, e + 1) - 1
//
// where f and e are free of j: they may hold anything else, tensor elements too (j < ends[b, i]). With L the largest
// lower bound and U the smallest upper bound, both functions of the row, a box of rows gives
//
//     may  = [ min over rows of L,  max over rows of U ]     no row of the box holds outside it
//     must = [ max over rows of L,  min over rows of U ]     every row of the box holds inside it
//
// (each up to the rest below). The extremes over the rows are symbolic, by bound(): monotone functions take their end
// points, others go by interval arithmetic, tensor elements become LoadMin/LoadMax. Rows that an atom without j rules
// out (i < length) do not count for `may`.
//
// Facts promise what no algebra can see: tensors that are sorted, and ranges of their elements. A promise that is not
// kept makes the answers wrong, so whoever passes facts on has them checked.
//
// Tier 2, conditions. What is left, atoms that cannot be solved for j (moduli, tensor elements over j, opaque), is the
// *rest*. mayHold and mustHold turn a predicate and a box of *all* boxed indices, the axis too, into a predicate over
// end points alone:
//
//     mayHold(p, box) false   =>  p holds nowhere in the box        (skip the tile)
//     mustHold(p, box) true   =>  p holds everywhere in the box     (the tile needs no mask)
//
// Both are one-sided: an Opaque may hold and need not. Boxes are never empty here; an empty one is the caller's case.
//
// An answerable Opaque becomes a question about the box, put to whoever evaluates the result:
//
//     mayHold(q)  = Opaque(id | mayBit)            mayHold(not q)  = not Opaque(id | mustBit)
//     mustHold(q) = Opaque(id | mustBit)           mustHold(not q) = not Opaque(id | mayBit)
//
// The box is not written down in it: it is the one that mayHold or mustHold was given, that is the rows of the solution
// and the piece of the axis. An answer for a larger box is sound too. The intervals and the conditions of a conjunct on
// its rows hold no questions, for an opaque part may depend on the axis.
//
// Worked example, same_segment and causal, rows i0..i1, keys k0..k1 of one step of the loop:
//
//   p = eq(load(seg, {b, i}), load(seg, {b, j})) && le(j, i)
//   solve(p, J, rows).conjuncts[0]:  may = [-inf, i1]  must = [-inf, i0]  keyAtoms = [seg[b, j] - seg[b, i] == 0]
//   mayHold(keyAtoms, rows + {J: [k0, k1]}):
//      max(seg[b, k0..k1]) >= min(seg[b, i0..i1])  and  max(seg[b, i0..i1]) >= min(seg[b, k0..k1])
//   mustHold: the four extremes are equal
//
// How a kernel uses it: ranges of `may` (for conjuncts whose mayRest holds) sorted and merged are the key loop; a tile
// is skipped where no conjunct that overlaps it has mayHold of its keyAtoms; it is full where the union of the `must`
// ranges of the conjuncts with mustRest, and mustHold of their keyAtoms on that piece, covers it; otherwise the mask of
// a lane is the or over conjuncts of "j in rowInterval, and the rest atoms hold". Count.h does this with numbers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SETS_SOLVE_H
#define ATTN_SETS_SOLVE_H

#include "attn/Sets/Pred.h"

namespace attn::sets {

/// What stands for an absent bound: beyond every index, and safe to compare, never to add to.
constexpr int64_t negInf = -(int64_t(1) << 62);
constexpr int64_t posInf = int64_t(1) << 62;

/// lo..hi inclusive; empty where lo > hi.
struct Interval {
  Expr lo, hi;

  static Interval point(const Expr &e) { return {e, e}; }
  static Interval all() { return {Expr::constant(negInf), Expr::constant(posInf)}; }
  static Interval none() { return {Expr::constant(posInf), Expr::constant(negInf)}; }
  bool hasLo() const { return !lo.isConst(negInf); }
  bool hasHi() const { return !hi.isConst(posInf); }
  std::string str() const { return "[" + lo.str() + ", " + hi.str() + "]"; }
};

/// The boxed variables and their ranges. End points must not mention boxed variables. Not empty when it is used.
using Box = std::map<unsigned, Interval>;

/// The range of `e` over the box, free of boxed variables; none where the algebra has no bound (tensor elements at two
/// varying indices). `exact`: both ends are attained. The elements of a tensor of known range are within it; it is the
/// bound itself for nested elements such as t[u[i]], and where there is no other.
std::optional<Interval> bound(const Expr &e, const Box &box, bool *exact = nullptr, const Facts &facts = {});

Pred mayHold(const Pred &p, const Box &box, const Facts &facts = {});
Pred mustHold(const Pred &p, const Box &box, const Facts &facts = {});

/// One bound on the axis, exact for one row: axis >= bound or axis <= bound.
struct AxisBound {
  Expr bound;
  bool isLower;
};

/// The atom as a conjunction of bounds on the axis; none where it cannot be solved for it or does not mention it.
std::optional<std::vector<AxisBound>> solveAtom(const Pred &atom, unsigned axisVar, const Facts &facts = {});

struct Conjunct {
  /// Axis values that some row may see, and that every row sees, as far as the solved atoms go. Free of row variables.
  Interval may, must;
  /// Conditions over the box of rows alone. mayRest false: no row holds anywhere, skip the conjunct. mustRest false: no
  /// axis value is known to hold for every row (`must` is not to be used).
  Pred mayRest, mustRest;
  /// The solved atoms as bounds for one row: functions of the row variables.
  std::vector<AxisBound> bounds;
  /// The atoms that `bounds` came from.
  std::vector<Pred> boundAtoms;
  /// Unsolved parts that do not mention the axis, and those that do (or may: opaque). Usually atoms; an `or` that no
  /// distribution would make more precise stays whole.
  std::vector<Pred> rowAtoms, keyAtoms;

  /// The exact [lo, hi] of one row by the solved atoms; row variables are free in it.
  Interval rowInterval() const;
  /// rowAtoms and keyAtoms: what remains to be tested per lane inside rowInterval().
  Pred rest() const;
  std::string str() const;
};

struct Solution {
  std::vector<Conjunct> conjuncts;
  unsigned axis = 0;
  Box rows;
  Facts facts;
  std::string str() const;
};

/// Never fails: what does not fit the disjunctive form (more than `limit` conjuncts) is left whole in keyAtoms. No
/// conjunct at all: nothing holds for any row of the box. A conjunct that no row of the box can satisfy is left out, so
/// a solution, its lane masks too, speaks for the rows of its box alone.
Solution solve(const Pred &p, unsigned axisVar, const Box &rows, unsigned limit = 16, const Facts &facts = {});

/// Tile tests of one conjunct: `keys` is the piece of the axis (inside `may` or `must`, respectively).
Pred mayHold(const Conjunct &c, const Solution &s, const Interval &keys);
Pred mustHold(const Conjunct &c, const Solution &s, const Interval &keys);

} // namespace attn::sets

#endif // ATTN_SETS_SOLVE_H
