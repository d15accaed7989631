/* gpu_driver.h - what libattn_rt calls of libcuda. Types and numbers are those of NVIDIA's driver API, which does not
 * change them; no header of it is needed. */
#ifndef ATTN_RT_GPU_DRIVER_H
#define ATTN_RT_GPU_DRIVER_H

#include "internal.h"

#pragma GCC visibility push(hidden)

typedef unsigned long long attn_cu_address;

enum {
  ATTN_CU_INVALID_CONTEXT = 201,
  /* CUdevice_attribute */
  ATTN_CU_CAPABILITY_MAJOR = 75,
  ATTN_CU_CAPABILITY_MINOR = 76,
  /* CUfunction_attribute */
  ATTN_CU_MAX_DYNAMIC_SHARED_BYTES = 8
};

/* X(member, exported name, parameters). All return a CUresult. */
#define ATTN_CU_FUNCTIONS(X)                                                                                           \
  X(init, "cuInit", (unsigned flags))                                                                                  \
  X(context, "cuCtxGetCurrent", (void **context))                                                                      \
  X(device, "cuCtxGetDevice", (int *device))                                                                           \
  X(attribute, "cuDeviceGetAttribute", (int *value, int attribute, int device))                                        \
  X(load, "cuModuleLoadDataEx", (void **module, const void *image, unsigned options, int *names, void **values))       \
  X(unload, "cuModuleUnload", (void *module))                                                                          \
  X(function, "cuModuleGetFunction", (void **function, void *module, const char *name))                                \
  X(set, "cuFuncSetAttribute", (void *function, int attribute, int value))                                             \
  X(launch, "cuLaunchKernel",                                                                                          \
    (void *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz, unsigned shared,       \
     void *stream, void **parameters, void **extra))                                                                   \
  X(zero, "cuMemsetD8Async", (attn_cu_address to, unsigned char byte, size_t bytes, void *stream))                     \
  X(copy, "cuMemcpyDtoHAsync_v2", (void *to, attn_cu_address from, size_t bytes, void *stream))                        \
  X(synchronize, "cuStreamSynchronize", (void *stream))

typedef struct attn_cu_driver {
#define X(member, name, parameters) int(*member) parameters;
  ATTN_CU_FUNCTIONS(X)
#undef X
  /* These may be missing. */
  int (*context_id)(void *context, unsigned long long *id); /* cuCtxGetId, from 12.0 on */
  int (*error_name)(int result, const char **name);
} attn_cu_driver;

/* The driver, found and initialized at the first call that succeeds; later calls take no lock. ATTN_E_NO_DRIVER, told
 * by attn_rt_gpu_error too. */
attn_status attn_rt_gpu_driver(const attn_call *call, const attn_cu_driver **driver);

/* Notes for attn_rt_gpu_error that `function` returned `result`, and fails the call with status; of call->error found
 * is the result. call may be NULL. */
attn_status attn_rt_gpu_fail(const attn_call *call, attn_status status, const char *function, int result);

/* Calls a function of the driver; in case of an error returns ATTN_E_CUDA from the function around it. */
#define ATTN_CU_TRY(call, driver, member, name, ...)                                                                   \
  do {                                                                                                                 \
    const int result_ = (driver)->member(__VA_ARGS__);                                                                 \
    if (result_)                                                                                                       \
      return attn_rt_gpu_fail(call, ATTN_E_CUDA, name, result_);                                                       \
  } while (0)

#pragma GCC visibility pop
#endif
