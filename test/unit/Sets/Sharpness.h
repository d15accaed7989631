//===- Sharpness.h - Counting the microtiles a kernel visits for nothing ----===//

#ifndef ATTN_TEST_UNIT_SETS_SHARPNESS_H
#define ATTN_TEST_UNIT_SETS_SHARPNESS_H

#include "World.h"

#include <cmath>
#include <gtest/gtest.h>

namespace attn::sets::test {

constexpr int64_t rowTile = 6, keyTile = 16;
/// Tables: sorted segments of queries and keys; lengths of queries and keys, prefixes, by batch; segments of which the
/// numbers do not ascend.
enum : unsigned { SegQ, SegK, LenQ, LenK, Pre, BagQ, BagK };
/// Scalars beside World's: extents.
enum : unsigned { ExtI = 4, ExtJ = 5 };

struct Problem {
  int64_t rows, keys, w, b = 1;
  std::vector<int64_t> segQ, segK, lenQ, lenK, pre, bagQ, bagK;
};

inline Problem makeProblem(int64_t rows, int64_t keys, int64_t w, int64_t meanSegment, std::mt19937_64 &rng) {
  Problem p{rows, keys, w, 1, {}, {}, {}, {}, {}, {}, {}};
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
  for (int64_t id : p.segQ)
    p.bagQ.push_back(id * 5 % 7);
  for (int64_t id : p.segK)
    p.bagK.push_back(id * 5 % 7);
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
inline Score measure(const Pred &p, const Problem &problem, bool forward, const Facts &facts = {}) {
  int64_t i = 0, j = 0, lo = 0, hi = 0, first = 0, last = 0;
  Env env;
  env.var = [&](unsigned v) {
    const std::pair<unsigned, int64_t> values[] = {
        {I, i},   {J, j},      {B, problem.b}, {W, problem.w},       {I0, lo},
        {I1, hi}, {J0, first}, {J1, last},     {ExtI, problem.rows}, {ExtJ, problem.keys}};
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
    case BagQ:
      return problem.bagQ;
    case BagK:
      return problem.bagK;
    default:
      return problem.pre;
    }
  };
  env.load = [&](unsigned t, const std::vector<int64_t> &x) { return table(t).at(size_t(x[0])); };
  env.extent = [&](unsigned t, unsigned) { return int64_t(table(t).size()); };

  // As a kernel does: the tests of a tile are written once, for any tile.
  Interval box{Expr::var(I0), Expr::var(I1)}, tile{Expr::var(J0), Expr::var(J1)};
  Solution s = solve(p, forward ? J : I, {{forward ? I : J, box}}, 16, facts);
  std::vector<std::pair<Pred, Pred>> tests;
  for (const Conjunct &c : s.conjuncts)
    tests.push_back({mayHold(c, s, tile), mustHold(c, s, tile)});
  auto classOf = [&] {
    bool some = false;
    Ranges full;
    for (size_t n = 0; n < tests.size(); ++n) {
      const Conjunct &c = s.conjuncts[n];
      auto overlap = [&](const Interval &r) {
        return std::make_pair(std::max(eval(r.lo, env), first), std::min(eval(r.hi, env), last));
      };
      auto may = overlap(c.may), must = overlap(c.must);
      some = some || (may.first <= may.second && eval(c.mayRest, env) && eval(tests[n].first, env));
      if (must.first <= must.second && eval(c.mustRest, env) && eval(tests[n].second, env))
        full.push_back(must);
    }
    full = mergeRanges(std::move(full));
    bool all = full.size() == 1 && full[0].first == first && full[0].second == last;
    return all ? TileClass::Full : some ? TileClass::Partial : TileClass::Empty;
  };

  std::vector<std::vector<bool>> visible(size_t(problem.rows), std::vector<bool>(size_t(problem.keys)));
  for (i = 0; i < problem.rows; ++i)
    for (j = 0; j < problem.keys; ++j)
      visible[size_t(i)][size_t(j)] = eval(p, env);
  Score score;
  int64_t boxExtent = forward ? problem.rows : problem.keys, boxTile = forward ? rowTile : keyTile;
  int64_t axisExtent = forward ? problem.keys : problem.rows, axisTile = forward ? keyTile : rowTile;
  for (lo = 0; lo < boxExtent; lo += boxTile) {
    hi = std::min(lo + boxTile, boxExtent) - 1;
    for (first = 0; first < axisExtent; first += axisTile) {
      last = std::min(first + axisTile, axisExtent) - 1;
      TileClass k = classOf();
      int64_t holding = 0;
      for (int64_t row = lo; row <= hi; ++row)
        for (int64_t key = first; key <= last; ++key)
          holding += forward ? visible[size_t(row)][size_t(key)] : visible[size_t(key)][size_t(row)];
      bool isFull = holding == (hi - lo + 1) * (last - first + 1);
      EXPECT_TRUE(holding == 0 || k != TileClass::Empty);
      EXPECT_TRUE(isFull || k != TileClass::Full);
      score.visited += k != TileClass::Empty;
      score.holding += holding > 0;
      score.full += isFull;
      score.calledFull += k == TileClass::Full;
    }
  }
  return score;
}

inline void printHeader() {
  std::printf("seed %llu\n%-48s %8s %8s %6s %8s %8s %6s\n", (unsigned long long)seed(), "set", "visited", "holding",
              "ratio", "full", "found", "share");
}
inline void print(const char *name, const Score &s) {
  std::printf("%-48s %8lld %8lld %6.3f %8lld %8lld %5.1f%%\n", name, (long long)s.visited, (long long)s.holding,
              s.waste(), (long long)s.full, (long long)s.calledFull, 100 * s.found());
}

} // namespace attn::sets::test

#endif // ATTN_TEST_UNIT_SETS_SHARPNESS_H
