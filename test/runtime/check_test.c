/* check_test.c - one bad call per rule of check.c and strides.c, and the odd calls that are legal. */
#include "check.h"
#include "fixture.h"

static int ran; /* a refused call must not start work */
static void phase_run(const attn_task *task) {
  (void)task;
  ran = 1;
}
static int32_t guard_no(const attn_task *task) { return (void)task, 0; }

#define MUTATE(name) static void name(fixture *f)
#define T(arg) (f->args[ARG_##arg])

/* A tensor of its own inside the memory of q: o and q as views of one buffer. */
static void view(attn_tensor *t, attn_tensor *of, int64_t offset, const int64_t *strides) {
  t->data = (float *)of->data + offset;
  memcpy(t->stride, strides, sizeof(int64_t) * (size_t)t->rank);
}
static void length(fixture *f, int at, int64_t value) { ((int64_t *)T(KLEN).data)[at] = value; }

MUTATE(nothing) { (void)f; }
/* version, counts */
MUTATE(call_version) { f->call.abi_version = 1; }
MUTATE(call_size) { f->call.size -= 8; }
MUTATE(info_version) { f->info.abi_version = 9; }
MUTATE(info_size) { f->info.size += 8; }
MUTATE(few_args) { f->call.n_args = N_ARGS - 1; }
MUTATE(many_params) { f->call.n_params = 2; }
MUTATE(null_args) { f->call.args = NULL; }
MUTATE(null_params) { f->call.params = NULL; }
MUTATE(minus_workers) { f->call.workers = -1; }
/* dtype, rank, pointers */
MUTATE(code) { T(K).code = ATTN_BFLOAT; }
MUTATE(bits) { T(KLEN).bits = 32; }
MUTATE(lanes) { T(V).lanes = 4; }
MUTATE(rank) { T(LSE).rank = 4; }
MUTATE(null_input) { T(V).data = NULL; }
MUTATE(null_output) { T(O).data = NULL; }
MUTATE(null_optional) { T(LSE).data = NULL; }
/* shapes */
MUTATE(plain_disagrees) { T(O).shape[2] = I + 1; }
MUTATE(static_extent) { T(Q).shape[3] = C + 1; }
MUTATE(minus_extent) { T(X).shape[3] = -1; }
MUTATE(group_short) { T(K).shape[1] = G - 1; }
MUTATE(group_long) { T(V).shape[1] = G + 1; }
MUTATE(offset_short) { T(X).shape[1] = H + 7; }
MUTATE(offset_long) { T(X).shape[1] = H + 20; }
MUTATE(constant_short) { T(X).shape[2] = 2; }
MUTATE(free_any) { T(X).shape[3] = 1; }
/* axis 1 of x by another rule: a list for two queries, row offsets of the queries, bits of the keys in bytes */
static void rule(fixture *f, attn_axis_info axis, int64_t extent) {
  f->arg_infos[ARG_X].axis[1] = axis;
  T(X).shape[1] = extent;
}
MUTATE(rows_divided) { rule(f, axis_div(DIM_I, 2), 3); }
MUTATE(rows_divided_short) { rule(f, axis_div(DIM_I, 2), 2); }
MUTATE(rows_divided_long) { rule(f, axis_div(DIM_I, 2), 4); }
MUTATE(row_offsets) { rule(f, axis_at(DIM_I, 1), I + 1); }
MUTATE(row_offsets_short) { rule(f, axis_at(DIM_I, 1), I); }
MUTATE(row_offsets_of_none) {
  fixture_resize(f, B, H, G, 0, J);
  rule(f, axis_at(DIM_I, 1), 1);
}
MUTATE(row_offsets_of_none_empty) {
  fixture_resize(f, B, H, G, 0, J);
  rule(f, axis_at(DIM_I, 1), 0);
}
MUTATE(key_bits) { rule(f, axis_div(DIM_J, 8), 1); }
MUTATE(key_bits_one_more) {
  fixture_resize(f, B, H, G, I, 9);
  rule(f, axis_div(DIM_J, 8), 1);
}
MUTATE(key_bits_long) { rule(f, axis_div(DIM_J, 8), 2); }
MUTATE(also_disagrees) { f->arg_infos[ARG_Q].axis[2].also = DIM_J; }
MUTATE(also_agrees) {
  f->arg_infos[ARG_Q].axis[2].also = DIM_J;
  fixture_resize(f, B, H, G, J, J);
}
MUTATE(also_only) { /* i is known from `also` alone, as in packed self-attention */
  also_agrees(f);
  for (int a = ARG_O; a <= ARG_LSE; ++a)
    f->arg_infos[a].axis[2] = axis_free();
  f->arg_infos[ARG_Q].axis[2] = (attn_axis_info){DIM_J, DIM_I, 1, 0, -1, 0, 0};
}
MUTATE(never_defined) {
  f->arg_infos[ARG_K].axis[3] = f->arg_infos[ARG_Q].axis[3] = axis_div(DIM_C, 1);
  f->arg_infos[ARG_K].axis[3].divisor = f->arg_infos[ARG_Q].axis[3].divisor = 2;
}
MUTATE(never_defined_batch) {
  for (int a = 0; a < N_ARGS; ++a)
    f->arg_infos[a].axis[0] = axis_div(DIM_B, 2);
}
MUTATE(too_many_keys) { T(K).shape[2] = T(V).shape[2] = (int64_t)ATTN_MAX_EXTENT + 1; }
MUTATE(most_keys) { /* one row of keys seen 2^31 - 1 times: nothing is read in this fixture */
  T(K).shape[2] = T(V).shape[2] = ATTN_MAX_EXTENT;
  T(K).stride[2] = T(V).stride[2] = 0;
}
/* strides and spans */
MUTATE(minus_stride) { T(K).stride[2] = -C; }
MUTATE(broadcast_input) { memset(T(K).stride, 0, sizeof T(K).stride); }
MUTATE(broadcast_output) { T(O).stride[1] = 0; }
MUTATE(minus_output) { T(LSE).stride[2] = -1; }
MUTATE(folded_output) { T(O).stride[2] = E - 1; }
MUTATE(one_index_any_stride) {
  fixture_resize(f, 1, H, G, I, J);
  T(O).stride[0] = 0;
  T(LSE).stride[0] = 1;
}
MUTATE(span_overflows) { T(Q).stride[0] = INT64_MAX / 4; }
MUTATE(span_sum_overflows) { T(Q).stride[0] = T(Q).stride[1] = INT64_MAX / 60; }
MUTATE(address_wraps) { T(Q).stride[0] = INT64_MAX / 8 - 100000, T(Q).data = (void *)(UINTPTR_MAX - 4095); }
MUTATE(permuted) { /* token-major o and q, feature-major k */
  memcpy(T(O).stride, (int64_t[]){I * H * E, E, H * E, 1}, 32);
  memcpy(T(Q).stride, (int64_t[]){I * H * C, C, H * C, 1}, 32);
  memcpy(T(K).stride, (int64_t[]){G * J * C, J * C, 1, J}, 32);
}
MUTATE(padded) { memcpy(T(O).stride, (int64_t[]){H * (I * (E + 2) + 5) + 37, I * (E + 2) + 5, E + 2, 1}, 32); }
MUTATE(every_second) { memcpy(T(O).stride, (int64_t[]){2 * H * I * E, 2 * I * E, 2 * E, 2}, 32); }
/* alignment */
MUTATE(misaligned) { T(Q).data = f->owned[ARG_Q] + 2; }
MUTATE(misaligned_output) { T(O).data = f->owned[ARG_O] + 1; }
MUTATE(one_element_off) {
  for (int a = 0; a < N_ARGS; ++a)
    f->args[a].data = f->owned[a] + f->args[a].bits / 8;
}
/* aliasing */
MUTATE(output_is_input) { T(O).data = T(V).data; }
MUTATE(output_is_output) { T(LSE).data = T(O).data; }
MUTATE(output_touches_input) { T(LSE).data = (float *)T(Q).data + (B * H * I * C - 1); }
MUTATE(output_after_input) { T(LSE).data = (float *)T(Q).data + B * H * I * C; }
MUTATE(output_before_input) { T(Q).data = (float *)T(LSE).data + B * H * I; }
MUTATE(output_between) { /* one element of o inside one of q's */
  view(&T(Q), &T(Q), 0, (int64_t[]){800, 100, 10, 1});
  view(&T(LSE), &T(Q), 3, (int64_t[]){800, 100, 10});
}
MUTATE(inputs_alias) { T(K).data = T(V).data; }
MUTATE(interleaved_heads) { /* [b, i, h, c e lse]: q, o and lse side by side per token and head */
  enum { R = C + E + 1 };
  const int64_t s[4] = {I * H * R, R, H * R, 1};
  view(&T(Q), &T(Q), 0, s);
  view(&T(O), &T(Q), C, s);
  view(&T(LSE), &T(Q), C + E, s);
}
MUTATE(interleaved_channels) { /* [b, h, i, c, 2]: even elements q, odd ones o */
  view(&T(Q), &T(Q), 0, (int64_t[]){800, 100, 20, 2});
  view(&T(O), &T(Q), 1, (int64_t[]){800, 100, 20, 2});
}
MUTATE(interleaved_padded) { /* strides that do not divide one another */
  view(&T(Q), &T(Q), 0, (int64_t[]){813, 101, 19, 1});
  view(&T(O), &T(Q), 9, (int64_t[]){813, 101, 19, 1});
}
MUTATE(interleaved_too_close) {
  view(&T(Q), &T(Q), 0, (int64_t[]){813, 101, 19, 1});
  view(&T(O), &T(Q), 3, (int64_t[]){813, 101, 19, 1});
}
MUTATE(wraps_into_next_row) { /* the last elements of o's rows are the first of q's next ones */
  view(&T(Q), &T(Q), 0, (int64_t[]){800, 100, 12, 1});
  view(&T(O), &T(Q), 7, (int64_t[]){800, 100, 12, 1});
}
MUTATE(packed_buffer) { /* q k v o in one buffer of [b, token, 4, h, c], grouped keys padded to h */
  fixture_resize(f, B, H, G, J, J);
  const int64_t s[4] = {J * 4 * H * E, E, 4 * H * E, 1};
  const int args[4] = {ARG_Q, ARG_K, ARG_V, ARG_O};
  for (int n = 0; n < 4; ++n)
    view(&f->args[args[n]], &T(Q), n * H * E, s);
}
MUTATE(broadcast_beside) { /* an input broadcast along b between the rows of an output */
  view(&T(Q), &T(Q), 0, (int64_t[]){0, 100, 12, 1});
  view(&T(LSE), &T(Q), 5, (int64_t[]){800, 100, 12});
}
MUTATE(broadcast_over) {
  view(&T(Q), &T(Q), 0, (int64_t[]){0, 100, 12, 1});
  view(&T(LSE), &T(Q), 2, (int64_t[]){800, 100, 12});
}
MUTATE(tangled) { /* a sliding view across o: cannot be told apart within the budget or truly meets */
  memcpy(T(K).stride, (int64_t[]){1, 1, 1, 1}, 32);
  T(O).data = (float *)T(K).data + 3;
}
/* lengths */
MUTATE(length_most) { length(f, 0, J), length(f, 1, 0); }
MUTATE(length_over) { length(f, 1, J + 1); }
MUTATE(length_minus) { length(f, 0, -1); }
MUTATE(length_strided) { T(KLEN).stride[0] = 5, length(f, 5, J + 1); }
MUTATE(length_between) { T(KLEN).stride[0] = 5, length(f, 1, J + 1); }
MUTATE(length_broadcast) { T(KLEN).stride[0] = 0, length(f, 1, J + 1); }
MUTATE(length_i32) {
  f->arg_infos[ARG_KLEN].bits = T(KLEN).bits = 32;
  ((int32_t *)T(KLEN).data)[1] = -3;
}
MUTATE(length_rank2) { /* klen[b, h], broadcast along b, bad in the last head */
  f->arg_infos[ARG_KLEN].rank = T(KLEN).rank = 2;
  f->arg_infos[ARG_KLEN].axis[1] = axis_of(DIM_H);
  T(KLEN).shape[1] = H, T(KLEN).stride[0] = 0, T(KLEN).stride[1] = 2;
  length(f, 2 * (H - 1), J + 2);
}
MUTATE(length_rows) { /* klen[b, h], each row read to its end before the next */
  length_rank2(f);
  length(f, 2 * (H - 1), J);
  T(KLEN).stride[0] = 100;
  length(f, 100 + 2 * (H - 1), J + 1);
}
/* zero extents */
MUTATE(no_batch) { fixture_resize(f, 0, H, G, I, J); }
MUTATE(no_heads) { fixture_resize(f, B, 0, 0, I, J); }
MUTATE(no_queries) { fixture_resize(f, B, H, G, 0, J); }
MUTATE(no_keys) { fixture_resize(f, B, H, G, I, 0), T(K).data = T(V).data = NULL; }
MUTATE(no_keys_no_heads) { fixture_resize(f, B, 0, 0, I, 0); }
MUTATE(empty_output_anywhere) { no_queries(f), T(O).stride[0] = 0, T(O).data = T(Q).data; }
/* two faults: the earlier rule answers, whichever tensor breaks it */
MUTATE(dtype_before_rank) { T(Q).rank = 3, T(LSE).bits = 16; }
MUTATE(rank_before_pointer) { T(Q).data = NULL, T(LSE).rank = 2; }
MUTATE(pointer_before_shape) { T(Q).shape[0] = B + 1, T(O).data = NULL; }
MUTATE(shape_before_stride) { T(Q).stride[0] = -1, T(LSE).shape[1] = H + 1; }
MUTATE(stride_before_alias) { output_is_input(f), T(LSE).stride[0] = 0; }
MUTATE(alias_before_alignment) { misaligned(f), output_is_output(f); }
MUTATE(alignment_before_length) { length_over(f), misaligned_output(f); }
/* isa, variants, workspace */
MUTATE(isa_unknown) { f->info.isa = ATTN_ISA_X86_64_V4_AMX + 1; }
MUTATE(isa_v2) { f->info.isa = ATTN_ISA_X86_64_V2; }
MUTATE(variant_over) { f->call.variant = 1; }
MUTATE(variant_minus) { f->call.variant = -2; }
MUTATE(variant_zero) { f->call.variant = 0; }
MUTATE(variant_guarded) { f->call.variant = 0, f->variants[0].guard = guard_no; }
MUTATE(variant_none) { f->variants[0].guard = guard_no; }
MUTATE(workspace_null) { f->call.workspace = NULL; }
MUTATE(workspace_short) { f->call.workspace_bytes = 100; }
MUTATE(slot_overflows) { f->variants[0].slot_per_panel = INT64_MAX / 2, f->variants[0].panel = 1; }
MUTATE(scratch_overflows) { f->variants[0].scratch_bytes = INT64_MAX - 8; }

static const struct {
  const char *name;
  void (*mutate)(fixture *f);
  attn_status status;
  int32_t arg, axis;
} table[] = {
#define OK(name) {#name, name, ATTN_OK, -7, -7}
#define BAD(name, status, arg, axis) {#name, name, ATTN_E_##status, arg, axis}
    OK(nothing),
    BAD(call_version, VERSION, -7, -7),
    BAD(call_size, VERSION, -7, -7),
    BAD(info_version, VERSION, -1, -1),
    BAD(info_size, VERSION, -1, -1),
    BAD(few_args, ARGUMENT, -1, -1),
    BAD(many_params, ARGUMENT, -1, -1),
    BAD(null_args, ARGUMENT, -1, -1),
    BAD(null_params, ARGUMENT, -1, -1),
    BAD(minus_workers, ARGUMENT, -1, -1),
    BAD(code, DTYPE, ARG_K, -1),
    BAD(bits, DTYPE, ARG_KLEN, -1),
    BAD(lanes, DTYPE, ARG_V, -1),
    BAD(rank, RANK, ARG_LSE, -1),
    BAD(null_input, ARGUMENT, ARG_V, -1),
    BAD(null_output, ARGUMENT, ARG_O, -1),
    OK(null_optional),
    BAD(plain_disagrees, SHAPE, ARG_O, 2),
    BAD(static_extent, SHAPE, ARG_Q, 3),
    BAD(minus_extent, SHAPE, ARG_X, 3),
    BAD(group_short, SHAPE, ARG_K, 1),
    BAD(group_long, SHAPE, ARG_V, 1),
    BAD(offset_short, SHAPE, ARG_X, 1),
    OK(offset_long),
    BAD(constant_short, SHAPE, ARG_X, 2),
    OK(free_any),
    OK(rows_divided),
    BAD(rows_divided_short, SHAPE, ARG_X, 1),
    BAD(rows_divided_long, SHAPE, ARG_X, 1),
    OK(row_offsets),
    BAD(row_offsets_short, SHAPE, ARG_X, 1),
    OK(row_offsets_of_none),
    OK(row_offsets_of_none_empty),
    OK(key_bits),
    BAD(key_bits_one_more, SHAPE, ARG_X, 1),
    BAD(key_bits_long, SHAPE, ARG_X, 1),
    BAD(also_disagrees, SHAPE, ARG_K, 2),
    OK(also_agrees),
    OK(also_only),
    BAD(never_defined, SHAPE, ARG_Q, 3),
    BAD(never_defined_batch, SHAPE, -1, -1),
    BAD(too_many_keys, OVERFLOW, ARG_K, 2),
    OK(most_keys),
    BAD(minus_stride, STRIDE, ARG_K, 2),
    OK(broadcast_input),
    BAD(broadcast_output, STRIDE, ARG_O, 1),
    BAD(minus_output, STRIDE, ARG_LSE, 2),
    BAD(folded_output, STRIDE, ARG_O, -1),
    OK(one_index_any_stride),
    BAD(span_overflows, OVERFLOW, ARG_Q, 0),
    BAD(span_sum_overflows, OVERFLOW, ARG_Q, 1),
    BAD(address_wraps, OVERFLOW, ARG_Q, -1),
    OK(permuted),
    OK(padded),
    OK(every_second),
    BAD(misaligned, ARGUMENT, ARG_Q, -1),
    BAD(misaligned_output, ARGUMENT, ARG_O, -1),
    OK(one_element_off),
    BAD(output_is_input, ALIAS, ARG_O, -1),
    BAD(output_is_output, ALIAS, ARG_LSE, -1),
    BAD(output_touches_input, ALIAS, ARG_LSE, -1),
    OK(output_after_input),
    OK(output_before_input),
    BAD(output_between, ALIAS, ARG_LSE, -1),
    OK(inputs_alias),
    OK(interleaved_heads),
    OK(interleaved_channels),
    OK(interleaved_padded),
    BAD(interleaved_too_close, ALIAS, ARG_O, -1),
    BAD(wraps_into_next_row, ALIAS, ARG_O, -1),
    OK(packed_buffer),
    OK(broadcast_beside),
    BAD(broadcast_over, ALIAS, ARG_LSE, -1),
    BAD(tangled, ALIAS, ARG_O, -1),
    OK(length_most),
    BAD(length_over, LENGTH, ARG_KLEN, -1),
    BAD(length_minus, LENGTH, ARG_KLEN, -1),
    BAD(length_strided, LENGTH, ARG_KLEN, -1),
    OK(length_between),
    OK(length_broadcast),
    BAD(length_i32, LENGTH, ARG_KLEN, -1),
    BAD(length_rank2, LENGTH, ARG_KLEN, -1),
    BAD(length_rows, LENGTH, ARG_KLEN, -1),
    OK(no_batch),
    OK(no_heads),
    OK(no_queries),
    OK(no_keys),
    OK(no_keys_no_heads),
    OK(empty_output_anywhere),
    BAD(dtype_before_rank, DTYPE, ARG_LSE, -1),
    BAD(rank_before_pointer, RANK, ARG_LSE, -1),
    BAD(pointer_before_shape, ARGUMENT, ARG_O, -1),
    BAD(shape_before_stride, SHAPE, ARG_LSE, 1),
    BAD(stride_before_alias, STRIDE, ARG_LSE, 0),
    BAD(alias_before_alignment, ALIAS, ARG_LSE, -1),
    BAD(alignment_before_length, ARGUMENT, ARG_O, -1),
    BAD(isa_unknown, ISA, -1, -1),
    OK(isa_v2),
    BAD(variant_over, VARIANT, -1, -1),
    BAD(variant_minus, VARIANT, -1, -1),
    OK(variant_zero),
    BAD(variant_guarded, VARIANT, -1, -1),
    BAD(variant_none, VARIANT, -1, -1),
    BAD(workspace_null, WORKSPACE, -1, -1),
    BAD(workspace_short, WORKSPACE, -1, -1),
    BAD(slot_overflows, OVERFLOW, -1, -1),
    BAD(scratch_overflows, OVERFLOW, -1, -1),
};

static void details_and_names(void) {
  fixture f;
  fixture_open(&f);
  f.args[ARG_O].shape[2] = I + 1;
  attn_rt_run(&f.call, &f.info);
  CHECK(f.error.expected == I && f.error.found == I + 1, "shape: %ld, %ld", (long)f.error.expected,
        (long)f.error.found);
  f.args[ARG_O].shape[2] = I;
  ((int64_t *)f.args[ARG_KLEN].data)[1] = 99;
  attn_rt_run(&f.call, &f.info);
  CHECK(f.error.expected == J && f.error.found == 99, "length: %ld, %ld", (long)f.error.expected, (long)f.error.found);
  f.call.error = NULL;
  CHECK(attn_rt_run(&f.call, &f.info) == ATTN_E_LENGTH, "error is optional");
  CHECK(attn_rt_run(NULL, &f.info) == ATTN_E_ARGUMENT && attn_rt_run(&f.call, NULL) == ATTN_E_ARGUMENT,
        "NULL call or info");
  CHECK(attn_rt_workspace(&f.call, &f.info, NULL) != ATTN_OK, "workspace needs a place for its answer");
  fixture_close(&f);
  for (attn_status s = ATTN_OK; s <= ATTN_E_FACT; ++s)
    CHECK(!strncmp(attn_status_name(s), s ? "ATTN_E_" : "ATTN_OK", 7) &&
              strcmp(attn_status_name(s), "ATTN_E_UNKNOWN") &&
              attn_status_string(s)[strlen(attn_status_string(s)) - 1] == '.',
          "name of status %d", s);
  CHECK(!strcmp(attn_status_name(-1), "ATTN_E_UNKNOWN") && attn_status_string(99)[0], "unknown statuses");
  CHECK(!strcmp(attn_status_name(ATTN_E_SHAPE), "ATTN_E_SHAPE"), "name of ATTN_E_SHAPE");
}

int main(void) {
  for (size_t n = 0; n < sizeof table / sizeof table[0]; ++n) {
    fixture f;
    fixture_open(&f);
    f.phases[0] = (attn_phase_info){phase_run, ATTN_PHASE_MAIN, 0, 4, 0, 0};
    f.variants[0] = (attn_variant_info){.name = "only", .phases = f.phases, .n_phases = 1, .scratch_bytes = 64};
    f.workspace = malloc(65536);
    f.call.workspace = f.workspace;
    f.call.workspace_bytes = 65536;
    ran = 0;
    table[n].mutate(&f);
    const attn_status status = attn_rt_run(&f.call, &f.info);
    CHECK(status == table[n].status, "%s: %s instead of %s", table[n].name, attn_status_name(status),
          attn_status_name(table[n].status));
    CHECK(f.error.arg == table[n].arg && f.error.axis == table[n].axis, "%s: error at %d, %d instead of %d, %d",
          table[n].name, f.error.arg, f.error.axis, table[n].arg, table[n].axis);
    CHECK(!status || !ran, "%s: work was done for a refused call", table[n].name);
    fixture_close(&f);
  }
  details_and_names();
  return check_report();
}
