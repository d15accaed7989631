/* attn_gpu.h - kernels on an NVIDIA GPU: what the compiler emits beside them, how a call becomes launches, and the
 * calls themselves.
 *
 * A program @K compiled for a GPU exports
 *   attn_status attn_K_gpu(const attn_call *call, void *stream);                     = attn_rt_gpu_run
 *   attn_status attn_K_gpu_workspace(const attn_call *call, uint64_t *bytes);        = attn_rt_gpu_workspace
 *   extern const attn_gpu_info attn_K_gpu_info;
 * The call is the attn_call of attn_rt.h. Tensors, scalars and errors mean the same; data and workspace are addresses
 * of device memory, the workspace a multiple of 64. parallel_for, pool and workers are not used. All that a call can be
 * refused for without reading an element of a tensor is checked before anything is launched.
 *
 * Nothing here needs a header or a library of CUDA: libcuda is found at run time, and attn_gpu_plan needs none.
 */
#ifndef ATTN_GPU_H
#define ATTN_GPU_H

#include "attn-rt/attn_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what the compiler emits ---- */

/* The device code of an object, for one architecture. All kernels of an object share the array, which ends with
 * data = NULL; its address is what tells modules apart. */
typedef struct attn_gpu_image {
  int32_t sm;       /* 10 * major + minor: 80, 90; of PTX the least that runs it */
  int32_t is_ptx;   /* 1: PTX text, NUL-terminated; 0: a cubin, for GPUs of this major and a minor not below */
  const void *data; /* NULL: end of the array */
  uint64_t bytes;   /* of data; of PTX with its NUL */
} attn_gpu_image;

/* A phase is one launch of a grid along x. Phases of a variant run in order, each after the one before it.
 *
 * MAIN and MERGE: with Q = ceil(rows / block), CTA x = ((batch * slices + slice) * chunks + chunk) * Q + block of rows;
 * batch counts the indices of all ATTN_DIM_BATCH dimensions, row-major, the last one fastest, and rows are queries.
 * `together`: batch counts groups of indices, ceil(extent / share) along each of these dimensions (share 0: one), and
 * rows are the queries of all members of a group: G for each query, the product of all shares (share 0: the extent),
 * row n of query n div G and of member n mod G, which counts row-major; of a last group that lacks members, their rows
 * are nobody's. There are no CTAs without queries or without a batch index; without keys there are. MAP: CTA x computes
 * elements [x * block, (x + 1) * block) of the destination, which is the last of args, counted row-major; a destination
 * that nobody wants is not computed. */
enum { ATTN_GPU_MAIN = 0, ATTN_GPU_MERGE = 1, ATTN_GPU_MAP = 2 };
typedef struct attn_gpu_phase_info {
  const char *entry;    /* name of the entry in the images */
  int32_t kind;         /* ATTN_GPU_* */
  int32_t threads;      /* of a CTA, along x */
  int32_t shared_bytes; /* dynamic shared memory of a CTA; more than 48 KiB is asked of the driver first */
  int32_t block;        /* rows (MAIN, MERGE) or elements of the destination (MAP) of a CTA; 0: all */
  int32_t chunks;       /* of MAIN: runs of the keys, each with CTAs of its own; 0 counts as 1. MERGE, MAP: not read */
  int32_t slices;       /* of MAIN and MERGE: runs of the value features, each with CTAs of its own; 0 counts as 1 */
  int32_t together;     /* of MAIN and MERGE: 1: rows are the queries of all batch indices that share keys */
} attn_gpu_phase_info;

/* A call takes the first variant whose guards hold: aligned, min_keys, max_ctas. The last one has none. */
typedef struct attn_gpu_variant_info {
  const char *name;
  const attn_gpu_phase_info *phases;
  int32_t n_phases;
  int32_t block_keys; /* of MAIN: keys of a block; 0: not said */
  uint64_t aligned;   /* bit n: every row of args[n] begins at a multiple of 16 bytes: its pointer is one, its last axis
                         has stride 1, and of every other axis the stride is a multiple of 16 bytes; axes of one index
                         do not count, nor does a tensor without elements or an output that nobody wants */
  int64_t min_keys;   /* at least so many keys; 0: any number */
  int64_t max_ctas;   /* at most so many CTAs of MAIN before chunks are counted; 0: any number */
  int64_t state_bytes; /* what a CTA of MAIN keeps for MERGE, a multiple of 64; 0: nothing */
} attn_gpu_variant_info;

/* One step of a kernel of several: attn_step_info with the kernel's code for the GPU. */
struct attn_gpu_info;
typedef struct attn_gpu_step_info {
  const struct attn_gpu_info *kernel; /* has no steps itself */
  const int32_t *values;              /* one for each of its args */
  const int32_t *params;              /* one for each of its params */
} attn_gpu_step_info;

typedef struct attn_gpu_info {
  uint32_t abi_version;                  /* ATTN_RT_ABI_VERSION */
  uint32_t size;                         /* sizeof(attn_gpu_info) */
  const attn_kernel_info *kernel;        /* dims, args, params, n_temps; its variants, steps and isa are not read */
  const attn_gpu_image *images;          /* of a kernel of several steps: not read, its steps have theirs */
  const attn_gpu_variant_info *variants; /* of a kernel of several steps: not read */
  const attn_gpu_step_info *steps;
  int32_t n_variants; /* of a kernel of several steps: how many can be forced; 0: as many as the step with the most has.
                         A step with fewer takes its last */
  int32_t n_steps;    /* 0: a kernel that is not made of others */
} attn_gpu_info;

/* ---- from a call to launches ---- */

/* One launch. Every entry has the same parameters: 64 bits for each pointer, then one struct by value, of words. */
typedef struct attn_gpu_launch {
  const attn_gpu_info *info; /* the kernel that is launched: of a kernel of several steps, the step's */
  const attn_gpu_phase_info *phase;
  int32_t variant; /* of info */
  uint32_t grid;   /* CTAs, 1 to 2^31 - 1 */
  /* One for each of the kernel's args, NULL for an output that nobody wants; then the workspace of the step: a multiple
     of 64, at which are 64 bytes of status words, then state_bytes for each CTA of MAIN. The status words are zero
     before the step's first phase. */
  void *const *pointers;
  int32_t n_pointers;
  /* Extents by dimension (-1 of a feature dimension that no tensor tells; the compiler knows it), then of every tensor
     shape[rank] and stride[rank] in elements, then the scalars, each the bits of its attn_scalar. */
  const int64_t *words;
  int32_t n_words;
} attn_gpu_launch;

/* The status words: what a kernel found in the elements of its tensors, the first of them that was written.
 *   int64_t status[8] = {0: nothing; 1: a bad index, ATTN_E_LENGTH or ATTN_E_FACT: that,
 *                        arg, axis (-1: none), the index, length or element,
 *                        full, partial: blocks that MAIN visited, of the first sweep and slice; not 0: count them, 0}
 * arg and axis count as in the kernel that was launched. The runtime asks for no counts: the seventh word stays 0. */

/* What attn_gpu_plan hands its launches to. Anything but ATTN_OK ends the plan, which returns it. Structs and arrays
 * are valid until it returns. */
typedef attn_status (*attn_gpu_launch_fn)(void *ctx, const attn_gpu_launch *launch);

/* Checks the call, chooses variants, and hands the launches to fn in order, all checks of all steps before the first.
 * No launch where there is no row. Pure host code: data and workspace may be any addresses, nothing is read there.
 *
 * As attn_rt_run: ATTN_E_VERSION, _ARGUMENT (also: the workspace is no multiple of 64, expected 64, found its rest),
 * _DTYPE, _RANK, _SHAPE, _STRIDE, _ALIAS, _OVERFLOW (also: more than 2^31 - 1 CTAs), _WORKSPACE. ATTN_E_VARIANT: no
 * variant is left, or the one forced by call->variant does not exist or its `aligned` does not hold; its min_keys and
 * max_ctas are matters of speed and not asked. Lengths, facts and indices are found by the kernels.
 *
 * After ATTN_OK call->stats, if given, has the variant of the leading step (attn_kernel_info.steps says which) and 0
 * elsewhere. */
attn_status attn_gpu_plan(const attn_call *call, const attn_gpu_info *info, attn_gpu_launch_fn fn, void *ctx);

/* Copies bytes from device memory. */
typedef attn_status (*attn_gpu_read_fn)(void *ctx, void *to, const void *from, uint64_t bytes);

/* After the launches of the same call, unchanged, have ended: reads the status words of its steps. ATTN_OK, or what the
 * first step with a fault found (ATTN_E_INDEX, ATTN_E_LENGTH, ATTN_E_FACT), with call->error. */
attn_status attn_gpu_faults(const attn_call *call, const attn_gpu_info *info, attn_gpu_read_fn read, void *ctx);

/* Bytes of device memory that the call needs as its workspace, 0 if nothing is launched. Looks at shapes, at no stride
 * and no data pointer: enough for every variant that alignment can choose. */
attn_status attn_rt_gpu_workspace(const attn_call *call, const attn_gpu_info *info, uint64_t *bytes);

/* ---- on the GPU ----
 *
 * libcuda.so.1 is loaded by the first call that needs it; the environment variable ATTN_LIBCUDA names another file (not
 * heeded by set-user-ID programs). A CUDA context must be current in the calling thread, as it is after any call of
 * CUDA's runtime API; tensors, workspace and stream are of that context. Any number of threads may call at the same
 * time. Every function here may return
 *   ATTN_E_NO_DRIVER  no libcuda, one without a function that is needed, or a cuInit that failed; not remembered: the
 *                     next call tries again
 *   ATTN_E_CUDA       the driver returned an error, which also has found of call->error for its number
 * and attn_rt_gpu_error then says more. */

/* Plans the call (see attn_gpu_plan for what it refuses) and enqueues its launches on the stream (a CUstream, which is
 * a cudaStream_t; NULL: the default stream), each step's status words set to zero before it. Returns without waiting.
 * The first call of a kernel in a context loads its module, by the cubin whose sm has the GPU's major and the highest
 * minor not above the GPU's, else by the newest PTX that the GPU can run, which the driver compiles;
 * ATTN_E_DEVICE if there is neither, with the GPU's sm for found. Later calls allocate nothing and do not synchronize,
 * and can be captured into a CUDA graph. Until the work on the stream has ended the workspace belongs to this call. */
attn_status attn_rt_gpu_run(const attn_call *call, const attn_gpu_info *info, void *stream);

/* Waits for the stream, then as attn_gpu_faults: what the kernels of the same call found. Nobody has to call it whose
 * program loads no captured index, length or fact that could be wrong. */
attn_status attn_rt_gpu_finish(const attn_call *call, const attn_gpu_info *info, void *stream);

/* Loads a kernel into the current context ahead of its first call. */
attn_status attn_rt_gpu_load(const attn_gpu_info *info);

/* Unloads from the current context what was loaded of these images. To be called before an object with kernels is
 * taken out of memory, in each context they ran in, when none of their calls or launches is under way. */
attn_status attn_rt_gpu_unload(const attn_gpu_image *images);

/* The last error of the driver that a function here met in this thread: returns the name of the driver's function (""
 * if there was none yet), with the CUresult and its name ("CUDA_ERROR_ILLEGAL_ADDRESS"). -1 and a sentence where the
 * library or the function was not found. Both pointers may be NULL. */
const char *attn_rt_gpu_error(int *result, const char **name);

#ifdef __cplusplus
}
#endif
#endif
