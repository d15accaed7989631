// tbb_test.cpp - attn_tbb.hpp, in the caller's arena and in arenas with fewer and with more threads than workers.
#include "adapter_test.h"

#include "attn-rt/attn_tbb.hpp"

int main() {
  check_adapter("tbb", attn_tbb_parallel_for, nullptr);
  for (int threads : {1, 2, 12}) {
    tbb::task_arena arena(threads);
    check_adapter("tbb, an arena", attn_tbb_parallel_for, &arena);
  }
  return check_report();
}
