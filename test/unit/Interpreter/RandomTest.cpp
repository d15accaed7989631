// attn.random, blocks at random and dropout: the bits of every number, and their means.
#include "Harness.h"

#include "attn/Support/Philox.h"

using namespace attn;
using namespace attn::test;

namespace {

TEST(Random, Blocks) {
  for (int64_t seed : {int64_t(0), int64_t(-5), int64_t(1) << 40})
    for (auto [a, b] : {std::pair<int64_t, int64_t>{1, 1}, {2, 3}, {100, 4}}) {
      const std::string block = ", block = [" + std::to_string(a) + ", " + std::to_string(b) + "]>";
      auto u = [&, a = a, b = b](int64_t batch, int64_t h, int64_t i, int64_t j) {
        return randomUnit(seed, {batch, h, i / a, j / b});
      };
      checkSet({"random_blocks<seed = %s, probability = 0.5" + block, ", %s: i64", {}, {integerParam(seed)}},
               [&](int64_t batch, int64_t h, int64_t i, int64_t j) { return u(batch, h, i, j) < 0.5f; });
      checkSet({"random_blocks<seed = %s, probability = %p" + block,
                ", %s: index, %p: f32",
                {},
                {integerParam(seed), floatParam(0.3)}},
               [&](int64_t batch, int64_t h, int64_t i, int64_t j) { return u(batch, h, i, j) < 0.3f; });
      std::vector<float> p = {1, 0.75, 0.25};
      checkSet({"random_blocks<seed = %s, probability = %p" + block,
                ", %s: i64, %p: tensor<?xf32>",
                {Tensor(Format::F32, {3}, {1, 0.75, 0.25})},
                {integerParam(seed)}},
               [&, a = a, b = b](int64_t batch, int64_t h, int64_t i, int64_t j) {
                 return u(batch, h, i, j) < p[std::min<int64_t>(std::abs(i / a - j / b), 2)];
               });
    }
  auto constant = [](bool all) { return [all](int64_t, int64_t, int64_t, int64_t) { return all; }; };
  checkSet({"random_blocks<seed = 3, probability = 0.0, block = [1, 1]>"}, constant(false));
  checkSet({"random_blocks<seed = 3, probability = 1.0, block = [1, 1]>"}, constant(true));
}

TEST(Random, InRegions) {
  const std::string body = " { %u = attn.random %s[%b, %h, %i, %j] : i32 -> f32 %x = attn.random %s[%j] : i32 -> f32 "
                           "%p = arith.cmpf olt, %u, %x : f32 attn.yield %p : i1 }";
  checkSet(
      {"where(b = %b, h = %h, i = %i, j = %j)" + body, ", %s: i32", {}, {integerParam(-9)}},
      [](int64_t b, int64_t h, int64_t i, int64_t j) { return randomUnit(-9, {b, h, i, j}) < randomUnit(-9, {j}); });
  Program program(simpleKernel(1,
                               "scale = 0.0 score(%s, i = %i, j = %j) { %u = attn.random %seed[%i, %j] : i64 -> f32 "
                               "%t = arith.addf %s, %u : f32 attn.yield %t : f32 }",
                               ", %seed: i64"));
  Call call = SetCase().call();
  call.params = {integerParam(77)};
  auto interpreter = call.create(program);
  const Tensor &v = call.tensors[2];
  for (int64_t i = 0; i < 5; ++i) {
    std::vector<Pair> pairs;
    for (int64_t j = 0; j < 8; ++j)
      pairs.push_back({randomUnit(77, {i, j}), [&v, j](int64_t) { return v({0, 1, j, 0}); }});
    expectRow(interpreter->row({0, 1}, i, Precision::Double), softmaxRow(pairs, 1), 1e-14, "row");
    expectRow(interpreter->row({0, 1}, i, Precision::Plain), softmaxRow(pairs, 1), 1e-6, "row");
  }
}

/// Softmax whose value sum alone is dropped.
Expected droppedRow(llvm::ArrayRef<Pair> pairs, llvm::ArrayRef<bool> keep, float p, int64_t width) {
  Expected row = softmaxRow(pairs, width);
  for (int64_t e = 0; e < width; ++e) {
    long double sum = 0;
    for (auto [pair, kept] : llvm::zip_equal(pairs, keep))
      sum += kept ? std::exp((long double)pair.score - row.lse) * pair.value(e) : 0;
    row.o[e] = sum / (1 - (long double)p);
  }
  return row;
}

struct DropCase {
  std::string clause, args;
  std::vector<attn_scalar> params;
  int64_t seed;
  float p;
};

void checkDropout(const DropCase &c, const std::string &element, Format format, double plain, double exact) {
  SCOPED_TRACE(c.clause + " " + element);
  const int64_t I = 4, J = 300, d = 2;
  Program program(simpleKernel(d, "dropout(" + c.clause + ") set = window<top_left, left = 2>", c.args, element));
  Call call{{Tensor::random(format, {2, 3, I, d}, 1), Tensor::random(format, {2, 3, J, d}, 2),
             Tensor::random(format, {2, 3, J, d}, 3)},
            c.params};
  auto interpreter = call.create(program);
  const Tensor &q = call.tensors[0], &k = call.tensors[1], &v = call.tensors[2];
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 3; ++h)
      for (int64_t i = 0; i < I; ++i) {
        std::vector<Pair> pairs;
        llvm::SmallVector<bool> keep;
        for (int64_t j = std::max<int64_t>(0, i - 2); j < J; ++j) {
          double s = 0;
          for (int64_t e = 0; e < d; ++e)
            s += q({b, h, i, e}) * k({b, h, j, e});
          pairs.push_back({s / std::sqrt(2.0), [&, b, h, j](int64_t e) { return v({b, h, j, e}); }});
          keep.push_back(randomUnit(c.seed, {b, h, i, j}) >= c.p);
        }
        Expected want = droppedRow(pairs, keep, c.p, d);
        RowResult row = interpreter->row({b, h}, i, Precision::Double);
        expectRow(row, want, exact, "double");
        EXPECT_EQ(row.visible, (int64_t)pairs.size());
        expectRow(interpreter->row({b, h}, i, Precision::Plain), want, plain, "plain");
      }
}

TEST(Random, Dropout) {
  const DropCase cases[] = {
      {"seed = 7, probability = 0.1", "", {}, 7, 0.1f},
      {"seed = 7, probability = 0.0", "", {}, 7, 0},
      {"seed = %s, probability = %p", ", %s: i64, %p: f32", {integerParam(-1), floatParam(0.75)}, -1, 0.75f},
      {"seed = %s, probability = 0.5", ", %s: i32", {integerParam(12)}, 12, 0.5f},
      {"seed = 3, probability = %p", ", %p: f32", {floatParam(0.99)}, 3, 0.99f},
  };
  for (const DropCase &c : cases) {
    checkDropout(c, "f32", Format::F32, 1e-4, 1e-13);
    checkDropout(c, "f64", Format::F64, 1e-12, 1e-13);
    checkDropout(c, "bf16", Format::BF16, 0.05, 1e-13);
  }
}

TEST(Random, DropoutKeepsItsShare) {
  const int64_t J = 20000;
  for (double p : {0.1, 0.5, 0.9}) {
    Program program(simpleKernel(1, "scale = 0.0 dropout(seed = 11, probability = " + std::to_string(p) + ")"));
    Call call{{Tensor(Format::F32, {1, 1, 1, 1}, {0}), Tensor(Format::F32, {1, 1, J, 1}, std::vector<double>(J, 0)),
               Tensor(Format::F32, {1, 1, J, 1}, std::vector<double>(J, 1))}};
    RowResult row = call.create(program)->row({0, 0}, 0, Precision::Double);
    // o is the share that was kept over 1 - p: a mean of J draws.
    EXPECT_NEAR(row.outputs["o"][0], 1, 4 * std::sqrt(p / (1 - p) / J)) << p;
    EXPECT_NE(row.outputs["o"][0], 1) << p;
    EXPECT_NEAR(row.outputs["lse"][0], std::log((double)J), 1e-12) << p;
  }
}

TEST(Random, DropoutOfInfiniteValues) { // 0 times infinity
  Program program(simpleKernel(1, "scale = 0.0 dropout(seed = 1, probability = 0.5)"));
  std::vector<double> values(64, 1);
  int64_t dropped = 0;
  while (randomUnit(1, {0, 0, 0, dropped}) >= 0.5f)
    ++dropped;
  values[dropped] = kInf;
  Call call{{Tensor(Format::F32, {1, 1, 1, 1}, {0}), Tensor(Format::F32, {1, 1, 64, 1}, std::vector<double>(64, 0)),
             Tensor(Format::F32, {1, 1, 64, 1}, values)}};
  EXPECT_TRUE(std::isnan(call.create(program)->row({0, 0}, 0, Precision::Double).outputs["o"][0]));
}

} // namespace
