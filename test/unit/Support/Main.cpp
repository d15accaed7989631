// Runs the unit tests of Support.
#include "Check.h"

int main() {
  attn::test::testNumbers();
  attn::test::testRandom();
  attn::test::testNpy();
  attn::test::testErrorRule();
  std::printf("%d passed, %d failed\n", attn::test::passed, attn::test::failed);
  return attn::test::failed != 0;
}
