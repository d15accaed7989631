/* gpu_plan.c - a call of a kernel for the GPU: its checks, its variants, its launches.
 *
 *   workspace = [for every step: status words, 64 bytes] [state of every CTA of its MAIN] ... [rooms of values that
 * steps hand on, as in sequence.c, dense, each from a multiple of 64]
 *
 * A kernel that is not made of others is one step. A step that launches nothing has no status words.
 */
#include "sequence.h"

#include "attn-rt/attn_gpu.h"

enum {
  LINE = ATTN_RT_LINE,
  ROW_ALIGNMENT = 16,
  MAX_ARGS = ATTN_MAX_STEP_VALUES,
  MAX_WORDS = ATTN_MAX_DIMS + MAX_ARGS * 2 * ATTN_MAX_RANK + ATTN_MAX_STEP_VALUES
};

/* One kernel of the call. */
typedef struct step {
  const attn_gpu_info *info;
  int64_t extents[ATTN_MAX_DIMS];
  int64_t at, bytes; /* its part of the workspace; no bytes: nothing is launched */
  int32_t variant;
  int with_data; /* data pointers count */
} step;

typedef struct plan {
  const attn_call *call;
  const attn_gpu_info *info;
  int32_t n_steps;
  int64_t rooms_at, total_bytes;
  step steps[ATTN_MAX_STEP_VALUES];
  /* of a kernel of several steps */
  attn_step_info order[ATTN_MAX_STEP_VALUES];
  attn_kernel_info kernel; /* whose steps these are */
  attn_rt_sequence sequence;
} plan;

static int64_t at_least_one(int64_t n) { return n > 0 ? n : 1; }

static int64_t extent_of_kind(const attn_kernel_info *kernel, const int64_t *extents, int32_t kind) {
  for (int32_t d = 0; d < kernel->n_dims; ++d)
    if (kernel->dims[d].kind == kind)
      return extents[d];
  return 0;
}

/* ---- grids ---- */

/* How many batch indices, or groups of those that share keys, and how many rows each has. Nonzero on overflow; rows of
 * a group are numbers of 31 bits to the kernel. An empty batch is 0. */
static int count_batch(const attn_kernel_info *kernel, const int64_t *extents, int together, int64_t *batch,
                       int64_t *rows) {
  *batch = 1;
  *rows = extent_of_kind(kernel, extents, ATTN_DIM_QUERY);
  for (int32_t d = 0; d < kernel->n_dims; ++d)
    if (kernel->dims[d].kind == ATTN_DIM_BATCH && !extents[d]) {
      *batch = 0;
      return 0;
    }
  for (int32_t d = 0; d < kernel->n_dims; ++d) {
    const int64_t share = kernel->dims[d].share;
    if (kernel->dims[d].kind != ATTN_DIM_BATCH)
      continue;
    const int64_t group = !together ? 1 : share > 0 ? share : extents[d];
    if (__builtin_mul_overflow(*batch, attn_rt_ceil_div(extents[d], group), batch) ||
        __builtin_mul_overflow(*rows, group, rows))
      return 1;
  }
  return together && *rows > INT32_MAX;
}

static int count_elements(const attn_tensor *t, int64_t *elements) {
  *elements = 1;
  if (attn_rt_is_empty(t)) {
    *elements = 0;
    return 0;
  }
  for (int32_t x = 0; x < t->rank; ++x)
    if (__builtin_mul_overflow(*elements, t->shape[x], elements))
      return 1;
  return 0;
}

static int64_t chunks_of(const attn_gpu_phase_info *phase) {
  return phase->kind == ATTN_GPU_MAIN ? at_least_one(phase->chunks) : 1;
}

/* CTAs of a phase, chunks not counted; nonzero on overflow. */
static int count_ctas(const attn_call *call, const step *s, const attn_gpu_phase_info *phase, int64_t *ctas) {
  const attn_kernel_info *kernel = s->info->kernel;
  if (phase->kind == ATTN_GPU_MAP) {
    const attn_tensor *destination = kernel->n_args ? &call->args[kernel->n_args - 1] : NULL;
    int64_t elements;
    *ctas = 0;
    if (!destination || (s->with_data && !destination->data))
      return 0;
    if (count_elements(destination, &elements))
      return 1;
    if (elements)
      *ctas = phase->block > 0 ? attn_rt_ceil_div(elements, phase->block) : 1;
    return 0;
  }
  int64_t batch, rows;
  if (count_batch(kernel, s->extents, phase->together, &batch, &rows))
    return 1;
  const int64_t blocks = rows > 0 && phase->block > 0 ? attn_rt_ceil_div(rows, phase->block) : rows > 0;
  return __builtin_mul_overflow(batch, at_least_one(phase->slices), ctas) ||
         __builtin_mul_overflow(*ctas, blocks, ctas);
}

static attn_status count_grid(const attn_call *call, const step *s, const attn_gpu_phase_info *phase, int64_t *grid) {
  if (count_ctas(call, s, phase, grid) || __builtin_mul_overflow(*grid, chunks_of(phase), grid))
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT32_MAX, -1);
  if (*grid > INT32_MAX)
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT32_MAX, *grid);
  return ATTN_OK;
}

/* Status words and states of a variant. */
static attn_status size_variant(const attn_call *call, const step *s, const attn_gpu_variant_info *v, int64_t *bytes) {
  int64_t states = 0, state_bytes;
  int launches = 0;
  for (int32_t i = 0; i < v->n_phases; ++i) {
    int64_t grid;
    const attn_status status = count_grid(call, s, &v->phases[i], &grid);
    if (status)
      return status;
    launches |= grid > 0;
    if (v->phases[i].kind == ATTN_GPU_MAIN && grid > states)
      states = grid;
  }
  if (__builtin_mul_overflow(v->state_bytes, states, &state_bytes) || attn_rt_round_up(state_bytes, &state_bytes) ||
      __builtin_add_overflow(state_bytes, LINE, bytes))
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  *bytes = launches ? *bytes : 0;
  return ATTN_OK;
}

/* ---- variants ---- */

static int rows_are_aligned(const attn_tensor *t) {
  if (attn_rt_is_absent(t))
    return 1;
  if ((uintptr_t)t->data % ROW_ALIGNMENT)
    return 0;
  for (int32_t x = 0; x < t->rank; ++x) {
    if (t->shape[x] < 2)
      continue;
    if (x == t->rank - 1 ? t->stride[x] != 1 : t->stride[x] * attn_rt_element_bytes(t) % ROW_ALIGNMENT != 0)
      return 0;
  }
  return 1;
}

static int is_aligned(const attn_call *call, const attn_gpu_variant_info *v) {
  for (int32_t a = 0; a < call->n_args; ++a)
    if (v->aligned >> a & 1 && !rows_are_aligned(&call->args[a]))
      return 0;
  return 1;
}

static int is_worth_it(const attn_call *call, const step *s, const attn_gpu_variant_info *v) {
  if (extent_of_kind(s->info->kernel, s->extents, ATTN_DIM_KEY) < v->min_keys)
    return 0;
  for (int32_t i = 0; i < v->n_phases && v->max_ctas > 0; ++i) {
    int64_t ctas;
    if (v->phases[i].kind == ATTN_GPU_MAIN && (count_ctas(call, s, &v->phases[i], &ctas) || ctas > v->max_ctas))
      return 0;
  }
  return 1;
}

/* The variant, and the bytes it needs. Without data the answer must hold for any pointers, and for the strides of
 * results that nobody has bound yet: the most that any variant needs up to the first that does not ask for alignment.
 */
static attn_status choose_variant(const attn_call *call, step *s) {
  const int32_t n = s->info->n_variants, forced = call->variant;
  if (forced != -1 && (forced < 0 || forced >= n))
    return attn_rt_fail(call, ATTN_E_VARIANT, -1, -1, n, forced);
  s->bytes = 0;
  s->variant = -1;
  for (int32_t i = forced == -1 ? 0 : forced; i < (forced == -1 ? n : forced + 1); ++i) {
    const attn_gpu_variant_info *v = &s->info->variants[i];
    int64_t bytes = 0;
    if ((forced == -1 && !is_worth_it(call, s, v)) || (s->with_data && !is_aligned(call, v)))
      continue;
    const attn_status status = size_variant(call, s, v, &bytes);
    if (status)
      return status;
    s->bytes = bytes > s->bytes ? bytes : s->bytes;
    s->variant = i;
    if (s->with_data || !v->aligned)
      return ATTN_OK;
  }
  return s->variant >= 0 ? ATTN_OK : attn_rt_fail(call, ATTN_E_VARIANT, -1, -1, n, forced);
}

/* ---- the plan ---- */

static attn_status check_info(const attn_call *call, const attn_gpu_info *info) {
  if (info->abi_version != ATTN_RT_ABI_VERSION || info->size != sizeof *info)
    return attn_rt_fail(call, ATTN_E_VERSION, -1, -1, ATTN_RT_ABI_VERSION, info->abi_version);
  if (!info->kernel)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
  if (info->n_steps < 0 || info->n_steps > ATTN_MAX_STEP_VALUES)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, ATTN_MAX_STEP_VALUES, info->n_steps);
  return ATTN_OK;
}

static attn_status check_versions(const attn_call *call, const attn_gpu_info *info) {
  if (!call || !info)
    return ATTN_E_ARGUMENT;
  if (call->abi_version != ATTN_RT_ABI_VERSION || call->size != sizeof *call)
    return ATTN_E_VERSION;
  attn_status status = check_info(call, info);
  for (int32_t n = 0; !status && n < info->n_steps; ++n) {
    status = info->steps[n].kernel ? check_info(call, info->steps[n].kernel)
                                   : attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
    if (!status && info->steps[n].kernel->n_steps)
      status = attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 0, info->steps[n].kernel->n_steps);
  }
  return status;
}

static attn_status check_one(plan *p, int with_data) {
  const attn_kernel_info *kernel = p->info->kernel;
  step *s = &p->steps[0];
  attn_status status;
  *s = (step){.info = p->info, .with_data = with_data};
  p->n_steps = 1;
  if ((status = attn_rt_check_head(p->call, kernel, with_data)))
    return status;
  if (kernel->n_args > MAX_ARGS || kernel->n_params > ATTN_MAX_STEP_VALUES)
    return attn_rt_fail(p->call, ATTN_E_ARGUMENT, -1, -1, MAX_ARGS,
                        kernel->n_args > MAX_ARGS ? kernel->n_args : kernel->n_params);
  if ((status = attn_rt_check_shapes(p->call, kernel, s->extents)) ||
      (with_data && (status = attn_rt_check_data(p->call, kernel))))
    return status;
  return choose_variant(p->call, s);
}

/* The call of a step. A step that has fewer variants than can be forced takes its last. */
static const attn_call *bind(const plan *p, int32_t n, attn_rt_binding *b) {
  if (!p->info->n_steps)
    return p->call;
  const int32_t last = p->steps[n].info->n_variants - 1;
  attn_rt_bind_step(&p->sequence, &p->order[n], b);
  b->call.variant = p->call->variant > last ? last : p->call->variant;
  return &b->call;
}

static attn_status check_steps(plan *p, int with_data) {
  const attn_gpu_info *info = p->info;
  int32_t most = 0;
  p->n_steps = info->n_steps;
  for (int32_t n = 0; n < info->n_steps; ++n) {
    const attn_gpu_step_info *s = &info->steps[n];
    p->order[n] = (attn_step_info){s->kernel->kernel, s->values, s->params};
    p->steps[n] = (step){.info = s->kernel, .with_data = with_data};
    most = s->kernel->n_variants > most ? s->kernel->n_variants : most;
  }
  p->kernel = *info->kernel;
  p->kernel.steps = p->order;
  p->kernel.n_steps = info->n_steps;
  p->kernel.n_variants = info->n_variants > 0 ? info->n_variants : most;
  attn_status status = attn_rt_prepare_steps(&p->sequence, p->call, &p->kernel, with_data, 0);
  if (status)
    return status;
  /* Where the rooms begin is known when all variants are; that it is a multiple of a line decides all that they ask. */
  attn_rt_place_rooms(&p->sequence, (unsigned char *)(uintptr_t)LINE);
  for (int32_t n = 0; n < p->n_steps; ++n) {
    attn_rt_binding b;
    const attn_call *call = bind(p, n, &b);
    if ((status = attn_rt_check_shapes(call, p->order[n].kernel, p->steps[n].extents)) ||
        (status = choose_variant(call, &p->steps[n])))
      return attn_rt_fail_step(&p->sequence, &p->order[n], &b.error, status);
  }
  return ATTN_OK;
}

/* Everything that can be known before any work. */
static attn_status make_plan(plan *p, const attn_call *call, const attn_gpu_info *info, int with_data) {
  attn_status status = check_versions(call, info);
  if (status)
    return status;
  p->call = call;
  p->info = info;
  p->total_bytes = 0;
  if ((status = info->n_steps ? check_steps(p, with_data) : check_one(p, with_data)))
    return status;
  int overflow = 0;
  for (int32_t n = 0; n < p->n_steps; ++n) {
    p->steps[n].at = p->total_bytes;
    overflow |= __builtin_add_overflow(p->total_bytes, p->steps[n].bytes, &p->total_bytes);
  }
  p->rooms_at = p->total_bytes;
  if (info->n_steps)
    overflow |= __builtin_add_overflow(p->total_bytes, p->sequence.room_bytes, &p->total_bytes);
  return overflow ? attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1) : ATTN_OK;
}

static attn_status check_workspace(const plan *p) {
  const attn_call *call = p->call;
  const uint64_t needed = (uint64_t)p->total_bytes;
  if (!needed)
    return ATTN_OK;
  if (!call->workspace || call->workspace_bytes < needed)
    return attn_rt_fail(call, ATTN_E_WORKSPACE, -1, -1, p->total_bytes,
                        call->workspace ? (int64_t)call->workspace_bytes : 0);
  const int64_t over = (int64_t)((uintptr_t)call->workspace % LINE);
  return over ? attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, LINE, over) : ATTN_OK;
}

static attn_status launch_step(const step *s, const attn_call *call, unsigned char *workspace, attn_gpu_launch_fn fn,
                               void *ctx) {
  const attn_kernel_info *kernel = s->info->kernel;
  const attn_gpu_variant_info *v = &s->info->variants[s->variant];
  void *pointers[MAX_ARGS + 1];
  int64_t words[MAX_WORDS];
  int32_t n_words = 0;
  for (int32_t d = 0; d < kernel->n_dims; ++d)
    words[n_words++] = s->extents[d];
  for (int32_t a = 0; a < kernel->n_args; ++a) {
    const attn_tensor *t = &call->args[a];
    pointers[a] = t->data;
    for (int32_t x = 0; x < t->rank; ++x)
      words[n_words++] = t->shape[x];
    for (int32_t x = 0; x < t->rank; ++x)
      words[n_words++] = t->stride[x];
  }
  for (int32_t n = 0; n < kernel->n_params; ++n)
    words[n_words++] = call->params[n].i;
  pointers[kernel->n_args] = workspace;

  for (int32_t i = 0; i < v->n_phases; ++i) {
    const attn_gpu_phase_info *phase = &v->phases[i];
    int64_t grid;
    attn_status status = count_grid(call, s, phase, &grid);
    if (status)
      return status;
    if (!grid)
      continue;
    const attn_gpu_launch launch = {.info = s->info,
                                    .phase = phase,
                                    .variant = s->variant,
                                    .grid = (uint32_t)grid,
                                    .pointers = pointers,
                                    .n_pointers = kernel->n_args + 1,
                                    .words = words,
                                    .n_words = n_words};
    if ((status = fn(ctx, &launch)))
      return status;
  }
  return ATTN_OK;
}

attn_status attn_gpu_plan(const attn_call *call, const attn_gpu_info *info, attn_gpu_launch_fn fn, void *ctx) {
  plan p;
  attn_status status = make_plan(&p, call, info, 1);
  if (status || (status = check_workspace(&p)))
    return status;
  unsigned char *base = call->workspace;
  if (info->n_steps)
    attn_rt_place_rooms(&p.sequence, base ? base + p.rooms_at : NULL);
  for (int32_t n = 0; n < p.n_steps; ++n) {
    attn_rt_binding b;
    if (p.steps[n].bytes && (status = launch_step(&p.steps[n], bind(&p, n, &b), base + p.steps[n].at, fn, ctx)))
      return status;
  }
  if (call->stats)
    *call->stats = (attn_stats){.variant = p.steps[info->n_steps ? attn_rt_leading_step(&p.kernel) : 0].variant};
  return ATTN_OK;
}

attn_status attn_gpu_faults(const attn_call *call, const attn_gpu_info *info, attn_gpu_read_fn read, void *ctx) {
  plan p;
  attn_status status = make_plan(&p, call, info, 1);
  if (status || (status = check_workspace(&p)))
    return status;
  const unsigned char *base = call->workspace;
  for (int32_t n = 0; n < p.n_steps; ++n) {
    attn_rt_binding b;
    int64_t bad[4];
    if (!p.steps[n].bytes)
      continue;
    if ((status = read(ctx, bad, base + p.steps[n].at, sizeof bad)))
      return status;
    if (!bad[0])
      continue;
    const attn_call *own = bind(&p, n, &b);
    if (bad[1] < 0 || bad[1] >= own->n_args)
      bad[1] = bad[2] = -1;
    status = attn_rt_index_error(own, p.steps[n].info->kernel, bad);
    status = bad[0] == ATTN_E_LENGTH || bad[0] == ATTN_E_FACT ? (attn_status)bad[0] : status;
    return info->n_steps ? attn_rt_fail_step(&p.sequence, &p.order[n], &b.error, status) : status;
  }
  return ATTN_OK;
}

attn_status attn_rt_gpu_workspace(const attn_call *call, const attn_gpu_info *info, uint64_t *bytes) {
  plan p;
  const attn_status status = make_plan(&p, call, info, 0);
  if (status)
    return status;
  if (!bytes)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
  *bytes = (uint64_t)p.total_bytes;
  return ATTN_OK;
}
