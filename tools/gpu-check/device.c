/* device.c - the first GPU and its memory, by libcuda. */
#include "gpu_check.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long address;

#define FUNCTIONS(X)                                                                                                   \
  X(init, "cuInit", (unsigned))                                                                                        \
  X(version, "cuDriverGetVersion", (int *))                                                                            \
  X(device_count, "cuDeviceGetCount", (int *))                                                                         \
  X(device_get, "cuDeviceGet", (int *, int))                                                                           \
  X(device_name, "cuDeviceGetName", (char *, int, int))                                                                \
  X(attribute, "cuDeviceGetAttribute", (int *, int, int))                                                              \
  X(total, "cuDeviceTotalMem_v2", (size_t *, int))                                                                     \
  X(retain, "cuDevicePrimaryCtxRetain", (void **, int))                                                                \
  X(make_current, "cuCtxSetCurrent", (void *))                                                                         \
  X(synchronize, "cuCtxSynchronize", (void))                                                                           \
  X(alloc, "cuMemAlloc_v2", (address *, size_t))                                                                       \
  X(free, "cuMemFree_v2", (address))                                                                                   \
  X(put, "cuMemcpyHtoD_v2", (address, const void *, size_t))                                                           \
  X(get, "cuMemcpyDtoH_v2", (void *, address, size_t))                                                                 \
  X(fill, "cuMemsetD8_v2", (address, unsigned char, size_t))                                                           \
  X(event_create, "cuEventCreate", (void **, unsigned))                                                                \
  X(event_record, "cuEventRecord", (void *, void *))                                                                   \
  X(event_wait, "cuEventSynchronize", (void *))                                                                        \
  X(event_time, "cuEventElapsedTime", (float *, void *, void *))                                                       \
  X(load, "cuModuleLoadDataEx", (void **, const void *, unsigned, int *, void **))                                     \
  X(unload, "cuModuleUnload", (void *))                                                                                \
  X(function, "cuModuleGetFunction", (void **, void *, const char *))                                                  \
  X(launch, "cuLaunchKernel",                                                                                          \
    (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **))          \
  X(error_name, "cuGetErrorName", (int, const char **))

static struct {
#define X(member, name, parameters) int(*member) parameters;
  FUNCTIONS(X)
#undef X
} cu;

static char last[128];
static int device;

const char *device_error(void) { return last; }

static int failed(int result, const char *function) {
  const char *name = NULL;
  if (result)
    snprintf(last, sizeof last, "%s: %s (%d)", function,
             cu.error_name(result, &name) == 0 && name ? name : "an unknown error", result);
  return result;
}

#define TRY(member, ...)                                                                                               \
  do {                                                                                                                 \
    if (failed(cu.member(__VA_ARGS__), #member))                                                                       \
      return 1;                                                                                                        \
  } while (0)

static int open_library(char *why, size_t why_bytes) {
  const char *path = getenv("ATTN_LIBCUDA");
  if (!path || !*path)
    path = "libcuda.so.1";
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(why, why_bytes, "no NVIDIA driver: %s was not found", path);
    return 0;
  }
#define X(member, name, parameters)                                                                                    \
  {                                                                                                                    \
    void *const found = dlsym(library, name);                                                                          \
    memcpy(&cu.member, &found, sizeof found);                                                                          \
    if (!found) {                                                                                                      \
      snprintf(why, why_bytes, "the NVIDIA driver is too old: it has no %s", name);                                    \
      return 0;                                                                                                        \
    }                                                                                                                  \
  }
  FUNCTIONS(X)
#undef X
  return 1;
}

int device_open(char *why, size_t why_bytes) {
  int count = 0, major = 0;
  void *context;
  if (!open_library(why, why_bytes))
    return 0;
  if (failed(cu.init(0), "cuInit") || failed(cu.device_count(&count), "cuDeviceGetCount")) {
    snprintf(why, why_bytes, "the NVIDIA driver finds no GPU: %s", last);
    return 0;
  }
  if (!count) {
    snprintf(why, why_bytes, "the NVIDIA driver finds no GPU");
    return 0;
  }
  if (failed(cu.device_get(&device, 0), "cuDeviceGet") ||
      failed(cu.attribute(&major, 75, device), "cuDeviceGetAttribute") ||
      failed(cu.retain(&context, device), "cuDevicePrimaryCtxRetain") ||
      failed(cu.make_current(context), "cuCtxSetCurrent")) {
    snprintf(why, why_bytes, "the GPU cannot be used: %s", last);
    return 0;
  }
  if (major < 8) {
    snprintf(why, why_bytes, "the GPU has compute capability %d, at least 8 is needed", major);
    return 0;
  }
  return 1;
}

void device_describe(void) {
  static const struct {
    const char *key;
    int attribute;
  } facts[] = {{"major", 75},    {"minor", 76},        {"sms", 16},     {"clock_khz", 13}, {"memory_clock_khz", 36},
               {"l2_bytes", 38}, {"shared_bytes", 97}, {"bus_bits", 37}};
  char name[256] = "";
  int version = 0;
  size_t total = 0;
  cu.device_name(name, sizeof name, device);
  cu.version(&version);
  cu.total(&total, device);
  json_begin("machine", NULL);
  json_flag("gpu", 1);
  json_text("name", name);
  json_number("driver", version);
  json_number("memory_bytes", (double)total);
  for (size_t n = 0; n < sizeof facts / sizeof *facts; ++n) {
    int value = 0;
    if (!cu.attribute(&value, facts[n].attribute, device))
      json_number(facts[n].key, value);
  }
  json_end();
}

/* ---- memory ---- */

enum { TAIL = 256, TAIL_BYTE = 0xcd };

int device_alloc(void **at, size_t bytes) {
  address a = 0;
  TRY(alloc, &a, bytes + TAIL);
  *at = (void *)(uintptr_t)a;
  TRY(fill, a + bytes, TAIL_BYTE, TAIL);
  return 0;
}

int device_free(void *at, size_t bytes, int *overrun) {
  unsigned char tail[TAIL];
  if (!at)
    return 0;
  TRY(get, tail, (address)(uintptr_t)at + bytes, TAIL);
  for (int n = 0; n < TAIL; ++n)
    *overrun |= tail[n] != TAIL_BYTE;
  TRY(free, (address)(uintptr_t)at);
  return 0;
}

int device_put(void *at, const void *from, size_t bytes) {
  if (bytes)
    TRY(put, (address)(uintptr_t)at, from, bytes);
  return 0;
}

int device_get(void *to, const void *at, size_t bytes) {
  if (bytes)
    TRY(get, to, (address)(uintptr_t)at, bytes);
  return 0;
}

int device_fill(void *at, unsigned char byte, size_t bytes) {
  if (bytes)
    TRY(fill, (address)(uintptr_t)at, byte, bytes);
  return 0;
}

int device_wait(void) {
  TRY(synchronize);
  return 0;
}

int device_time(int (*fn)(void *), void *ctx, double *seconds) {
  static void *from, *to;
  float milliseconds;
  if (!from) {
    TRY(event_create, &from, 0);
    TRY(event_create, &to, 0);
  }
  TRY(event_record, from, NULL);
  if (fn(ctx))
    return 1;
  TRY(event_record, to, NULL);
  TRY(event_wait, to);
  TRY(event_time, &milliseconds, from, to);
  *seconds = 1e-3 * (double)milliseconds;
  return 0;
}

int device_probe(const char *ptx, int threads, void *in, void *out) {
  void *module, *function, *parameters[2] = {&in, &out};
  TRY(load, &module, ptx, 0, NULL, NULL);
  TRY(function, &function, module, "probe");
  TRY(launch, function, 1, 1, 1, (unsigned)threads, 1, 1, 2048, NULL, parameters, NULL);
  TRY(synchronize);
  TRY(unload, module);
  return 0;
}
