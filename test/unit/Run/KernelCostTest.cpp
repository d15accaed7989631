// What is predicted of a call's counts.
#include "attn/Analysis/KernelCost.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {

/// One query of 8 heads against 4096 keys in blocks of 256, of which `blocks` are visited for each head.
double secondsToRead(bool inPlace, double blocks) {
  VariantCost c;
  c.tileRows = 1, c.tileKeys = 16, c.blockRows = c.taskRows = 4, c.blockKeys = 256;
  c.panelBytes = 1;
  c.inPlace = inPlace;
  CallCounts n;
  n.rows = n.units = 8, n.queries = 1, n.keys = 4096;
  n.blocksFull = 8 * blocks;
  n.tiles = n.blocksFull * 16;
  n.visible = n.tiles * 16;
  n.tensorBytes = 1e6;
  return predict(c, n, {1e9, 1e9}).memory;
}

TEST(KernelCost, BytesOfKeysThatAreVisited) {
  EXPECT_DOUBLE_EQ(secondsToRead(true, 16), 1e-3);
  EXPECT_DOUBLE_EQ(secondsToRead(true, 4), 0.25e-3);
  EXPECT_DOUBLE_EQ(secondsToRead(false, 4), 1e-3); // packing reads all
}

} // namespace
