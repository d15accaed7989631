// Edge contract 7: legal layouts.
#include "Harness.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

using namespace attn;
using namespace attn::test;

namespace {

Tensor laidOut(const Tensor &t, const MemoryLayout &layout) {
  Tensor r(t.element, t.shape, layout);
  r.fill([&](auto x) { return t.get(x); });
  return r;
}

/// Every operand and output in every layout of the list gives the bits of the dense call.
void expectSame(const Attention &a, const std::vector<MemoryLayout> &layouts, bool outputs, int64_t queries = 20) {
  Program &p = program(a);
  Call dense{normalInputs(a, 2, 3, queries, 33, 3)};
  ASSERT_EQ(check(p, dense), "");
  for (const MemoryLayout &layout : layouts)
    for (int which = 0; which < (outputs ? 5 : 3); ++which) {
      Call call{dense.inputs};
      call.outputs = makeOutputs(p, call.inputs);
      if (which < 3)
        call.inputs[which] = laidOut(call.inputs[which], layout);
      else if (which == 3)
        call.outputs[0] = laidOut(call.outputs[0], layout);
      else
        call.outputs[1] = Tensor(call.outputs[1].element, call.outputs[1].shape,
                                 {{1, 2, 0}, {3, 1, 2}, {}, layout.step, layout.offset});
      call.run(p);
      EXPECT_TRUE(sameBits(dense, call)) << "operand " << which << " order "
                                         << fmt::format("{}", fmt::join(layout.order, ""));
    }
}

class Layouts : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Each, Layouts, ::testing::Values("f32", "bf16", "f16", "f64"));

TEST_P(Layouts, PermutedPaddedSteppedMisaligned) {
  std::vector<MemoryLayout> layouts;
  Index order = {0, 1, 2, 3};
  do
    layouts.push_back({order, {1, 0, 2, 3}, {}, 1 + order[0], order[1]});
  while (std::next_permutation(order.begin(), order.end()));
  for (int64_t offset = 1; offset < 16; ++offset)
    layouts.push_back({{}, {}, {}, 1, offset});
  Attention a;
  a.element = GetParam();
  a.d = 19;
  a.dv = 17;
  a.set = "causal<bottom_right>";
  expectSame(a, layouts, true);
}

// Few queries read keys and values where they lie, two elements of 16 bits as a word that is not aligned as one.
TEST_P(Layouts, FewQueriesOfMisalignedRows) {
  std::vector<MemoryLayout> layouts;
  for (int64_t offset = 0; offset < 4; ++offset)
    layouts.push_back({{0, 1, 2, 3}, {1, 0, 2, 3}, {}, 1, offset});
  layouts.push_back({{0, 2, 1, 3}, {1, 0, 2, 3}, {}, 1, 1});
  Attention a;
  a.element = GetParam();
  a.d = a.dv = 64;
  expectSame(a, layouts, true, 1);
}

/// Inputs of stride 0 along every subset of axes.
TEST_P(Layouts, BroadcastInputs) {
  Attention a;
  a.element = GetParam();
  a.d = a.dv = 9;
  a.set = "window<bottom_right, left = 12>";
  Program &p = program(a);
  for (int axes = 0; axes < 16; ++axes)
    for (int which = 0; which < 3; ++which) {
      MemoryLayout layout;
      for (int64_t axis = 0; axis < 4; ++axis)
        if (axes >> axis & 1)
          layout.broadcast.push_back(axis);
      Call call{normalInputs(a, 2, 3, 20, 33, 3)}, dense{call.inputs};
      call.inputs[which] = laidOut(call.inputs[which], layout);
      dense.inputs[which] = laidOut(call.inputs[which], {});
      call.run(p);
      dense.run(p);
      EXPECT_TRUE(sameBits(call, dense)) << "operand " << which << " axes " << axes;
      EXPECT_EQ(call.status, ATTN_OK);
    }
}

TEST(Layout, BroadcastCapturedTensors) {
  Attention a;
  a.set = "same_segment<%seg> and mask<%m[b, i, j]>";
  a.args = ", %seg: tensor<?x?xi32>, %m: tensor<?x?x?xi1>, %t: tensor<?x?xf32>";
  a.score = "score(%s, h = %h, j = %j) { %x = attn.load %t[%h, %j] : tensor<?x?xf32> %r = arith.addf %s, %x : f32 "
            "attn.yield %r : f32 }";
  for (int64_t axis = 0; axis < 3; ++axis) {
    Call call{normalInputs(a, 2, 3, 33, 33, 3)};
    MemoryLayout layout, small;
    layout.broadcast = {axis};
    small.broadcast = {axis % 2};
    call.inputs.push_back(Tensor::integers(Element::I32, {2, 33}, 1, 0, 2, small));
    call.inputs.push_back(Tensor::integers(Element::I1, {2, 33, 33}, 2, 0, 1, layout));
    call.inputs.push_back(Tensor::normal(Element::F32, {3, 33}, 4, 1, small));
    EXPECT_EQ(check(program(a), call), "") << axis;
  }
}

const char *const kPacked =
    "!x = tensor<?x?x3x?x8xf32>\n!o = tensor<?x?x?x8xf32>\nattn.kernel @k(%x: !x) -> (o: !o) {\n"
    "  %o = attn.attend dims(b, h | i | j | c, e) q = %x[b, i, 0, h, c] k = %x[b, j, 1, h, c] "
    "v = %x[b, j, 2, h, e]\n  set = causal<top_left> outputs o[b, i, h, e] : (!x, !x, !x) -> !o\n"
    "  attn.return %o : !o\n}\n";

TEST(Layout, PackedOperands) {
  for (int64_t tokens : {0, 1, 17, 40}) {
    Call call{{Tensor::normal(Element::F32, {2, tokens, 3, 2, 8}, 1, 1, {{}, {0, 1, 1, 0, 3}, {}, 1, 3})}};
    EXPECT_EQ(check(program(kPacked), call), "");
  }
}

TEST(Layout, KeysAreValues) {
  const char *text =
      "!x = tensor<?x?x?x8xbf16>\nattn.kernel @k(%q: !x, %k: !x) -> (o: !x) {\n  %o = attn.attend dims(b, h | "
      "i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %k[b, h, j, e]\n  outputs o[b, h, i, e] : "
      "(!x, !x, !x) -> !x\n  attn.return %o : !x\n}\n";
  Call call{{Tensor::normal(Element::BF16, {2, 2, 20, 8}, 1), Tensor::normal(Element::BF16, {2, 2, 40, 8}, 2)}};
  EXPECT_EQ(check(program(text), call), "");
}

/// Offsets of 2^31 elements and more along every axis, in memory that is mostly not there.
TEST(Layout, OffsetsBeyond32Bits) {
  const int64_t far = (int64_t(1) << 31) + 5;
  Attention a;
  a.set = "causal<bottom_right>";
  Program &p = program(a);
  Call dense{normalInputs(a, 2, 2, 3, 3, 3)};
  dense.run(p);
  for (int64_t axis = 0; axis < 3; ++axis)
    for (int which = 0; which < 4; ++which) {
      MemoryLayout layout;
      layout.beside = Beside::Sparse;
      layout.order = {axis};
      for (int64_t x = 0; x < 4; ++x)
        if (x != axis)
          layout.order.push_back(x);
      layout.pad = {0, 0, 0, 0};
      layout.pad[size_t(layout.order[1])] = far / 24; // the stride of `axis` is the product of the others
      Call call{dense.inputs};
      call.outputs = makeOutputs(p, call.inputs);
      Tensor &t = which < 3 ? call.inputs[which] : call.outputs[0];
      Tensor moved(t.element, t.shape, layout);
      ASSERT_GE(moved.stride[axis] * (moved.shape[axis] - 1), far - 4096 * 24);
      moved.fill([&](auto x) { return t.get(x); });
      t = std::move(moved);
      call.run(p);
      EXPECT_TRUE(sameBits(dense, call)) << "axis " << axis << " operand " << which;
    }
}

TEST(Layout, ZeroExtents) {
  for (auto [B, H, I, J] :
       {std::array<int64_t, 4>{0, 2, 5, 7}, {2, 0, 5, 7}, {2, 2, 0, 7}, {2, 2, 5, 0}, {0, 0, 0, 0}, {1, 1, 0, 0}})
    for (const char *set : {"full", "causal<bottom_right>", "causal<top_left>", "window<bottom_right, left = 2>"})
      for (bool nulls : {false, true}) {
        Attention a;
        a.set = set;
        Call call{normalInputs(a, B, H, I, J, 3)};
        for (Tensor &t : call.inputs)
          t.null = nulls && !t.size();
        EXPECT_EQ(check(program(a), call), "") << set;
        EXPECT_EQ(call.status, ATTN_OK);
      }
}

} // namespace
