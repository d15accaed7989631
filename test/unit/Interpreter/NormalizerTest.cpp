// Normalizers that a program brings along.
#include "Harness.h"

using namespace attn::test;

namespace {

const char *const kMySoftmax = R"(
attn.normalizer @mine {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32
    attn.yield %e, %o : f32, f32
  } outputs(lse, o) empty(inf, 0.5)
}
)";

const char *const kSigmoid = R"(
attn.normalizer @sigmoid {
  attn.pass ref = none phi(%s) {
    %one = arith.constant 1.0 : f32  %m = arith.negf %s : f32  %x = math.exp %m : f32
    %d = arith.addf %one, %x : f32  %p = arith.divf %one, %d : f32  attn.yield %p : f32
  } sums(n = value, l = one)
  attn.finish(%n, %l) { attn.yield %n, %l : f32, f32 } outputs(o, lse) empty(0.0, -2.5)
}
)";

// The first pass has no say in what the finish sees.
const char *const kTwoPasses = R"(
attn.normalizer @two {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 } sums(l = one)
  attn.pass ref = none phi(%s) { %p = arith.mulf %s, %s : f32 attn.yield %p : f32 } sums(n = value, c = one, d = one)
  attn.finish(%n, %c, %d) { %t = arith.addf %c, %d : f32 %o = arith.divf %n, %t : f32 attn.yield %o, %t : f32, f32
  } outputs(o, lse) empty(0.0, 0.0)
}
)";

struct Fixture {
  Fixture(const char *normalizer, std::string clauses) : program(normalizer + simpleKernel(4, clauses)) {}
  Tensor q = Tensor::random(Format::F32, {1, 1, 3, 4}, 1), k = Tensor::random(Format::F32, {1, 1, 5, 4}, 2),
         v = Tensor::random(Format::F32, {1, 1, 5, 4}, 3);
  Program program;

  double score(int64_t i, int64_t j) const {
    double dot = 0;
    for (int64_t c = 0; c < 4; ++c)
      dot += q({0, 0, i, c}) * k({0, 0, j, c});
    return dot / 2;
  }
};

TEST(Normalizer, CopyOfSoftmax) {
  Fixture f(kMySoftmax,
            "set = causal<top_left> minus causal<top_left> or window<top_left, right = -1> normalize = @mine");
  auto interpreter = Call{{f.q, f.k, f.v}}.create(f.program);
  for (int64_t i = 0; i < 3; ++i) {
    std::vector<Pair> pairs;
    for (int64_t j = 0; j < i; ++j)
      pairs.push_back({f.score(i, j), [&f, j](int64_t e) { return f.v({0, 0, j, e}); }});
    Expected want = pairs.empty() ? Expected{{0.5, 0.5, 0.5, 0.5}, kInf} : softmaxRow(pairs, 4);
    expectRow(interpreter->row({0, 0}, i, Precision::Double), want, 1e-14, "mine");
    expectRow(interpreter->row({0, 0}, i, Precision::Plain), want, 1e-6, "mine");
  }
}

TEST(Normalizer, SigmoidHasNoReference) {
  Fixture f(kSigmoid, "set = causal<top_left> normalize = @sigmoid");
  auto interpreter = Call{{f.q, f.k, f.v}}.create(f.program);
  Expected want{{0, 0, 0, 0}, 0};
  for (int64_t j = 0; j < 2; ++j) {
    double w = 1 / (1 + std::exp(-f.score(1, j)));
    want.lse += w;
    for (int64_t e = 0; e < 4; ++e)
      want.o[e] += w * f.v({0, 0, j, e});
  }
  expectRow(interpreter->row({0, 0}, 1, Precision::Double), want, 1e-14, "sigmoid");
  expectRow(interpreter->row({0, 0}, 1, Precision::Plain), want, 1e-6, "sigmoid");
}

TEST(Normalizer, SigmoidEmptyAndInfinite) {
  Fixture none(kSigmoid, "set = empty normalize = @sigmoid");
  expectRow(Call{{none.q, none.k, none.v}}.create(none.program)->row({0, 0}, 0, Precision::Double),
            {{0, 0, 0, 0}, -2.5}, 0, "empty");
  Fixture f(kSigmoid, "normalize = @sigmoid");
  f.q = Tensor(Format::F32, {1, 1, 3, 4}, {1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});
  f.k.set({0, 0, 2, 0}, kInf); // contract 3, though the sigmoid of inf is 1; the row of q = 0 sees 0 * inf
  auto interpreter = Call{{f.q, f.k, f.v}}.create(f.program);
  expectRow(interpreter->row({0, 0}, 0, Precision::Double), {{kNaN, kNaN, kNaN, kNaN}, kNaN}, 0, "+inf");
  f.k.set({0, 0, 2, 0}, -kInf);
  RowResult row = interpreter->row({0, 0}, 0, Precision::Double);
  EXPECT_TRUE(std::isfinite(row.outputs["o"][0]));
}

TEST(Normalizer, LastPassReachesTheFinish) {
  Fixture f(kTwoPasses, "normalize = @two");
  auto interpreter = Call{{f.q, f.k, f.v}}.create(f.program);
  double total = 0, sum = 0;
  for (int64_t j = 0; j < 5; ++j) {
    double s = f.score(2, j);
    total += s * s;
    sum += s * s * f.v({0, 0, j, 3});
  }
  RowResult row = interpreter->row({0, 0}, 2, Precision::Double);
  expectValue(row.outputs["o"][3], sum / (2 * total), 1e-14, "o");
  expectValue(row.outputs["lse"][0], 2 * total, 1e-14, "total");
}

} // namespace
