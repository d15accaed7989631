/* sequence_test.c - kernels of several steps: values go from step to step, every check comes before any work, and
 * faults are told of the caller's tensors.
 *
 *   step 0   y[b, i] = 2 x[b, i], u[b] = 1        u is read by nobody
 *   step 1   t[b, i] = y[b, i] + w                t is a temporary
 *   step 2   z[b] = g[b] + sum_(i < len[b]) t[b, i]
 */
#include "check.h"

#include "attn-rt/attn_rt.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { B = 3, I = 10, BLOCK = 4, SCRATCH = 70, SLOT = 50 };
enum { X, G, LEN, Y, Z, N_ARGS, T = N_ARGS, U, N_TEMPS = 2 };
enum { DIM_B, DIM_I, N_DIMS };
enum { STEPS = 3 };

static atomic_int ran[STEPS], wrong;
static int bad_step = -1, bad_arg;

static double *at(const attn_task *t, int arg, int64_t b, int64_t i) {
  const attn_tensor *a = &t->args[arg];
  return (double *)a->data + b * a->stride[0] + (a->rank > 1 ? i * a->stride[1] : 0);
}

static void count(const attn_task *t, int step) {
  atomic_fetch_add(&ran[step], 1);
  if ((uintptr_t)t->scratch % 64 || (uintptr_t)t->slot % 64)
    atomic_fetch_add(&wrong, 1);
  memset(t->scratch, 0xee, SCRATCH); /* over no value */
  if (!t->block)                     /* tasks of a unit share its slot */
    memset(t->slot, 0xee, SLOT);
  t->counters[0] += step + 1;
  int64_t none = 0;
  if (step == bad_step && __atomic_compare_exchange_n(&t->bad[0], &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    t->bad[1] = bad_arg;
    t->bad[2] = 0;
    t->bad[3] = 99;
  }
}

static int64_t end_of(const attn_task *t) {
  return t->block + BLOCK < t->extents[DIM_I] ? t->block + BLOCK : t->extents[DIM_I];
}

static void run_0(const attn_task *t) { /* x -> y, u */
  count(t, 0);
  const int64_t b = t->index[DIM_B];
  for (int64_t i = t->block; i < end_of(t); ++i)
    if (t->args[1].data)
      *at(t, 1, b, i) = 2 * *at(t, 0, b, i);
  if (t->args[2].data) /* nobody reads it */
    atomic_fetch_add(&wrong, 1);
  if (t->args[2].shape[0] != t->extents[DIM_B] || t->args[2].rank != 1)
    atomic_fetch_add(&wrong, 1);
}

static void run_1(const attn_task *t) { /* y -> t */
  count(t, 1);
  for (int64_t i = t->block; i < end_of(t); ++i)
    *at(t, 1, t->index[DIM_B], i) = *at(t, 0, t->index[DIM_B], i) + t->params[0].f;
  if ((uintptr_t)t->args[1].data % 64 || t->args[1].stride[0] != t->extents[DIM_I] || t->args[1].stride[1] != 1)
    atomic_fetch_add(&wrong, 1);
}

static void run_2(const attn_task *t) { /* g, len, t -> z */
  count(t, 2);
  const int64_t b = t->index[DIM_B], n = ((const int64_t *)t->args[1].data)[b * t->args[1].stride[0]];
  double sum = *at(t, 0, b, 0);
  for (int64_t i = 0; i < n; ++i)
    sum += *at(t, 2, b, i);
  if (t->args[3].data)
    *at(t, 3, b, 0) = sum;
}

static const attn_axis_info axis_b = {DIM_B, -1, 1, 0, -1, 0, 0}, axis_i = {DIM_I, -1, 1, 0, -1, 0, 0},
                            free_axis = {-1, -1, 1, 0, -1, 1, 0};

static attn_arg_info arg_info(const char *name, int output, int rank) {
  attn_arg_info a = {.name = name, .code = ATTN_FLOAT, .bits = 64, .rank = rank, .length_of = -1};
  a.role = output ? ATTN_ARG_OUTPUT : ATTN_ARG_INPUT;
  a.optional = (uint8_t)output;
  a.axis[0] = axis_b, a.axis[1] = axis_i;
  return a;
}

typedef struct step {
  attn_dim_info dims[N_DIMS];
  attn_arg_info args[4];
  attn_phase_info phases[1];
  attn_variant_info variants[2];
  attn_kernel_info info;
} step;

typedef struct fixture {
  step steps[STEPS];
  attn_step_info order[STEPS];
  int32_t values[STEPS][4], params[1];
  attn_arg_info arg_infos[N_ARGS];
  attn_param_info param_infos[2];
  attn_variant_info variants[2];
  attn_kernel_info info;

  attn_tensor args[N_ARGS];
  attn_scalar scalars[2];
  attn_call call;
  attn_error error;
  attn_stats stats;
  void *owned[N_ARGS], *workspace;
} fixture;

static void open_step(fixture *f, int n, void (*run)(const attn_task *), int n_args, int n_params) {
  step *s = &f->steps[n];
  s->dims[DIM_B] = (attn_dim_info){"b", ATTN_DIM_BATCH, 0, 1};
  s->dims[DIM_I] = (attn_dim_info){"i", ATTN_DIM_QUERY, 0, 0};
  s->phases[0] = (attn_phase_info){run, ATTN_PHASE_MAIN, 0, n == 2 ? 1 << 20 : BLOCK, 0, 0};
  s->variants[0] = s->variants[1] = (attn_variant_info){.name = "only",
                                                        .phases = s->phases,
                                                        .n_phases = 1,
                                                        .slot_base = SLOT,
                                                        .scratch_bytes = SCRATCH,
                                                        .tile_rows = n + 1,
                                                        .block_rows = BLOCK};
  s->info = (attn_kernel_info){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof s->info, .name = "step"};
  s->info.dims = s->dims, s->info.n_dims = N_DIMS;
  s->info.args = s->args, s->info.n_args = n_args;
  s->info.params = f->param_infos, s->info.n_params = n_params;
  s->info.variants = s->variants, s->info.n_variants = 1;
  f->order[n] = (attn_step_info){&s->info, f->values[n], f->params};
}

static void set_tensor(fixture *f, int a, uint8_t code, int rank, int64_t b, int64_t i) {
  f->args[a] = (attn_tensor){.data = f->owned[a], .code = code, .bits = 64, .lanes = 1, .rank = rank};
  f->args[a].shape[0] = b, f->args[a].shape[1] = rank > 1 ? i : 0;
  f->args[a].stride[0] = rank > 1 ? i : 1, f->args[a].stride[1] = rank > 1;
}

static void resize(fixture *f, int64_t b, int64_t i) {
  set_tensor(f, X, ATTN_FLOAT, 2, b, i);
  set_tensor(f, G, ATTN_FLOAT, 1, b, 0);
  set_tensor(f, LEN, ATTN_INT, 1, b, 0);
  set_tensor(f, Y, ATTN_FLOAT, 2, b, i);
  set_tensor(f, Z, ATTN_FLOAT, 1, b, 0);
}

static void open_fixture(fixture *f) {
  memset(f, 0, sizeof *f);
  f->param_infos[0] = (attn_param_info){"unused", ATTN_INT, 64, {0}};
  f->param_infos[1] = (attn_param_info){"w", ATTN_FLOAT, 64, {0}};
  open_step(f, 0, run_0, 3, 0);
  open_step(f, 1, run_1, 2, 1);
  open_step(f, 2, run_2, 4, 0);
  f->params[0] = 1;
  const int32_t values[STEPS][4] = {{X, Y, U}, {Y, T}, {G, LEN, T, Z}};
  memcpy(f->values, values, sizeof values);
  f->steps[0].args[0] = arg_info("x", 0, 2), f->steps[0].args[1] = arg_info("y", 1, 2);
  f->steps[0].args[2] = arg_info("u", 1, 1);
  f->steps[1].args[0] = arg_info("y", 0, 2), f->steps[1].args[1] = arg_info("t", 1, 2);
  f->steps[2].args[0] = arg_info("g", 0, 1), f->steps[2].args[1] = arg_info("len", 0, 1);
  f->steps[2].args[1].code = ATTN_INT, f->steps[2].args[1].length_of = DIM_I;
  f->steps[2].args[2] = arg_info("t", 0, 2), f->steps[2].args[3] = arg_info("z", 1, 1);
  const char *const names[N_ARGS] = {"x", "g", "len", "y", "z"};
  for (int a = 0; a < N_ARGS; ++a) {
    f->arg_infos[a] = arg_info(names[a], a >= Y, a == X || a == Y ? 2 : 1);
    f->arg_infos[a].axis[0] = f->arg_infos[a].axis[1] = free_axis;
    f->owned[a] = calloc(4096, 8);
  }
  f->arg_infos[LEN].code = ATTN_INT;
  f->info = (attn_kernel_info){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof f->info, .name = "sequence"};
  f->info.args = f->arg_infos, f->info.n_args = N_ARGS;
  f->info.params = f->param_infos, f->info.n_params = 2;
  f->info.variants = f->variants, f->info.n_variants = 1;
  f->info.steps = f->order, f->info.n_steps = STEPS, f->info.n_temps = N_TEMPS;
  resize(f, B, I);
  f->scalars[1].f = 0.5;
  for (int64_t n = 0; n < B * I; ++n)
    ((double *)f->owned[X])[n] = (double)n;
  for (int64_t b = 0; b < B; ++b) {
    ((double *)f->owned[G])[b] = 100.0 * (double)b;
    ((int64_t *)f->owned[LEN])[b] = I - b;
  }
  f->call = (attn_call){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof f->call, .workers = 1, .variant = -1};
  f->call.args = f->args, f->call.n_args = N_ARGS;
  f->call.params = f->scalars, f->call.n_params = 2;
  f->call.stats = &f->stats, f->call.error = &f->error;
  f->error = (attn_error){-7, -7, -7, -7};
  bad_step = -1;
}

static void close_fixture(fixture *f) {
  for (int a = 0; a < N_ARGS; ++a)
    free(f->owned[a]);
  free(f->workspace);
}

/* With exactly the workspace asked for, at an odd address, between bytes that nobody may write. */
static attn_status run(fixture *f) {
  enum { PAD = 128 };
  uint64_t bytes = 0;
  attn_tensor bare[N_ARGS];
  attn_call query = f->call;
  memcpy(bare, f->args, sizeof bare);
  for (int a = 0; a < N_ARGS; ++a)
    bare[a].data = NULL; /* the size does not depend on pointers */
  query.args = bare;
  memset(ran, 0, sizeof ran);
  atomic_store(&wrong, 0);
  attn_status status = attn_rt_workspace(&query, &f->info, &bytes);
  if (status) {
    CHECK(attn_rt_run(&f->call, &f->info) == status, "the run refuses what the question refuses");
    return status;
  }
  free(f->workspace);
  f->workspace = malloc(bytes + 2 * PAD);
  memset(f->workspace, 0xff, bytes + 2 * PAD);
  f->call.workspace = (unsigned char *)f->workspace + PAD + 1 + bytes % 5;
  if (bytes) {
    f->call.workspace_bytes = bytes - 1;
    CHECK(attn_rt_run(&f->call, &f->info) != ATTN_OK && !ran[0], "one byte less is too little");
  }
  f->call.workspace_bytes = bytes;
  f->error = (attn_error){-7, -7, -7, -7};
  status = attn_rt_run(&f->call, &f->info);
  const unsigned char *p = f->workspace, *lo = f->call.workspace;
  int touched = 0;
  for (uint64_t n = 0; n < bytes + 2 * PAD; ++n)
    touched += (p + n < lo || p + n >= lo + bytes) && p[n] != 0xff;
  CHECK(!touched && !wrong, "%d bytes around the workspace were written, %d things were wrong", touched, (int)wrong);
  return status;
}

static int right(const fixture *f) {
  int errors = 0;
  for (int64_t b = 0; b < f->args[X].shape[0]; ++b) {
    double z = 100.0 * (double)b;
    for (int64_t i = 0; i < f->args[X].shape[1]; ++i) {
      const double y = 2 * ((double *)f->args[X].data)[b * f->args[X].stride[0] + i * f->args[X].stride[1]];
      errors +=
          f->args[Y].data && ((double *)f->args[Y].data)[b * f->args[Y].stride[0] + i * f->args[Y].stride[1]] != y;
      z += i < ((int64_t *)f->owned[LEN])[b] ? y + 0.5 : 0;
    }
    errors += f->args[Z].data && ((double *)f->args[Z].data)[b] != z;
  }
  return !errors;
}

static void results(void) {
  for (int32_t workers = 0; workers <= 3; ++workers)
    for (int wanted = 0; wanted < 4; ++wanted)
      for (int strided = 0; strided < 2; ++strided) {
        fixture f;
        open_fixture(&f);
        f.call.workers = workers;
        f.call.pool = attn_pool_create(workers);
        if (strided) {
          f.args[Y].stride[0] = 2, f.args[Y].stride[1] = 7;
          f.args[X].stride[0] = 1, f.args[X].stride[1] = 3;
        }
        if (!(wanted & 1))
          f.args[Y].data = NULL;
        if (!(wanted & 2))
          f.args[Z].data = NULL;
        const attn_status status = run(&f);
        CHECK(!status && right(&f), "workers %d, wanted %d, strided %d: %s, arg %d", workers, wanted, strided,
              attn_status_name(status), f.error.arg);
        CHECK(ran[0] == 9 && ran[1] == 9 && ran[2] == 3, "tasks: %d %d %d", ran[0], ran[1], ran[2]);
        CHECK(f.stats.blocks_full == 9 + 18 + 9 && f.stats.tile_rows == 1 && f.stats.workers == (workers ? workers : 1),
              "stats: %ld, %ld", (long)f.stats.blocks_full, (long)f.stats.tile_rows);
        attn_pool_destroy(f.call.pool);
        close_fixture(&f);
      }
}

static void no_elements(void) {
  fixture f;
  open_fixture(&f);
  resize(&f, 0, I);
  CHECK(!run(&f) && !ran[0] && !ran[1] && !ran[2], "an empty batch");
  f.call.workspace = NULL;
  CHECK(!attn_rt_run(&f.call, &f.info), "nothing to do needs no workspace");
  close_fixture(&f);
}

/* The change is refused before any work, and told of the caller's tensor. */
#define REFUSED(f, change, status, a, x)                                                                               \
  do {                                                                                                                 \
    fixture f;                                                                                                         \
    open_fixture(&f);                                                                                                  \
    change;                                                                                                            \
    memset(ran, 0, sizeof ran);                                                                                        \
    uint64_t bytes = 0;                                                                                                \
    if (!attn_rt_workspace(&f.call, &f.info, &bytes)) {                                                                \
      f.workspace = f.call.workspace = malloc(bytes + 1);                                                              \
      f.call.workspace_bytes = bytes;                                                                                  \
    }                                                                                                                  \
    const attn_status got = attn_rt_run(&f.call, &f.info);                                                             \
    CHECK(got == status && f.error.arg == (a) && f.error.axis == (x) && !ran[0],                                       \
          #change ": %s, arg %d axis %d, %d tasks", attn_status_name(got), f.error.arg, f.error.axis, (int)ran[0]);    \
    close_fixture(&f);                                                                                                 \
  } while (0)

static int32_t never(const attn_task *t) { return t->extents[DIM_I] < 0; }

static void refusals(void) {
  REFUSED(f, f.call.abi_version = 2, ATTN_E_VERSION, -7, -7);
  REFUSED(f, f.steps[1].info.abi_version = 2, ATTN_E_VERSION, -1, -1);
  REFUSED(f, f.call.n_args = 4, ATTN_E_ARGUMENT, -1, -1);
  REFUSED(f, f.info.n_temps = ATTN_MAX_STEP_VALUES, ATTN_E_ARGUMENT, -1, -1);
  REFUSED(f, f.args[G].bits = 32, ATTN_E_DTYPE, G, -1);
  REFUSED(f, f.args[LEN].rank = 2, ATTN_E_RANK, LEN, -1);
  REFUSED(f, f.args[G].data = NULL, ATTN_E_ARGUMENT, G, -1);
  REFUSED(f, f.args[Y].shape[1] = I + 1, ATTN_E_SHAPE, Y, 1);
  REFUSED(f, f.args[X].shape[1] = -1, ATTN_E_SHAPE, X, 1);
  REFUSED(f, f.args[LEN].shape[0] = B + 1, ATTN_E_SHAPE, LEN, 0);
  /* step 2 sees g first: the temporary disagrees, whose extent came from x by way of y */
  REFUSED(f, f.args[G].shape[0] = f.args[LEN].shape[0] = f.args[Z].shape[0] = B - 1, ATTN_E_SHAPE, Y, 0);
  REFUSED(f, (f.args[G].shape[0] = f.args[LEN].shape[0] = f.args[Z].shape[0] = B - 1, f.values[1][0] = X), ATTN_E_SHAPE,
          X, 0);
  /* an extent that the program fixes */
  REFUSED(f, (f.steps[1].args[1].axis[0] = free_axis, f.steps[1].args[1].axis[0].extent = B + 1), ATTN_E_SHAPE, -1, -1);
  REFUSED(f, f.args[X].stride[0] = -1, ATTN_E_STRIDE, X, 0);
  REFUSED(f, f.args[Y].stride[1] = 0, ATTN_E_STRIDE, Y, 1);
  REFUSED(f, f.args[Y].data = f.args[X].data, ATTN_E_ALIAS, Y, -1);
  REFUSED(f, f.args[Z].data = f.args[Y].data, ATTN_E_ALIAS, Z, -1);
  REFUSED(f, f.args[G].data = (char *)f.args[G].data + 1, ATTN_E_ARGUMENT, G, -1);
  REFUSED(f, ((int64_t *)f.owned[LEN])[1] = I + 1, ATTN_E_LENGTH, LEN, -1);
  REFUSED(f, f.arg_infos[LEN].facts = ATTN_FACT_SORTED, ATTN_E_FACT, LEN, 0);
  REFUSED(f, f.call.variant = 1, ATTN_E_VARIANT, -1, -1);
  REFUSED(f, (f.steps[1].variants[0].guard = never, f.steps[1].variants[1].guard = never), ATTN_E_VARIANT, -1, -1);
  REFUSED(f, (f.call.workspace_bytes = 0, f.info.steps = f.order, f.args[X].shape[0] = INT64_MAX), ATTN_E_SHAPE, Y, 0);
  REFUSED(f,
          (f.args[X].shape[0] = f.args[Y].shape[0] = f.args[G].shape[0] = f.args[LEN].shape[0] = INT64_MAX / 4,
           f.args[Z].shape[0] = INT64_MAX / 4, f.args[X].data = f.args[Y].data = f.args[Z].data = NULL),
          ATTN_E_ARGUMENT, X, -1);
}

/* A size that does not fit is found without data too. */
static void overflow(void) {
  fixture f;
  uint64_t bytes;
  open_fixture(&f);
  for (int a = 0; a < N_ARGS; ++a)
    f.args[a].shape[0] = INT64_MAX / 4;
  CHECK(attn_rt_workspace(&f.call, &f.info, &bytes) == ATTN_E_OVERFLOW && f.error.arg == Y && f.error.axis == 0,
        "overflow of a result that is read: arg %d axis %d", f.error.arg, f.error.axis);
  f.values[1][0] = X;
  CHECK(attn_rt_workspace(&f.call, &f.info, &bytes) == ATTN_E_OVERFLOW && f.error.arg == X && f.error.axis == 0,
        "overflow of a temporary: arg %d axis %d", f.error.arg, f.error.axis);
  close_fixture(&f);
}

static void bad_indices(void) {
  fixture f;
  open_fixture(&f);
  bad_step = 1, bad_arg = 0;
  CHECK(run(&f) == ATTN_E_INDEX && f.error.arg == Y && f.error.axis == 0 && f.error.expected == B &&
            f.error.found == 99,
        "a bad index of a step: arg %d axis %d", f.error.arg, f.error.axis);
  CHECK(right(&f) && ran[2] == 3 && f.stats.blocks_full == 36, "the rest was computed");
  bad_step = 2, bad_arg = 2;
  CHECK(run(&f) == ATTN_E_INDEX && f.error.arg == -1 && f.error.axis == -1 && f.error.expected == B,
        "a bad index of a temporary: arg %d axis %d", f.error.arg, f.error.axis);
  bad_step = -1;
  CHECK(run(&f) == ATTN_OK, "the next call starts clean");
  close_fixture(&f);
}

/* Lengths that a step computes are checked when they are there. */
static void computed_lengths(void) {
  fixture f;
  open_fixture(&f);
  f.arg_infos[LEN].role = ATTN_ARG_OUTPUT; /* written by nobody: what stands there counts */
  f.arg_infos[LEN].optional = 1;
  CHECK(run(&f) == ATTN_OK && right(&f), "lengths that are right: %s", attn_status_name(attn_rt_run(&f.call, &f.info)));
  ((int64_t *)f.owned[LEN])[1] = I + 1;
  CHECK(run(&f) == ATTN_E_LENGTH && f.error.arg == LEN && ran[1] == 9 && !ran[2],
        "a length that is wrong: arg %d, %d and %d tasks", f.error.arg, (int)ran[1], (int)ran[2]);
  close_fixture(&f);
}

static void variants(void) {
  fixture f;
  open_fixture(&f);
  f.steps[0].info.n_variants = f.info.n_variants = 2;
  f.steps[0].variants[1].tile_rows = 77;
  f.call.variant = 1;
  CHECK(!run(&f) && right(&f) && f.stats.variant == 1 && f.stats.tile_rows == 77, "forced: variant %d",
        f.stats.variant);
  f.steps[2].dims[DIM_I].kind = ATTN_DIM_KEY; /* now the last step leads */
  f.steps[2].variants[0].tile_rows = 55;
  f.call.variant = -1;
  CHECK(!run(&f) && f.stats.variant == 0 && f.stats.tile_rows == 55 && !ran[2], "the leading step: %ld",
        (long)f.stats.tile_rows);
  close_fixture(&f);
}

int main(void) {
  results();
  no_elements();
  refusals();
  overflow();
  bad_indices();
  computed_lengths();
  variants();
  return check_report();
}
