// Edge contract 6 and 11: every pair of lengths, one compiled kernel for all of them.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

class Lengths : public ::testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(Each, Lengths,
                         ::testing::Values("full", "causal<top_left>", "causal<bottom_right>",
                                           "window<bottom_right, left = 7, right = 2>",
                                           "window<top_left, left = 9> and causal<top_left>",
                                           "causal<bottom_right> or prefix<5>", "not causal<bottom_right>",
                                           "not window<top_left, left = 4, right = 20>"));

TEST_P(Lengths, AllUpTo40) {
  Attention a;
  a.set = GetParam();
  Program &p = program(a);
  for (int64_t J = 0; J <= 40; ++J) {
    Comparison all(p); // of one key length
    for (int64_t I = 0; I <= 40; ++I) {
      Call call{normalInputs(a, 1, 1, I, J, uint64_t(41 * J + I))};
      call.run(p);
      all.add(call);
      ASSERT_EQ(call.status, ATTN_OK);
    }
    ASSERT_EQ(all.verdict(), "") << a.set << " keys " << J;
  }
}

TEST_P(Lengths, DefaultBlocks) {
  Attention a;
  a.set = GetParam();
  Program &p = program(a, {});
  for (auto [I, J] : {std::pair<int64_t, int64_t>{1, 1}, {1, 300}, {300, 1}, {97, 301}, {301, 97}, {257, 257}}) {
    Call call{normalInputs(a, 1, 1, I, J, uint64_t(41 * J + I))};
    EXPECT_EQ(check(p, call), "") << a.set << " " << I << " " << J;
  }
}

/// The diagonal itself, by values that name their key: o_i = mean of the keys that i sees.
TEST(Causal, AlignmentsByLengths) {
  for (bool topLeft : {true, false})
    for (auto [I, J] : {std::pair<int64_t, int64_t>{20, 33}, {20, 20}, {33, 20}}) {
      Attention a;
      a.set = topLeft ? "causal<top_left>" : "causal<bottom_right>";
      a.scale = "0.0";
      Call call{normalInputs(a, 1, 1, I, J, 1)};
      call.inputs[2].fill([](auto x) { return double(x[2]); });
      call.run(program(a));
      for (int64_t i = 0; i < I; ++i) {
        const int64_t last = std::min(topLeft ? i : i + J - I, J - 1);
        EXPECT_NEAR(call.outputs[0].get({0, 0, i, 0}), last < 0 ? 0 : double(last) / 2, 1e-5);
        if (last < 0)
          EXPECT_EQ(call.outputs[1].get({0, 0, i}), -kInf);
        else
          EXPECT_NEAR(call.outputs[1].get({0, 0, i}), std::log(double(last + 1)), 1e-6);
      }
    }
}

/// Windows and prefixes whose run-time numbers are far outside of every length.
TEST(Scalars, FarOutsideOfEveryLength) {
  Attention a;
  a.set = "window<bottom_right, left = %l, right = %r> or prefix<%p>";
  a.args = ", %l: index, %r: i64, %p: i32";
  Program &p = program(a);
  const int64_t far[] = {INT64_MIN, INT64_MIN / 2, -1000000, -1, 0, 3, 1000000, INT64_MAX / 2, INT64_MAX};
  for (int64_t l : far)
    for (int64_t r : far)
      for (int64_t n : {int64_t(INT32_MIN), int64_t(0), int64_t(INT32_MAX)}) {
        Call call{normalInputs(a, 1, 1, 20, 40, 1), {integerParam(l), integerParam(r), integerParam(n)}};
        EXPECT_EQ(check(p, call), "") << l << " " << r << " " << n;
      }
}

} // namespace
