// Sums over queries, whose program has the queries in the keys' place, beside operands in parts and regions.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

Tensor f32(Index shape, uint64_t seed) { return Tensor::normal(Element::F32, std::move(shape), seed); }

struct Case {
  const char *name, *dims, *operands, *types, *args;
};

std::string textOf(const Case &c, const std::string &clauses) {
  return fmt::format(R"(!t = tensor<?x?x?x8xf32>
!r = tensor<?x?x?xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %u: !t{4}) -> (o: !t, mass: !r, sum: !t) {{
  %o, %mass, %sum = attn.attend dims(b, h | i | j | {0}, e)
    {1}
    {3}
    columns mass = sum(%w, %s, i = %i, j = %j) {{ %z = arith.mulf %w, %s : f32 attn.yield %z : f32 }}
    aggregate sum = %u[b, h, i, e]
    outputs o[b, h, i, e], mass[b, h, j], sum[b, h, j, e]
    : ({2}) -> (!t, !r, !t)
  attn.return %o, %mass, %sum : !t, !r, !t
}}
)",
                     c.dims, c.operands, c.types, clauses, c.args);
}

const Case kCases[] = {
    {"parts", "c, r", "q = %q[b, h, i, c] | %q2[b, i, r] k = %k[b, h, j, c] | %k2[b, j, r] v = %v[b, h, j, e]",
     "!t, !t, !t, tensor<?x?x3xf32>, tensor<?x?x3xf32>", ", %q2: tensor<?x?x3xf32>, %k2: tensor<?x?x3xf32>"},
    {"regions", "c",
     "q = %q[b, h, i, c] as (%x, i = %i, c = %c) { %y = attn.load %table[%i, %c] : tensor<?x8xf32> %z = arith.mulf %x, "
     "%y : f32 attn.yield %z : f32 } "
     "k = %k[b, h, j, c] as (%x, h = %h) { %y = attn.load %gain[%h] : tensor<?xf32> %z = arith.mulf %x, %y : f32 "
     "attn.yield %z : f32 } "
     "v = %v[b, h, j, e] as (%x) { %z = math.absf %x : f32 attn.yield %z : f32 }",
     "!t, !t, !t", ", %table: tensor<?x8xf32>, %gain: tensor<?xf32>"},
    {"parts with regions", "c, r",
     "q = %q[b, h, i, c] | %q2[b, i, r] as (%x, r = %r) { %n = arith.index_cast %r : index to i32 %f = arith.sitofp %n "
     ": i32 to f32 %z = arith.mulf %x, %f : f32 attn.yield %z : f32 } "
     "k = %k[b, h, j, c] as (%x) { %z = math.absf %x : f32 attn.yield %z : f32 } | %k2[b, j, r] v = %v[b, h, j, e]",
     "!t, !t, !t, tensor<?x?x3xf32>, tensor<?x?x3xf32>", ", %q2: tensor<?x?x3xf32>, %k2: tensor<?x?x3xf32>"},
    {"lists", "c = 8",
     "q = %ids[b, i] as (%n : i32, b = %b, h = %h, c = %c) { %m = arith.index_cast %n : i32 to index %y = attn.load "
     "%q[%b, %h, %m, %c] : !t attn.yield %y : f32 } "
     "k = %keys[b, j] as (%n : i32, b = %b, h = %h, c = %c) { %m = arith.index_cast %n : i32 to index %y = attn.load "
     "%k[%b, %h, %m, %c] : !t attn.yield %y : f32 } "
     "v = %v[b, h, j, e]",
     "!n, !n, !t", ", %ids: !n, %keys: !n"},
};

TEST(Operands, ColumnsOfPartsAndRegions) {
  for (const Case &c : kCases)
    for (const char *clauses : {"", "set = causal<bottom_right>", "set = window<top_left, left = 5> scale = 0.4"})
      for (auto [blocks, seed] : std::initializer_list<std::pair<Blocks, uint64_t>>{
               {kTiny, 0}, {Blocks{}, 0}, {kTiny, 10}, {kTiny, 20}, {kTiny, 30}, {kTiny, 40}, {kTiny, 50}}) {
        SCOPED_TRACE(fmt::format("{} {} seed {}", c.name, clauses, seed));
        const int64_t B = 2, H = 3, I = 19, J = 37;
        std::string text = textOf(c, clauses);
        std::vector<Tensor> inputs = {f32({B, H, I, 8}, seed + 1), f32({B, H, J, 8}, seed + 2),
                                      f32({B, H, J, 8}, seed + 3), f32({B, H, I, 8}, seed + 4)};
        const std::string name = c.name;
        if (name == "regions") {
          inputs.push_back(f32({I, 8}, seed + 5));
          inputs.push_back(f32({H}, seed + 6));
        } else if (name == "lists") {
          text = "!n = tensor<?x?xi32>\n" + text;
          Tensor ids(Element::I32, {B, I}), keys(Element::I32, {B, J});
          int64_t n = 0;
          ids.fill([&](auto) { return double((n += 7) % I); });
          keys.fill([&](auto) { return double((n += 5) % J); });
          ids.setBits({0, 2}, uint32_t(-1));  // no query
          keys.setBits({1, 4}, uint32_t(-1)); // no key
          inputs.push_back(ids);
          inputs.push_back(keys);
        } else {
          inputs.push_back(f32({B, I, 3}, seed + 5));
          inputs.push_back(f32({B, J, 3}, seed + 6));
        }
        Call call{inputs};
        EXPECT_EQ(check(program(text, blocks), call), "") << text;
        EXPECT_EQ(call.status, ATTN_OK);
        Call two = call;
        two.workers = 2;
        two.run(program(text, blocks));
        EXPECT_TRUE(sameBits(call, two));
      }
}

} // namespace
