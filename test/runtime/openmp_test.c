/* openmp_test.c - attn_openmp.h. */
#include "adapter_test.h"

#include "attn-rt/attn_openmp.h"

int main(void) {
  check_adapter("openmp", attn_openmp_parallel_for, NULL);
  omp_set_max_active_levels(3);
  check_adapter("openmp, nested regions", attn_openmp_parallel_for, NULL);
  return check_report();
}
