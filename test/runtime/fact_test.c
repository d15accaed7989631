/* fact_test.c - what a program promises of the elements of a tensor (values.c): kept, broken, and on odd tensors. */
#include "check.h"
#include "fixture.h"

static int ran; /* a refused call must not start work */
static void phase_run(const attn_task *task) {
  (void)task;
  ran = 1;
}

#define MUTATE(name) static void name(fixture *f)
#define T(arg) (f->args[ARG_##arg])

/* All are facts of klen, grown to any rank and width. */
#define IS(f, ...) promise(f, ATTN_FACT_##__VA_ARGS__)
static void promise(fixture *f, uint32_t facts, int64_t lo, int64_t hi) {
  f->arg_infos[ARG_KLEN].length_of = -1;
  f->arg_infos[ARG_KLEN].facts |= facts;
  f->arg_infos[ARG_KLEN].range_lo = lo, f->arg_infos[ARG_KLEN].range_hi = hi;
}
static void grow(fixture *f, int bits, int32_t rank, const int64_t *shape) {
  void *data = T(KLEN).data;
  f->arg_infos[ARG_KLEN].bits = (uint8_t)bits;
  f->arg_infos[ARG_KLEN].rank = rank;
  for (int32_t x = 0; x < rank; ++x)
    f->arg_infos[ARG_KLEN].axis[x] = axis_free();
  make_dense(&T(KLEN), ATTN_INT, (uint8_t)bits, rank, shape);
  T(KLEN).data = data;
}
static void put(fixture *f, int64_t at, int64_t value) {
  if (T(KLEN).bits == 64)
    ((int64_t *)T(KLEN).data)[at] = value;
  else if (T(KLEN).bits == 32)
    ((int32_t *)T(KLEN).data)[at] = (int32_t)value;
  else
    ((int8_t *)T(KLEN).data)[at] = (int8_t)value;
}
static void row(fixture *f, int bits, int64_t n, const int64_t *values) {
  grow(f, bits, 1, &n);
  for (int64_t k = 0; k < n; ++k)
    put(f, k, values[k]);
}
MUTATE(sorted_equal) { row(f, 32, 5, (int64_t[]){-2, -2, 0, 7, 7}), IS(f, SORTED, 0, 0); }
MUTATE(sorted_not) { row(f, 32, 5, (int64_t[]){-2, -2, 8, 7, 6}), IS(f, SORTED, 0, 0); }
MUTATE(sorted_extremes) { row(f, 64, 4, (int64_t[]){INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX}), IS(f, SORTED, 0, 0); }
MUTATE(sorted_i64_not) { row(f, 64, 2, (int64_t[]){INT64_MAX, INT64_MIN}), IS(f, SORTED, 0, 0); }
MUTATE(sorted_i8_not) { row(f, 8, 3, (int64_t[]){-128, 127, 126}), IS(f, SORTED, 0, 0); }
MUTATE(sorted_i8) { row(f, 8, 3, (int64_t[]){-128, -1, 127}), IS(f, SORTED, 0, 0); }
MUTATE(sorted_not_promised) { row(f, 32, 2, (int64_t[]){2, 1}), f->arg_infos[ARG_KLEN].length_of = -1; }
MUTATE(sorted_one_each) { /* rows begin anew */
  grow(f, 32, 2, (int64_t[]){3, 1});
  put(f, 0, 9), put(f, 1, 5), put(f, 2, 1);
  IS(f, SORTED, 0, 0);
}
MUTATE(sorted_by_strides) { /* column-major: ascending along the last axis alone */
  grow(f, 32, 2, (int64_t[]){2, 3});
  memcpy(T(KLEN).stride, (int64_t[]){1, 2}, 16);
  for (int n = 0; n < 6; ++n)
    put(f, n, n % 2 ? n - 9 : n);
  IS(f, SORTED, 0, 0);
}
MUTATE(sorted_by_strides_not) { sorted_by_strides(f), put(f, 5, -7); }
MUTATE(sorted_padded) { /* what lies between the elements does not count */
  grow(f, 64, 2, (int64_t[]){2, 2});
  memcpy(T(KLEN).stride, (int64_t[]){7, 3}, 16);
  put(f, 0, 1), put(f, 3, 1), put(f, 7, -4), put(f, 10, 0);
  put(f, 1, 99), put(f, 6, -99), put(f, 11, -99);
  IS(f, SORTED, 0, 0);
}
MUTATE(sorted_broadcast_rows) { /* a long axis of stride 0 takes no time */
  grow(f, 32, 3, (int64_t[]){(int64_t)1 << 60, 1, 2});
  T(KLEN).stride[0] = 0;
  put(f, 0, 3), put(f, 1, 2);
  IS(f, SORTED, 0, 0);
}
MUTATE(sorted_broadcast_last) {
  grow(f, 32, 2, (int64_t[]){2, (int64_t)1 << 60});
  memcpy(T(KLEN).stride, (int64_t[]){1, 0}, 16);
  put(f, 0, 3), put(f, 1, 2);
  IS(f, SORTED, 0, 0);
}
MUTATE(sorted_rank6) {
  grow(f, 32, 6, (int64_t[]){2, 1, 3, 2, 2, 4});
  for (int n = 0; n < 96; ++n)
    put(f, n, n % 4);
  IS(f, SORTED, 0, 0);
}
MUTATE(sorted_rank6_last) { sorted_rank6(f), put(f, 95, 1); }
MUTATE(sorted_empty) { grow(f, 32, 2, (int64_t[]){4, 0}), T(KLEN).data = NULL, IS(f, SORTED, 0, 0); }
MUTATE(sorted_no_rows) { grow(f, 32, 2, (int64_t[]){0, 4}), T(KLEN).data = NULL, IS(f, SORTED, 0, 0); }
MUTATE(sorted_null) { sorted_equal(f), T(KLEN).data = NULL; }
MUTATE(range_ends) { row(f, 32, 4, (int64_t[]){9, -1, 4, -1}), IS(f, RANGE, -1, 10); }
MUTATE(range_under) { row(f, 32, 4, (int64_t[]){9, -2, 4, 10}), IS(f, RANGE, -1, 10); }
MUTATE(range_over) { row(f, 32, 4, (int64_t[]){9, -1, 10, -5}), IS(f, RANGE, -1, 10); }
MUTATE(range_i64) { row(f, 64, 2, (int64_t[]){INT64_MIN, INT64_MAX - 1}), IS(f, RANGE, INT64_MIN, INT64_MAX); }
MUTATE(range_i64_over) { row(f, 64, 2, (int64_t[]){0, INT64_MAX}), IS(f, RANGE, INT64_MIN, INT64_MAX); }
MUTATE(range_i8_under) { row(f, 8, 2, (int64_t[]){0, -128}), IS(f, RANGE, -127, 1000); }
MUTATE(range_broadcast_last) { sorted_broadcast_last(f), f->arg_infos[ARG_KLEN].facts = 0, IS(f, RANGE, 0, 3); }
MUTATE(range_empty) { grow(f, 64, 1, (int64_t[]){0}), T(KLEN).data = NULL, IS(f, RANGE, 0, 1); }
MUTATE(both_hold) { range_ends(f), row(f, 32, 3, (int64_t[]){-1, 4, 4}), IS(f, SORTED, -1, 10); }
MUTATE(both_unsorted_first) { range_ends(f), row(f, 32, 3, (int64_t[]){4, 3, 99}), IS(f, SORTED, -1, 10); }
MUTATE(both_range_first) { range_ends(f), row(f, 32, 3, (int64_t[]){4, 99, 3}), IS(f, SORTED, -1, 10); }
MUTATE(both_at_once) { range_ends(f), row(f, 32, 2, (int64_t[]){4, -9}), IS(f, SORTED, -1, 10); }
MUTATE(fact_of_floats) { f->arg_infos[ARG_X].facts = ATTN_FACT_SORTED; }
/* other faults of the same call */
MUTATE(alignment_before_fact) { sorted_not(f), T(O).data = f->owned[ARG_O] + 1; }
MUTATE(length_before_fact) { /* of the first tensor with a fact, and a later one with lengths */
  ((int64_t *)T(KLEN).data)[1] = J + 1;
  f->arg_infos[ARG_Q].code = T(Q).code = ATTN_INT;
  f->arg_infos[ARG_Q].facts = ATTN_FACT_RANGE;
}
MUTATE(fact_before_workspace) { sorted_not(f), f->call.workspace = NULL; }

static const struct {
  const char *name;
  void (*mutate)(fixture *f);
  attn_status status;
  int32_t arg, axis;
  int64_t expected, found;
} table[] = {
#define OK(name) {#name, name, ATTN_OK, -7, -7, -7, -7}
#define BROKEN(name, axis, expected, found) {#name, name, ATTN_E_FACT, ARG_KLEN, axis, expected, found}
#define BAD(name, status, arg, expected, found) {#name, name, ATTN_E_##status, arg, -1, expected, found}
    OK(sorted_equal),
    BROKEN(sorted_not, 0, 8, 7),
    OK(sorted_extremes),
    BROKEN(sorted_i64_not, 0, INT64_MAX, INT64_MIN),
    BROKEN(sorted_i8_not, 0, 127, 126),
    OK(sorted_i8),
    OK(sorted_not_promised),
    OK(sorted_one_each),
    OK(sorted_by_strides),
    BROKEN(sorted_by_strides_not, 1, -6, -7),
    OK(sorted_padded),
    BROKEN(sorted_broadcast_rows, 2, 3, 2),
    OK(sorted_broadcast_last),
    OK(sorted_rank6),
    BROKEN(sorted_rank6_last, 5, 2, 1),
    OK(sorted_empty),
    OK(sorted_no_rows),
    BAD(sorted_null, ARGUMENT, ARG_KLEN, 1, 0),
    OK(range_ends),
    BROKEN(range_under, -1, -1, -2),
    BROKEN(range_over, -1, 10, 10),
    OK(range_i64),
    BROKEN(range_i64_over, -1, INT64_MAX, INT64_MAX),
    BROKEN(range_i8_under, -1, -127, -128),
    BROKEN(range_broadcast_last, -1, 3, 3),
    OK(range_empty),
    OK(both_hold),
    BROKEN(both_unsorted_first, 0, 4, 3),
    BROKEN(both_range_first, -1, 10, 99),
    BROKEN(both_at_once, -1, -1, -9),
    BAD(fact_of_floats, DTYPE, ARG_X, 64, 544),
    BAD(alignment_before_fact, ARGUMENT, ARG_O, 4, 1),
    BAD(length_before_fact, LENGTH, ARG_KLEN, J, J + 1),
    BROKEN(fact_before_workspace, 0, 8, 7),
};

int main(void) {
  for (size_t n = 0; n < sizeof table / sizeof table[0]; ++n) {
    fixture f;
    uint64_t bytes;
    fixture_open(&f);
    f.phases[0] = (attn_phase_info){phase_run, ATTN_PHASE_MAIN, 0, 4, 0, 0};
    f.variants[0] = (attn_variant_info){.name = "only", .phases = f.phases, .n_phases = 1, .scratch_bytes = 64};
    f.workspace = malloc(65536);
    f.call.workspace = f.workspace;
    f.call.workspace_bytes = 65536;
    ran = 0;
    table[n].mutate(&f);
    CHECK(attn_rt_workspace(&f.call, &f.info, &bytes) == ATTN_OK, "%s: the size of the workspace needs no element",
          table[n].name);
    const attn_status status = attn_rt_run(&f.call, &f.info);
    CHECK(status == table[n].status, "%s: %s instead of %s", table[n].name, attn_status_name(status),
          attn_status_name(table[n].status));
    CHECK(f.error.arg == table[n].arg && f.error.axis == table[n].axis, "%s: error at %d, %d instead of %d, %d",
          table[n].name, f.error.arg, f.error.axis, table[n].arg, table[n].axis);
    CHECK(f.error.expected == table[n].expected && f.error.found == table[n].found, "%s: expected %ld, found %ld",
          table[n].name, (long)f.error.expected, (long)f.error.found);
    CHECK(ran == !status, "%s: work was done for a refused call, or none for a good one", table[n].name);
    fixture_close(&f);
  }
  return check_report();
}
