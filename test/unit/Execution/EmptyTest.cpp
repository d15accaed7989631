// Edge contract 4: empty rows, whatever makes them empty.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

/// Every row that sees nothing has exact zeros and lse = -inf; `rows` of them, at least.
void expectEmptyRows(Program &p, Call &call, int64_t rows) {
  EXPECT_EQ(check(p, call), "") << p.text;
  auto oracle = call.oracle(p);
  int64_t empty = 0;
  call.outputs[1].each([&](llvm::ArrayRef<int64_t> x) {
    bool any = false;
    for (int64_t j = 0; j < oracle->extents()[3]; ++j)
      any |= oracle->visible({x[0], x[1]}, x[2], j);
    if (any)
      return;
    ++empty;
    EXPECT_EQ(call.outputs[1].get(x), -kInf);
    for (int64_t e = 0; e < call.outputs[0].shape[3]; ++e)
      EXPECT_EQ(call.outputs[0].get({x[0], x[1], x[2], e}), 0);
  });
  EXPECT_GE(empty, rows);
}

void expectEmptyRows(const std::string &set, int64_t I, int64_t J, int64_t rows, const std::string &args = "",
                     std::vector<Tensor> captured = {}, std::vector<attn_scalar> params = {}) {
  for (Blocks blocks : {kTiny, Blocks{}})
    for (const char *element : {"f32", "bf16", "f64"}) {
      Attention a;
      a.element = element;
      a.set = set;
      a.args = args;
      Call call{normalInputs(a, 2, 1, I, J, 5), params};
      call.inputs.insert(call.inputs.end(), captured.begin(), captured.end());
      expectEmptyRows(program(a, blocks), call, rows);
    }
}

TEST(Empty, EmptySet) { expectEmptyRows("empty", 20, 33, 40); }
TEST(Empty, EmptyByContradiction) { expectEmptyRows("causal<top_left> minus causal<top_left>", 9, 9, 18); }
TEST(Empty, NotFull) { expectEmptyRows("not full", 7, 20, 14); }
TEST(Empty, NoKeys) {
  for (const char *set : {"full", "causal<bottom_right>", "causal<top_left>", "prefix<3>", "not empty"})
    expectEmptyRows(set, 13, 0, 26);
}
TEST(Empty, CausalBeforeTheFirstKey) { expectEmptyRows("causal<bottom_right>", 40, 17, 46); }
TEST(Empty, WindowBesideTheKeys) {
  expectEmptyRows("window<top_left, left = 2, right = 3>", 50, 20, 54);
  expectEmptyRows("window<top_left, left = -5, right = 2>", 20, 20, 40);
  expectEmptyRows("window<top_left, left = %l, right = %r>", 20, 20, 40, ", %l: index, %r: index", {},
                  {integerParam(-100), integerParam(200)});
}
TEST(Empty, PrefixOfNothing) {
  expectEmptyRows("prefix<0>", 8, 20, 16);
  expectEmptyRows("prefix<-4>", 8, 20, 16);
  expectEmptyRows("prefix<%p>", 8, 20, 8, ", %p: tensor<?xi32>", {Tensor::of(Element::I32, {2}, {0, 5})});
}
TEST(Empty, RowsBeyondLengths) {
  const std::string args = ", %q0: tensor<?xi32>, %k0: tensor<?xi64>";
  expectEmptyRows("lengths<q = %q0, k = %k0>", 20, 30, 20 - 7 + 20, args,
                  {Tensor::of(Element::I32, {2}, {7, 20}), Tensor::of(Element::I64, {2}, {30, 0})});
  expectEmptyRows("lengths<q = %q0, k = %k0> and causal<bottom_right, q = %q0, k = %k0>", 20, 30, 8 + 3, args,
                  {Tensor::of(Element::I32, {2}, {20, 17}), Tensor::of(Element::I64, {2}, {12, 30})});
}
TEST(Empty, SegmentsThatDoNotMeet) {
  expectEmptyRows("same_segment<q = %a, k = %b>", 18, 40, 18, ", %a: tensor<?xi32>, %b: tensor<?xi32>",
                  {Tensor::integers(Element::I32, {18}, 1, 0, 1), Tensor::integers(Element::I32, {40}, 2, 1, 3)});
}
TEST(Empty, MaskOfZeros) {
  expectEmptyRows("mask<%m[i]>", 14, 40, 2, ", %m: tensor<?xi1>",
                  {Tensor::of(Element::I1, {14}, {1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})});
  expectEmptyRows("mask<%m[i, j]>", 14, 40, 28, ", %m: tensor<?x?xf32>", {Tensor(Element::F32, {14, 40})});
}
TEST(Empty, WhereThatNeverHolds) {
  expectEmptyRows("where(i = %i, j = %j) { %p = arith.cmpi slt, %i, %j : index %n = arith.cmpi sgt, %i, %j : index "
                  "%r = arith.andi %p, %n : i1 attn.yield %r : i1 }",
                  20, 20, 40);
}
TEST(Empty, PoisonEverywhereElse) {
  Attention a;
  a.set = "causal<bottom_right>";
  Program &p = program(a);
  Call call{normalInputs(a, 1, 1, 20, 0, 5)};
  call.inputs[0].fill([](auto) { return kNaN; });
  expectEmptyRows(p, call, 20);
  a.set = "empty";
  Call all{normalInputs(a, 1, 1, 20, 20, 5)};
  for (Tensor &t : all.inputs)
    t.fill([](auto) { return kNaN; });
  expectEmptyRows(program(a), all, 20);
}

} // namespace
