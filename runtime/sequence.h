/* sequence.h - the values of a kernel of several steps, and the call of each step: on the CPU as on a GPU. */
#ifndef ATTN_RT_SEQUENCE_H
#define ATTN_RT_SEQUENCE_H

#include "internal.h"

#pragma GCC visibility push(hidden)

/* Which extent of the caller's tensors an extent of a temporary is. */
typedef struct attn_rt_origin {
  int32_t arg, axis; /* -1: an extent that the program fixes */
} attn_rt_origin;

typedef struct attn_rt_sequence {
  const attn_call *call;
  const attn_kernel_info *info;
  int32_t n_values;
  attn_tensor values[ATTN_MAX_STEP_VALUES];
  attn_rt_origin from[ATTN_MAX_STEP_VALUES][ATTN_MAX_RANK];
  int64_t at[ATTN_MAX_STEP_VALUES]; /* byte offset of a value's room in the workspace; -1: none */
  int64_t room_bytes, step_bytes;   /* of all rooms; of the largest step (CPU) */
} attn_rt_sequence;

/* A step's call, and where its parts are. */
typedef struct attn_rt_binding {
  attn_call call;
  attn_tensor args[ATTN_MAX_STEP_VALUES];
  attn_scalar params[ATTN_MAX_STEP_VALUES];
  attn_error error;
  attn_stats stats;
} attn_rt_binding;

/* Everything that can be known before any work. on_host: elements can be read, and the steps are sized for the CPU. */
attn_status attn_rt_prepare_steps(attn_rt_sequence *s, const attn_call *call, const attn_kernel_info *info,
                                  int with_data, int on_host);

/* The values that have room and no memory of the caller's get theirs, from `rooms` on. */
void attn_rt_place_rooms(attn_rt_sequence *s, unsigned char *rooms);

void attn_rt_bind_step(const attn_rt_sequence *s, const attn_step_info *step, attn_rt_binding *b);

/* A fault of a step, told of the whole call's tensors. */
attn_status attn_rt_fail_step(const attn_rt_sequence *s, const attn_step_info *step, const attn_error *error,
                              attn_status status);

/* The first step with an axis of keys, else the first. */
int32_t attn_rt_leading_step(const attn_kernel_info *info);

#pragma GCC visibility pop
#endif
