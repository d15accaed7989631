// Every normalizer of the library against its formula.
#include "Probe.h"

#include <algorithm>

using namespace attn::test;

namespace {

using Weights = std::function<std::vector<double>(const std::vector<double> &s, int64_t b, int64_t i)>;

/// Scores of both signs, up to 6; in batch element 1 they are negated.
Probe probe(std::string clauses) {
  Probe p;
  p.q = {1, -0.5, 2, 0.125};
  p.k = {0.5, -1.25, 2, 0.75, -3, 1.5, 2.5};
  p.v = {1, -2, 3, 0.5, 4, -1.5, 0.25};
  p.clauses = std::move(clauses);
  return p;
}

/// o is the weighted sum of the values.
void expectWeights(Probe p, const Weights &weights, double plain = 4e-6, double exact = 1e-12) {
  p.expect(
      "o",
      [&](int64_t b, int64_t i) {
        const auto w = weights(p.scores(b, i), b, i);
        std::vector<double> o(2, 0);
        for (size_t j = 0; j < w.size(); ++j)
          for (int e = 0; e < 2; ++e)
            o[e] += w[j] * p.value((int64_t)j, e);
        return o;
      },
      plain, exact);
  p.outputs = {{"p", "b, i, j"}};
  p.expect("p", [&](int64_t b, int64_t i) { return weights(p.scores(b, i), b, i); }, plain, exact);
}

double sumOf(const std::vector<double> &x) {
  double sum = 0;
  for (double y : x)
    sum += y;
  return sum;
}

std::vector<double> mapped(std::vector<double> x, const std::function<double(double)> &f) {
  for (double &y : x)
    y = f(y);
  return x;
}

double logSum(const std::vector<double> &s) {
  return std::log(sumOf(mapped(s, [](double x) { return std::exp(x); })));
}

TEST(Library, SoftmaxSink) { // a sink below, among and above the scores
  Probe p = probe("normalize = @softmax_sink(%b[b, i])");
  p.args = ", %b: tensor<?x?xf32>";
  p.captured = {Tensor(Format::F32, {2, 4}, {-20, 0.5, 30, 1, 2, 0, -1, 12})};
  const Tensor b = p.captured[0];
  expectWeights(p, [&](const std::vector<double> &s, int64_t batch, int64_t i) {
    const double total = std::exp(b({batch, i})) + std::exp(logSum(s));
    return mapped(s, [&](double x) { return std::exp(x) / total; });
  });
  p.outputs = {{"lse", "b, i"}};
  p.expect("lse", [&](int64_t batch, int64_t i) {
    return std::vector<double>{std::log(std::exp(b({batch, i})) + std::exp(logSum(p.scores(batch, i))))};
  });
}

TEST(Library, SinkOfAnEmptyRow) {
  Probe p = probe("set = empty normalize = @softmax_sink(%b[b])");
  p.args = ", %b: tensor<?xf32>";
  p.captured = {Tensor(Format::F32, {2}, {3, -kInf})};
  p.outputs = {{"o", "b, i, e"}, {"lse", "b, i"}};
  p.expect("o", [&](int64_t, int64_t) { return std::vector<double>{0, 0}; }, 0, 0);
  // A sink of -inf seeds nothing: the row is empty.
  p.expect("lse", [&](int64_t b, int64_t) { return std::vector<double>{b ? -kInf : 3}; }, 0, 0);
}

TEST(Library, SinkWithoutLimit) { // as a score that is +inf or NaN
  Probe p = probe("normalize = @softmax_sink(%b[b])");
  p.args = ", %b: tensor<?xf32>";
  p.captured = {Tensor(Format::F32, {2}, {kInf, kNaN})};
  p.expect("o", [&](int64_t, int64_t) { return std::vector<double>{kNaN, kNaN}; });
}

TEST(Library, Softmax1) {
  Probe p = probe("normalize = @softmax1");
  expectWeights(p, [](const std::vector<double> &s, int64_t, int64_t) {
    const double total = 1 + std::exp(logSum(s));
    return mapped(s, [&](double x) { return std::exp(x) / total; });
  });
  p.outputs = {{"lse", "b, i"}};
  p.clauses = "set = empty normalize = @softmax1";
  p.expect("lse", [](int64_t, int64_t) { return std::vector<double>{0}; }, 0, 0);
}

TEST(Library, Sigmoid) {
  auto of = [](float b) {
    return [=](const std::vector<double> &s, int64_t, int64_t) {
      return mapped(s, [&](double x) { return 1 / (1 + std::exp(-(x + b))); });
    };
  };
  expectWeights(probe("normalize = @sigmoid(-1.1)"), of(-1.1f)); // the constant is an f32
  Probe p = probe("normalize = @sigmoid(%b)");
  p.args = ", %b: f32";
  p.params = {floatParam(0.3)};
  expectWeights(p, of(0.3f));
}

TEST(Library, Relu) {
  expectWeights(probe("normalize = @relu_n"), [](const std::vector<double> &s, int64_t, int64_t) {
    return mapped(s, [&](double x) { return std::max(x, 0.0) / 7; });
  });
  expectWeights(probe("normalize = @relu2_n"), [](const std::vector<double> &s, int64_t, int64_t) {
    return mapped(s, [&](double x) { return std::max(x, 0.0) * std::max(x, 0.0) / 7; });
  });
  // n counts the present keys alone: three of the row i = 2.
  Probe p = probe("set = causal<top_left> normalize = @relu_n");
  p.expect("o", [&](int64_t b, int64_t i) {
    std::vector<double> o(2, 0);
    for (int64_t j = 0; j <= i; ++j)
      for (int e = 0; e < 2; ++e)
        o[e] += std::max(p.score(b, i, j), 0.0) * p.value(j, e) / double(i + 1);
    return o;
  });
}

TEST(Library, Relu2Sum) {
  expectWeights(probe("normalize = @relu2_sum(0.5, 0.25)"), [](const std::vector<double> &s, int64_t, int64_t) {
    auto w = mapped(s, [](double x) { return std::pow(std::max(x + 0.5, 0.0), 2); });
    const double total = sumOf(w) + 0.25;
    return mapped(w, [&](double x) { return x / total; });
  });
}

TEST(Library, Identity) {
  expectWeights(probe("normalize = @identity"), [](const std::vector<double> &s, int64_t, int64_t) { return s; }, 4e-5);
  expectWeights(
      probe("normalize = @identity_n"),
      [](const std::vector<double> &s, int64_t, int64_t) { return mapped(s, [](double x) { return x / 7; }); }, 4e-5);
}

TEST(Library, Softpick) {
  expectWeights(probe("normalize = @softpick"), [](const std::vector<double> &s, int64_t, int64_t) {
    const double total = sumOf(mapped(s, [](double x) { return std::abs(std::expm1(x)); })) + double(1e-8f);
    return mapped(s, [&](double x) { return std::max(std::expm1(x), 0.0) / total; });
  });
}

TEST(Library, Clipped) {
  Probe p = probe("normalize = @clipped(1.25, -0.125)");
  expectWeights(p, [](const std::vector<double> &s, int64_t, int64_t) {
    const double t = logSum(s);
    return mapped(s, [&](double x) { return std::clamp(1.375 * std::exp(x - t) - 0.125, 0.0, 1.0); });
  });
  p.outputs = {{"lse", "b, i"}};
  p.expect("lse", [&](int64_t b, int64_t i) { return std::vector<double>{logSum(p.scores(b, i))}; });
}

// By sorting (Martins, Astudillo 2016; Peters, Niculae, Martins 2019), where the text looks for a root.
TEST(Library, Sparsemax) {
  expectWeights(probe("normalize = @sparsemax"), [](const std::vector<double> &s, int64_t, int64_t) {
    auto z = s;
    std::sort(z.rbegin(), z.rend());
    double sum = 0, tau = 0;
    for (size_t k = 0; k < z.size(); ++k) {
      sum += z[k];
      if (1 + double(k + 1) * z[k] > sum)
        tau = (sum - 1) / double(k + 1);
    }
    return mapped(s, [&](double x) { return std::max(x - tau, 0.0); });
  });
}

TEST(Library, Entmax15) {
  expectWeights(probe("normalize = @entmax15"), [](const std::vector<double> &s, int64_t, int64_t) {
    auto z = mapped(s, [](double x) { return x / 2; });
    auto sorted = z;
    std::sort(sorted.rbegin(), sorted.rend());
    double sum = 0, squares = 0, tau = 0;
    for (size_t n = 0; n < z.size(); ++n) {
      const double count = double(n + 1);
      sum += sorted[n];
      squares += sorted[n] * sorted[n];
      const double mean = sum / count, spread = squares - count * mean * mean;
      if (const double root = (1 - spread) / count; root >= 0 && mean - std::sqrt(root) <= sorted[n])
        tau = mean - std::sqrt(root);
    }
    return mapped(z, [&](double x) { return std::pow(std::max(x - tau, 0.0), 2); });
  });
}

TEST(Library, DoublePrograms) { // long double for the oracle, double for plain
  auto doubled = [](std::string clauses) {
    Probe p = probe(std::move(clauses));
    p.element = "f64";
    return p;
  };
  expectWeights(
      doubled("normalize = @softmax1"),
      [](const std::vector<double> &s, int64_t, int64_t) {
        const double total = 1 + std::exp(logSum(s));
        return mapped(s, [&](double x) { return std::exp(x) / total; });
      },
      1e-14, 1e-14);
  // Of two keys whose scores differ by less than 1, both stay: (1 + d) / 2 and (1 - d) / 2.
  Probe p = doubled("normalize = @sparsemax");
  p.q = {1};
  p.k = {1.0 / 3, 1};
  p.v = {1, 1};
  p.outputs = {{"p", "b, i, j"}};
  const double d = 1 - 1.0 / 3;
  p.expect(
      "p",
      [&](int64_t b, int64_t) {
        return b ? std::vector<double>{(1 + d) / 2, (1 - d) / 2} : std::vector<double>{(1 - d) / 2, (1 + d) / 2};
      },
      1e-14, 1e-15);
  EXPECT_GT(std::abs(p.row(0, 0, Precision::Plain).outputs["p"][0] - (1 - d) / 2), 0); // a bracket of 2^-48 remains
}

TEST(Library, RootsOfOneAndOfEqualKeys) { // the root is the end of the bracket
  for (const char *name : {"sparsemax", "entmax15"}) {
    Probe p = probe(std::string("set = causal<top_left> normalize = @") + name);
    p.k = {2, 2, 2, 2, 2, 2, 2};
    p.expect(
        "o",
        [&](int64_t, int64_t i) {
          std::vector<double> o(2, 0);
          for (int64_t j = 0; j <= i; ++j)
            for (int e = 0; e < 2; ++e)
              o[e] += p.value(j, e) / double(i + 1);
          return o;
        },
        4e-6);
  }
}

TEST(Library, TopP) {
  for (float q : {0.3f, 0.75f, 0.95f, 1.0f}) {
    SCOPED_TRACE(q);
    Probe p = probe("normalize = @top_p(%mass)");
    p.args = ", %mass: f32";
    p.params = {floatParam(q)};
    auto weights = [&](const std::vector<double> &s, int64_t, int64_t) {
      const double t = logSum(s);
      std::vector<size_t> order(s.size());
      for (size_t n = 0; n < s.size(); ++n)
        order[n] = n;
      std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return s[a] > s[b]; });
      std::vector<double> w(s.size(), 0);
      double sum = 0;
      for (size_t n = 0; n < s.size() && sum < q - 1e-9; ++n)
        sum += w[order[n]] = std::exp(s[order[n]] - t);
      return mapped(w, [&](double x) { return x / sum; });
    };
    expectWeights(p, weights);
  }
}

TEST(Library, Argmax) {
  Probe p = probe("normalize = @argmax");
  p.k = {0.5, 2, -3, 2, -3, 1, 2}; // ties
  p.outputs = {{"o", "b, i, e"}, {"max", "b, i"}};
  auto best = [&](int64_t b, int64_t i) {
    int64_t found = 0;
    for (int64_t j = 1; j < 7; ++j)
      if (p.score(b, i, j) > p.score(b, i, found))
        found = j;
    return found;
  };
  p.expect(
      "o", [&](int64_t b, int64_t i) { return std::vector<double>{p.value(best(b, i), 0), p.value(best(b, i), 1)}; }, 0,
      0);
  p.expect("max", [&](int64_t b, int64_t i) { return std::vector<double>{p.score(b, i, best(b, i))}; }, 0, 0);
}

TEST(Library, ArgmaxOfNaNAndInfinity) {
  Probe p = probe("normalize = @argmax");
  p.outputs = {{"o", "b, i, e"}, {"max", "b, i"}};
  p.q = {1};
  p.k = {3, kInf, 1, kNaN, 2, kNaN, 4};
  p.expect("o", [&](int64_t, int64_t) { return std::vector<double>{p.value(3, 0), p.value(3, 1)}; }, 0, 0);
  p.expect("max", [&](int64_t, int64_t) { return std::vector<double>{kNaN}; }, 0, 0);
  p.k = {3, kInf, 1, kInf, 2, 0, 4};
  p.expect(
      "o",
      [&](int64_t b, int64_t) {
        return b ? std::vector<double>{p.value(5, 0), p.value(5, 1)}
                 : std::vector<double>{p.value(1, 0), p.value(1, 1)};
      },
      0, 0);
  p.clauses = "set = empty normalize = @argmax";
  p.expect("o", [&](int64_t, int64_t) { return std::vector<double>{0, 0}; }, 0, 0);
  p.expect("max", [&](int64_t, int64_t) { return std::vector<double>{-kInf}; }, 0, 0);
}

} // namespace
