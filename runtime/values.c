/* values.c - rules on the elements of integer tensors: lengths, and what the program promises by attn.sorted and
 * attn.range.
 *
 * A tensor is walked row by row, a row being its last axis, with one pass for all rules on it. An axis of stride 0
 * repeats what was seen and is walked once.
 */
#include "internal.h"

typedef struct rules {
  attn_status status; /* of an element outside of [least, most] */
  int64_t least, most;
  int64_t below, above; /* what to say was expected of an element under least, over most */
  int sorted;
} rules;

static int64_t element(const attn_tensor *t, int64_t offset) {
  switch (t->bits) {
  case 64:
    return ((const int64_t *)t->data)[offset];
  case 32:
    return ((const int32_t *)t->data)[offset];
  default:
    return ((const int8_t *)t->data)[offset];
  }
}

static attn_status check_row(const attn_call *call, int32_t arg, int64_t offset, const rules *r) {
  const attn_tensor *t = &call->args[arg];
  const int32_t last = t->rank - 1;
  const int64_t stride = last >= 0 ? t->stride[last] : 0, count = stride ? t->shape[last] : 1;
  int64_t before = INT64_MIN;
  for (int64_t n = 0; n < count; ++n, offset += stride) {
    const int64_t x = element(t, offset);
    if (x < r->least || x > r->most)
      return attn_rt_fail(call, r->status, arg, -1, x < r->least ? r->below : r->above, x);
    if (r->sorted && x < before)
      return attn_rt_fail(call, ATTN_E_FACT, arg, last, before, x);
    before = x;
  }
  return ATTN_OK;
}

/* All rows, by an odometer over the other axes. */
static attn_status check_elements(const attn_call *call, int32_t arg, const rules *r) {
  const attn_tensor *t = &call->args[arg];
  int64_t at[ATTN_MAX_RANK] = {0}, offset = 0;
  if (t->code != ATTN_INT || (t->bits != 8 && t->bits != 32 && t->bits != 64))
    return attn_rt_fail(call, ATTN_E_DTYPE, arg, -1, ATTN_INT * 256 + 64, t->code * 256 + t->bits);
  for (;;) {
    const attn_status status = check_row(call, arg, offset, r);
    if (status)
      return status;
    int32_t x = t->rank - 2;
    for (; x >= 0; --x) {
      if (t->stride[x] && ++at[x] < t->shape[x]) {
        offset += t->stride[x];
        break;
      }
      offset -= (at[x] ? at[x] - 1 : 0) * t->stride[x];
      at[x] = 0;
    }
    if (x < 0)
      return ATTN_OK;
  }
}

attn_status attn_rt_check_lengths(const attn_call *call, const attn_kernel_info *info, const int64_t *extents) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    const int32_t dim = info->args[a].length_of;
    if (dim < 0 || attn_rt_is_absent(&call->args[a]))
      continue;
    const int64_t extent = extents[dim];
    const rules r = {.status = ATTN_E_LENGTH, .most = extent, .below = extent, .above = extent};
    const attn_status status = check_elements(call, a, &r);
    if (status)
      return status;
  }
  return ATTN_OK;
}

attn_status attn_rt_check_facts(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    const attn_arg_info *x = &info->args[a];
    if (!x->facts || attn_rt_is_absent(&call->args[a]))
      continue;
    rules r = {.status = ATTN_E_FACT, .least = INT64_MIN, .most = INT64_MAX, .sorted = x->facts & ATTN_FACT_SORTED};
    if (x->facts & ATTN_FACT_RANGE) {
      r.least = r.below = x->range_lo;
      r.most = x->range_hi - 1;
      r.above = x->range_hi;
    }
    const attn_status status = check_elements(call, a, &r);
    if (status)
      return status;
  }
  return ATTN_OK;
}
