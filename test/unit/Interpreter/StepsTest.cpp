// Kernels of several steps: maps, merges, and results that later steps read.
#include "Harness.h"

#include "attn/Interpreter/Steps.h"

using namespace attn;
using namespace attn::test;
using interpreter::StepRow;
using interpreter::Steps;

namespace {

std::unique_ptr<Steps> make(Program &program, const Call &call) {
  std::vector<attn_tensor> args;
  for (const Tensor &t : call.tensors)
    args.push_back(t.abi());
  return llvm::cantFail(Steps::create(program.kernel, args, call.params));
}

/// All numbers of the kernel's result, row by row.
std::vector<double> all(Steps &steps, unsigned result, Precision precision = Precision::Double) {
  auto [step, n] = steps.source(result);
  llvm::cantFail(steps.prepare(step, precision));
  std::vector<double> values;
  for (int64_t row = 0; row < steps.rows(step); ++row)
    llvm::append_range(values, steps.row(step, row, precision).results[n].numbers);
  return values;
}

std::string errorOf(Steps &steps, unsigned step) { return llvm::toString(steps.prepare(step, Precision::Double)); }

/// A kernel of one map of %x: [3, 4] and %y: [3], whatever the types.
std::string mapKernel(llvm::StringRef head, llvm::StringRef region, llvm::StringRef tail) {
  return ("attn.kernel @f(%x: tensor<?x?xf32>, %y: tensor<?xf32>, %n: tensor<?xi32>, %d: tensor<?xf64>) -> (r: " +
          tail.rsplit("-> ").second + ") {\n  %r = attn.map dims(i, e) " + head + " {\n" + region + "\n } -> " + tail +
          "\n  attn.return %r : " + tail.rsplit("-> ").second + "\n}")
      .str();
}

struct MapFixture {
  Tensor x = Tensor::random(Format::F32, {3, 4}, 1), y = Tensor::random(Format::F32, {3}, 2),
         n = Tensor(Format::I32, {3}, {3, 0, 1}), d = Tensor::random(Format::F64, {4}, 3);
  Call call() const { return {{x, y, n, d}}; }
};

TEST(Steps, ElementwiseMapWithAnIndexAndALoad) {
  MapFixture f;
  Program program(mapKernel("(%a = %x[i, e], %c : i32 = %n[i], e = %e)",
                            R"(%j = arith.index_cast %c : i32 to index
      %l = attn.load %x[%j, %e] : tensor<?x?xf32>
      %z = arith.subf %a, %l : f32  attn.yield %z : f32)",
                            "[e, i] : (tensor<?x?xf32>, tensor<?xi32>) -> tensor<?x?xf32>"));
  auto steps = make(program, f.call());
  auto got = all(*steps, 0);
  ASSERT_EQ(got.size(), 12u);
  for (int64_t e = 0; e < 4; ++e) {
    EXPECT_EQ(got[e * 3 + 0], 0) << "row 3 is outside: the element is absent";
    for (int64_t i = 1; i < 3; ++i)
      EXPECT_EQ(got[e * 3 + i], f.x({i, e}) - f.x({(int64_t)f.n({i}), e}));
  }
  EXPECT_TRUE(steps->row(0, 0, Precision::Double).badIndex);
}

TEST(Steps, SumsAndMaximaSkipBadIndices) {
  MapFixture f;
  const char *region = R"(%j = arith.index_cast %c : i32 to index
      %l = attn.load %y[%j] : tensor<?xf32>
      %z = arith.mulf %a, %l : f32  attn.yield %z : f32)";
  const char *tail = "[e] : (tensor<?x?xf32>, tensor<?xi32>) -> tensor<?xf32>";
  for (bool sum : {true, false}) {
    Program program(mapKernel(
        sum ? "sum(i) (%a = %x[i, e], %c : i32 = %n[i])" : "max(i) (%a = %x[i, e], %c : i32 = %n[i])", region, tail));
    auto steps = make(program, f.call());
    auto got = all(*steps, 0);
    ASSERT_EQ(got.size(), 4u);
    for (int64_t e = 0; e < 4; ++e) {
      double one = f.x({1, e}) * f.y({0}), two = f.x({2, e}) * f.y({1});
      EXPECT_EQ(got[e], sum ? one + two : std::max(one, two));
    }
  }
}

TEST(Steps, PlainRoundsEverySumAndF64AccumulatesWide) {
  Tensor x(Format::F32, {3, 1}, {1, 0x1p-24, 0x1p-24}), y(Format::F32, {3}, {0, 0, 0}), n(Format::I32, {3}, {0, 0, 0}),
      d(Format::F64, {1}, {1});
  Program narrow(
      mapKernel("sum(i) (%a = %x[i, e])", "attn.yield %a : f32", "[e] : (tensor<?x?xf32>) -> tensor<?xf32>"));
  auto steps = make(narrow, {{x, y, n, d}});
  EXPECT_EQ(all(*steps, 0, Precision::Plain)[0], 1);
  EXPECT_EQ(all(*steps, 0)[0], 1 + 0x1p-23);
  Program wide(mapKernel("sum(i) (%a : f64 = %x[i, e], %c : f64 = %d[e])",
                         "%z = arith.mulf %a, %c : f64 attn.yield %z : f64",
                         "[e] : (tensor<?x?xf32>, tensor<?xf64>) -> tensor<?xf64>"));
  auto steps64 = make(wide, {{x, y, n, d}});
  EXPECT_EQ(all(*steps64, 0, Precision::Plain)[0], 1 + 0x1p-23);
}

TEST(Steps, IntegersWrapAndTheLargestOfNoneIsTheSmallest) {
  Tensor n(Format::I32, {2}, {2147483647, 1});
  MapFixture f;
  const char *const tail = "[e] : (tensor<?xi32>, tensor<?xf64>) -> tensor<?xi32>";
  Program sum(mapKernel("sum(i) (%c : i32 = %n[i], %a : f64 = %d[e])", "attn.yield %c : i32", tail));
  auto steps = make(sum, {{f.x, f.y, n, f.d}});
  EXPECT_EQ(all(*steps, 0)[0], -2147483648.0);
  Program max(mapKernel("max(i) (%c : i32 = %n[i], %a : f64 = %d[e])", "attn.yield %c : i32", tail));
  auto none = make(max, {{f.x, f.y, Tensor(Format::I32, {0}, {}), f.d}});
  EXPECT_EQ(all(*none, 0)[0], -2147483648.0);
}

TEST(Steps, AMaximumWithANaNIsNaN) {
  Tensor x(Format::F32, {3, 1}, {1, kNaN, 2});
  MapFixture f;
  Program program(
      mapKernel("max(i) (%a = %x[i, e])", "attn.yield %a : f32", "[e] : (tensor<?x?xf32>) -> tensor<?xf32>"));
  auto steps = make(program, {{x, f.y, f.n, f.d}});
  EXPECT_TRUE(std::isnan(all(*steps, 0)[0]));
}

TEST(Steps, ShapesThatDisagreeAreRefused) {
  Program program(mapKernel("(%a = %x[i, e], %b = %y[i])", "%z = arith.mulf %a, %b : f32 attn.yield %z : f32",
                            "[i, e] : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xf32>"));
  MapFixture f;
  auto steps = make(program, {{f.x, Tensor::random(Format::F32, {2}, 2), f.n, f.d}});
  EXPECT_EQ(errorOf(*steps, 0), "ATTN_E_SHAPE: axis 0 of 'y' has extent 2, expected 3");
}

const char *const kHalves = R"(
!t = tensor<?x?x?x4xf32>
!l = tensor<?x?x?xf32>
attn.kernel @f(%q: !t, %k: !t, %v: !t, %first: index, %second: index) -> (o: !t, lse: !l, one: !l) {
  %o1, %l1 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = prefix<%first> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  %o2, %l2 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = prefix<%second> minus prefix<%first> outputs o[b, i, h, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2[b, i, h, e], %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse, %l1 : !t, !l, !l
}
)";

TEST(Steps, MergedHalvesAreTheWhole) {
  Tensor q = Tensor::random(Format::F32, {2, 2, 3, 4}, 1), k = Tensor::random(Format::F32, {2, 2, 6, 4}, 2),
         v = Tensor::random(Format::F32, {2, 2, 6, 4}, 3);
  Program program(kHalves), whole(simpleKernel(4, "set = prefix<%n>", ", %n: index"));
  for (auto [first, second] : {std::pair(2, 6), std::pair(0, 6), std::pair(6, 6)}) {
    auto steps = make(program, {{q, k, v}, {integerParam(first), integerParam(second)}});
    auto expected = Call{{q, k, v}, {integerParam(6)}}.create(whole);
    for (Precision precision : {Precision::Double, Precision::Plain}) {
      auto o = all(*steps, 0, precision), lse = all(*steps, 1, precision);
      ASSERT_EQ(o.size(), 48u);
      for (int64_t row = 0; row < 12; ++row) {
        RowResult want = expected->row({row / 6, row / 3 % 2}, row % 3, precision);
        for (int64_t e = 0; e < 4; ++e)
          expectValue(o[row * 4 + e], want.outputs["o"][e], 1e-6, "o");
        expectValue(lse[row], want.outputs["lse"][0], 1e-6, "lse");
      }
    }
    EXPECT_EQ(all(*steps, 2).size(), 12u);
  }
}

TEST(Steps, MergeOfEmptyPartsIsEmpty) {
  Tensor q = Tensor::random(Format::F32, {1, 1, 2, 4}, 1), k = Tensor::random(Format::F32, {1, 1, 3, 4}, 2),
         v = Tensor::random(Format::F32, {1, 1, 3, 4}, 3);
  Program program(kHalves);
  auto steps = make(program, {{q, k, v}, {integerParam(0), integerParam(0)}});
  for (double x : all(*steps, 0))
    EXPECT_EQ(x, 0);
  for (double x : all(*steps, 1))
    EXPECT_EQ(x, -kInf);
}

TEST(Steps, AMergedNaNStays) {
  Tensor q = Tensor::random(Format::F32, {1, 1, 2, 4}, 1), k = Tensor::random(Format::F32, {1, 1, 3, 4}, 2),
         v = Tensor::random(Format::F32, {1, 1, 3, 4}, 3);
  k.set({0, 0, 2, 1}, kNaN);
  Program program(kHalves);
  auto steps = make(program, {{q, k, v}, {integerParam(1), integerParam(3)}});
  for (double x : all(*steps, 0))
    EXPECT_TRUE(std::isnan(x));
}

/// Halves under plain softmax, merged with a sink for each head, are the whole with that sink.
const char *const kSink = R"(
!t = tensor<?x?x?x4xf32>
!l = tensor<?x?x?xf32>
attn.kernel @f(%q: !t, %k: !t, %v: !t, %b: tensor<?xbf16>, %n: index) -> (o: !t, lse: !l, whole: !t, wlse: !l) {
  %o1, %l1 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = prefix<%n> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  %o2, %l2 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = full minus prefix<%n> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%b[h]) (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  %w, %wl = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @softmax outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  attn.return %o, %lse, %w, %wl : !t, !l, !t, !l
}
)";

TEST(Steps, ASeedEntersAMergeOnce) {
  Tensor q = Tensor::random(Format::F32, {1, 2, 3, 4}, 1), k = Tensor::random(Format::F32, {1, 2, 6, 4}, 2),
         v = Tensor::random(Format::F32, {1, 2, 6, 4}, 3), b(Format::BF16, {2}, {0.5, -1.25});
  Program program(kSink), expanded(kSink);
  ASSERT_TRUE(succeeded(expandMerges(*expanded.module)));
  for (Program *p : {&program, &expanded})
    for (int first : {0, 2, 6}) {
      auto steps = make(*p, {{q, k, v, b}, {integerParam(first)}});
      auto o = all(*steps, 0), lse = all(*steps, 1), whole = all(*steps, 2), plain = all(*steps, 3);
      for (int64_t row = 0; row < 6; ++row) {
        const double sink = b({row / 3}), sum = std::exp(plain[row]) + std::exp(sink);
        expectValue(lse[row], std::log(sum), 1e-6, "lse");
        for (int64_t e = 0; e < 4; ++e)
          expectValue(o[row * 4 + e], whole[row * 4 + e] * std::exp(plain[row]) / sum, 1e-6, "o");
      }
    }
}

TEST(Steps, ASeededMergeOfNothingIsTheSeed) {
  Tensor q = Tensor::random(Format::F32, {1, 1, 2, 4}, 1), k = Tensor::random(Format::F32, {1, 1, 0, 4}, 2),
         v = Tensor::random(Format::F32, {1, 1, 0, 4}, 3), b(Format::BF16, {1}, {0.5});
  for (bool expand : {false, true}) {
    Program program(kSink);
    if (expand)
      ASSERT_TRUE(succeeded(expandMerges(*program.module)));
    auto steps = make(program, {{q, k, v, b}, {integerParam(0)}});
    for (double x : all(*steps, 0))
      EXPECT_EQ(x, 0);
    for (double x : all(*steps, 1))
      expectValue(x, 0.5, 1e-7, "lse");
  }
}

/// The expansion is the compiler's, the merge the interpreter's own: both say the same.
TEST(Steps, ExpandedMergesSayTheSame) {
  Tensor q = Tensor::random(Format::F32, {1, 2, 3, 4}, 1), k = Tensor::random(Format::F32, {1, 2, 6, 4}, 2),
         v = Tensor::random(Format::F32, {1, 2, 6, 4}, 3);
  Program program(kHalves), expanded(kHalves);
  ASSERT_TRUE(succeeded(expandMerges(*expanded.module)));
  for (int first : {0, 2, 6}) {
    Call call{{q, k, v}, {integerParam(first), integerParam(6)}};
    auto one = make(program, call), two = make(expanded, call);
    for (unsigned result : {0u, 1u}) {
      auto a = all(*one, result), b = all(*two, result);
      ASSERT_EQ(a.size(), b.size());
      for (size_t n = 0; n < a.size(); ++n)
        expectValue(a[n], b[n], 1e-6, "merge");
    }
  }
}

/// A list that a map computes, and bf16 between two attends.
TEST(Steps, IntermediateResultsAreStoredInTheirTypes) {
  const char *const text = R"(
!t = tensor<?x?x4xf32>
!n = tensor<?x?x4xbf16>
attn.kernel @f(%q: !t, %k: !t, %v: !t, %w: tensor<?xi32>) -> (o: !t) {
  %m = attn.map dims(b, j, e) (%x = %v[b, j, e]) { attn.yield %x : f32 } -> [b, j, e] : (!t) -> !n
  %ids = attn.map dims(n) (%x : i32 = %w[n]) {
    %one = arith.constant 1 : i32  %y = arith.addi %x, %one : i32  attn.yield %y : i32
  } -> [n] : (tensor<?xi32>) -> tensor<?xi32>
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %m[b, j, e]
    set = tokens<%ids : tensor<?xi32>>
    outputs o[b, i, e] : (!t, !t, !n) -> !t
  attn.return %o : !t
}
)";
  Tensor q = Tensor::random(Format::F32, {1, 2, 4}, 1), k = Tensor::random(Format::F32, {1, 5, 4}, 2),
         v = Tensor::random(Format::F32, {1, 5, 4}, 3), w(Format::I32, {1}, {2});
  Program program(text);
  auto steps = make(program, {{q, k, v, w}});
  auto o = all(*steps, 0);
  ASSERT_EQ(o.size(), 8u);
  for (int64_t n = 0; n < 8; ++n) {
    double x = v({0, 3, n % 4});
    EXPECT_EQ(o[n], interpreter::roundTo<double>(Format::BF16, x));
    EXPECT_NE(o[n], x);
  }
  EXPECT_NE(steps->tensor(steps->steps()[0]->getResult(0), Precision::Double).data, nullptr);
  EXPECT_EQ(steps->tensor(steps->steps()[2]->getResult(0), Precision::Double).data, nullptr);
  EXPECT_NE(steps->attend(2, Precision::Double), nullptr);
  EXPECT_EQ(steps->attend(0, Precision::Double), nullptr);
}

/// What a key receives, as a result that a map reads: rows of it are keys.
TEST(Steps, ResultsOverKeysAreReadByLaterSteps) {
  const char *const text = R"(
!t = tensor<?x?x?x4xf32>
attn.kernel @f(%q: !t, %k: !t, %v: !t) -> (o: !t, twice: tensor<?x?x?xf32>, mass: tensor<?x?x?xf32>, back: !t) {
  %o, %m, %b = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    columns mass = sum(%w, %s) { attn.yield %w : f32 } aggregate back = %q[b, h, i, e]
    outputs o[b, h, i, e], mass[b, h, j], back[b, h, j, e] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>, !t)
  %y = attn.map dims(b, h, j) (%x = %m[b, h, j]) {
    %z = arith.addf %x, %x : f32  attn.yield %z : f32
  } -> [b, h, j] : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  attn.return %o, %y, %m, %b : !t, tensor<?x?x?xf32>, tensor<?x?x?xf32>, !t
}
)";
  Tensor q = Tensor::random(Format::F32, {2, 1, 3, 4}, 1), k = Tensor::random(Format::F32, {2, 1, 5, 4}, 2),
         v = Tensor::random(Format::F32, {2, 1, 5, 4}, 3);
  Program program(text), single(simpleKernel(4, ""));
  Call call{{q, k, v}};
  auto steps = make(program, call);
  auto twice = all(*steps, 1);
  ASSERT_EQ(twice.size(), 10u);
  EXPECT_TRUE(steps->isOverKeys(0, 1));
  EXPECT_FALSE(steps->isOverKeys(0, 0));
  EXPECT_EQ(steps->rows(0, true), 10);
  auto interpreter = call.create(single);
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t j = 0; j < 5; ++j) {
      double mass = 0, back[4] = {};
      for (int64_t i = 0; i < 3; ++i) {
        double s = 0;
        for (int64_t c = 0; c < 4; ++c)
          s += q({b, 0, i, c}) * k({b, 0, j, c}) / 2;
        const double w = std::exp(s - interpreter->row({b, 0}, i, Precision::Double).outputs["lse"][0]);
        mass += w;
        for (int64_t e = 0; e < 4; ++e)
          back[e] += w * q({b, 0, i, e});
      }
      expectValue(twice[b * 5 + j], 2 * mass, 1e-6, "mass");
      auto row = steps->row(0, b * 5 + j, Precision::Double, /*overKeys=*/true);
      expectValue(row.results[1].numbers.at(0), mass, 1e-6, "mass");
      for (int64_t e = 0; e < 4; ++e)
        expectValue(row.results[2].numbers.at(e), back[e], 1e-6, "back");
    }
}

TEST(Steps, OneStepIsAKernelToo) {
  Tensor q = Tensor::random(Format::F32, {1, 2, 3, 4}, 1), k = Tensor::random(Format::F32, {1, 2, 5, 4}, 2),
         v = Tensor::random(Format::F32, {1, 2, 5, 4}, 3);
  Program program(simpleKernel(4, "set = causal<top_left>"));
  Call call{{q, k, v}};
  auto steps = make(program, call);
  auto interpreter = call.create(program);
  auto o = all(*steps, 0);
  for (int64_t row = 0; row < 6; ++row)
    for (int64_t e = 0; e < 4; ++e)
      EXPECT_EQ(o[row * 4 + e], interpreter->row({0, row / 3}, row % 3, Precision::Double).outputs["o"][e]);
}

TEST(Steps, WhatAStepRefusesIsSaid) {
  Program program(kHalves);
  Tensor q = Tensor::random(Format::F32, {1, 1, 2, 4}, 1), k = Tensor::random(Format::F32, {1, 1, 3, 4}, 2),
         v = Tensor::random(Format::F32, {1, 1, 4, 4}, 3);
  auto steps = make(program, {{q, k, v}, {integerParam(1), integerParam(2)}});
  EXPECT_EQ(errorOf(*steps, 2), "ATTN_E_SHAPE: axis 2 of 'v' has extent 4, expected 3, the extent of 'j'");
}

} // namespace
