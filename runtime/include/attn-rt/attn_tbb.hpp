/* attn_tbb.hpp - a caller's oneTBB threads in the place of libattn_rt's pool. C++17, header alone; link with tbb.
 *
 *   call.parallel_for = attn_tbb_parallel_for;
 *   call.pool = &arena;                          // a tbb::task_arena, or nullptr: the caller's
 *   call.workers = arena.max_concurrency();
 */
#ifndef ATTN_TBB_H
#define ATTN_TBB_H

#include "attn-rt/attn_rt.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <atomic>

inline void attn_tbb_parallel_for(void *pool, int64_t tasks, int32_t workers, attn_task_fn fn, void *ctx) {
  std::atomic<int64_t> next{0};
  const int32_t threads = static_cast<int32_t>(tasks < workers ? tasks : workers);
  // A worker is one of these bodies, not a thread: an arena may have more threads than workers, and its indices are its
  // own. Each takes one task at a time, in order: what is longest comes first.
  auto work = [&](int32_t worker) {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < tasks;)
      fn(ctx, i, worker);
  };
  auto loop = [&] { tbb::parallel_for(int32_t{0}, threads, work, tbb::simple_partitioner()); };
  if (threads <= 1)
    work(0);
  else if (pool)
    static_cast<tbb::task_arena *>(pool)->execute(loop);
  else
    loop();
}

#endif
