// Every byte of shared memory has one owner at most, and all of an operand is inside of its region.
#include "attn/Layout/SharedMap.h"

#include <gtest/gtest.h>

using namespace attn::layout;

namespace {

SharedMap mapOf(int64_t rows, int64_t keys, int64_t dot, int64_t value, int64_t planes, int64_t stages) {
  return SharedMap({rows, dot, 2}, planes, {keys, dot, 2}, planes, {keys, value, 2}, planes, stages);
}

} // namespace

TEST(SharedMap, OffsetsDoNotMeet) {
  for (int64_t planes : {1, 3})
    for (int64_t stages : {1, 2})
      for (int64_t dot : {8, 64, 72})
        for (int64_t value : {16, 40, 96}) {
          SharedMap map = mapOf(32, 16, dot, value, planes, stages);
          std::vector<char> owner(size_t(map.bytes), 0);
          auto take = [&](int64_t at, int64_t bytes, char who) {
            for (int64_t n = at; n < at + bytes; ++n) {
              ASSERT_LT(n, map.bytes);
              EXPECT_EQ(int(owner[size_t(n)]), 0) << "byte " << n << " is " << owner[size_t(n)] << "'s";
              owner[size_t(n)] = who;
            }
          };
          for (auto &[who, operand] : {std::pair{'q', &map.q}, {'k', &map.k}, {'v', &map.v}})
            for (int64_t stage = 0; stage < operand->stages; ++stage)
              for (int64_t plane = 0; plane < operand->planes; ++plane)
                for (int64_t row = 0; row < operand->rows.rows; ++row)
                  for (int64_t column = 0; column < operand->rows.columns(); ++column)
                    take(operand->offset(stage, plane, row, column), 2, who);
          take(map.weights, 32 * 16 * 4, 'w');
          take(map.queryAbsent, 32 * 16, 'a');
          take(map.keyAbsent, 16 * 16, 'b');
          take(map.flags, 2 * 4, 'f');
          take(map.number, 4, 'n');
          EXPECT_FALSE(firstOverlap(map.regions()));
        }
}

TEST(SharedMap, ThatOfSixtyFourByteRows) {
  SharedMap map = mapOf(64, 64, 64, 64, 1, 2);
  EXPECT_EQ(map.q.at(), 0);
  EXPECT_EQ(map.k.at(), 64 * 144);
  EXPECT_EQ(map.v.at(), 2 * 64 * 144);
  EXPECT_EQ(map.stageBytes(), 2 * 64 * 144);
  EXPECT_EQ(map.weights, 5 * 64 * 144);
  EXPECT_EQ(map.bytes, 64576); // as the schedule says of such a kernel
}

TEST(SharedMap, RowsBeginAtMultiplesOf16Bytes) {
  for (int64_t features : {1, 30, 36, 64, 100})
    for (const Region &region : mapOf(16, 48, features, features, 3, 2).regions())
      EXPECT_TRUE(region.begin % 16 == 0 || region.name == "number") << region.name;
}

TEST(SharedMap, OverlapsAreFound) {
  EXPECT_FALSE(firstOverlap({{"a", 0, 4}, {"b", 8, 12}, {"c", 4, 8}}));
  EXPECT_EQ(firstOverlap({{"a", 0, 5}, {"b", 8, 12}, {"c", 4, 8}}), (std::pair<size_t, size_t>(0, 2)));
  EXPECT_EQ(firstOverlap({{"a", 4, 6}, {"b", 0, 16}}), (std::pair<size_t, size_t>(0, 1)));
  SharedMap map = mapOf(64, 32, 64, 64, 1, 2);
  map.v.stageBytes = 0; // both stages in one place
  EXPECT_TRUE(firstOverlap(map.regions()));
}
