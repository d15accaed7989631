//===- ExprTest.cpp - Canonical forms and values of expressions -----------===//

#include "World.h"

#include <gtest/gtest.h>
#include <limits>

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

const Expr i = vi(), j = vj(), w = vw();

TEST(Expr, EqualWritingsAreOneValue) {
  const std::pair<Expr, Expr> pairs[] = {
      {i + j, j + i},
      {i - j, -(j - i)},
      {i + 0, i},
      {i * 1, i},
      {i * 0, num(0)},
      {i - i, num(0)},
      {(i + j) * 3 - i, j * 3 + i * 2},
      {(i + 1) + (j - 1), i + j},
      {floorDiv(i * 4 + j + 9, 4), i + floorDiv(j + 1, 4) + 2},
      {floorDiv(i * 2 + 1, 4), floorDiv(i, 2)},
      {floorDiv(floorDiv(i, 2), 3), floorDiv(i, 6)},
      {floorDiv(floorDiv(i, 2) + 1, 3), floorDiv(i + 2, 6)},
      {floorDiv(mod(i, 4), 4), num(0)},
      {floorDiv(i, 1), i},
      {mod(i, 1), num(0)},
      {mod(i + j * 8, 4), mod(i, 4)},
      {mod(i + 5, 4), mod(i + 1, 4)},
      {mod(i - j, 2), mod(j - i, 2)},
      {mod(mod(i, 8), 4), mod(i, 4)},
      {mod(mod(i, 4), 8), mod(i, 4)},
      {mod(i * 2 + 5, 4), mod(i, 2) * 2 + 1},
      {i - floorDiv(i, 4) * 4, mod(i, 4)},
      {i - mod(i, 4), floorDiv(i, 4) * 4},
      {i * 2 - floorDiv(i, 4) * 8 + j, mod(i, 4) * 2 + j},
      {i * j, j * i},
      {(i * j) * w, i * (w * j)},
      {i * (j * 3), (j * i) * 3},
      {-(i * j), (-i) * j},
      {(i - j) * (i - j), (j - i) * (j - i)},
      {(i * 2 - j * 2) * (j - i), (i - j) * (i - j) * -2},
      {(i * 4 + 2) * (j * 3), (i * 2 + 1) * j * 6},
      {i * num(3), i * 3},
      {num(0) * i, num(0)},
      {i * j - j * i, num(0)},
      {floorDiv((i * j) * 4 + 3, 4), i * j},
      {min(i, min(j, i)), min(j, i)},
      {min(i, i + 3), i},
      {min(i + 1, i), i},
      {max(i, i + 1), i + 1},
      {min(j, min(i + 1, i)), min(i, j)},
      {max(i, i + 3), i + 3},
      {max(num(2), max(i, num(5))), max(i, num(5))},
      {Expr::select(num(-1), i, j), j},
      {Expr::select(i, j, j), j},
      {at(Seg, i + 1 - 1), at(Seg, i)},
      {Expr::loadMin(Seg, {j}, 0, i, i), at(Seg, i)},
      {Expr::loadMax(Seg2, {num(1), i}, 1, num(0), w), Expr::loadMax(Seg2, {num(1), j}, 1, num(0), w)},
  };
  for (const auto &p : pairs) {
    EXPECT_EQ(p.first, p.second) << p.first.str() << " and " << p.second.str();
    EXPECT_EQ(p.first.hash(), p.second.hash());
  }
}

TEST(Expr, DifferentOnesDiffer) {
  EXPECT_NE(i, j);
  EXPECT_NE(i, i + 1);
  EXPECT_NE(floorDiv(i, 2), floorDiv(i, 3));
  EXPECT_NE(at(Seg, i), at(Bag, i));
  EXPECT_NE(i * j, i * i);
  EXPECT_NE(i * i, i * i * i);
  EXPECT_NE(Expr::find(Seg, {i}, 0, j), Expr::find(Seg, {i}, 0, j + 1));
  EXPECT_NE(Expr::find(Seg2, {i, i}, 0, j), Expr::find(Seg2, {i, i}, 1, j));
  EXPECT_NE(Expr::loadMin(Seg, {i}, 0, i, j), Expr::loadMax(Seg, {i}, 0, i, j));
  EXPECT_NE(Expr::loadMin(Seg2, {i, i}, 0, i, j), Expr::loadMin(Seg2, {i, i}, 1, i, j));
}

TEST(Expr, OrderIsTotal) {
  std::vector<Expr> all = {num(0),
                           num(-3),
                           i,
                           j,
                           i + j,
                           i * 2,
                           floorDiv(i, 3),
                           mod(j, 3),
                           min(i, j),
                           at(Seg, i),
                           i * j,
                           i * i,
                           Expr::find(Seg, {i}, 0, j)};
  for (const Expr &a : all)
    for (const Expr &b : all) {
      EXPECT_EQ(a.compare(b), -b.compare(a));
      for (const Expr &c : all)
        if (a < b && b < c) {
          EXPECT_LT(a, c);
        }
    }
}

TEST(Expr, Shape) {
  Expr e = i * 2 - j + 7;
  ASSERT_TRUE(e.is(ExprKind::Add));
  EXPECT_EQ(e.value(), 7);
  ASSERT_EQ(e.operands().size(), 2u);
  EXPECT_EQ(e.operand(0), i * 2);
  EXPECT_TRUE(e.operand(1).is(ExprKind::MulConst));
  EXPECT_EQ(e.str(), "2*v0 - v1 + 7");
  EXPECT_EQ(splitSides(e).first, i * 2 + 7);
  EXPECT_EQ(splitSides(e).second, j);
  Expr m = Expr::loadMin(Seg2, {vb(), i}, 1, i, j);
  EXPECT_EQ(m.axis(), 1u);
  EXPECT_EQ(m.lo(), i);
  EXPECT_EQ(m.hi(), j);
  EXPECT_EQ(m.indices()[0], vb());
  EXPECT_EQ(m.str(), "min t3[v2, v0..v1]");
  Expr square = (i - j) * (j - i);
  ASSERT_TRUE(square.is(ExprKind::MulConst));
  ASSERT_TRUE(square.operand(0).is(ExprKind::Mul));
  EXPECT_EQ(square.str(), "-1*(v0 - v1)*(v0 - v1)");
  EXPECT_EQ(splitSides(square + w).first, w);
  EXPECT_EQ(splitSides(square + w).second, (i - j) * (i - j));
  ASSERT_EQ(linearForm(square).terms.size(), 1u);
  Expr place = Expr::find(Seg2, {vb(), i}, 1, j + 1);
  EXPECT_EQ(place.axis(), 1u);
  EXPECT_EQ(place.table(), Seg2);
  EXPECT_EQ(place.sought(), j + 1);
  EXPECT_EQ(place.indices().size(), 2u);
  EXPECT_EQ(place.str(), "find t3[v2, >= v1 + 1]");
}

TEST(Expr, Substitute) {
  Expr e = floorDiv(i * 3 + j, 4) + at(Seg, i);
  EXPECT_EQ(substitute(e, {{I, num(4)}}), floorDiv(j, 4) + 3 + at(Seg, num(4)));
  EXPECT_EQ(substitute(e, {{W, num(4)}}).identity(), e.identity());
  EXPECT_EQ(substitute((i - j) * (i - j) * w, {{I, j + 3}}), w * 9);
  EXPECT_EQ(substitute(Expr::find(Seg2, {vb(), i}, 1, j), {{B, num(1)}, {J, w}}), Expr::find(Seg2, {num(1), i}, 1, w));
}

TEST(Expr, ValuesFloor) {
  World world;
  Env env = world.env();
  for (int64_t x = -9; x <= 9; ++x)
    for (int64_t c = 1; c <= 4; ++c) {
      world.i = x;
      EXPECT_EQ(eval(floorDiv(i, c), env), floorDivide(x, c));
      EXPECT_EQ(eval(mod(i, c), env), x - c * floorDivide(x, c));
      EXPECT_EQ(eval(floorDiv(num(x), c), env), floorDivide(x, c));
      EXPECT_EQ(eval(mod(num(x), c), env), x - c * floorDivide(x, c));
    }
}

TEST(Expr, NumbersSaturate) {
  constexpr int64_t big = std::numeric_limits<int64_t>::max();
  EXPECT_EQ((num(big) + 1).value(), big);
  EXPECT_EQ((num(big) * -4).value(), std::numeric_limits<int64_t>::min());
  World world;
  world.i = big;
  world.j = -big;
  EXPECT_EQ(eval(i - j, world.env()), big);
  // The sign is that of the exact value.
  EXPECT_EQ(evalSign(i + j, world.env()), 0);
  EXPECT_EQ(evalSign((i - j) * 3, world.env()), 1);
  EXPECT_EQ(evalSign((j - i) * big, world.env()), -1);
  // Products too, of three numbers of 63 bits.
  EXPECT_EQ(eval(i * j, world.env()), -big - 1);
  EXPECT_EQ(eval(i * i, world.env()), big);
  EXPECT_EQ(evalSign(i * i + i * j, world.env()), 0);
  EXPECT_EQ(evalSign(i * i * j, world.env()), -1);
  EXPECT_EQ(evalSign(j * j * j * j, world.env()), 1);
}

TEST(Expr, ExtremesOfATableClip) {
  World world;
  world.tables[Seg] = {4, 2, 9, 5};
  Env env = world.env();
  EXPECT_EQ(eval(Expr::loadMin(Seg, {i}, 0, num(-5), num(50)), env), 2);
  EXPECT_EQ(eval(Expr::loadMax(Seg, {i}, 0, num(0), num(1)), env), 4);
  EXPECT_EQ(eval(Expr::loadMin(Seg, {i}, 0, num(7), num(9)), env), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(eval(Expr::loadMax(Seg, {i}, 0, num(2), num(1)), env), std::numeric_limits<int64_t>::min());
}

TEST(Expr, PlacesInASortedTable) {
  World world;
  world.tables[Seg] = {1, 1, 4, 4, 9};
  Env env = world.env();
  const std::pair<int64_t, int64_t> places[] = {{-5, 0}, {1, 0}, {2, 2}, {4, 2}, {5, 4}, {9, 4}, {10, 5}};
  for (const auto &p : places)
    EXPECT_EQ(eval(Expr::find(Seg, {i}, 0, num(p.first)), env), p.second) << p.first;
  // One above the greatest number is above every element.
  constexpr int64_t big = std::numeric_limits<int64_t>::max();
  world.tables[Seg] = {1, big};
  world.i = big;
  EXPECT_EQ(eval(Expr::find(Seg, {j}, 0, i), env), 1);
  EXPECT_EQ(eval(Expr::find(Seg, {j}, 0, i + 1), env), 2);
}

} // namespace
