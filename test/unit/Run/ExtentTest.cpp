// Extents that nothing says: grids, lists and graphs.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

void expectTokens(const Given &given, int64_t I, int64_t J) {
  SCOPED_TRACE(given.clauses + given.queryGrid + given.keyGrid);
  Made made(given);
  EXPECT_EQ(made.extent("i"), I);
  EXPECT_EQ(made.extent("j"), J);
}

TEST(Extents, Grids) {
  expectTokens({"", "", "[?, 20]", "[?, 20]"}, 320, 320);
  expectTokens({"", "", "[?, 300]", "[?, 300]"}, 3900, 3900);       // 13 rows
  expectTokens({"", "", "[?, 64, 64]", "[?, 64, 64]"}, 8192, 8192); // two planes
  expectTokens({"", "", "[?]", "[?]"}, 16, 16);
  expectTokens({"", "", "[5, 7]", "[5, 7]"}, 35, 35);
  expectTokens({"first = 9", "", "[?, 20]", "[?, 20]"}, 329, 329);
  expectTokens({"first = %f", ", %f: i32", "[?, 20]", "[?, 20]"}, 320, 320);
  expectTokens({"first = %f", ", %f: i32", "[?, 20]", "[?, 20]", {}, {{"f", "5"}}}, 325, 325);
  expectTokens({"first = %f set = global<%f>", ", %f: i32", "[?, 20]", "[?, 20]"}, 336, 336);
  expectTokens({"", "", "[?, 20]", "[?, 20]", {{"n", 95}}}, 95, 95);
  expectTokens({"", "", "[?, 20]", "[?, 20]", {{"i", 95}}}, 95, 95);
  expectTokens({"", "", "[?, 20]", "[?, 10]", {{"i", 95}}}, 95, 50); // 5 rows of each
  expectTokens({"", "", "[?, 20]", ""}, 320, 1024);
  expectTokens({"set = halo<block = [8, 8], halo = [3, 3], padded>", "", "[?, 16]", "[?, 22]"}, 256, 22 * 22);
  expectTokens({"set = halo<block = [8, 8], halo = [3, 3]>", "", "[?, 16]", "[?, 16]"}, 256, 256);
}

void expectShape(const Given &given, std::vector<int64_t> shape) {
  SCOPED_TRACE(given.clauses);
  Made made(given);
  EXPECT_EQ(made.tensor("x").shape, shape);
}

TEST(Extents, FreeAxes) {
  const std::vector<std::pair<std::string, int64_t>> sizes = {{"i", 100}, {"j", 200}, {"b", 2}, {"h", 3}};
  expectShape({"set = tokens<%x[b, h]>", ", %x: tensor<?x?x?xi32>", "", "", sizes}, {2, 3, 50});
  expectShape({"set = tokens<%x[i floordiv 8]>", ", %x: tensor<?x?xi32>", "", "", sizes}, {13, 50});
  expectShape({"set = blocks<%x[b], block = 16>", ", %x: tensor<?x?xi32>", "", "", sizes}, {2, 3});
  expectShape({"set = pages<%x[b], block = 128>", ", %x: tensor<?x?xi32>", "", "", sizes}, {2, 1});
  expectShape({"set = tokens<%x[b], sorted>", ", %x: tensor<2x77xi32>", "", "", sizes}, {2, 77});
  expectShape({"set = diagonals<top_left, %x[h]>", ", %x: tensor<?x?xi32>", "", "", sizes}, {3, 16});
  expectShape({"set = csr<%x[b], %c[b]>", ", %x: tensor<?x?xi32>, %c: tensor<?x?xi32>", "", "", sizes}, {2, 101});
  expectShape({"set = csr<%r[b], %x[b]>", ", %r: tensor<?x?xi32>, %x: tensor<?x?xi32>", "", "", sizes}, {2, 1600});
  expectShape({"set = bits<%x[h, i]>", ", %x: tensor<?x?x?xi64>", "", "", sizes}, {3, 100, 4});
  expectShape(
      {"set = random_blocks<seed = 1, probability = %x, block = [10, 16]>", ", %x: tensor<?xf32>", "", "", sizes},
      {13});
  auto longer = sizes;
  longer.push_back({"x.0", 40});
  expectShape(
      {"set = random_blocks<seed = 1, probability = %x, block = [10, 16]>", ", %x: tensor<?xf32>", "", "", longer},
      {40});
}

} // namespace
