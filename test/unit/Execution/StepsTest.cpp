// Kernels of several steps: the same bits as their steps compiled and called one by one.
#include "Steps.h"

using namespace attn;
using namespace attn::test;

namespace {

const std::string kTypes =
    "!t = tensor<?x?x?x16xf32>\n!l = tensor<?x?x?xf32>\n!y = tensor<?x?x16xf32>\n!g = tensor<?x?xf32>\n";
const std::string kAttend = R"(  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
)";
const std::string kGate =
    R"(  %y = attn.map dims(b, h, i, e) sum(h) (%x = %o[b, h, i, e], %w = %g[b, h], %s = %lse[b, h, i]) {
    %n = math.exp %s : f32
    %z = arith.mulf %x, %w : f32
    %u = arith.addf %z, %n : f32
    attn.yield %u : f32
  } -> [b, i, e] : (!t, !g, !l) -> !y
)";

const std::string kAttendAlone = kTypes + "attn.kernel @a(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !l) {\n" + kAttend +
                                 "  attn.return %o, %lse : !t, !l\n}\n";
const std::string kGateAlone =
    kTypes + "attn.kernel @m(%o: !t, %g: !g, %lse: !l) -> (y: !y) {\n" + kGate + "  attn.return %y : !y\n}\n";

std::vector<Tensor> qkv(int64_t B, int64_t H, int64_t I, int64_t J, uint64_t seed = 5) {
  return {Tensor::normal(Element::F32, {B, H, I, 16}, seed), Tensor::normal(Element::F32, {B, H, J, 16}, seed + 1),
          Tensor::normal(Element::F32, {B, H, J, 16}, seed + 2)};
}

/// o, lse of the attend alone, y of the map alone.
struct Parts {
  Tensor o, lse, y;
};
Parts oneByOne(const std::vector<Tensor> &in, const Tensor &gate) {
  const int64_t B = in[0].shape[0], H = in[0].shape[1], I = in[0].shape[2];
  StepCall a(kAttendAlone), m(kGateAlone);
  a.args = in;
  a.args.push_back(Tensor(Element::F32, {B, H, I, 16}));
  a.args.push_back(Tensor(Element::F32, {B, H, I}));
  EXPECT_EQ(a.run(), ATTN_OK);
  m.args = {a.args[3], gate, a.args[4], Tensor(Element::F32, {B, I, 16})};
  EXPECT_EQ(m.run(), ATTN_OK);
  return {a.args[3], a.args[4], m.args[3]};
}

/// Threads, layouts and outputs that nobody wants change no bit.
TEST(Steps, AttendThenMap) {
  const std::string text = kTypes + "attn.kernel @k(%q: !t, %k: !t, %v: !t, %g: !g) -> (y: !y, lse: !l, o: !t) {\n" +
                           kAttend + kGate + "  attn.return %y, %lse, %o : !y, !l, !t\n}\n";
  StepCall c(text);
  for (auto [B, H, I, J] : {std::array<int64_t, 4>{2, 3, 37, 50}, {1, 1, 1, 1}, {1, 5, 130, 20}, {2, 2, 7, 0}}) {
    std::vector<Tensor> in = qkv(B, H, I, J);
    Tensor gate = Tensor::normal(Element::F32, {B, H}, 9);
    Parts want = oneByOne(in, gate);
    for (int threads : {1, 2, 3})
      for (int wanted = 0; wanted < 8; ++wanted)
        for (bool strided : {false, true}) {
          MemoryLayout layout;
          if (strided)
            layout = MemoryLayout{{2, 0, 1}, {2, 1, 3}, {}, 1};
          c.args = in;
          c.args.push_back(gate);
          c.args.push_back(Tensor(Element::F32, {B, I, 16}, layout));
          c.args.push_back(Tensor(Element::F32, {B, H, I}, layout));
          c.args.push_back(Tensor(Element::F32, {B, H, I, 16}));
          for (int n = 0; n < 3; ++n)
            c.args[4 + n].null = !(wanted >> n & 1);
          c.threads(threads);
          ASSERT_EQ(c.run(), ATTN_OK) << c.error.arg << " " << c.error.axis;
          const Tensor *wants[] = {&want.y, &want.lse, &want.o};
          for (int n = 0; n < 3; ++n)
            if (wanted >> n & 1)
              EXPECT_EQ(c.args[4 + n].elements(), wants[n]->elements())
                  << "result " << n << ", threads " << threads << ", wanted " << wanted << ", strided " << strided;
        }
  }
}

/// A result of one attend is the query of the next, and read by its score.
TEST(Steps, AttendFeedsAttend) {
  const std::string second = R"(  %p, %m = attn.attend dims(b, h | i | j | c, e)
    q = %o[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, b = %b, h = %h, i = %i) {
      %x = attn.load %lse[%b, %h, %i] : !l
      %t = arith.subf %s, %x : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
)";
  const std::string alone = kTypes + "attn.kernel @b(%o: !t, %k: !t, %v: !t, %lse: !l) -> (p: !t, m: !l) {\n" + second +
                            "  attn.return %p, %m : !t, !l\n}\n";
  const std::string both = kTypes + "attn.kernel @k(%q: !t, %k: !t, %v: !t) -> (p: !t, m: !l) {\n" + kAttend + second +
                           "  attn.return %p, %m : !t, !l\n}\n";
  const int64_t B = 2, H = 3, I = 40, J = 60;
  std::vector<Tensor> in = qkv(B, H, I, J);
  Parts first = oneByOne(in, Tensor::normal(Element::F32, {B, H}, 9));
  StepCall b(alone), c(both);
  Tensor o(Element::F32, {B, H, I, 16}), lse(Element::F32, {B, H, I});
  b.args = {first.o, in[1], in[2], first.lse, o, lse};
  ASSERT_EQ(b.run(), ATTN_OK);
  for (int threads : {1, 2}) {
    c.args = {in[0], in[1], in[2], o, lse};
    c.threads(threads);
    ASSERT_EQ(c.run(), ATTN_OK);
    EXPECT_EQ(c.args[3].elements(), b.args[4].elements());
    EXPECT_EQ(c.args[4].elements(), b.args[5].elements());
    EXPECT_GT(c.stats.tiles, b.stats.tiles) << "both attends count";
  }
}

/// A map before an attend: its result is the values, in another type.
TEST(Steps, MapFeedsAttend) {
  const std::string text = R"(!t = tensor<?x?x?x16xf32>
!h = tensor<?x?x?x16xbf16>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %w: f32) -> (o: !t) {
  %x = attn.map dims(b, h, j, e) (%u = %v[b, h, j, e]) {
    %z = arith.mulf %u, %w : f32
    attn.yield %z : f32
  } -> [b, h, j, e] : (!t) -> !h
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %x[b, h, j, e] outputs o[b, h, i, e] : (!t, !t, !h) -> !t
  attn.return %o : !t
})";
  const std::string alone = R"(!t = tensor<?x?x?x16xf32>
!h = tensor<?x?x?x16xbf16>
attn.kernel @k(%q: !t, %k: !t, %x: !h) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %x[b, h, j, e] outputs o[b, h, i, e] : (!t, !t, !h) -> !t
  attn.return %o : !t
})";
  std::vector<Tensor> in = qkv(2, 2, 33, 45);
  StepCall c(text), a(alone);
  Tensor half(Element::BF16, in[2].shape), o(Element::F32, {2, 2, 33, 16});
  half.fill([&](auto x) { return float(float(in[2].get(x)) * 0.5f); });
  c.args = {in[0], in[1], in[2], o};
  c.params = {floatParam(0.5)};
  a.args = {in[0], in[1], half, o};
  ASSERT_EQ(c.run(), ATTN_OK);
  ASSERT_EQ(a.run(), ATTN_OK);
  EXPECT_EQ(c.args[3].elements(), a.args[3].elements());
}

/// Two halves of the keys, merged, are all keys.
TEST(Steps, Merge) {
  const std::string text = R"(!t = tensor<?x?x?x16xf32>
!l = tensor<?x?x?xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %n: index) -> (o: !t, lse: !l) {
  %o1, %l1 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = prefix<%n> and causal<top_left> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  %o2, %l2 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> minus prefix<%n> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
})";
  const std::string whole = R"(!t = tensor<?x?x?x16xf32>
!l = tensor<?x?x?xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !l) {
  %o, %l = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)
  attn.return %o, %l : !t, !l
})";
  StepCall c(text), w(whole);
  std::vector<Tensor> in = qkv(1, 2, 50, 50);
  w.args = in;
  w.args.insert(w.args.end(), {Tensor(Element::F32, {1, 2, 50, 16}), Tensor(Element::F32, {1, 2, 50})});
  ASSERT_EQ(w.run(), ATTN_OK);
  for (int64_t n : {0, 1, 20, 50, 99}) {
    c.args = w.args;
    c.params = {integerParam(n)};
    for (int t : {3, 4})
      c.args[t].fill([](auto) { return 77; });
    c.threads(2);
    ASSERT_EQ(c.run(), ATTN_OK);
    for (int t : {3, 4})
      c.args[t].each([&](llvm::ArrayRef<int64_t> x) {
        EXPECT_NEAR(c.args[t].get(x), w.args[t].get(x), 2e-6) << "n " << n << ", result " << t - 3;
      });
  }
}

/// What is wrong is told of the tensors of the whole call.
TEST(Steps, Refusals) {
  const std::string text = kTypes + "attn.kernel @k(%q: !t, %k: !t, %v: !t, %g: !g) -> (y: !y) {\n" + kAttend + kGate +
                           "  attn.return %y : !y\n}\n";
  StepCall c(text);
  auto fresh = [&] {
    c.args = qkv(2, 3, 10, 12);
    c.args.push_back(Tensor::normal(Element::F32, {2, 3}, 9));
    c.args.push_back(Tensor(Element::F32, {2, 10, 16}));
  };
  fresh();
  EXPECT_EQ(c.run(), ATTN_OK);
  c.args[3] = Tensor::normal(Element::F32, {2, 4}, 9);
  EXPECT_EQ(c.run(), ATTN_E_SHAPE);
  EXPECT_EQ(c.error.arg, 0) << "o has the heads of q, where the gate, which the map sees first, has four";
  EXPECT_EQ(c.error.axis, 1);
  fresh();
  c.args[4] = Tensor(Element::F32, {2, 11, 16});
  EXPECT_EQ(c.run(), ATTN_E_SHAPE);
  EXPECT_EQ(c.error.arg, 4);
  fresh();
  c.args[3].null = true;
  EXPECT_EQ(c.run(), ATTN_E_ARGUMENT);
  EXPECT_EQ(c.error.arg, 3);
  fresh();
  c.variant = 1;
  EXPECT_EQ(c.run(), ATTN_E_VARIANT);
  c.variant = 0;
  EXPECT_EQ(c.run(), ATTN_OK);
  c.variant = -1;
}

} // namespace
