// reduce .. = topk: exact keys, the largest number first.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Case {
  int64_t count = 8;
  std::string element = "f32", set = "", region = "", more = "", args = "", key = "i32", extra = "", types = "",
              results = "", names = "", normalize = "";
  int64_t d = 8;
};

std::string textOf(const Case &c) {
  const bool values = c.extra.find('o') != std::string::npos;
  std::string text =
      fmt::format("!t = tensor<?x?x?x{}x{}>\n!n = tensor<?x?x?x{}x{}>\n", c.d, c.element, c.count, c.key);
  text += fmt::format("attn.kernel @k(%q: !t, %k: !t{}{}) -> (ids: !n{}) {{\n  %ids{} = attn.attend ",
                      values ? ", %v: !t" : "", c.args, c.types, c.names);
  text += values ? "dims(b, h | i | j | c, e)\n    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n"
                 : "dims(b, h | i | j | c)\n    q = %q[b, h, i, c] k = %k[b, h, j, c]\n";
  text += "    scale = 1.0\n";
  if (!c.set.empty())
    text += "    set = " + c.set + "\n";
  if (!c.normalize.empty())
    text += "    normalize = " + c.normalize + "\n";
  text += fmt::format("    reduce ids[n] = topk {}{}\n{}", c.count, c.region, c.more);
  text += fmt::format("    outputs ids[b, h, i, n]{}\n    : (!t, !t{}) -> (!n{})\n  attn.return %ids{} : !n{}\n}}\n",
                      c.extra, values ? ", !t" : "", c.results, c.names, c.results);
  return text;
}

/// Small integers, so that many products are equal and all are exact.
std::vector<Tensor> inputs(const Case &c, int64_t I, int64_t J, uint64_t seed, int64_t range = 2) {
  const Element element = elementOf(c.element);
  auto tensor = [&](int64_t tokens, uint64_t n) {
    const Tensor raw = Tensor::integers(Element::I32, {1, 2, tokens, c.d}, seed + n, -range, range + 1);
    std::vector<double> values;
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < tokens; ++i)
        for (int64_t x = 0; x < c.d; ++x)
          values.push_back(raw.get({0, h, i, x}));
    return Tensor::of(element, {1, 2, tokens, c.d}, values);
  };
  std::vector<Tensor> all;
  all.push_back(tensor(I, 1));
  all.push_back(tensor(J, 2));
  if (c.extra.find('o') != std::string::npos)
    all.push_back(tensor(J, 3));
  return all;
}

constexpr Blocks kSizes[] = {kTiny, {}, {12, 32}, {6, 16, 3}, {96, 32, 16}};

TEST(Topk, TiesAndEveryCount) {
  for (const char *element : {"f32", "f64", "bf16"})
    for (int64_t count : {1, 3, 16, 50, 200})
      for (Blocks blocks : kSizes) {
        Case c;
        c.element = element;
        c.count = count;
        for (auto [I, J] : {std::pair<int64_t, int64_t>{7, 130}, {1, 513}, {20, 20}, {13, 0}, {2, 1}}) {
          Call call{inputs(c, I, J, 11)};
          EXPECT_EQ(check(program(textOf(c), blocks), call), "") << element << " " << count << " " << I << "x" << J;
        }
      }
}

TEST(Topk, ManyCandidates) {
  Case c;
  c.count = 300;
  for (const char *element : {"f32", "f64"})
    for (Blocks blocks : {Blocks{}, Blocks{6, 16, 5}}) {
      c.element = element;
      Call call{inputs(c, 3, 5000, 5, 9)}; // the buffer is narrowed several times
      EXPECT_EQ(check(program(textOf(c), blocks), call), "") << element;
    }
}

TEST(Topk, AscendingAndDescendingNumbers) {
  Case c;
  c.count = 40;
  for (const char *sign : {"1.0", "-1.0", "0.0"})
    for (Blocks blocks : {Blocks{}, Blocks{6, 16, 4}}) {
      c.region =
          std::string("(%s, j = %j) { %n = arith.index_cast %j : index to i64 %x = arith.sitofp %n : i64 to f32 ") +
          "%c = arith.constant " + sign + " : f32 %y = arith.mulf %x, %c : f32 attn.yield %y : f32 }";
      Call call{inputs(c, 9, 700, 5)};
      EXPECT_EQ(check(program(textOf(c), blocks), call), "") << sign;
    }
}

TEST(Topk, NaNFirstAndMinusZeroIsZero) {
  Case c;
  c.count = 12;
  c.key = "i64";
  c.args = ", %x: tensor<?xf32>";
  c.region = "(%s, j = %j) { %y = attn.load %x[%j] : tensor<?xf32> attn.yield %y : f32 }";
  for (Blocks blocks : kSizes) {
    std::vector<double> x(90, -3);
    x[70] = x[20] = kNaN;
    x[3] = kInf;
    x[4] = -kInf;
    x[50] = 0.0;
    x[51] = -0.0;
    x[30] = -0.0;
    x[31] = 0.0;
    Call call{inputs(c, 8, 90, 5)};
    call.inputs.push_back(Tensor::of(Element::F32, {90}, x));
    EXPECT_EQ(check(program(textOf(c), blocks), call), "");
    std::vector<double> got;
    for (int64_t n = 0; n < 12; ++n)
      got.push_back(call.outputs[0].get({0, 1, 7, n}));
    EXPECT_EQ(got, (std::vector<double>{20, 70, 3, 30, 31, 50, 51, 0, 1, 2, 5, 6}));
  }
  std::vector<double> nan(90, kNaN), low(90, -kInf);
  for (const auto &x : {nan, low}) {
    Call call{inputs(c, 8, 90, 5)};
    call.inputs.push_back(Tensor::of(Element::F32, {90}, x));
    EXPECT_EQ(check(program(textOf(c), kTiny), call), "");
  }
}

TEST(Topk, Sets) {
  for (const char *set : {"causal<bottom_right>", "empty", "window<top_left, left = 3, right = 5>",
                          "not causal<top_left>", "dilated<top_left, step = 4>"})
    for (Blocks blocks : kSizes) {
      Case c;
      c.set = set;
      c.count = 6;
      Call call{inputs(c, 33, 70, 3)};
      EXPECT_EQ(check(program(textOf(c), blocks), call), "") << set;
    }
}

TEST(Topk, ListsWhoseOrderIsAny) {
  for (const char *set : {"tokens<%l[b, h]>", "tokens<%l[b, h, i]>", "blocks<%l[b, h, i floordiv 8], block = 16>",
                          "tokens<%l[b, h, i]> or causal<top_left>"}) {
    const bool perQuery = std::string(set).find('i') != std::string::npos;
    Case c;
    c.set = set;
    c.count = 5;
    c.args = perQuery ? ", %l: tensor<?x?x?x?xi32>" : ", %l: tensor<?x?x?xi32>";
    const bool coarse = std::string(set).find("floordiv") != std::string::npos;
    for (Blocks blocks : {kTiny, Blocks{}}) {
      Program &p = program(textOf(c), blocks);
      int ran = 0;
      for (int32_t variant = p.kernel().info().n_variants; variant-- > 0;) {
        Call call{inputs(c, 24, 640, 3)};
        const Index shape = coarse ? Index{1, 2, 3, 3} : perQuery ? Index{1, 2, 24, 9} : Index{1, 2, 17};
        call.inputs.push_back(Tensor::integers(Element::I32, shape, 9, -1, coarse ? 39 : 639));
        call.variant = variant;
        const std::string difference = check(p, call);
        if (call.status == ATTN_E_VARIANT)
          continue;
        EXPECT_EQ(difference, "") << set << " variant " << variant;
        EXPECT_EQ(call.status, ATTN_OK);
        ++ran;
      }
      EXPECT_GE(ran, std::string(set) == "tokens<%l[b, h, i]>" ? 2 : 1) << set; // rows have a variant of their own
    }
  }
}

TEST(Topk, BesideOtherOutputs) {
  Case c;
  c.count = 9;
  c.more =
      "    reduce top = max\n    reduce id = argmax\n    reduce far[m] = topk 4(%s, j = %j) { %y = arith.negf %s : f32 "
      "attn.yield %y : f32 }\n";
  c.extra = ", o[b, h, i, e], top[b, h, i], id[b, h, i], far[b, h, i, m]";
  c.types = ", o: !t, top: tensor<?x?x?xf32>, id: tensor<?x?x?xi64>, far: tensor<?x?x?x4xi64>";
  c.results = ", !t, tensor<?x?x?xf32>, tensor<?x?x?xi64>, tensor<?x?x?x4xi64>";
  c.names = ", %o, %top, %id, %far";
  for (const char *normalize : {"", "@relu_n", "@sparsemax"})
    for (Blocks blocks : {kTiny, Blocks{}}) {
      c.normalize = normalize;
      c.set = "causal<bottom_right>";
      Call call{inputs(c, 14, 90, 3, 1)};
      EXPECT_EQ(check(program(textOf(c), blocks), call), "") << normalize;
    }
}

TEST(Topk, ThreadsAndUnwantedOutputs) {
  Case c;
  c.count = 20;
  Program &p = program(textOf(c), Blocks{});
  attn_pool *pool = attn_pool_create(3);
  Call one{inputs(c, 4, 6000, 3)}, three{inputs(c, 4, 6000, 3)};
  three.workers = 3;
  three.pool = pool;
  EXPECT_EQ(check(p, one), "");
  EXPECT_EQ(check(p, three), "");
  EXPECT_TRUE(sameBits(one, three));
  attn_pool_destroy(pool);
}

} // namespace
