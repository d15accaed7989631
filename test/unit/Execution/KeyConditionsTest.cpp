// Conditions of the set that depend on the key alone: alone and beside others, as masks and as text, whichever rows of
// a task they are the same for; and panels that they empty are not computed.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

constexpr const char *kMaskArgs = ", %m: tensor<?x?xf32>, %w: tensor<?x?xf32>, %at: tensor<?xi32>";
constexpr const char *kMask = "mask<%m[b, j]>";
constexpr const char *kHeadMask = "mask<%w[h, j]>";
/// A comparison of floats, which the algebra of sets does not know; one of a number that is itself an index.
constexpr const char *kLight = "where(h = %h, j = %j) { %x = attn.load %w[%h, %j] : tensor<?x?xf32> "
                               "%c = arith.constant 0.25 : f32 %p = arith.cmpf olt, %x, %c : f32 attn.yield %p : i1 }";
constexpr const char *kThrough =
    "where(h = %h, j = %j) { %t = attn.load %at[%j] : tensor<?xi32> %u = arith.index_cast %t : i32 to index "
    "%x = attn.load %w[%h, %u] : tensor<?x?xf32> %c = arith.constant 0.5 : f32 "
    "%p = arith.cmpf olt, %x, %c : f32 attn.yield %p : i1 }";

std::vector<Tensor> masks(int64_t B, int64_t H, int64_t J) {
  Tensor at(Element::I32, {J});
  for (int64_t j = 0; j < J; ++j)
    at.set({j}, double((7 * j + 3) % J));
  return {Tensor::integers(Element::F32, {B, J}, 3, 0, 1), Tensor::integers(Element::F32, {H, J}, 4, 0, 1), at};
}

TEST(KeyConditions, BesideOthers) {
  const std::string sets[] = {
      kMask,
      fmt::format("{} and {}", kMask, kHeadMask),
      fmt::format("not {} or prefix<5>", kMask),
      fmt::format("causal<bottom_right> and {}", kLight),
      fmt::format("{} minus {}", kMask, kLight),
      fmt::format("causal<bottom_right> or {}", kHeadMask),
      fmt::format("window<bottom_right, left = 9> and {} or not {} and prefix<40>", kHeadMask, kMask),
      kThrough,
      fmt::format("{} and {}", kThrough, kMask),
  };
  for (const char *element : {"f32", "f64", "bf16"})
    for (const std::string &set : sets)
      for (Blocks blocks : {kTiny, Blocks{}, Blocks{12, 32}})
        for (auto [I, J] : {std::pair<int64_t, int64_t>{37, 83}, {1, 83}, {5, 300}}) {
          Attention a;
          a.element = element, a.set = set, a.args = kMaskArgs;
          Call call{normalInputs(a, 2, 3, I, J, 12)};
          llvm::append_range(call.inputs, masks(2, 3, J));
          EXPECT_EQ(check(program(a, blocks), call), "") << element << " " << set << ", " << I << " x " << J;
        }
}

/// Rows of one task may be of several heads, each with a mask of its own.
TEST(KeyConditions, RowsOfSeveralHeads) {
  for (const char *set : {kMask, kHeadMask, kLight})
    for (Blocks blocks : {kTiny, Blocks{}, Blocks{12, 32}})
      for (int64_t I : {1, 3, 20}) {
        Attention a;
        a.heads = "h floordiv 4", a.set = set, a.args = kMaskArgs;
        Program &p = program(a, blocks);
        for (int32_t v = 0; v < p.kernel().info().n_variants; ++v) {
          Call call{normalInputs(a, 2, 8, I, 83, 21, 1, 2)};
          llvm::append_range(call.inputs, masks(2, 8, 83));
          call.variant = v;
          std::string difference = check(p, call);
          if (call.status != ATTN_E_VARIANT)
            EXPECT_EQ(difference, "") << set << ", " << I << " queries, " << p.kernel().info().variants[v].name;
        }
      }
}

/// Of padded batches what is not padded is computed, in panels; with a whole panel, and with none.
TEST(KeyConditions, PaddingIsLeftOut) {
  Attention a;
  a.set = "mask<%m[b, j]>", a.args = ", %m: tensor<?x?xf32>";
  constexpr int64_t J = 200, I = 30, lengths[] = {70, 33, 16, 200, 0};
  for (Blocks blocks : {kTiny, Blocks{}}) {
    Call call{normalInputs(a, 5, 2, I, J, 12)};
    Tensor mask(Element::F32, {5, J});
    for (int64_t b = 0; b < 5; ++b)
      for (int64_t j = 0; j < J; ++j)
        mask.set({b, j}, j < lengths[b]);
    call.inputs.push_back(mask);
    EXPECT_EQ(check(program(a, blocks), call), "");
    const int64_t width = call.stats.tile_keys, strips = (I + call.stats.tile_rows - 1) / call.stats.tile_rows;
    int64_t panels = 0;
    for (int64_t length : lengths)
      panels += (length + width - 1) / width;
    EXPECT_EQ(call.stats.tiles, 2 * strips * panels);
  }
}

} // namespace
