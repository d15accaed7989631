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

TEST(Solve, SortedSegmentsAreAnInterval) {
  Facts sorted;
  sorted.sorted = {Seg, Seg2};
  Pred same = eq(at(Seg, i), at(Seg, j));
  auto place = [&](const Expr &e) { return Expr::find(Seg, {j}, 0, e); };
  Solution s = solve(same, J, rows, 16, sorted);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  const Conjunct &c = s.conjuncts[0];
  EXPECT_EQ(c.rowInterval().lo, place(at(Seg, i)));
  EXPECT_EQ(c.rowInterval().hi, place(at(Seg, i) + 1) - 1);
  EXPECT_TRUE(c.rest().isTrue());
  Expr qMin = Expr::loadMin(Seg, {i}, 0, i0, i1), qMax = Expr::loadMax(Seg, {i}, 0, i0, i1);
  EXPECT_EQ(c.may.lo, place(qMin));
  EXPECT_EQ(c.may.hi, place(qMax + 1) - 1);
  EXPECT_EQ(c.must.lo, place(qMax));
  EXPECT_EQ(c.must.hi, place(qMin + 1) - 1);
  // Its complement is two half-lines; without the promise neither is an interval.
  EXPECT_EQ(solve(!same, J, rows, 16, sorted).conjuncts.size(), 2u);
  EXPECT_EQ(solve(same, J, rows).conjuncts[0].keyAtoms.size(), 1u);
  // Only the last axis is sorted, and only for fixed other indices.
  EXPECT_TRUE(solveAtom(le(Expr::load(Seg2, {vb(), j}), w), J, sorted));
  EXPECT_FALSE(solveAtom(le(Expr::load(Seg2, {j, vb()}), w), J, sorted));
  EXPECT_FALSE(solveAtom(le(Expr::load(Seg2, {j, j}), w), J, sorted));
  // A computed index goes on from the place.
  auto computed = solveAtom(ge(at(Seg, floorDiv(j, 4)), w), J, sorted);
  ASSERT_TRUE(computed);
  EXPECT_EQ((*computed)[0].bound, Expr::find(Seg, {j}, 0, w) * 4);
}

TEST(Solve, PromisedRanges) {
  Facts facts;
  facts.range[Bag] = {0, 7};
  Pred p = ge(at(Bag, j), num(0)), q = gt(at(Bag, j) * 2, num(14)), r = eq(at(Bag, j), at(Bag, i));
  EXPECT_TRUE(mustHold(p, tile, facts).isTrue());
  EXPECT_TRUE(mayHold(q, tile, facts).isFalse());
  EXPECT_FALSE(mustHold(p, tile).isTrue());
  // What the range does not decide is asked of the elements as ever.
  EXPECT_EQ(mayHold(r, tile, facts), mayHold(r, tile));
  Expr nested = at(Bag, at(Seg, j)), two = Expr::load(Bag, {i, j});
  for (const Expr &e : {nested, two}) {
    auto b = bound(e, tile, nullptr, facts);
    ASSERT_TRUE(b) << e.str();
    EXPECT_EQ(b->lo, num(0));
    EXPECT_EQ(b->hi, num(7));
  }
  EXPECT_FALSE(bound(two, tile));
  EXPECT_EQ(bound(at(Bag, j), tile, nullptr, facts)->lo, Expr::loadMin(Bag, {j}, 0, j0, j1));
}

TEST(Solve, Squares) {
  bool exact = false;
  auto b = bound((i - j) * (i - j), tile, &exact);
  ASSERT_TRUE(b);
  EXPECT_TRUE(exact);
  World world;
  auto ends = [&](int64_t a0, int64_t a1, int64_t c0, int64_t c1) {
    world.i0 = a0, world.i1 = a1, world.j0 = c0, world.j1 = c1;
    return std::make_pair(eval(b->lo, world.env()), eval(b->hi, world.env()));
  };
  EXPECT_EQ(ends(2, 4, 9, 11), std::make_pair(int64_t(25), int64_t(81)));
  EXPECT_EQ(ends(9, 11, 2, 4), std::make_pair(int64_t(25), int64_t(81)));
  EXPECT_EQ(ends(2, 4, 3, 10), std::make_pair(int64_t(0), int64_t(64)));
  // The values -1 and 1 alone: zero is a bound and not a value.
  bound((i * 2 - 1) * (i * 2 - 1), tile, &exact);
  EXPECT_FALSE(exact);
  bound(i * j, tile, &exact);
  EXPECT_FALSE(exact);
}

TEST(Solve, AnswerableOpaquesAreAsked) {
  unsigned id = 3 | Pred::answerable;
  Pred x = Pred::opaque(id), may = Pred::opaque(id | Pred::mayBit), must = Pred::opaque(id | Pred::mustBit);
  EXPECT_EQ(mayHold(x, tile), may);
  EXPECT_EQ(mustHold(x, tile), must);
  EXPECT_EQ(mayHold(!x, tile), !must);
  EXPECT_EQ(mustHold(!x, tile), !may);
  EXPECT_EQ(mayHold(may, tile), may);
  EXPECT_EQ(mustHold(!must, tile), !must);
  EXPECT_EQ(Pred::opaqueIndex(id | Pred::mustBit), 3u);
  Solution s = solve(x && le(j, i), J, rows);
  ASSERT_EQ(s.conjuncts.size(), 1u);
  EXPECT_TRUE(s.conjuncts[0].mayRest.isTrue());
  EXPECT_EQ(s.conjuncts[0].keyAtoms, std::vector<Pred>{x});
  EXPECT_EQ(mayHold(s.conjuncts[0], s, {j0, j1}), may);
  EXPECT_EQ(mustHold(s.conjuncts[0], s, {j0, j1}), must);
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
