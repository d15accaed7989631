// The mask's graph against definitions written out, and against masks whose answers are known in closed form.
#include "run/Graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

using namespace attn::run;

namespace {

using Sees = std::function<bool(int64_t i, int64_t j)>; // query i sees key j

Ranges rowOf(const Sees &sees, int64_t n, int64_t i) {
  Ranges row;
  for (int64_t j = 0; j < n; ++j)
    if (sees(i, j)) {
      if (!row.empty() && row.back().second == j)
        ++row.back().second;
      else
        row.emplace_back(j, j + 1);
    }
  return row;
}

GraphFacts factsOf(const Sees &sees, int64_t n, int64_t perNode = 1, double seconds = 60) {
  MaskGraph graph(n, perNode);
  for (int64_t x = 0; x < n; ++x) // any order of rows
    graph.addRow(x % 2 ? x / 2 : n - 1 - x / 2, rowOf(sees, n, x % 2 ? x / 2 : n - 1 - x / 2));
  return graph.analyse(seconds);
}

std::vector<int64_t> list(const Ranges &ranges) {
  std::vector<int64_t> tokens;
  for (auto [lo, hi] : ranges)
    for (int64_t t = lo; t < hi; ++t)
      tokens.push_back(t);
  return tokens;
}

/// Everything from the lengths of shortest paths.
struct Brute {
  static constexpr int64_t never = 1 << 20;
  std::vector<std::vector<int64_t>> steps; // steps[j][i]: from j to i
  std::vector<int64_t> tokens;             // without padding
  std::vector<bool> seesItself;

  Brute(const Sees &sees, int64_t n) : steps(size_t(n), std::vector<int64_t>(size_t(n), never)) {
    for (int64_t i = 0; i < n; ++i) {
      bool any = false;
      for (int64_t j = 0; j < n; ++j) {
        any |= sees(i, j) || sees(j, i);
        if (sees(i, j))
          steps[size_t(j)][size_t(i)] = 1;
      }
      seesItself.push_back(sees(i, i));
      steps[size_t(i)][size_t(i)] = 0;
      if (any)
        tokens.push_back(i);
    }
    for (int64_t k = 0; k < n; ++k)
      for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < n; ++i)
          at(j, i) = std::min(at(j, i), at(j, k) + at(k, i));
  }
  int64_t &at(int64_t j, int64_t i) { return steps[size_t(j)][size_t(i)]; }
  int64_t at(int64_t j, int64_t i) const { return steps[size_t(j)][size_t(i)]; }
  bool same(int64_t a, int64_t b) const { return at(a, b) < never && at(b, a) < never; }

  void check(const GraphFacts &f) const {
    ASSERT_TRUE(f.finished);
    EXPECT_EQ(f.nodes, int64_t(tokens.size()));
    EXPECT_EQ(f.padding, f.tokens - f.nodes);
    int64_t components = 0, closed = 0, radius = never;
    std::vector<int64_t> roots, centre;
    for (int64_t a : tokens) {
      auto first = [&](int64_t b) { return b < a && same(a, b); };
      auto fromOutside = [&](int64_t b) { return at(b, a) < never && !same(a, b); };
      const bool isFirst = std::none_of(tokens.begin(), tokens.end(), first);
      components += isFirst;
      closed += isFirst && std::none_of(tokens.begin(), tokens.end(), fromOutside);
      int64_t far = 0;
      for (int64_t i : tokens)
        far = std::max(far, std::min(at(a, i), never));
      if (far < never)
        roots.push_back(a);
      if (far < radius)
        centre.clear();
      if (far <= radius && far < never)
        centre.push_back(a);
      radius = std::min(radius, far);
    }
    EXPECT_EQ(f.components, components);
    EXPECT_EQ(f.closed, closed);
    EXPECT_EQ(list(f.roots), roots);
    EXPECT_EQ(f.rootSeesItself,
              std::any_of(roots.begin(), roots.end(), [&](int64_t a) { return seesItself[size_t(a)]; }));
    EXPECT_EQ(f.radius.value_or(never), radius);
    EXPECT_EQ(list(f.centre), centre);
    EXPECT_EQ(f.connected(), !roots.empty());
    double before = -1;
    int64_t layers = 1;
    for (const Heard &h : f.heard) {
      EXPECT_EQ(h.layers, layers);
      auto [mean, most] = heard(layers);
      EXPECT_NEAR(h.mean, mean, 1e-12);
      EXPECT_NEAR(h.most, most, 1e-12);
      EXPECT_GT(h.mean, before);
      before = h.mean;
      layers *= 2;
    }
    if (!f.heard.empty())
      EXPECT_NEAR(before, heard(never - 1).first, 1e-12); // nothing new comes later
  }

  std::pair<double, double> heard(int64_t layers) const {
    double mean = 0, most = 0;
    for (int64_t i : tokens) {
      double from = 0;
      for (int64_t j : tokens)
        from += at(j, i) <= layers;
      mean += from;
      most = std::max(most, from / double(tokens.size()));
    }
    return {mean / double(tokens.size()) / double(tokens.size()), most};
  }
};

TEST(Graph, RandomAgainstBruteForce) {
  std::mt19937_64 rng(1);
  int connected = 0, several = 0;
  for (int n = 0; n < 400; ++n) {
    const int64_t size = 1 + int64_t(rng() % 40);
    const int percent = std::vector<int>{0, 2, 4, 8, 15, 40, 100}[rng() % 7];
    const bool diagonal = rng() % 2, ordered = rng() % 3 == 0;
    std::vector<bool> edge(size_t(size * size));
    for (size_t e = 0; e < edge.size(); ++e)
      edge[e] = int(rng() % 100) < percent;
    const Sees sees = [&](int64_t i, int64_t j) {
      return (diagonal && i == j) || (edge[size_t(i * size + j)] && (!ordered || j <= i));
    };
    SCOPED_TRACE(testing::Message() << "graph " << n << ": " << size << " tokens, " << percent << " %");
    const GraphFacts f = factsOf(sees, size);
    Brute(sees, size).check(f);
    connected += f.connected();
    several += f.closed > 1;
  }
  EXPECT_GT(connected, 50);
  EXPECT_GT(several, 50);
}

TEST(Graph, MoreThanAWordOfTokens) {
  std::mt19937_64 rng(2);
  for (int64_t size : {63, 64, 65, 127, 128, 129, 200}) {
    std::vector<bool> edge(size_t(size * size));
    for (size_t e = 0; e < edge.size(); ++e)
      edge[e] = rng() % uint64_t(size) < 2;
    const Sees sees = [&](int64_t i, int64_t j) { return edge[size_t(i * size + j)]; };
    SCOPED_TRACE(size);
    Brute(sees, size).check(factsOf(sees, size));
  }
}

TEST(Graph, Full) {
  const GraphFacts f = factsOf([](int64_t, int64_t) { return true; }, 100);
  EXPECT_EQ(f.components, 1);
  EXPECT_EQ(f.closed, 1);
  EXPECT_EQ(f.roots, (Ranges{{0, 100}}));
  EXPECT_EQ(f.radius, 1);
  EXPECT_EQ(f.centre, (Ranges{{0, 100}}));
  ASSERT_EQ(f.heard.size(), 1u);
  EXPECT_EQ(f.heard[0].mean, 1);
}

TEST(Graph, CausalHearsAllInOneLayer) {
  const int64_t n = 1000;
  const GraphFacts f = factsOf([](int64_t i, int64_t j) { return j <= i; }, n);
  EXPECT_EQ(f.components, n);
  EXPECT_EQ(f.closed, 1);
  EXPECT_EQ(f.roots, (Ranges{{0, 1}}));
  EXPECT_EQ(f.radius, 1);
  ASSERT_EQ(f.heard.size(), 1u);
  EXPECT_NEAR(f.heard[0].mean, double(n + 1) / double(2 * n), 1e-12);
  EXPECT_EQ(f.heard[0].most, 1);
}

TEST(Graph, WindowGrowsByItsWidth) {
  for (int64_t w : {1, 3, 17}) {
    const int64_t n = 300;
    const GraphFacts f = factsOf([=](int64_t i, int64_t j) { return std::abs(i - j) <= w; }, n);
    EXPECT_EQ(f.components, 1);
    EXPECT_EQ(f.radius, (n / 2 + w - 1) / w); // from the middle to the farther end
    for (const Heard &h : f.heard)
      EXPECT_NEAR(h.most, double(std::min(2 * w * h.layers + 1, n)) / double(n), 1e-12) << w << " " << h.layers;
    EXPECT_EQ(f.heard.back().mean, 1);
  }
}

TEST(Graph, CausalWindowHasItsRootAtTheStart) {
  const int64_t n = 257, w = 16;
  const GraphFacts f = factsOf([](int64_t i, int64_t j) { return j <= i && i - j <= w; }, n);
  EXPECT_EQ(f.components, n);
  EXPECT_EQ(f.roots, (Ranges{{0, 1}}));
  EXPECT_EQ(f.radius, 16);
  EXPECT_EQ(f.centre, (Ranges{{0, 1}}));
  for (const Heard &h : f.heard)
    EXPECT_NEAR(h.most, double(std::min(w * h.layers + 1, n)) / double(n), 1e-12);
}

TEST(Graph, DilatedAloneSplitsInTwo) {
  const GraphFacts f = factsOf([](int64_t i, int64_t j) { return (i - j) % 2 == 0; }, 64);
  EXPECT_EQ(f.components, 2);
  EXPECT_EQ(f.closed, 2);
  EXPECT_FALSE(f.connected());
  EXPECT_TRUE(f.roots.empty());
  EXPECT_FALSE(f.radius);
  EXPECT_EQ(f.heard.back().most, 0.5);
  EXPECT_TRUE(f.finished);
}

TEST(Graph, AxialMeetsInTwoLayers) {
  const int64_t side = 12;
  const GraphFacts f =
      factsOf([](int64_t i, int64_t j) { return i / side == j / side || i % side == j % side; }, side * side);
  EXPECT_EQ(f.components, 1);
  EXPECT_EQ(f.radius, 2);
  ASSERT_EQ(f.heard.size(), 2u);
  EXPECT_NEAR(f.heard[0].mean, double(2 * side - 1) / double(side * side), 1e-12);
  EXPECT_EQ(f.heard[1].mean, 1);
}

TEST(Graph, StridedHasItsRootAtTheStart) {
  const int64_t n = 64, l = 8; // the last l tokens and every l-th before
  const GraphFacts f = factsOf([](int64_t i, int64_t j) { return j <= i && (i - j < l || (i - j) % l == 0); }, n);
  EXPECT_EQ(f.closed, 1);
  EXPECT_EQ(f.roots, (Ranges{{0, 1}}));
  EXPECT_EQ(f.radius, 2);
}

TEST(Graph, RootsThatSeeOnlyOthers) {
  const GraphFacts two = factsOf([](int64_t i, int64_t j) { return i != j; }, 2);
  EXPECT_TRUE(two.connected());
  EXPECT_FALSE(two.rootSeesItself);
  const GraphFacts strict = factsOf([](int64_t i, int64_t j) { return j < i; }, 70);
  EXPECT_EQ(strict.roots, (Ranges{{0, 1}}));
  EXPECT_FALSE(strict.rootSeesItself);
  EXPECT_TRUE(factsOf([](int64_t i, int64_t j) { return j < i || i + j == 0; }, 70).rootSeesItself);
}

TEST(Graph, PaddingIsLeftOut) {
  const GraphFacts f = factsOf([](int64_t i, int64_t j) { return j <= i && i < 40 && i >= 8 && j >= 8; }, 64);
  EXPECT_EQ(f.padding, 32);
  EXPECT_EQ(f.nodes, 32);
  EXPECT_EQ(f.roots, (Ranges{{8, 9}}));
  EXPECT_EQ(f.radius, 1);
  EXPECT_NEAR(f.heard[0].mean, 33.0 / 64, 1e-12);
}

TEST(Graph, NoEdgesAtAll) {
  const GraphFacts f = factsOf([](int64_t, int64_t) { return false; }, 70);
  EXPECT_EQ(f.nodes, 0);
  EXPECT_EQ(f.components, 0);
  EXPECT_EQ(f.padding, 70);
  EXPECT_FALSE(f.connected());
  EXPECT_TRUE(f.heard.empty());
}

/// With blocks as nodes nothing is found that tokens contradict.
TEST(Graph, BlocksBoundTokens) {
  std::mt19937_64 rng(3);
  int differ = 0;
  for (int n = 0; n < 200; ++n) {
    const int64_t size = 2 + int64_t(rng() % 100), per = 2 + int64_t(rng() % 9), near = int64_t(rng() % 20);
    std::vector<bool> edge(size_t(size * size));
    for (size_t e = 0; e < edge.size(); ++e)
      edge[e] = rng() % 1000 < 8;
    const Sees sees = [&](int64_t i, int64_t j) { return edge[size_t(i * size + j)] || (i >= near && i - near == j); };
    const GraphFacts exact = factsOf(sees, size), block = factsOf(sees, size, per);
    EXPECT_FALSE(block.exact());
    EXPECT_EQ(block.padding, exact.padding);
    EXPECT_LE(block.components, exact.components);
    EXPECT_LE(block.closed, exact.closed);
    if (exact.radius) {
      ASSERT_TRUE(block.radius);
      EXPECT_LE(*block.radius, *exact.radius);
      const std::vector<int64_t> roots = list(block.roots);
      for (int64_t t : list(exact.roots))
        EXPECT_TRUE(std::count(roots.begin(), roots.end(), t)) << t;
    }
    for (size_t t = 0; t < exact.heard.size(); ++t) {
      const Heard &h = block.heard[std::min(t, block.heard.size() - 1)];
      EXPECT_GE(h.mean, exact.heard[t].mean - 1e-12);
      EXPECT_GE(h.most, exact.heard[t].most - 1e-12);
    }
    differ += block.components != exact.components;
    // The quotient itself, by definition.
    const int64_t blocks = (size + per - 1) / per;
    Brute quotient(
        [&](int64_t a, int64_t b) {
          for (int64_t i = a * per; i < std::min(size, (a + 1) * per); ++i)
            for (int64_t j = b * per; j < std::min(size, (b + 1) * per); ++j)
              if (sees(i, j))
                return true;
          return false;
        },
        blocks);
    EXPECT_EQ(block.nodes, int64_t(quotient.tokens.size()));
    EXPECT_EQ(block.radius.value_or(Brute::never), [&] {
      int64_t least = Brute::never;
      for (int64_t a : quotient.tokens) {
        int64_t far = 0;
        for (int64_t b : quotient.tokens)
          far = std::max(far, std::min(quotient.at(a, b), Brute::never));
        least = std::min(least, far);
      }
      return least;
    }());
  }
  EXPECT_GT(differ, 20);
}

TEST(Graph, BlockSizes) {
  EXPECT_EQ(MaskGraph::blockFor(1), 1);
  EXPECT_EQ(MaskGraph::blockFor(MaskGraph::mostNodes), 1);
  EXPECT_EQ(MaskGraph::blockFor(MaskGraph::mostNodes + 1), 64);
  EXPECT_EQ(MaskGraph::blockFor(MaskGraph::mostNodes * 64), 64);
  EXPECT_EQ(MaskGraph::blockFor(MaskGraph::mostNodes * 64 + 1), 128);
}

TEST(Graph, TimeIsUp) {
  const GraphFacts f = factsOf([](int64_t i, int64_t j) { return i - j <= 1 && j <= i; }, 500, 1, 0);
  EXPECT_FALSE(f.finished);
  EXPECT_EQ(f.components, 500); // known all the same
  EXPECT_EQ(f.closed, 1);
  EXPECT_FALSE(f.radius);
  EXPECT_EQ(f.heard.size(), 1u);
}

} // namespace
