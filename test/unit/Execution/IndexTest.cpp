// Edge contract 8: captured loads.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

std::string loadScore(const std::string &before, const std::string &index, const std::string &type) {
  return "score(%s, b = %b, h = %h, i = %i, j = %j) { " + before + " %x = attn.load %t[" + index + "] : " + type +
         " %r = arith.addf %s, %x : f32 attn.yield %r : f32 }";
}

Attention scored(const std::string &set, const std::string &before, const std::string &index, const std::string &type) {
  Attention a;
  a.set = set;
  a.args = ", %t: " + type;
  a.score = loadScore(before, index, type);
  return a;
}

const char *const kShift = "%c = arith.constant 2 : index %n = arith.subi %j, %c : index";

TEST(CapturedIndex, BadInScoreIsAbsentAndReported) {
  for (const char *set : {"full", "causal<top_left>", "window<top_left, left = 9, right = 20>", "not causal<top_left>"})
    for (Blocks blocks : {kTiny, Blocks{}}) {
      const Attention a = scored(set, kShift, "%n", "tensor<?xf32>");
      Call call{normalInputs(a, 1, 2, 20, 40, 3)};
      call.inputs.push_back(Tensor::normal(Element::F32, {30}, 4));
      EXPECT_EQ(check(program(a, blocks), call), "") << set;
      EXPECT_EQ(call.status, ATTN_E_INDEX) << set;
      EXPECT_EQ(call.error.arg, 3);
      EXPECT_EQ(call.error.axis, 0);
      EXPECT_EQ(call.error.expected, 30);
      EXPECT_TRUE(call.error.found < 0 || call.error.found >= 30) << call.error.found;
    }
}

TEST(CapturedIndex, TheOffenderIsTheArgumentOfTheCall) {
  Attention a = scored("full", kShift, "%n", "tensor<?xf32>");
  a.args = ", %w: index, %first: tensor<?xf32>, %x0: f32, %t: tensor<?xf32>";
  a.set = "window<top_left, left = %w> and mask<%first[j]>";
  Call call{normalInputs(a, 1, 1, 20, 40, 3), {integerParam(50), floatParam(0)}};
  call.inputs.push_back(Tensor::of(Element::F32, {40}, std::vector<double>(40, 1)));
  call.inputs.push_back(Tensor::normal(Element::F32, {38}, 4));
  EXPECT_EQ(check(program(a), call), "");
  EXPECT_EQ(call.error.arg, 4) << "args counts tensors alone";
}

TEST(CapturedIndex, GoodWhereItCounts) {
  const Attention a = scored("causal<top_left>", kShift, "%n", "tensor<?xf32>");
  Attention wide = a;
  wide.set = "where(i = %i, j = %j) { %two = arith.constant 2 : index %p = arith.cmpi sge, %j, %two : index attn.yield "
             "%p : i1 } and causal<top_left>";
  Call call{normalInputs(a, 1, 2, 20, 40, 3)};
  call.inputs.push_back(Tensor::normal(Element::F32, {18}, 4)); // j - 2 in 0..17 is all that is visible
  EXPECT_EQ(check(program(wide), call), "");
  EXPECT_EQ(call.status, ATTN_OK);
}

TEST(CapturedIndex, TablesByTwoIndices) {
  const char *before = "%n = arith.subi %i, %j : index";
  for (const char *set : {"full", "causal<top_left>"}) {
    const Attention a = scored(set, before, "%h, %n", "tensor<?x?xf32>");
    for (int64_t width : {0, 1, 12, 20}) {
      Call call{normalInputs(a, 2, 3, 20, 40, 3)};
      call.inputs.push_back(Tensor::normal(Element::F32, {3, width}, 4));
      EXPECT_EQ(check(program(a), call), "") << set << " width " << width;
    }
  }
}

TEST(CapturedIndex, IndexThroughAnotherLoad) {
  Attention a;
  a.args = ", %u: tensor<?xi32>, %t: tensor<?xf32>";
  a.score =
      loadScore("%y = attn.load %u[%j] : tensor<?xi32> %n = arith.index_cast %y : i32 to index", "%n", "tensor<?xf32>");
  for (int64_t hi : {9, 10}) {
    Call call{normalInputs(a, 1, 2, 20, 40, 3)};
    call.inputs.push_back(Tensor::integers(Element::I32, {40}, 8, hi == 9 ? 0 : -1, hi));
    call.inputs.push_back(Tensor::normal(Element::F32, {10}, 4));
    EXPECT_EQ(check(program(a), call), "");
    EXPECT_EQ(call.status, hi == 9 ? ATTN_OK : ATTN_E_INDEX);
  }
}

TEST(CapturedIndex, UnusedLoadIsNoRead) {
  Attention a;
  a.args = ", %t: tensor<?xf32>";
  a.score =
      "score(%s, j = %j) { " + std::string(kShift) + " %x = attn.load %t[%n] : tensor<?xf32> attn.yield %s : f32 }";
  Call call{normalInputs(a, 1, 1, 20, 40, 3)};
  call.inputs.push_back(Tensor::normal(Element::F32, {1}, 4));
  EXPECT_EQ(check(program(a), call), "");
}

const char *const kWhere = "where(i = %i, j = %j) { %c = arith.constant 2 : index %n = arith.subi %j, %c : index "
                           "%x = attn.load %t[%n] : tensor<?xi1> attn.yield %x : i1 }";

/// false and unknown is false: absent, and nothing to report.
TEST(CapturedIndex, SetsAreThreeValued) {
  const std::string w = kWhere;
  struct Row {
    std::string set;
    attn_status status; // if the good part hides all bad indices
  };
  const Row rows[] = {
      {w, ATTN_E_INDEX},
      {"not " + w, ATTN_E_INDEX},
      {w + " and mask<%m[j]>", ATTN_OK},
      {"mask<%m[j]> and " + w, ATTN_OK},
      {"mask<%m[j]> minus " + w, ATTN_OK},
      {w + " minus mask<%m[j]>", ATTN_E_INDEX},
      {w + " or mask<%m[j]>", ATTN_E_INDEX},
      {w + " or not mask<%m[j]>", ATTN_OK},
      {"not (" + w + " or not mask<%m[j]>)", ATTN_OK},
      {"not (" + w + " and mask<%m[j]>)", ATTN_OK},
      {"(" + w + " and mask<%m[j]>) or causal<top_left>", ATTN_OK},
      {"(" + w + " or causal<top_left>) and mask<%m[j]>", ATTN_OK},
      {w + " and prefix<25> minus prefix<2>", ATTN_OK},
      {w + " and window<top_left, left = 0, right = 5>", ATTN_E_INDEX},
      {w + " or full", ATTN_OK},
      {w + " and empty", ATTN_OK},
  };
  for (const Row &row : rows)
    for (Blocks blocks : {kTiny, Blocks{}}) {
      Attention a;
      a.set = row.set;
      a.args = ", %t: tensor<?xi1>, %m: tensor<?xi1>";
      Call call{normalInputs(a, 1, 1, 20, 40, 3)};
      call.inputs.push_back(Tensor::integers(Element::I1, {28}, 4, 0, 1));
      Tensor mask = Tensor::integers(Element::I1, {40}, 6, 0, 1);
      for (int64_t j : {0, 1, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39})
        mask.set({j}, 0); // where the load is bad
      call.inputs.push_back(mask);
      EXPECT_EQ(check(program(a, blocks), call), "") << row.set;
      EXPECT_EQ(call.status, row.status) << row.set;
    }
}

/// A bad load makes its whole `where` unknown, whatever the rest of the region says.
TEST(CapturedIndex, OneBadLoadMakesItsWhereUnknown) {
  for (const char *op : {"andi", "ori", "xori"})
    for (const char *other : {"slt", "sge"}) {
      Attention a;
      a.set = std::string("where(i = %i, j = %j) { %c = arith.constant 2 : index %n = arith.subi %j, %c : index "
                          "%x = attn.load %t[%n] : tensor<?xi1> %p = arith.cmpi ") +
              other + ", %j, %i : index %r = arith." + op + " %x, %p : i1 attn.yield %r : i1 }";
      a.args = ", %t: tensor<?xi1>";
      for (int64_t extent : {0, 1, 20, 38}) {
        Call call{normalInputs(a, 1, 1, 20, 40, 3)};
        call.inputs.push_back(Tensor::integers(Element::I1, {extent}, 4, 0, 1));
        EXPECT_EQ(check(program(a), call), "") << op << " " << other << " extent " << extent;
      }
    }
}

/// A comparison of loaded integers goes through the algebra of predicates.
TEST(CapturedIndex, ComparedIntegers) {
  for (const char *op : {"sle", "eq", "ne", "sgt"}) {
    Attention a;
    a.set = std::string("where(i = %i, j = %j) { %c = arith.constant 2 : index %n = arith.subi %j, %c : index "
                        "%x = attn.load %t[%n] : tensor<?xi32> %y = arith.index_cast %x : i32 to index "
                        "%p = arith.cmpi ") +
            op + ", %y, %i : index attn.yield %p : i1 }";
    a.args = ", %t: tensor<?xi32>";
    for (const std::string &around :
         {std::string(), std::string(" and causal<top_left>"), std::string(" or prefix<9>")})
      for (int64_t extent : {0, 3, 20, 38}) {
        Attention b = a;
        b.set += around;
        Call call{normalInputs(b, 1, 1, 20, 40, 3)};
        call.inputs.push_back(Tensor::integers(Element::I32, {extent}, 4, 0, 20));
        EXPECT_EQ(check(program(b), call), "") << op << around << " extent " << extent;
      }
  }
}

TEST(CapturedIndex, NeverReadsOutside) {
  for (Beside beside : {Beside::PageAfter, Beside::PageBefore})
    for (int64_t width : {1, 2, 7, 8, 20, 40})
      for (const char *set : {"full", "causal<top_left>"}) {
        MemoryLayout layout;
        layout.beside = beside;
        const Attention a = scored(set, "%n = arith.muli %i, %j : index", "%n", "tensor<?xf32>");
        Call call{normalInputs(a, 1, 1, 20, 40, 3)};
        call.inputs.push_back(Tensor::normal(Element::F32, {width}, 4, 1, layout));
        EXPECT_EQ(check(program(a), call), "");
        Attention b;
        b.set = kWhere;
        b.args = ", %t: tensor<?xi1>";
        Call masked{normalInputs(b, 1, 1, 20, 40, 3)};
        masked.inputs.push_back(Tensor::integers(Element::I1, {width}, 4, 0, 1, layout));
        EXPECT_EQ(check(program(b), masked), "");
      }
}

/// Operands, tables by token, lengths, segments and masks that end where their page ends.
TEST(CapturedIndex, OperandsAtTheEndOfTheirPages) {
  for (const char *element : {"f32", "bf16", "f16", "f64"})
    for (Beside beside : {Beside::PageAfter, Beside::PageBefore})
      for (int64_t tokens : {1, 5, 16, 17, 33}) {
        MemoryLayout layout;
        layout.beside = beside;
        Attention a;
        a.element = element;
        a.d = 11;
        a.dv = 9;
        a.set = "same_segment<%seg> and mask<%m[i, j]> and lengths<k = %kl>";
        a.args = ", %seg: tensor<?x?xi32>, %m: tensor<?x?xi1>, %kl: tensor<?xi32>";
        const Element e = elementOf(element);
        Call call;
        for (int64_t d : {11, 11, 9})
          call.inputs.push_back(Tensor::normal(e, {1, 2, tokens, d}, 3, 1, layout));
        call.inputs.push_back(Tensor::integers(Element::I32, {1, tokens}, 1, 0, 1, layout));
        call.inputs.push_back(Tensor::integers(Element::I1, {tokens, tokens}, 2, 0, 1, layout));
        call.inputs.push_back(Tensor::integers(Element::I32, {1}, 2, 0, tokens, layout));
        call.outputs = {Tensor(e, {1, 2, tokens, 9}, layout),
                        Tensor(e == Element::F64 ? e : Element::F32, {1, 2, tokens}, layout)};
        Comparison many(program(a));
        for (int n = 0; n < 8; ++n) {
          call.inputs[0] = Tensor::normal(e, {1, 2, tokens, 11}, 10 + n, 1, layout);
          call.run(program(a));
          many.add(call);
        }
        EXPECT_EQ(many.verdict(), "") << element << " tokens " << tokens;
      }
}

} // namespace
