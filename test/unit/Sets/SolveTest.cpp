//===- SolveTest.cpp - What the named sets look like, solved --------------===//

#include "World.h"

#include <gtest/gtest.h>

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

const Expr i = vi(), j = vj(), w = vw(), i0 = Expr::var(I0), i1 = Expr::var(I1), j0 = Expr::var(J0), j1 = Expr::var(J1);
const Box rows = {{I, {i0, i1}}};
const Box tile = {{I, {i0, i1}}, {J, {j0, j1}}};

TEST(Solve, CausalWindow) {
  Solution s = solve(le(j, i) && ge(j, i - w), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  const Conjunct &c = s.conjuncts[0];
  EXPECT_EQ(c.may.lo, i0 - w);
  EXPECT_EQ(c.may.hi, i1);
  EXPECT_EQ(c.must.lo, i1 - w);
  EXPECT_EQ(c.must.hi, i0);
  // A negative window sees nothing, which the hull alone does not show.
  EXPECT_EQ(c.mayRest, ge(w, num(0)));
  EXPECT_TRUE(c.mustRest.isTrue());
  EXPECT_EQ(c.rowInterval().lo, i - w);
  EXPECT_EQ(c.rowInterval().hi, i);
  EXPECT_TRUE(c.rest().isTrue());
}

TEST(Solve, AnyAxis) {
  // Which queries see keys j0..j1?
  Solution s = solve(le(j, i) && ge(j, i - w), I, {{J, {j0, j1}}});
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_EQ(s.conjuncts[0].may.lo, j0);
  EXPECT_EQ(s.conjuncts[0].may.hi, j1 + w);
  EXPECT_EQ(s.conjuncts[0].must.lo, j1);
  EXPECT_EQ(s.conjuncts[0].must.hi, j0 + w);
}

TEST(Solve, LengthsAndPrefixesAreLoadsFreeOfTheBox) {
  Expr ql = at(Lens, vb()), kl = Expr::load(Lens, {vb() + 1});
  Solution s = solve(lt(i, ql) && lt(j, kl), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  const Conjunct &c = s.conjuncts[0];
  EXPECT_EQ(c.may.hi, kl - 1);
  EXPECT_EQ(c.must.hi, kl - 1);
  EXPECT_FALSE(c.may.hasLo());
  EXPECT_EQ(c.mayRest, lt(i0, ql));
  EXPECT_EQ(c.mustRest, lt(i1, ql));
  EXPECT_EQ(c.rowAtoms.size(), 1u);
}

TEST(Solve, RowsRuledOutDoNotCount) {
  Expr ql = at(Lens, vb());
  Solution s = solve(lt(i, ql) && le(j, i), J, rows);
  EXPECT_EQ(s.conjuncts[0].may.hi, max(i0, min(i1, ql - 1)));
  EXPECT_EQ(s.conjuncts[0].must.hi, i0);
}

TEST(Solve, BlockCausalInvertsDivision) {
  Solution s = solve(le(floorDiv(j, 4), floorDiv(i, 4)), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_EQ(s.conjuncts[0].may.hi, floorDiv(i1, 4) * 4 + 3);
  EXPECT_EQ(s.conjuncts[0].must.hi, floorDiv(i0, 4) * 4 + 3);
  Solution e = solve(eq(floorDiv(j, 4), floorDiv(i, 4)), J, rows);
  EXPECT_EQ(e.conjuncts[0].may.lo, floorDiv(i0, 4) * 4);
  EXPECT_EQ(e.conjuncts[0].may.hi, floorDiv(i1, 4) * 4 + 3);
}

TEST(Solve, CoefficientsAndExtremes) {
  Solution s = solve(ge(i, j * 3) && le(j, min(i, w)), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_EQ(s.conjuncts[0].rowInterval().hi, minOf({floorDiv(i, 3), i, w}));
  EXPECT_EQ(s.conjuncts[0].may.hi, minOf({floorDiv(i1, 3), i1, w}));
  Solution t = solve(le(max(j, w), i), J, rows);
  ASSERT_EQ(t.conjuncts.size(), 1u);
  EXPECT_EQ(t.conjuncts[0].may.hi, i1);
  EXPECT_EQ(t.conjuncts[0].mayRest, le(w, i1));
}

TEST(Solve, RowEndsOverABoxAreExtremesOfTheTable) {
  Solution s = solve(lt(j, at(Ends, i)), J, rows);
  EXPECT_EQ(s.conjuncts[0].may.hi, Expr::loadMax(Ends, {i}, 0, i0, i1) - 1);
  EXPECT_EQ(s.conjuncts[0].must.hi, Expr::loadMin(Ends, {i}, 0, i0, i1) - 1);
}

TEST(Solve, NotSelfIsTwoHalfLines) {
  Solution s = solve(ne(i, j), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 2u);
  World world;
  world.i0 = 4;
  world.i1 = 9;
  EXPECT_EQ(ranges(s, world.env(), 0, 19), (Ranges{{0, 19}}));
  EXPECT_EQ(fullRanges(s, world.env(), 0, 19), (Ranges{{0, 3}, {10, 19}}));
}

TEST(Solve, EmptyAndFull) {
  EXPECT_TRUE(solve(Pred::never(), J, rows).conjuncts.empty());
  EXPECT_TRUE(solve(le(j, i) && gt(j, i), J, rows).conjuncts.empty());
  EXPECT_TRUE(solve(le(j, i) && gt(j, i + 2), J, rows).conjuncts.empty());
  Solution s = solve(Pred::always(), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_FALSE(s.conjuncts[0].must.hasLo());
  EXPECT_FALSE(s.conjuncts[0].must.hasHi());
  EXPECT_TRUE(s.conjuncts[0].mustRest.isTrue());
}

TEST(Solve, SameSegment) {
  Pred same = eq(at(Seg, i), at(Seg, j));
  Expr qMin = Expr::loadMin(Seg, {i}, 0, i0, i1), qMax = Expr::loadMax(Seg, {i}, 0, i0, i1);
  Expr kMin = Expr::loadMin(Seg, {j}, 0, j0, j1), kMax = Expr::loadMax(Seg, {j}, 0, j0, j1);
  EXPECT_EQ(mayHold(same, tile), normalize(le(kMin, qMax) && le(qMin, kMax)));
  // All four equal: the crossed inequalities say it, as min <= max.
  EXPECT_EQ(mustHold(same, tile), normalize(ge(qMin, kMax) && ge(kMin, qMax)));
  EXPECT_EQ(mayHold(!same, tile), !mustHold(same, tile));
  Solution s = solve(same && le(j, i), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_EQ(s.conjuncts[0].may.hi, i1);
  ASSERT_EQ(s.conjuncts[0].keyAtoms.size(), 1u);
  EXPECT_EQ(mayHold(s.conjuncts[0], s, {j0, j1}), mayHold(same, tile));
}

TEST(Solve, OpaqueMayAndNeedNot) {
  Pred x = Pred::opaque(3);
  EXPECT_TRUE(mayHold(x, tile).isTrue());
  EXPECT_TRUE(mustHold(x, tile).isFalse());
  EXPECT_TRUE(mayHold(!x, tile).isTrue());
  EXPECT_TRUE(mustHold(!x, tile).isFalse());
  Solution s = solve(x && le(j, i), J, rows);
  EXPECT_EQ(s.conjuncts[0].may.hi, i1);
  EXPECT_EQ(s.conjuncts[0].keyAtoms.size(), 1u);
}

TEST(Solve, OrsWithoutTheAxisStayWhole) {
  Pred either = eq(mod(j, 4), num(0)) || Pred::opaque(1);
  Solution s = solve(le(j, i) && either, J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_EQ(s.conjuncts[0].keyAtoms.size(), 1u);
}

TEST(Solve, OverTheLimitItIsARest) {
  std::vector<Pred> factors = {le(j, i)};
  for (int n = 0; n < 6; ++n)
    factors.push_back(lt(j, Expr::var(20 + n)) || gt(j, Expr::var(40 + n)));
  Solution s = solve(Pred::all(factors), J, rows, 16);
  EXPECT_LE(s.conjuncts.size(), 16u);
  for (const Conjunct &c : s.conjuncts) {
    EXPECT_TRUE(c.may.hasHi());
    EXPECT_FALSE(c.keyAtoms.empty());
  }
}

TEST(Count, RangesMerge) {
  EXPECT_EQ(mergeRanges({{5, 7}, {1, 2}, {9, 8}, {3, 4}, {6, 12}}), (Ranges{{1, 12}}));
  EXPECT_EQ(mergeRanges({{5, 7}, {1, 2}}), (Ranges{{1, 2}, {5, 7}}));
  EXPECT_TRUE(mergeRanges({}).empty());
}

TEST(Count, TilesOfACausalSquare) {
  World world;
  // 4 x 4 tiles of 4 x 4: six above the diagonal, four on it, six below.
  TileCount n = countTiles(le(j, i), I, J, world.env(), 16, 16, 4, 4);
  EXPECT_EQ(n.skipped, 6);
  EXPECT_EQ(n.partial, 4);
  EXPECT_EQ(n.full, 6);
}

} // namespace
