// What a call says it did, against brute force over all pairs.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

struct Grid {
  int64_t full = 0, some = 0, all = 0;
};

/// Tiles of rows x keys; rows start anew in every block of `blockRows`, and a block of keys ends with a whole `panel`.
Grid count(interpreter::Interpreter &oracle, const Index &batch, int64_t I, int64_t J, int64_t blockRows, int64_t rows,
           int64_t keys, int64_t panel) {
  Grid g;
  for (int64_t block = 0; block < I; block += blockRows)
    for (int64_t i0 = block; i0 < std::min(I, block + blockRows); i0 += rows)
      for (int64_t j0 = 0; j0 < J; j0 += keys) {
        int64_t visible = 0, pairs = 0;
        for (int64_t i = i0; i < std::min({I, block + blockRows, i0 + rows}); ++i)
          for (int64_t j = j0; j < std::min(J, j0 + keys); ++j, ++pairs)
            visible += oracle.visible(batch, i, j);
        ++g.all;
        g.some += visible > 0;
        // One with padding keys is partial.
        g.full += visible == pairs && (J >= j0 + keys || J % panel == 0);
      }
  return g;
}

struct Case {
  const char *set, *args = "";
  bool exact = true;
  std::vector<Tensor> captured = {};
};

void expectCounts(const Case &c, Blocks blocks, int64_t I, int64_t J) {
  Attention a;
  a.set = c.set;
  a.args = c.args;
  Program &p = program(a, blocks);
  Call call{normalInputs(a, 1, 2, I, J, 3)};
  call.inputs.insert(call.inputs.end(), c.captured.begin(), c.captured.end());
  ASSERT_EQ(call.run(p), ATTN_OK);
  const attn_stats &s = call.stats;
  auto oracle = call.oracle(p);
  Grid tiles, grid;
  for (int64_t h = 0; h < 2; ++h) {
    const Grid t = count(*oracle, {0, h}, I, J, s.block_rows, s.tile_rows, s.tile_keys, s.tile_keys),
               b = count(*oracle, {0, h}, I, J, s.block_rows, s.block_rows, s.block_keys, s.tile_keys);
    tiles.some += t.some;
    grid.full += b.full;
    grid.some += b.some;
    grid.all += b.all;
  }
  SCOPED_TRACE(std::string(c.set) + " " + std::to_string(I) + " " + std::to_string(J) + " blocks " +
               std::to_string(s.block_rows) + " " + std::to_string(s.block_keys));
  if (blocks.rows) {
    EXPECT_EQ(s.block_rows, int64_t(llvm::alignTo(blocks.rows, s.tile_rows)));
    EXPECT_EQ(s.block_keys, int64_t(llvm::alignTo(blocks.keys, s.tile_keys)));
  }
  EXPECT_EQ(s.guarded, 0);
  EXPECT_EQ(s.blocks_full + s.blocks_partial + s.blocks_skipped, grid.all);
  EXPECT_LE(s.blocks_full, grid.full);
  EXPECT_GE(s.blocks_full + s.blocks_partial, grid.some);
  EXPECT_GE(s.tiles, tiles.some);
  if (c.exact) {
    EXPECT_EQ(s.tiles, tiles.some);
    EXPECT_EQ(s.blocks_full, grid.full);
    EXPECT_EQ(s.blocks_full + s.blocks_partial, grid.some);
  }
  EXPECT_LE(double(s.tiles), 1.15 * double(tiles.some) + 1e-9);
}

TEST(Stats, TilesAndBlocksOfEverySet) {
  std::vector<double> segments;
  for (int n = 0; n < 400; ++n)
    segments.push_back(n < 60 ? 0 : n < 67 ? 1 : n < 300 ? 2 : 3);
  for (auto [I, J] : {std::pair<int64_t, int64_t>{100, 100}, {96, 160}, {1, 200}, {130, 70}, {400, 400}}) {
    std::vector<double> own(segments.begin(), segments.begin() + I), theirs(segments.begin(), segments.begin() + J);
    const Tensor q = Tensor::of(Element::I32, {1, I}, own), k = Tensor::of(Element::I32, {1, J}, theirs);
    const Tensor ql = Tensor::of(Element::I32, {1}, {double(I * 2 / 3)}),
                 kl = Tensor::of(Element::I32, {1}, {double(J * 3 / 5)});
    const Case cases[] = {
        {"full"},
        {"empty"},
        {"causal<top_left>"},
        {"causal<bottom_right>"},
        {"window<bottom_right, left = 20>"},
        {"window<top_left, left = 40, right = 10>"},
        {"window<top_left, left = -3, right = 30>"},
        {"causal<bottom_right> and window<bottom_right, left = 33>"},
        {"prefix<37>"},
        {"causal<bottom_right> or prefix<37>"},
        {"not causal<top_left>"},
        {"lengths<q = %ql, k = %kl>", ", %ql: tensor<?xi32>, %kl: tensor<?xi32>", true, {ql, kl}},
        {"lengths<q = %ql, k = %kl> and causal<bottom_right, q = %ql, k = %kl>",
         ", %ql: tensor<?xi32>, %kl: tensor<?xi32>",
         true,
         {ql, kl}},
        {"same_segment<q = %sq, k = %sk>", ", %sq: tensor<?x?xi32>, %sk: tensor<?x?xi32>", true, {q, k}},
        {"same_segment<q = %sq, k = %sk> and causal<top_left>",
         ", %sq: tensor<?x?xi32>, %sk: tensor<?x?xi32>",
         true,
         {q, k}},
    };
    for (const Case &c : cases)
      for (Blocks blocks : {kTiny, Blocks{12, 32}, Blocks{}})
        expectCounts(c, blocks, I, J);
  }
}

/// A guarded block is counted, and its tiles once.
TEST(Stats, GuardedBlocks) {
  Attention a;
  a.set = "causal<top_left>";
  Program &p = program(a);
  Call clean{normalInputs(a, 1, 1, 40, 40, 3)}, dirty{clean.inputs};
  clean.run(p);
  dirty.inputs[2].set({0, 0, 30, 1}, kNaN);
  dirty.run(p);
  EXPECT_EQ(clean.stats.guarded, 0);
  const attn_stats &s = dirty.stats;
  int64_t guarded = 0; // blocks with a row that sees the first key of the panel of key 30
  for (int64_t row = 0; row < 40; row += s.block_rows)
    guarded += std::min<int64_t>(row + s.block_rows, 40) > 30 / s.tile_keys * s.tile_keys;
  EXPECT_EQ(s.guarded, guarded);
  EXPECT_EQ(clean.stats.tiles, dirty.stats.tiles);
  EXPECT_EQ(clean.stats.blocks_partial, dirty.stats.blocks_partial);
}

TEST(Stats, OutputsNobodyWants) {
  for (const char *set : {"full", "causal<bottom_right>", "empty"}) {
    Attention a;
    a.set = set;
    Program &p = program(a);
    Call both{normalInputs(a, 1, 2, 20, 40, 3)};
    both.run(p);
    for (int absent : {0, 1}) {
      Call one{both.inputs};
      one.outputs = makeOutputs(p, one.inputs);
      one.outputs[absent].null = true;
      EXPECT_EQ(one.run(p), ATTN_OK);
      EXPECT_EQ(one.outputs[1 - absent].elements(), both.outputs[1 - absent].elements());
      for (uint64_t bits : one.outputs[absent].elements())
        EXPECT_EQ(bits, 0x4640e400u); // 12345: never written
    }
    Call none{both.inputs};
    none.outputs = makeOutputs(p, none.inputs);
    none.outputs[0].null = none.outputs[1].null = true;
    EXPECT_EQ(none.run(p), ATTN_OK);
  }
}

} // namespace
