/* attn_rt.h - the C ABI between compiled kernels, their callers and libattn_rt.
 *
 * A kernel is called through one versioned struct of strided tensors. One kernel serves all lengths. Everything a
 * kernel needs at run time is in libattn_rt and libc. Sizes and offsets of these structs are part of the ABI and pinned
 * in abi.c; the compiler knows them through attn/Target/X86/RuntimeABI.h.
 */
#ifndef ATTN_RT_H
#define ATTN_RT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATTN_RT_ABI_VERSION 4u
#define ATTN_MAX_RANK 6
#define ATTN_MAX_DIMS 8
#define ATTN_MAX_STEP_VALUES 64   /* tensors, and scalars, of a kernel of several steps, with its temporaries */
#define ATTN_MAX_EXTENT INT32_MAX /* tokens along one axis; offsets are 64-bit */

typedef int32_t attn_status;
enum {
  ATTN_OK = 0,
  ATTN_E_VERSION = 1,  /* call or kernel info of another ABI version */
  ATTN_E_ARGUMENT = 2, /* wrong number of tensors or scalars, or a pointer is NULL or not aligned to its element */
  ATTN_E_DTYPE = 3,
  ATTN_E_RANK = 4,
  ATTN_E_SHAPE = 5,      /* extents disagree with the program's maps */
  ATTN_E_STRIDE = 6,     /* negative stride, or an output with stride 0 or overlapping itself */
  ATTN_E_ALIAS = 7,      /* an output overlaps an input or another output */
  ATTN_E_LENGTH = 8,     /* a length outside [0, extent] */
  ATTN_E_INDEX = 9,      /* a captured load at a visible position was out of bounds; the pair was treated as absent */
  ATTN_E_WORKSPACE = 10, /* workspace is missing or too small */
  ATTN_E_ISA = 11,       /* the CPU lacks a feature the kernel was compiled for */
  ATTN_E_OVERFLOW = 12,  /* a size does not fit */
  ATTN_E_VARIANT = 13,   /* a forced variant does not exist or its guard does not hold */
  ATTN_E_FACT = 14,      /* an element of a tensor breaks what the program promises of it: its order or its range */
  /* of a GPU: attn_gpu.h */
  ATTN_E_NO_DRIVER = 15, /* there is no libcuda, it is too old, or it finds no GPU */
  ATTN_E_DEVICE = 16,    /* no image of the kernel is for this GPU */
  ATTN_E_CUDA = 17       /* the driver refused: attn_rt_gpu_error says which of its errors it was */
};

/* DLPack's type codes. A boolean is one byte, 0 or 1. The two codes of 8-bit floats are formats of their own. */
enum {
  ATTN_INT = 0,
  ATTN_UINT = 1,
  ATTN_FLOAT = 2,
  ATTN_BFLOAT = 4,
  ATTN_BOOL = 6,
  ATTN_FLOAT8_E4M3FN = 10,
  ATTN_FLOAT8_E5M2 = 12
};

/* A strided tensor. Strides count elements. data may be NULL if the tensor has no element, or if it is an output nobody
 * wants. */
typedef struct attn_tensor {
  void *data;
  uint8_t code, bits;
  uint16_t lanes; /* 1 */
  int32_t rank;
  int64_t shape[ATTN_MAX_RANK];
  int64_t stride[ATTN_MAX_RANK];
} attn_tensor;

typedef union attn_scalar {
  int64_t i;
  double f;
} attn_scalar;

/* Runs fn(ctx, task, worker) for every task in [0, tasks), each exactly once, returns when all are done. worker is in
 * [0, workers) and no two tasks run at the same time under the same worker. */
typedef void (*attn_task_fn)(void *ctx, int64_t task, int32_t worker);
typedef void (*attn_parallel_for_fn)(void *pool, int64_t tasks, int32_t workers, attn_task_fn fn, void *ctx);

/* What one call did; filled in when attn_call.stats is not NULL and the call ran to its end (ATTN_OK, ATTN_E_INDEX).
 * Blocks are (query block) x (key block) of the chosen variant; where every query goes by a list of its own no block is
 * asked about, and all three counts are 0. */
typedef struct attn_stats {
  int64_t blocks_full, blocks_partial, blocks_skipped;
  int64_t tiles; /* microtiles visited */
  int64_t tile_rows, tile_keys, block_rows, block_keys;
  int64_t guarded; /* query blocks, against a chunk of the keys where they are split, redone for an accumulator that is
                      not finite */
  int32_t variant, workers;
} attn_stats;

/* The first thing that was wrong. arg indexes attn_call.args; arg and axis are -1 where they have no meaning. Where the
 * extents of something computed on the way disagree, they name the tensor that these extents came from. Not
 * written if the call itself is of another version. expected and found are extents, strides, lengths, counts or bytes;
 * 256 * code + bits for ATTN_E_DTYPE; for ATTN_E_ALIAS found is the other tensor. For ATTN_E_FACT found is the first
 * element that breaks its promise: with the axis along which elements ascend, expected is the greater one before it;
 * with axis -1, it is the bound that was broken, range_lo or range_hi. */
typedef struct attn_error {
  int32_t arg, axis;
  int64_t expected, found;
} attn_error;

typedef struct attn_call {
  uint32_t abi_version;      /* ATTN_RT_ABI_VERSION */
  uint32_t size;             /* sizeof(attn_call) */
  const attn_tensor *args;   /* the kernel's tensor arguments in order, then its results in order */
  const attn_scalar *params; /* the kernel's scalar arguments in order: integers in .i, floats in .f */
  int32_t n_args, n_params;
  void *workspace; /* at least what ..._workspace() says, any alignment (on a GPU: a multiple of 64) */
  uint64_t workspace_bytes;
  attn_parallel_for_fn parallel_for; /* NULL: libattn_rt's own pool */
  void *pool;        /* handed to parallel_for; for libattn_rt's own: attn_pool *, NULL = run on the caller's thread */
  int32_t workers;   /* at most this many threads; 0 means 1; decides the size of the workspace */
  int32_t variant;   /* -1: chosen by the guards; otherwise this one (tests, measurements) */
  attn_stats *stats; /* optional */
  attn_error *error; /* optional */
} attn_call;

/* ---- what the compiler emits beside the code of a kernel ---- */

/* One axis of a tensor: index = (dim div divisor) + offset. dim = -1: free axis (a captured table) or a constant index
 * (offset). */
typedef struct attn_axis_info {
  int32_t dim;     /* dimension that indexes the axis, or -1 */
  int32_t also;    /* a second dimension that must have the same extent, or -1 */
  int64_t divisor; /* >= 1 */
  int64_t offset;  /* constant added to the index; the extent must exceed the largest index, and without an offset be
                      exactly that of  the dimension or ceil(that / divisor) (free axes: 0 and flag below) */
  int64_t extent;  /* static extent, or -1 */
  int32_t is_free; /* 1: any extent is right */
  int32_t reserved;
} attn_axis_info;

enum { ATTN_ARG_INPUT = 0, ATTN_ARG_OUTPUT = 1 };

/* What the program promises of the elements of an integer tensor. The call checks it before any work: the sets of keys
 * are found by it. */
enum {
  ATTN_FACT_SORTED = 1, /* they ascend along the last axis; neighbours may be equal */
  ATTN_FACT_RANGE = 2   /* range_lo <= x < range_hi */
};

typedef struct attn_arg_info {
  const char *name;
  uint8_t code, bits;
  uint8_t role;     /* ATTN_ARG_* */
  uint8_t optional; /* output may be NULL */
  int32_t rank;
  int32_t length_of; /* values must lie in [0, extent of this dimension]; -1: no such fact */
  uint32_t facts;    /* ATTN_FACT_* together */
  int64_t range_lo, range_hi;
  attn_axis_info axis[ATTN_MAX_RANK];
} attn_arg_info;

typedef struct attn_param_info {
  const char *name;
  uint8_t code, bits; /* ATTN_INT 64/32 or ATTN_FLOAT 64/32 */
  uint8_t reserved[6];
} attn_param_info;

/* A dimension of the program. Batch dimensions say how far keys and values are shared along them: indices x with equal
 * x div share have the same K and V (share = 4 under grouped-query attention; 0: shared by all). All dimensions of an
 * elementwise kernel are ATTN_DIM_MAP; its variants say by `sizes` how many tasks there are. */
enum { ATTN_DIM_BATCH = 0, ATTN_DIM_QUERY = 1, ATTN_DIM_KEY = 2, ATTN_DIM_FEATURE = 3, ATTN_DIM_MAP = 4 };
typedef struct attn_dim_info {
  const char *name;
  int32_t kind;
  int32_t reserved;
  int64_t share;
} attn_dim_info;

/* What a phase's code sees of its task. */
typedef struct attn_task {
  const attn_tensor *args;
  const attn_scalar *params;
  const int64_t *extents;       /* by dimension */
  unsigned char *slot;          /* packed keys and values of this unit, 64-byte aligned */
  unsigned char *scratch;       /* this worker's own, 64-byte aligned */
  int64_t *counters;            /* this worker's own: full, partial, skipped, tiles, guarded */
  int64_t *bad;                 /* shared: [0] nonzero once an index was bad, [1] arg, [2] axis, [3] index */
  int64_t block;                /* first token of the task's block along the phase's axis */
  int64_t index[ATTN_MAX_DIMS]; /* batch indices by dimension */
  unsigned char *state;         /* of a phase with chunks: this task's; of MERGE: of the block's first chunk, the others
                                   follow; 64-byte aligned. NULL elsewhere */
  int64_t state_bytes;          /* from one chunk's state to the next */
  int64_t chunk, chunks;        /* which run of the keys, of how many; 0 of 1 without */
} attn_task;

/* A phase is one parallel launch over units (distinct key/value heads in flight) times blocks along an axis. ORDER and
 * PACK run once per unit (index = the unit's first member), MAIN and MERGE for every member of the unit; ORDER is one
 * task a unit. With chunks, MAIN is run for every block, member and chunk, each of which keeps a state in the unit's
 * slot for MERGE, whose blocks are the same. */
enum { ATTN_PHASE_PACK = 0, ATTN_PHASE_MAIN = 1, ATTN_PHASE_ORDER = 2, ATTN_PHASE_MERGE = 3 };
typedef struct attn_phase_info {
  void (*run)(const attn_task *task);
  int32_t kind;
  int32_t descending; /* 1: blocks are handed out from the last to the first (longest first under causal sets) */
  int64_t block;      /* positions per block along the axis: keys for PACK, queries for MAIN and MERGE */
  int32_t chunks;     /* of MAIN: runs of the keys, each a task of its own; 0: all keys are one task's; -n: a task has n
                         members of any units, counted by their batch indices, from task.chunk to below task.chunks,
                         and all their queries; such a variant keeps nothing in slots */
  int32_t together; /* 1: of MAIN and MERGE: the queries of all members of a unit are rows of the same blocks, member by
                       member (index = the first member's), and sizes.queries counts them all */
} attn_phase_info;

/* What a variant needs at run time beyond what its constants say. keys and queries come in as the extents. */
typedef struct attn_sizes {
  int64_t keys, queries;             /* positions along the axes: more or less than tokens where an order is in use */
  int64_t slot_bytes, scratch_bytes; /* beyond those below; scratch is zeroed once, before the first phase */
  int64_t state_bytes;               /* of one block of queries of one member and one chunk; in the slot, at its end */
} attn_sizes;

typedef struct attn_variant_info {
  const char *name;
  int32_t (*guard)(
      const attn_task *task); /* NULL: always; sees args, params, extents; must not look at data pointers, which a
                                 call of ..._workspace need not have: both must choose the same variant */
  const attn_phase_info *phases;
  void (*sizes)(const attn_task *task, attn_sizes *sizes); /* NULL: nothing more; sees what a guard sees */
  int32_t n_phases;
  int32_t reserved;
  /* slot bytes = slot_base + slot_per_panel * ceil(keys / panel) + sizes.slot_bytes, scratch_bytes +
     sizes.scratch_bytes per worker; the additional bytes begin at the next multiple of 64 */
  int64_t slot_base, slot_per_panel, panel;
  int64_t scratch_bytes;
  int64_t tile_rows, tile_keys, block_rows, block_keys;
} attn_variant_info;

/* One step of a kernel of several. Its tensors and scalars, in the order of its own attn_call, are values of the whole
 * call: value n is args[n], and from n_args on come temporaries. A temporary is written by one step and read by later
 * ones: dense, in the workspace, its element type and extents those of the step that writes it; it has no memory if no
 * step reads it. A result of the whole kernel that a later step reads is a temporary too where the caller does not want
 * it. */
struct attn_kernel_info;
typedef struct attn_step_info {
  const struct attn_kernel_info *kernel; /* has no steps itself */
  const int32_t *values;                 /* one for each of its args */
  const int32_t *params;                 /* one for each of its params: index of the whole call's */
} attn_step_info;

/* A CPU that has one has all before it. V4_BF16: V4 and AVX512-BF16. V4_AMX: that and tiles of AMX with bf16. */
enum {
  ATTN_ISA_X86_64_V2 = 2,
  ATTN_ISA_X86_64_V3 = 3,
  ATTN_ISA_X86_64_V4 = 4,
  ATTN_ISA_X86_64_V4_BF16 = 5,
  ATTN_ISA_X86_64_V4_AMX = 6
};
typedef struct attn_kernel_info {
  uint32_t abi_version;
  uint32_t size;
  const char *name;
  const attn_dim_info *dims;
  const attn_arg_info *args;
  const attn_param_info *params;
  const attn_variant_info *variants;
  int32_t n_dims, n_args, n_params, n_variants;
  int32_t isa;
  int32_t n_temps;
  /* A kernel of several steps: they run one after the other. It has no dims of its own. Its leading step is the first
     with an axis of keys, else the first: `variants` repeats that step's without guards and phases, and the stats name
     its variant and sizes. A forced variant holds for the steps that have it, the others take their last. */
  const attn_step_info *steps;
  int32_t n_steps; /* 0: a kernel that is not made of others */
  int32_t reserved;
  /* The same kernel compiled for a higher level than `isa`, or NULL; its own may name a still higher one. A call runs
     the highest that the CPU has and that ATTN_MAX_ISA admits. */
  const struct attn_kernel_info *higher;
} attn_kernel_info;

/* ---- what every kernel @K exports ----
 *   attn_status attn_K(const attn_call *call);
 *   attn_status attn_K_workspace(const attn_call *call, uint64_t *bytes);   // shapes, scalars and, by guards, strides
 * are
 *                                                                           // read; data pointers are not
 *   extern const attn_kernel_info attn_K_info;
 */

/* Bodies of the two exported functions. Of the levels that the object has (attn_kernel_info.higher) they take the
 * highest that this CPU and the operating system support. The environment variable ATTN_MAX_ISA, read at the first call
 * of the process, forces a lower one: x86-64-v1 to x86-64-v4, x86-64-v4-bf16 or x86-64-v4-amx; anything else is taken
 * as no limit. The registers of tiles are asked of the system where an object has that level. */
attn_status attn_rt_run(const attn_call *call, const attn_kernel_info *info);
attn_status attn_rt_workspace(const attn_call *call, const attn_kernel_info *info, uint64_t *bytes);
/* The level of `info` that these run: `info` itself or one of those above it. */
const attn_kernel_info *attn_rt_level(const attn_kernel_info *info);

/* Merges what attention over disjoint sets of keys gave: part p is o_p and lse_p of some of each row's keys. For every
 * row r = max(lse_0, lse_1, .., sink)     w_p = exp(lse_p - r)     l = sum_p w_p + exp(sink - r) o = sum_p w_p o_p / l
 * lse = r + log l A part whose lse is -inf is empty and not looked at; where all are, o = 0 and lse = sink, or -inf
 * without one. A row with an lse of NaN or +inf, or such a sink, is NaN; other non-finite numbers of an o go where the
 * formula takes them. All is computed in f64 in the order of the parts, so the results do not depend on the threads,
 * and merging ((a, b), c), (a, (b, c)) and (a, b, c) differs by rounding alone. A sink enters once: in one of several
 * merges.
 *
 * o has the axes of lse and the value feature as its last. Parts and results have equal extents and any strides; o is
 * f32, bf16 or f16 with an lse of f32, or both are f64; each o may have a type of its own. sink has the extents and the
 * type of lse, stride 0 where it is the same along an axis. What attn_error names: 2p is o_p, 2p + 1 lse_p, 2 n_parts
 * the sink, then the results o and lse, of which any may have data = NULL if it is not wanted. */
typedef struct attn_merge_call {
  uint32_t abi_version;     /* ATTN_RT_ABI_VERSION */
  uint32_t size;            /* sizeof(attn_merge_call) */
  const attn_tensor *parts; /* o_0, lse_0, o_1, lse_1, .. */
  const attn_tensor *sink;  /* NULL: none */
  const attn_tensor *o, *lse;
  int32_t n_parts; /* 1 or more */
  int32_t workers; /* as in attn_call */
  attn_parallel_for_fn parallel_for;
  void *pool;
  attn_error *error; /* optional */
} attn_merge_call;

attn_status attn_merge(const attn_merge_call *call);

/* A pool of n worker threads (the caller of parallel_for is one of them). Loops nested in a task, beside another loop
 * of the same pool, or in a forked child run on their own thread. NULL if there is no memory, which as a pool means the
 * caller's thread alone. */
typedef struct attn_pool attn_pool;
attn_pool *attn_pool_create(int32_t threads);
void attn_pool_destroy(attn_pool *pool);
void attn_rt_parallel_for(void *pool, int64_t tasks, int32_t workers, attn_task_fn fn, void *ctx);

const char *attn_status_name(attn_status status);   /* "ATTN_E_SHAPE" */
const char *attn_status_string(attn_status status); /* one sentence */

#ifdef __cplusplus
}
#endif
#endif
