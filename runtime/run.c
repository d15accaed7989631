/* run.c - plans a call and runs its phases.
 *
 * A unit is one distinct head of keys and values; its members are the batch indices that share it. Along batch
 * dimension x the indices are cut into groups of share_x (0: one group), the last of which may be short. Each unit has
 * a slot of packed keys and values while it is at work, and there are as many slots as workers, so the workspace grows
 * with the workers and not with the batch. Where there are many units for each of several workers, most are one task
 * each: its worker takes them through all phases, waits for nobody, and meets what it packed itself. The last ones go
 * through the phases together, as a wave, all workers at each of them, so that none is left to one worker alone.
 *
 *   workspace = [pad to 64] [counters, 64 bytes a worker] [bad[4], 64 bytes] [scratch a worker] [slots]
 */
#include "internal.h"

#include <string.h>

enum { WHOLE_UNITS = 4 }; /* of a worker, from which on units are tasks */
enum { LINE = ATTN_RT_LINE, FULL = 0, PARTIAL, SKIPPED, TILES, GUARDED, COUNTERS };
_Static_assert(COUNTERS * sizeof(int64_t) <= LINE, "a worker's counters share a line with no other's");

typedef struct plan {
  int64_t extents[ATTN_MAX_DIMS];
  int64_t queries, keys, units, members;                 /* members of a full unit */
  int64_t slots, slot_bytes, scratch_bytes, total_bytes; /* total is 0 if there is nothing to compute */
  int64_t zeroed;                                        /* bytes at the end of a worker's scratch */
  int64_t state_bytes, states_at;                        /* of a chunk; where they begin in a slot */
  const attn_variant_info *variant;
  int32_t variant_index, workers;
} plan;

typedef struct launch {
  const attn_call *call;
  const attn_kernel_info *info;
  const plan *plan;
  const attn_phase_info *phase;
  unsigned char *counters, *bad, *scratch, *slots;
  int64_t first_unit, units, members, blocks, block, chunks;
  int64_t state_chunks; /* of the phase before MERGE */
  int64_t heads;        /* of a phase whose tasks take several */
  unsigned fp_control;
} launch;

static int64_t extent_of_kind(const attn_kernel_info *info, const int64_t *extents, int32_t kind) {
  for (int32_t d = 0; d < info->n_dims; ++d)
    if (info->dims[d].kind == kind)
      return extents[d];
  return 0;
}

static int64_t group_size(const attn_dim_info *dim, int64_t extent) {
  return dim->share <= 0 || dim->share > extent ? extent : dim->share;
}

/* Counts units and members; nonzero on overflow. An empty batch has no units. */
static int count_units(const attn_kernel_info *info, plan *p) {
  p->units = p->members = 1;
  for (int32_t d = 0; d < info->n_dims; ++d)
    if (info->dims[d].kind == ATTN_DIM_BATCH && !p->extents[d]) {
      p->units = p->members = 0;
      return 0;
    }
  for (int32_t d = 0; d < info->n_dims; ++d) {
    if (info->dims[d].kind != ATTN_DIM_BATCH)
      continue;
    const int64_t group = group_size(&info->dims[d], p->extents[d]);
    if (__builtin_mul_overflow(p->units, attn_rt_ceil_div(p->extents[d], group), &p->units) ||
        __builtin_mul_overflow(p->members, group, &p->members))
      return 1;
  }
  return 0;
}

static attn_status choose_variant(const attn_call *call, const attn_kernel_info *info, plan *p) {
  const attn_task facts = {.args = call->args, .params = call->params, .extents = p->extents};
  const int forced = call->variant != -1;
  if (forced && (call->variant < 0 || call->variant >= info->n_variants))
    return attn_rt_fail(call, ATTN_E_VARIANT, -1, -1, info->n_variants, call->variant);
  for (int32_t i = forced ? call->variant : 0; i < info->n_variants; ++i) {
    const attn_variant_info *v = &info->variants[i];
    if (!v->guard || v->guard(&facts)) {
      p->variant = v;
      p->variant_index = i;
      return ATTN_OK;
    }
    if (forced)
      break;
  }
  return attn_rt_fail(call, ATTN_E_VARIANT, -1, -1, info->n_variants, call->variant);
}

/* States of every member, block and chunk of a unit; nonzero on overflow. */
static int size_states(const plan *p, int64_t *bytes) {
  *bytes = 0;
  for (int32_t i = 0; i < p->variant->n_phases; ++i) {
    const attn_phase_info *phase = &p->variant->phases[i];
    const int64_t blocks = phase->block > 0 ? attn_rt_ceil_div(p->queries, phase->block) : 1;
    if (phase->chunks > 0 && (__builtin_mul_overflow(blocks, phase->together ? 1 : p->members, bytes) ||
                              __builtin_mul_overflow(*bytes, (int64_t)phase->chunks, bytes) ||
                              __builtin_mul_overflow(*bytes, p->state_bytes, bytes)))
      return 1;
  }
  return 0;
}

/* Nonzero on overflow. */
static int size_workspace(plan *p, const attn_sizes *more) {
  const attn_variant_info *v = p->variant;
  const int64_t panels = v->panel > 0 ? attn_rt_ceil_div(p->keys, v->panel) : 0;
  int64_t panel_bytes, states_bytes, slots_bytes, workers_bytes;
  if (__builtin_mul_overflow(v->slot_per_panel, panels, &panel_bytes) ||
      __builtin_add_overflow(v->slot_base, panel_bytes, &p->slot_bytes) ||
      attn_rt_round_up(p->slot_bytes, &p->slot_bytes) || attn_rt_round_up(v->scratch_bytes, &p->scratch_bytes) ||
      attn_rt_round_up(more->scratch_bytes, &p->zeroed) ||
      __builtin_add_overflow(p->slot_bytes, more->slot_bytes, &p->slot_bytes) ||
      attn_rt_round_up(p->slot_bytes, &p->slot_bytes) ||
      __builtin_add_overflow(p->scratch_bytes, p->zeroed, &p->scratch_bytes) ||
      attn_rt_round_up(more->state_bytes, &p->state_bytes) || size_states(p, &states_bytes))
    return 1;
  p->states_at = p->slot_bytes;
  if (__builtin_add_overflow(p->slot_bytes, states_bytes, &p->slot_bytes))
    return 1;
  /* Units that keep nothing in a slot have nothing to wait for: all of them are one wave. */
  p->slots = p->slot_bytes && p->units > p->workers ? p->workers : p->units;
  if (__builtin_mul_overflow(p->slots, p->slot_bytes, &slots_bytes) ||
      __builtin_add_overflow(p->scratch_bytes, LINE, &workers_bytes) ||
      __builtin_mul_overflow(workers_bytes, (int64_t)p->workers, &workers_bytes) ||
      __builtin_add_overflow(slots_bytes, workers_bytes, &p->total_bytes))
    return 1;
  return __builtin_add_overflow(p->total_bytes, 2 * LINE, &p->total_bytes); /* bad, and the pad */
}

/* Positions and additional bytes; nonzero where they make no sense or do not fit. */
static int ask_sizes(const attn_call *call, plan *p, attn_sizes *sizes) {
  const attn_task facts = {.args = call->args, .params = call->params, .extents = p->extents};
  *sizes = (attn_sizes){.keys = p->keys, .queries = p->queries};
  if (!p->variant->sizes)
    return 0;
  p->variant->sizes(&facts, sizes);
  p->keys = sizes->keys;
  p->queries = sizes->queries;
  return sizes->keys < 0 || sizes->keys > ATTN_MAX_EXTENT || sizes->queries < 0 || sizes->queries > ATTN_MAX_EXTENT ||
         sizes->slot_bytes < 0 || sizes->scratch_bytes < 0 || sizes->state_bytes < 0;
}

/* The tasks of an elementwise kernel are counted from its result's elements, whose number has to fit. */
static attn_status check_results(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args && info->n_dims && info->dims[0].kind == ATTN_DIM_MAP; ++a) {
    const attn_tensor *t = &call->args[a];
    int64_t elements = 1;
    if (info->args[a].role != ATTN_ARG_OUTPUT || attn_rt_is_empty(t))
      continue;
    for (int32_t x = 0; x < t->rank; ++x)
      if (__builtin_mul_overflow(elements, t->shape[x], &elements) || elements > INT64_MAX / 16)
        return attn_rt_fail(call, ATTN_E_OVERFLOW, a, x, INT64_MAX / 16, t->shape[x]);
  }
  return ATTN_OK;
}

static attn_status make_plan(const attn_call *call, const attn_kernel_info *info, int with_data, plan *p) {
  *p = (plan){0};
  attn_status status = attn_rt_check(call, info, with_data, p->extents);
  if (status)
    return status;
  if (!attn_rt_has_isa(info->isa)) /* before the guards, which are compiled for it too */
    return attn_rt_fail(call, ATTN_E_ISA, -1, -1, info->isa, 0);
  p->workers = call->workers ? call->workers : 1;
  p->queries = extent_of_kind(info, p->extents, ATTN_DIM_QUERY);
  p->keys = extent_of_kind(info, p->extents, ATTN_DIM_KEY);
  if ((status = choose_variant(call, info, p)))
    return status;
  if (count_units(info, p))
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  if ((status = check_results(call, info)))
    return status;
  attn_sizes sizes;
  if (ask_sizes(call, p, &sizes))
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, ATTN_MAX_EXTENT, -1);
  if (p->units && p->queries && size_workspace(p, &sizes))
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  return ATTN_OK;
}

/* Batch indices of a member; the last batch dimension varies fastest. 0 if the unit is a short one without this member.
 */
static int member_index(const launch *l, int64_t unit, int64_t member, int64_t *index) {
  for (int32_t d = l->info->n_dims - 1; d >= 0; --d) {
    if (l->info->dims[d].kind != ATTN_DIM_BATCH)
      continue;
    const int64_t extent = l->plan->extents[d], group = group_size(&l->info->dims[d], extent);
    const int64_t groups = attn_rt_ceil_div(extent, group);
    index[d] = unit % groups * group + member % group;
    if (index[d] >= extent)
      return 0;
    unit /= groups;
    member /= group;
  }
  return 1;
}

static void call_task(const launch *l, const attn_task *task) {
  /* A worker computes under the caller's floating-point modes, else results would depend on who runs a task. */
  const unsigned own = attn_rt_get_fp_control();
  if (own != l->fp_control)
    attn_rt_set_fp_control(l->fp_control);
  l->phase->run(task);
  if (own != l->fp_control)
    attn_rt_set_fp_control(own);
}

static void run_heads(void *ctx, int64_t i, int32_t worker) {
  const launch *l = ctx;
  const int64_t most = -(int64_t)l->phase->chunks, first = i * most, left = l->heads - first;
  const attn_task task = {
      .args = l->call->args,
      .params = l->call->params,
      .extents = l->plan->extents,
      .scratch = l->scratch + worker * l->plan->scratch_bytes,
      .counters = (int64_t *)(void *)(l->counters + (int64_t)worker * LINE),
      .bad = (int64_t *)(void *)l->bad,
      .chunk = first,
      .chunks = first + (left < most ? left : most),
  };
  call_task(l, &task);
}

static void run_task(void *ctx, int64_t i, int32_t worker) {
  const launch *l = ctx;
  const int64_t chunk = i % l->chunks;
  int64_t block, head;
  i /= l->chunks;
  if (l->phase->descending) { /* block slowest: the longest blocks of all heads come first */
    const int64_t heads = l->units * l->members;
    block = l->blocks - 1 - i / heads;
    head = i % heads;
  } else {
    block = i % l->blocks;
    head = i / l->blocks;
  }
  const int64_t unit = head / l->members;
  attn_task task = {
      .args = l->call->args,
      .params = l->call->params,
      .extents = l->plan->extents,
      .slot = l->slots + unit * l->plan->slot_bytes,
      .scratch = l->scratch + worker * l->plan->scratch_bytes,
      .counters = (int64_t *)(void *)(l->counters + (int64_t)worker * LINE),
      .bad = (int64_t *)(void *)l->bad,
      .block = block * l->block,
      .chunk = chunk,
      .chunks = l->chunks,
  };
  if (l->phase->chunks > 0 || l->phase->kind == ATTN_PHASE_MERGE) {
    task.state_bytes = l->plan->state_bytes;
    task.state = task.slot + l->plan->states_at +
                 ((head % l->members * l->blocks + block) * l->state_chunks + chunk) * task.state_bytes;
  }
  if (!member_index(l, l->first_unit + unit, head % l->members, task.index))
    return;
  call_task(l, &task);
}

/* What run_task goes by, of l->units; `tasks` is 0 where there is nothing to do. */
static attn_status enter_phase(launch *l, const attn_phase_info *phase, int64_t *tasks) {
  const int64_t tokens = phase->kind == ATTN_PHASE_PACK    ? l->plan->keys
                         : phase->kind == ATTN_PHASE_ORDER ? 1
                                                           : l->plan->queries;
  *tasks = 0;
  if (!tokens)
    return ATTN_OK;
  l->phase = phase;
  l->block = phase->block > 0 ? phase->block : tokens;
  l->blocks = attn_rt_ceil_div(tokens, l->block);
  const int by_members = (phase->kind == ATTN_PHASE_MAIN || phase->kind == ATTN_PHASE_MERGE) && !phase->together;
  l->members = by_members ? l->plan->members : 1;
  l->chunks = phase->chunks > 0 ? phase->chunks : 1;
  if (phase->chunks > 0)
    l->state_chunks = phase->chunks;
  if (__builtin_mul_overflow(l->units, l->members, tasks) || __builtin_mul_overflow(*tasks, l->blocks, tasks) ||
      __builtin_mul_overflow(*tasks, l->chunks, tasks))
    return attn_rt_fail(l->call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  return ATTN_OK;
}

static attn_status run_phase(launch *l, const attn_phase_info *phase) {
  int64_t tasks;
  const attn_status status = enter_phase(l, phase, &tasks);
  if (status || !tasks)
    return status;
  attn_parallel_for_fn parallel_for = l->call->parallel_for ? l->call->parallel_for : attn_rt_parallel_for;
  if (phase->chunks < 0) { /* such a variant keeps nothing in slots: all units are here at once */
    l->heads = 1;          /* no more than units times members, which fit */
    for (int32_t d = 0; d < l->info->n_dims; ++d)
      if (l->info->dims[d].kind == ATTN_DIM_BATCH)
        l->heads *= l->plan->extents[d];
    parallel_for(l->call->pool, attn_rt_ceil_div(l->heads, -(int64_t)phase->chunks), l->plan->workers, run_heads, l);
    return ATTN_OK;
  }
  parallel_for(l->call->pool, tasks, l->plan->workers, run_task, l);
  return ATTN_OK;
}

/* All phases of a unit, in the worker's slot. No more tasks than a wave has, which fit. */
static void run_unit(void *ctx, int64_t i, int32_t worker) {
  launch l = *(const launch *)ctx;
  l.first_unit += i;
  l.units = 1;
  l.slots += worker * l.plan->slot_bytes;
  for (int32_t n = 0; n < l.plan->variant->n_phases; ++n) {
    int64_t tasks;
    if (enter_phase(&l, &l.plan->variant->phases[n], &tasks))
      return;
    for (int64_t task = 0; task < tasks; ++task)
      run_task(&l, task, worker);
  }
}

static attn_status run_units(launch *l, int64_t units) {
  for (int32_t n = 0; n < l->plan->variant->n_phases; ++n) {
    int64_t tasks;
    l->units = l->plan->slots;
    const attn_status status = enter_phase(l, &l->plan->variant->phases[n], &tasks);
    if (status)
      return status;
  }
  attn_parallel_for_fn parallel_for = l->call->parallel_for ? l->call->parallel_for : attn_rt_parallel_for;
  parallel_for(l->call->pool, units, l->plan->workers, run_unit, l);
  l->first_unit += units;
  return ATTN_OK;
}

static void write_stats(const attn_call *call, const plan *p, const unsigned char *counters) {
  const attn_variant_info *v = p->variant;
  int64_t sum[COUNTERS] = {0};
  if (!call->stats)
    return;
  for (int32_t w = 0; counters && w < p->workers; ++w)
    for (int c = 0; c < COUNTERS; ++c)
      sum[c] += ((const int64_t *)(const void *)(counters + (int64_t)w * LINE))[c];
  *call->stats = (attn_stats){
      .blocks_full = sum[FULL],
      .blocks_partial = sum[PARTIAL],
      .blocks_skipped = sum[SKIPPED],
      .tiles = sum[TILES],
      .guarded = sum[GUARDED],
      .tile_rows = v->tile_rows,
      .tile_keys = v->tile_keys,
      .block_rows = v->block_rows,
      .block_keys = v->block_keys,
      .variant = p->variant_index,
      .workers = p->workers,
  };
}

attn_status attn_rt_index_error(const attn_call *call, const attn_kernel_info *info, const int64_t *bad) {
  const int64_t arg = bad[1], axis = bad[2];
  const int known = arg >= 0 && arg < info->n_args && axis >= 0 && axis < call->args[arg].rank;
  return attn_rt_fail(call, ATTN_E_INDEX, (int32_t)arg, (int32_t)axis, known ? call->args[arg].shape[axis] : -1,
                      bad[3]);
}

attn_status attn_rt_size_one(const attn_call *call, const attn_kernel_info *info, uint64_t *bytes) {
  plan p;
  const attn_status status = make_plan(call, info, 0, &p);
  if (status)
    return status;
  if (!bytes)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
  *bytes = (uint64_t)p.total_bytes;
  return ATTN_OK;
}

attn_status attn_rt_run_one(const attn_call *call, const attn_kernel_info *info, int checked) {
  plan p;
  attn_status status = make_plan(call, info, !checked, &p);
  if (status)
    return status;
  if (!p.total_bytes) {
    write_stats(call, &p, NULL);
    return ATTN_OK;
  }
  if (!call->workspace || call->workspace_bytes < (uint64_t)p.total_bytes)
    return attn_rt_fail(call, ATTN_E_WORKSPACE, -1, -1, p.total_bytes,
                        call->workspace ? (int64_t)call->workspace_bytes : 0);

  unsigned char *at = call->workspace;
  at += -(uintptr_t)at % LINE;
  launch l = {.call = call, .info = info, .plan = &p, .fp_control = attn_rt_get_fp_control()};
  l.counters = at;
  l.bad = l.counters + (int64_t)p.workers * LINE;
  l.scratch = l.bad + LINE;
  l.slots = l.scratch + p.workers * p.scratch_bytes;
  memset(at, 0, (size_t)(l.scratch - at));
  for (int32_t w = 0; p.zeroed && w < p.workers; ++w)
    memset(l.scratch + (w + 1) * p.scratch_bytes - p.zeroed, 0, (size_t)p.zeroed);

  if (p.workers > 1 && p.slots < p.units && p.units / p.slots >= WHOLE_UNITS &&
      (status = run_units(&l, (p.units / p.slots - 1) * p.slots)))
    return status;
  for (; l.first_unit < p.units; l.first_unit += p.slots) {
    l.units = p.units - l.first_unit < p.slots ? p.units - l.first_unit : p.slots;
    for (int32_t i = 0; i < p.variant->n_phases; ++i)
      if ((status = run_phase(&l, &p.variant->phases[i])))
        return status;
  }
  write_stats(call, &p, l.counters);
  const int64_t *bad = (const int64_t *)(const void *)l.bad;
  return bad[0] ? attn_rt_index_error(call, info, bad) : ATTN_OK;
}

/* Nothing of an info of another version can be read but that. */
static int has_steps(const attn_kernel_info *info) {
  return info && info->abi_version == ATTN_RT_ABI_VERSION && info->size == sizeof *info && info->n_steps > 0;
}

attn_status attn_rt_workspace(const attn_call *call, const attn_kernel_info *info, uint64_t *bytes) {
  info = attn_rt_level(info);
  return has_steps(info) ? attn_rt_size_sequence(call, info, bytes) : attn_rt_size_one(call, info, bytes);
}

attn_status attn_rt_run(const attn_call *call, const attn_kernel_info *info) {
  info = attn_rt_level(info);
  return has_steps(info) ? attn_rt_run_sequence(call, info) : attn_rt_run_one(call, info, 0);
}
