// Small problems side by side: the variant that takes calls of few queries and keys, and its limits.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

Attention small(const std::string &element, int64_t d, int64_t dv) {
  Attention a;
  a.element = element;
  a.d = d;
  a.dv = dv;
  return a;
}

TEST(Side, EveryExtent) {
  for (const char *element : {"f32", "f64", "bf16", "f16"})
    for (auto [d, dv] : {std::pair<int64_t, int64_t>{16, 16}, {8, 1}, {3, 5}, {32, 11}, {9, 32}}) {
      Program &p = program(small(element, d, dv), Blocks{});
      for (auto [B, H, I, J] : {std::array<int64_t, 4>{3, 5, 2, 2},
                                {40, 3, 1, 1},
                                {2, 70, 4, 3},
                                {9, 1, 16, 16},
                                {1, 7, 1, 64},
                                {4, 2, 7, 13},
                                {1, 9, 15, 17}}) {
        Call call{normalInputs(small(element, d, dv), B, H, I, J, 31)};
        EXPECT_EQ(check(p, call), "") << fmt::format("{} {} {}, {} {} {} {}", element, d, dv, B, H, I, J);
        EXPECT_EQ(call.stats.variant, 0);
      }
      Call large{normalInputs(small(element, d, dv), 1, 2, 17, 16, 31)};
      EXPECT_EQ(check(p, large), "");
      EXPECT_NE(large.stats.variant, 0);
    }
}

TEST(Side, SharedKeysAndLayouts) {
  Attention a = small("f32", 16, 8);
  a.heads = "h floordiv 3";
  Program &p = program(a, Blocks{});
  Call call{normalInputs(a, 3, 7, 5, 6, 3, 1, 3)};
  EXPECT_EQ(check(p, call), "");
  for (const MemoryLayout &layout : {MemoryLayout{{3, 2, 1, 0}}, MemoryLayout{{0, 2, 1, 3}, {1, 2, 3, 4}, {}, 1, 1},
                                     MemoryLayout{{0, 1, 2, 3}, {}, {}, 3}}) {
    Call moved{call.inputs};
    for (int n = 0; n < 3; ++n) {
      Tensor t(Element::F32, call.inputs[n].shape, layout);
      t.fill([&](auto at) { return call.inputs[n].get(at); });
      t.poisonGaps(poisonBits(Element::F32, Poison::QuietNaN));
      moved.inputs[n] = std::move(t);
    }
    for (int threads : {1, 2}) {
      moved.workers = threads;
      moved.outputs.clear();
      moved.run(p);
      EXPECT_TRUE(sameBits(call, moved));
    }
  }
}

TEST(Side, ScoresOfEveryKind) {
  Attention a = small("f32", 8, 8);
  a.score = "score(%s, i = %i, j = %j) { %d = arith.subi %i, %j : index %n = arith.index_cast %d : index to i32 "
            "%f = arith.sitofp %n : i32 to f32 %t = arith.addf %s, %f : f32 attn.yield %t : f32 }";
  Program &p = program(a, Blocks{});
  for (double scale : {0.1, 1.0, 30.0, 1e4}) {
    Call call{normalInputs(a, 2, 6, 9, 11, 7, scale)};
    EXPECT_EQ(check(p, call), "") << scale;
    EXPECT_EQ(call.stats.variant, 0);
  }
}

/// Of a problem beside others nothing leaks, and scores of -inf hide what is behind them.
TEST(Side, WhatIsNotFinite) {
  const Attention a = small("f32", 8, 8);
  Program &p = program(a, Blocks{});
  Call clean{normalInputs(a, 4, 5, 6, 7, 9)};
  EXPECT_EQ(check(p, clean), "");
  for (const double x : {kNaN, kInf, -kInf})
    for (int n : {0, 1, 2}) {
      Call dirty{clean.inputs};
      dirty.inputs[n].set({2, 3, 4, 5}, x);
      EXPECT_EQ(check(p, dirty), "") << x << " in " << n;
      clean.outputs[0].each([&](auto at) {
        if (at[0] != 2 || at[1] != 3)
          EXPECT_EQ(clean.outputs[0].bits(at), dirty.outputs[0].bits(at));
      });
    }
  Attention hidden = a;
  hidden.score = "score(%s, i = %i, j = %j) { %c = arith.cmpi ugt, %j, %i : index %x = arith.constant 0xFF800000 : f32 "
                 "%t = arith.select %c, %x, %s : f32 attn.yield %t : f32 }";
  Call call{clean.inputs};
  for (int64_t e = 0; e < 8; ++e)
    call.inputs[2].set({1, 1, 3, e}, kNaN);
  EXPECT_EQ(check(program(hidden, Blocks{}), call), "");
  EXPECT_FALSE(std::isnan(call.outputs[0].get({1, 1, 2, 0})));
  EXPECT_TRUE(std::isnan(call.outputs[0].get({1, 1, 3, 0})));
  hidden.score = "score(%s, i = %i, j = %j) { %x = arith.constant 0xFF800000 : f32 attn.yield %x : f32 }";
  Call none{clean.inputs};
  EXPECT_EQ(check(program(hidden, Blocks{}), none), "");
  EXPECT_EQ(none.outputs[0].get({1, 1, 2, 0}), 0);
  EXPECT_EQ(none.outputs[1].get({1, 1, 2}), -kInf);
}

} // namespace
