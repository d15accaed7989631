// Heads that share keys: for few queries their rows stand together in one block.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

int32_t variantNamed(Program &p, const std::string &name) {
  const attn_kernel_info &info = p.kernel().info();
  for (int32_t v = 0; v < info.n_variants; ++v)
    if (name == info.variants[v].name)
      return v;
  return -1;
}

/// q, k, v for heads that share by `group` (0: all).
std::vector<Tensor> inputs(const Attention &a, int64_t B, int64_t H, int64_t group, int64_t I, int64_t J) {
  return normalInputs(a, B, H, I, J, 21, 1, group ? H / group : 1);
}

/// Every variant; the one of groups has to be among those that run.
void checkAll(const std::string &text, Blocks blocks, const std::vector<Tensor> &inputs, const std::string &what,
              std::vector<attn_scalar> params = {}) {
  Program &p = program(text, blocks);
  const std::string name = std::string(blocks.split                 ? "split_group"
                                       : blocks.rows || blocks.keys ? "forced_group"
                                                                    : "group");
  const int32_t group = variantNamed(p, name);
  ASSERT_GE(group, 0) << what;
  for (int32_t v = 0; v < p.kernel().info().n_variants; ++v) {
    Call call{inputs, params};
    call.variant = v;
    const std::string difference = check(p, call);
    if (call.status == ATTN_E_VARIANT) {
      EXPECT_TRUE(v != group || blocks.split) << what; // too few keys for so many chunks
      continue;
    }
    EXPECT_EQ(difference, "") << what << " variant " << p.kernel().info().variants[v].name;
    Call threads{inputs, params};
    threads.variant = v;
    threads.workers = 3;
    attn_pool *pool = attn_pool_create(3);
    threads.pool = pool;
    threads.run(p);
    attn_pool_destroy(pool);
    EXPECT_TRUE(sameBits(call, threads)) << what;
  }
}

constexpr Blocks kSizes[] = {kTiny, {}, {12, 32}, {6, 16, 3}, {36, 16, 2}};

TEST(Group, SizesOfGroupsAndLengths) {
  for (auto [H, group] : {std::pair<int64_t, int64_t>{8, 4}, {6, 3}, {5, 5}, {2, 1 + 1}})
    for (auto [I, J] :
         {std::pair<int64_t, int64_t>{1, 70}, {2, 33}, {5, 48}, {8, 130}, {16, 130}, {3, 0}, {0, 5}, {1, 1}})
      for (Blocks blocks : kSizes) {
        Attention a;
        a.heads = fmt::format("h floordiv {}", group);
        checkAll(a.text(), blocks, inputs(a, 2, H, group, I, J), fmt::format("{}/{} {}x{}", H, group, I, J));
      }
}

TEST(Group, AllHeadsShare) {
  for (int64_t H : {1, 7, 130})
    for (Blocks blocks : {kTiny, Blocks{}, Blocks{6, 16, 3}}) {
      Attention a;
      a.heads = "0";
      checkAll(a.text(), blocks, inputs(a, 2, H, 0, 1, 50), fmt::format("{} heads", H));
    }
}

TEST(Group, SetsOfTheQuery) {
  for (const char *set : {"causal<bottom_right>", "causal<top_left>", "window<bottom_right, left = 9>",
                          "prefix<3> or window<bottom_right, left = 5>", "dilated<bottom_right, step = 3>",
                          "block_causal<bottom_right, block = 4>", "empty", "not causal<bottom_right>", "global<2>"})
    for (int64_t I : {1, 4, 8})
      for (Blocks blocks : {kTiny, Blocks{}, Blocks{6, 16, 3}}) {
        Attention a;
        a.heads = "h floordiv 3";
        a.set = set;
        checkAll(a.text(), blocks, inputs(a, 2, 6, 3, I, 90), set);
      }
}

TEST(Group, CapturedSetsScoresAndParameters) {
  struct {
    const char *args, *set, *score;
    std::vector<Tensor> more;
  } const cases[] = {
      {", %n: tensor<?xi32>", "lengths<k = %n>", "", {Tensor::of(Element::I32, {2}, {37, 0})}},
      {", %s: tensor<?x?xi32>, %u: tensor<?x?xi32>",
       "same_segment<q = %s, k = %u>",
       "",
       {Tensor::integers(Element::I32, {2, 5}, 3, 0, 3), Tensor::integers(Element::I32, {2, 60}, 4, 0, 3)}},
      {", %m: tensor<?x?x?xi8>", "mask<%m[b, i, j]>", "", {Tensor::integers(Element::I8, {2, 5, 60}, 3, 0, 1)}},
      {", %t: tensor<?x?x?x?xf32>",
       "causal<bottom_right>",
       "score(%s, b = %b, h = %h, i = %i, j = %j) { %x = attn.load %t[%b, %h, %i, %j] : tensor<?x?x?x?xf32> %r = "
       "arith.addf %s, %x : f32 "
       "attn.yield %r : f32 }",
       {Tensor::normal(Element::F32, {2, 6, 5, 60}, 5)}},
      {", %t: tensor<?xf32>",
       "", // slopes of heads, and a load that is bad for some
       "score(%s, h = %h, i = %i, j = %j) { %x = attn.load %t[%h] : tensor<?xf32> %d = arith.subi %j, %i : index %y = "
       "attn.load %t[%d] : "
       "tensor<?xf32> %z = arith.mulf %x, %y : f32 %r = arith.addf %s, %z : f32 attn.yield %r : f32 }",
       {Tensor::normal(Element::F32, {6}, 5)}},
  };
  for (const auto &c : cases)
    for (Blocks blocks : {kTiny, Blocks{}, Blocks{6, 16, 3}}) {
      Attention a;
      a.heads = "h floordiv 3";
      a.args = c.args;
      a.set = c.set;
      a.score = c.score;
      std::vector<Tensor> all = inputs(a, 2, 6, 3, 5, 60);
      all.insert(all.end(), c.more.begin(), c.more.end());
      checkAll(a.text(), blocks, all, c.args);
    }
}

TEST(Group, WhatDependsOnTheHeadHasNoSuchVariant) {
  Attention a;
  a.heads = "h floordiv 3";
  a.args = ", %m: tensor<?x?x?xi8>";
  a.set = "mask<%m[h, i, j]>";
  Program &p = program(a, Blocks{});
  EXPECT_EQ(variantNamed(p, "group"), -1);
  Call call{inputs(a, 2, 6, 3, 5, 60)};
  call.inputs.push_back(Tensor::integers(Element::I8, {6, 5, 60}, 3, 0, 1));
  EXPECT_EQ(check(p, call), "");
}

TEST(Group, NormalizersAndOutputs) {
  for (const char *clauses :
       {"normalize = @softmax_sink(%x[h])", "normalize = @sigmoid(%x[h])", "normalize = @argmax reduce id = argmax",
        "normalize = @entmax15",
        "reduce m = weighted(%s, h = %h, j = %j) { %y = attn.load %x[%h] : tensor<?xf32> %z = arith.mulf %s, %y : f32 "
        "attn.yield %z : f32 }",
        "reduce m = weighted(%s, h = %h) { %n = arith.index_cast %h : index to i32 %y = arith.sitofp %n : i32 to f32 "
        "%z = "
        "arith.mulf %s, %y : f32 attn.yield %z : f32 }",
        "reduce ids[n] = topk 4", "dropout(seed = 5, probability = 0.3)",
        "epilogue(o = %o, h = %h, i = %i, e = %e) -> (o) { %y = attn.load %x[%h] : tensor<?xf32> %z = arith.addf %o, "
        "%y : f32 attn.yield %z : "
        "f32 }"})
    for (Blocks blocks : {kTiny, Blocks{}, Blocks{6, 16, 3}}) {
      const std::string c = clauses;
      if (blocks.split && c.find("entmax") != std::string::npos)
        continue;
      const std::string extra = c.find("id = ") != c.npos   ? ", id[b, h, i]"
                                : c.find("m = w") != c.npos ? ", m[b, h, i]"
                                : c.find("ids") != c.npos   ? ", ids[b, h, i, n]"
                                                            : "";
      const std::string type = c.find("id = ") != c.npos   ? ", tensor<?x?x?xi32>"
                               : c.find("m = w") != c.npos ? ", tensor<?x?x?xf32>"
                               : c.find("ids") != c.npos   ? ", tensor<?x?x?x4xi64>"
                                                           : "";
      const std::string text = fmt::format(R"(!t = tensor<?x?x?x8xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %x: tensor<?xf32>) -> (o: !t{}) {{
  %o{} = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 3, j, c] v = %v[b, h floordiv 3, j, e]
    set = causal<bottom_right> {}
    outputs o[b, h, i, e]{}
    : (!t, !t, !t) -> (!t{})
  attn.return %o{} : !t{}
}}
)",
                                           type.empty() ? "" : ", r: " + type.substr(2), type.empty() ? "" : ", %r",
                                           clauses, extra, type, type.empty() ? "" : ", %r", type);
      std::vector<Tensor> all = inputs(Attention{}, 2, 6, 3, 3, 50);
      all.push_back(Tensor::normal(Element::F32, {6}, 5));
      checkAll(text, blocks, all, clauses);
    }
}

TEST(Group, NaNAndLayouts) {
  Attention a;
  a.heads = "h floordiv 2";
  a.set = "causal<bottom_right>";
  for (Blocks blocks : {kTiny, Blocks{}, Blocks{6, 16, 3}}) {
    std::vector<Tensor> all = inputs(a, 1, 4, 2, 3, 40);
    all[1].set({0, 0, 39, 0}, kNaN); // for the last query of two heads
    all[2].set({0, 1, 38, 0}, kInf);
    checkAll(a.text(), blocks, all, "NaN");
    Tensor q(Element::F32, all[0].shape, MemoryLayout{{0, 2, 1, 3}, {}, {}, 2, 3});
    q.fill([&](auto at) { return all[0].get(at); });
    all[0] = q;
    checkAll(a.text(), blocks, all, "layout");
  }
}

TEST(Group, TakenForFewQueriesAlone) {
  Attention a;
  a.d = a.dv = 16; // a whole vector of any level
  a.heads = "h floordiv 4";
  Program &p = program(a, Blocks{});
  for (int64_t I : {1, 8, 16, 17, 100}) {
    Call call{inputs(a, 1, 8, 4, I, 300)};
    EXPECT_EQ(check(p, call), "");
    EXPECT_EQ(std::string(p.kernel().info().variants[call.stats.variant].name), I == 1    ? "few"
                                                                                : I <= 16 ? "group"
                                                                                          : "stream")
        << I;
  }
  for (int64_t I : {1, 2}) {
    Call split{inputs(a, 1, 8, 4, I, 5000)};
    EXPECT_EQ(check(p, split), "");
    EXPECT_EQ(std::string(p.kernel().info().variants[split.stats.variant].name), I == 1 ? "split_few" : "split_group");
  }
}

/// A group that is cut short at the end goes by another variant.
TEST(Group, ShortGroups) {
  Attention a;
  a.heads = "h floordiv 4";
  Program &p = program(a, Blocks{});
  Call call{normalInputs(a, 1, 6, 1, 600, 3, 1, 2)};
  EXPECT_EQ(check(p, call), "");
  EXPECT_EQ(std::string(p.kernel().info().variants[call.stats.variant].name), "stream");
}

} // namespace
