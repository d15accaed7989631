// Maps and strides: where the elements are changes nothing.
#include "Harness.h"

using namespace attn::test;

namespace {

Expected row(int64_t keys, int64_t width, int64_t values, std::function<double(int64_t)> q,
             std::function<double(int64_t, int64_t)> k, std::function<double(int64_t, int64_t)> v) {
  std::vector<Pair> pairs;
  for (int64_t j = 0; j < keys; ++j) {
    double dot = 0;
    for (int64_t c = 0; c < width; ++c)
      dot += q(c) * k(j, c);
    pairs.push_back({dot / std::sqrt((double)width), [v, j](int64_t e) { return v(j, e); }});
  }
  return softmaxRow(pairs, values);
}

TEST(Layout, PackedQKV) {
  Program program(
      "!x = tensor<?x?x3x?x5xf32> !o = tensor<?x?x?x5xf32>\n"
      "attn.kernel @packed(%x: !x) -> (o: !o) {\n"
      "%o = attn.attend dims(b, h | i | j | c, e) q = %x[b, i, 0, h, c] k = %x[b, j, 1, h, c] v = %x[b, j, 2, h, e]\n"
      "outputs o[b, h, i, e] : (!x, !x, !x) -> !o  attn.return %o : !o }");
  Tensor x = Tensor::random(Format::F32, {2, 6, 3, 2, 5}, 7);
  auto interpreter = Call{{x}}.create(program);
  EXPECT_EQ(interpreter->extents(), llvm::ArrayRef<int64_t>({2, 2, 6, 6, 5, 5}));
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < 6; ++i) {
        Expected want = row(
            6, 5, 5, [&](int64_t c) { return x({b, i, 0, h, c}); },
            [&](int64_t j, int64_t c) { return x({b, j, 1, h, c}); },
            [&](int64_t j, int64_t e) { return x({b, j, 2, h, e}); });
        expectRow(interpreter->row({b, h}, i, Precision::Double), want, 1e-14, "packed");
      }
}

TEST(Layout, KeysAreValues) {
  Program program("!t = tensor<?x?x4xf32>\nattn.kernel @shared(%q: !t, %x: !t) -> (o: !t) {\n"
                  "%o = attn.attend dims(b | i | j | c) q = %q[b, i, c] k = %x[b, j, c] v = %x[b, j, c]\n"
                  "outputs o[b, i, c] : (!t, !t, !t) -> !t  attn.return %o : !t }");
  Tensor q = Tensor::random(Format::F32, {1, 2, 4}, 1), x = Tensor::random(Format::F32, {1, 9, 4}, 2);
  auto interpreter = Call{{q, x}}.create(program);
  EXPECT_EQ(interpreter->extents(), llvm::ArrayRef<int64_t>({1, 2, 9, 4}));
  auto kv = [&](int64_t j, int64_t c) { return x({0, j, c}); };
  for (int64_t i = 0; i < 2; ++i)
    expectRow(interpreter->row({0}, i, Precision::Double),
              row(9, 4, 4, [&](int64_t c) { return q({0, i, c}); }, kv, kv), 1e-14, "shared");
}

TEST(Layout, NoBatchAndUnequalWidths) {
  Program program(
      "attn.kernel @flat(%q: tensor<?x3xf32>, %k: tensor<3x?xf32>, %v: tensor<?x7xf32>) -> (o: tensor<7x?xf32>) {\n"
      "%o = attn.attend dims(| i | j | c, e) q = %q[i, c] k = %k[c, j] v = %v[j, e] outputs o[e, i]\n"
      ": (tensor<?x3xf32>, tensor<3x?xf32>, tensor<?x7xf32>) -> tensor<7x?xf32> attn.return %o : tensor<7x?xf32> }");
  Tensor q = Tensor::random(Format::F32, {2, 3}, 1), k = Tensor::random(Format::F32, {3, 5}, 2),
         v = Tensor::random(Format::F32, {5, 7}, 3);
  auto interpreter = Call{{q, k, v}}.create(program);
  Expected want = row(
      5, 3, 7, [&](int64_t c) { return q({1, c}); }, [&](int64_t j, int64_t c) { return k({c, j}); },
      [&](int64_t j, int64_t e) { return v({j, e}); });
  expectRow(interpreter->row({}, 1, Precision::Double), want, 1e-14, "flat");
}

TEST(Layout, StridesAndBroadcast) {
  Program program(simpleKernel(3, "set = causal<bottom_right>"));
  Tensor q = Tensor::random(Format::F32, {2, 4, 3, 2}, 1), k = Tensor::random(Format::F32, {2, 6, 2, 3}, 2),
         v = Tensor::random(Format::F32, {1, 1, 6, 3}, 3);
  // q is [b, i, c, h] in memory, k [b, j, h, c], and one v serves all batch rows and heads.
  Tensor qs = q.permuted({0, 3, 1, 2}), ks = k.permuted({0, 2, 1, 3}), vs = v;
  vs.shape = {2, 2, 6, 3};
  vs.stride[0] = vs.stride[1] = 0;
  auto interpreter = Call{{qs, ks, vs}}.create(program);
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 2; ++h) {
      Expected want = row(
          4, 3, 3, [&](int64_t c) { return q({b, 1, c, h}); }, [&](int64_t j, int64_t c) { return k({b, j, h, c}); },
          [&](int64_t j, int64_t e) { return v({0, 0, j, e}); });
      expectRow(interpreter->row({b, h}, 1, Precision::Double), want, 1e-14, "strided");
    }
}

} // namespace
