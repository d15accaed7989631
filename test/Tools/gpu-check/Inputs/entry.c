/* entry.c - what docs/gpu.md shows: a kernel of an object, by its exported functions. The first query sees the first
 * key alone, so its result is that key's value. */
#include "causal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 1, H = 2, N = 40, D = 64, COUNT = B * H * N * D };

static void *library;
static int (*function(const char *name))() {
  int (*f)();
  void *const found = dlsym(library, name);
  memcpy(&f, &found, sizeof f);
  return f;
}

static void *device_memory(size_t bytes) {
  unsigned long long address = 0;
  int (*alloc)(unsigned long long *, size_t) = (int (*)(unsigned long long *, size_t))function("cuMemAlloc_v2");
  if (alloc(&address, bytes))
    exit(3);
  return (void *)(uintptr_t)address;
}

int main(void) {
  void *context;
  library = dlopen(getenv("ATTN_LIBCUDA"), RTLD_NOW);
  if (!library || ((int (*)(void **, int))function("cuDevicePrimaryCtxRetain"))(&context, 0) ||
      ((int (*)(void *))function("cuCtxSetCurrent"))(context))
    return 3;
  int (*put)(unsigned long long, const void *, size_t) =
      (int (*)(unsigned long long, const void *, size_t))function("cuMemcpyHtoD_v2");
  int (*get)(void *, unsigned long long, size_t) =
      (int (*)(void *, unsigned long long, size_t))function("cuMemcpyDtoH_v2");

  static float x[COUNT], o[COUNT];
  for (int n = 0; n < COUNT; ++n)
    x[n] = (float)((n * 37 + n / (N * D) * 5) % 64 - 32) / 16;
  attn_tensor args[attn_causal_num_args];
  for (int a = 0; a < attn_causal_num_args; ++a) {
    const int rank = a == attn_causal_arg_lse ? 3 : 4;
    args[a] = (attn_tensor){.code = ATTN_FLOAT, .bits = 32, .lanes = 1, .rank = rank};
    const int64_t shape[4] = {B, H, N, D}, dense[4] = {H * N * D, N * D, D, 1}, rows[3] = {H * N, N, 1};
    memcpy(args[a].shape, shape, sizeof(int64_t) * (size_t)rank);
    memcpy(args[a].stride, rank == 4 ? dense : rows, sizeof(int64_t) * (size_t)rank);
    args[a].data = device_memory(sizeof x);
    if (a < attn_causal_arg_o && put((unsigned long long)(uintptr_t)args[a].data, x, sizeof x))
      return 3;
  }
  attn_error error = {0};
  attn_call call = {.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof call, .args = args, .variant = -1};
  call.n_args = attn_causal_num_args;
  call.error = &error;
  args[attn_causal_arg_lse].data = NULL; /* not wanted */
  attn_status status = attn_causal_gpu_workspace(&call, &call.workspace_bytes);
  call.workspace = device_memory(call.workspace_bytes);
  if (!status)
    status = attn_causal_gpu(&call, NULL);
  if (!status)
    status = attn_rt_gpu_finish(&call, &attn_causal_gpu_info, NULL);
  printf("%s, workspace of %s\n", attn_status_name(status), call.workspace_bytes >= 64 ? "64 bytes or more" : "less");
  if (get(o, (unsigned long long)(uintptr_t)args[attn_causal_arg_o].data, sizeof o))
    return 3;
  for (int h = 0; h < H; ++h)
    printf("head %d: %.4f %.4f of %.4f %.4f\n", h, (double)o[h * N * D], (double)o[h * N * D + 1], (double)x[h * N * D],
           (double)x[h * N * D + 1]);

  args[attn_causal_arg_k].shape[3] = 63;
  status = attn_causal_gpu(&call, NULL);
  printf("%s, arg %d axis %d: expected %d, found %d\n", attn_status_name(status), error.arg, error.axis,
         (int)error.expected, (int)error.found);
  args[attn_causal_arg_k].shape[3] = D;
  call.variant = 99;
  printf("%s\n", attn_status_name(attn_causal_gpu(&call, NULL)));
  call.variant = -1;
  ((int (*)(void *))function("cuCtxSetCurrent"))(NULL);
  status = attn_causal_gpu(&call, NULL);
  const char *name;
  const char *where = attn_rt_gpu_error(NULL, &name);
  printf("%s, %s: %s\n", attn_status_name(status), where, name);
  return 0;
}
