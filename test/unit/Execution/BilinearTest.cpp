// Bilinear scores, s = scale * sum_cr q_ic g_cr k_jr, which become a map on one side and a product.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Case {
  const char *name, *g, *gType, *keyHead, *clauses, *keyRegion; // R: the type that is computed in
};

std::string textOf(const Case &c, const std::string &element) {
  const std::string real = element == "f64" ? "f64" : "f32";
  std::string region = c.keyRegion, gType = c.gType;
  for (std::string *s : {&region, &gType})
    for (size_t at = 0; (at = s->find('R', at)) != std::string::npos;)
      s->replace(at, 1, real);
  return fmt::format(R"(!q = tensor<?x?x?x8x{0}>
!k = tensor<?x?x?x5x{0}>
!v = tensor<?x?x?x8x{0}>
attn.kernel @k(%q: !q, %k: !k, %v: !v, %g: {1}, %bias: tensor<?x{7}>) -> (o: !v, lse: tensor<?x?x?x{7}>) {{
  %o, %lse = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] k = %k[b, {3}, j, r]{6} v = %v[b, {3}, j, e]
    bilinear = %g[{2}]
    {5}
    outputs o[b, h, i, e], lse[b, h, i]
    : (!q, !k, !v, {1}) -> (!v, tensor<?x?x?x{7}>)
  attn.return %o, %lse : !v, tensor<?x?x?x{7}>
}}
)",
                     element, gType, c.g, c.keyHead, "", c.clauses, region, real);
}

const char *const kScore = "score(%s, h = %h, i = %i, j = %j) { %b = attn.load %bias[%h] : tensor<?xf32> "
                           "%t = arith.addf %s, %b : f32 attn.yield %t : f32 }";

// Of the first three on q, whose map leaves 5 features; of the others 8 are left, and fewer rows decide for k.
const Case kCases[] = {
    {"one", "c, r", "tensor<8x5xR>", "h", "", ""},
    {"by head", "b, h, r, c", "tensor<?x?x5x8xR>", "h floordiv 2", "set = causal<bottom_right>", ""},
    {"shared keys", "c, r", "tensor<8x5xR>", "h floordiv 2", "scale = 0.7", ""},
    {"by group", "h floordiv 4, c, r", "tensor<?x8x5xR>", "h floordiv 2", "", ""},
    {"of a region", "h, c, r", "tensor<?x8x5xR>", "h", "set = window<bottom_right, left = 9>",
     " as (%x : R, r = %r) { %z = arith.mulf %x, %x : "
     "R attn.yield %z : R }"},
};

TEST(Bilinear, LikeTheText) {
  for (const char *element : {"f32", "f64", "bf16"})
    for (Case c : kCases) {
      SCOPED_TRACE(fmt::format("{} {}", element, c.name));
      if (std::string(c.name) == "one" && std::string(element) != "f64")
        c.clauses = kScore;
      const std::string text = textOf(c, element);
      const Element e = elementOf(element), real = e == Element::F64 ? e : Element::F32;
      for (Blocks blocks : {kTiny, Blocks{}}) {
        const int64_t B = 2, H = 4, K = std::string(c.keyHead) == "h" ? 4 : 2;
        const std::string g = c.g;
        Index shape = {8, 5};
        if (g == "b, h, r, c")
          shape = {B, H, 5, 8};
        else if (g == "h, c, r")
          shape = {H, 8, 5};
        else if (g != "c, r")
          shape = {1, 8, 5};
        Call call{{Tensor::normal(e, {B, H, 21, 8}, 1), Tensor::normal(e, {B, K, 34, 5}, 2),
                   Tensor::normal(e, {B, K, 34, 8}, 3), Tensor::normal(real, shape, 4, 0.5),
                   Tensor::normal(real, {H}, 5)}};
        EXPECT_EQ(check(program(text, blocks), call), "") << text;
      }
    }
}

} // namespace
