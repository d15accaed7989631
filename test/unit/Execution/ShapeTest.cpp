// Edge contract 11: head dims, value dims, groups of heads.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

/// Large enough that plain's error is not small by luck.
void expectRight(const Attention &a, int64_t H = 2, int64_t keyHeads = 2) {
  for (Blocks blocks : {kTiny, Blocks{}}) {
    Call call{normalInputs(a, 2, H, 37, 50, 9, 1, keyHeads)};
    EXPECT_EQ(check(program(a, blocks), call), "") << a.element << " d " << a.d << " dv " << a.dv << " " << a.heads;
  }
}

class HeadDim : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Each, HeadDim, ::testing::Range(1, 21));
INSTANTIATE_TEST_SUITE_P(Large, HeadDim, ::testing::Values(63, 64, 65, 111, 128, 200, 256));

TEST_P(HeadDim, SameForKeysAndValues) {
  Attention a;
  a.d = a.dv = GetParam();
  a.set = "causal<bottom_right>";
  expectRight(a);
}

TEST_P(HeadDim, AnotherForValues) {
  Attention a;
  a.d = GetParam();
  a.dv = GetParam() % 7 + 3;
  expectRight(a);
  std::swap(a.d, a.dv);
  expectRight(a);
}

TEST(Shape, HeadDimsOfOtherElements) {
  for (const char *element : {"bf16", "f16", "f64"})
    for (int d : {1, 3, 4, 7, 8, 9, 15, 17, 33, 64}) {
      Attention a;
      a.element = element;
      a.d = d;
      a.dv = d == 9 ? 20 : d;
      expectRight(a);
    }
}

TEST(Shape, GroupsOfHeads) {
  for (int64_t share : {1, 3, 4, 8})
    for (int64_t heads : {1, 3, 7, 8, 9}) {
      Attention a;
      a.heads = "h floordiv " + std::to_string(share);
      a.set = "causal<bottom_right>";
      expectRight(a, heads, (heads + share - 1) / share);
    }
}

TEST(Shape, GroupsWithSetsByHead) {
  Attention a;
  a.heads = "h floordiv 3";
  a.set = "where(h = %h, i = %i, j = %j) { %two = arith.constant 2 : index %m = arith.remui %h, %two : index "
          "%d = arith.addi %i, %m : index %p = arith.cmpi sle, %j, %d : index attn.yield %p : i1 }";
  expectRight(a, 7, 3);
}

TEST(Shape, ManyHeadsOnFewThreads) {
  Attention a;
  a.heads = "h floordiv 3";
  attn_pool *pool = attn_pool_create(5);
  for (int workers : {1, 2, 5}) {
    Call call{normalInputs(a, 3, 11, 9, 20, 9, 1, 4)};
    call.workers = workers;
    call.pool = pool;
    EXPECT_EQ(check(program(a), call), "");
  }
  attn_pool_destroy(pool);
}

} // namespace
