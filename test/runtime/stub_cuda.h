/* stub_cuda.h - what a test sees of the stub driver, by dlsym(library, "stub_state"). */
#ifndef ATTN_TEST_STUB_CUDA_H
#define ATTN_TEST_STUB_CUDA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum stub_function {
  STUB_INIT,
  STUB_CONTEXT,
  STUB_CONTEXT_ID,
  STUB_DEVICE,
  STUB_ATTRIBUTE,
  STUB_LOAD,
  STUB_UNLOAD,
  STUB_FUNCTION,
  STUB_SET,
  STUB_LAUNCH,
  STUB_ZERO,
  STUB_COPY,
  STUB_SYNCHRONIZE,
  STUB_FUNCTIONS
};

enum { STUB_CONTEXTS = 4, STUB_MODULES = 64, STUB_KERNELS = 256, STUB_POINTERS = 16, STUB_WORDS = 128, STUB_LOG = 8 };

/* A context of the driver; its address is the CUcontext. */
typedef struct stub_context {
  int major, minor, device;
  unsigned long long id;
  int most_shared; /* dynamic shared memory that a function may ask for */
} stub_context;

typedef struct stub_module {
  const stub_context *context;
  const void *image;
  int loaded;
} stub_module;

typedef struct stub_kernel {
  stub_module *module;
  char name[32];
  int shared; /* allowed */
} stub_kernel;

/* A launch, or a memset where kernel is NULL. */
typedef struct stub_event {
  const stub_kernel *kernel;
  unsigned grid, threads, shared;
  void *stream;
  uint64_t pointers[STUB_POINTERS]; /* of a memset: [0] its address, [1] its bytes */
  int64_t words[STUB_WORDS];
} stub_event;

typedef struct stub_state {
  _Atomic long calls[STUB_FUNCTIONS];
  int fail_at, fail_with;  /* this function returns this result; fail_with 0: none does */
  const char *no_entry;    /* a name that no module has */
  int n_pointers, n_words; /* parameters of every kernel: what a launch copies */
  int quiet;               /* 1: events are not recorded (threads, timings) */
  stub_event log[STUB_LOG];
  int n_log;
  stub_context contexts[STUB_CONTEXTS];
  stub_module modules[STUB_MODULES];
  stub_kernel kernels[STUB_KERNELS];
  _Atomic int n_modules, n_kernels;
  /* What a kernel "finds": copied over the status words by every launch, unless all zero. */
  int64_t status[4];
  void (*make_current)(stub_context *); /* for the calling thread; NULL: none */
} stub_state;

#endif
