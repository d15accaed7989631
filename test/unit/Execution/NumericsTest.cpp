// Edge contract 5 and 12, and the rescaling classes of measuring.md.
#include "Harness.h"

#include "attn/Support/Random.h"

#include <unistd.h>
#include <xmmintrin.h>

using namespace attn;
using namespace attn::test;

namespace {

/// Scores without rounding, normal values.
Call scoreCall(const Attention &a, int64_t I, int64_t J, llvm::function_ref<double(int64_t i, int64_t j)> score) {
  Call call{normalInputs(a, 1, 2, I, J, 41)};
  // s_ij = sum_c q_ic k_jc with one-hot queries: row i sees column i mod d of k.
  call.inputs[0].fill([&](auto x) { return x[3] == x[2] % a.d; });
  call.inputs[1].fill([&](auto x) { return score(x[3], x[2]); });
  return call;
}

struct Class {
  const char *name;
  double (*score)(int64_t i, int64_t j);
};
const Class kClasses[] = {
    {"normal", [](int64_t i, int64_t j) { return Random(7, "score").normal(uint64_t(100 * i + j)); }},
    {"rising", [](int64_t i, int64_t j) { return 3.0 * double(j) + double(i); }},
    {"steep", [](int64_t, int64_t j) { return 60.0 * double(j); }},
    {"falling", [](int64_t, int64_t j) { return -3.0 * double(j); }},
    {"ties", [](int64_t i, int64_t) { return double(i); }},
    {"plus and minus 1e4", [](int64_t i, int64_t j) { return (i + j) % 3 ? 1e4 : -1e4; }},
    {"far below zero", [](int64_t i, int64_t j) { return -1e4 - double((i + j) % 5); }},
    {"one dominating key a block",
     [](int64_t i, int64_t j) { return j % 16 == (5 * i) % 16 ? 50.0 + double(j) : 0.0; }},
    {"just below the threshold", [](int64_t, int64_t j) { return 5.0 * double(j / 16); }},
    {"zero", [](int64_t, int64_t) { return 0.0; }},
};

TEST(Numerics, ClassesOfScores) {
  for (const char *element : {"f32", "bf16", "f16", "f64"})
    for (const char *set : {"full", "causal<bottom_right>"})
      for (Blocks blocks : {kTiny, Blocks{}})
        for (const Class &c : kClasses) {
          Attention a;
          a.element = element;
          a.set = set;
          a.scale = "1.0";
          Program &p = program(a, blocks);
          Call call = scoreCall(a, 50, 70, c.score);
          EXPECT_EQ(check(p, call), "") << element << " " << set << " " << c.name;
          attn_pool *pool = attn_pool_create(2);
          Call two{call.inputs};
          two.workers = 2;
          two.pool = pool;
          two.run(p);
          EXPECT_TRUE(sameBits(call, two));
          attn_pool_destroy(pool);
        }
}

/// The same through a score region, where the reference is not in the accumulators' start.
TEST(Numerics, ClassesOfModifiedScores) {
  for (const Class &c : kClasses) {
    Attention a;
    a.scale = "1.0";
    a.score =
        "score(%s, i = %i, j = %j) { %c = arith.constant 0.5 : f32 %r = arith.addf %s, %c : f32 attn.yield %r : f32 }";
    Call call = scoreCall(a, 50, 70, c.score);
    EXPECT_EQ(check(program(a), call), "") << c.name;
  }
}

/// Scores whose own rounding exceeds the rescaling threshold: nothing may loop or overflow.
class HugeScores : public ::testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(Each, HugeScores, ::testing::Values(1e8, 1e9, 1e12, 1e20, 1e30));

TEST_P(HugeScores, End) {
  const double size = GetParam();
  alarm(60); // an endless loop ends the test program
  for (const char *element : {"f32", "f64"}) {
    Attention a;
    a.element = element;
    a.scale = "1.0";
    Call call{normalInputs(a, 1, 2, 13, 40, 3)};
    call.inputs[0].fill([&](auto x) { return x[3] < 2 ? 1 : 0; });
    call.inputs[1].fill([&](auto x) {
      return x[3] == 0 ? size * (1 + double(x[2]) / 1024) : x[3] == 1 ? size / 3e7 * double(x[2] % 7) : 0;
    });
    call.run(program(a));
    EXPECT_EQ(call.status, ATTN_OK);
    for (const Tensor &t : call.outputs)
      t.each([&](llvm::ArrayRef<int64_t> x) { EXPECT_TRUE(std::isfinite(t.get(x))) << element << " " << t.get(x); });
  }
  alarm(0);
}

TEST(Numerics, LseIsNaturalForLargeScores) {
  for (const char *element : {"f32", "f64", "bf16"})
    for (double size : {-1e4, -100.0, 100.0, 1e4, 3e4}) {
      Attention a;
      a.element = element;
      a.scale = "1.0";
      Call call = scoreCall(a, 9, 33, [&](int64_t, int64_t) { return size; });
      EXPECT_EQ(check(program(a), call), "");
      const double stored = loadNumber(call.inputs[1].abi().data, call.inputs[1].element, 0);
      EXPECT_NEAR(call.outputs[1].get({0, 0, 0}), stored + std::log(33.0), std::fabs(size) * 3e-7);
    }
}

TEST(Numerics, ScaleZeroNegativeAndAtRunTime) {
  for (const char *element : {"f32", "f64", "f16"}) {
    for (const char *scale : {"0.0", "-1.0", "2.5", "-0.125"}) {
      Attention a;
      a.element = element;
      a.scale = scale;
      a.set = "causal<bottom_right>";
      Call call{normalInputs(a, 1, 2, 20, 40, 3)};
      EXPECT_EQ(check(program(a), call), "") << element << " scale " << scale;
    }
    Attention a;
    a.element = element;
    a.args = std::string(", %s: ") + (a.element == "f64" ? "f64" : "f32");
    a.scale = "%s";
    for (double scale : {0.0, -0.0, -3.0, 1e-3, 7.0}) {
      Comparison all(program(a));
      for (uint64_t seed = 0; seed < 4; ++seed) {
        Call call{normalInputs(a, 1, 2, 20, 40, seed), {floatParam(scale)}};
        call.run(program(a));
        all.add(call);
      }
      EXPECT_EQ(all.verdict(), "") << element << " scale " << scale;
    }
  }
}

TEST(Numerics, MixedElementTypes) {
  for (const char *q : {"f32", "bf16", "f16"})
    for (const char *k : {"f32", "bf16", "f16"})
      for (const char *o : {"f32", "bf16", "f16"}) {
        std::string t = "tensor<?x?x?x8x",
                    text = "attn.kernel @k(%q: " + t + q + ">, %k: " + t + k + ">, %v: " + t + q + ">) -> (o: " + t +
                           o +
                           ">, lse: tensor<?x?x?xf32>) {\n  %o, %l = attn.attend dims(b, h | i | j | "
                           "c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n  outputs o[b, h, i, e], "
                           "lse[b, h, i] : (" +
                           t + q + ">, " + t + k + ">, " + t + q + ">) -> (" + t + o +
                           ">, tensor<?x?x?xf32>)\n  attn.return %o, %l : " + t + o + ">, tensor<?x?x?xf32>\n}\n";
        Call call{{Tensor::normal(elementOf(q), {1, 2, 30, 8}, 1), Tensor::normal(elementOf(k), {1, 2, 40, 8}, 2),
                   Tensor::normal(elementOf(q), {1, 2, 40, 8}, 3)}};
        EXPECT_EQ(check(program(text), call), "") << q << k << o;
      }
}

/// Call::run compares MXCSR before and after each call; here it is not the default one.
TEST(Numerics, FloatingPointEnvironmentAsFound) {
  Attention a;
  a.set = "causal<bottom_right>";
  Program &p = program(a);
  const unsigned found = _mm_getcsr();
  for (unsigned mode : {0x8000u, 0x0040u, 0x8040u, 0x2000u, 0x4000u, 0x6000u}) { // FTZ, DAZ, both, down, up, to zero
    Call one{normalInputs(a, 2, 2, 30, 40, 3, 1e-3)}, two{one.inputs};
    one.inputs[2].fill([&](auto x) { return 1e-39 * double(x[2] + 1); });
    two.inputs[2] = one.inputs[2];
    _mm_setcsr((found & ~0xe040u) | mode);
    one.run(p);
    attn_pool *pool = attn_pool_create(2);
    two.workers = 2;
    two.pool = pool;
    two.run(p);
    _mm_setcsr(found);
    attn_pool_destroy(pool);
    EXPECT_EQ(one.status, ATTN_OK);
    EXPECT_TRUE(sameBits(one, two)) << "another thread rounds differently, mode " << mode;
  }
  Call call{normalInputs(a, 2, 2, 30, 40, 3)};
  call.inputs[2].fill([&](auto x) { return 1e-39 * double(x[2] + 1); });
  EXPECT_EQ(check(p, call), "") << "denormal values";
}

} // namespace
