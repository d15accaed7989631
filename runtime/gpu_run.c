/* gpu_run.c - runs a plan on the caller's stream: modules, functions, launches.
 *
 * The function of a phase is found in a table by (context, images, phase). Looking takes no lock: entries are pushed at
 * the head of their bucket's list when they are complete, and are never freed. The first call of a kernel in a context
 * loads its module, or the one another kernel of the same object loaded, and enters all phases of all its variants, of
 * all steps; so later calls allocate nothing, whichever variant they take. An entry that was unloaded has no images
 * until it is filled anew.
 */
#include "gpu_driver.h"

#include "attn-rt/attn_gpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BUCKETS = 256, STATIC_SHARED_BYTES = 48 << 10 };

/* Contexts are told apart by their number where the driver gives them one: an address can be another's later. */
typedef uint64_t context;

/* images is written last and read first: who sees the images he looks for sees the rest. */
typedef struct entry {
  struct entry *next;
  _Atomic(const attn_gpu_image *) images;
  _Atomic(const void *) phase; /* NULL: the module itself */
  _Atomic context owner;
  _Atomic(void *) handle; /* a function, or a module */
  _Atomic int result;     /* of a function that could not be made ready */
} entry;

static _Atomic(entry *) table[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t bucket_of(context owner, const attn_gpu_image *images, const void *phase) {
  uint64_t x = owner ^ (uint64_t)(uintptr_t)images ^ (uint64_t)(uintptr_t)phase << 21;
  x *= UINT64_C(0x9e3779b97f4a7c15);
  return (size_t)(x >> 56);
}

static entry *look_up(context owner, const attn_gpu_image *images, const void *phase) {
  entry *e = atomic_load_explicit(&table[bucket_of(owner, images, phase)], memory_order_acquire);
  for (; e; e = e->next)
    if (atomic_load_explicit(&e->images, memory_order_acquire) == images &&
        atomic_load_explicit(&e->phase, memory_order_relaxed) == phase &&
        atomic_load_explicit(&e->owner, memory_order_relaxed) == owner)
      return e;
  return NULL;
}

/* Under the lock. Zero if there is no memory. */
static int enter(context owner, const attn_gpu_image *images, const void *phase, void *handle, int result) {
  _Atomic(entry *) *head = &table[bucket_of(owner, images, phase)];
  entry *const first = atomic_load_explicit(head, memory_order_relaxed), *e = first;
  while (e && atomic_load_explicit(&e->images, memory_order_relaxed))
    e = e->next;
  const int is_new = !e;
  if (is_new && !(e = calloc(1, sizeof *e)))
    return 0;
  atomic_store_explicit(&e->phase, phase, memory_order_relaxed);
  atomic_store_explicit(&e->owner, owner, memory_order_relaxed);
  atomic_store_explicit(&e->handle, handle, memory_order_relaxed);
  atomic_store_explicit(&e->result, result, memory_order_relaxed);
  atomic_store_explicit(&e->images, images, memory_order_release);
  if (is_new) {
    e->next = first;
    atomic_store_explicit(head, e, memory_order_release);
  }
  return 1;
}

/* ---- loading ---- */

static attn_status current_context(const attn_call *call, const attn_cu_driver *driver, context *owner) {
  void *handle = NULL;
  unsigned long long id;
  ATTN_CU_TRY(call, driver, context, "cuCtxGetCurrent", &handle);
  if (!handle)
    return attn_rt_gpu_fail(call, ATTN_E_CUDA, "cuCtxGetCurrent", ATTN_CU_INVALID_CONTEXT);
  *owner = (context)(uintptr_t)handle;
  if (!driver->context_id)
    return ATTN_OK;
  ATTN_CU_TRY(call, driver, context_id, "cuCtxGetId", handle, &id);
  *owner = id;
  return ATTN_OK;
}

/* The cubin of the device's major with the highest minor not above its own, else the newest PTX that it can run. */
static const attn_gpu_image *choose_image(const attn_gpu_image *images, int32_t sm) {
  const attn_gpu_image *cubin = NULL, *ptx = NULL;
  for (const attn_gpu_image *i = images; i && i->data; ++i) {
    if (i->is_ptx ? i->sm <= sm && (!ptx || i->sm > ptx->sm)
                  : i->sm / 10 == sm / 10 && i->sm <= sm && (!cubin || i->sm > cubin->sm))
      *(i->is_ptx ? &ptx : &cubin) = i;
  }
  return cubin ? cubin : ptx;
}

static attn_status load_module(const attn_call *call, const attn_cu_driver *driver, context owner,
                               const attn_gpu_image *images, void **module) {
  const entry *e = look_up(owner, images, NULL);
  if (e) {
    *module = atomic_load_explicit(&e->handle, memory_order_relaxed);
    return ATTN_OK;
  }
  int device, major, minor;
  ATTN_CU_TRY(call, driver, device, "cuCtxGetDevice", &device);
  ATTN_CU_TRY(call, driver, attribute, "cuDeviceGetAttribute", &major, ATTN_CU_CAPABILITY_MAJOR, device);
  ATTN_CU_TRY(call, driver, attribute, "cuDeviceGetAttribute", &minor, ATTN_CU_CAPABILITY_MINOR, device);
  const int32_t sm = major * 10 + minor;
  const attn_gpu_image *image = choose_image(images, sm);
  if (!image)
    return call ? attn_rt_fail(call, ATTN_E_DEVICE, -1, -1, images && images->data ? images->sm : -1, sm)
                : ATTN_E_DEVICE;
  ATTN_CU_TRY(call, driver, load, "cuModuleLoadDataEx", module, image->data, 0, NULL, NULL);
  if (enter(owner, images, NULL, *module, 0))
    return ATTN_OK;
  driver->unload(*module);
  return attn_rt_gpu_fail(call, ATTN_E_CUDA, "malloc", 2); /* CUDA_ERROR_OUT_OF_MEMORY, of the host here */
}

static attn_status load_one(const attn_call *call, const attn_cu_driver *driver, context owner,
                            const attn_gpu_info *info) {
  void *module = NULL;
  const attn_status status = load_module(call, driver, owner, info->images, &module);
  if (status)
    return status;
  for (int32_t v = 0; v < info->n_variants; ++v)
    for (int32_t n = 0; n < info->variants[v].n_phases; ++n) {
      const attn_gpu_phase_info *phase = &info->variants[v].phases[n];
      void *function = NULL;
      int result = 0;
      if (look_up(owner, info->images, phase))
        continue;
      ATTN_CU_TRY(call, driver, function, "cuModuleGetFunction", &function, module, phase->entry);
      /* A GPU may be too small for one variant and large enough for the others: the call that takes it fails. */
      if (phase->shared_bytes > STATIC_SHARED_BYTES)
        result = driver->set(function, ATTN_CU_MAX_DYNAMIC_SHARED_BYTES, phase->shared_bytes);
      if (!enter(owner, info->images, phase, function, result))
        return attn_rt_gpu_fail(call, ATTN_E_CUDA, "malloc", 2);
    }
  return ATTN_OK;
}

static attn_status load_all(const attn_call *call, const attn_cu_driver *driver, context owner,
                            const attn_gpu_info *info) {
  attn_status status = ATTN_OK;
  pthread_mutex_lock(&lock);
  if (!info->n_steps)
    status = load_one(call, driver, owner, info);
  for (int32_t n = 0; !status && n < info->n_steps; ++n)
    status = load_one(call, driver, owner, info->steps[n].kernel);
  pthread_mutex_unlock(&lock);
  return status;
}

attn_status attn_rt_gpu_load(const attn_gpu_info *info) {
  const attn_cu_driver *driver;
  context owner;
  attn_status status;
  if (!info)
    return ATTN_E_ARGUMENT;
  if (info->abi_version != ATTN_RT_ABI_VERSION || info->size != sizeof *info)
    return ATTN_E_VERSION;
  if ((status = attn_rt_gpu_driver(NULL, &driver)) || (status = current_context(NULL, driver, &owner)))
    return status;
  return load_all(NULL, driver, owner, info);
}

attn_status attn_rt_gpu_unload(const attn_gpu_image *images) {
  const attn_cu_driver *driver;
  context owner;
  attn_status status;
  void *module = NULL;
  if (!images)
    return ATTN_E_ARGUMENT;
  if ((status = attn_rt_gpu_driver(NULL, &driver)) || (status = current_context(NULL, driver, &owner)))
    return status;
  pthread_mutex_lock(&lock);
  for (size_t b = 0; b < BUCKETS; ++b)
    for (entry *e = atomic_load_explicit(&table[b], memory_order_relaxed); e; e = e->next) {
      if (atomic_load_explicit(&e->images, memory_order_relaxed) != images ||
          atomic_load_explicit(&e->owner, memory_order_relaxed) != owner)
        continue;
      if (!atomic_load_explicit(&e->phase, memory_order_relaxed))
        module = atomic_load_explicit(&e->handle, memory_order_relaxed);
      atomic_store_explicit(&e->images, NULL, memory_order_relaxed);
    }
  pthread_mutex_unlock(&lock);
  if (module)
    ATTN_CU_TRY(NULL, driver, unload, "cuModuleUnload", module);
  return ATTN_OK;
}

/* ---- running ---- */

typedef struct run {
  const attn_call *call;
  const attn_gpu_info *info;
  const attn_cu_driver *driver;
  void *stream;
  context owner;
  const void *zeroed; /* the status words that were last set to zero */
} run;

static attn_status launch(void *ctx, const attn_gpu_launch *l) {
  run *r = ctx;
  const entry *e = look_up(r->owner, l->info->images, l->phase);
  if (!e) {
    const attn_status status = load_all(r->call, r->driver, r->owner, r->info);
    if (status)
      return status;
    e = look_up(r->owner, l->info->images, l->phase);
  }
  const int result = atomic_load_explicit(&e->result, memory_order_relaxed);
  if (result)
    return attn_rt_gpu_fail(r->call, ATTN_E_CUDA, "cuFuncSetAttribute", result);

  void *const words = l->pointers[l->n_pointers - 1];
  if (words != r->zeroed) {
    ATTN_CU_TRY(r->call, r->driver, zero, "cuMemsetD8Async", (attn_cu_address)(uintptr_t)words, 0, ATTN_RT_LINE,
                r->stream);
    r->zeroed = words;
  }
  void *parameters[ATTN_MAX_STEP_VALUES + 2]; /* where each parameter is: tensors, workspace, words */
  for (int32_t p = 0; p < l->n_pointers; ++p)
    parameters[p] = (void *)(uintptr_t)&l->pointers[p];
  parameters[l->n_pointers] = (void *)(uintptr_t)l->words;
  ATTN_CU_TRY(r->call, r->driver, launch, "cuLaunchKernel", atomic_load_explicit(&e->handle, memory_order_relaxed),
              l->grid, 1, 1, (unsigned)l->phase->threads, 1, 1, (unsigned)l->phase->shared_bytes, r->stream, parameters,
              NULL);
  return ATTN_OK;
}

static int is_readable(const attn_call *call) {
  return call && call->abi_version == ATTN_RT_ABI_VERSION && call->size == sizeof *call;
}

/* Where a call's error goes is known once its version is. */
static attn_status open_run(run *r, const attn_call *call, const attn_gpu_info *info, void *stream) {
  attn_status status;
  if (!call || !info)
    return ATTN_E_ARGUMENT;
  if (!is_readable(call))
    return ATTN_E_VERSION;
  *r = (run){.call = call, .info = info, .stream = stream};
  if ((status = attn_rt_gpu_driver(call, &r->driver)))
    return status;
  return current_context(call, r->driver, &r->owner);
}

attn_status attn_rt_gpu_run(const attn_call *call, const attn_gpu_info *info, void *stream) {
  run r;
  const attn_status status = open_run(&r, call, info, stream);
  return status ? status : attn_gpu_plan(call, info, launch, &r);
}

static attn_status read_words(void *ctx, void *to, const void *from, uint64_t bytes) {
  const run *r = ctx;
  ATTN_CU_TRY(r->call, r->driver, copy, "cuMemcpyDtoHAsync", to, (attn_cu_address)(uintptr_t)from, (size_t)bytes,
              r->stream);
  ATTN_CU_TRY(r->call, r->driver, synchronize, "cuStreamSynchronize", r->stream);
  return ATTN_OK;
}

attn_status attn_rt_gpu_finish(const attn_call *call, const attn_gpu_info *info, void *stream) {
  run r;
  const attn_status status = open_run(&r, call, info, stream);
  if (status)
    return status;
  ATTN_CU_TRY(call, r.driver, synchronize, "cuStreamSynchronize", stream);
  return attn_gpu_faults(call, info, read_words, &r);
}
