// Reductions, the epilogue, weights of pairs and columns.
#include "Probe.h"

using namespace attn::test;

namespace {

Probe probe(std::string clauses, std::vector<Output> outputs) {
  Probe p;
  p.q = {1, -0.5, 2};
  p.k = {0.5, -1.25, 2, 0.75, -3, 1.5};
  p.v = {1, -2, 3, 0.5, 4, -1.5};
  p.clauses = std::move(clauses);
  p.outputs = std::move(outputs);
  return p;
}

std::vector<double> softmax(const std::vector<double> &s) {
  double total = 0;
  for (double x : s)
    total += std::exp(x);
  std::vector<double> w;
  for (double x : s)
    w.push_back(std::exp(x) / total);
  return w;
}

double number(const RowResult &row, const char *name) { return row.outputs.at(name).at(0); }

const std::string kLoad = "{ %x = attn.load %t[%j] : tensor<?xf32> %y = arith.addf %s, %x : f32 attn.yield %y : f32 }";

TEST(Reduce, OfScores) {
  Probe p = probe("reduce w = weighted reduce a = sum reduce b = max reduce c = min reduce id = argmax",
                  {{"w", "b, i"}, {"a", "b, i"}, {"b", "b, i"}, {"c", "b, i"}, {"id", "b, i", "i32"}});
  p.expect("w", [&](int64_t b, int64_t i) {
    const auto s = p.scores(b, i), w = softmax(s);
    double sum = 0;
    for (size_t j = 0; j < s.size(); ++j)
      sum += w[j] * s[j];
    return std::vector<double>{sum};
  });
  p.expect("a", [&](int64_t b, int64_t i) {
    double sum = 0;
    for (double s : p.scores(b, i))
      sum += s;
    return std::vector<double>{sum};
  });
  p.expect(
      "b",
      [&](int64_t b, int64_t i) {
        const auto s = p.scores(b, i);
        return std::vector<double>{*std::max_element(s.begin(), s.end())};
      },
      0, 0);
  p.expect(
      "c",
      [&](int64_t b, int64_t i) {
        const auto s = p.scores(b, i);
        return std::vector<double>{*std::min_element(s.begin(), s.end())};
      },
      0, 0);
  p.expect(
      "id",
      [&](int64_t b, int64_t i) {
        const auto s = p.scores(b, i);
        return std::vector<double>{double(std::max_element(s.begin(), s.end()) - s.begin())};
      },
      0, 0);
}

TEST(Reduce, OfRegions) { // over the present pairs alone
  Probe p = probe("set = causal<top_left> reduce w = weighted(%s, j = %j) " + kLoad + " reduce a = sum(%s, j = %j) " +
                      kLoad + " reduce id = argmax(%s, j = %j) " + kLoad,
                  {{"id", "b, i", "i64"}, {"w", "b, i"}, {"a", "b, i"}});
  p.args = ", %t: tensor<?xf32>";
  p.captured = {Tensor(Format::F32, {6}, {1, 9, -2, 0, 0, 0})};
  const std::vector<double> t = {1, 9, -2};
  auto numbers = [&](int64_t b, int64_t i) {
    std::vector<double> f;
    for (int64_t j = 0; j <= i; ++j)
      f.push_back(p.score(b, i, j) + t[j]);
    return f;
  };
  p.expect("a", [&](int64_t b, int64_t i) {
    double sum = 0;
    for (double f : numbers(b, i))
      sum += f;
    return std::vector<double>{sum};
  });
  p.expect(
      "id",
      [&](int64_t b, int64_t i) {
        const auto f = numbers(b, i);
        return std::vector<double>{double(std::max_element(f.begin(), f.end()) - f.begin())};
      },
      0, 0);
  p.expect("w", [&](int64_t b, int64_t i) {
    auto s = p.scores(b, i);
    s.resize(i + 1);
    const auto f = numbers(b, i), w = softmax(s);
    double sum = 0;
    for (size_t j = 0; j < w.size(); ++j)
      sum += w[j] * f[j];
    return std::vector<double>{sum};
  });
}

const std::vector<Output> kAll = {{"o", "b, i, e"}, {"w", "b, i"},   {"a", "b, i"},    {"b", "b, i"},
                                  {"c", "b, i"},    {"lse", "b, i"}, {"p", "b, i, j"}, {"id", "b, i", "i64"}};
const std::string kAllClauses = " reduce w = weighted reduce a = sum reduce b = max reduce c = min reduce id = argmax";

TEST(Reduce, EmptyRows) {
  for (Precision precision : {Precision::Double, Precision::Plain}) {
    RowResult row = probe("set = empty" + kAllClauses, kAll).row(0, 1, precision);
    EXPECT_EQ(row.outputs["o"], std::vector<double>({0, 0}));
    EXPECT_EQ(row.outputs["p"], std::vector<double>(6, 0));
    EXPECT_EQ(number(row, "w"), 0);
    EXPECT_EQ(number(row, "a"), 0);
    EXPECT_EQ(number(row, "b"), -kInf);
    EXPECT_EQ(number(row, "c"), kInf);
    EXPECT_EQ(number(row, "lse"), -kInf);
    EXPECT_EQ(number(row, "id"), -1);
  }
  // With a seed the finish runs; there is still no pair.
  Probe p = probe("set = empty normalize = @softmax1" + kAllClauses, kAll);
  EXPECT_EQ(number(p.row(0, 0), "w"), 0);
  EXPECT_EQ(number(p.row(0, 0), "lse"), 0);
  EXPECT_EQ(number(p.row(0, 0), "id"), -1);
}

TEST(Reduce, NotFiniteScores) {
  Probe p = probe("set = causal<top_left>" + kAllClauses, kAll);
  p.q = {1, 1, 1, 1, 1, 1};
  p.k = {0.5, kInf, -kInf, 2, kNaN, kNaN};
  RowResult row = p.row(0, 3);
  EXPECT_TRUE(std::isnan(row.outputs["o"][1]) && std::isnan(number(row, "w")) && std::isnan(number(row, "lse")));
  expectValues(row.outputs["p"], {kNaN, kNaN, 0, kNaN, 0, 0}, 0, "p");
  EXPECT_EQ(number(row, "a"), kInf);
  EXPECT_EQ(number(row, "b"), kInf);
  EXPECT_EQ(number(row, "c"), 0.5);
  EXPECT_EQ(number(row, "id"), 1);
  row = p.row(0, 5);
  EXPECT_TRUE(std::isnan(number(row, "a")) && std::isnan(number(row, "b")) && std::isnan(number(row, "c")));
  EXPECT_EQ(number(row, "id"), 4); // the first NaN
}

TEST(Reduce, TiesAndInfinities) {
  Probe p =
      probe("reduce id = argmax reduce z = argmax(%s) { %c = arith.constant 0xFF800000 : f32 attn.yield %c : f32 }",
            {{"id", "b, i", "i64"}, {"z", "b, i", "i64"}});
  p.q = {1};
  p.k = {-kInf, 1, 2, 0, 2, 2};
  EXPECT_EQ(number(p.row(0, 0), "id"), 2);
  EXPECT_EQ(number(p.row(0, 0), "z"), 1); // every number is -inf: the first present key
}

TEST(Reduce, BadIndices) {
  Probe p = probe("reduce a = sum(%s, j = %j) " + kLoad + " reduce b = max(%s, j = %j) " + kLoad,
                  {{"lse", "b, i"}, {"a", "b, i"}});
  p.args = ", %t: tensor<?xf32>";
  p.captured = {Tensor(Format::F32, {4}, {1, 1, 1, 1})};
  RowResult row = p.row(0, 0);
  EXPECT_TRUE(row.badIndex);
  EXPECT_EQ(row.visible, 4); // the pairs are absent from all outputs
  expectValue(number(row, "a"), 0.5 - 1.25 + 2 + 0.75 + 4, 1e-15, "a");
  expectValue(number(row, "lse"), std::log(std::exp(0.5) + std::exp(-1.25) + std::exp(2) + std::exp(0.75)), 1e-15, "l");
  p.outputs = {{"lse", "b, i"}};
  EXPECT_FALSE(p.row(0, 0).badIndex); // what nobody asks for reads nothing
}

TEST(Reduce, ZeroWeightsTakeNothing) {
  Probe p = probe("normalize = @identity reduce w = weighted(%s, j = %j) { %x = attn.load %t[%j] : tensor<?xf32> "
                  "attn.yield %x : f32 }",
                  {{"w", "b, i"}});
  p.q = {1};
  p.k = {1, 0, 2, 0, 0, 0};
  p.args = ", %t: tensor<?xf32>";
  p.captured = {Tensor(Format::F32, {6}, {3, kNaN, 5, kInf, 0, 0})};
  EXPECT_EQ(number(p.row(0, 0), "w"), 13);
}

TEST(Outputs, WithoutValues) {
  Probe p = probe("reduce id = argmax", {{"lse", "b, i"}, {"p", "b, i, j"}, {"id", "b, i", "i32"}});
  p.valueless = true;
  p.expect("p", [&](int64_t b, int64_t i) { return softmax(p.scores(b, i)); });
  p.expect("lse", [&](int64_t b, int64_t i) {
    double total = 0;
    for (double s : p.scores(b, i))
      total += std::exp(s);
    return std::vector<double>{std::log(total)};
  });
}

TEST(Outputs, DropoutIsOfValuesAlone) {
  Probe p = probe("dropout(seed = 3, probability = 0.5) reduce w = weighted",
                  {{"o", "b, i, e"}, {"p", "b, i, j"}, {"w", "b, i"}});
  p.expect("p", [&](int64_t b, int64_t i) { return softmax(p.scores(b, i)); });
  p.expect("w", [&](int64_t b, int64_t i) {
    const auto s = p.scores(b, i), w = softmax(s);
    double sum = 0;
    for (size_t j = 0; j < s.size(); ++j)
      sum += w[j] * s[j];
    return std::vector<double>{sum};
  });
  Probe whole = probe("", {{"o", "b, i, e"}});
  EXPECT_GT(std::abs(number(p.row(0, 0), "o") - number(whole.row(0, 0), "o")), 1e-3);
}

const std::string kEpilogue = R"(reduce top = max
  epilogue(o = %o, lse = %l, top = %m, b = %b, i = %i, e = %e) -> (o, gap) {
    %x = attn.load %g[%b, %i, %e] : tensor<?x?x?xf32>
    %y = arith.mulf %o, %x : f32
    %gap = arith.subf %l, %m : f32
    attn.yield %y, %gap : f32, f32
  } )";

TEST(Epilogue, Elementwise) {
  Probe p = probe(kEpilogue, {{"o", "b, i, e"}, {"gap", "b, i"}, {"lse", "b, i"}});
  p.args = ", %g: tensor<?x?x?xf32>";
  p.captured = {Tensor::random(Format::F32, {2, 3, 2}, 5)};
  p.expect(
      "o",
      [&](int64_t b, int64_t i) {
        const auto w = softmax(p.scores(b, i));
        std::vector<double> o(2, 0);
        for (int64_t e = 0; e < 2; ++e) {
          for (size_t j = 0; j < w.size(); ++j)
            o[e] += w[j] * p.value((int64_t)j, e);
          o[e] *= p.captured[0]({b, i, e});
        }
        return o;
      },
      1e-5);
  p.expect("gap", [&](int64_t b, int64_t i) {
    const auto s = p.scores(b, i);
    double total = 0, top = *std::max_element(s.begin(), s.end());
    for (double x : s)
      total += std::exp(x - top);
    return std::vector<double>{std::log(total)};
  });
}

TEST(Epilogue, BadIndices) {
  Probe p = probe(kEpilogue, {{"o", "b, i, e"}, {"gap", "b, i"}});
  p.args = ", %g: tensor<?x?x?xf32>";
  p.captured = {Tensor(Format::F32, {2, 2, 1}, {1, 1, 1, 1})};
  RowResult row = p.row(0, 1);
  EXPECT_TRUE(row.badIndex);
  EXPECT_EQ(row.visible, 6);
  EXPECT_TRUE(std::isfinite(row.outputs["o"][0]));
  EXPECT_TRUE(std::isnan(row.outputs["o"][1]));
  row = p.row(0, 2);
  EXPECT_TRUE(std::isnan(row.outputs["o"][0]) && std::isfinite(number(row, "gap")));
  p.outputs = {{"gap", "b, i"}};
  EXPECT_FALSE(p.row(0, 2).badIndex);
}

TEST(Epilogue, EmptyAndNotFiniteRows) {
  Probe p = probe("set = empty reduce top = max epilogue(o = %o, lse = %l, top = %m) -> (x, y) { "
                  "%one = arith.constant 1.0 : f32 %x = arith.addf %o, %one : f32 %c = arith.cmpf olt, %l, %m : f32 "
                  "%y = arith.select %c, %l, %one : f32 attn.yield %x, %y : f32, f32 }",
                  {{"x", "b, i, e"}, {"y", "b, i"}});
  p.expect("x", [&](int64_t, int64_t) { return std::vector<double>{1, 1}; }, 0, 0);
  p.expect("y", [&](int64_t, int64_t) { return std::vector<double>{1}; }, 0, 0);
  p.clauses.replace(0, 11, "");
  p.q = {1};
  p.k = {kInf, 1, 1, 1, 1, 1}; // lse is NaN: the comparison is false
  expectValues(p.row(0, 0).outputs["x"], {kNaN, kNaN}, 0, "x");
  EXPECT_EQ(number(p.row(0, 0), "y"), 1);
}

TEST(Columns, Sums) {
  Probe p = probe("set = causal<top_left> columns mass = sum(%w, %s) { attn.yield %w : f32 } "
                  "columns f = sum(%w, %s, b = %b, i = %i, j = %j) { %x = attn.load %t[%b, %i, %j] : tensor<?x?x?xf32> "
                  "%y = arith.mulf %w, %x : f32 %z = arith.addf %y, %s : f32 attn.yield %z : f32 } "
                  "aggregate out = %u[b, i, e]",
                  {{"lse", "b, i"}, {"mass", "b, j"}, {"f", "b, j"}, {"out", "b, j, e"}});
  p.args = ", %t: tensor<?x?x?xf32>, %u: tensor<?x?x2xf32>";
  Tensor t = Tensor::random(Format::F32, {2, 3, 6}, 7), u = Tensor::random(Format::F32, {2, 3, 2}, 8);
  p.captured = {t, u};
  for (int64_t b = 0; b < 2; ++b) {
    std::vector<double> mass(6, 0), f(6, 0), out(12, 0);
    for (int64_t i = 0; i < 3; ++i) {
      auto s = p.scores(b, i);
      s.resize(i + 1);
      const auto w = softmax(s);
      for (int64_t j = 0; j <= i; ++j) {
        mass[j] += w[j];
        f[j] += w[j] * t({b, i, j}) + s[j];
        for (int64_t e = 0; e < 2; ++e)
          out[2 * j + e] += w[j] * u({b, i, e});
      }
    }
    for (Precision precision : {Precision::Double, Precision::Plain}) {
      const double tolerance = precision == Precision::Double ? 1e-13 : 4e-6;
      ColumnResult got = p.columns(b, precision);
      EXPECT_FALSE(got.badIndex);
      EXPECT_EQ(got.outputs.size(), 3u);
      expectValues(got.outputs["mass"], mass, tolerance, "mass");
      expectValues(got.outputs["f"], f, tolerance, "f");
      expectValues(got.outputs["out"], out, tolerance, "out");
    }
  }
  EXPECT_EQ(p.row(0, 0).outputs.size(), 1u); // rows have the others
}

TEST(Columns, NotFiniteRowsAndZeroWeights) {
  Probe p = probe("set = causal<top_left> normalize = @relu_n columns mass = sum(%w, %s) { attn.yield %w : f32 } "
                  "aggregate out = %u[b, i, e]",
                  {{"mass", "b, j"}, {"out", "b, j, e"}});
  p.args = ", %u: tensor<?x?x2xf32>";
  p.q = {1, 1, 1, 1};
  p.k = {-1, 2, 0.5, kInf};
  p.v = {1, 1, 1, 1};
  // Row 0 weighs key 0 with 0: its NaN counts nowhere. Row 3 makes every key NaN.
  p.captured = {Tensor(Format::F32, {2, 4, 2}, {kNaN, kInf, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})};
  ColumnResult got = p.columns(0);
  expectValues(got.outputs["mass"], {kNaN, kNaN, kNaN, kNaN}, 0, "mass");
  p.k = {-1, 2, 0.5, -kInf};
  got = p.columns(0);
  expectValues(got.outputs["mass"], {0, 1 + 2.0 / 3 * 2, 1.0 / 6 * 2, 0}, 1e-15, "mass");
  expectValues(got.outputs["out"], {0, 0, 1 + 2, 2 + 4 * 2.0 / 3, 0.5, 4.0 / 6, 0, 0}, 1e-15, "out");
}

TEST(Columns, BadIndices) { // the pair is left out of that column
  Probe p = probe("columns f = sum(%w, %s, i = %i) { %x = attn.load %t[%i] : tensor<?xf32> attn.yield %x : f32 } "
                  "columns mass = sum(%w, %s) { attn.yield %w : f32 }",
                  {{"f", "b, j"}, {"mass", "b, j"}});
  p.args = ", %t: tensor<?xf32>";
  p.captured = {Tensor(Format::F32, {2}, {1, 2})};
  ColumnResult got = p.columns(0);
  EXPECT_TRUE(got.badIndex);
  expectValues(got.outputs["f"], std::vector<double>(6, 3), 0, "f");
  double total = 0;
  for (double w : got.outputs["mass"])
    total += w;
  expectValue(total, 3, 1e-14, "every row's weights sum to 1");
}

TEST(Columns, SixteenBits) { // in plain the weights meet u in 16 bits, and the sums of weights do not
  Probe p = probe("columns mass = sum(%w, %s) { attn.yield %w : f32 } aggregate out = %u[b, i, e]",
                  {{"mass", "b, j", "f32"}, {"out", "b, j, e"}});
  p.element = "bf16";
  p.args = ", %u: tensor<?x?x2xbf16>";
  p.q = {1};
  p.k = {0, -1};
  p.v = {1, 1};
  p.captured = {Tensor(Format::BF16, {2, 1, 2}, {1, 2, 1, 2})};
  ColumnResult got = p.columns(0, Precision::Plain);
  const float l = 1 + std::exp(-1.0f), w = std::exp(-1.0f) / l;
  EXPECT_EQ(got.outputs["mass"][1], w);
  EXPECT_EQ(got.outputs["out"][2], attn::interpreter::roundTo<double>(Format::BF16, w));
}

} // namespace
