// Edge contract 1 and 2: masked means absent; what a query does not see changes nothing for it, bit by bit.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Case {
  const char *name;
  Attention attention;
  int64_t I = 40, J = 40;
  std::vector<Tensor> captured = {};
  std::vector<attn_scalar> params = {};
};

Attention withSet(const std::string &set, const std::string &args = "", const std::string &element = "f32") {
  Attention a;
  a.element = element;
  a.set = set;
  a.args = args;
  return a;
}

const char *const kWhere = "where(i = %i, j = %j) { %c3 = arith.constant 3 : index %d = arith.subi %i, %j : index "
                           "%m = arith.remsi %d, %c3 : index %z = arith.constant 0 : index "
                           "%p = arith.cmpi eq, %m, %z : index attn.yield %p : i1 }";

std::vector<Case> cases(const std::string &element) {
  std::vector<double> segments;
  for (int b = 0; b < 2; ++b)
    for (int n = 0; n < 40; ++n)
      segments.push_back(n / (b ? 7 : 13));
  const auto I32 = Element::I32;
  return {
      {"causal top_left", withSet("causal<top_left>", "", element), 23, 40},
      {"causal bottom_right", withSet("causal<bottom_right>", "", element), 29, 40},
      {"window", withSet("window<bottom_right, left = 5, right = 3>", "", element)},
      {"window at run time",
       withSet("causal<bottom_right> and window<bottom_right, left = %w>", ", %w: index", element),
       21,
       40,
       {},
       {integerParam(9)}},
      {"prefix", withSet("prefix<%p>", ", %p: tensor<?xi32>", element), 17, 40, {Tensor::of(I32, {2}, {19, 33})}},
      {"prefix lm", withSet("causal<bottom_right> or prefix<11>", "", element)},
      {"lengths",
       withSet("lengths<q = %ql, k = %kl>", ", %ql: tensor<?xi32>, %kl: tensor<?xi32>", element),
       31,
       40,
       {Tensor::of(I32, {2}, {31, 8}), Tensor::of(I32, {2}, {40, 21})}},
      {"document",
       withSet("same_segment<%seg> and causal<bottom_right>", ", %seg: tensor<?x?xi32>", element),
       40,
       40,
       {Tensor::of(I32, {2, 40}, segments)}},
      {"mask",
       withSet("mask<%m[b, i, j]>", ", %m: tensor<?x?x?xi1>", element),
       25,
       40,
       {Tensor::integers(Element::I1, {2, 25, 40}, 5, 0, 1)}},
      {"key mask",
       withSet("mask<%m[b, j]>", ", %m: tensor<?x?xf32>", element),
       25,
       40,
       {Tensor::integers(Element::F32, {2, 40}, 7, 0, 1)}},
      {"where", withSet(kWhere, "", element)},
      {"not causal", withSet("not causal<top_left>", "", element), 33, 40},
  };
}

Call callOf(const Case &c) {
  Call call{normalInputs(c.attention, 2, 2, c.I, c.J, 11), c.params};
  call.inputs.insert(call.inputs.end(), c.captured.begin(), c.captured.end());
  return call;
}

void poisonRow(Tensor &t, int64_t b, int64_t h, int64_t token, uint64_t pattern) {
  for (int64_t e = 0; e < t.shape[3]; ++e)
    t.setBits({b, h, token, e}, pattern);
}

class Absent : public ::testing::TestWithParam<std::tuple<std::string, int64_t>> {
protected:
  Blocks blocks() const { return std::get<1>(GetParam()) ? kTiny : Blocks{}; }
  std::string element() const { return std::get<0>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Each, Absent,
                         ::testing::Combine(::testing::Values("f32", "bf16", "f16", "f64"), ::testing::Values(1, 0)),
                         [](const auto &info) {
                           return std::get<0>(info.param) + (std::get<1>(info.param) ? "Tiny" : "Default");
                         });

TEST_P(Absent, KeysThatNoQuerySees) {
  for (const Case &c : cases(element())) {
    SCOPED_TRACE(c.name);
    Program &p = program(c.attention, blocks());
    Call clean = callOf(c), dirty = callOf(c);
    EXPECT_EQ(check(p, clean), "");
    auto oracle = clean.oracle(p);
    for (Poison poison : kPoisons) {
      int64_t poisoned = 0;
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t h = 0; h < 2; ++h)
          for (int64_t j = 0; j < c.J; ++j) {
            bool seen = false;
            for (int64_t i = 0; i < c.I; ++i)
              seen |= oracle->visible({b, h}, i, j);
            if (seen)
              continue;
            ++poisoned;
            poisonRow(dirty.inputs[1], b, h, j, poisonBits(elementOf(element()), poison));
            poisonRow(dirty.inputs[2], b, h, j, poisonBits(elementOf(element()), poison));
          }
      if (poisoned) {
        dirty.run(p);
        EXPECT_TRUE(sameBits(clean, dirty)) << "poison " << int(poison);
      }
    }
  }
}

/// Rows that do not see key `at` keep their bits; rows that see a NaN value get NaN there and nowhere else.
TEST_P(Absent, KeysThatSomeQueriesSee) {
  const Element e = elementOf(element());
  for (const Case &c : cases(element())) {
    SCOPED_TRACE(c.name);
    Program &p = program(c.attention, blocks());
    Call clean = callOf(c);
    clean.run(p);
    auto oracle = clean.oracle(p);
    for (int64_t at : {0, 3, 15, 16, 22, 39})
      for (Poison poison : kPoisons)
        for (bool value : {false, true}) {
          const int64_t feature = at % 8;
          Call dirty = callOf(c);
          if (value)
            dirty.inputs[2].setBits({1, 0, at, feature}, poisonBits(e, poison));
          else
            poisonRow(dirty.inputs[1], 1, 0, at, poisonBits(e, poison));
          dirty.run(p);
          int64_t wrong = 0;
          std::string first;
          auto fail = [&](llvm::ArrayRef<int64_t> x, bool sees) {
            if (!wrong++)
              first = fmt::format("[{}] sees {}: {}, was {}", fmt::join(x, ", "), sees,
                                  x.size() == 4 ? dirty.outputs[0].get(x) : dirty.outputs[1].get(x),
                                  x.size() == 4 ? clean.outputs[0].get(x) : clean.outputs[1].get(x));
          };
          dirty.outputs[0].each([&](llvm::ArrayRef<int64_t> x) {
            const bool sees = x[0] == 1 && x[1] == 0 && oracle->visible({1, 0}, x[2], at);
            const bool same = clean.outputs[0].bits(x) == dirty.outputs[0].bits(x);
            const bool nan = poison == Poison::SignallingNaN || poison == Poison::QuietNaN;
            bool right = true;
            if (!sees || (value && x[3] != feature))
              right = same;
            else if (nan)
              right = std::isnan(dirty.outputs[0].get(x));
            else if (value)
              right = std::isinf(dirty.outputs[0].get(x));
            if (!right)
              fail(x, sees);
          });
          dirty.outputs[1].each([&](llvm::ArrayRef<int64_t> x) {
            const bool sees = x[0] == 1 && x[1] == 0 && oracle->visible({1, 0}, x[2], at);
            if ((!sees || value) && clean.outputs[1].bits(x) != dirty.outputs[1].bits(x))
              fail(x, sees);
          });
          EXPECT_EQ(wrong, 0) << "key " << at << (value ? " value" : " key") << " poison " << int(poison) << " "
                              << first;
        }
  }
}

TEST_P(Absent, PaddingBetweenRows) {
  const Element e = elementOf(element());
  for (const Case &c : cases(element())) {
    SCOPED_TRACE(c.name);
    Program &p = program(c.attention, blocks());
    Call clean = callOf(c);
    clean.run(p);
    for (Poison poison : kPoisons) {
      Call padded = callOf(c);
      for (int n = 0; n < 3; ++n) {
        MemoryLayout layout;
        layout.pad = {1, 2, 3, n + 1};
        layout.offset = n;
        Tensor t(e, padded.inputs[n].shape, layout);
        t.fill([&](llvm::ArrayRef<int64_t> x) { return padded.inputs[n].get(x); });
        t.poisonGaps(poisonBits(e, poison));
        padded.inputs[n] = std::move(t);
      }
      padded.run(p);
      EXPECT_TRUE(sameBits(clean, padded)) << "poison " << int(poison);
    }
  }
}

TEST_P(Absent, MaskedPositionsOfACapturedBias) {
  const Element e = elementOf(element());
  const std::string acc = element() == "f64" ? "f64" : "f32", table = "tensor<?x?x" + acc + ">";
  for (Case c : cases(element())) {
    SCOPED_TRACE(c.name);
    c.attention.args += ", %bias: " + table;
    c.attention.score = "score(%s" + std::string(acc == "f64" ? " : f64" : "") +
                        ", b = %b, h = %h, i = %i, j = %j) { %t = attn.load %bias[%i, %j] : " + table +
                        " %r = arith.addf %s, %t : " + acc + " attn.yield %r : " + acc + " }";
    c.captured.push_back(Tensor::normal(elementOf(acc), {c.I, c.J}, 99));
    Program &p = program(c.attention, blocks());
    Call clean = callOf(c);
    EXPECT_EQ(check(p, clean), "");
    auto oracle = clean.oracle(p);
    for (Poison poison : kPoisons) {
      Call dirty = callOf(c);
      dirty.inputs.back().each([&](llvm::ArrayRef<int64_t> x) {
        bool seen = false;
        for (int64_t b = 0; b < 2; ++b)
          seen |= oracle->visible({b, 0}, x[0], x[1]);
        if (!seen)
          dirty.inputs.back().setBits(x, poisonBits(elementOf(acc), poison));
      });
      dirty.run(p);
      EXPECT_TRUE(sameBits(clean, dirty)) << "poison " << int(poison);
      // The same on the guarded path: a visible NaN value makes the block run it.
      for (Call *call : {&clean, &dirty})
        call->inputs[2].setBits({0, 0, 7, 2}, poisonBits(e, Poison::QuietNaN));
      Call guarded = clean;
      guarded.run(p);
      dirty.run(p);
      EXPECT_TRUE(sameBits(guarded, dirty)) << "guarded, poison " << int(poison);
      clean.inputs[2] = callOf(c).inputs[2];
    }
  }
}

} // namespace
