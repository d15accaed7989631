/* internal.h - what the files of libattn_rt share. */
#ifndef ATTN_RT_INTERNAL_H
#define ATTN_RT_INTERNAL_H

#include "attn-rt/attn_rt.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#pragma GCC visibility push(hidden)

/* Writes *call->error if there is one and returns status. Only for calls whose version and size were accepted. */
attn_status attn_rt_fail(const attn_call *call, attn_status status, int32_t arg, int32_t axis, int64_t expected,
                         int64_t found);

/* check.c: version, counts, dtype, rank, shapes; fills extents (ATTN_MAX_DIMS of them). with_data: pointers, strides,
 * aliasing, alignment, lengths and facts too, at their places in that order. */
attn_status attn_rt_check(const attn_call *call, const attn_kernel_info *info, int with_data, int64_t *extents);

/* Its parts, for kernels of several steps. Head: versions, counts, dtype, rank; with_data: pointers. Shapes: fills
 * extents. Data: strides, aliasing, alignment. */
attn_status attn_rt_check_head(const attn_call *call, const attn_kernel_info *info, int with_data);
attn_status attn_rt_check_shapes(const attn_call *call, const attn_kernel_info *info, int64_t *extents);
attn_status attn_rt_check_data(const attn_call *call, const attn_kernel_info *info);

/* run.c: the workspace of a kernel that has no steps, and its run, of a call whose data was checked if not `checked`
 * here. */
attn_status attn_rt_size_one(const attn_call *call, const attn_kernel_info *info, uint64_t *bytes);
attn_status attn_rt_run_one(const attn_call *call, const attn_kernel_info *info, int checked);

/* ATTN_E_INDEX for what stands in bad[4]. */
attn_status attn_rt_index_error(const attn_call *call, const attn_kernel_info *info, const int64_t *bad);

/* sequence.c: of a kernel of steps. */
attn_status attn_rt_size_sequence(const attn_call *call, const attn_kernel_info *info, uint64_t *bytes);
attn_status attn_rt_run_sequence(const attn_call *call, const attn_kernel_info *info);

/* strides.c: the rules on strides and byte spans of every tensor, then on overlap of outputs with anything else. */
attn_status attn_rt_check_strides(const attn_call *call, const attn_kernel_info *info);
attn_status attn_rt_check_alias(const attn_call *call, const attn_kernel_info *info);

/* values.c: elements of tensors that are not absent, aligned and without negative strides: lengths in [0, extent], then
 * order and range. */
attn_status attn_rt_check_lengths(const attn_call *call, const attn_kernel_info *info, const int64_t *extents);
attn_status attn_rt_check_facts(const attn_call *call, const attn_kernel_info *info);

/* isa.c: nonzero if the CPU and the operating system support ATTN_ISA_*. */
int attn_rt_has_isa(int32_t isa);

enum { ATTN_RT_LINE = 64 }; /* alignment of what is in the workspace */

/* n rounded up to whole lines; nonzero on overflow. */
static inline int attn_rt_round_up(int64_t n, int64_t *rounded) {
  if (__builtin_add_overflow(n, ATTN_RT_LINE - 1, rounded))
    return 1;
  *rounded &= -(int64_t)ATTN_RT_LINE;
  return 0;
}

/* x = (dim) alone. */
static inline int attn_rt_is_plain(const attn_axis_info *x) { return x->dim >= 0 && x->divisor == 1 && x->offset == 0; }

static inline int64_t attn_rt_ceil_div(int64_t n, int64_t d) { return n / d + (n % d != 0); }

static inline int64_t attn_rt_element_bytes(const attn_tensor *t) { return t->bits < 8 ? 1 : t->bits / 8; }

static inline int attn_rt_is_empty(const attn_tensor *t) {
  for (int32_t x = 0; x < t->rank; ++x)
    if (t->shape[x] == 0)
      return 1;
  return 0;
}

/* Nothing of the tensor is ever addressed: it has no element, or nobody wants it. */
static inline int attn_rt_is_absent(const attn_tensor *t) { return !t->data || attn_rt_is_empty(t); }

/* Rounding, denormal modes and exception masks of this thread, without the sticky flags. A worker computes under the
 * caller's, else results would depend on who runs a task. */
static inline unsigned attn_rt_get_fp_control(void) {
#if defined(__x86_64__)
  return _mm_getcsr() & ~0x3fu;
#else
  return 0;
#endif
}

static inline void attn_rt_set_fp_control(unsigned control) {
#if defined(__x86_64__)
  _mm_setcsr(control | (_mm_getcsr() & 0x3fu));
#else
  (void)control;
#endif
}

#pragma GCC visibility pop
#endif
