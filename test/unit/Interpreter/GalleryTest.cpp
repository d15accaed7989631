// Every gallery program against its formula, over all batch indices, heads and queries.
#include "Harness.h"

using namespace attn::test;

namespace {

using Shape = std::vector<int64_t>;

struct Case {
  const char *name;
  std::function<bool(int64_t b, int64_t h, int64_t i, int64_t j)> member = nullptr;
  std::vector<Tensor> captured = {};
  std::vector<attn_scalar> params = {};
  std::function<double(double s, int64_t h, int64_t i, int64_t j)> score = [](double s, int64_t, int64_t, int64_t) {
    return s;
  };
  double scale = 0.125;
  int64_t group = 1, width = 64, I = 7, J = 11, H = 4;
};

Tensor captured(Format format, Shape shape, std::vector<double> values) { return Tensor(format, shape, values); }

void check(const Case &c) {
  SCOPED_TRACE(c.name);
  bool mqa = c.group == 0;
  int64_t B = 2, heads = mqa ? 1 : c.H / c.group;
  Tensor q = Tensor::random(Format::F32, {B, c.H, c.I, c.width}, 1),
         k = Tensor::random(Format::F32, {B, heads, c.J, c.width}, 2),
         v = Tensor::random(Format::F32, {B, heads, c.J, c.width}, 3);
  auto program = Program::gallery(c.name);
  Call call{{q, mqa ? k.permuted({0, 2, 3}) : k, mqa ? v.permuted({0, 2, 3}) : v}, c.params};
  if (mqa)
    for (int n : {1, 2}) {
      call.tensors[n].shape.pop_back();
      call.tensors[n].stride.pop_back();
    }
  call.tensors.insert(call.tensors.end(), c.captured.begin(), c.captured.end());
  auto interpreter = call.create(program);
  EXPECT_EQ(interpreter->extents(), llvm::ArrayRef<int64_t>({B, c.H, c.I, c.J, c.width, c.width}));
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < c.H; ++h)
      for (int64_t i = 0; i < c.I; ++i) {
        std::vector<Pair> pairs;
        int64_t kh = mqa ? 0 : h / c.group;
        for (int64_t j = 0; j < c.J; ++j) {
          EXPECT_EQ(interpreter->visible({b, h}, i, j), c.member(b, h, i, j)) << b << h << i << " " << j;
          if (!c.member(b, h, i, j))
            continue;
          double dot = 0;
          for (int64_t x = 0; x < c.width; ++x)
            dot += q({b, h, i, x}) * k({b, kh, j, x});
          pairs.push_back({c.score(c.scale * dot, h, i, j), [&, b, kh, j](int64_t e) { return v({b, kh, j, e}); }});
        }
        Expected want = softmaxRow(pairs, c.width);
        RowResult exact = interpreter->row({b, h}, i, Precision::Double);
        EXPECT_EQ(exact.visible, (int64_t)pairs.size());
        EXPECT_FALSE(exact.badIndex);
        expectRow(exact, want, 1e-12, "double");
        expectRow(interpreter->row({b, h}, i, Precision::Plain), want, 1e-6, "plain");
      }
}

TEST(Gallery, Full) {
  check({"full", [](int64_t, int64_t, int64_t, int64_t) { return true; }});
  check({"cross", [](int64_t, int64_t, int64_t, int64_t) { return true; }});
}

TEST(Gallery, Causal) {
  auto bottomRight = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i + 4; };
  check({"causal", bottomRight});
  check({"causal_top_left", [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i; }});
  Case more{"causal", [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i - 6; }};
  more.I = 11, more.J = 5; // the first rows see nothing
  check(more);
  Case gqa{"gqa", bottomRight};
  gqa.group = 4, gqa.H = 8;
  check(gqa);
  Case mqa{"mqa", bottomRight};
  mqa.group = 0;
  check(mqa);
}

TEST(Gallery, SlidingWindow) {
  for (int64_t w : {(int64_t)0, (int64_t)3, (int64_t)1000, (int64_t)-1, INT64_MIN, INT64_MAX})
    check({"sliding_window",
           [w](int64_t, int64_t, int64_t i, int64_t j) { return j <= i + 4 && (__int128)i + 4 - w <= j; },
           {},
           {integerParam(w)}});
}

TEST(Gallery, PrefixLM) {
  check({"prefix_lm",
         [](int64_t b, int64_t, int64_t i, int64_t j) { return j <= i + 4 || j < (b ? 9 : 0); },
         {captured(Format::I32, {2}, {0, 9})}});
}

TEST(Gallery, Document) {
  Case c{"document"};
  c.I = c.J = 6;
  std::vector<double> ids = {0, 0, 1, 1, 1, 2, 5, 3, 5, 3, 3, 3};
  c.captured = {captured(Format::I32, {2, 6}, ids)};
  c.member = [ids](int64_t b, int64_t, int64_t i, int64_t j) { return ids[b * 6 + i] == ids[b * 6 + j] && j <= i; };
  check(c);
}

TEST(Gallery, Varlen) {
  Case c{"varlen"};
  c.captured = {captured(Format::I32, {2}, {7, 3}), captured(Format::I32, {2}, {5, 11})};
  c.member = [](int64_t b, int64_t, int64_t i, int64_t j) {
    int64_t ql = b ? 3 : 7, kl = b ? 11 : 5;
    return i < ql && j < kl && j <= i + kl - ql;
  };
  check(c);
}

TEST(Gallery, MiniLM) {
  Case c{"minilm"};
  c.width = 32, c.scale = 1 / std::sqrt(32.0);
  std::vector<double> mask(22, 1);
  mask[3] = mask[15] = 0, mask[4] = 0.5, mask[5] = -0.0;
  c.captured = {captured(Format::F32, {2, 11}, mask)};
  c.member = [mask](int64_t b, int64_t, int64_t, int64_t j) { return mask[b * 11 + j] != 0; };
  check(c);
}

TEST(Gallery, Scores) {
  auto causal = [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i + 4; };
  check({"alibi",
         causal,
         {captured(Format::F32, {4}, {1, 0.5, 0.25, 0.125})},
         {},
         [](double s, int64_t h, int64_t i, int64_t j) { return s + std::ldexp(1.0, -h) * (j - i); }});
  check({"softcap", causal, {}, {floatParam(0.5)}, [](double s, int64_t, int64_t, int64_t) {
           return 0.5 * std::tanh(s / 0.5);
         }});
  std::vector<double> buckets(128), table(128);
  for (int n = 0; n < 128; ++n)
    buckets[n] = std::min(n / 2, 31), table[n] = n / 128.0;
  Case t5{"t5_bias", causal, {captured(Format::I32, {128}, buckets), captured(Format::F32, {32, 4}, table)}};
  t5.scale = 1;
  t5.score = [=](double s, int64_t h, int64_t i, int64_t j) {
    return s + table[buckets[std::max<int64_t>(i - j, 0)] * 4 + h];
  };
  check(t5);
}

} // namespace
