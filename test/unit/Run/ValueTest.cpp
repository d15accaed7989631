// Made-up lists, graphs, words and scalars are what their comment says.
#include "Harness.h"

#include <set>

using namespace attn;
using namespace attn::test;

namespace {

const std::vector<std::pair<std::string, int64_t>> kSizes = {{"i", 64}, {"j", 96}, {"b", 2}, {"h", 2}};

/// Rows of the last axis.
std::vector<std::vector<int64_t>> rowsOf(Made &made, const char *name) {
  const auto all = made.integers(name);
  const size_t length = size_t(made.tensor(name).shape.back());
  std::vector<std::vector<int64_t>> rows;
  for (size_t at = 0; at < all.size(); at += length)
    rows.emplace_back(all.begin() + int64_t(at), all.begin() + int64_t(at + length));
  return rows;
}

/// Distinct ids of [lo, hi), then `padding` times -1.
void expectIds(std::vector<int64_t> row, int64_t lo, int64_t hi, size_t padding) {
  for (; padding; --padding, row.pop_back())
    EXPECT_EQ(row.back(), -1);
  for (int64_t id : row)
    EXPECT_TRUE(lo <= id && id < hi) << id;
  EXPECT_EQ(std::set<int64_t>(row.begin(), row.end()).size(), row.size());
}

TEST(Values, Lists) {
  for (const char *element : {"i32", "i64"}) {
    Made made({"set = tokens<%l[b, h]>", std::string(", %l: tensor<?x?x?x") + element + ">", "", "", kSizes});
    auto rows = rowsOf(made, "l");
    ASSERT_EQ(rows.size(), 4u);
    for (const auto &row : rows) {
      ASSERT_EQ(row.size(), 24u);
      expectIds(row, 0, 96, 6);
      EXPECT_FALSE(std::is_sorted(row.begin(), row.end() - 6));
    }
    EXPECT_NE(rows[0], rows[1]);
  }
  Made sorted({"set = blocks<%l[b], block = 4, sorted>", ", %l: tensor<?x12xi32>", "", "", kSizes});
  for (const auto &row : rowsOf(sorted, "l")) {
    expectIds(row, 0, 24, 3);
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end() - 3));
  }
  // Longer than there are ids, and none at all.
  Made longer({"set = pages<%l[b], block = 40>", ", %l: tensor<?x12xi32>", "", "", kSizes});
  for (const auto &row : rowsOf(longer, "l"))
    expectIds(row, 0, 3, 9);
  Made none({"set = tokens<%l>", ", %l: tensor<4xi32>", "", "", {{"i", 4}, {"j", 0}}});
  EXPECT_EQ(none.integers("l"), std::vector<int64_t>(4, -1));
}

TEST(Values, PromisesHold) {
  auto rowsWith = [](const std::string &facts, const std::string &set) {
    Made made({"set = " + set, ", %l: tensor<?x16xi32> {" + facts + "}", "", "", kSizes});
    return rowsOf(made, "l");
  };
  for (const auto &row : rowsWith("attn.sorted", "tokens<%l[b]>")) { // padding ascends too
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    EXPECT_EQ(std::count(row.begin(), row.end(), -1), 4);
  }
  for (const auto &row : rowsWith("attn.sorted", "tokens<%l[b], sorted>")) { // no place for padding
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    expectIds(row, 0, 96, 0);
  }
  for (const auto &row : rowsWith("attn.range = array<i64: 10, 40>", "tokens<%l[b]>"))
    expectIds(row, 10, 40, 0);
  for (const auto &row : rowsWith("attn.range = array<i64: -1, 40>", "tokens<%l[b]>"))
    expectIds(row, 0, 40, 4);
  for (const auto &row : rowsWith("attn.sorted, attn.range = array<i64: 3, 30>", "diagonals<top_left, %l[b]>")) {
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    EXPECT_TRUE(3 <= row.front() && row.back() < 30);
  }
  Made segments({"set = same_segment<%s>",
                 ", %s: tensor<?x?xi32> {attn.range = array<i64: 2, 4>}",
                 "",
                 "",
                 {{"n", 500}, {"b", 2}}});
  for (const auto &row : rowsOf(segments, "s")) {
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    EXPECT_TRUE(row.front() == 2 && row.back() <= 3);
  }
}

TEST(Values, Diagonals) {
  for (bool symmetric : {false, true}) {
    Made made({std::string("set = diagonals<top_left, %d[h]") + (symmetric ? ", symmetric>" : ">"),
               ", %d: tensor<?x200xi32>", "", "", kSizes});
    for (const auto &row : rowsOf(made, "d")) {
      EXPECT_EQ(row[0], 0);
      int64_t small = 0;
      for (int64_t d : row) {
        EXPECT_TRUE(symmetric ? 0 <= d && d < 96 : -96 < d && d < 64) << d;
        small += 0 <= d && d < 64;
      }
      EXPECT_GT(small, 150);
      EXPECT_LT(small, 200);
    }
  }
}

TEST(Values, Graphs) {
  Made made({"set = csr<%r[b], %c[b]>", ", %r: tensor<?x?xi32>, %c: tensor<?x?xi64>", "", "", kSizes});
  for (const auto &row : rowsOf(made, "r")) {
    EXPECT_EQ(row.front(), 0);
    EXPECT_EQ(row.back(), 16 * 64);
    std::set<int64_t> degrees;
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      EXPECT_TRUE(row[i] <= row[i + 1] && row[i + 1] - row[i] <= 33);
      degrees.insert(row[i + 1] - row[i]);
    }
    EXPECT_GT(degrees.size(), 5u);
  }
  for (int64_t c : made.integers("c"))
    EXPECT_TRUE(0 <= c && c < 96);
  Made noKeys({"set = csr<%r, %c>", ", %r: tensor<?xi32>, %c: tensor<?xi64>", "", "", {{"i", 4}, {"j", 0}}});
  EXPECT_EQ(noKeys.integers("r"), std::vector<int64_t>(5, 0));
}

TEST(Values, Bits) {
  for (const char *element : {"i8", "i32", "i64"}) {
    Made made({"set = bits<%m[b, i]>", std::string(", %m: tensor<?x?x?x") + element + ">", "", "", kSizes});
    const auto &t = made.tensor("m");
    uint64_t ones = 0;
    for (uint64_t n = 0; n < t.data.size(); ++n)
      ones += uint64_t(llvm::popcount(uint8_t(t.data.data()[n])));
    EXPECT_NEAR(double(ones) / (8 * double(t.data.size())), 0.5, 0.03);
  }
}

TEST(Values, Scalars) {
  Made made(
      {"first = %f dropout(seed = %ds, probability = %dp) set = sinks<%n> or disc<radius = %r> or "
       "random_blocks<seed = %s, probability = %p, block = [4, 4]> or shared_prefix<%seg, shared = %sh, all = %all>",
       ", %f: index, %ds: i64, %dp: f32, %n: i32, %r: i64, %s: i32, %p: f32, %seg: tensor<?xi32>, %sh: i32, %all: i32",
       "[?, 4]",
       "[?, 4]",
       {{"n", 40}},
       {},
       12345});
  EXPECT_EQ(made.scalar("f"), 0);
  EXPECT_EQ(made.scalar("ds"), 12345);
  EXPECT_EQ(made.scalar("n"), 4);
  EXPECT_EQ(made.scalar("r"), 8);
  EXPECT_EQ(made.scalar("s"), 12345);
  EXPECT_EQ(made.scalar("sh"), 0);
  EXPECT_EQ(made.scalar("all"), 1);
  for (const auto &s : made.problem.scalars)
    if (s.isFloat)
      EXPECT_EQ(s.value.f, s.name == "dp" ? double(0.1f) : 0.5);
  Made text({"first = %f set = global<%f>", ", %f: index", "[?, 4]", "[?, 4]", {{"n", 40}}});
  EXPECT_EQ(text.scalar("f"), 16);
}

} // namespace
