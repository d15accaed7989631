// Rows of shared memory: ldmatrix meets no bank twice, and rows without padding do.
#include "attn/Layout/SharedRows.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace attn::layout;

TEST(SharedRows, Sizes) {
  SharedRows rows{64, 72, 2};
  EXPECT_EQ(rows.columns(), 80);
  EXPECT_EQ(rows.rowBytes, 176);
  EXPECT_EQ(rows.offset(3, 5), 3 * 176 + 10);
  EXPECT_EQ(rows.bytes(), 64 * 176);
  EXPECT_EQ((SharedRows{64, 64, 4}.rowBytes), 272);
  EXPECT_EQ(rows.steps(), 5); // of 16 features
  EXPECT_EQ((SharedRows{64, 64, 4}.steps()), 8);
}

TEST(SharedRows, WavefrontsAreCounted) {
  std::vector<int64_t> same(32, 64), words(32), bank(32);
  std::iota(words.begin(), words.end(), 0);
  for (int64_t &w : words)
    w *= 4;
  for (int64_t n = 0; n < 32; ++n)
    bank[size_t(n)] = 128 * n;
  EXPECT_EQ(wavefronts(same, 4), 1); // one word for all
  EXPECT_EQ(wavefronts(words, 4), 1);
  EXPECT_EQ(wavefronts(bank, 4), 32);
  EXPECT_EQ(wavefronts(bank, 16), 32); // eight at a time, four times
  EXPECT_EQ(leastWavefronts(32, 4), 1);
  EXPECT_EQ(leastWavefronts(32, 8), 2);
  EXPECT_EQ(leastWavefronts(32, 16), 4);
}

TEST(SharedRows, MatricesMeetNoBankTwice) {
  for (int64_t elementBytes : {2, 4})
    for (int64_t features = 8; features <= 1024; features += 8)
      for (const MatrixLoad &load : {MatrixLoad::left(), MatrixLoad::right(), MatrixLoad::rightTransposed()}) {
        SharedRows rows{64, features, elementBytes};
        std::vector<int64_t> addresses;
        for (int64_t lane = 0; lane < kLanes; ++lane)
          addresses.push_back(rows.addressOf(load, lane, 16, 32));
        for (int64_t address : addresses)
          EXPECT_EQ(address % 16, 0);
        EXPECT_EQ(wavefronts(addresses, 16), 4) << features << " features of " << elementBytes << " bytes";
      }
}

// Without the 16 bytes behind a row of 64 features all rows begin in one bank.
TEST(SharedRows, UnpaddedRowsDo) {
  std::vector<int64_t> addresses;
  for (int64_t lane = 0; lane < kLanes; ++lane)
    addresses.push_back(MatrixLoad::left().row.at(lane) * 128 + MatrixLoad::left().bytes.at(lane));
  EXPECT_EQ(wavefronts(addresses, 16), 32);
}
