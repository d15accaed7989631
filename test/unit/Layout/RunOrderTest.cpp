// Every run of a block is one thread's, and what a warp stores of them goes to all banks at once.
#include "attn/Layout/RunOrder.h"
#include "attn/Layout/SharedRows.h"

#include <gtest/gtest.h>

#include <set>

using namespace attn::layout;

TEST(RunOrder, EveryRunOnce) {
  for (int64_t run : {8, 4})
    for (int64_t chunks = 1; chunks <= 40; ++chunks)
      for (int64_t rows : {16, 48, 64}) {
        RunOrder order(run, chunks);
        std::set<Cell> seen;
        for (int64_t item = 0; item < rows * chunks * 8 / run; ++item) {
          Cell cell = order.at(item);
          EXPECT_TRUE(cell.row < rows && cell.column < 8 * chunks && cell.column % run == 0)
              << run << " " << chunks << ": item " << item;
          EXPECT_TRUE(seen.insert(cell).second) << run << " " << chunks << ": item " << item;
        }
      }
}

// The example of the essay.
TEST(RunOrder, RestsOfRowsAreTakenTogether) {
  RunOrder order(8, 12);
  EXPECT_EQ(order.at(63), (Cell{7, 56}));
  const int64_t rows[] = {0, 4, 1, 5, 2, 6, 3, 7};
  for (int64_t item = 64; item < 96; ++item)
    EXPECT_EQ(order.at(item), (Cell{rows[(item - 64) / 4], 64 + 8 * (item % 4)})) << item;
  EXPECT_EQ(order.at(96), (Cell{8, 0}));
}

TEST(RunOrder, StoresMeetNoBankTwice) {
  for (int64_t run : {8, 4})
    for (int64_t chunks = 1; chunks <= 40; ++chunks) {
      RunOrder order(run, chunks);
      SharedRows rows{64, 8 * chunks, 2};
      for (int64_t first = 0; first < 64 * chunks * 8 / run; first += kLanes) {
        std::vector<int64_t> offsets;
        for (int64_t item = first; item < first + kLanes; ++item) {
          Cell cell = order.at(item);
          offsets.push_back(rows.offset(cell.row, cell.column));
        }
        EXPECT_EQ(wavefronts(offsets, 2 * run), leastWavefronts(kLanes, 2 * run))
            << "runs of " << run << ", " << chunks << " chunks, items from " << first;
      }
    }
}

// A row's neighbours in memory are read by neighbouring lanes: whole sectors of 32 bytes, two runs of 16.
TEST(RunOrder, SectorsAreReadByOneAccess) {
  for (int64_t chunks : {8, 10, 12, 14, 16, 32}) {
    RunOrder order(8, chunks);
    for (int64_t item = 0; item < 64 * chunks; item += 2) {
      Cell one = order.at(item), next = order.at(item + 1);
      EXPECT_TRUE(one.row == next.row && next.column == one.column + 8 && one.column % 16 == 0)
          << chunks << ": item " << item;
    }
  }
}
