// Sets over the grids of the token axes against their formulas.
#include "Harness.h"

using namespace attn::test;

namespace {

using Point = std::vector<int64_t>;
using Near = std::function<bool(const Point &x, const Point &y, const Point &N)>;

struct Grids {
  Point query, key; // extents; the first is not used but for the text, -1 is unknown
  int64_t I, J;
  int64_t first = 0;
  std::string firstText = "";
  std::string args = "";
  std::vector<attn_scalar> params = {};
};

std::string textOf(const Point &grid) {
  std::string text;
  for (int64_t n : grid)
    text += (text.empty() ? "[" : ", ") + (n < 0 ? std::string("?") : std::to_string(n));
  return text + "]";
}

int64_t inner(const Point &grid) {
  int64_t product = 1;
  for (size_t a = 1; a < grid.size(); ++a)
    product *= grid[a];
  return product;
}

/// Row-major coordinates, the first extent left open.
Point pointOf(int64_t t, const Point &grid) {
  Point at(grid.size());
  for (size_t a = grid.size(); a-- > 1; t /= grid[a])
    at[a] = t % grid[a];
  at[0] = t;
  return at;
}

void checkGrid(const std::string &set, const Grids &g, Near near) {
  SCOPED_TRACE(textOf(g.query) + " " + textOf(g.key) + " first " + std::to_string(g.first));
  Point N = g.key;
  if (N[0] < 0)
    N[0] = ceilDiv(g.J - g.first, inner(g.key));
  checkSet({set, g.args, {}, g.params, g.I, g.J, textOf(g.query), textOf(g.key), g.firstText},
           [&](int64_t, int64_t, int64_t i, int64_t j) {
             if (i < g.first || j < g.first)
               return false;
             return near(pointOf(i - g.first, g.query), pointOf(j - g.first, g.key), N);
           });
}

/// Grids of one to three axes: complete, with an incomplete last row, with tokens before the grid.
std::vector<Grids> gridsOf(unsigned rank) {
  std::vector<Grids> all;
  if (rank == 1) {
    all = {{{-1}, {-1}, 9, 9}, {{9}, {9}, 9, 9}, {{-1}, {-1}, 4, 11}, {{-1}, {-1}, 7, 3}};
  } else if (rank == 2) {
    all = {
        {{-1, 5}, {-1, 5}, 20, 20}, {{4, 5}, {4, 5}, 20, 20}, {{-1, 5}, {-1, 5}, 18, 18}, {{-1, 3}, {-1, 6}, 14, 27}};
  } else {
    all = {{{-1, 3, 4}, {-1, 3, 4}, 36, 36}, {{-1, 3, 4}, {-1, 3, 4}, 31, 31}, {{3, 2, 2}, {2, 3, 4}, 12, 24}};
  }
  for (size_t n = 0, count = all.size(); n < count; ++n) {
    Grids g = all[n];
    for (auto [query, tokens] : {std::pair{&g.query, &g.I}, {&g.key, &g.J}})
      if (query->front() >= 0)
        *tokens = inner(*query) * query->front();
    g.first = 2;
    g.I += 2;
    g.J += 2;
    g.firstText = "first = 2";
    all.push_back(g);
    g.firstText = "first = %f";
    g.args = ", %f: i32";
    g.params = {integerParam(2)};
    all.push_back(g);
  }
  return all;
}

struct Axis {
  int64_t size, dilation, stride;
  bool causal;
};

bool neighbors(const Axis &a, int64_t x, int64_t y, int64_t N) {
  int64_t k = a.size, d = a.dilation, t = a.stride, g = x % d, p = x / d, n = ceilDiv(N - g, d), lo, hi;
  if (a.causal) {
    int64_t c = std::min(p / t * t + t - 1, n - 1);
    lo = std::max<int64_t>(c - k + 1, 0);
    hi = p + 1;
  } else {
    int64_t c = std::min(p / t * t + t / 2, n - 1);
    lo = std::max<int64_t>(std::min(c - k / 2, n - k), 0);
    hi = lo + k;
  }
  return y % d == g && lo <= y / d && y / d < hi;
}

std::string textOf(const std::vector<Axis> &axes) {
  Point size, dilation, stride, causal;
  for (const Axis &a : axes) {
    size.push_back(a.size);
    dilation.push_back(a.dilation);
    stride.push_back(a.stride);
    causal.push_back(a.causal);
  }
  return "neighborhood<size = " + textOf(size) + ", dilation = " + textOf(dilation) + ", stride = " + textOf(stride) +
         ", causal = " + textOf(causal) + ">";
}

void checkNeighborhood(const std::vector<Axis> &axes) {
  for (const Grids &g : gridsOf(axes.size()))
    checkGrid(textOf(axes), g, [&](const Point &x, const Point &y, const Point &N) {
      bool near = true;
      for (size_t a = 0; a < axes.size(); ++a)
        near &= neighbors(axes[a], x[a], y[a], N[a]);
      return near;
    });
}

TEST(GridSet, NeighborhoodOfOneAxis) {
  for (int64_t size : {1, 2, 3, 4, 7, 20})
    for (int64_t dilation : {1, 2, 4})
      for (int64_t stride : {1, 2, 3})
        for (bool causal : {false, true})
          if (stride <= size)
            checkNeighborhood({{size, dilation, stride, causal}});
}

TEST(GridSet, NeighborhoodOfMoreAxes) {
  checkNeighborhood({{3, 1, 1, false}, {3, 1, 1, false}});
  checkNeighborhood({{2, 1, 2, false}, {3, 2, 1, true}});
  checkNeighborhood({{3, 2, 1, true}, {4, 1, 3, false}});
  checkNeighborhood({{2, 1, 1, true}, {3, 1, 1, false}, {2, 2, 1, false}});
  checkNeighborhood({{3, 1, 3, false}, {2, 1, 2, true}, {3, 1, 2, false}});
}

/// By hand: a row of 7, windows of 3 pushed inside; and what the papers promise of every window.
TEST(GridSet, NeighborhoodByHand) {
  const int64_t low[] = {0, 0, 1, 2, 3, 4, 4};
  checkSet({"neighborhood<size = [3]>", "", {}, {}, 7, 7, "[?]", "[?]"},
           [&](int64_t, int64_t, int64_t i, int64_t j) { return low[i] <= j && j < low[i] + 3; });
  // Stride 2 with windows of 4: the pairs (0, 1), (2, 3).. share the window of their right member.
  const int64_t shared[] = {0, 0, 1, 1, 3, 3, 4, 4};
  checkSet({"neighborhood<size = [4], stride = [2]>", "", {}, {}, 8, 8, "[8]", "[8]"},
           [&](int64_t, int64_t, int64_t i, int64_t j) { return shared[i] <= j && j < shared[i] + 4; });
  for (int64_t size : {1, 3, 4})
    for (int64_t dilation : {1, 2, 3}) {
      SetCase c{textOf(std::vector<Axis>{{size, dilation, 1, false}}), "", {}, {}, 13, 13, "[?]", "[?]"};
      Program program(c.text());
      auto interpreter = c.call().create(program);
      for (int64_t i = 0; i < 13; ++i) {
        EXPECT_EQ(interpreter->row({0, 0}, i, Precision::Double).visible, size) << c.set << " " << i;
        EXPECT_TRUE(interpreter->visible({0, 0}, i, i)) << c.set << " " << i;
      }
    }
}

TEST(GridSet, HugeParametersDoNotWrap) {
  const std::string huge = "2147483647"; // the largest of all parameters
  auto all = [](int64_t, int64_t, int64_t, int64_t) { return true; };
  checkSet({"neighborhood<size = [" + huge + "]>", "", {}, {}, 5, 8, "[?]", "[?]"}, all);
  checkSet(
      {"neighborhood<size = [" + huge + "], stride = [" + huge + "], causal = [1]>", "", {}, {}, 5, 8, "[?]", "[?]"},
      [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; });
  checkSet({"neighborhood<size = [3], dilation = [" + huge + "]>", "", {}, {}, 5, 8, "[?]", "[?]"},
           [](int64_t, int64_t, int64_t i, int64_t j) { return i == j; });
  checkSet({"halo<block = [" + huge + "], halo = [" + huge + "]>", "", {}, {}, 5, 8, "[?]", "[?]"}, all);
  checkSet({"disc<radius = %r>", ", %r: i64", {}, {integerParam(INT64_MAX)}, 5, 8, "[?]", "[?]"}, all);
  checkSet({"disc<radius = %r>", ", %r: i64", {}, {integerParam(INT64_MIN)}, 5, 8, "[?]", "[?]"},
           [](int64_t, int64_t, int64_t, int64_t) { return false; });
}

void checkHalo(const Point &block, const Point &halo, bool padded) {
  const std::string set = "halo<block = " + textOf(block) + ", halo = " + textOf(halo) + (padded ? ", padded>" : ">");
  for (const Grids &g : gridsOf(block.size()))
    checkGrid(set, g, [&](const Point &x, const Point &y, const Point &) {
      bool near = true;
      for (size_t a = 0; a < block.size(); ++a) {
        int64_t begin = x[a] / block[a] * block[a];
        near &= padded ? begin <= y[a] && y[a] < begin + block[a] + 2 * halo[a]
                       : begin - halo[a] <= y[a] && y[a] < begin + block[a] + halo[a];
      }
      return near;
    });
}

TEST(GridSet, Halo) {
  for (bool padded : {false, true}) {
    checkHalo({1}, {0}, padded);
    checkHalo({3}, {1}, padded);
    checkHalo({2, 3}, {1, 2}, padded);
    checkHalo({4, 4}, {0, 1}, padded);
    checkHalo({2, 1, 3}, {1, 1, 0}, padded);
  }
}

TEST(GridSet, Disc) {
  for (unsigned rank : {1, 2, 3})
    for (int64_t radius : {-3, 0, 1, 2, 3, 50})
      for (Grids g : gridsOf(rank)) {
        g.args += ", %r: index";
        g.params.push_back(integerParam(radius));
        checkGrid("disc<radius = %r>", g, [&](const Point &x, const Point &y, const Point &) {
          int64_t sum = 0;
          for (size_t a = 0; a < x.size(); ++a)
            sum += (x[a] - y[a]) * (x[a] - y[a]);
          return radius > 0 && sum < radius * radius;
        });
      }
}

TEST(GridSet, TextBeforeAnImage) {
  checkSet({"global<%text> or disc<radius = 2>",
            ", %text: index",
            {},
            {integerParam(3)},
            15,
            15,
            "[?, 4]",
            "[?, 4]",
            "first = %text"},
           [](int64_t, int64_t, int64_t i, int64_t j) {
             if (i < 3 || j < 3)
               return true;
             int64_t dy = (i - 3) / 4 - (j - 3) / 4, dx = (i - 3) % 4 - (j - 3) % 4;
             return dy * dy + dx * dx < 4;
           });
}

TEST(GridSet, NoTokenStandsOnTheGrid) {
  for (int64_t first : {8, 100})
    checkSet({"neighborhood<size = [3, 3]> or not not halo<block = [2, 2], halo = [1, 1]>",
              ", %f: index",
              {},
              {integerParam(first)},
              5,
              8,
              "[?, 4]",
              "[?, 4]",
              "first = %f"},
             [](int64_t, int64_t, int64_t, int64_t) { return false; });
}

TEST(GridSet, StaticGridsSayTheTokens) {
  auto message = [](int64_t I, int64_t J, std::string first, std::string args = "",
                    std::vector<attn_scalar> params = {}) {
    SetCase c{"halo<block = [2, 2], halo = [1, 1]>", args, {}, params, I, J, "[2, 3]", "[?, 4]", first};
    Program program(c.text());
    auto made = c.call().tryCreate(program);
    return made ? std::string() : llvm::toString(made.takeError());
  };
  EXPECT_EQ(message(6, 9, ""), "");
  EXPECT_EQ(message(8, 9, "first = 2"), "");
  EXPECT_NE(message(7, 9, "").find("ATTN_E_SHAPE: axis 2 of 'q' has extent 7, expected 6"), std::string::npos);
  EXPECT_NE(message(6, 9, "first = 2").find("expected 8"), std::string::npos);
  EXPECT_EQ(message(7, 9, "first = %f", ", %f: index", {integerParam(2)}), ""); // only the call knows
}

} // namespace
