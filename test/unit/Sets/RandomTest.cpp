//===- RandomTest.cpp - The algebra against brute force -------------------===//

#include "RandomPreds.h"

#include <gtest/gtest.h>

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

/// Two boxes with symbolic ends; their numbers are in the world.
const Interval rowBox{Expr::var(I0), Expr::var(I1)}, keyBox{Expr::var(J0), Expr::var(J1)};

bool isFreeOfIndices(const Expr &e) { return !mentions(e, I) && !mentions(e, J); }
bool isFreeOfIndices(const Pred &p) { return !mentions(p, I) && !mentions(p, J) && !hasOpaque(p); }
/// Like it, but for questions about the box.
bool isAboutBoxes(const Pred &p) {
  if (p.is(PredKind::Opaque))
    return p.opaqueId() & (Pred::mayBit | Pred::mustBit);
  if (p.isAtom())
    return isFreeOfIndices(p);
  return std::all_of(p.operands().begin(), p.operands().end(), isAboutBoxes);
}

struct Case {
  Case(Generator &gen) : gen(gen) {
    world.tokens = Generator::lastToken + 1;
    world.w = gen.pick(-2, 9);
    world.b = gen.pick(0, 1);
    world.fill(gen.rng);
  }

  void pickBoxes() {
    auto range = [&](int64_t &lo, int64_t &hi) {
      lo = gen.pick(0, world.tokens - 1);
      hi = std::min(world.tokens - 1, lo + gen.pick(0, 10));
    };
    range(world.i0, world.i1);
    range(world.j0, world.j1);
  }

  /// The truth of f over the whole space.
  std::vector<std::vector<bool>> table(const std::function<bool(const World &)> &f) {
    std::vector<std::vector<bool>> t(size_t(world.tokens), std::vector<bool>(size_t(world.tokens)));
    for (world.i = 0; world.i < world.tokens; ++world.i)
      for (world.j = 0; world.j < world.tokens; ++world.j)
        t[size_t(world.i)][size_t(world.j)] = f(world);
    world.i = world.j = -1000;
    return t;
  }

  /// How many pairs of the two boxes are visible, of how many.
  std::pair<int, int> count(const std::vector<std::vector<bool>> &truth) const {
    std::pair<int, int> n{0, 0};
    for (int64_t i = world.i0; i <= world.i1; ++i)
      for (int64_t j = world.j0; j <= world.j1; ++j) {
        n.first += truth[size_t(i)][size_t(j)];
        ++n.second;
      }
    return n;
  }

  Generator &gen;
  World world;
};

/// The masks of single lanes are the predicate itself: interval and rest of some conjunct.
bool lanesAgree(Case &c, const Pred &p, unsigned axis, const std::vector<std::vector<bool>> &truth) {
  Solution s = solve(p, axis, {{axis == J ? I : J, axis == J ? rowBox : keyBox}}, 16, c.world.facts);
  Env env = c.world.env();
  struct Lane {
    Interval interval;
    Pred rest;
  };
  std::vector<Lane> lanes;
  for (const Conjunct &k : s.conjuncts)
    lanes.push_back({k.rowInterval(), k.rest()});
  // The solution is for the rows of its box only: it may have left out what can hold for no row.
  int64_t iLo = axis == J ? c.world.i0 : 0, iHi = axis == J ? c.world.i1 : c.world.tokens - 1;
  int64_t jLo = axis == I ? c.world.j0 : 0, jHi = axis == I ? c.world.j1 : c.world.tokens - 1;
  for (c.world.i = iLo; c.world.i <= iHi; ++c.world.i)
    for (c.world.j = jLo; c.world.j <= jHi; ++c.world.j) {
      int64_t x = axis == J ? c.world.j : c.world.i;
      bool visible = false;
      for (const Lane &l : lanes)
        visible |= eval(l.interval.lo, env) <= x && x <= eval(l.interval.hi, env) && eval(l.rest, env);
      if (visible != truth[size_t(c.world.i)][size_t(c.world.j)])
        return false;
    }
  return true;
}

struct Tally {
  int tiles = 0, empty = 0, full = 0, calledEmpty = 0, calledFull = 0;
};

void checkSolution(Case &c, const Pred &p, unsigned axis, const std::vector<std::vector<bool>> &truth, Tally &tally) {
  bool forward = axis == J;
  Solution s = solve(p, axis, {{forward ? I : J, forward ? rowBox : keyBox}}, 16, c.world.facts);
  Env env = c.world.env();
  for (const Conjunct &k : s.conjuncts) {
    EXPECT_TRUE(isFreeOfIndices(k.may.lo) && isFreeOfIndices(k.may.hi) && isFreeOfIndices(k.must.lo) &&
                isFreeOfIndices(k.must.hi) && isFreeOfIndices(k.mayRest) && isFreeOfIndices(k.mustRest))
        << k.str();
    Interval keys = forward ? keyBox : rowBox;
    EXPECT_TRUE(isAboutBoxes(mayHold(k, s, keys)) && isAboutBoxes(mustHold(k, s, keys))) << k.str();
  }
  for (int round = 0; round < 3; ++round) {
    c.pickBoxes();
    c.world.i = c.world.j = -1000;
    int64_t lo = forward ? c.world.i0 : c.world.j0, hi = forward ? c.world.i1 : c.world.j1;
    int64_t last = c.world.tokens - 1;
    Ranges may = ranges(s, env, 0, last), must = fullRanges(s, env, 0, last);
    for (const Ranges &r : {may, must})
      for (size_t n = 0; n < r.size(); ++n) {
        EXPECT_LE(r[n].first, r[n].second);
        EXPECT_TRUE(r[n].first >= 0 && r[n].second <= last);
        EXPECT_TRUE(n == 0 || r[n - 1].second + 1 < r[n].first);
      }
    auto contains = [](const Ranges &r, int64_t x) {
      return std::any_of(r.begin(), r.end(), [&](const auto &q) { return q.first <= x && x <= q.second; });
    };
    for (int64_t x = 0; x <= last; ++x)
      for (int64_t row = lo; row <= hi; ++row) {
        bool visible = forward ? truth[size_t(row)][size_t(x)] : truth[size_t(x)][size_t(row)];
        EXPECT_TRUE(!visible || contains(may, x)) << "a visible pair outside the ranges at " << x;
        EXPECT_TRUE(visible || !contains(must, x)) << "an absent pair in the full ranges at " << x;
      }
    auto n = c.count(truth);
    TileClass k = classify(s, env, forward ? c.world.j0 : c.world.i0, forward ? c.world.j1 : c.world.i1);
    EXPECT_TRUE(k != TileClass::Empty || n.first == 0) << "skipped a visible pair";
    EXPECT_TRUE(k != TileClass::Full || n.first == n.second) << "called full with an absent pair";
    ++tally.tiles;
    tally.empty += n.first == 0;
    tally.full += n.first == n.second;
    tally.calledEmpty += k == TileClass::Empty;
    tally.calledFull += k == TileClass::Full;
  }
}

TEST(Random, PredicatesAgainstBruteForce) {
  int total = isLong() ? 100000 : 4000;
  std::printf("seed %llu, %d predicates\n", (unsigned long long)seed(), total);
  Tally tally;
  for (int n = 0; n < total && !HasFailure(); ++n) {
    Generator gen(seed() + uint64_t(n));
    Case c(gen);
    RandomPred r = gen.pred(int(gen.pick(0, 4)));
    SCOPED_TRACE("seed " + std::to_string(seed() + uint64_t(n)) + ": " + r.p.str());
    auto truth = c.table(r.f);
    Env env = c.world.env();
    auto means = [&](const Pred &p) { return c.table([&](const World &) { return eval(p, env); }) == truth; };
    EXPECT_TRUE(means(r.p));
    Pred normal = normalize(r.p);
    EXPECT_TRUE(means(normal)) << normal.str();
    EXPECT_EQ(normalize(normal), normal) << normal.str() << "\n" << normalize(normal).str();
    EXPECT_EQ(normalize(!!r.p), normal);
    EXPECT_EQ(normalize(!normal), !normal);
    for (unsigned axis : {unsigned(I), unsigned(J)}) {
      EXPECT_TRUE(means(splitAtoms(r.p, axis)));
      EXPECT_TRUE(means(splitAtoms(r.p, axis, c.world.facts)));
      if (auto d = toDNF(r.p, 16, axis)) {
        std::vector<Pred> any;
        for (const auto &conjunct : *d)
          any.push_back(Pred::all(conjunct));
        EXPECT_LE(d->size(), 16u);
        EXPECT_TRUE(means(Pred::any(any)));
      }
      c.pickBoxes();
      EXPECT_TRUE(lanesAgree(c, r.p, axis, truth));
      checkSolution(c, r.p, axis, truth, tally);
    }
    // Tier 2 on the whole predicate.
    Box tile{{I, rowBox}, {J, keyBox}};
    Pred may = mayHold(r.p, tile, c.world.facts), must = mustHold(r.p, tile, c.world.facts);
    EXPECT_TRUE(isAboutBoxes(may) && isAboutBoxes(must));
    Pred mayNot = mayHold(!r.p, tile, c.world.facts);
    for (int round = 0; round < 4; ++round) {
      c.pickBoxes();
      auto k = c.count(truth);
      EXPECT_TRUE(k.first == 0 || eval(may, env)) << may.str();
      EXPECT_TRUE(k.first == k.second || !eval(must, env)) << must.str();
      EXPECT_NE(eval(mayNot, env), eval(must, env)) << mayNot.str() << " and " << must.str();
    }
  }
  std::printf("random boxes: %d tiles, %d empty (%d found), %d full (%d found)\n", tally.tiles, tally.empty,
              tally.calledEmpty, tally.full, tally.calledFull);
  // Not a matter of soundness, but a solver that answers "partial" to everything would pass the rest.
  EXPECT_GT(tally.calledEmpty, tally.empty * 0.7);
  EXPECT_GT(tally.calledFull, tally.full * 0.7);
}

/// Rows boxed in two variables, as a solver for several heads at once has them: here the index and the scalar.
TEST(Random, BoxesOfTwoVariables) {
  int total = isLong() ? 20000 : 1500;
  for (int n = 0; n < total && !HasFailure(); ++n) {
    Generator gen(seed() + uint64_t(n));
    Case c(gen);
    RandomPred r = gen.pred(int(gen.pick(1, 3)));
    // Conditions on the rows alone, with both variables.
    int64_t a = gen.pick(-2, 2), b = gen.pick(-2, 2), k = gen.pick(-6, 12);
    r = {r.p && ge(vi() * a + vw() * b + k, num(0)),
         [=](const World &x) { return r.f(x) && a * x.i + b * x.w + k >= 0; }};
    SCOPED_TRACE("seed " + std::to_string(seed() + uint64_t(n)) + ": " + r.p.str());
    Env env = c.world.env();
    c.pickBoxes();
    int64_t w0 = gen.pick(-2, 5), w1 = w0 + gen.pick(0, 3);
    Solution s = solve(r.p, J, {{I, rowBox}, {W, {num(w0), num(w1)}}}, 16, c.world.facts);
    c.world.i = c.world.j = c.world.w = -1000;
    Ranges may = ranges(s, env, 0, c.world.tokens - 1), must = fullRanges(s, env, 0, c.world.tokens - 1);
    TileClass k2 = classify(s, env, c.world.j0, c.world.j1);
    auto contains = [&](const Ranges &ranges) {
      return std::any_of(ranges.begin(), ranges.end(),
                         [&](const auto &q) { return q.first <= c.world.j && c.world.j <= q.second; });
    };
    for (c.world.i = c.world.i0; c.world.i <= c.world.i1; ++c.world.i)
      for (c.world.w = w0; c.world.w <= w1; ++c.world.w)
        for (c.world.j = 0; c.world.j < c.world.tokens; ++c.world.j) {
          bool visible = r.f(c.world), inTile = c.world.j0 <= c.world.j && c.world.j <= c.world.j1;
          EXPECT_TRUE(!visible || contains(may));
          EXPECT_TRUE(visible || !contains(must));
          EXPECT_TRUE(!inTile || k2 != (visible ? TileClass::Empty : TileClass::Full));
        }
  }
}

TEST(Random, BoundsOfExpressions) {
  int total = isLong() ? 200000 : 12000, exactOnes = 0, bounded = 0;
  for (int n = 0; n < total && !HasFailure(); ++n) {
    Generator gen(seed() + uint64_t(n));
    Case c(gen);
    RandomExpr r = gen.expr(int(gen.pick(0, 4)));
    SCOPED_TRACE("seed " + std::to_string(seed() + uint64_t(n)) + ": " + r.e.str());
    bool exact = false;
    std::optional<Interval> b = bound(r.e, {{I, rowBox}, {J, keyBox}}, &exact, c.world.facts);
    Env env = c.world.env();
    c.pickBoxes();
    c.world.i = c.world.j = -1000;
    int64_t lo = b ? eval(b->lo, env) : 0, hi = b ? eval(b->hi, env) : 0;
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (c.world.i = c.world.i0; c.world.i <= c.world.i1; ++c.world.i)
      for (c.world.j = c.world.j0; c.world.j <= c.world.j1; ++c.world.j) {
        int64_t value = r.f(c.world);
        EXPECT_EQ(eval(r.e, env), value);
        least = std::min(least, value);
        most = std::max(most, value);
      }
    EXPECT_EQ(eval(substitute(r.e, {{I, rowBox.lo}, {J, keyBox.hi}}), env), [&] {
      World w = c.world;
      w.i = w.i0;
      w.j = w.j1;
      return r.f(w);
    }());
    if (!b)
      continue;
    ++bounded;
    EXPECT_TRUE(isFreeOfIndices(b->lo) && isFreeOfIndices(b->hi));
    EXPECT_TRUE(lo <= least && most <= hi) << b->str();
    if (exact) {
      ++exactOnes;
      EXPECT_EQ(lo, least) << b->str();
      EXPECT_EQ(hi, most) << b->str();
    }
  }
  std::printf("%d expressions, %d bounded, %d of them exactly\n", total, bounded, exactOnes);
  EXPECT_GT(exactOnes, total / 2);
}

} // namespace
