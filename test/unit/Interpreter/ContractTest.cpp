// The edge contract: absent, empty and not finite.
#include "Harness.h"

using namespace attn::test;

namespace {

/// One head, two features, keys j = 0.. with score s[j] (q = (1, 0), k = (s, 0)) and values (v[j], 10 v[j]).
struct Row {
  std::vector<double> scores, values;
  std::string clauses = "scale = 1.0", args = "";
  std::vector<Tensor> captured = {};

  RowResult run(Precision precision = Precision::Double) const {
    int64_t J = scores.size();
    std::vector<double> k, v;
    for (int64_t j = 0; j < J; ++j) {
      k.insert(k.end(), {scores[j], 0});
      v.insert(v.end(), {values[j], 10 * values[j]});
    }
    // An infinite key times the zero of q would be NaN: the second feature of an infinite score is 0 times 0.
    Program program(simpleKernel(2, clauses, args));
    Call call{{Tensor(Format::F32, {1, 1, 1, 2}, {1, 0}), Tensor(Format::F32, {1, 1, J, 2}, k),
               Tensor(Format::F32, {1, 1, J, 2}, v)}};
    call.tensors.insert(call.tensors.end(), captured.begin(), captured.end());
    return call.create(program)->row({0, 0}, 0, precision);
  }
  /// Both precisions give the softmax of the kept keys.
  void expectKeeps(const std::vector<int> &kept) const {
    std::vector<Pair> pairs;
    for (int j : kept)
      pairs.push_back({scores[j], [this, j](int64_t e) { return values[j] * (e ? 10 : 1); }});
    for (Precision p : {Precision::Double, Precision::Plain})
      expectRow(run(p), softmaxRow(pairs, 2), p == Precision::Double ? 1e-14 : 1e-6, "row");
  }
  void expectNaN() const {
    for (Precision p : {Precision::Double, Precision::Plain})
      expectRow(run(p), {{kNaN, kNaN}, kNaN}, 0, "row");
  }
};

TEST(Contract, MaskedIsAbsent) { // contracts 1, 2
  Row row{{0.5, kNaN, 1, kInf}, {1, kNaN, 2, kInf}, "scale = 1.0 set = mask<%m[j]>", ", %m: tensor<?xi1>"};
  row.captured = {Tensor(Format::I1, {4}, {1, 0, 1, 0})};
  row.expectKeeps({0, 2});
  EXPECT_EQ(row.run().visible, 2);
}

TEST(Contract, MinusInfinityIsAbsent) { // contract 3
  Row row{{0.5, -kInf, 1}, {1, kNaN, 2}};
  row.expectKeeps({0, 2});
  EXPECT_EQ(row.run().visible, 3);
}

TEST(Contract, OnlyMinusInfinityIsEmpty) {
  Row row{{-kInf, -kInf}, {1, kNaN}};
  row.expectKeeps({});
  EXPECT_EQ(row.run().outputs["o"], std::vector<double>({0, 0}));
  EXPECT_EQ(row.run().outputs["lse"], std::vector<double>({-kInf}));
}

TEST(Contract, EmptyRow) { // contract 4
  Row{{kNaN, kInf}, {kNaN, kNaN}, "scale = 1.0 set = empty"}.expectKeeps({});
  Row{{}, {}}.expectKeeps({});
}

TEST(Contract, PlusInfinityAndNaNPoisonTheRow) {
  Row{{0.5, kInf, 1}, {1, 2, 3}}.expectNaN();
  Row{{0.5, kNaN, 1}, {1, 2, 3}}.expectNaN();
  Row{{kNaN, -kInf}, {1, 2}}.expectNaN();
}

TEST(Contract, VisibleValuesFollowIEEE) {
  RowResult row = Row{{0, 0}, {1, kInf}}.run();
  expectRow(row, {{kInf, kInf}, std::log(2.0)}, 1e-15, "row");
}

TEST(Contract, LargeLogitsDoNotOverflow) {
  Row{{1e4, 9999, -1e4}, {1, 2, 3}}.expectKeeps({0, 1, 2});
  Row{{-1e4, -9999}, {1, 2}}.expectKeeps({0, 1});
}

const char *const kScoreLoad =
    "scale = 1.0 set = mask<%m[j]> score(%s, j = %j) { %x = attn.load %t[%j] : tensor<?xf32> "
    "%y = arith.addf %s, %x : f32 attn.yield %y : f32 }";

TEST(Contract, BadIndexInScore) { // contract 8
  Row row{{0.5, 1, 0.25, 2}, {1, 2, 3, kNaN}, kScoreLoad, ", %m: tensor<?xi1>, %t: tensor<?xf32>"};
  row.captured = {Tensor(Format::I1, {4}, {1, 1, 1, 1}), Tensor(Format::F32, {3}, {0, 0, 0})};
  row.expectKeeps({0, 1, 2});
  EXPECT_TRUE(row.run().badIndex);
  EXPECT_EQ(row.run().visible, 3);
  row.captured[0] = Tensor(Format::I1, {4}, {1, 1, 1, 0}); // not visible: not used
  row.expectKeeps({0, 1, 2});
  EXPECT_FALSE(row.run().badIndex);
}

TEST(Contract, DeadLoadIsNoRead) {
  Row row{{0.5, 1},
          {1, 2},
          "scale = 1.0 score(%s, j = %j) { %x = attn.load %t[%j] : tensor<?xf32> attn.yield %s : f32 }",
          ", %t: tensor<?xf32>"};
  row.captured = {Tensor(Format::F32, {1}, {0})};
  row.expectKeeps({0, 1});
  EXPECT_FALSE(row.run().badIndex);
}

TEST(Contract, BadIndexInSet) {
  std::string where = "where(j = %j) { %x = attn.load %t[%j] : tensor<?xi1> attn.yield %x : i1 }";
  Row row{{0.5, 1, 0.25, 2}, {1, 2, 3, 4}, "scale = 1.0 set = " + where, ", %m: tensor<?xi1>, %t: tensor<?xi1>"};
  row.captured = {Tensor(Format::I1, {4}, {1, 1, 1, 0}), Tensor(Format::I1, {2}, {1, 0})};
  auto expect = [&](const std::string &set, std::vector<int> kept, bool bad) {
    SCOPED_TRACE(set);
    row.clauses = "scale = 1.0 set = " + set;
    row.expectKeeps(kept);
    EXPECT_EQ(row.run().badIndex, bad);
  };
  expect(where, {0}, true);
  expect("not " + where, {1}, true);
  expect("mask<%m[j]> or " + where, {0, 1, 2}, true);  // key 3 hangs on the load
  expect(where + " or not mask<%m[j]>", {0, 3}, true); // key 2 does
  row.captured[0] = Tensor(Format::I1, {4}, {1, 1, 0, 0});
  expect(where + " and mask<%m[j]>", {0}, false); // no member whatever the load would give
  expect("mask<%m[j]> minus " + where, {1}, false);
}

TEST(Contract, LoadsNeverReadOutside) {
  Row row{{0.5, 1},
          {1, 2},
          "scale = 1.0 score(%s, j = %j) { %c = arith.constant -1 : index %n = arith.muli %j, %c : index "
          "%x = attn.load %t[%n] : tensor<?xf32> %y = arith.addf %s, %x : f32 attn.yield %y : f32 }",
          ", %t: tensor<?xf32>"};
  row.captured = {Tensor(Format::F32, {2}, {0, 0})};
  row.expectKeeps({0});
  row.captured = {Tensor(Format::F32, {0}, {})};
  row.expectKeeps({});
  EXPECT_TRUE(row.run().badIndex);
}

TEST(Contract, ScaleZeroAndNegative) { // contract 12
  Row zero{{5, -3}, {1, 2}, "scale = 0.0"};
  expectRow(zero.run(), {{1.5, 15}, std::log(2.0)}, 1e-15, "zero");
  Row negative{{1, 2}, {1, 2}, "scale = -1.0"};
  double w = std::exp(-1.0) / (1 + std::exp(-1.0));
  expectRow(negative.run(), {{1 + w, 10 + 10 * w}, -1 + std::log(1 + std::exp(-1.0))}, 1e-15, "negative");
}

} // namespace
