/* sequence.c - runs a kernel of several steps.
 *
 * The values of the call are its tensors and, behind them, the temporaries. For every step a call of its own is bound:
 * its tensors are some of the values, its workspace what is left behind the temporaries. Shapes go from step to step:
 * an extent of a temporary is that of a dimension of the step that writes it, and it is remembered which tensor of the
 * caller it came from.
 *
 *   workspace = [pad to 64] [results that later steps read, then temporaries that one reads, each from a multiple of
 * 64] [the largest workspace of a step]
 *
 * Results that later steps read have room whether or not the caller wants them: ..._workspace does not look at
 * pointers. Where the caller does, that room is not used.
 */
#include "sequence.h"

#include <string.h>

static int is_temp(const attn_rt_sequence *s, int32_t value) { return value >= s->info->n_args; }

/* Its elements are not there before the first step runs. */
static int is_computed(const attn_rt_sequence *s, int32_t value) {
  return is_temp(s, value) || s->info->args[value].role == ATTN_ARG_OUTPUT;
}

static int is_read(const attn_rt_sequence *s, int32_t value) {
  for (int32_t n = 0; n < s->info->n_steps; ++n) {
    const attn_step_info *step = &s->info->steps[n];
    for (int32_t a = 0; a < step->kernel->n_args; ++a)
      if (step->values[a] == value && step->kernel->args[a].role == ATTN_ARG_INPUT)
        return 1;
  }
  return 0;
}

void attn_rt_bind_step(const attn_rt_sequence *s, const attn_step_info *step, attn_rt_binding *b) {
  const attn_kernel_info *kernel = step->kernel;
  const int32_t forced = s->call->variant, last = kernel->n_variants - 1;
  for (int32_t a = 0; a < kernel->n_args; ++a)
    b->args[a] = s->values[step->values[a]];
  for (int32_t p = 0; p < kernel->n_params; ++p)
    b->params[p] = s->call->params[step->params[p]];
  b->call = *s->call;
  b->call.args = b->args;
  b->call.n_args = kernel->n_args;
  b->call.params = b->params;
  b->call.n_params = kernel->n_params;
  b->call.variant = forced > last ? last : forced;
  b->call.stats = &b->stats;
  b->call.error = &b->error;
  b->error = (attn_error){-1, -1, -1, -1};
}

attn_status attn_rt_fail_step(const attn_rt_sequence *s, const attn_step_info *step, const attn_error *error,
                              attn_status status) {
  int32_t arg = error->arg, axis = error->axis;
  const int32_t value = arg >= 0 ? step->values[arg] : -1;
  if (arg >= 0 && is_temp(s, value)) {
    const int of_extent = axis >= 0 && (status == ATTN_E_SHAPE || status == ATTN_E_OVERFLOW);
    const attn_rt_origin from = of_extent ? s->from[value][axis] : (attn_rt_origin){-1, -1};
    arg = from.arg;
    axis = from.axis;
  } else if (arg >= 0) {
    arg = value;
  }
  return attn_rt_fail(s->call, status, arg, axis, error->expected, error->found);
}

/* Element type and extents of the temporaries that the step writes. */
static attn_status shape_results(attn_rt_sequence *s, const attn_step_info *step) {
  const attn_kernel_info *kernel = step->kernel;
  int64_t extents[ATTN_MAX_DIMS];
  attn_rt_origin from[ATTN_MAX_DIMS];
  memset(extents, -1, sizeof extents);
  for (int32_t a = 0; a < kernel->n_args; ++a) {
    const int32_t value = step->values[a];
    if (kernel->args[a].role != ATTN_ARG_INPUT)
      continue;
    for (int32_t x = 0; x < kernel->args[a].rank; ++x) {
      const attn_axis_info *axis = &kernel->args[a].axis[x];
      const int32_t dims[2] = {axis->dim, axis->also};
      for (int k = 0; k < 2 && attn_rt_is_plain(axis); ++k)
        if (dims[k] >= 0 && extents[dims[k]] < 0) {
          extents[dims[k]] = s->values[value].shape[x];
          from[dims[k]] = is_temp(s, value) ? s->from[value][x] : (attn_rt_origin){value, x};
        }
    }
  }
  for (int32_t a = 0; a < kernel->n_args; ++a) {
    const attn_arg_info *arg = &kernel->args[a];
    const int32_t value = step->values[a];
    attn_tensor *t = &s->values[value];
    if (arg->role != ATTN_ARG_OUTPUT || !is_temp(s, value))
      continue;
    *t = (attn_tensor){.code = arg->code, .bits = arg->bits, .lanes = 1, .rank = arg->rank};
    for (int32_t x = 0; x < arg->rank; ++x) {
      const int32_t dim = arg->axis[x].dim;
      const int known = dim >= 0 && extents[dim] >= 0;
      t->shape[x] = known ? extents[dim] : arg->axis[x].extent;
      s->from[value][x] = known ? from[dim] : (attn_rt_origin){-1, -1};
      if (t->shape[x] < 0)
        return attn_rt_fail(s->call, ATTN_E_SHAPE, known ? from[dim].arg : -1, known ? from[dim].axis : -1, 0,
                            t->shape[x]);
    }
  }
  return ATTN_OK;
}

/* Dense strides for a value with room in the workspace, and the room's size. */
static attn_status lay_out(attn_rt_sequence *s, int32_t value) {
  attn_tensor *t = &s->values[value];
  int64_t elements = 1, bytes;
  if (attn_rt_is_empty(t))
    elements = 0;
  for (int32_t x = t->rank - 1; x >= 0; --x) {
    if (is_temp(s, value) || !s->call->args[value].data)
      t->stride[x] = elements;
    if (__builtin_mul_overflow(elements, t->shape[x], &elements) || elements > INT64_MAX / 16) {
      const attn_rt_origin from = is_temp(s, value) ? s->from[value][x] : (attn_rt_origin){value, x};
      return attn_rt_fail(s->call, ATTN_E_OVERFLOW, from.arg, from.axis, INT64_MAX / 16, t->shape[x]);
    }
  }
  s->at[value] = s->room_bytes;
  if (attn_rt_round_up(elements * attn_rt_element_bytes(t), &bytes) ||
      __builtin_add_overflow(s->room_bytes, bytes, &s->room_bytes))
    return attn_rt_fail(s->call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  return ATTN_OK;
}

/* Lengths among the step's arguments: those that the caller gave, or those that steps computed. */
static attn_status check_lengths(const attn_rt_sequence *s, const attn_step_info *step, attn_rt_binding *b,
                                 const int64_t *extents, int computed) {
  for (int32_t a = 0; a < step->kernel->n_args; ++a)
    if (is_computed(s, step->values[a]) != computed)
      b->args[a].data = NULL; /* as if nobody had given it */
  const attn_status status = attn_rt_check_lengths(&b->call, step->kernel, extents);
  return status ? attn_rt_fail_step(s, step, &b->error, status) : ATTN_OK;
}

attn_status attn_rt_prepare_steps(attn_rt_sequence *s, const attn_call *call, const attn_kernel_info *info,
                                  int with_data, int on_host) {
  int64_t extents[ATTN_MAX_DIMS];
  attn_rt_binding b;
  attn_status status = attn_rt_check_head(call, info, with_data);
  if (status)
    return status;
  s->call = call;
  s->info = info;
  s->n_values = info->n_args + info->n_temps;
  s->room_bytes = s->step_bytes = 0;
  if (s->n_values > ATTN_MAX_STEP_VALUES || info->n_params > ATTN_MAX_STEP_VALUES)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, ATTN_MAX_STEP_VALUES, s->n_values);
  if (call->variant != -1 && (call->variant < 0 || call->variant >= info->n_variants))
    return attn_rt_fail(call, ATTN_E_VARIANT, -1, -1, info->n_variants, call->variant);
  memset(s->at, -1, sizeof s->at);
  if (info->n_args)
    memcpy(s->values, call->args, (size_t)info->n_args * sizeof *s->values);
  if ((status = attn_rt_check_shapes(call, info, extents)))
    return status;

  for (int32_t n = 0; n < info->n_steps; ++n) {
    const attn_step_info *step = &info->steps[n];
    if ((status = shape_results(s, step)))
      return status;
    attn_rt_bind_step(s, step, &b);
    if ((status = attn_rt_check_head(&b.call, step->kernel, 0)) ||
        (status = attn_rt_check_shapes(&b.call, step->kernel, extents)))
      return attn_rt_fail_step(s, step, &b.error, status);
  }
  if (with_data && (status = attn_rt_check_data(call, info)))
    return status;
  if (with_data && on_host) {
    for (int32_t n = 0; n < info->n_steps; ++n) {
      const attn_step_info *step = &info->steps[n];
      attn_rt_bind_step(s, step, &b);
      if ((status = attn_rt_check_shapes(&b.call, step->kernel, extents)) ||
          (status = check_lengths(s, step, &b, extents, 0)))
        return status;
    }
    if ((status = attn_rt_check_facts(call, info)))
      return status;
  }

  for (int32_t value = 0; value < s->n_values; ++value)
    if (is_computed(s, value) && is_read(s, value) && (status = lay_out(s, value)))
      return status;
  for (int32_t n = 0; on_host && n < info->n_steps; ++n) {
    uint64_t bytes = 0;
    attn_rt_bind_step(s, &info->steps[n], &b);
    if ((status = attn_rt_size_one(&b.call, info->steps[n].kernel, &bytes)))
      return attn_rt_fail_step(s, &info->steps[n], &b.error, status);
    s->step_bytes = (int64_t)bytes > s->step_bytes ? (int64_t)bytes : s->step_bytes;
  }
  return ATTN_OK;
}

void attn_rt_place_rooms(attn_rt_sequence *s, unsigned char *rooms) {
  for (int32_t value = 0; value < s->n_values; ++value)
    if (s->at[value] >= 0 && (is_temp(s, value) || !s->call->args[value].data))
      s->values[value].data = rooms + s->at[value];
}

/* 0 if there is nothing to compute; -1 on overflow. */
static int64_t total_bytes(const attn_rt_sequence *s) {
  int64_t bytes;
  if (!s->room_bytes && !s->step_bytes)
    return 0;
  return __builtin_add_overflow(s->room_bytes, s->step_bytes, &bytes) ||
                 __builtin_add_overflow(bytes, ATTN_RT_LINE, &bytes)
             ? -1
             : bytes;
}

static int has_keys(const attn_kernel_info *kernel) {
  for (int32_t d = 0; d < kernel->n_dims; ++d)
    if (kernel->dims[d].kind == ATTN_DIM_KEY)
      return 1;
  return 0;
}

int32_t attn_rt_leading_step(const attn_kernel_info *info) {
  for (int32_t n = 0; n < info->n_steps; ++n)
    if (has_keys(info->steps[n].kernel))
      return n;
  return 0;
}

/* Counts are summed; sizes, variant and workers are those of the leading step. */
static void add_stats(attn_stats *sum, const attn_stats *step, int leading) {
  const attn_stats before = *sum;
  if (leading)
    *sum = *step;
  sum->blocks_full = before.blocks_full + step->blocks_full;
  sum->blocks_partial = before.blocks_partial + step->blocks_partial;
  sum->blocks_skipped = before.blocks_skipped + step->blocks_skipped;
  sum->tiles = before.tiles + step->tiles;
  sum->guarded = before.guarded + step->guarded;
}

attn_status attn_rt_size_sequence(const attn_call *call, const attn_kernel_info *info, uint64_t *bytes) {
  attn_rt_sequence s;
  const attn_status status = attn_rt_prepare_steps(&s, call, info, 0, 1);
  if (status)
    return status;
  if (total_bytes(&s) < 0)
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  if (!bytes)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
  *bytes = (uint64_t)total_bytes(&s);
  return ATTN_OK;
}

attn_status attn_rt_run_sequence(const attn_call *call, const attn_kernel_info *info) {
  attn_rt_sequence s;
  attn_status status = attn_rt_prepare_steps(&s, call, info, 1, 1);
  if (status)
    return status;
  const int64_t needed = total_bytes(&s);
  if (needed < 0)
    return attn_rt_fail(call, ATTN_E_OVERFLOW, -1, -1, INT64_MAX, -1);
  if (needed && (!call->workspace || call->workspace_bytes < (uint64_t)needed))
    return attn_rt_fail(call, ATTN_E_WORKSPACE, -1, -1, needed, call->workspace ? (int64_t)call->workspace_bytes : 0);
  unsigned char *at = call->workspace;
  if (needed)
    at += -(uintptr_t)at % ATTN_RT_LINE;
  attn_rt_place_rooms(&s, at);

  const int32_t leading = attn_rt_leading_step(info);
  attn_stats stats = {0};
  attn_status bad = ATTN_OK;
  for (int32_t n = 0; n < info->n_steps; ++n) {
    const attn_step_info *step = &info->steps[n];
    int64_t extents[ATTN_MAX_DIMS];
    attn_rt_binding b;
    attn_rt_bind_step(&s, step, &b);
    if ((status = attn_rt_check_shapes(&b.call, step->kernel, extents)) ||
        (status = check_lengths(&s, step, &b, extents, 1)))
      return status;
    attn_rt_bind_step(&s, step, &b);
    b.call.workspace = needed ? at + s.room_bytes : NULL;
    b.call.workspace_bytes = (uint64_t)s.step_bytes;
    status = attn_rt_run_one(&b.call, step->kernel, 1);
    if (status == ATTN_E_INDEX) {
      bad = bad ? bad : attn_rt_fail_step(&s, step, &b.error, status); /* the first one stays; the rest is computed */
    } else if (status) {
      return attn_rt_fail_step(&s, step, &b.error, status);
    }
    add_stats(&stats, &b.stats, n == leading);
  }
  if (call->stats)
    *call->stats = stats;
  return bad;
}
