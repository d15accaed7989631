// Edge contract 7: what a call may not be; the status says so and nothing is written.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

class Refusal : public ::testing::Test {
protected:
  Refusal() {
    a.set = "lengths<q = %ql, k = %kl>";
    a.args = ", %ql: tensor<?xi32>, %kl: tensor<?xi64>";
    call.inputs = normalInputs(a, 2, 2, 20, 33, 3);
    call.inputs.push_back(Tensor::of(Element::I32, {2}, {20, 3}));
    call.inputs.push_back(Tensor::of(Element::I64, {2}, {33, 0}));
    call.outputs = makeOutputs(program(a), call.inputs);
  }
  void expect(attn_status status, int arg, int axis = -1) {
    std::vector<std::vector<uint64_t>> before;
    for (const Tensor &t : call.outputs)
      before.push_back(t.elements());
    EXPECT_EQ(call.run(program(a)), status) << attn_status_name(call.status);
    EXPECT_EQ(call.error.arg, arg);
    EXPECT_EQ(call.error.axis, axis);
    for (size_t r = 0; r < before.size(); ++r)
      EXPECT_EQ(call.outputs[r].elements(), before[r]) << "output " << r << " was written";
  }
  Attention a;
  Call call;
};

TEST_F(Refusal, AsItIsTheCallIsRight) { EXPECT_EQ(check(program(a), call), ""); }

TEST_F(Refusal, NegativeStrideOfAnInput) {
  call.inputs[1].claimed = call.inputs[1].stride;
  call.inputs[1].claimed[2] *= -1;
  expect(ATTN_E_STRIDE, 1, 2);
}
TEST_F(Refusal, NegativeStrideOfAnOutput) {
  call.outputs[0].claimed = call.outputs[0].stride;
  call.outputs[0].claimed[2] *= -1;
  expect(ATTN_E_STRIDE, 5, 2);
}
TEST_F(Refusal, OutputOfStrideZero) {
  call.outputs[0].claimed = call.outputs[0].stride;
  call.outputs[0].claimed[1] = 0;
  expect(ATTN_E_STRIDE, 5, 1);
}
TEST_F(Refusal, OutputOverItself) {
  call.outputs[0].claimed = call.outputs[0].stride;
  call.outputs[0].claimed[2] = 4;
  expect(ATTN_E_STRIDE, 5);
}
TEST_F(Refusal, Shapes) {
  call.inputs[2] = Tensor::normal(Element::F32, {2, 2, 32, 8}, 1);
  expect(ATTN_E_SHAPE, 2, 2);
}
TEST_F(Refusal, FeatureExtent) {
  call.inputs[0] = Tensor::normal(Element::F32, {2, 2, 20, 9}, 1);
  expect(ATTN_E_SHAPE, 0, 3);
}
TEST_F(Refusal, ElementType) {
  call.inputs[0] = Tensor::normal(Element::BF16, {2, 2, 20, 8}, 1);
  expect(ATTN_E_DTYPE, 0);
}
TEST_F(Refusal, LengthBeyondTheExtent) {
  call.inputs[3].set({1}, 21);
  expect(ATTN_E_LENGTH, 3);
  EXPECT_EQ(call.error.found, 21);
}
TEST_F(Refusal, NegativeLength) {
  call.inputs[4].set({0}, -1);
  expect(ATTN_E_LENGTH, 4);
}
TEST_F(Refusal, MissingInput) {
  call.inputs[1].null = true;
  expect(ATTN_E_ARGUMENT, 1);
}

/// Tensors whose memory another tensor has: built by hand, for Tensor owns its memory.
TEST(RefusalAlias, OutputOverAnInputOrAnotherOutput) {
  Attention a;
  Program &p = program(a);
  Call c{normalInputs(a, 1, 2, 20, 20, 3)};
  c.outputs = makeOutputs(p, c.inputs);
  for (int which = 0; which < 4; ++which) {
    std::vector<attn_tensor> args;
    for (const Tensor &t : c.inputs)
      args.push_back(t.abi());
    for (const Tensor &t : c.outputs)
      args.push_back(t.abi());
    if (which < 3)
      args[3].data = args[which].data; // o over q, k, v
    else
      args[4].data = static_cast<char *>(args[3].data) + 64; // lse inside of o
    std::vector<std::vector<uint64_t>> before;
    for (const Tensor &t : c.inputs)
      before.push_back(t.elements());
    attn_call call{};
    attn_error error{};
    call.abi_version = ATTN_RT_ABI_VERSION;
    call.size = sizeof call;
    call.args = args.data();
    call.n_args = int32_t(args.size());
    call.variant = -1;
    call.error = &error;
    std::vector<char> workspace(1 << 20);
    call.workspace = workspace.data();
    call.workspace_bytes = workspace.size();
    EXPECT_EQ(p.kernel().run(call), ATTN_E_ALIAS) << which;
    for (size_t n = 0; n < before.size(); ++n)
      EXPECT_EQ(c.inputs[n].elements(), before[n]);
  }
}

TEST(RefusalWorkspace, TooSmallOrMissing) {
  Attention a;
  Program &p = program(a);
  Call c{normalInputs(a, 1, 2, 20, 20, 3)};
  c.outputs = makeOutputs(p, c.inputs);
  std::vector<attn_tensor> args;
  for (const Tensor &t : c.inputs)
    args.push_back(t.abi());
  for (const Tensor &t : c.outputs)
    args.push_back(t.abi());
  attn_call call{};
  call.abi_version = ATTN_RT_ABI_VERSION;
  call.size = sizeof call;
  call.args = args.data();
  call.n_args = int32_t(args.size());
  call.variant = -1;
  uint64_t bytes = 0;
  ASSERT_EQ(p.kernel().workspace(call, bytes), ATTN_OK);
  ASSERT_GT(bytes, 0u);
  std::vector<char> workspace(bytes + 64);
  call.workspace = workspace.data();
  call.workspace_bytes = bytes - 1;
  EXPECT_EQ(p.kernel().run(call), ATTN_E_WORKSPACE);
  call.workspace = nullptr;
  call.workspace_bytes = bytes;
  EXPECT_EQ(p.kernel().run(call), ATTN_E_WORKSPACE);
  for (int shift = 0; shift < 64; ++shift) { // any alignment
    call.workspace = workspace.data() + shift;
    EXPECT_EQ(p.kernel().run(call), ATTN_OK);
  }
  call.variant = 99;
  EXPECT_EQ(p.kernel().run(call), ATTN_E_VARIANT);
  call.variant = -1;
  call.abi_version = 1;
  EXPECT_EQ(p.kernel().run(call), ATTN_E_VERSION);
}

} // namespace
