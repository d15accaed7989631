// Codes with a scale for each token: where rows are few the scale multiplies sums and weights. What is not finite on
// that way alone must be what the text says.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

constexpr int64_t kJ = 75, kC = 16;

std::string text(const std::string &divisor) {
  const std::string own = divisor == "1" ? "h" : "h floordiv " + divisor;
  auto as = [&](const char *scale) {
    return std::string(" as (%x : i8, b = %b, j = %j) { %f = arith.sitofp %x : i8 to f32  %s = attn.load ") + scale +
           "[%b, %j] : !s  %y = arith.mulf %f, %s : f32  attn.yield %y : f32 }\n";
  };
  return "!t = tensor<?x?x?x16xf32>\n!k = tensor<?x?x?x16xi8>\n!s = tensor<?x?xf32>\n"
         "attn.kernel @k(%q: !t, %k: !k, %v: !k, %ks: !s, %vs: !s) -> (o: !t, lse: tensor<?x?x?xf32>) {\n"
         "  %o, %lse = attn.attend dims(b, h | i | j | c, e)\n    q = %q[b, h, i, c]\n    k = %k[b, " +
         own + ", j, c]" + as("%ks") + "    v = %v[b, " + own + ", j, e]" + as("%vs") +
         "    outputs o[b, h, i, e], lse[b, h, i] : (!t, !k, !k) -> (!t, tensor<?x?x?xf32>)\n"
         "  attn.return %o, %lse : !t, tensor<?x?x?xf32>\n}\n";
}

/// A call of one query, whose codes and scales may still be changed.
Call make(int64_t heads) {
  return Call{{Tensor::normal(Element::F32, {1, 4, 1, kC}, 1),
               Tensor::integers(Element::I8, {1, heads, kJ, kC}, 2, -9, 9),
               Tensor::integers(Element::I8, {1, heads, kJ, kC}, 3, -9, 9),
               Tensor::normal(Element::F32, {1, kJ}, 4, 0.02), Tensor::normal(Element::F32, {1, kJ}, 5)}};
}

void expectRight(const std::function<void(Call &)> &change, bool nan) {
  for (auto [divisor, heads] : {std::pair("1", 4), std::pair("4", 1)})
    for (const char *variant : {"few", "stream"}) {
      Program &p = program(text(divisor), Blocks{});
      Call call = make(heads);
      change(call);
      const auto &info = p.kernel().info();
      for (int32_t n = 0; n < info.n_variants; ++n)
        if (info.variants[n].name == std::string(variant))
          call.variant = n;
      ASSERT_GE(call.variant, 0) << variant;
      ASSERT_EQ(call.run(p), ATTN_OK) << variant;
      EXPECT_EQ(compare(p, call), "") << variant << ", heads that share keys: " << divisor;
      EXPECT_EQ(std::isnan(call.outputs[0].get({0, 0, 0, 0})), nan)
          << variant << ", heads that share keys: " << divisor;
    }
}

} // namespace

TEST(Scaled, Finite) {
  expectRight([](Call &) {}, false);
}

// The sum of the codes is below 0, so that -inf would hide the key; but the text adds infinities of both signs.
TEST(Scaled, InfiniteScaleOfAKey) {
  expectRight(
      [](Call &call) {
        call.inputs[3].set({0, 20}, kInf);
        for (int64_t h = 0; h < call.inputs[1].shape[1]; ++h)
          for (int64_t c = 0; c < kC; ++c) {
            double own = call.inputs[0].get({0, h, 0, c}) > 0 ? -9 : c ? 9 : -9;
            call.inputs[1].set({0, h, 20, c}, c == 3 ? -own : own);
          }
      },
      true);
}

// Weight times scale overflows, for later keys weigh up to 2^32 more than those that the reference was taken from; the
// codes are 0.
TEST(Scaled, HugeScaleOfAValueOfZeros) {
  expectRight(
      [](Call &call) {
        for (int64_t j = 0; j < kJ; ++j)
          call.inputs[3].set({0, j}, j < 64 ? 0 : 0.3);
        for (int64_t h = 0; h < call.inputs[1].shape[1]; ++h)
          for (int64_t c = 0; c < kC; ++c) {
            call.inputs[1].set({0, h, 70, c}, call.inputs[0].get({0, h, 0, c}) > 0 ? 4 : -4);
            call.inputs[2].set({0, h, 70, c}, 0);
          }
        call.inputs[4].set({0, 70}, 3e38);
      },
      false);
}

// Keys as they are, of which four are met at once, by turns with values that are codes, of which two would be.
TEST(Scaled, CodesBesideKeysAsTheyAre) {
  Program &p = program("!t = tensor<?x?x?x16xf32>\n!k = tensor<?x?x?x16xi8>\n!s = tensor<?x?xf32>\n"
                       "attn.kernel @k(%q: !t, %k: !t, %v: !k, %vs: !s) -> (o: !t, lse: tensor<?x?x?xf32>) {\n"
                       "  %o, %lse = attn.attend dims(b, h | i | j | c, e)\n    q = %q[b, h, i, c]\n"
                       "    k = %k[b, h, j, c]\n    v = %v[b, h, j, e] as (%x : i8, b = %b, j = %j) { "
                       "%f = arith.sitofp %x : i8 to f32  %s = attn.load %vs[%b, %j] : !s  "
                       "%y = arith.mulf %f, %s : f32  attn.yield %y : f32 }\n"
                       "    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !k) -> (!t, tensor<?x?x?xf32>)\n"
                       "  attn.return %o, %lse : !t, tensor<?x?x?xf32>\n}\n",
                       Blocks{});
  for (int64_t keys : {256, 1000, 5000}) { // a run, several of a block, blocks that are split
    Call call{{Tensor::normal(Element::F32, {1, 2, 1, kC}, 1), Tensor::normal(Element::F32, {1, 2, keys, kC}, 2),
               Tensor::integers(Element::I8, {1, 2, keys, kC}, 3, -9, 9), Tensor::normal(Element::F32, {1, keys}, 4)}};
    ASSERT_EQ(call.run(p), ATTN_OK);
    EXPECT_EQ(compare(p, call), "") << keys;
  }
}
