//===- GridSharpnessTest.cpp - Tiles visited for nothing, on grids and by promised facts ---===//
//
// Like SharpnessTest, for sets over tokens that stand on a grid, row by row, and for those that facts sharpen. A tile
// of 6 x 16 tokens is no box of the grid: it may wrap around the end of a row, and then the coordinates alone span all
// of the grid's width.
//
//===----------------------------------------------------------------------===//

#include "Sharpness.h"

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

/// The coordinates of a token.
std::vector<Expr> coordinates(const Expr &token, const std::vector<int64_t> &grid) {
  std::vector<Expr> x(grid.size());
  Expr left = token;
  for (size_t a = grid.size(); a-- > 0;) {
    x[a] = a ? mod(left, grid[a]) : left;
    if (a)
      left = floorDiv(left, grid[a]);
  }
  return x;
}

struct Grid {
  std::vector<int64_t> extents;
  std::vector<Expr> x, y;
  Pred onGrid;

  /// Tokens before `first` stand nowhere.
  explicit Grid(std::vector<int64_t> extents, int64_t first = 0)
      : extents(extents), x(coordinates(vi() - first, extents)), y(coordinates(vj() - first, extents)),
        onGrid(first ? ge(vi(), num(first)) && ge(vj(), num(first)) : Pred::always()) {}

  int64_t tokens() const {
    int64_t n = 1;
    for (int64_t e : extents)
      n *= e;
    return n;
  }

  Pred neighborhood(int64_t k, int64_t d = 1, int64_t t = 1, bool causal = false) const {
    Pred p = onGrid;
    for (size_t a = 0; a < x.size(); ++a) {
      Expr at = floorDiv(x[a], d), n = floorDiv(num(extents[a] + d - 1) - mod(x[a], d), d);
      Expr center = min(floorDiv(at, t) * t + (causal ? t - 1 : t / 2), n - 1);
      Expr lo = causal ? max(center - (k - 1), num(0)) : max(min(center - k / 2, n - k), num(0));
      Expr hi = causal ? at + 1 : lo + k;
      p = p && eq(mod(y[a] - x[a], d), num(0)) && ge(floorDiv(y[a], d), lo) && lt(floorDiv(y[a], d), hi);
    }
    return p;
  }

  Pred halo(int64_t block, int64_t h) const {
    Pred p = onGrid;
    for (size_t a = 0; a < x.size(); ++a) {
      Expr corner = floorDiv(x[a], block) * block;
      p = p && ge(y[a], corner - h) && lt(y[a], corner + block + h);
    }
    return p;
  }

  /// The square around it says nothing new, but it is what intervals are made of.
  Pred disc(const Expr &r, bool square = true) const {
    Pred p = onGrid;
    Expr distance = num(0);
    for (size_t a = 0; a < x.size(); ++a) {
      Expr d = x[a] - y[a];
      distance = distance + d * d;
      if (square)
        p = p && lt(d, r) && lt(-d, r);
    }
    return p && lt(distance, r * r);
  }
};

struct Named {
  std::string name;
  Pred set;
  int64_t rows, keys;
  Facts facts;
  double waste = 1.1, found = 0.95;
  int draws = 1; // of tensors: more where one draw decides how sharp a bound can be
};

void measureAll(const std::vector<Named> &sets) {
  printHeader();
  for (bool forward : {true, false}) {
    std::printf("%s\n", forward ? "keys of a row tile:" : "rows of a key tile:");
    Score total;
    for (const Named &s : sets) {
      std::mt19937_64 rng(seed());
      Score sum;
      for (int64_t w : {24, 90})
        for (int n = 0; n < s.draws && (w == 24 || isLong()); ++n)
          sum.add(measure(s.set, makeProblem(s.rows, s.keys, w, 25, rng), forward, s.facts));
      print(s.name.c_str(), sum);
      EXPECT_LE(sum.waste(), s.waste) << s.name;
      EXPECT_GE(sum.found(), s.found) << s.name;
      total.add(sum);
    }
    print("all", total);
  }
}

TEST(Sharpness, SetsOfTheLanguage) {
  Expr i = vi(), j = vj(), w = vw(), b = vb();
  Expr shift = Expr::var(ExtJ) - Expr::var(ExtI);
  Pred causal = le(j, i + shift), band = ge(j, i + shift - w) && le(j, i + shift + w);
  Facts sorted;
  sorted.sorted = {SegQ, SegK};
  Pred same = eq(at(SegQ, i), at(SegK, j)), mixed = eq(at(BagQ, i), at(BagK, j));
  auto shared = [&](unsigned q, unsigned k) {
    return eq(at(q, i), at(k, j)) || eq(at(k, j), num(0)) || eq(at(q, i), num(3));
  };
  auto dilated = [&](int64_t step) { return eq(mod(i + shift - j, step), num(0)); };
  std::vector<Named> sets;
  for (int64_t more : {0, 117}) {
    int64_t rows = 321, keys = rows + more;
    auto add = [&](const char *name, const Pred &p, const Facts &facts = {}) {
      sets.push_back({std::string(name) + (more ? ", longer keys" : ""), p, rows, keys, facts});
    };
    add("causal", causal);
    add("window", band);
    add("window and dilated 4", band && dilated(4));
    add("window and dilated 24", band && dilated(24));
    add("prefix", lt(j, at(Pre, b)));
    add("global", lt(i, num(9)) || lt(j, num(9)));
    add("global or window", lt(i, num(9)) || lt(j, num(9)) || band);
    add("(sinks or window) and causal", (lt(j, num(4)) || band) && causal);
    add("not_self", ne(j, i + shift));
    add("window and not_self", band && ne(j, i + shift));
    add("block_causal", le(floorDiv(j, 40), floorDiv(i + shift, 40)));
    add("same_segment, sorted", same, sorted);
    add("same_segment, sorted, not known", same);
    add("not same_segment, sorted", !same, sorted);
    add("causal and same_segment, sorted", causal && same, sorted);
    // The least and the greatest segment of a tile say little where their numbers do not ascend.
    // Of seven seeds the worst mean of eight draws is 1.83 and 89 %, of sorted ones 94 %.
    size_t drawn = sets.size();
    add("same_segment, unsorted", mixed);
    add("causal and same_segment, unsorted", causal && mixed);
    add("causal and shared_prefix, unsorted", causal && shared(BagQ, BagK));
    for (size_t n = drawn; n < sets.size(); ++n)
      sets[n].waste = 1.9, sets[n].found = 0.87;
    add("causal and shared_prefix, sorted", causal && shared(SegQ, SegK), sorted);
    sets.back().found = 0.92;
    for (size_t n = drawn; n < sets.size(); ++n)
      sets[n].draws = 8;
  }
  measureAll(sets);
}

TEST(Sharpness, SetsOnGrids) {
  std::vector<Named> sets;
  auto add = [&](const std::string &name, const Grid &g, const Pred &p, int64_t first = 0) {
    std::string extents;
    for (int64_t e : g.extents)
      extents += (extents.empty() ? "" : "x") + std::to_string(e);
    sets.push_back({name + ", " + extents, p, g.tokens() + first, g.tokens() + first, {}});
  };
  Grid line({240});
  add("neighborhood 7", line, line.neighborhood(7));
  add("neighborhood 7, dilation 4", line, line.neighborhood(7, 4));
  add("neighborhood 8, stride 4", line, line.neighborhood(8, 1, 4));
  add("neighborhood 7, causal", line, line.neighborhood(7, 1, 1, true));
  std::vector<std::vector<int64_t>> planes = {{12, 20}, {4, 60}}, spaces = {{3, 5, 20}};
  if (isLong()) {
    planes.insert(planes.end(), {{20, 20}, {4, 100}, {14, 32}, {9, 48}, {30, 14}, {12, 56}});
    spaces.insert(spaces.end(), {{4, 6, 20}, {5, 8, 10}, {3, 9, 16}});
  }
  for (const std::vector<int64_t> &extents : planes) {
    Grid g(extents);
    add("neighborhood 3", g, g.neighborhood(3));
    if (extents[0] > 4)
      add("neighborhood 7", g, g.neighborhood(7));
    add("neighborhood 3, dilation 2", g, g.neighborhood(3, 2));
    add("neighborhood 3, dilation 3", g, g.neighborhood(3, 3));
    add("neighborhood 4, stride 4", g, g.neighborhood(4, 1, 4));
    add("neighborhood 4, causal", g, g.neighborhood(4, 1, 1, true));
    add("halo 4 + 1", g, g.halo(4, 1));
    add("halo 8 + 3", g, g.halo(8, 3));
    add("disc 3", g, g.disc(num(3)));
    add("disc 6", g, g.disc(num(6)));
    add("disc 6, no square", g, g.disc(num(6), false));
    add("disc w - 19", g, g.disc(vw() - 19));
    add("not disc 6", g, !g.disc(num(6)));
  }
  Grid text({16, 24}, 11);
  Pred global = lt(vi(), num(11)) || lt(vj(), num(11));
  add("global or disc 5, text 11", text, global || text.disc(num(5)), 11);
  add("global or neighborhood 5, text 11", text, global || text.neighborhood(5), 11);
  for (const std::vector<int64_t> &extents : spaces) {
    Grid g(extents);
    add("neighborhood 3", g, g.neighborhood(3));
    add("neighborhood 3, dilation 2", g, g.neighborhood(3, 2));
    add("neighborhood 3, causal", g, g.neighborhood(3, 1, 1, true));
    add("disc 3", g, g.disc(num(3)));
    add("halo 2 + 1", g, g.halo(2, 1));
  }
  measureAll(sets);
}

} // namespace
