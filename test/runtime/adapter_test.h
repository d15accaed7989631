/* adapter_test.h - what every parallel_for has to keep: each task once, one task at a time under a worker, the results
 * there when it returns. */
#include "check.h"

#include "attn-rt/attn_rt.h"

#include <string.h>

enum { MAX_TASKS = 2000, MAX_WORKERS = 8 };

typedef struct tally {
  int32_t workers;
  int wrong, inside[MAX_WORKERS], by_task[MAX_TASKS];
  int64_t by_worker[MAX_WORKERS]; /* not atomic: no two tasks at once under a worker */
  attn_parallel_for_fn nested;    /* a loop in every hundredth task */
  void *pool;
} tally;

static void tally_task(void *ctx, int64_t task, int32_t worker) {
  tally *t = (tally *)ctx;
  if (worker < 0 || worker >= t->workers || __atomic_fetch_add(&t->inside[worker], 1, __ATOMIC_SEQ_CST)) {
    __atomic_fetch_add(&t->wrong, 1, __ATOMIC_SEQ_CST);
    return;
  }
  t->by_task[task] += 1;
  t->by_worker[worker] += 1;
  if (t->nested && task % 100 == 0) {
    tally own;
    memset(&own, 0, sizeof own);
    own.workers = 3;
    t->nested(t->pool, 50, 3, tally_task, &own);
    for (int n = 0; n < 50; ++n)
      if (own.by_task[n] != 1 || own.wrong)
        __atomic_fetch_add(&t->wrong, 1, __ATOMIC_SEQ_CST);
  }
  __atomic_fetch_sub(&t->inside[worker], 1, __ATOMIC_SEQ_CST);
}

static void check_adapter(const char *name, attn_parallel_for_fn adapter, void *pool) {
  const int64_t counts[] = {0, 1, 2, 3, 7, 100, MAX_TASKS};
  for (int nested = 0; nested < 2; ++nested)
    for (int32_t workers = 1; workers <= MAX_WORKERS; ++workers)
      for (unsigned c = 0; c < sizeof counts / sizeof *counts; ++c) {
        static tally t;
        memset(&t, 0, sizeof t);
        t.workers = workers;
        t.nested = nested ? adapter : (attn_parallel_for_fn)0;
        t.pool = pool;
        adapter(pool, counts[c], workers, tally_task, &t);
        int64_t sum = 0, missed = 0;
        for (int w = 0; w < MAX_WORKERS; ++w)
          sum += t.by_worker[w];
        for (int64_t n = 0; n < MAX_TASKS; ++n)
          missed += t.by_task[n] != (n < counts[c]);
        CHECK(!t.wrong && !missed && sum == counts[c], "%s: %d workers, %d tasks: %d wrong, %d missed, %d run", name,
              (int)workers, (int)counts[c], t.wrong, (int)missed, (int)sum);
      }
}
