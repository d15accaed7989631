/* attn_openmp.h - a caller's OpenMP threads in the place of libattn_rt's pool. Header alone; compile the file that
 * includes it with OpenMP (cc -fopenmp).
 *
 *   call.parallel_for = attn_openmp_parallel_for;
 *   call.workers = omp_get_max_threads();
 *
 * `pool` is not looked at. Inside of a parallel region a call runs on as many threads as OpenMP gives a nested one,
 * which is one unless the program allows more.
 */
#ifndef ATTN_OPENMP_H
#define ATTN_OPENMP_H

#include "attn-rt/attn_rt.h"

#ifndef _OPENMP
#error "attn_openmp.h needs OpenMP: compile with -fopenmp"
#endif
#include <omp.h>

static inline void attn_openmp_parallel_for(void *pool, int64_t tasks, int32_t workers, attn_task_fn fn, void *ctx) {
  (void)pool;
  const int threads = tasks < workers ? (int)tasks : (int)workers;
  if (threads <= 1) {
    for (int64_t i = 0; i < tasks; ++i)
      fn(ctx, i, 0);
    return;
  }
  /* One task at a time, in order: what is longest comes first. */
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (int64_t i = 0; i < tasks; ++i)
    fn(ctx, i, omp_get_thread_num());
}

#endif
