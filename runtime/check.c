/* check.c - validates a call against what the compiler says about the kernel, before any work.
 *
 * Rule by rule over all tensors, so that the answer to a call with several faults does not depend on the order of its
 * tensors: version, counts, dtype, rank, pointers, shapes, strides, aliasing, alignment, lengths, facts.
 */
#include "internal.h"

attn_status attn_rt_fail(const attn_call *call, attn_status status, int32_t arg, int32_t axis, int64_t expected,
                         int64_t found) {
  if (call->error)
    *call->error = (attn_error){arg, axis, expected, found};
  return status;
}

static attn_status check_counts(const attn_call *call, const attn_kernel_info *info) {
  if (info->n_dims < 0 || info->n_dims > ATTN_MAX_DIMS)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, ATTN_MAX_DIMS, info->n_dims);
  if (call->n_args != info->n_args)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, info->n_args, call->n_args);
  if (call->n_params != info->n_params)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, info->n_params, call->n_params);
  if ((info->n_args && !call->args) || (info->n_params && !call->params))
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
  if (call->workers < 0)
    return attn_rt_fail(call, ATTN_E_ARGUMENT, -1, -1, 0, call->workers);
  return ATTN_OK;
}

static attn_status check_types(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    const attn_tensor *t = &call->args[a];
    const attn_arg_info *x = &info->args[a];
    if (t->code != x->code || t->bits != x->bits) /* as 256 * code + bits, since one number has to say both */
      return attn_rt_fail(call, ATTN_E_DTYPE, a, -1, x->code * 256 + x->bits, t->code * 256 + t->bits);
    if (t->lanes != 1)
      return attn_rt_fail(call, ATTN_E_DTYPE, a, -1, 1, t->lanes);
  }
  for (int32_t a = 0; a < info->n_args; ++a)
    if (call->args[a].rank != info->args[a].rank || info->args[a].rank < 0 || info->args[a].rank > ATTN_MAX_RANK)
      return attn_rt_fail(call, ATTN_E_RANK, a, -1, info->args[a].rank, call->args[a].rank);
  return ATTN_OK;
}

static attn_status check_pointers(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    const attn_arg_info *x = &info->args[a];
    if (call->args[a].data || (x->role == ATTN_ARG_OUTPUT && x->optional) || attn_rt_is_empty(&call->args[a]))
      continue;
    return attn_rt_fail(call, ATTN_E_ARGUMENT, a, -1, 1, 0);
  }
  return ATTN_OK;
}

/* First pass: plain axes say what the extents of the dimensions are, and all of them must say the same. */
static attn_status define_extents(const attn_call *call, const attn_kernel_info *info, int64_t *extents) {
  for (int32_t d = 0; d < ATTN_MAX_DIMS; ++d)
    extents[d] = -1;
  for (int32_t a = 0; a < info->n_args; ++a)
    for (int32_t x = 0; x < info->args[a].rank; ++x) {
      const attn_axis_info *axis = &info->args[a].axis[x];
      const int64_t n = call->args[a].shape[x];
      if (n < 0)
        return attn_rt_fail(call, ATTN_E_SHAPE, a, x, axis->extent, n);
      if (axis->extent >= 0 && n != axis->extent)
        return attn_rt_fail(call, ATTN_E_SHAPE, a, x, axis->extent, n);
      if (!attn_rt_is_plain(axis))
        continue;
      const int32_t dims[2] = {axis->dim, axis->also};
      for (int k = 0; k < 2; ++k) {
        const int32_t d = dims[k];
        if (d < 0)
          continue;
        const int32_t kind = info->dims[d].kind;
        if (extents[d] >= 0 && extents[d] != n)
          return attn_rt_fail(call, ATTN_E_SHAPE, a, x, extents[d], n);
        if ((kind == ATTN_DIM_QUERY || kind == ATTN_DIM_KEY || kind == ATTN_DIM_MAP) && n > ATTN_MAX_EXTENT)
          return attn_rt_fail(call, ATTN_E_OVERFLOW, a, x, ATTN_MAX_EXTENT, n);
        extents[d] = n;
      }
    }
  /* Where tokens are known by their blocks alone there are as many as the fewest of those hold. */
  for (int32_t d = 0; d < info->n_dims; ++d) {
    const int32_t kind = info->dims[d].kind;
    if (extents[d] >= 0 || (kind != ATTN_DIM_QUERY && kind != ATTN_DIM_KEY))
      continue;
    for (int32_t a = 0; a < info->n_args; ++a)
      for (int32_t x = 0; x < info->args[a].rank; ++x) {
        const attn_axis_info *axis = &info->args[a].axis[x];
        int64_t n;
        if (axis->is_free || axis->dim != d || axis->divisor <= 1 || axis->offset)
          continue;
        if (__builtin_mul_overflow(call->args[a].shape[x], axis->divisor, &n) || n > ATTN_MAX_EXTENT)
          return attn_rt_fail(call, ATTN_E_OVERFLOW, a, x, ATTN_MAX_EXTENT, call->args[a].shape[x]);
        if (extents[d] < 0 || n < extents[d])
          extents[d] = n;
      }
  }
  return ATTN_OK;
}

/* Second pass: every index that a derived axis or a constant can form must lie inside the axis. */
static attn_status check_derived(const attn_call *call, const attn_kernel_info *info, const int64_t *extents) {
  for (int32_t d = 0; d < info->n_dims; ++d)
    if (extents[d] < 0 && info->dims[d].kind != ATTN_DIM_FEATURE) /* features: the compiler knows them */
      return attn_rt_fail(call, ATTN_E_SHAPE, -1, -1, 0, -1);
  for (int32_t a = 0; a < info->n_args; ++a)
    for (int32_t x = 0; x < info->args[a].rank; ++x) {
      const attn_axis_info *axis = &info->args[a].axis[x];
      const int64_t n = call->args[a].shape[x];
      if (axis->is_free || attn_rt_is_plain(axis))
        continue;
      if (axis->dim < 0) {
        if (n <= axis->offset)
          return attn_rt_fail(call, ATTN_E_SHAPE, a, x, axis->offset + 1, n);
        continue;
      }
      const int64_t extent = extents[axis->dim];
      if (axis->also >= 0 && extents[axis->also] != extent)
        return attn_rt_fail(call, ATTN_E_SHAPE, a, x, extent, extents[axis->also]);
      int64_t need = attn_rt_ceil_div(extent, axis->divisor > 1 ? axis->divisor : 1);
      /* Without an offset a longer axis is a mistake of the caller; with one the axis holds other things too. */
      if (extent && __builtin_add_overflow(need, axis->offset, &need))
        return attn_rt_fail(call, ATTN_E_OVERFLOW, a, x, INT64_MAX, n);
      if (axis->offset ? n < need : n != need)
        return attn_rt_fail(call, ATTN_E_SHAPE, a, x, need, n);
    }
  return ATTN_OK;
}

static attn_status check_alignment(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    const attn_tensor *t = &call->args[a];
    const int64_t bytes = attn_rt_element_bytes(t), over = (int64_t)((uintptr_t)t->data % (uintptr_t)bytes);
    if (over && !attn_rt_is_absent(t))
      return attn_rt_fail(call, ATTN_E_ARGUMENT, a, -1, bytes, over);
  }
  return ATTN_OK;
}

attn_status attn_rt_check_head(const attn_call *call, const attn_kernel_info *info, int with_data) {
  if (!call || !info)
    return ATTN_E_ARGUMENT;
  /* Of a struct of another version nothing else can be read, not even where its error goes. */
  if (call->abi_version != ATTN_RT_ABI_VERSION || call->size != sizeof *call)
    return ATTN_E_VERSION;
  if (info->abi_version != ATTN_RT_ABI_VERSION || info->size != sizeof *info)
    return attn_rt_fail(call, ATTN_E_VERSION, -1, -1, ATTN_RT_ABI_VERSION, info->abi_version);

  attn_status status;
  if ((status = check_counts(call, info)) || (status = check_types(call, info)))
    return status;
  return with_data ? check_pointers(call, info) : ATTN_OK;
}

attn_status attn_rt_check_shapes(const attn_call *call, const attn_kernel_info *info, int64_t *extents) {
  const attn_status status = define_extents(call, info, extents);
  return status ? status : check_derived(call, info, extents);
}

attn_status attn_rt_check_data(const attn_call *call, const attn_kernel_info *info) {
  attn_status status;
  if ((status = attn_rt_check_strides(call, info)) || (status = attn_rt_check_alias(call, info)))
    return status;
  return check_alignment(call, info);
}

attn_status attn_rt_check(const attn_call *call, const attn_kernel_info *info, int with_data, int64_t *extents) {
  attn_status status;
  if ((status = attn_rt_check_head(call, info, with_data)) || (status = attn_rt_check_shapes(call, info, extents)))
    return status;
  if (!with_data)
    return ATTN_OK;
  if ((status = attn_rt_check_data(call, info)) || (status = attn_rt_check_lengths(call, info, extents)))
    return status;
  return attn_rt_check_facts(call, info);
}
