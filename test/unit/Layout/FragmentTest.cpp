// Registers of mma.sync: every place has one holder, as the golden facts have it, and accumulators are a left operand.
#include "attn/Layout/FragmentLayout.h"

#include "Golden.h"

#include <set>

using namespace attn::layout;

namespace {

struct Case {
  const char *name;
  FragmentLayout layout;
  int64_t rows, columns, registers;
};

std::vector<Case> cases() {
  return {{"left 16 x 8 of 16 bits", FragmentLayout::left(16, 8), 16, 8, 2},
          {"left 16 x 16 of 16 bits", FragmentLayout::left(16, 16), 16, 16, 4},
          {"left 16 x 64 of 16 bits", FragmentLayout::left(16, 64), 16, 64, 16},
          {"left 16 x 8 of 32 bits", FragmentLayout::left(32, 8), 16, 8, 4},
          {"left 16 x 40 of 32 bits", FragmentLayout::left(32, 40), 16, 40, 20},
          {"right 8 x 8 of 16 bits", FragmentLayout::right(16, 8), 8, 8, 1},
          {"right 16 x 8 of 16 bits", FragmentLayout::right(16, 16), 16, 8, 2},
          {"right 8 x 8 of 32 bits", FragmentLayout::right(32, 8), 8, 8, 2},
          {"accumulator 16 x 8", FragmentLayout::accumulator(8), 16, 8, 4},
          {"accumulator 16 x 96", FragmentLayout::accumulator(96), 16, 96, 48}};
}

/// map[lane][register][element] = [row, column]
void compare(const llvm::json::Array &map, const FragmentLayout &layout, const std::string &name) {
  ASSERT_EQ(map.size(), size_t(kLanes)) << name;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    const llvm::json::Array &registers = *map[size_t(lane)].getAsArray();
    ASSERT_EQ(int64_t(registers.size()), layout.registers()) << name;
    int64_t i = 0;
    for (const llvm::json::Value &reg : registers)
      for (const llvm::json::Value &element : *reg.getAsArray()) {
        const llvm::json::Array &place = *element.getAsArray();
        EXPECT_EQ(layout.at(lane, i), (Cell{integerAt(place, 0), integerAt(place, 1)}))
            << name << ", lane " << lane << ", element " << i;
        ++i;
      }
    EXPECT_EQ(i, layout.elements()) << name;
  }
}

} // namespace

TEST(Fragment, EveryPlaceHasOneHolder) {
  for (const Case &c : cases()) {
    EXPECT_EQ(c.layout.rows(), c.rows) << c.name;
    EXPECT_EQ(c.layout.columns(), c.columns) << c.name;
    EXPECT_EQ(c.layout.registers(), c.registers) << c.name;
    std::set<Cell> seen;
    for (int64_t lane = 0; lane < kLanes; ++lane)
      for (int64_t i = 0; i < c.layout.elements(); ++i) {
        Cell cell = c.layout.at(lane, i);
        EXPECT_TRUE(cell.row >= 0 && cell.row < c.rows && cell.column >= 0 && cell.column < c.columns) << c.name;
        EXPECT_TRUE(seen.insert(cell).second) << c.name << ": (" << cell.row << ", " << cell.column << ") twice";
        EXPECT_EQ(c.layout.holderOf(cell), std::pair(lane, i)) << c.name;
      }
    EXPECT_EQ(int64_t(seen.size()), c.rows * c.columns) << c.name;
  }
}

TEST(Fragment, AreThoseOfTheManual) {
  auto golden = readGolden("mma_fragments.json");
  unsigned compared = 0;
  for (const llvm::json::Value &value : *golden.getAsObject()->getArray("shapes")) {
    const llvm::json::Object &shape = *value.getAsObject(), &a = *shape.getObject("A"), &b = *shape.getObject("B");
    const int64_t bits = 32 / *a.getInteger("per_register");
    const std::string name = shape.getString("shape")->str() + ", " + std::to_string(bits) + " bits, ";
    compare(*a.getArray("map"), FragmentLayout::left(bits, integerAt(*a.getArray("matrix"), 1)), name + "A");
    compare(*b.getArray("map"), FragmentLayout::right(bits, integerAt(*b.getArray("matrix"), 0)), name + "B");
    ++compared;
  }
  EXPECT_EQ(compared, 4u);
  const llvm::json::Object &c = *golden.getAsObject()->getObject("CD")->getObject("32-bit");
  compare(*c.getArray("map"), FragmentLayout::accumulator(8), "accumulator");
}

// P = phi(S) is the left operand of P V: no lane needs what another one has.
TEST(Fragment, AccumulatorsAreALeftOperandOf16Bits) {
  for (int64_t columns : {16, 32, 48, 64}) {
    FragmentLayout left = FragmentLayout::left(16, columns), accumulator = FragmentLayout::accumulator(columns);
    auto taken = takenFrom(left, accumulator);
    ASSERT_TRUE(taken);
    for (int64_t i = 0; i < left.elements(); ++i)
      EXPECT_EQ((*taken)[size_t(i)], i);
  }
}

// Of 32 bits a lane holds other columns; named anew they are its own, 2 q in the place of q and 2 q + 1 of q + 4.
TEST(Fragment, AccumulatorsAreNoLeftOperandOf32Bits) {
  FragmentLayout left = FragmentLayout::left(32, 8), accumulator = FragmentLayout::accumulator(8);
  EXPECT_FALSE(takenFrom(left, accumulator));
  auto column = alongColumns(left, accumulator);
  ASSERT_TRUE(column);
  EXPECT_EQ(*column, (std::vector<int64_t>{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_TRUE(alongColumns(FragmentLayout::left(32, 64), FragmentLayout::accumulator(64)));
  EXPECT_FALSE(alongColumns(FragmentLayout::left(32, 16), accumulator));
  // A right operand is of other rows.
  EXPECT_FALSE(takenFrom(FragmentLayout::right(16, 16), FragmentLayout::accumulator(8)));
}

TEST(Fragment, ElementsByTheirPlace) {
  FragmentLayout accumulator = FragmentLayout::accumulator(64);
  for (int64_t n = 0; n < 8; ++n)
    for (int64_t r = 0; r < 2; ++r)
      for (int64_t x = 0; x < 2; ++x)
        EXPECT_EQ(accumulator.elementAt(8 * r, 8 * n + x), 4 * n + 2 * r + x);
  EXPECT_EQ(accumulator.elementAt(0, 2), -1); // another lane's
}
