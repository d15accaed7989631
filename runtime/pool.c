/* pool.c - a pool of threads for one parallel loop at a time.
 *
 * A loop is published under the lock and closed by its caller once no task is left to hand out: threads that wake up
 * later do not join, so the caller never waits for one that is still asleep, only for those in the middle of a task. A
 * loop that finds the pool busy - nested in a task, or beside a loop of another thread - runs on its own thread under
 * worker 0: no deadlock, and each call has its own scratch. After fork() the child has none of the threads and every
 * loop runs serially there. (A child forked inside a task must exec or exit.)
 */
#define _GNU_SOURCE
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct attn_pool {
  int32_t helpers; /* threads that exist */
  int32_t spin;    /* rounds of polling before a thread sleeps */
  unsigned forks;  /* value of fork_count when the threads were made */
  atomic_flag busy;

  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  int32_t sleeping;     /* guarded by lock, as what follows */
  int32_t open, joined; /* helpers that may still join; that have */
  int stop;
  _Atomic uint64_t epoch;  /* counts loops; written under the lock, polled without */
  _Atomic int32_t running; /* helpers inside the loop; likewise */

  attn_task_fn fn; /* the loop; written under the lock before epoch */
  void *ctx;
  int64_t tasks;
  _Alignas(64) _Atomic int64_t next; /* alone on its line: every thread writes it */
  _Alignas(64) pthread_t threads[];
};

static _Atomic unsigned fork_count;
static void count_fork(void) { atomic_fetch_add(&fork_count, 1); }
static void watch_forks(void) { pthread_atfork(NULL, NULL, count_fork); }
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void run_serial(int64_t tasks, attn_task_fn fn, void *ctx) {
  for (int64_t i = 0; i < tasks; ++i)
    fn(ctx, i, 0);
}

static void take_tasks(attn_pool *p, int32_t worker) {
  for (int64_t i; (i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed)) < p->tasks;)
    p->fn(p->ctx, i, worker);
}

static void *helper_main(void *arg) {
  attn_pool *p = arg;
  uint64_t seen = 0;
  pthread_mutex_lock(&p->lock);
  while (!p->stop) {
    if (atomic_load(&p->epoch) == seen) {
      pthread_mutex_unlock(&p->lock);
      for (int32_t i = 0; i < p->spin && atomic_load_explicit(&p->epoch, memory_order_relaxed) == seen; ++i)
        relax();
      pthread_mutex_lock(&p->lock);
      ++p->sleeping;
      while (!p->stop && atomic_load(&p->epoch) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
      --p->sleeping;
      continue;
    }
    seen = atomic_load(&p->epoch);
    if (!p->open)
      continue;
    --p->open;
    const int32_t worker = ++p->joined;
    atomic_fetch_add(&p->running, 1);
    pthread_mutex_unlock(&p->lock);
    take_tasks(p, worker);
    pthread_mutex_lock(&p->lock);
    p->open = 0; /* nothing is left to hand out */
    if (atomic_fetch_sub(&p->running, 1) == 1)
      pthread_cond_signal(&p->done);
  }
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

attn_pool *attn_pool_create(int32_t threads) {
  const int32_t helpers = threads > 1 ? threads - 1 : 0;
  size_t bytes;
  if (__builtin_mul_overflow((size_t)helpers, sizeof(pthread_t), &bytes) ||
      __builtin_add_overflow(bytes, sizeof(attn_pool) + 63, &bytes))
    return NULL;
  pthread_once(&watch_once, watch_forks);
  attn_pool *p = aligned_alloc(64, bytes & ~(size_t)63);
  if (!p)
    return NULL;
  *p = (attn_pool){.busy = ATOMIC_FLAG_INIT, .forks = atomic_load(&fork_count)};
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  pthread_cond_init(&p->done, NULL);
  /* Polling pays only while every thread has a CPU to itself. */
  p->spin = threads <= sysconf(_SC_NPROCESSORS_ONLN) ? 200 : 0;

  /* The program's signals are for the program's threads. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (p->helpers < helpers && !pthread_create(&p->threads[p->helpers], NULL, helper_main, p))
    ++p->helpers; /* fewer than asked for is slower, not wrong */
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return p;
}

void attn_pool_destroy(attn_pool *p) {
  if (!p)
    return;
  if (p->forks == atomic_load(&fork_count)) {
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int32_t i = 0; i < p->helpers; ++i)
      pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
  }
  free(p);
}

void attn_rt_parallel_for(void *pool, int64_t tasks, int32_t workers, attn_task_fn fn, void *ctx) {
  attn_pool *p = pool;
  int32_t wanted = p && workers > 1 ? workers - 1 : 0;
  if (p && wanted > p->helpers)
    wanted = p->helpers;
  if (wanted >= tasks)
    wanted = tasks > 0 ? (int32_t)(tasks - 1) : 0;
  if (!wanted || p->forks != atomic_load(&fork_count) || atomic_flag_test_and_set(&p->busy)) {
    run_serial(tasks, fn, ctx);
    return;
  }

  pthread_mutex_lock(&p->lock);
  p->fn = fn;
  p->ctx = ctx;
  p->tasks = tasks;
  p->open = wanted;
  p->joined = 0;
  atomic_store(&p->next, 0);
  atomic_fetch_add(&p->epoch, 1);
  for (int32_t i = 0; i < wanted && i < p->sleeping; ++i)
    pthread_cond_signal(&p->wake);
  pthread_mutex_unlock(&p->lock);

  take_tasks(p, 0);

  for (int32_t i = 0; i < p->spin && atomic_load_explicit(&p->running, memory_order_relaxed); ++i)
    relax();
  pthread_mutex_lock(&p->lock);
  p->open = 0;
  while (atomic_load(&p->running))
    pthread_cond_wait(&p->done, &p->lock);
  pthread_mutex_unlock(&p->lock);
  atomic_flag_clear(&p->busy);
}
