// What ldmatrix brings from the rows that the lanes name, by the golden facts, is the fragment that it is meant to be.
#include "attn/Layout/MatrixLoad.h"
#include "attn/Layout/FragmentLayout.h"

#include "Golden.h"

using namespace attn::layout;

namespace {
const MatrixLoad loads[] = {MatrixLoad::left(), MatrixLoad::right(), MatrixLoad::rightTransposed()};
}

// [matrix, stored row, element] is element of the row that lane 8 matrix + row named.
TEST(MatrixLoad, IsThatOfTheManual) {
  auto golden = readGolden("ldmatrix.json");
  unsigned compared = 0;
  for (const llvm::json::Value &value : *golden.getAsObject()->getArray("loads")) {
    const llvm::json::Object &load = *value.getAsObject();
    if (*load.getString("num") != "x4")
      continue;
    const llvm::json::Array &map = *load.getArray("map");
    for (const MatrixLoad &own : loads) {
      if (own.transposed != *load.getBoolean("trans"))
        continue;
      for (int64_t lane = 0; lane < kLanes; ++lane)
        for (int64_t reg = 0; reg < MatrixLoad::registers; ++reg)
          for (int64_t half = 0; half < 2; ++half) {
            const llvm::json::Array &from =
                *(*(*map[size_t(lane)].getAsArray())[size_t(reg)].getAsArray())[size_t(half)].getAsArray();
            int64_t source = 8 * integerAt(from, 0) + integerAt(from, 1);
            Cell there{own.row.at(source), own.bytes.at(source) / 2 + integerAt(from, 2)};
            EXPECT_EQ(own.loaded(lane, reg, half, 16), there) << "lane " << lane << ", register " << reg;
          }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3u);
}

TEST(MatrixLoad, LeftIsALeftOperand) {
  for (int64_t bits : {16, 32}) {
    FragmentLayout left = FragmentLayout::left(bits, 256 / bits);
    for (int64_t lane = 0; lane < kLanes; ++lane)
      for (int64_t i = 0; i < left.elements(); ++i)
        EXPECT_EQ(MatrixLoad::left().loaded(lane, i / left.perRegister(), i % left.perRegister(), bits),
                  left.at(lane, i));
  }
}

// Two tiles of eight columns: registers 0 and 1, 2 and 3. Columns are rows in memory.
TEST(MatrixLoad, RightIsTwoRightOperands) {
  for (int64_t bits : {16, 32}) {
    FragmentLayout right = FragmentLayout::right(bits, 256 / bits);
    for (int64_t tile = 0; tile < 2; ++tile)
      for (int64_t lane = 0; lane < kLanes; ++lane)
        for (int64_t i = 0; i < right.elements(); ++i) {
          Cell in = right.at(lane, i);
          EXPECT_EQ(MatrixLoad::right().loaded(lane, 2 * tile + i / right.perRegister(), i % right.perRegister(), bits),
                    (Cell{8 * tile + in.column, in.row}));
        }
  }
}

TEST(MatrixLoad, TransposedIsTwoRightOperandsAsTheyLie) {
  FragmentLayout right = FragmentLayout::right(16, 16);
  for (int64_t tile = 0; tile < 2; ++tile)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      for (int64_t i = 0; i < right.elements(); ++i) {
        Cell in = right.at(lane, i);
        EXPECT_EQ(MatrixLoad::rightTransposed().loaded(lane, 2 * tile + i / 2, i % 2, 16),
                  (Cell{in.row, 8 * tile + in.column}));
      }
}
