/* strides.c - strides, byte spans and overlap.
 *
 * A tensor with elements covers the bytes  lo + sum_x index_x * step_x + [0, element)  with 0 <= index_x < n_x. Axes
 * with one index or step 0 add nothing and are dropped; the rest are sorted by step. width is the distance from the
 * first byte to past the last one.
 */
#include "internal.h"

typedef struct axis {
  int64_t n, step; /* n >= 2, step >= 1 byte */
} axis;

typedef struct view {
  const unsigned char *lo;
  int64_t width;
  int32_t rank;
  axis axes[ATTN_MAX_RANK]; /* ascending steps */
} view;

/* Widths stay below half of the range of int64_t, so that the sum or difference of any two fits. */
static const int64_t max_width = INT64_MAX / 2;

/* The view of a tensor that is not absent and has no negative stride; nonzero if its width does not fit, *bad_axis says
 * where. */
static int make_view(const attn_tensor *t, view *v, int32_t *bad_axis) {
  const int64_t bytes = attn_rt_element_bytes(t);
  *v = (view){.lo = t->data, .width = bytes};
  for (int32_t x = 0; x < t->rank; ++x) {
    int64_t step, span;
    *bad_axis = x;
    if (t->shape[x] < 2 || !t->stride[x])
      continue;
    if (__builtin_mul_overflow(t->stride[x], bytes, &step) || __builtin_mul_overflow(step, t->shape[x] - 1, &span) ||
        __builtin_add_overflow(v->width, span, &v->width) || v->width > max_width)
      return 1;
    int32_t at = v->rank++;
    for (; at > 0 && v->axes[at - 1].step > step; --at)
      v->axes[at] = v->axes[at - 1];
    v->axes[at] = (axis){t->shape[x], step};
  }
  *bad_axis = -1;
  return (uintptr_t)v->lo > UINTPTR_MAX - (uintptr_t)v->width;
}

/* Each step clears all that the smaller ones can reach. Stricter than "no two indices meet", but every permutation,
 * slice and padding of a dense tensor passes. */
static int overlaps_itself(const view *v, int64_t bytes) {
  int64_t reach = bytes;
  for (int32_t x = 0; x < v->rank; ++x) {
    if (v->axes[x].step < reach)
      return 1;
    reach += (v->axes[x].n - 1) * v->axes[x].step;
  }
  return 0;
}

attn_status attn_rt_check_strides(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    const attn_tensor *t = &call->args[a];
    const int output = info->args[a].role == ATTN_ARG_OUTPUT;
    view v;
    int32_t bad_axis;
    if (!t->data)
      continue;
    for (int32_t x = 0; x < t->rank; ++x)
      if (t->stride[x] < 0)
        return attn_rt_fail(call, ATTN_E_STRIDE, a, x, 0, t->stride[x]);
    if (attn_rt_is_empty(t))
      continue;
    for (int32_t x = 0; x < t->rank && output; ++x)
      if (t->shape[x] > 1 && t->stride[x] == 0)
        return attn_rt_fail(call, ATTN_E_STRIDE, a, x, 1, 0);
    if (make_view(t, &v, &bad_axis))
      return attn_rt_fail(call, ATTN_E_OVERFLOW, a, bad_axis, max_width, bad_axis < 0 ? v.width : t->stride[bad_axis]);
    if (output && overlaps_itself(&v, attn_rt_element_bytes(t)))
      return attn_rt_fail(call, ATTN_E_STRIDE, a, -1, 1, 0);
  }
  return ATTN_OK;
}

static int64_t floor_div(int64_t n, int64_t d) { return n / d - (n % d < 0); }

/* Whether a and b, which starts diff bytes after a, share no byte. Takes the largest step P off both: their bytes then
 * meet for some difference m of the two indices along P exactly if the rests meet at distance diff + m * P, and only
 * the m whose rests have meeting ranges count: one or two for views that interleave in one buffer (o beside q, k, v;
 * slices of a padded tensor). So the answer is exact and quick for these; a view so entangled that the budget runs out
 * counts as overlapping. */
static int disjoint(view a, view b, int64_t diff, int32_t *budget) {
  if (diff >= a.width || -diff >= b.width)
    return 1;
  if ((!a.rank && !b.rank) || --*budget < 0)
    return 0;
  const int64_t step_a = a.rank ? a.axes[a.rank - 1].step : 0, step_b = b.rank ? b.axes[b.rank - 1].step : 0;
  const int64_t step = step_a > step_b ? step_a : step_b;
  int64_t last_a = 0, last_b = 0;
  if (step_a == step) {
    last_a = a.axes[--a.rank].n - 1;
    a.width -= last_a * step;
  }
  if (step_b == step) {
    last_b = b.axes[--b.rank].n - 1;
    b.width -= last_b * step;
  }
  int64_t m = -floor_div(b.width - 1 + diff, step), end = floor_div(a.width - 1 - diff, step);
  m = m < -last_a ? -last_a : m;
  end = end > last_b ? last_b : end;
  for (; m <= end; ++m)
    if (!disjoint(a, b, diff + m * step, budget))
      return 0;
  return 1;
}

attn_status attn_rt_check_alias(const attn_call *call, const attn_kernel_info *info) {
  for (int32_t a = 0; a < info->n_args; ++a) {
    view out, other;
    int32_t where;
    if (info->args[a].role != ATTN_ARG_OUTPUT || attn_rt_is_absent(&call->args[a]))
      continue;
    make_view(&call->args[a], &out, &where);
    for (int32_t b = 0; b < info->n_args; ++b) {
      /* Two outputs are compared once. */
      if (b == a || (info->args[b].role == ATTN_ARG_OUTPUT && b > a) || attn_rt_is_absent(&call->args[b]))
        continue;
      make_view(&call->args[b], &other, &where);
      const uintptr_t lo = (uintptr_t)out.lo, other_lo = (uintptr_t)other.lo;
      if (lo + (uintptr_t)out.width <= other_lo || other_lo + (uintptr_t)other.width <= lo)
        continue;
      int32_t budget = 4096;
      if (!disjoint(out, other, (int64_t)(other_lo - lo), &budget))
        return attn_rt_fail(call, ATTN_E_ALIAS, a, -1, -1, b);
    }
  }
  return ATTN_OK;
}
