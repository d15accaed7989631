// The visible keys of every row against the interpreter's word on every pair.
#include "Harness.h"

using namespace attn;
using namespace attn::run;
using namespace attn::test;

namespace {

void checkRows(Made &made, bool bad = false) {
  auto interpreter = made.interpreter();
  Visibility visibility(made.program, made.problem, *interpreter);
  double total = 0;
  bool reported = false;
  for (int64_t b = 0; b < made.problem.batches(); ++b)
    for (int64_t i = 0; i < made.problem.queries(); ++i) {
      const auto batch = made.problem.batchAt(b);
      Ranges expected;
      for (int64_t j = 0; j < made.problem.keys(); ++j)
        if (interpreter->visible(batch, i, j))
          expected = unite(expected, {{j, j + 1}});
      const Ranges got = visibility.row(batch, i);
      EXPECT_EQ(got, expected) << "batch " << b << " row " << i;
      total += double(countOf(expected));
      reported |= interpreter->row(batch, i, interpreter::Precision::Double).badIndex;
    }
  EXPECT_EQ(reported, bad);
  const PairCount count = countPairs(visibility, made.problem, 100);
  EXPECT_TRUE(count.exact);
  EXPECT_EQ(count.visible, total);
}

void check(Given given) {
  SCOPED_TRACE(given.clauses + given.args + given.queryGrid + given.keyGrid);
  given.sizes.insert(given.sizes.begin(), {{"b", 2}, {"h", 2}});
  Made made(given);
  checkRows(made);
}

/// Both alignments, more queries, more keys, and lengths.
void checkAligned(const std::string &name, const std::string &rest) {
  for (const char *side : {"top_left", "bottom_right"})
    for (auto [I, J] : {std::pair{23, 37}, {37, 23}})
      check({"set = " + name + "<" + side + rest + ">", "", "", "", {{"i", I}, {"j", J}}});
  check({"set = " + name + "<bottom_right" + rest + ", q = %ql, k = %kl>",
         ", %ql: tensor<?xi32>, %kl: tensor<?xi64>",
         "",
         "",
         {{"n", 30}}});
}

TEST(Visibility, AlignedSets) {
  checkAligned("causal", "");
  checkAligned("window", ", left = 4, right = 2");
  checkAligned("dilated", ", step = 1");
  checkAligned("dilated", ", step = 5");
  checkAligned("not_self", "");
  checkAligned("block_causal", ", block = 8");
}

TEST(Visibility, FirstTokensAndSegments) {
  check({"set = global<3>", "", "", "", {{"n", 20}}});
  check({"set = global<%g> or sinks<%s>", ", %g: tensor<?xi32>, %s: tensor<?xi64>", "", "", {{"n", 50}}});
  check({"set = global<%g> and not sinks<%s>", ", %g: i32, %s: index", "", "", {{"n", 50}}, {{"g", "7"}, {"s", "-1"}}});
  check({"set = shared_prefix<%seg>", ", %seg: tensor<?x?xi32>", "", "", {{"n", 60}}});
  check({"set = shared_prefix<q = %a, k = %b, shared = %s, all = %t>",
         ", %a: tensor<?xi64>, %b: tensor<?x?xi32>, %s: i32, %t: i64",
         "",
         "",
         {{"i", 40}, {"j", 60}}});
  check({"set = causal<top_left> and shared_prefix<%seg, shared = 1, all = 2>",
         ", %seg: tensor<?xi32>",
         "",
         "",
         {{"n", 60}}});
}

TEST(Visibility, Grids) {
  struct Grid {
    const char *query, *key, *set;
    int64_t I, J;
  };
  const Grid grids[] = {
      {"[?]", "[?]", "neighborhood<size = [5]>", 20, 20},
      {"[?]", "[?]", "neighborhood<size = [6], dilation = [3], stride = [2]>", 31, 31},
      {"[?]", "[?]", "neighborhood<size = [6], dilation = [3], stride = [2], causal = [1]>", 31, 31},
      {"[?]", "[?]", "neighborhood<size = [30]>", 12, 12},
      {"[?]", "[?]", "neighborhood<size = [3]>", 20, 7},
      {"[?, 6]", "[?, 6]", "neighborhood<size = [3, 4]>", 36, 36},
      {"[?, 6]", "[?, 6]", "neighborhood<size = [3, 2], dilation = [2, 3], stride = [3, 1], causal = [1, 0]>", 33, 33},
      {"[?, 3, 4]", "[?, 3, 4]", "neighborhood<size = [2, 3, 3], stride = [1, 2, 1], causal = [1, 0, 0]>", 36, 36},
      {"[?, 6]", "[?, 6]", "halo<block = [4, 3], halo = [1, 2]>", 34, 34},
      {"[?, 6]", "[?, 8]", "halo<block = [2, 3], halo = [1, 1], padded>", 36, 64},
      {"[?, 3, 4]", "[?, 3, 4]", "halo<block = [2, 2, 2], halo = [0, 1, 1]>", 40, 40},
      {"[?]", "[?]", "disc<radius = 3>", 20, 20},
      {"[?, 6]", "[?, 6]", "disc<radius = 3>", 35, 35},
      {"[?, 3, 4]", "[?, 5, 2]", "disc<radius = 2>", 36, 40},
  };
  for (const Grid &g : grids)
    for (const char *first : {"", "first = 3 ", "first = %f "}) {
      const bool param = std::string(first).find('%') != std::string::npos;
      const int64_t more = *first ? 3 : 0;
      check({first + ("set = " + std::string(g.set)),
             param ? ", %f: i32" : "",
             g.query,
             g.key,
             {{"i", g.I + more}, {"j", g.J + more}},
             param ? std::vector<Assignment>{{"f", "3"}} : std::vector<Assignment>{}});
    }
  // A static grid whose tokens only the call knows: some stand beyond it.
  for (const char *set : {"neighborhood<size = [3, 3]>", "neighborhood<size = [3, 3], causal = [1, 1]>",
                          "halo<block = [2, 2], halo = [1, 1]>", "disc<radius = 2>"})
    check({std::string("first = %f set = ") + set, ", %f: index", "[3, 4]", "[3, 4]", {{"n", 26}}, {{"f", "2"}}});
  for (const char *radius : {"-1", "0", "1", "9223372036854775807"})
    check({"set = disc<radius = %r>", ", %r: i64", "[?, 4]", "[?, 4]", {{"n", 20}}, {{"r", radius}}});
  check({"first = %f set = global<%f> or disc<radius = 2>",
         ", %f: index",
         "[?, 4]",
         "[?, 4]",
         {{"n", 30}},
         {{"f", "40"}}});
}

TEST(Visibility, Lists) {
  check({"set = tokens<%l[b, h]>", ", %l: tensor<?x?x?xi32>", "", "", {{"n", 40}}});
  check({"set = tokens<%l[h, i floordiv 4], sorted> or tokens<%m[1]>",
         ", %l: tensor<?x?x?xi64>, %m: tensor<?x?xi32>",
         "",
         "",
         {{"n", 40}}});
  check({"set = blocks<%l[b], block = 7> and causal<top_left>",
         ", %l: tensor<?x?xi32>",
         "",
         "",
         {{"n", 50}, {"l.1", 5}}});
  check({"set = not pages<%l[b], block = 16>", ", %l: tensor<?x?xi32>", "", "", {{"n", 50}}});
  for (const char *symmetric : {"", ", symmetric"})
    for (const char *side : {"top_left", "bottom_right"})
      check({std::string("set = diagonals<") + side + ", %d[h]" + symmetric + ">",
             ", %d: tensor<?x?xi32>",
             "",
             "",
             {{"i", 20}, {"j", 33}}});
  check({"set = diagonals<bottom_right, %d, q = %ql, k = %kl>",
         ", %d: tensor<?xi64>, %ql: tensor<?xi32>, %kl: tensor<?xi32>",
         "",
         "",
         {{"n", 30}}});
}

TEST(Visibility, GraphsBitsAndRandomBlocks) {
  check({"set = csr<%r[b], %c[b]>", ", %r: tensor<?x?xi32>, %c: tensor<?x?xi32>", "", "", {{"n", 40}}});
  check({"set = csr<%r, %c> or prefix<2>", ", %r: tensor<?xi64>, %c: tensor<?xi64>", "", "", {{"i", 10}, {"j", 90}}});
  for (const char *element : {"i8", "i32", "i64"})
    check({"set = bits<%m[b, h, i]>",
           std::string(", %m: tensor<?x?x?x?x") + element + ">",
           "",
           "",
           {{"i", 5}, {"j", 130}}});
  check({"set = random_blocks<seed = %s, probability = 0.5, block = [4, 8]>", ", %s: i64", "", "", {{"n", 40}}});
  check({"set = random_blocks<seed = 5, probability = %p, block = [3, 3]>", ", %p: f32", "", "", {{"n", 40}}});
  check({"set = random_blocks<seed = %s, probability = %p, block = [1, 9]>",
         ", %s: i32, %p: tensor<?xf32>",
         "",
         "",
         {{"n", 40}}});
}

TEST(Visibility, RegionsAreTheInterpreters) {
  check({"set = causal<top_left> and where(i = %i, j = %j) { %d = arith.subi %i, %j : index "
         "%p = attn.member %d in %l[] : tensor<?xi32> attn.yield %p : i1 }",
         ", %l: tensor<?xi32>",
         "",
         "",
         {{"n", 40}}});
  check({"set = where(h = %h, i = %i, j = %j) { %u = attn.random %s[%h, %i, %j] : i64 -> f32 %half = arith.constant "
         "0.5 : "
         "f32 %p = arith.cmpf olt, %u, %half : f32 attn.yield %p : i1 } and window<top_left, left = 9>",
         ", %s: i64",
         "",
         "",
         {{"n", 30}}});
}

TEST(Visibility, BadElementsAreLeftOut) {
  Made list({"set = blocks<%l[b], block = 16> or prefix<3>", ", %l: tensor<?x?xi32>", "", "", {{"n", 50}, {"l.1", 3}}});
  checkRows(list);
  list.set("l", 1, 4); // 50 keys are 4 blocks
  checkRows(list, true);
  list.set("l", 1, -2);
  checkRows(list, true);
  list.set("l", 1, -1);
  checkRows(list);
  Made graph({"set = csr<%r, %c>", ", %r: tensor<?xi32>, %c: tensor<?xi32>", "", "", {{"n", 30}}});
  checkRows(graph);
  graph.set("c", 100, 30);
  checkRows(graph, true);
  graph.set("c", 100, 29);
  graph.set("r", 3, 100000);
  checkRows(graph, true);
  graph.set("r", 3, -5);
  checkRows(graph, true);
}

} // namespace
