// A normalizer of the text gets the treatment of a built-in one: a copy of @softmax under another name has its bits.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

const char kOwn[] = R"(attn.normalizer @mine {
  attn.pass ref = max
    gauge(%a, %b) {
      %x = arith.subf %a, %b : f32
      %y = math.exp %x : f32
      attn.yield %y : f32
    }
    phi(%t, %m) {
      %x = arith.subf %t, %m : f32
      %y = math.exp %x : f32
      attn.yield %y : f32
    }
    sums(total = one, mean = value)
  attn.finish(%m, %total, %mean) {
    %x = arith.divf %mean, %total : f32
    %y = math.log %total : f32
    %z = arith.addf %m, %y : f32
    attn.yield %x, %z : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}
)";

std::string program(const std::string &normalizer, const std::string &set) {
  return "attn.kernel @k(%q: tensor<?x?x?x40xf32>, %k: tensor<?x?x?x40xf32>, %v: tensor<?x?x?x24xf32>) -> "
         "(o: tensor<?x?x?x24xf32>, lse: tensor<?x?x?xf32>) {\n  %o, %lse = attn.attend dims(b, h | i | j | c, e)\n"
         "    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n    set = " +
         set + " normalize = @" + normalizer +
         "\n    outputs o[b, h, i, e], lse[b, h, i] : (tensor<?x?x?x40xf32>, tensor<?x?x?x40xf32>, "
         "tensor<?x?x?x24xf32>) -> (tensor<?x?x?x24xf32>, tensor<?x?x?xf32>)\n"
         "  attn.return %o, %lse : tensor<?x?x?x24xf32>, tensor<?x?x?xf32>\n}\n";
}

TEST(Copy, OfSoftmaxHasItsBits) {
  for (const char *set : {"full", "causal<bottom_right>", "window<bottom_right, left = 30, right = 5>"})
    for (Blocks blocks : {kTiny, Blocks{}})
      for (auto [I, J, scale] : {std::tuple<int64_t, int64_t, double>{70, 90, 1}, {3, 8200, 3}, {130, 600, 40}}) {
        Program &built = test::program(program("softmax", set), blocks);
        Program &own = test::program(kOwn + program("mine", set), blocks);
        Call a, b;
        a.inputs = {Tensor::normal(Element::F32, {1, 2, I, 40}, 1, scale),
                    Tensor::normal(Element::F32, {1, 2, J, 40}, 2), Tensor::normal(Element::F32, {1, 2, J, 24}, 3)};
        b.inputs = a.inputs;
        ASSERT_EQ(a.run(built), ATTN_OK);
        ASSERT_EQ(b.run(own), ATTN_OK);
        EXPECT_TRUE(sameBits(a, b)) << set << " " << I << " x " << J;
        EXPECT_EQ(a.stats.variant, b.stats.variant);
      }
}

} // namespace
