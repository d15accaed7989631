/* time.c - times a call: on the device by events, with what a loop of calls leaves in the caches and with an L2 that
 * was written over; and on the host what a call costs the caller. */
#define _POSIX_C_SOURCE 200809L
#include "gpu_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 30, FLUSH_BYTES = 256 << 20 };

typedef struct timing {
  loaded_case *c;
  int calls;
  attn_status status;
  double host; /* seconds of the caller for these calls */
} timing;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int call_it(void *ctx) {
  timing *t = ctx;
  const double from = now();
  for (int n = 0; n < t->calls; ++n)
    if ((t->status = attn_rt_gpu_run(&t->c->call, t->c->kernel->info, NULL)))
      return 1;
  t->host = now() - from;
  return 0;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct figures {
  double best, median;
} figures;

/* Seconds of a call; nonzero: it failed. */
static int measure(timing *t, int calls, void *flush, figures *device, figures *host) {
  double on_device[ROUNDS], on_host[ROUNDS];
  t->calls = calls;
  for (int n = 0; n < ROUNDS; ++n) {
    if ((flush && device_fill(flush, (unsigned char)n, FLUSH_BYTES)) || device_wait() ||
        device_time(call_it, t, &on_device[n]))
      return 1;
    on_device[n] /= calls;
    on_host[n] = t->host / calls;
  }
  qsort(on_device, ROUNDS, sizeof *on_device, ascending);
  qsort(on_host, ROUNDS, sizeof *on_host, ascending);
  *device = (figures){on_device[0], on_device[ROUNDS / 2]};
  *host = (figures){on_host[0], on_host[ROUNDS / 2]};
  return 0;
}

int run_timing(const char *name, loaded_case *c) {
  timing t = {.c = c};
  figures warm, cold, host, ignored;
  void *flush = NULL;
  double once = 0;
  int overrun = 0, outcome = OUTCOME_PASSED;
  json_begin("time", name);
  if ((t.status = case_workspace(c, c->kernel->info)) || device_alloc(&flush, FLUSH_BYTES)) {
    json_flag("ok", 0);
    json_text("what", t.status ? attn_status_name(t.status) : device_error());
    json_end();
    return t.status == ATTN_E_CUDA || !t.status ? OUTCOME_LOST : OUTCOME_FAILED;
  }
  t.calls = 3; /* loads, and lets the clocks rise */
  int failed = device_time(call_it, &t, &once) || device_time(call_it, &t, &once);
  const int calls = once <= 0 ? 100 : once > 6e-3 ? 1 : once < 6e-5 ? 100 : (int)(6e-3 / once);
  failed = failed || measure(&t, calls, NULL, &warm, &host) || measure(&t, 1, flush, &cold, &ignored);
  json_flag("ok", !failed);
  if (failed) {
    json_text("what", t.status ? attn_status_name(t.status) : device_error());
    outcome = OUTCOME_LOST;
  } else {
    json_number("us_median", 1e6 * warm.median);
    json_number("us_best", 1e6 * warm.best);
    json_number("us_cold_median", 1e6 * cold.median);
    json_number("us_host_median", 1e6 * host.median);
    json_number("calls", calls);
    json_number("rounds", ROUNDS);
    if (c->flops > 0)
      json_number("tflops", 1e-12 * c->flops / warm.median);
    device_free(flush, FLUSH_BYTES, &overrun);
  }
  json_end();
  return outcome;
}
