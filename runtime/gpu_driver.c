/* gpu_driver.c - libcuda by dlopen, and what its errors are called. */
#define _GNU_SOURCE /* secure_getenv */
#include "gpu_driver.h"

#include "attn-rt/attn_gpu.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

typedef struct last_error {
  int result;
  const char *function, *name;
} last_error;

/* initial-exec: the general model would call __tls_get_addr of the dynamic linker, and libc is all there is. */
static _Thread_local last_error last __attribute__((tls_model("initial-exec")));

static attn_cu_driver table;
static _Atomic int ready; /* the table is filled in and cuInit has succeeded */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *name_of(const attn_cu_driver *driver, int result) {
  const char *name = NULL;
  if (driver->error_name && driver->error_name(result, &name) == 0 && name)
    return name;
  return "CUDA_ERROR_UNRECOGNIZED";
}

static attn_status fail(const attn_call *call, attn_status status, const char *function, int result, const char *name) {
  last = (last_error){result, function, name};
  return call ? attn_rt_fail(call, status, -1, -1, 0, result) : status;
}

attn_status attn_rt_gpu_fail(const attn_call *call, attn_status status, const char *function, int result) {
  return fail(call, status, function, result, name_of(&table, result));
}

const char *attn_rt_gpu_error(int *result, const char **name) {
  if (result)
    *result = last.result;
  if (name)
    *name = last.name ? last.name : "CUDA_SUCCESS";
  return last.function ? last.function : "";
}

/* ---- the library ---- */

/* POSIX has dlsym return functions as objects; the bits are copied since ISO C has no conversion. */
static int find(void *library, const char *name, void *function) {
  void *const found = dlsym(library, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static attn_status open_driver(const attn_call *call) {
  const char *path = secure_getenv("ATTN_LIBCUDA");
  attn_cu_driver found = {0};
  void *library = dlopen(path && *path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(call, ATTN_E_NO_DRIVER, "dlopen", -1, "libcuda.so.1 was not found");
#define X(member, name, parameters)                                                                                    \
  if (!find(library, name, &found.member)) {                                                                           \
    dlclose(library);                                                                                                  \
    return fail(call, ATTN_E_NO_DRIVER, name, -1, "libcuda does not have this function");                              \
  }
  ATTN_CU_FUNCTIONS(X)
#undef X
  find(library, "cuCtxGetId", &found.context_id);
  find(library, "cuGetErrorName", &found.error_name);
  const int result = found.init(0);
  if (result) { /* what the name points to is the library's: it stays open */
    fail(call, ATTN_E_NO_DRIVER, "cuInit", result, name_of(&found, result));
    return ATTN_E_NO_DRIVER;
  }
  table = found;
  atomic_store_explicit(&ready, 1, memory_order_release);
  return ATTN_OK;
}

attn_status attn_rt_gpu_driver(const attn_call *call, const attn_cu_driver **driver) {
  *driver = &table;
  if (atomic_load_explicit(&ready, memory_order_acquire))
    return ATTN_OK;
  pthread_mutex_lock(&lock);
  const attn_status status = atomic_load_explicit(&ready, memory_order_relaxed) ? ATTN_OK : open_driver(call);
  pthread_mutex_unlock(&lock);
  return status;
}
