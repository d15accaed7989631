/* gpu_run_test.c - gpu_driver.c and gpu_run.c against a stub driver: what is loaded and when, what is launched, every
 * error of every function of the driver, threads and contexts, and what a launch costs. */
#define _GNU_SOURCE
#include "check.h"
#include "gpu_fixture.h"
#include "stub_cuda.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

static stub_state *stub;
static char folder[4096];

static void use_library(const char *name) {
  char path[4200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  setenv("ATTN_LIBCUDA", path, 1);
}

/* Where a kernel's status words are: real memory, for the stub writes there. */
static _Alignas(64) unsigned char workspace[1 << 16];

static void open_run(gpu_fixture *g) {
  gpu_fixture_open(g);
  g->f.call.workspace = workspace;
  g->f.call.workspace_bytes = sizeof workspace;
  /* few heads: variant 0 with its two launches */
  fixture_resize(&g->f, 1, 3, 1, I, J);
  memcpy(g->f.args[ARG_V].stride, (int64_t[]){J * 8, J * 8, 8, 1}, 4 * sizeof(int64_t));
  stub->n_pointers = N_ARGS + 1;
  stub->n_words = 6 + 2 * (4 + 4 + 4 + 1 + 4 + 4 + 3) + 1;
  stub->n_log = 0;
  stub->fail_with = 0;
  memset(stub->status, 0, sizeof stub->status);
}

static long calls(int function) { return atomic_load(&stub->calls[function]); }

/* Forgets what the kernel loaded in every context. */
static void close_run(gpu_fixture *g) {
  stub->fail_with = 0;
  for (int c = 0; c < STUB_CONTEXTS; ++c) {
    stub->make_current(&stub->contexts[c]);
    CHECK(attn_rt_gpu_unload(g->images) == ATTN_OK, "unload in context %d", c);
  }
  stub->make_current(&stub->contexts[1]);
  stub->n_modules = stub->n_kernels = 0;
  gpu_fixture_close(g);
}

static int is_error(const char *function, int result, const char *name) {
  int got = -77;
  const char *got_name = NULL;
  const char *got_function = attn_rt_gpu_error(&got, &got_name);
  return CHECK(!strcmp(got_function, function) && got == result && !strcmp(got_name, name), "%s, %d, %s", got_function,
               got, got_name);
}

/* ---- before there is a driver ---- */

static void no_driver(void) {
  gpu_fixture g;
  gpu_fixture_open(&g);
  int result = 77;
  const char *name = NULL;
  CHECK(!strcmp(attn_rt_gpu_error(&result, &name), "") && !result && !strcmp(name, "CUDA_SUCCESS"), "no error yet");
  CHECK(!strcmp(attn_rt_gpu_error(NULL, NULL), ""), "nothing is asked");
  CHECK(attn_rt_gpu_run(NULL, &g.info, NULL) == ATTN_E_ARGUMENT, "no call");
  CHECK(attn_rt_gpu_run(&g.f.call, NULL, NULL) == ATTN_E_ARGUMENT, "no kernel");
  CHECK(attn_rt_gpu_load(NULL) == ATTN_E_ARGUMENT && attn_rt_gpu_unload(NULL) == ATTN_E_ARGUMENT, "nothing to load");
  g.f.call.size -= 8;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_VERSION, "a call of another version");
  g.f.call.size += 8;
  g.info.size -= 8;
  CHECK(attn_rt_gpu_load(&g.info) == ATTN_E_VERSION, "a kernel of another version");
  g.info.size += 8;

  use_library("no_such_file.so");
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_NO_DRIVER && g.f.error.found == -1, "no library");
  is_error("dlopen", -1, "libcuda.so.1 was not found");
  CHECK(attn_rt_gpu_finish(&g.f.call, &g.info, NULL) == ATTN_E_NO_DRIVER, "no library");
  CHECK(attn_rt_gpu_load(&g.info) == ATTN_E_NO_DRIVER && attn_rt_gpu_unload(g.images) == ATTN_E_NO_DRIVER,
        "no library");
  use_library("stub_lacks.so");
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_NO_DRIVER, "a library without cuLaunchKernel");
  is_error("cuLaunchKernel", -1, "libcuda does not have this function");
  use_library("stub_cuda.so");
  for (int n = 1; n < 1002; ++n) {
    stub->fail_at = STUB_INIT, stub->fail_with = n;
    CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_NO_DRIVER && g.f.error.found == n, "cuInit: %d", n);
    char want[32];
    snprintf(want, sizeof want, n < 1000 ? "CUDA_ERROR_%d" : "CUDA_ERROR_UNRECOGNIZED", n);
    is_error("cuInit", n, want);
  }
  stub->fail_with = 0;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA, "no context is current");
  is_error("cuCtxGetCurrent", 201, "CUDA_ERROR_201");
  const long inits = calls(STUB_INIT);
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA && calls(STUB_INIT) == inits, "initialized once");
  gpu_fixture_close(&g);
}

/* ---- one call ---- */

static void one_call(void) {
  gpu_fixture g;
  open_run(&g);
  int stream;
  g.f.params[0].i = 4711;
  stub->make_current(&stub->contexts[1]);
  memset(workspace, 0xff, sizeof workspace);
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, &stream) == ATTN_OK && stub->n_log == 3, "%d events", stub->n_log);
  const stub_event *e = stub->log;
  CHECK(!e[0].kernel && e[0].pointers[0] == (uintptr_t)workspace && e[0].pointers[1] == 64 && e[0].stream == &stream,
        "the status words are set to zero first");
  CHECK(!strcmp(e[1].kernel->name, "split_main") && e[1].grid == 3 * 2 * 3 * 3 && e[1].threads == 128 &&
            e[1].shared == 4096 && e[1].stream == &stream,
        "%s, %u CTAs of %u threads", e[1].kernel->name, e[1].grid, e[1].threads);
  CHECK(!strcmp(e[2].kernel->name, "split_merge") && e[2].grid == 6 && e[2].threads == 64 && e[2].stream == &stream,
        "%s, %u CTAs", e[2].kernel->name, e[2].grid);
  for (int n = 1; n < 3; ++n) {
    for (int a = 0; a < N_ARGS; ++a)
      CHECK(e[n].pointers[a] == (uintptr_t)device_address(a), "pointer %d", a);
    CHECK(e[n].pointers[N_ARGS] == (uintptr_t)workspace, "the workspace");
    CHECK(e[n].words[0] == 1 && e[n].words[1] == 3 && e[n].words[3] == J && e[n].words[stub->n_words - 1] == 4711,
          "words: %ld %ld %ld %ld", (long)e[n].words[0], (long)e[n].words[1], (long)e[n].words[3],
          (long)e[n].words[stub->n_words - 1]);
  }
  CHECK(e[1].kernel->module->image == g.images[2].data, "the cubin of this GPU");
  CHECK(calls(STUB_LOAD) == 1 && calls(STUB_FUNCTION) == 4 && calls(STUB_SET) == 1 && calls(STUB_SYNCHRONIZE) == 0,
        "loaded %ld, functions %ld, attributes %ld", calls(STUB_LOAD), calls(STUB_FUNCTION), calls(STUB_SET));

  /* Later calls, of any variant: launches and nothing else. */
  const size_t before = mallinfo2().uordblks;
  for (int32_t v = 0; v < 3; ++v) {
    g.f.call.variant = v;
    stub->n_log = 0;
    CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK && stub->n_log == (v ? 2 : 3), "variant %d", v);
    CHECK(!stub->log[1].stream, "the default stream");
  }
  CHECK(mallinfo2().uordblks == before, "nothing is allocated");
  CHECK(calls(STUB_LOAD) == 1 && calls(STUB_FUNCTION) == 4 && calls(STUB_SYNCHRONIZE) == 0 && calls(STUB_COPY) == 0,
        "nothing is loaded, nothing waits");

  CHECK(attn_rt_gpu_finish(&g.f.call, &g.info, NULL) == ATTN_OK && calls(STUB_SYNCHRONIZE) > 0, "finish");
  const int64_t found[4] = {1, ARG_X, 3, 99};
  memcpy(stub->status, found, sizeof found);
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "a bad index is no error of the launch");
  CHECK(attn_rt_gpu_finish(&g.f.call, &g.info, NULL) == ATTN_E_INDEX && g.f.error.arg == ARG_X && g.f.error.axis == 3 &&
            g.f.error.expected == X && g.f.error.found == 99,
        "arg %d axis %d", g.f.error.arg, g.f.error.axis);
  memset(stub->status, 0, sizeof stub->status);
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "run");
  CHECK(attn_rt_gpu_finish(&g.f.call, &g.info, NULL) == ATTN_OK, "the next call starts clean");

  /* What is refused launches nothing. */
  const long launches = calls(STUB_LAUNCH);
  g.f.call.workspace_bytes = 10;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_WORKSPACE && calls(STUB_LAUNCH) == launches, "workspace");
  g.f.call.workspace_bytes = sizeof workspace;
  fixture_resize(&g.f, 1, 3, 1, 0, J);
  const long waits = calls(STUB_SYNCHRONIZE);
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK && calls(STUB_LAUNCH) == launches, "no rows");
  CHECK(attn_rt_gpu_finish(&g.f.call, &g.info, NULL) == ATTN_OK && calls(STUB_SYNCHRONIZE) == waits + 1,
        "finish waits all the same");
  close_run(&g);
}

/* ---- images ---- */

static void images(void) {
  static const struct {
    int major, minor;
    const char *image; /* NULL: none fits */
  } rows[] = {{8, 0, "cubin80"}, {8, 6, "cubin80"}, {8, 9, "cubin89"}, {9, 0, "cubin90"},
              {10, 0, "ptx80"},  {12, 1, "ptx80"},  {7, 5, NULL},      {6, 1, NULL}};
  for (size_t n = 0; n < sizeof rows / sizeof *rows; ++n) {
    gpu_fixture g;
    open_run(&g);
    stub_context *const c = &stub->contexts[3], was = *c;
    c->major = rows[n].major, c->minor = rows[n].minor, c->most_shared = 227 << 10;
    stub->make_current(c);
    const attn_status status = attn_rt_gpu_run(&g.f.call, &g.info, NULL);
    const int32_t sm = rows[n].major * 10 + rows[n].minor;
    if (rows[n].image)
      CHECK(!status && !strcmp(stub->modules[0].image, rows[n].image), "sm_%d: %s", sm, attn_status_name(status));
    else
      CHECK(status == ATTN_E_DEVICE && g.f.error.found == sm && g.f.error.expected == 80 && !stub->n_log, "sm_%d: %s",
            sm, attn_status_name(status));
    close_run(&g);
    *c = was;
  }
  gpu_fixture g;
  open_run(&g);
  g.images[4] = g.images[3], g.images[3] = (attn_gpu_image){100, 1, "ptx100", 7}; /* the newest that runs */
  stub->contexts[3].major = 11;
  stub->make_current(&stub->contexts[3]);
  attn_gpu_image ended[6];
  memcpy(ended, g.images, sizeof g.images);
  ended[5] = (attn_gpu_image){0};
  g.info.images = ended;
  CHECK(!attn_rt_gpu_load(&g.info) && !strcmp(stub->modules[0].image, "ptx100"), "PTX");
  CHECK(!attn_rt_gpu_unload(ended), "unload");
  g.info.images = &ended[5];
  CHECK(attn_rt_gpu_load(&g.info) == ATTN_E_DEVICE, "no image at all");
  stub->contexts[3].major = 7;
  close_run(&g);
}

/* ---- errors ---- */

static void every_error(void) {
  static const struct {
    int function;
    const char *name;
    int in_finish;
  } rows[] = {{STUB_CONTEXT, "cuCtxGetCurrent", 0},        {STUB_CONTEXT_ID, "cuCtxGetId", 0},
              {STUB_DEVICE, "cuCtxGetDevice", 0},          {STUB_ATTRIBUTE, "cuDeviceGetAttribute", 0},
              {STUB_LOAD, "cuModuleLoadDataEx", 0},        {STUB_FUNCTION, "cuModuleGetFunction", 0},
              {STUB_SET, "cuFuncSetAttribute", 0},         {STUB_ZERO, "cuMemsetD8Async", 0},
              {STUB_LAUNCH, "cuLaunchKernel", 0},          {STUB_COPY, "cuMemcpyDtoHAsync", 1},
              {STUB_SYNCHRONIZE, "cuStreamSynchronize", 1}};
  for (size_t r = 0; r < sizeof rows / sizeof *rows; ++r)
    for (int n = 1; n < 1002; ++n) {
      gpu_fixture g;
      open_run(&g);
      g.f.call.variant = 1; /* has more than 48 KiB */
      stub->make_current(&stub->contexts[1]);
      if (rows[r].in_finish)
        CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "run before finish");
      stub->fail_at = rows[r].function, stub->fail_with = n;
      const attn_status status = (rows[r].in_finish ? attn_rt_gpu_finish : attn_rt_gpu_run)(&g.f.call, &g.info, NULL);
      char want[32];
      snprintf(want, sizeof want, n < 1000 ? "CUDA_ERROR_%d" : "CUDA_ERROR_UNRECOGNIZED", n);
      CHECK(status == ATTN_E_CUDA && g.f.error.found == n && g.f.error.arg == -1, "%s returns %d: %s", rows[r].name, n,
            attn_status_name(status));
      is_error(rows[r].name, n, want);
      if (rows[r].function == STUB_SET) { /* noted: the other variants run */
        stub->fail_with = 0;
        CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA, "a function that is not ready stays so");
        g.f.call.variant = 2;
      }
      stub->fail_with = 0;
      CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "%s returned %d: the next call is right",
            rows[r].name, n);
      close_run(&g);
    }
  gpu_fixture g;
  open_run(&g);
  stub->make_current(&stub->contexts[1]);
  stub->no_entry = "split_merge";
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA && !stub->n_log, "an entry is missing: no launch");
  is_error("cuModuleGetFunction", 500, "CUDA_ERROR_500");
  stub->no_entry = NULL;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "and then it is there");
  g.f.call.error = NULL;
  stub->fail_at = STUB_LAUNCH, stub->fail_with = 719;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA, "without a place for the error");
  stub->fail_at = STUB_UNLOAD;
  CHECK(attn_rt_gpu_unload(g.images) == ATTN_E_CUDA, "unload");
  is_error("cuModuleUnload", 719, "CUDA_ERROR_719");
  close_run(&g);
}

/* ---- contexts ---- */

static void contexts(void) {
  gpu_fixture g;
  open_run(&g);
  for (int round = 0; round < 3; ++round)
    for (int c = 0; c < 2; ++c) {
      stub->make_current(&stub->contexts[c]);
      stub->n_log = 0;
      CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "context %d", c);
      CHECK(!strcmp(stub->log[1].kernel->module->image, c ? "cubin90" : "cubin80"), "its own image");
    }
  CHECK(stub->n_modules == 2, "%d modules for 2 contexts", (int)stub->n_modules);
  stub->contexts[0].id = 50; /* destroyed, and another made at its address */
  stub->make_current(&stub->contexts[0]);
  stub->modules[0].loaded = 0;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK && stub->n_modules == 3, "%d modules",
        (int)stub->n_modules);

  /* Two kernels of one object share a module; their functions are their own. */
  gpu_fixture other;
  open_run(&other);
  other.info.images = g.images;
  CHECK(attn_rt_gpu_run(&other.f.call, &other.info, NULL) == ATTN_OK && stub->n_modules == 3, "%d modules",
        (int)stub->n_modules);
  const long functions = calls(STUB_FUNCTION);
  CHECK(attn_rt_gpu_load(&g.info) == ATTN_OK && calls(STUB_FUNCTION) == functions, "already there");
  CHECK(attn_rt_gpu_unload(g.images) == ATTN_OK && !stub->modules[2].loaded && stub->modules[1].loaded,
        "unloaded here");
  CHECK(attn_rt_gpu_run(&other.f.call, &other.info, NULL) == ATTN_OK && stub->n_modules == 4, "loaded again");
  gpu_fixture_close(&other);
  close_run(&g);
}

/* A GPU too small for one variant runs the others. */
static void small_gpu(void) {
  gpu_fixture g;
  open_run(&g);
  stub->contexts[2].most_shared = 64 << 10;
  stub->make_current(&stub->contexts[2]);
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK, "variant 0");
  g.f.call.variant = 1;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA, "variant 1 needs 99 KiB");
  is_error("cuFuncSetAttribute", 1, "CUDA_ERROR_1");
  close_run(&g);
}

/* ---- steps ---- */

static void steps(void) {
  gpu_fixture a, b, top;
  open_run(&a);
  open_run(&b);
  open_run(&top);
  b.info.images = a.info.images = top.images;
  static const int32_t values[N_ARGS] = {0, 1, 2, 3, 4, 5, 6}, second[N_ARGS] = {0, 1, 2, 3, 4, 7, 8}, params[1] = {0};
  const attn_gpu_step_info order[2] = {{&a.info, second, params}, {&b.info, values, params}};
  top.info.steps = order, top.info.n_steps = 2, top.f.info.n_temps = 2;
  stub->make_current(&stub->contexts[1]);
  memset(workspace, 0xff, sizeof workspace);
  CHECK(attn_rt_gpu_run(&top.f.call, &top.info, NULL) == ATTN_OK && stub->n_log == 6, "%d events", stub->n_log);
  CHECK(!stub->log[0].kernel && !stub->log[3].kernel && stub->log[3].pointers[0] > (uintptr_t)workspace,
        "each step has status words of its own");
  CHECK(stub->n_modules == 1 && stub->n_kernels == 8, "one object: %d modules", (int)stub->n_modules);
  CHECK(attn_rt_gpu_finish(&top.f.call, &top.info, NULL) == ATTN_OK, "finish");
  memcpy(stub->status, (int64_t[]){1, ARG_K, 2, 5}, sizeof stub->status);
  CHECK(!attn_rt_gpu_run(&top.f.call, &top.info, NULL) &&
            attn_rt_gpu_finish(&top.f.call, &top.info, NULL) == ATTN_E_INDEX && top.f.error.arg == ARG_K,
        "arg %d", top.f.error.arg);
  close_run(&top);
  gpu_fixture_close(&a);
  gpu_fixture_close(&b);
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 2000 };
static gpu_fixture shared_kernel;
static pthread_barrier_t start;
static _Atomic int wrong;

static void *run_many(void *which) {
  stub->make_current(&stub->contexts[(intptr_t)which % 2]);
  attn_call call = shared_kernel.f.call;
  attn_error error;
  call.error = &error;
  call.stats = NULL;
  pthread_barrier_wait(&start);
  for (int n = 0; n < ROUNDS; ++n) {
    call.variant = n % 3;
    if (attn_rt_gpu_run(&call, &shared_kernel.info, NULL))
      atomic_fetch_add(&wrong, 1);
  }
  call.n_args = 1; /* errors are each thread's own */
  if (which == 0 && attn_rt_gpu_run(&call, &shared_kernel.info, NULL) != ATTN_E_ARGUMENT)
    atomic_fetch_add(&wrong, 1);
  const char *name;
  if (*attn_rt_gpu_error(NULL, &name))
    atomic_fetch_add(&wrong, 1);
  return NULL;
}

static void threads(void) {
  pthread_t thread[THREADS];
  open_run(&shared_kernel);
  stub->quiet = 1;
  pthread_barrier_init(&start, NULL, THREADS);
  const long before = calls(STUB_LAUNCH), loads = calls(STUB_LOAD);
  for (intptr_t t = 0; t < THREADS; ++t)
    pthread_create(&thread[t], NULL, run_many, (void *)t);
  for (int t = 0; t < THREADS; ++t)
    pthread_join(thread[t], NULL);
  const long want = THREADS * (ROUNDS + (ROUNDS + 2) / 3L); /* variant 0 launches twice */
  CHECK(!wrong && calls(STUB_LAUNCH) - before == want, "%d wrong, %ld launches of %ld", (int)wrong,
        calls(STUB_LAUNCH) - before, want);
  CHECK(calls(STUB_LOAD) - loads == 2, "%ld modules for 2 contexts", calls(STUB_LOAD) - loads);
  stub->quiet = 0;
  pthread_barrier_destroy(&start);
  close_run(&shared_kernel);
}

/* ---- what a call costs beside the driver ---- */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void overhead(void) {
  enum { BATCH = 2000, BATCHES = 30 };
  gpu_fixture g;
  double best = 1;
  open_run(&g);
  stub->quiet = 1;
  stub->make_current(&stub->contexts[1]);
  g.f.call.variant = -1;
  g.variants[0].max_ctas = 1; /* variant 1: one launch */
  for (int b = 0; b < BATCHES; ++b) {
    const double from = now();
    for (int n = 0; n < BATCH; ++n)
      if (attn_rt_gpu_run(&g.f.call, &g.info, NULL))
        atomic_fetch_add(&wrong, 1);
    const double each = (now() - from) / BATCH;
    best = each < best ? each : best;
  }
  stub->quiet = 0;
  if (!SANITIZED)
    printf("figure: a call with one launch takes %.2f us beside the driver (best of %d batches)\n", 1e6 * best,
           BATCHES);
  CHECK(!wrong && (SANITIZED || best <= 2e-6), "%d wrong, %.2f us", (int)wrong, 1e6 * best);
  close_run(&g);
}

/* A driver from before cuCtxGetId, in a process of its own, which has to find it first. */
static int old_driver(void) {
  gpu_fixture g;
  open_run(&g);
  for (int c = 0; c < 2; ++c) {
    stub->make_current(&stub->contexts[c]);
    CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_OK && stub->n_modules == c + 1, "context %d", c);
  }
  CHECK(!calls(STUB_CONTEXT_ID), "contexts are told apart by their addresses");
  stub->fail_at = STUB_LAUNCH, stub->fail_with = 700;
  CHECK(attn_rt_gpu_run(&g.f.call, &g.info, NULL) == ATTN_E_CUDA, "an error");
  is_error("cuLaunchKernel", 700, "CUDA_ERROR_UNRECOGNIZED"); /* nor does it name errors */
  close_run(&g);
  return check_report();
}

static int open_stub(const char *name) {
  use_library(name);
  void *library = dlopen(getenv("ATTN_LIBCUDA"), RTLD_NOW | RTLD_LOCAL);
  stub_state *(*state_of)(void) = NULL;
  void *found = library ? dlsym(library, "stub_state_of") : NULL;
  memcpy(&state_of, &found, sizeof found);
  if (!CHECK(state_of != NULL, "%s", dlerror()))
    return 0;
  stub = state_of();
  return 1;
}

int main(int argc, char **argv) {
  const char *slash = argc ? strrchr(argv[0], '/') : NULL;
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
  const pid_t child = fork();
  if (!child)
    return open_stub("stub_old.so") ? old_driver() : 1;
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && !status, "the old driver's process: %d", status);
  if (!open_stub("stub_cuda.so"))
    return check_report();
  no_driver();
  one_call();
  images();
  every_error();
  contexts();
  small_gpu();
  steps();
  threads();
  overhead();
  return check_report();
}
