/* stub_cuda.c - a libcuda for tests: device memory is the host's, a launch copies its parameters, every function can be
 * told to fail. It refuses what a driver refuses: handles of another context, grids and blocks out of range, more
 * shared memory than was asked for. */
#include "stub_cuda.h"

#include <stdio.h>
#include <string.h>

enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500
};

static _Thread_local stub_context *current;
static void make_current(stub_context *context) { current = context; }

stub_state stub_state_ = {
    .contexts = {{8, 0, 0, 1, 163 << 10}, {9, 0, 1, 2, 227 << 10}, {8, 9, 2, 3, 99 << 10}, {7, 5, 3, 4, 64 << 10}},
    .make_current = make_current};
stub_state *stub_state_of(void);
stub_state *stub_state_of(void) { return &stub_state_; }
#define S stub_state_

#define ENTER(function)                                                                                                \
  do {                                                                                                                 \
    atomic_fetch_add(&S.calls[function], 1);                                                                           \
    if (S.fail_with && S.fail_at == (function))                                                                        \
      return S.fail_with;                                                                                              \
  } while (0)
#define NEED(condition, result)                                                                                        \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      return result;                                                                                                   \
  } while (0)

int cuInit(unsigned flags);
int cuInit(unsigned flags) {
  ENTER(STUB_INIT);
  return flags ? INVALID_VALUE : SUCCESS;
}

int cuCtxGetCurrent(void **context);
int cuCtxGetCurrent(void **context) {
  ENTER(STUB_CONTEXT);
  *context = current;
  return SUCCESS;
}

int cuCtxGetId(void *context, unsigned long long *id);
int cuCtxGetId(void *context, unsigned long long *id) {
  ENTER(STUB_CONTEXT_ID);
  *id = ((stub_context *)context)->id;
  return SUCCESS;
}

int cuCtxGetDevice(int *device);
int cuCtxGetDevice(int *device) {
  ENTER(STUB_DEVICE);
  NEED(current, INVALID_CONTEXT);
  *device = current->device;
  return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int device);
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  ENTER(STUB_ATTRIBUTE);
  NEED(device >= 0 && device < STUB_CONTEXTS && (attribute == 75 || attribute == 76), INVALID_VALUE);
  *value = attribute == 75 ? S.contexts[device].major : S.contexts[device].minor;
  return SUCCESS;
}

int cuModuleLoadDataEx(void **module, const void *image, unsigned options, int *names, void **values);
int cuModuleLoadDataEx(void **module, const void *image, unsigned options, int *names, void **values) {
  ENTER(STUB_LOAD);
  NEED(current, INVALID_CONTEXT);
  NEED(image && !options && !names && !values, INVALID_VALUE);
  const int n = atomic_fetch_add(&S.n_modules, 1);
  NEED(n < STUB_MODULES, INVALID_IMAGE);
  S.modules[n] = (stub_module){current, image, 1};
  *module = &S.modules[n];
  return SUCCESS;
}

int cuModuleUnload(void *module);
int cuModuleUnload(void *module) {
  ENTER(STUB_UNLOAD);
  stub_module *m = module;
  NEED(m && m->loaded && m->context == current, INVALID_HANDLE);
  m->loaded = 0;
  return SUCCESS;
}

int cuModuleGetFunction(void **function, void *module, const char *name);
int cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER(STUB_FUNCTION);
  stub_module *m = module;
  NEED(m && m->loaded && m->context == current, INVALID_HANDLE);
  NEED(!S.no_entry || strcmp(name, S.no_entry), NOT_FOUND);
  const int n = atomic_fetch_add(&S.n_kernels, 1);
  NEED(n < STUB_KERNELS, NOT_FOUND);
  S.kernels[n].module = m;
  S.kernels[n].shared = 48 << 10;
  snprintf(S.kernels[n].name, sizeof S.kernels[n].name, "%s", name);
  *function = &S.kernels[n];
  return SUCCESS;
}

int cuFuncSetAttribute(void *function, int attribute, int value);
int cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER(STUB_SET);
  stub_kernel *k = function;
  NEED(k && k->module->context == current, INVALID_HANDLE);
  NEED(attribute == 8 && value <= current->most_shared, INVALID_VALUE);
  k->shared = value;
  return SUCCESS;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz,
                   unsigned shared, void *stream, void **parameters, void **extra);
int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
  ENTER(STUB_LAUNCH);
  const stub_kernel *k = function;
  NEED(k && k->module->loaded && k->module->context == current, INVALID_HANDLE);
  NEED(x && x <= INT32_MAX && y == 1 && z == 1 && tx && tx <= 1024 && ty == 1 && tz == 1, INVALID_VALUE);
  NEED(shared <= (unsigned)k->shared && parameters && !extra, INVALID_VALUE);
  if (S.quiet)
    return SUCCESS;
  stub_event e = {.kernel = k, .grid = x, .threads = tx, .shared = shared, .stream = stream};
  for (int p = 0; p < S.n_pointers; ++p)
    memcpy(&e.pointers[p], parameters[p], sizeof *e.pointers);
  memcpy(e.words, parameters[S.n_pointers], sizeof(int64_t) * (size_t)S.n_words);
  if (S.status[0])
    memcpy((void *)(uintptr_t)e.pointers[S.n_pointers - 1], S.status, sizeof S.status);
  if (S.n_log < STUB_LOG)
    S.log[S.n_log++] = e;
  return SUCCESS;
}

int cuMemsetD8Async(unsigned long long to, unsigned char byte, size_t bytes, void *stream);
int cuMemsetD8Async(unsigned long long to, unsigned char byte, size_t bytes, void *stream) {
  ENTER(STUB_ZERO);
  NEED(current, INVALID_CONTEXT);
  if (S.quiet)
    return SUCCESS;
  memset((void *)(uintptr_t)to, byte, bytes);
  if (S.n_log < STUB_LOG)
    S.log[S.n_log++] = (stub_event){.stream = stream, .pointers = {to, bytes}};
  return SUCCESS;
}

int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *stream);
int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *stream) {
  ENTER(STUB_COPY);
  NEED(current, INVALID_CONTEXT);
  (void)stream;
  memcpy(to, (const void *)(uintptr_t)from, bytes);
  return SUCCESS;
}

int cuStreamSynchronize(void *stream);
int cuStreamSynchronize(void *stream) {
  ENTER(STUB_SYNCHRONIZE);
  (void)stream;
  return SUCCESS;
}

/* The name of result n is "CUDA_ERROR_n"; results from 1000 on have none. */
int cuGetErrorName(int result, const char **name);
int cuGetErrorName(int result, const char **name) {
  static char names[1000][20];
  NEED(result >= 0 && result < 1000, INVALID_VALUE);
  snprintf(names[result], sizeof names[result], "CUDA_ERROR_%d", result);
  *name = names[result];
  return SUCCESS;
}
