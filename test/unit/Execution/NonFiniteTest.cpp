// Edge contract 3: visible scores that are not finite.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

/// s = q.k + bias[i, j], so that any pair can have any score.
Attention biased(const std::string &element, const std::string &set) {
  Attention a;
  a.element = element;
  a.set = set;
  const std::string acc = element == "f64" ? "f64" : "f32", table = "tensor<?x?x" + acc + ">";
  a.args = ", %bias: " + table;
  a.score = "score(%s" + std::string(acc == "f64" ? " : f64" : "") +
            ", i = %i, j = %j) { %t = attn.load %bias[%i, %j] : " + table + " %r = arith.addf %s, %t : " + acc +
            " attn.yield %r : " + acc + " }";
  return a;
}

constexpr int64_t kI = 20, kJ = 40;

class NonFinite : public ::testing::TestWithParam<std::tuple<std::string, const char *, int>> {
protected:
  NonFinite()
      : element(std::get<0>(GetParam())), attention(biased(element, std::get<1>(GetParam()))),
        p(program(attention, std::get<2>(GetParam()) ? kTiny : Blocks{})), clean(make()) {
    clean.run(p);
    oracle = clean.oracle(p);
  }
  Call make() const {
    Call call{normalInputs(attention, 1, 1, kI, kJ, 17)};
    call.inputs.push_back(Tensor::normal(elementOf(element == "f64" ? "f64" : "f32"), {kI, kJ}, 3));
    return call;
  }
  /// Only row i may differ from the clean call.
  void expectOtherRowsKeep(const Call &call, int64_t i) {
    for (size_t r = 0; r < 2; ++r)
      call.outputs[r].each([&](llvm::ArrayRef<int64_t> x) {
        if (x[2] != i)
          EXPECT_EQ(call.outputs[r].bits(x), clean.outputs[r].bits(x)) << "row " << x[2] << " beside row " << i;
      });
  }
  void expectNaNRow(const Call &call, int64_t i) {
    for (int64_t e = 0; e < 8; ++e)
      EXPECT_TRUE(std::isnan(call.outputs[0].get({0, 0, i, e}))) << "row " << i;
    EXPECT_TRUE(std::isnan(call.outputs[1].get({0, 0, i}))) << "row " << i;
  }
  std::vector<int64_t> visibleKeys(int64_t i) {
    std::vector<int64_t> keys;
    for (int64_t j = 0; j < kJ; ++j)
      if (oracle->visible({0, 0}, i, j))
        keys.push_back(j);
    return keys;
  }

  std::string element;
  Attention attention;
  Program &p;
  Call clean;
  std::unique_ptr<interpreter::Interpreter> oracle;
};
INSTANTIATE_TEST_SUITE_P(Each, NonFinite,
                         ::testing::Combine(::testing::Values("f32", "f64", "bf16"),
                                            ::testing::Values("full", "causal<bottom_right>",
                                                              "window<bottom_right, left = 20, right = 2>"),
                                            ::testing::Values(1, 0)));

TEST_P(NonFinite, OnePairMakesItsRowNaN) {
  for (double bad : {kInf, kNaN})
    for (int64_t i : {0, 5, 6, 11, 19}) {
      const auto keys = visibleKeys(i);
      for (int64_t j : {keys.front(), keys[keys.size() / 2], keys.back()}) {
        Call call = make();
        call.inputs[3].set({i, j}, bad);
        call.run(p);
        expectNaNRow(call, i);
        expectOtherRowsKeep(call, i);
      }
    }
}

TEST_P(NonFinite, AllScoresOfARow) {
  for (double bad : {kInf, kNaN})
    for (int64_t i : {0, 3, 19}) {
      Call call = make();
      for (int64_t j = 0; j < kJ; ++j)
        call.inputs[3].set({i, j}, bad);
      call.run(p);
      expectNaNRow(call, i);
      expectOtherRowsKeep(call, i);
    }
}

TEST_P(NonFinite, OneBesideNothingButMinusInfinity) {
  for (double bad : {kInf, kNaN})
    for (int64_t i : {2, 18}) {
      const auto keys = visibleKeys(i);
      for (int64_t only : {keys.front(), keys.back()}) {
        Call call = make();
        for (int64_t j = 0; j < kJ; ++j)
          call.inputs[3].set({i, j}, j == only ? bad : -kInf);
        call.run(p);
        expectNaNRow(call, i);
        expectOtherRowsKeep(call, i);
      }
    }
}

TEST_P(NonFinite, MinusInfinityHasWeightZero) {
  for (int64_t i : {0, 4, 13, 19}) {
    const auto keys = visibleKeys(i);
    Call call = make();
    for (size_t n = 0; n < keys.size(); n += 2)
      call.inputs[3].set({i, keys[n]}, -kInf);
    EXPECT_EQ(check(p, call), "");
    expectOtherRowsKeep(call, i);
  }
}

TEST_P(NonFinite, MinusInfinityHidesItsValue) {
  for (int64_t i : {0, 4, 13, 19})
    for (int64_t j : {visibleKeys(i).front(), visibleKeys(i).back()})
      for (double value : {kNaN, kInf}) {
        Call call = make();
        for (int64_t n = 0; n < kI; ++n) // nobody sees the value
          call.inputs[3].set({n, j}, -kInf);
        Call dirty = call;
        dirty.inputs[2].set({0, 0, j, 3}, value);
        call.run(p);
        dirty.run(p);
        EXPECT_TRUE(sameBits(call, dirty)) << "row " << i << " key " << j << " value " << value;
      }
}

TEST_P(NonFinite, OnlyMinusInfinityIsAnEmptyRow) {
  for (int64_t i : {0, 7, 12, 19}) {
    Call call = make();
    for (int64_t j = 0; j < kJ; ++j)
      call.inputs[3].set({i, j}, -kInf);
    EXPECT_EQ(check(p, call), "");
    for (int64_t e = 0; e < 8; ++e)
      EXPECT_EQ(call.outputs[0].get({0, 0, i, e}), 0);
    EXPECT_EQ(call.outputs[1].get({0, 0, i}), -kInf);
    expectOtherRowsKeep(call, i);
  }
}

TEST_P(NonFinite, MinusInfinityUntilTheLastKey) {
  for (int64_t i : {0, 12, 19}) {
    const auto keys = visibleKeys(i);
    Call call = make();
    for (int64_t j : keys)
      call.inputs[3].set({i, j}, j == keys.back() ? 1.0 : -kInf);
    EXPECT_EQ(check(p, call), "");
    expectOtherRowsKeep(call, i);
  }
}

/// Without a score region the scores take another way through the microtile.
class NonFiniteProduct : public ::testing::TestWithParam<std::tuple<std::string, const char *>> {};
INSTANTIATE_TEST_SUITE_P(Each, NonFiniteProduct,
                         ::testing::Combine(::testing::Values("f32", "f64", "bf16", "f16"),
                                            ::testing::Values("full", "causal<bottom_right>", "prefix<19>")));

TEST_P(NonFiniteProduct, AQueryThatIsNotFinite) {
  Attention a;
  a.element = std::get<0>(GetParam());
  a.set = std::get<1>(GetParam());
  Program &p = program(a);
  Call clean{normalInputs(a, 1, 1, kI, kJ, 23)};
  clean.run(p);
  for (double bad : {kNaN, kInf, -kInf})
    for (int64_t i : {0, 5, 6, 19}) {
      Call call{normalInputs(a, 1, 1, kI, kJ, 23)};
      call.inputs[0].set({0, 0, i, 2}, bad);
      EXPECT_EQ(check(p, call), "") << "row " << i << " is " << bad;
      call.outputs[0].each([&](llvm::ArrayRef<int64_t> x) {
        if (x[2] != i)
          EXPECT_EQ(call.outputs[0].bits(x), clean.outputs[0].bits(x)) << "row " << x[2];
      });
      // All scores of the row alike.
      for (int64_t c = 0; c < 8; ++c)
        call.inputs[0].set({0, 0, i, c}, c ? 0 : bad);
      call.inputs[1].fill([&](auto x) { return x[3] ? 0 : 1; });
      EXPECT_EQ(check(p, call), "") << "all of row " << i << " is " << bad;
    }
}

TEST_P(NonFiniteProduct, AKeyOfMinusInfinity) {
  Attention a;
  a.element = std::get<0>(GetParam());
  a.set = std::get<1>(GetParam());
  a.d = 1;
  Program &p = program(a);
  for (int64_t j : {0, 3, 15, 16, 18, 39})
    for (double value : {1.0, kNaN, kInf}) {
      Call call{normalInputs(a, 1, 1, kI, kJ, 29)};
      call.inputs[0].fill([](auto x) { return 1 + x[2] / 8.0; });
      call.inputs[1].set({0, 0, j, 0}, -kInf); // every row's score of key j is -inf
      call.inputs[2].set({0, 0, j, 5}, value);
      EXPECT_EQ(check(p, call), "") << "key " << j << " value " << value;
    }
}

} // namespace
