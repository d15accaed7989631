// Clauses of normalizers that the library does not use, or not in every way: parameters, several weights, classes,
// counts, seeds, statistics, roots.
#include "Probe.h"

using namespace attn::test;

namespace {

Probe probe(std::string normalizers, std::string clauses) {
  Probe p;
  p.q = {1, -0.5, 2};
  p.k = {0.5, -1.25, 2, 0.75, -3, 1.5};
  p.v = {1, -2, 3, 0.5, 4, -1.5};
  p.normalizers = std::move(normalizers);
  p.clauses = std::move(clauses);
  return p;
}

const std::string kExponential = R"( ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32 %g = math.exp %d : f32 attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32 %p = math.exp %d : f32 attn.yield %p : f32 }
)";

// w = a s + b
const std::string kAffine = R"(
attn.normalizer @affine(%a, %b) {
  attn.pass ref = none
    phi(%s) { %x = arith.mulf %s, %a : f32 %y = arith.addf %x, %b : f32 attn.yield %y : f32 } sums(n = value)
  attn.finish(%n) { attn.yield %n, %b : f32, f32 } outputs(o, b) empty(0.0, 0.0)
}
)";

std::vector<double> affine(const Probe &p, int64_t b, int64_t i, double x, double y) {
  std::vector<double> o(2, 0);
  for (int64_t j = 0; j < 6; ++j)
    for (int e = 0; e < 2; ++e)
      o[e] += (p.score(b, i, j) * x + y) * p.value(j, e);
  return o;
}

TEST(Step, ParametersOfTensors) {
  Probe p = probe(kAffine, "normalize = @affine(%a[b floordiv 2, 1, i], %b[b])");
  p.args = ", %a: tensor<?x2x?xf32>, %b: tensor<?xbf16>";
  p.captured = {Tensor(Format::F32, {1, 2, 3}, {9, 9, 9, 0.5, -2, 3}), Tensor(Format::BF16, {2}, {0.25, 4})};
  p.expect(
      "o", [&](int64_t b, int64_t i) { return affine(p, b, i, p.captured[0]({0, 1, i}), p.captured[1]({b})); }, 4e-5);
}

TEST(Step, ParametersOfCallsAndText) {
  Probe p = probe(kAffine, "normalize = @affine(%x, 0.1)");
  p.args = ", %x: f32";
  p.params = {floatParam(0.1)};
  p.outputs = {{"o", "b, i, e"}, {"b", "b, i"}};
  p.expect("o", [&](int64_t b, int64_t i) { return affine(p, b, i, 0.1f, 0.1f); }, 4e-5);
  p.expect("b", [&](int64_t, int64_t) { return std::vector<double>{0.1f}; }, 0, 0);
  p.element = "f64"; // f32 of a normalizer stands for f64 then
  p.args = ", %x: f64";
  p.expect("b", [&](int64_t, int64_t) { return std::vector<double>{0.1}; }, 0, 0);
  p.expect("o", [&](int64_t b, int64_t i) { return affine(p, b, i, 0.1, 0.1); }, 1e-14, 1e-14);
}

TEST(Step, ParametersAreBound) {
  Probe p = probe(kAffine, "normalize = @affine(%a[b], 0.0)");
  p.args = ", %a: tensor<?xf32>";
  Program program(p.text());
  Tensor q(Format::F32, {2, 1, 1}, {1, 1}), v(Format::F32, {2, 1, 2}, {1, 1, 1, 1});
  auto made = Call{{q, q, v, Tensor(Format::F32, {3}, {1, 1, 1})}}.tryCreate(program);
  ASSERT_FALSE(!!made);
  EXPECT_EQ(llvm::toString(made.takeError()).find("ATTN_E_SHAPE"), 0u);
}

// o = n0 / l0 - t n1 / l1 over two classes of keys; the second weight is e^(2 (s - r)).
const std::string kClasses = R"(
attn.normalizer @classes(%t) {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32 %g = math.exp %d : f32 attn.yield %g : f32 }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32 %p = math.exp %d : f32 %h = arith.constant 0.5 : f32 %q = arith.mulf %p, %h : f32
      attn.yield %p, %q : f32, f32
    }
    sums(l0 = one in 0, n0 = value in 0, c = count in 1, l1 = one of 1 in 1, n1 = value of 1 in 1, all = count)
  attn.finish(%r, %l0, %n0, %c, %l1, %n1, %all) {
    %x = arith.divf %n0, %l0 : f32  %y = arith.divf %n1, %l1 : f32  %z = arith.mulf %y, %t : f32
    %o = arith.subf %x, %z : f32  %u = math.exp %r : f32  %w = arith.mulf %l1, %u : f32
    %m = arith.mulf %w, %c : f32  %k = arith.addf %m, %all : f32
    attn.yield %o, %k : f32, f32
  } outputs(o, count) empty(0.0, 0.0)
}
)";

TEST(Step, WeightsAndClasses) {
  Probe p = probe(kClasses, "normalize = @classes(0.5) class(i = %i, j = %j) { %x = attn.load %c[%j] : tensor<?xi32> "
                            "attn.yield %x : i32 }");
  p.args = ", %c: tensor<?xi32>";
  p.captured = {Tensor(Format::I32, {6}, {0, 1, 0, 2, 1, 1})}; // key 3 is in neither
  const std::vector<int> of = {0, 1, 0, 2, 1, 1};
  auto weights = [&](int64_t b, int64_t i) {
    double l[3] = {};
    for (int64_t j = 0; j < 6; ++j)
      l[of[j]] += std::exp(p.score(b, i, j));
    std::vector<double> w(6, 0);
    for (int64_t j = 0; j < 6; ++j)
      w[j] = of[j] == 2 ? 0 : (of[j] ? -0.5 : 1) * std::exp(p.score(b, i, j)) / l[of[j]];
    return w;
  };
  p.expect(
      "o",
      [&](int64_t b, int64_t i) {
        std::vector<double> o(2, 0), w = weights(b, i);
        for (int64_t j = 0; j < 6; ++j)
          for (int e = 0; e < 2; ++e)
            o[e] += w[j] * p.value(j, e);
        return o;
      },
      1e-5);
  p.outputs = {{"p", "b, i, j"}, {"count", "b, i"}};
  p.expect("p", weights);
  p.expect("count", [&](int64_t b, int64_t i) {
    double l = 0;
    for (int64_t j = 0; j < 6; ++j)
      l += of[j] == 1 ? std::exp(p.score(b, i, j)) / 2 : 0;
    return std::vector<double>{3 * l + 6};
  });
  p.captured = {Tensor(Format::I32, {6}, {5, 5, 5, 5, 5, 5})}; // no key in either class: 0 / 0
  p.outputs = {{"o", "b, i, e"}};
  p.expect("o", [&](int64_t, int64_t) { return std::vector<double>{kNaN, kNaN}; });
}

TEST(Step, ClassesLoadAtBadIndices) {
  const std::string load = " class(j = %j) { %x = attn.load %c[%n] : tensor<?xi32> attn.yield %x : i32 }";
  std::string clauses = "normalize = @classes(0.5)" + load;
  clauses.replace(clauses.find("%x = "), 0, "%t = arith.constant 2 : index %n = arith.muli %j, %t : index ");
  Probe p = probe(kClasses, clauses);
  p.args = ", %c: tensor<?xi32>";
  p.captured = {Tensor(Format::I32, {9}, {0, 9, 1, 9, 0, 9, 0, 9, 1})}; // keys 0 to 4
  p.outputs = {{"count", "b, i"}};
  RowResult row = p.row(0, 0);
  EXPECT_TRUE(row.badIndex);
  EXPECT_EQ(row.visible, 5);
  const double l = std::exp(-1.25) / 2 + std::exp(-3) / 2;
  expectValues(row.outputs["count"], {2 * l + 5}, 1e-13, "count");
  p.normalizers = "";
  p.clauses = load.substr(0, load.find("%x")) + "%t = arith.constant 9 : index " + load.substr(load.find("%x"));
  p.clauses.replace(p.clauses.find("[%n]"), 4, "[%t]");
  p.outputs = {{"lse", "b, i"}};
  EXPECT_FALSE(p.row(0, 0).badIndex); // softmax has no classes: the region is not used
}

// A seed in the first of two passes, with a count, and its statistics in the second.
const std::string kSeeded = "attn.normalizer @seeded(%a) {\n %m, %t, %c = attn.pass" + kExponential + R"(
    seed { %x = arith.addf %a, %a : f32 %two = arith.constant 2.0 : f32 %ten = arith.constant 10.0 : f32
           attn.yield %x, %two, %ten : f32, f32, f32 }
    sums(l = one, n = count)
    stat(%r, %l, %n) { %g = math.log %l : f32 %e = arith.addf %r, %g : f32 attn.yield %r, %e, %n : f32, f32, f32 }
  attn.pass ref = none
    phi(%s) { %d = arith.subf %s, %t : f32 %w = math.exp %d : f32 attn.yield %w : f32 }
    sums(n = value)
  attn.finish(%n) { attn.yield %n, %m, %t, %c : f32, f32, f32, f32 } outputs(o, m, t, c) empty(7.0, 7.0, 7.0, 7.0)
}
)";

TEST(Step, SeedsAndStatistics) {
  Probe p = probe(kSeeded, "set = causal<top_left> normalize = @seeded(%a[b])");
  p.args = ", %a: tensor<?xf32>";
  p.outputs = {{"o", "b, i, e"}, {"m", "b, i"}, {"t", "b, i"}, {"c", "b, i"}};
  for (std::vector<double> seeds : {std::vector<double>{5, -4}, {-0.125, 0.5}}) {
    p.captured = {Tensor(Format::F32, {2}, seeds)};
    auto total = [&](int64_t b, int64_t i, double &m) {
      m = 2 * seeds[b];
      for (int64_t j = 0; j <= i; ++j)
        m = std::max(m, p.score(b, i, j));
      double l = 2 * std::exp(2 * seeds[b] - m);
      for (int64_t j = 0; j <= i; ++j)
        l += std::exp(p.score(b, i, j) - m);
      return l;
    };
    double m;
    p.expect("t", [&](int64_t b, int64_t i) {
      const double l = total(b, i, m);
      return std::vector<double>{std::log(l) + m};
    });
    p.expect("m", [&](int64_t b, int64_t i) { return total(b, i, m), std::vector<double>{m}; }, 0, 0);
    p.expect("c", [&](int64_t, int64_t i) { return std::vector<double>{double(i + 1) + 10}; }, 0, 0);
    p.expect("o", [&](int64_t b, int64_t i) {
      const double l = total(b, i, m);
      std::vector<double> o(2, 0);
      for (int64_t j = 0; j <= i; ++j)
        for (int e = 0; e < 2; ++e)
          o[e] += std::exp(p.score(b, i, j) - m) / l * p.value(j, e);
      return o;
    });
  }
  p.clauses = "set = empty normalize = @seeded(%a[b])"; // no row is empty with a seed
  p.captured = {Tensor(Format::F32, {2}, {5, -kInf})};
  p.expect("t", [&](int64_t b, int64_t) { return std::vector<double>{b ? 7.0 : 10 + std::log(2.0)}; });
  p.expect("c", [&](int64_t b, int64_t) { return std::vector<double>{b ? 7.0 : 10.0}; }, 0, 0);
  p.expect("m", [&](int64_t b, int64_t) { return std::vector<double>{b ? 7.0 : 10.0}; }, 0, 0);
  p.expect("o", [&](int64_t b, int64_t) { return std::vector<double>(2, b ? 7.0 : 0.0); }, 0, 0);
}

// A seed with a value: half the weight of its reference.
const std::string kValued = "attn.normalizer @valued(%a) {\n attn.pass" + kExponential + R"(
    seed { %one = arith.constant 1.0 : f32 %half = arith.constant 0.5 : f32 attn.yield %a, %one, %half : f32, f32, f32 }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32 attn.yield %o : f32 } outputs(o) empty(0.0)
}
)";

TEST(Step, SeedsOfValues) {
  for (double a : {-3.0, 0.5, 9.0}) {
    SCOPED_TRACE(a);
    Probe p = probe(kValued, "normalize = @valued(%a) reduce one = weighted(%s) { %c = arith.constant 1.0 : f32 "
                             "attn.yield %c : f32 }");
    p.args = ", %a: f32";
    p.params = {floatParam(a)};
    p.outputs = {{"o", "b, i, e"}, {"p", "b, i, j"}, {"one", "b, i"}};
    auto total = [&](int64_t b, int64_t i) {
      double l = std::exp(a);
      for (double s : p.scores(b, i))
        l += std::exp(s);
      return l;
    };
    p.expect(
        "o",
        [&](int64_t b, int64_t i) {
          std::vector<double> o(2, std::exp(a) / 2 / total(b, i));
          for (int64_t j = 0; j < 6; ++j)
            for (int e = 0; e < 2; ++e)
              o[e] += std::exp(p.score(b, i, j)) / total(b, i) * p.value(j, e);
          return o;
        },
        1e-5);
    p.expect("p", [&](int64_t b, int64_t i) {
      std::vector<double> w;
      for (double s : p.scores(b, i))
        w.push_back(std::exp(s) / total(b, i));
      return w;
    });
    // The seed's value belongs to no key.
    p.expect("one", [&](int64_t b, int64_t i) { return std::vector<double>{1 - std::exp(a) / total(b, i)}; });
  }
}

// tau: the largest x in [lo, hi] with sum max(s - x, 0) >= c.
const std::string kRoot = R"(
attn.normalizer @root(%c, %lo, %hi) {
  %tau = attn.root
    phi(%s, %x) { %zero = arith.constant 0.0 : f32 %d = arith.subf %s, %x : f32 %p = arith.maximumf %d, %zero : f32
                  attn.yield %p : f32 }
    to { attn.yield %c, %lo, %hi : f32, f32, f32 } at_most 60
  attn.pass ref = none phi(%s) { attn.yield %s : f32 } sums(n = value)
  attn.finish(%n) { attn.yield %n, %tau : f32, f32 } outputs(o, tau) empty(0.0, 5.0)
}
)";

double rootOf(Probe p, const char *arguments, Precision precision = Precision::Double) {
  p.clauses = std::string("normalize = @root(") + arguments + ")";
  p.outputs = {{"tau", "b, i"}};
  return p.row(0, 0, precision).outputs["tau"][0];
}

TEST(Step, Roots) {
  Probe p = probe(kRoot, "");
  // Scores 2, 1.5, 0.75, 0.5, -1.25, -3: F(0.75) = 2, F(1.75) = 0.25.
  EXPECT_NEAR(rootOf(p, "2.0, -8.0, 8.0"), 0.75, 1e-15);
  EXPECT_NEAR(rootOf(p, "0.25, -8.0, 8.0"), 1.75, 1e-15);
  EXPECT_EQ(rootOf(p, "2.0, -8.0, 0.5"), 0.5); // F(hi) is larger still
  EXPECT_EQ(rootOf(p, "2.0, 0.5, 0.5"), 0.5);
  const double plain = rootOf(p, "1.0, -8.0, 8.0", Precision::Plain); // F(1.25) = 1
  EXPECT_EQ(plain, (float)plain);
  EXPECT_LE(plain, 1.25);
  EXPECT_GE(plain, 1.25 - 8 * 0x1p-22);
  const double third = rootOf(p, "0.1, -8.0, 8.0");
  EXPECT_NEAR(third, 2 - double(0.1f), 1e-15);
  EXPECT_LE(2 - third, 0.1f * (1 + 1e-14));
}

TEST(Step, RootOfAnEmptyRow) {
  Probe p = probe(kRoot, "set = empty normalize = @root(1.0, -8.0, 8.0)");
  p.outputs = {{"tau", "b, i"}};
  p.expect("tau", [](int64_t, int64_t) { return std::vector<double>{5}; }, 0, 0);
}

TEST(Step, WeightsOfZeroTakeNoValue) { // 0 * NaN is 0 there
  Probe p = probe("", "normalize = @relu_n");
  p.q = {1};
  p.v = {1, kNaN, 3, 0.5, kInf, -1.5};
  RowResult row = p.row(0, 0);
  const double o = (0.5 * 1 + 2 * 3 + 0.75 * 0.5 - 1.5 * 1.5) / 6;
  expectValues(row.outputs["o"], {o, 10 * o}, 1e-14, "o");
  EXPECT_TRUE(std::isnan(p.row(1, 0).outputs["o"][0])); // the negated scores weigh exactly those
}

TEST(Step, NotFiniteScores) {
  Probe p = probe("", "set = causal<top_left> normalize = @sigmoid(0.0)");
  p.q = {1, 1, 1, 1};
  p.k = {0.5, -kInf, kInf, 2};
  p.v = {1, 2, 3, 4};
  p.outputs = {{"o", "b, i, e"}, {"p", "b, i, j"}};
  RowResult row = p.row(0, 3);
  expectValues(row.outputs["p"], {kNaN, 0, kNaN, kNaN}, 0, "p");
  EXPECT_TRUE(std::isnan(row.outputs["o"][0]));
  row = p.row(0, 1);
  expectValues(row.outputs["p"], {1 / (1 + std::exp(-0.5)), 0, 0, 0}, 1e-15, "p");
}

} // namespace
