/* pool_test.c - the thread pool: every task once, one task at a time under a worker, nesting, concurrent callers, fork.
 */
#define _GNU_SOURCE
#include "check.h"

#include "attn-rt/attn_rt.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif

enum { MAX_TASKS = 1000, MAX_WORKERS = 8 };

typedef struct loop {
  attn_pool *pool;
  int32_t workers;
  int64_t plain[MAX_TASKS];       /* not atomic: the pool has to order them */
  int64_t by_worker[MAX_WORKERS]; /* likewise: no two tasks at once under a worker */
  atomic_int inside[MAX_WORKERS];
  atomic_int wrong, used;
  int yields;
} loop;

static void count_task(void *ctx, int64_t task, int32_t worker) {
  loop *l = ctx;
  if (worker < 0 || worker >= l->workers || atomic_fetch_add(&l->inside[worker], 1))
    atomic_fetch_add(&l->wrong, 1);
  atomic_fetch_or(&l->used, 1 << worker);
  l->plain[task] += 1;
  l->by_worker[worker] += 1;
  for (int n = 0; n < l->yields; ++n)
    sched_yield();
  atomic_fetch_sub(&l->inside[worker], 1);
}

/* 0 if every task of a loop ran once. */
static int64_t run_loop(loop *l, attn_pool *pool, int64_t tasks, int32_t workers) {
  int64_t errors = 0, sum = 0;
  const int yields = l->yields;
  memset(l, 0, sizeof *l);
  l->pool = pool;
  l->workers = workers < 1 ? 1 : workers;
  l->yields = yields;
  attn_rt_parallel_for(pool, tasks, workers, count_task, l);
  for (int64_t t = 0; t < MAX_TASKS; ++t)
    errors += l->plain[t] != (t < tasks);
  for (int w = 0; w < MAX_WORKERS; ++w)
    sum += l->by_worker[w];
  return errors + l->wrong + (sum != (tasks > 0 ? tasks : 0));
}

static void sizes(void) {
  static loop l;
  for (int32_t threads = 0; threads <= 5; ++threads) {
    attn_pool *pool = threads ? attn_pool_create(threads) : NULL;
    for (int32_t workers = 0; workers <= 7; ++workers)
      for (int64_t tasks = 0; tasks <= 1000; tasks = tasks * 3 + 1) {
        const int64_t errors = run_loop(&l, pool, tasks, workers);
        CHECK(!errors, "%d threads, %d workers, %ld tasks: %ld errors", threads, workers, (long)tasks, (long)errors);
        CHECK(!(l.used >> (threads < 1 ? 1 : threads)), "more workers than threads: %x", (unsigned)l.used);
      }
    attn_pool_destroy(pool);
  }
  CHECK(run_loop(&l, NULL, -3, 2) == 0, "a negative count is no task");
  attn_pool_destroy(NULL);
  attn_pool *none = attn_pool_create(0);
  CHECK(none && run_loop(&l, none, 50, 4) == 0 && l.used == 1, "a pool of no threads is its caller");
  attn_pool_destroy(none);
}

/* Tasks that wait for one another can only end if both run at once. */
static void meet_task(void *ctx, int64_t task, int32_t worker) {
  (void)task, (void)worker;
  atomic_int *here = ctx;
  atomic_fetch_add(here, 1);
  for (int n = 0; atomic_load(here) < 2 && n < 2000; ++n)
    usleep(1000);
}

static void runs_in_parallel(void) {
  attn_pool *pool = attn_pool_create(2);
  int met = 0;
  for (int n = 0; n < 20; ++n) {
    atomic_int here = 0;
    attn_rt_parallel_for(pool, 2, 2, meet_task, &here);
    met += here == 2;
    if (n % 4 == 0)
      usleep(2000); /* also from deep sleep */
  }
  CHECK(met == 20, "%d of 20 loops ran on two threads", met);
  attn_pool_destroy(pool);
}

static void many_small_loops(void) {
  static loop l;
  int64_t errors = 0;
  attn_pool *pool = attn_pool_create(3);
  for (int n = 0; n < (WITH_TSAN ? 1000 : 10000); ++n)
    errors += run_loop(&l, pool, n % 7, 3);
  CHECK(!errors, "many small loops: %ld errors", (long)errors);
  attn_pool_destroy(pool);
  for (int n = 0; n < 50; ++n) { /* pools that never, or hardly, ran anything */
    pool = attn_pool_create(1 + n % 4);
    errors += n % 2 ? run_loop(&l, pool, 5, 4) : 0;
    attn_pool_destroy(pool);
  }
  CHECK(!errors, "short lives: %ld errors", (long)errors);
}

typedef struct nest {
  attn_pool *same, *other;
  atomic_long inner;
} nest;

static void inner_task(void *ctx, int64_t task, int32_t worker) {
  (void)task;
  atomic_fetch_add((atomic_long *)ctx, 1 + worker * 1000000L);
}

static void outer_task(void *ctx, int64_t task, int32_t worker) {
  nest *n = ctx;
  (void)task, (void)worker;
  atomic_long same = 0, other = 0;
  attn_rt_parallel_for(n->same, 10, 4, inner_task, &same);
  attn_rt_parallel_for(n->other, 10, 4, inner_task, &other);
  atomic_fetch_add(&n->inner, same == 10 && other % 1000000 == 10 ? 20 : 0); /* nested: all of it under worker 0 */
}

static void nesting(void) {
  nest n = {attn_pool_create(4), attn_pool_create(2), 0};
  for (int k = 0; k < 50; ++k)
    attn_rt_parallel_for(n.same, 20, 4, outer_task, &n);
  CHECK(n.inner == 50 * 20 * 20, "nested loops: %ld tasks", (long)n.inner);
  attn_pool_destroy(n.same);
  attn_pool_destroy(n.other);
}

static void *caller_main(void *arg) {
  loop *l = arg;
  attn_pool *pool = l->pool;
  int64_t errors = 0;
  for (int n = 0; n < 200; ++n)
    errors += run_loop(l, pool, 40, 3);
  return (void *)(intptr_t)errors;
}

static void concurrent_callers(void) {
  enum { CALLERS = 4 };
  static loop loops[CALLERS];
  pthread_t threads[CALLERS];
  attn_pool *pool = attn_pool_create(3);
  for (int n = 0; n < CALLERS; ++n) {
    loops[n].pool = pool;
    loops[n].yields = 1;
    pthread_create(&threads[n], NULL, caller_main, &loops[n]);
  }
  for (int n = 0; n < CALLERS; ++n) {
    void *errors;
    pthread_join(threads[n], &errors);
    CHECK(!errors, "caller %d beside others: %ld errors", n, (long)(intptr_t)errors);
  }
  attn_pool_destroy(pool);
}

/* In a child the pool is its caller; a new pool has threads again. The parent's goes on. */
static int child_main(attn_pool *pool) {
  static loop l;
  alarm(20); /* a hang is a failure */
  l.yields = 0;
  if (run_loop(&l, pool, 300, 4) || l.used != 1)
    return 1;
  attn_pool_destroy(pool);
  if (WITH_TSAN) /* it forbids threads after a fork */
    return 0;
  attn_pool *own = attn_pool_create(2);
  atomic_int here = 0;
  attn_rt_parallel_for(own, 2, 2, meet_task, &here);
  attn_pool_destroy(own);
  return here == 2 ? 0 : 2;
}

static void *fork_main(void *arg) {
  int status = -1;
  const pid_t child = fork();
  if (!child)
    _exit(child_main(arg));
  waitpid(child, &status, 0);
  return (void *)(intptr_t)status;
}

static void forks(void) {
  static loop l;
  attn_pool *pool = attn_pool_create(4);
  CHECK(!run_loop(&l, pool, 100, 4), "before fork");
  fflush(stdout);
  CHECK(fork_main(pool) == NULL, "the child of an idle pool");
  CHECK(!run_loop(&l, pool, 100, 4), "after fork");
  if (!WITH_TSAN) { /* fork while another thread is inside a loop */
    pthread_t thread;
    int64_t errors = 0;
    void *status;
    pthread_create(&thread, NULL, fork_main, pool);
    l.yields = 3;
    for (int n = 0; n < 50; ++n)
      errors += run_loop(&l, pool, 100, 4);
    pthread_join(thread, &status);
    CHECK(!errors && !status, "fork beside a loop: %ld errors, child %ld", (long)errors, (long)(intptr_t)status);
  }
  attn_pool_destroy(pool);
}

/* A pool's threads leave the program's signals to the program. */
static void mask_task(void *ctx, int64_t task, int32_t worker) {
  sigset_t mask;
  (void)task;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  if (worker && !sigismember(&mask, SIGINT))
    atomic_fetch_add((atomic_int *)ctx, 1);
  usleep(100);
}

static void signals(void) {
  attn_pool *pool = attn_pool_create(3);
  atomic_int open = 0;
  sigset_t mask;
  attn_rt_parallel_for(pool, 30, 3, mask_task, &open);
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  CHECK(!open && !sigismember(&mask, SIGINT), "signals reach %d threads of the pool", (int)open);
  attn_pool_destroy(pool);
}

int main(void) {
  sizes();
  runs_in_parallel();
  many_small_loops();
  nesting();
  concurrent_callers();
  forks();
  signals();
  return check_report();
}
