/* gpu_steps_test.c - a kernel of several steps on a GPU: where its temporaries, states and status words lie, how shapes
 * and faults go from step to step, and that everything is checked before the first launch.
 *
 *   step 0   y[n, m] = 2 x[n, m]                elementwise
 *   step 1   t[b, i], u[b, i] = f(y)            u is read by nobody
 *   step 2   z[b, i] = w t[b, i] + y[b, i]
 */
#include "check.h"
#include "gpu_fixture.h"

enum { ARG_T_X, ARG_T_Y, ARG_T_Z, N_VALUES_GIVEN, TEMP_T = N_VALUES_GIVEN, TEMP_U, STEPS = 3 };
enum { ROWS = 3, COLUMNS = 20 };

typedef struct one_step {
  attn_dim_info dims[2];
  attn_arg_info args[3];
  attn_kernel_info kernel;
  attn_gpu_phase_info phases[2][2];
  attn_gpu_variant_info variants[2];
  attn_gpu_info info;
} one_step;

typedef struct steps {
  one_step of[STEPS];
  attn_gpu_step_info order[STEPS];
  int32_t values[STEPS][3], params[1];
  attn_arg_info arg_infos[N_VALUES_GIVEN];
  attn_param_info param_infos[2];
  attn_kernel_info kernel;
  attn_gpu_info info;
  attn_tensor args[N_VALUES_GIVEN];
  attn_scalar scalars[2];
  attn_call call;
  attn_error error;
  attn_stats stats;
} steps;

static attn_arg_info arg_of(const char *name, int output, attn_axis_info first, attn_axis_info second) {
  attn_arg_info a = {.name = name, .code = ATTN_FLOAT, .bits = 32, .rank = 2, .length_of = -1};
  a.role = output ? ATTN_ARG_OUTPUT : ATTN_ARG_INPUT;
  a.optional = (uint8_t)output;
  a.axis[0] = first, a.axis[1] = second;
  return a;
}

static void open_step(steps *s, int n, int first_kind, int second_kind, int n_args, int n_params) {
  static const char *const names[] = {"zero", "one", "two", "zero_any", "one_any", "two_any"};
  one_step *o = &s->of[n];
  o->dims[0] = (attn_dim_info){"b", first_kind, 0, 1};
  o->dims[1] = (attn_dim_info){"i", second_kind, 0, 0};
  for (int a = 0; a < 3; ++a)
    o->args[a] = arg_of("v", a == n_args - 1, axis_of(0), axis_of(1));
  o->kernel = (attn_kernel_info){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof o->kernel, .name = "step"};
  o->kernel.dims = o->dims, o->kernel.n_dims = 2, o->kernel.args = o->args, o->kernel.n_args = n_args;
  o->kernel.params = s->param_infos, o->kernel.n_params = n_params;
  const int32_t kind = first_kind == ATTN_DIM_MAP ? ATTN_GPU_MAP : ATTN_GPU_MAIN;
  o->phases[0][0] = (attn_gpu_phase_info){names[n], kind, 128, 0, 8, 0, 0, 0};
  o->phases[1][0] = (attn_gpu_phase_info){names[3 + n], kind, 128, 0, 4, 0, 0, 0};
  o->variants[0] = (attn_gpu_variant_info){"aligned", o->phases[0], 1, 0, 7, 0, 0, 0};
  o->variants[1] = (attn_gpu_variant_info){"any", o->phases[1], 1, 0, 0, 0, 0, 0};
  o->info = (attn_gpu_info){ATTN_RT_ABI_VERSION, sizeof o->info, &o->kernel, NULL, o->variants, NULL, 2, 0};
  s->order[n] = (attn_gpu_step_info){&o->info, s->values[n], s->params};
}

static void resize(steps *s, int64_t rows, int64_t columns) {
  for (int a = 0; a < N_VALUES_GIVEN; ++a) {
    make_dense(&s->args[a], ATTN_FLOAT, 32, 2, (int64_t[]){rows, columns});
    s->args[a].data = device_address(a);
  }
}

static void open_steps(steps *s) {
  memset(s, 0, sizeof *s);
  open_step(s, 0, ATTN_DIM_MAP, ATTN_DIM_MAP, 2, 0);
  open_step(s, 1, ATTN_DIM_BATCH, ATTN_DIM_QUERY, 3, 0);
  open_step(s, 2, ATTN_DIM_BATCH, ATTN_DIM_QUERY, 3, 1);
  s->of[1].args[1].role = ATTN_ARG_OUTPUT, s->of[1].args[1].optional = 1;
  s->of[1].phases[0][0].chunks = 2;
  s->of[1].phases[0][1] = (attn_gpu_phase_info){"one_merge", ATTN_GPU_MERGE, 32, 0, 1, 0, 0, 0};
  s->of[1].variants[0].n_phases = 2;
  s->of[1].variants[0].state_bytes = 128;
  const int32_t values[STEPS][3] = {{ARG_T_X, ARG_T_Y}, {ARG_T_Y, TEMP_T, TEMP_U}, {TEMP_T, ARG_T_Y, ARG_T_Z}};
  memcpy(s->values, values, sizeof values);
  s->params[0] = 1;
  static const char *const names[] = {"x", "y", "z"};
  for (int a = 0; a < N_VALUES_GIVEN; ++a)
    s->arg_infos[a] = arg_of(names[a], a > 0, axis_free(), axis_free());
  s->param_infos[0] = (attn_param_info){"unused", ATTN_INT, 64, {0}};
  s->param_infos[1] = (attn_param_info){"w", ATTN_FLOAT, 64, {0}};
  s->kernel = (attn_kernel_info){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof s->kernel, .name = "steps"};
  s->kernel.args = s->arg_infos, s->kernel.n_args = N_VALUES_GIVEN, s->kernel.n_temps = 2;
  s->kernel.params = s->param_infos, s->kernel.n_params = 2;
  s->info = (attn_gpu_info){ATTN_RT_ABI_VERSION, sizeof s->info, &s->kernel, NULL, NULL, s->order, 0, STEPS};
  resize(s, ROWS, COLUMNS);
  s->scalars[1].f = 0.5;
  s->call = (attn_call){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof s->call, .variant = -1};
  s->call.args = s->args, s->call.n_args = N_VALUES_GIVEN;
  s->call.params = s->scalars, s->call.n_params = 2;
  s->call.stats = &s->stats, s->call.error = &s->error;
  s->call.workspace = device_address(40), s->call.workspace_bytes = 1 << 20;
  s->error = (attn_error){-7, -7, -7, -7};
}

typedef struct seen {
  const attn_gpu_info *info;
  const char *entry;
  uint32_t grid;
  int64_t at[4]; /* of the pointers, from the workspace on */
  const void *pointers[4];
  int32_t n_words;
  int64_t words[16];
} seen;

static seen log_[8];
static int n_log;

static attn_status record(void *ctx, const attn_gpu_launch *l) {
  const steps *s = ctx;
  if (n_log == 8 || l->n_pointers > 4 || l->n_words > 16)
    return ATTN_E_VARIANT;
  seen *e = &log_[n_log++];
  *e = (seen){.info = l->info, .entry = l->phase->entry, .grid = l->grid, .n_words = l->n_words};
  for (int32_t p = 0; p < l->n_pointers; ++p) {
    e->pointers[p] = l->pointers[p];
    e->at[p] = (char *)l->pointers[p] - (char *)s->call.workspace;
  }
  memcpy(e->words, l->words, sizeof(int64_t) * (size_t)l->n_words);
  return ATTN_OK;
}

static attn_status plan(steps *s) {
  n_log = 0;
  return attn_gpu_plan(&s->call, &s->info, record, s);
}

/* Bytes: a value of 3 x 20 floats takes 256; step 1 has 3 * ceil(20 / 8) * 2 = 18 CTAs with states. */
enum { STATES = 18 * 128, ROOM = 256, ALL = 64 + 64 + STATES + 64 + 2 * ROOM };

static void placement(void) {
  steps s;
  open_steps(&s);
  uint64_t bytes = 0;
  CHECK(attn_rt_gpu_workspace(&s.call, &s.info, &bytes) == ATTN_OK && bytes == ALL, "%lu bytes, not %d",
        (unsigned long)bytes, ALL);
  for (int wanted = 0; wanted < 2; ++wanted) {
    s.args[ARG_T_Y].data = wanted ? device_address(ARG_T_Y) : NULL;
    s.args[ARG_T_Y].stride[0] = wanted ? 32 : 0; /* of what nobody wants nothing counts */
    s.call.workspace_bytes = bytes;
    CHECK(plan(&s) == ATTN_OK && n_log == 4, "%d launches, %d", n_log, s.error.arg);
    static const char *const entries[] = {"zero", "one", "one_merge", "two"};
    static const uint32_t grids[] = {8, 18, 60, 9};
    static const int step_of[] = {0, 1, 1, 2};
    for (int n = 0; n < 4; ++n)
      CHECK(!strcmp(log_[n].entry, entries[n]) && log_[n].grid == grids[n] && log_[n].info == &s.of[step_of[n]].info,
            "launch %d: %s, %u CTAs", n, log_[n].entry, log_[n].grid);
    const int64_t rooms = ALL - 2 * ROOM, stride = wanted ? 32 : COLUMNS;
    CHECK(log_[0].pointers[0] == device_address(ARG_T_X) && log_[0].at[2] == 0, "x, status words of step 0");
    CHECK(wanted ? log_[0].pointers[1] == device_address(ARG_T_Y) : log_[0].at[1] == rooms, "y at %ld",
          (long)log_[0].at[1]);
    CHECK(log_[1].pointers[0] == log_[0].pointers[1] && log_[1].at[1] == rooms + ROOM && !log_[1].pointers[2] &&
              log_[1].at[3] == 64,
          "y, t, u, status words of step 1: t at %ld, words at %ld", (long)log_[1].at[1], (long)log_[1].at[3]);
    CHECK(log_[3].at[0] == rooms + ROOM && log_[3].pointers[1] == log_[0].pointers[1] &&
              log_[3].pointers[2] == device_address(ARG_T_Z) && log_[3].at[3] == 64 + 64 + STATES,
          "t, y, z, status words of step 2: at %ld", (long)log_[3].at[3]);
    /* extents; t, y, z; w */
    const int64_t words[] = {ROWS,   COLUMNS, ROWS, COLUMNS, COLUMNS, 1, ROWS,          COLUMNS,
                             stride, 1,       ROWS, COLUMNS, COLUMNS, 1, s.scalars[1].i};
    CHECK(log_[3].n_words == 15 && !memcmp(log_[3].words, words, sizeof words), "%d words", log_[3].n_words);
    s.call.workspace_bytes = bytes - 1;
    CHECK(plan(&s) == ATTN_E_WORKSPACE && !n_log && s.error.expected == ALL, "one byte less is too little");
  }
  resize(&s, 0, COLUMNS);
  s.call.workspace = NULL;
  CHECK(plan(&s) == ATTN_OK && !n_log, "no rows");
  CHECK(attn_rt_gpu_workspace(&s.call, &s.info, &bytes) == ATTN_OK && !bytes, "no bytes");
}

/* Temporaries are dense: rows of 20 floats begin at multiples of 16 bytes, rows of 21 do not. */
static void variants(void) {
  steps s;
  open_steps(&s);
  resize(&s, ROWS, COLUMNS + 1);
  for (int a = 0; a < N_VALUES_GIVEN; ++a)
    s.args[a].stride[0] = 24;
  CHECK(plan(&s) == ATTN_OK && n_log == 3 && !strcmp(log_[0].entry, "zero") && !strcmp(log_[1].entry, "one_any") &&
            !strcmp(log_[2].entry, "two_any"),
        "%d launches", n_log);
  s.call.variant = 0;
  CHECK(plan(&s) == ATTN_E_VARIANT && !n_log, "forced, and a temporary is not aligned");
  resize(&s, ROWS, COLUMNS);
  CHECK(plan(&s) == ATTN_OK && !strcmp(log_[3].entry, "two"), "forced 0");
  s.call.variant = 1;
  CHECK(plan(&s) == ATTN_OK && n_log == 3 && !strcmp(log_[1].entry, "one_any") && s.stats.variant == 1, "forced 1");
  s.of[1].info.n_variants = 1;
  CHECK(plan(&s) == ATTN_OK && n_log == 4 && !strcmp(log_[1].entry, "one") && !strcmp(log_[3].entry, "two_any"),
        "a step with one variant takes its last");
  s.of[2].dims[0].kind = ATTN_DIM_KEY, s.of[1].info.n_variants = 2;
  s.of[2].info.n_variants = 1;
  CHECK(plan(&s) == ATTN_OK && s.stats.variant == 0, "the leading step is the one with keys");
  s.call.variant = 2;
  CHECK(plan(&s) == ATTN_E_VARIANT && s.error.expected == 2, "of %ld variants", (long)s.error.expected);
  s.info.n_variants = 1, s.call.variant = 1;
  CHECK(plan(&s) == ATTN_E_VARIANT && s.error.expected == 1, "the kernel says how many can be forced");
}

#define REFUSED(status, a, x, change)                                                                                  \
  do {                                                                                                                 \
    steps s;                                                                                                           \
    open_steps(&s);                                                                                                    \
    change;                                                                                                            \
    const attn_status got = plan(&s);                                                                                  \
    CHECK(got == (status) && !n_log && s.error.arg == (a) && s.error.axis == (x), #change ": %s, arg %d axis %d",      \
          attn_status_name(got), s.error.arg, s.error.axis);                                                           \
  } while (0)

static void refusals(void) {
  REFUSED(ATTN_E_VERSION, -1, -1, s.of[1].info.size -= 8);
  REFUSED(ATTN_E_VERSION, -1, -1, s.of[2].info.abi_version = 3);
  REFUSED(ATTN_E_VERSION, -1, -1, s.of[1].kernel.abi_version = 3);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, s.order[1].kernel = NULL);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, s.of[2].info.kernel = NULL);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, s.of[1].info.n_steps = 1);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, s.kernel.n_temps = ATTN_MAX_STEP_VALUES);
  REFUSED(ATTN_E_ARGUMENT, ARG_T_X, -1, s.args[ARG_T_X].data = NULL);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, s.call.workspace = (char *)s.call.workspace + 32);
  REFUSED(ATTN_E_WORKSPACE, -1, -1, s.call.workspace = NULL);
  REFUSED(ATTN_E_DTYPE, ARG_T_Z, -1, s.args[ARG_T_Z].bits = 16);
  REFUSED(ATTN_E_SHAPE, ARG_T_Y, 1, s.args[ARG_T_Y].shape[1] = COLUMNS - 1);
  REFUSED(ATTN_E_SHAPE, ARG_T_Z, 0, s.args[ARG_T_Z].shape[0] = ROWS + 1);
  REFUSED(ATTN_E_STRIDE, ARG_T_Z, 1, s.args[ARG_T_Z].stride[1] = 0);
  REFUSED(ATTN_E_ALIAS, ARG_T_Y, -1, s.args[ARG_T_Y].data = s.args[ARG_T_X].data);
  REFUSED(ATTN_E_VARIANT, -1, -1, s.of[2].info.n_variants = 0);
  REFUSED(ATTN_E_OVERFLOW, -1, -1, s.of[2].phases[0][0].slices = INT32_MAX);
  REFUSED(ATTN_E_OVERFLOW, -1, -1, s.of[1].variants[0].state_bytes = INT64_MAX / 8);
}

/* Status words of step `bad_step`. */
static int64_t words_there[4];
static int64_t bad_at;
static int reads;
static attn_status read_words(void *ctx, void *to, const void *from, uint64_t bytes) {
  const steps *s = ctx;
  ++reads;
  memset(to, 0, bytes);
  if ((const char *)from - (char *)s->call.workspace == bad_at)
    memcpy(to, words_there, bytes);
  return ATTN_OK;
}

static void faults(void) {
  steps s;
  open_steps(&s);
  bad_at = -1;
  CHECK(attn_gpu_faults(&s.call, &s.info, read_words, &s) == ATTN_OK && reads == STEPS, "%d reads", reads);
  memcpy(words_there, (int64_t[]){1, 1, 0, 99}, sizeof words_there);
  bad_at = 64 + 64 + STATES;
  CHECK(attn_gpu_faults(&s.call, &s.info, read_words, &s) == ATTN_E_INDEX && s.error.arg == ARG_T_Y &&
            s.error.axis == 0 && s.error.found == 99 && s.error.expected == ROWS,
        "step 2 about y: arg %d axis %d", s.error.arg, s.error.axis);
  words_there[1] = 0;
  CHECK(attn_gpu_faults(&s.call, &s.info, read_words, &s) == ATTN_E_INDEX && s.error.arg == -1 && s.error.axis == -1,
        "step 2 about a temporary: arg %d", s.error.arg);
  words_there[1] = 1000;
  CHECK(attn_gpu_faults(&s.call, &s.info, read_words, &s) == ATTN_E_INDEX && s.error.arg == -1, "arg %d", s.error.arg);
}

int main(void) {
  placement();
  variants();
  refusals();
  faults();
  return check_report();
}
