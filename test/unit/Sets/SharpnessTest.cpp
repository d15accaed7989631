//===- SharpnessTest.cpp - How many microtiles a kernel visits for nothing ===//
//
// Soundness says that nothing visible is skipped. This says what soundness alone would let pass: of the microtiles
// (6 rows x 16 keys) that a kernel visits, few hold no visible pair, and of those that are full nearly all are known to
// be. Measured over the named sets and what people build from them; the goal is 1.15 and 95 % for each set.
//
//===----------------------------------------------------------------------===//

#include "World.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

constexpr int64_t rowTile = 6, keyTile = 16;
/// Tables: sorted segments of queries and keys, lengths of queries and keys, prefixes; all by batch.
enum : unsigned { SegQ, SegK, LenQ, LenK, Pre };
/// Scalars beside World's: extents.
enum : unsigned { ExtI = 4, ExtJ = 5 };

struct Problem {
  int64_t rows, keys, w, b = 1;
  std::vector<int64_t> segQ, segK, lenQ, lenK, pre;
};

Problem makeProblem(int64_t rows, int64_t keys, int64_t w, int64_t meanSegment, std::mt19937_64 &rng) {
  Problem p{rows, keys, w, 1, {}, {}, {}, {}, {}};
  auto segments = [&](int64_t n) {
    std::vector<int64_t> s;
    for (int64_t t = 0, id = 0; t < n; ++t)
      s.push_back(id += t > 0 && rng() % uint64_t(meanSegment) == 0);
    return s;
  };
  p.segQ = segments(rows);
  p.segK = rows == keys ? p.segQ : segments(keys);
  p.lenQ = {rows, rows - int64_t(rng() % uint64_t(rows / 2))};
  p.lenK = {keys, keys - int64_t(rng() % uint64_t(keys / 2))};
  p.pre = {0, int64_t(rng() % uint64_t(keys))};
  return p;
}

struct Score {
  int64_t visited = 0, holding = 0, full = 0, calledFull = 0;
  void add(const Score &s) {
    visited += s.visited;
    holding += s.holding;
    full += s.full;
    calledFull += s.calledFull;
  }
  double waste() const { return holding ? double(visited) / double(holding) : visited ? INFINITY : 1; }
  double found() const { return full ? double(calledFull) / double(full) : 1; }
};

/// Tiles of the whole square, solved for the keys of a row tile or, as a backward pass does, for the rows of a key
/// tile.
Score measure(const Pred &p, const Problem &problem, bool forward) {
  int64_t i = 0, j = 0, lo = 0, hi = 0;
  Env env;
  env.var = [&](unsigned v) {
    const std::pair<unsigned, int64_t> values[] = {{I, i},   {J, j},   {B, problem.b},       {W, problem.w},
                                                   {I0, lo}, {I1, hi}, {ExtI, problem.rows}, {ExtJ, problem.keys}};
    for (const auto &x : values)
      if (x.first == v)
        return x.second;
    std::abort();
  };
  auto table = [&](unsigned t) -> const std::vector<int64_t> & {
    switch (t) {
    case SegQ:
      return problem.segQ;
    case SegK:
      return problem.segK;
    case LenQ:
      return problem.lenQ;
    case LenK:
      return problem.lenK;
    default:
      return problem.pre;
    }
  };
  env.load = [&](unsigned t, const std::vector<int64_t> &x) { return table(t).at(size_t(x[0])); };
  env.extent = [&](unsigned t, unsigned) { return int64_t(table(t).size()); };

  Score score;
  Solution s = solve(p, forward ? J : I, {{forward ? I : J, {Expr::var(I0), Expr::var(I1)}}});
  int64_t boxExtent = forward ? problem.rows : problem.keys, boxTile = forward ? rowTile : keyTile;
  int64_t axisExtent = forward ? problem.keys : problem.rows, axisTile = forward ? keyTile : rowTile;
  for (lo = 0; lo < boxExtent; lo += boxTile) {
    hi = std::min(lo + boxTile, boxExtent) - 1;
    Ranges may = ranges(s, env, 0, axisExtent - 1);
    for (int64_t a = 0; a < axisExtent; a += axisTile) {
      int64_t last = std::min(a + axisTile, axisExtent) - 1, visible = 0;
      bool inRange =
          std::any_of(may.begin(), may.end(), [&](const auto &r) { return r.first <= last && a <= r.second; });
      TileClass k = inRange ? classify(s, env, a, last) : TileClass::Empty;
      for (int64_t box = lo; box <= hi; ++box)
        for (int64_t axis = a; axis <= last; ++axis) {
          i = forward ? box : axis;
          j = forward ? axis : box;
          visible += eval(p, env);
        }
      bool isFull = visible == (hi - lo + 1) * (last - a + 1);
      EXPECT_TRUE(visible == 0 || k != TileClass::Empty);
      EXPECT_TRUE(isFull || k != TileClass::Full);
      score.visited += k != TileClass::Empty;
      score.holding += visible > 0;
      score.full += isFull;
      score.calledFull += k == TileClass::Full;
    }
  }
  return score;
}

TEST(Sharpness, NamedSetsAndTheirCombinations) {
  Expr i = vi(), j = vj(), w = vw(), b = vb(), shift = Expr::var(ExtJ) - Expr::var(ExtI);
  Expr lq = at(LenQ, b), lk = at(LenK, b);
  Pred causal = le(j, i), bottom = le(j, i + shift), ragged = le(j, i + (lk - lq));
  auto window = [&](const Expr &at, const Expr &left, const Expr &right) {
    return ge(j, at - left) && le(j, at + right);
  };
  Pred left = ge(j, i - w), band = window(i, w, w), low = window(i + shift, w, num(0));
  Pred prefix = lt(j, at(Pre, b)), sinks = lt(j, num(4)), lengths = lt(i, lq) && lt(j, lk);
  Pred same = eq(at(SegQ, i), at(SegK, j)), self = eq(i, j);
  // Tokens on a grid of rows of 32: a box neighbourhood.
  auto near = [&](const Expr &a, const Expr &c, int64_t r) { return le(a - c, num(r)) && le(c - a, num(r)); };
  Pred grid = near(floorDiv(i, 32), floorDiv(j, 32), 1) && near(mod(i, 32), mod(j, 32), 5);

  const std::pair<const char *, Pred> sets[] = {
      {"full", Pred::always()},
      {"causal<top_left>", causal},
      {"causal<bottom_right>", bottom},
      {"causal<bottom_right, lengths>", ragged},
      {"window<left>", left},
      {"window<left, right>", band},
      {"window<bottom_right, left, right = 0>", low},
      {"prefix", prefix},
      {"lengths", lengths},
      {"same_segment", same},
      {"not self", !self},
      {"block causal", le(floorDiv(j, 8), floorDiv(i, 8))},
      {"grid neighbourhood", grid},
      {"causal and window", causal && left},
      {"causal and lengths", ragged && lengths},
      {"causal and prefix", causal && prefix},
      {"causal or prefix", causal || prefix},
      {"causal and window or sinks", (causal && left) || (causal && sinks)},
      {"causal and same_segment", causal && same},
      {"window and same_segment", band && same},
      {"lengths and same_segment", lengths && same},
      {"same_segment or prefix", same || prefix},
      {"same_segment or causal", same || causal},
      {"same_segment and (causal or prefix)", same && (causal || prefix)},
      {"causal minus window", minus(causal, left)},
      {"causal minus band", minus(causal, band)},
      {"causal minus self", minus(causal, self)},
      {"causal minus prefix", minus(causal, prefix)},
      {"causal minus same_segment", minus(causal, same)},
      {"prefix minus causal", minus(prefix, causal)},
      {"lengths minus same_segment", minus(lengths, same)},
      {"full minus (causal and lengths)", minus(Pred::always(), ragged && lengths)},
      {"not causal", !causal},
      {"not window", !band},
      {"not prefix", !prefix},
      {"not same_segment", !same},
      {"not (causal and same_segment)", !(causal && same)},
      {"not (causal and window)", !(causal && left)},
      {"not (causal or prefix)", !(causal || prefix)},
      {"not grid neighbourhood", !grid},
  };
  std::printf("seed %llu\n%-40s %8s %8s %6s %8s %8s %6s\n", (unsigned long long)seed(), "set", "visited", "holding",
              "ratio", "full", "found", "share");
  auto print = [](const char *name, const Score &s) {
    std::printf("%-40s %8lld %8lld %6.3f %8lld %8lld %5.1f%%\n", name, (long long)s.visited, (long long)s.holding,
                s.waste(), (long long)s.full, (long long)s.calledFull, 100 * s.found());
  };
  for (bool forward : {true, false}) {
    std::printf("%s\n", forward ? "keys of a row tile:" : "rows of a key tile:");
    Score total;
    for (const auto &set : sets) {
      std::mt19937_64 rng(seed());
      Score sum;
      for (int64_t rows : {200, 321})
        for (int64_t keys : {rows, rows + 117})
          for (int64_t w : {24, 90})
            for (int64_t segment : {25, 90}) {
              Problem problem = makeProblem(rows, keys, w, segment, rng);
              if (isLong() || (rows == 200 ? w == 90 && segment == 25 : w == 24 && segment == 90))
                sum.add(measure(set.second, problem, forward));
            }
      print(set.first, sum);
      EXPECT_LE(sum.waste(), 1.15) << set.first;
      EXPECT_GE(sum.found(), 0.95) << set.first;
      total.add(sum);
    }
    print("all", total);
  }
}

} // namespace
