//===- PredTest.cpp - Normal and disjunctive forms ------------------------===//

#include "World.h"

#include <gtest/gtest.h>

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

const Expr i = vi(), j = vj(), w = vw();
const Pred A = le(j, i), C = ge(j, i - w), P = lt(j, num(7)), S = eq(at(Seg, i), at(Seg, j)), X = Pred::opaque(1);

TEST(Pred, EqualSetsAreOneValue) {
  const std::pair<Pred, Pred> pairs[] = {
      // commuted, re-associated, doubly negated, De Morgan
      {A && P, P && A},
      {(A || P) || S, S || (P || A)},
      {!!A, A},
      {!!(A && (S || X)), A && (S || X)},
      {!(A && P), !A || !P},
      {!(A || P), !A && !P},
      {minus(A, P), A && !P},
      {minus(A, A && P), minus(A, P)},
      {!minus(A, P), !A || P},
      // atoms written differently
      {le(j, i), ge(i, j)},
      {le(j, i), lt(j, i + 1)},
      {le(j, i), !gt(j, i)},
      {eq(i, j), eq(j, i)},
      {ne(i, j), !eq(j, i)},
      {ge(i * 2, j * 2 + 1), gt(i, j)},
      {eq(i * 4, j * 2), eq(j, i * 2)},
      {eq(i * 2, j * 2 + 1), Pred::never()},
      {ge(floorDiv(i, 4), num(2)), ge(i, num(8))},
      {eq(floorDiv(i, 4), num(2)), ge(i, num(8)) && le(i, num(11))},
      {ne(mod(i, 2), num(0)), eq(mod(i, 2), num(1))},
      {ge(mod(i, 4), num(0)), Pred::always()},
      {eq(mod(i, 4), num(4)), Pred::never()},
      {eq(i - floorDiv(i, 4) * 4, num(0)), eq(mod(i, 4), num(0))},
      // units, repeats, complements
      {A && Pred::always(), A},
      {A || Pred::never(), A},
      {A && A, A},
      {A && !A, Pred::never()},
      {A || !A, Pred::always()},
      {X || !X, Pred::always()},
      {S && !S, Pred::never()},
      // absorption, unit resolution
      {A && (A || S), A},
      {A || (A && S), A},
      {A && (!A || S), A && S},
      {A || (!A && S), A || S},
      {(A || S) && (A || S || X), A || S},
      {ge(i, num(5)) && (ge(i, num(3)) || X), ge(i, num(5))},
      // intervals of one linear part
      {le(j, i) && le(j, i - 3), le(j, i - 3)},
      {le(j, i) || le(j, i - 3), le(j, i)},
      {le(j, i) && ge(j, i), eq(i, j)},
      {le(j, i) && gt(j, i), Pred::never()},
      {le(j, i) || ge(j, i), Pred::always()},
      {lt(j, i) || gt(j, i), ne(i, j)},
      {le(j, i) && ne(i, j), lt(j, i)},
      {lt(j, i) || eq(i, j), le(j, i)},
      {eq(j, i) && le(j, i + 2), eq(j, i)},
      {eq(i, num(1)) && eq(i, num(2)), Pred::never()},
      {eq(mod(i, 3), num(0)) || eq(mod(i, 3), num(1)) || eq(mod(i, 3), num(2)), Pred::always()},
      {minus(ge(j, i - 4) && le(j, i), ge(j, i - 2) && le(j, i)), ge(j, i - 4) && lt(j, i - 2)},
  };
  for (const auto &p : pairs) {
    Pred a = normalize(p.first), b = normalize(p.second);
    EXPECT_EQ(a, b) << p.first.str() << " and " << p.second.str() << " became " << a.str() << " and " << b.str();
    EXPECT_EQ(a.hash(), b.hash());
    EXPECT_EQ(normalize(a), a) << a.str();
  }
}

TEST(Pred, DifferentSetsDiffer) {
  EXPECT_NE(normalize(A && P), normalize(A || P));
  EXPECT_NE(normalize(le(j, i)), normalize(lt(j, i)));
  EXPECT_NE(normalize(X), normalize(Pred::opaque(2)));
  EXPECT_NE(normalize(X), normalize(!X));
}

TEST(Pred, Implies) {
  EXPECT_TRUE(implies(le(j, i - 3), le(j, i)));
  EXPECT_FALSE(implies(le(j, i), le(j, i - 3)));
  EXPECT_TRUE(implies(eq(j, i), le(j, i)));
  EXPECT_TRUE(implies(lt(j, i), ne(j, i)));
  EXPECT_TRUE(implies(A && S, A || X));
  EXPECT_FALSE(implies(A || X, A));
}

TEST(Pred, DisjunctiveForm) {
  auto d = toDNF((A || P) && (S || X));
  ASSERT_TRUE(d);
  EXPECT_EQ(d->size(), 4u);
  for (const auto &c : *d)
    for (const Pred &a : c)
      EXPECT_TRUE(a.isAtom());
  EXPECT_EQ(toDNF(Pred::never())->size(), 0u);
  ASSERT_EQ(toDNF(Pred::always())->size(), 1u);
  EXPECT_TRUE(toDNF(Pred::always())->front().empty());
  // Contradictions and covered conjuncts go.
  EXPECT_EQ(toDNF((A || S) && !A)->size(), 1u);
  EXPECT_EQ(toDNF((A && S) || (A && X) || A)->size(), 1u);
}

TEST(Pred, DisjunctiveFormHasALimit) {
  std::vector<Pred> factors;
  for (unsigned n = 0; n < 5; ++n)
    factors.push_back(Pred::opaque(2 * n) || Pred::opaque(2 * n + 1));
  EXPECT_FALSE(toDNF(Pred::all(factors), 16));
  EXPECT_EQ(toDNF(Pred::all(factors), 32)->size(), 32u);
}

TEST(Pred, NotEqualSplitsOnTheAxisWhereItFits) {
  EXPECT_EQ(toDNF(ne(i, j))->size(), 1u);
  EXPECT_EQ(toDNF(ne(i, j), 16, J)->size(), 2u);
  EXPECT_EQ(toDNF(ne(i, j), 1, J)->size(), 1u);
  // Not one that the axis does not solve.
  EXPECT_EQ(toDNF(ne(at(Seg, i), at(Seg, j)), 16, J)->size(), 1u);
  EXPECT_EQ(toDNF(le(j, max(i, w)), 16, J)->size(), 1u);
  EXPECT_EQ(toDNF(le(max(j, w), i), 16, J)->front().size(), 2u);
}

} // namespace
