/* check.h - the few lines of a test framework. A test prints "N passed, N failed" as its last line. */
#ifndef ATTN_TEST_CHECK_H
#define ATTN_TEST_CHECK_H

#include <stdarg.h>
#include <stdio.h>

static int passed, failed;

__attribute__((format(printf, 4, 5))) static inline int check_at(const char *file, int line, int ok, const char *format,
                                                                 ...) {
  if (ok) {
    ++passed;
    return 1;
  }
  va_list args;
  va_start(args, format);
  printf("%s:%d: FAILED: ", file, line);
  vprintf(format, args);
  printf("\n");
  va_end(args);
  ++failed;
  return 0;
}

/* CHECK(condition, "what was seen instead: %d", x) */
#define CHECK(ok, ...) check_at(__FILE__, __LINE__, !!(ok), __VA_ARGS__)

static inline int check_report(void) {
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
#endif
