// The smallest test harness: counts, and says where a check failed.
#ifndef ATTN_TEST_UNIT_SUPPORT_CHECK_H
#define ATTN_TEST_UNIT_SUPPORT_CHECK_H

#include <cstdio>
#include <string>

namespace attn::test {

inline int passed = 0, failed = 0;

inline void check(bool good, const char *file, int line, const std::string &what) {
  good ? ++passed : ++failed;
  if (!good)
    std::printf("%s:%d: FAILED: %s\n", file, line, what.c_str());
}

void testNumbers();
void testRandom();
void testNpy();
void testErrorRule();

} // namespace attn::test

#define CHECK(condition) attn::test::check((condition), __FILE__, __LINE__, #condition)
#define CHECK_NAMED(condition, name) attn::test::check((condition), __FILE__, __LINE__, std::string(name) + ": " #condition)

#endif
