/* gpu_plan_test.c - what a call becomes on a GPU: its launches one by one, its variants, its workspace, and what it is
 * refused for. No element of a tensor is read: data lies where reading would end the test. */
#include "check.h"
#include "gpu_fixture.h"

#include <stdlib.h>

/* ---- what fn saw ---- */

enum { MOST_LAUNCHES = 16, MOST_WORDS = 128 };
typedef struct seen {
  const attn_gpu_info *info;
  const char *entry;
  int32_t variant, n_pointers, n_words;
  uint32_t grid;
  void *pointers[16];
  int64_t words[MOST_WORDS];
} seen;

static seen log_[MOST_LAUNCHES];
static int n_log, refuse_at;

static attn_status record(void *ctx, const attn_gpu_launch *l) {
  if (ctx != &n_log || n_log == MOST_LAUNCHES || l->n_pointers > 16 || l->n_words > MOST_WORDS)
    return ATTN_E_VARIANT;
  seen *s = &log_[n_log++];
  *s = (seen){l->info, l->phase->entry, l->variant, l->n_pointers, l->n_words, l->grid, {0}, {0}};
  memcpy(s->pointers, l->pointers, sizeof *s->pointers * (size_t)l->n_pointers);
  memcpy(s->words, l->words, sizeof *s->words * (size_t)l->n_words);
  return n_log == refuse_at ? ATTN_E_ISA : ATTN_OK;
}

static attn_status plan(const attn_call *call, const attn_gpu_info *info) {
  n_log = 0;
  return attn_gpu_plan(call, info, record, &n_log);
}

static int is_launch(int n, const char *entry, uint32_t grid) {
  return n < n_log && !strcmp(log_[n].entry, entry) && log_[n].grid == grid;
}

/* ---- launches ---- */

static void launches(void) {
  gpu_fixture g;
  gpu_fixture_open(&g);
  fixture *f = &g.f;
  f->params[0].i = -12345678901;
  f->args[ARG_LSE].data = NULL;
  CHECK(plan(&f->call, &g.info) == ATTN_OK && n_log == 1, "%d launches", n_log);
  /* 2 * 8 rows of heads, 3 blocks of 2 queries, 2 slices: 96 CTAs are too many to split */
  CHECK(is_launch(0, "aligned_main", B * H * 2) && log_[0].variant == 1 && log_[0].info == &g.info, "%s, %u CTAs",
        log_[0].entry, log_[0].grid);
  CHECK(log_[0].n_pointers == N_ARGS + 1, "%d pointers", log_[0].n_pointers);
  for (int a = 0; a <= N_ARGS; ++a)
    CHECK(log_[0].pointers[a] == (a == ARG_LSE ? NULL : device_address(a)), "pointer %d is %p", a, log_[0].pointers[a]);
  const int64_t words[] = {B,           H,     I, J,     C,
                           E, /* extents */
                           B,           H,     I, C,     H * I * C,
                           I * C,       C,     1, /* q */
                           B,           G,     J, C,     G * J * C,
                           J * C,       C,     1, /* k */
                           B,           G,     J, E,     G * J * 8,
                           J * 8,       8,     1, /* v */
                           B,           1,        /* klen */
                           B,           H + 8, 3, X,     (H + 8) * 3 * X,
                           3 * X,       X,     1, /* x */
                           B,           H,     I, E,     H * I * E,
                           I * E,       E,     1, /* o */
                           B,           H,     I, H * I, I,
                           1, /* lse */
                           -12345678901};
  const int32_t n = sizeof words / sizeof *words;
  CHECK(log_[0].n_words == n, "%d words, not %d", log_[0].n_words, n);
  for (int32_t w = 0; w < n; ++w)
    CHECK(log_[0].words[w] == words[w], "word %d is %ld", w, (long)log_[0].words[w]);
  CHECK(f->stats.variant == 1 && f->stats.tiles == 0, "stats: variant %d", f->stats.variant);

  /* 4 heads: 24 CTAs of 2 slices and 3 blocks, three times that with chunks; then 2 blocks of 4 queries */
  fixture_resize(f, 1, 4, 2, I, J);
  memcpy(f->args[ARG_V].stride, (int64_t[]){2 * J * 8, J * 8, 8, 1}, 4 * sizeof(int64_t));
  CHECK(plan(&f->call, &g.info) == ATTN_OK && n_log == 2, "%d launches", n_log);
  CHECK(is_launch(0, "split_main", 72) && is_launch(1, "split_merge", 8), "%u and %u CTAs", log_[0].grid, log_[1].grid);
  CHECK(!memcmp(log_[0].words, log_[1].words, sizeof log_[0].words) &&
            !memcmp(log_[0].pointers, log_[1].pointers, sizeof log_[0].pointers),
        "both phases have the same parameters");
  uint64_t bytes = 0;
  CHECK(attn_rt_gpu_workspace(&f->call, &g.info, &bytes) == ATTN_OK && bytes == 64 + 192 * 72, "%lu bytes",
        (unsigned long)bytes);

  /* The first phase's failure is the plan's. */
  refuse_at = 1;
  CHECK(plan(&f->call, &g.info) == ATTN_E_ISA && n_log == 1, "%d launches", n_log);
  refuse_at = 0;
  gpu_fixture_close(&g);
}

/* {b, h, i, j} -> entry, CTAs of the first launch; 0: none */
static void sizes_of_grids(void) {
  static const struct {
    int64_t b, h, i, j;
    const char *entry;
    uint32_t grid;
  } rows[] = {
      {2, 8, 5, 7, "any_main", 2 * 8 * 3},
      {1, 1, 1, 1, "any_main", 1},
      {1, 1, 2, 1, "any_main", 1},
      {1, 1, 3, 1, "any_main", 2},
      {3, 5, 9, 0, "any_main", 75}, /* no keys: empty rows are results too */
      {0, 8, 5, 7, NULL, 0},
      {2, 0, 5, 7, NULL, 0},
      {2, 8, 0, 7, NULL, 0},
      {0, 0, 0, 0, NULL, 0},
  };
  for (size_t n = 0; n < sizeof rows / sizeof *rows; ++n) {
    gpu_fixture g;
    gpu_fixture_open(&g);
    g.f.call.variant = 2;
    fixture_resize(&g.f, rows[n].b, rows[n].h, (rows[n].h + 2) / 3, rows[n].i, rows[n].j);
    if (!rows[n].entry)
      g.f.call.workspace = NULL;
    const attn_status status = plan(&g.f.call, &g.info);
    uint64_t bytes = 1;
    CHECK(status == ATTN_OK && n_log == (rows[n].entry != NULL), "row %zu: %s, %d launches", n,
          attn_status_name(status), n_log);
    CHECK(!rows[n].entry || is_launch(0, rows[n].entry, rows[n].grid), "row %zu: %u CTAs", n, log_[0].grid);
    CHECK(!attn_rt_gpu_workspace(&g.f.call, &g.info, &bytes) && bytes == (rows[n].entry ? 64 : 0), "row %zu: %lu bytes",
          n, (unsigned long)bytes);
    gpu_fixture_close(&g);
  }
}

/* Heads that share keys, three a group, as rows of the same CTAs: {b, h, i, share of b, share of h} -> CTAs of 2 rows;
 * 0: too many rows. */
static void rows_together(void) {
  static const struct {
    int64_t b, h, i, share_b, share_h;
    uint32_t grid;
  } rows[] = {
      {2, 8, 5, 1, SHARE, 2 * 3 * 8}, /* 15 rows a group, of which the last lacks a head */
      {2, 9, 5, 1, SHARE, 2 * 3 * 8},
      {2, 1, 1, 1, SHARE, 2 * 2},
      {2, 8, 5, 1, 0, 2 * 20}, /* all heads share */
      {2, 8, 5, 0, 0, 40},     /* and all of the batch */
      {3, 8, 5, 2, SHARE, 2 * 3 * 15},
      {2, 8, 0, 1, SHARE, 0},
      {2, 0, 5, 1, 0, 0},
      {2, 8, 5, 1, INT64_C(1) << 29, 0},
  };
  for (size_t n = 0; n < sizeof rows / sizeof *rows; ++n) {
    gpu_fixture g;
    gpu_fixture_open(&g);
    fixture *f = &g.f;
    f->call.variant = 2;
    g.phases[2][0].together = 1;
    fixture_resize(f, rows[n].b, rows[n].h, (rows[n].h + SHARE - 1) / SHARE, rows[n].i, J);
    f->dims[0].share = rows[n].share_b, f->dims[1].share = rows[n].share_h;
    const int isMany = rows[n].share_h > SHARE;
    const attn_status status = plan(&f->call, &g.info);
    CHECK(status == (isMany ? ATTN_E_OVERFLOW : ATTN_OK), "row %zu: %s", n, attn_status_name(status));
    CHECK(rows[n].grid ? n_log == 1 && is_launch(0, "any_main", rows[n].grid) : !n_log, "row %zu: %u CTAs", n,
          log_[0].grid);
    gpu_fixture_close(&g);
  }
  /* Guards and states count these CTAs: 3 groups, 3 blocks of 2 rows but 8 together, 2 slices, 3 chunks */
  gpu_fixture g;
  gpu_fixture_open(&g);
  fixture *f = &g.f;
  fixture_resize(f, 1, 9, 3, 5, J);
  memcpy(f->args[ARG_V].stride, (int64_t[]){3 * J * 8, J * 8, 8, 1}, 4 * sizeof(int64_t));
  g.variants[0].max_ctas = 48;
  CHECK(!plan(&f->call, &g.info) && log_[0].variant == 1, "54 CTAs are too many to split, variant %d", log_[0].variant);
  g.phases[0][0].together = g.phases[0][1].together = 1;
  uint64_t bytes = 0;
  CHECK(!plan(&f->call, &g.info) && is_launch(0, "split_main", 3 * 2 * 3 * 8) && is_launch(1, "split_merge", 3 * 4),
        "%u and %u CTAs", log_[0].grid, log_[1].grid);
  CHECK(!attn_rt_gpu_workspace(&f->call, &g.info, &bytes) && bytes == 64 + 192 * 144, "%lu bytes",
        (unsigned long)bytes);
  gpu_fixture_close(&g);
}

/* ---- variants ---- */

static void small(fixture *f, int64_t keys) {
  fixture_resize(f, 1, 3, 1, I, keys);
  memcpy(f->args[ARG_V].stride, (int64_t[]){keys * 8, keys * 8, 8, 1}, 4 * sizeof(int64_t));
}

/* `change` of the fixture leads to variant `want`; -1: refused */
#define VARIANT(want, change)                                                                                          \
  do {                                                                                                                 \
    gpu_fixture g;                                                                                                     \
    gpu_fixture_open(&g);                                                                                              \
    fixture *f = &g.f;                                                                                                 \
    small(f, J);                                                                                                       \
    change;                                                                                                            \
    const attn_status got = plan(&f->call, &g.info);                                                                   \
    CHECK((want) < 0 ? got == ATTN_E_VARIANT && !n_log && f->error.arg == -1                                           \
                     : !got && n_log && log_[0].variant == (want) && f->stats.variant == (want),                       \
          #change ": %s, variant %d", attn_status_name(got), log_[0].variant);                                         \
    gpu_fixture_close(&g);                                                                                             \
  } while (0)
#define SHIFT(arg, by) (f->args[arg].data = (char *)f->args[arg].data + (by))

static void variants(void) {
  VARIANT(0, (void)0);
  VARIANT(0, small(f, 6));
  VARIANT(1, small(f, 5));
  VARIANT(1, small(f, 0));
  VARIANT(1, (g.variants[0].max_ctas = 17)); /* 3 heads, 3 blocks, 2 slices */
  VARIANT(0, (g.variants[0].max_ctas = 18));
  VARIANT(0, (g.variants[0].max_ctas = 0));
  /* alignment: pointers */
  VARIANT(2, SHIFT(ARG_Q, 4));
  VARIANT(2, SHIFT(ARG_V, 8));
  VARIANT(0, SHIFT(ARG_V, 16));
  VARIANT(0, SHIFT(ARG_O, 4)); /* nobody asked about o */
  VARIANT(2, (SHIFT(ARG_O, 4), g.variants[0].aligned |= 1u << ARG_O, g.variants[1].aligned |= 1u << ARG_O));
  VARIANT(0, (f->args[ARG_LSE].data = NULL, g.variants[0].aligned |= 1u << ARG_LSE));
  VARIANT(1, (g.variants[0].aligned |= 1u << ARG_LSE)); /* its rows are of 5 floats */
  /* strides */
  VARIANT(2, f->args[ARG_V].stride[2] = E); /* dense rows of 24 bytes */
  VARIANT(2, f->args[ARG_V].stride[3] = 2);
  VARIANT(0, (f->args[ARG_V].stride[0] = 3, f->args[ARG_V].stride[1] = 5)); /* axes of one index */
  VARIANT(2, f->args[ARG_Q].stride[1] = I * C + 2);
  VARIANT(0, f->args[ARG_Q].stride[1] = I * C + 4);
  VARIANT(0, f->args[ARG_K].stride[2] = 0);
  VARIANT(2, f->args[ARG_K].stride[3] = 0);
  VARIANT(2, (f->args[ARG_Q].stride[2] = 1, f->args[ARG_Q].stride[3] = I));
  VARIANT(0, (f->arg_infos[ARG_Q].bits = f->args[ARG_Q].bits = 64, f->args[ARG_Q].stride[1] = I * C + 2));
  VARIANT(2, (f->arg_infos[ARG_Q].bits = f->args[ARG_Q].bits = 16, f->args[ARG_Q].stride[1] = I * C));
  VARIANT(1, (small(f, 0), f->args[ARG_K].data = f->args[ARG_V].data = NULL)); /* tensors without elements */
  VARIANT(1, (small(f, 0), SHIFT(ARG_K, 4)));
  /* forced */
  VARIANT(0, (f->call.variant = 0, small(f, 2))); /* neither the keys nor the CTAs are asked about */
  VARIANT(0, (f->call.variant = 0, g.variants[0].max_ctas = 1));
  VARIANT(2, f->call.variant = 2);
  VARIANT(2, (f->call.variant = 2, SHIFT(ARG_Q, 4)));
  VARIANT(-1, (f->call.variant = 0, SHIFT(ARG_Q, 4)));
  VARIANT(-1, (f->call.variant = 1, SHIFT(ARG_K, 4)));
  VARIANT(-1, f->call.variant = 3);
  VARIANT(-1, f->call.variant = -2);
  VARIANT(-1, (g.info.n_variants = 2, SHIFT(ARG_Q, 4)));
  VARIANT(-1, g.info.n_variants = 0);
}

/* ---- refusals ---- */

#define REFUSED(status, a, x, change)                                                                                  \
  do {                                                                                                                 \
    gpu_fixture g;                                                                                                     \
    gpu_fixture_open(&g);                                                                                              \
    fixture *f = &g.f;                                                                                                 \
    change;                                                                                                            \
    const attn_status got = plan(&f->call, &g.info);                                                                   \
    CHECK(got == (status) && !n_log && f->error.arg == (a) && f->error.axis == (x), #change ": %s, arg %d axis %d",    \
          attn_status_name(got), f->error.arg, f->error.axis);                                                         \
    gpu_fixture_close(&g);                                                                                             \
  } while (0)

/* 2^40 by 2^40 of them, whose results nobody wants. */
static void many_heads(fixture *f) {
  const int64_t n = INT64_C(1) << 40, shared = (n + SHARE - 1) / SHARE;
  for (int a = 0; a < N_ARGS; ++a) {
    f->args[a].shape[0] = n;
    if (a != ARG_KLEN)
      f->args[a].shape[1] = a == ARG_K || a == ARG_V ? shared : a == ARG_X ? n + 8 : n;
    memset(f->args[a].stride, 0, sizeof f->args[a].stride);
  }
  f->arg_infos[ARG_O].optional = 1;
  f->args[ARG_O].data = f->args[ARG_LSE].data = NULL;
}

static void refusals(void) {
  REFUSED(ATTN_E_VERSION, -7, -7, f->call.abi_version = 1);
  REFUSED(ATTN_E_VERSION, -7, -7, f->call.size -= 8);
  REFUSED(ATTN_E_VERSION, -1, -1, g.info.abi_version = 3);
  REFUSED(ATTN_E_VERSION, -1, -1, g.info.size += 8);
  REFUSED(ATTN_E_VERSION, -1, -1, f->info.abi_version = 3);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, g.info.kernel = NULL);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, g.info.n_steps = -1);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, g.info.n_steps = ATTN_MAX_STEP_VALUES + 1);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, f->call.n_args = N_ARGS - 1);
  REFUSED(ATTN_E_ARGUMENT, -1, -1, f->call.params = NULL);
  REFUSED(ATTN_E_ARGUMENT, ARG_V, -1, f->args[ARG_V].data = NULL);
  REFUSED(ATTN_E_ARGUMENT, ARG_O, -1, f->args[ARG_O].data = NULL);
  REFUSED(ATTN_E_ARGUMENT, ARG_Q, -1, SHIFT(ARG_Q, 2));
  REFUSED(ATTN_E_DTYPE, ARG_KLEN, -1, f->args[ARG_KLEN].bits = 32);
  REFUSED(ATTN_E_RANK, ARG_LSE, -1, f->args[ARG_LSE].rank = 4);
  REFUSED(ATTN_E_SHAPE, ARG_O, 2, f->args[ARG_O].shape[2] = I + 1);
  REFUSED(ATTN_E_SHAPE, ARG_V, 1, f->args[ARG_V].shape[1] = G + 1);
  REFUSED(ATTN_E_STRIDE, ARG_K, 2, f->args[ARG_K].stride[2] = -C);
  REFUSED(ATTN_E_STRIDE, ARG_O, 1, f->args[ARG_O].stride[1] = 0);
  REFUSED(ATTN_E_ALIAS, ARG_O, -1, f->args[ARG_O].data = f->args[ARG_Q].data);
  REFUSED(ATTN_E_OVERFLOW, ARG_K, 2, f->args[ARG_K].shape[2] = f->args[ARG_V].shape[2] = INT64_C(1) << 31);
  /* too many CTAs: the grid alone, the product of the batch, the states */
  REFUSED(ATTN_E_OVERFLOW, -1, -1, (f->call.variant = 2, g.phases[2][0].slices = 1 << 28));
  REFUSED(ATTN_E_OVERFLOW, -1, -1, many_heads(f));
  REFUSED(ATTN_E_OVERFLOW, -1, -1, (f->call.variant = 0, g.variants[0].state_bytes = INT64_MAX / 8));
  /* workspace */
  REFUSED(ATTN_E_WORKSPACE, -1, -1, f->call.workspace = NULL);
  REFUSED(ATTN_E_WORKSPACE, -1, -1, f->call.workspace_bytes = 63);
  REFUSED(ATTN_E_WORKSPACE, -1, -1, (f->call.variant = 0, f->call.workspace_bytes = 63 + 192 * 96 * 3));
  REFUSED(ATTN_E_ARGUMENT, -1, -1, f->call.workspace = (char *)f->call.workspace + 16);

  gpu_fixture g;
  gpu_fixture_open(&g);
  uint64_t bytes = 7;
  CHECK(attn_gpu_plan(NULL, &g.info, record, &n_log) == ATTN_E_ARGUMENT, "no call");
  CHECK(attn_gpu_plan(&g.f.call, NULL, record, &n_log) == ATTN_E_ARGUMENT, "no kernel");
  CHECK(attn_rt_gpu_workspace(&g.f.call, &g.info, NULL) == ATTN_E_ARGUMENT, "nowhere to put the answer");
  g.f.call.variant = 3;
  CHECK(attn_rt_gpu_workspace(&g.f.call, &g.info, &bytes) == ATTN_E_VARIANT && bytes == 7, "a variant that is not");
  g.f.call.variant = 2;
  g.phases[2][0].slices = ((1u << 31) - 1) / (B * H * 3); /* as many CTAs as can be */
  CHECK(!plan(&g.f.call, &g.info) && log_[0].grid == 48u * (((1u << 31) - 1) / 48), "%u CTAs", log_[0].grid);
  g.phases[2][0].slices += 1;
  CHECK(plan(&g.f.call, &g.info) == ATTN_E_OVERFLOW && g.f.error.found > INT32_MAX, "%ld", (long)g.f.error.found);
  gpu_fixture_close(&g);
}

/* ---- the workspace that was asked for is enough, whatever the pointers and strides are ---- */

static uint64_t seed = 20;
static int below(int n) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int)((seed >> 33) % (uint64_t)n);
}

static void workspace_is_enough(void) {
  int met[3] = {0, 0, 0}, least = 0;
  for (int round = 0; round < 3000; ++round) {
    gpu_fixture g;
    gpu_fixture_open(&g);
    fixture *f = &g.f;
    const int64_t b = below(4), h = below(9), i = below(12), j = below(12);
    fixture_resize(f, b, h, (h + 2) / 3, i, j);
    for (int a = ARG_Q; a <= ARG_V; ++a)
      f->args[a].data = NULL;
    f->call.variant = below(2) ? -1 : below(3);
    g.variants[1].state_bytes = 64 * below(10);
    uint64_t bytes = 0;
    attn_status status = attn_rt_gpu_workspace(&f->call, &g.info, &bytes);
    CHECK(!status, "the question: %s", attn_status_name(status));
    for (int a = ARG_Q; a <= ARG_V; ++a) {
      const int step = below(8) ? 16 : 4;
      f->args[a].data = (char *)device_address(a) + step * below(4);
      for (int x = 0; x < 3; ++x) {
        const int more = below(3);
        f->args[a].stride[x] = 4 * (f->args[a].stride[x] + 1 + more) - !below(16);
      }
    }
    f->call.workspace_bytes = bytes;
    status = plan(&f->call, &g.info);
    CHECK(!status || (status == ATTN_E_VARIANT && f->call.variant >= 0), "round %d: %s", round,
          attn_status_name(status));
    if (!status && n_log)
      ++met[log_[0].variant];
    if (bytes && !status) {
      f->call.workspace_bytes = 63;
      CHECK(plan(&f->call, &g.info) == ATTN_E_WORKSPACE, "round %d: too little", round);
      ++least;
    }
    gpu_fixture_close(&g);
  }
  CHECK(met[0] > 100 && met[1] > 100 && met[2] > 100 && least > 300, "met %d %d %d %d", met[0], met[1], met[2], least);
}

/* ---- an elementwise kernel ---- */

static void elementwise(void) {
  attn_dim_info dims[2] = {{"n", ATTN_DIM_MAP, 0, 0}, {"m", ATTN_DIM_MAP, 0, 0}};
  attn_arg_info infos[2] = {{"x", ATTN_FLOAT, 32, ATTN_ARG_INPUT, 0, 2, -1, 0, 0, 0, {axis_of(0), axis_of(1)}},
                            {"y", ATTN_FLOAT, 16, ATTN_ARG_OUTPUT, 1, 2, -1, 0, 0, 0, {axis_of(0), axis_of(1)}}};
  attn_kernel_info kernel = {.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof kernel, .name = "map"};
  kernel.dims = dims, kernel.n_dims = 2, kernel.args = infos, kernel.n_args = 2;
  attn_gpu_phase_info phase = {"map", ATTN_GPU_MAP, 256, 0, 1000, 0, 0, 0};
  attn_gpu_variant_info variant = {"only", &phase, 1, 0, 0, 0, 0, 0};
  attn_gpu_info info = {ATTN_RT_ABI_VERSION, sizeof info, &kernel, NULL, &variant, NULL, 1, 0};
  attn_error error;
  attn_tensor args[2];
  attn_call call = {.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof call, .args = args, .n_args = 2, .variant = -1};
  call.workspace = device_address(9), call.workspace_bytes = 64, call.error = &error;
  static const int64_t rows[][3] = {{1, 1, 1}, {10, 100, 1}, {7, 143, 2}, {0, 5, 0}, {5, 0, 0}};
  for (int n = 0; n < 5; ++n) {
    uint64_t bytes = 1;
    make_dense(&args[0], ATTN_FLOAT, 32, 2, rows[n]);
    make_dense(&args[1], ATTN_FLOAT, 16, 2, rows[n]);
    args[0].data = device_address(1), args[1].data = device_address(2);
    CHECK(!plan(&call, &info) && n_log == !!rows[n][2] && (!n_log || log_[0].grid == rows[n][2]), "%ld x %ld: %u",
          (long)rows[n][0], (long)rows[n][1], log_[0].grid);
    CHECK(!attn_rt_gpu_workspace(&call, &info, &bytes) && bytes == (rows[n][2] ? 64 : 0), "%lu bytes",
          (unsigned long)bytes);
    args[1].data = NULL;
    CHECK(!plan(&call, &info) && !n_log, "nobody wants it");
  }
  phase.block = 1;
  make_dense(&args[0], ATTN_FLOAT, 32, 2, (int64_t[]){1 << 16, 1 << 15});
  make_dense(&args[1], ATTN_FLOAT, 16, 2, (int64_t[]){1 << 16, 1 << 15});
  args[0].data = device_address(1), args[1].data = (char *)device_address(1) + (INT64_C(1) << 36);
  CHECK(plan(&call, &info) == ATTN_E_OVERFLOW && error.found == INT64_C(1) << 31, "2^31 CTAs: %ld", (long)error.found);
}

/* ---- what kernels found ---- */

static int64_t words_there[4];
static const void *read_from;
static int reads;
static attn_status read_words(void *ctx, void *to, const void *from, uint64_t bytes) {
  ++reads;
  read_from = from;
  memcpy(to, words_there, bytes);
  return *(attn_status *)ctx;
}

static void faults(void) {
  static const struct {
    int64_t words[4];
    attn_status status;
    int32_t arg, axis;
    int64_t expected;
  } rows[] = {{{1, ARG_X, 3, 77}, ATTN_E_INDEX, ARG_X, 3, X},
              {{1, ARG_X, 9, 77}, ATTN_E_INDEX, ARG_X, 9, -1},
              {{1, N_ARGS, 0, 77}, ATTN_E_INDEX, -1, -1, -1},
              {{1, -3, 0, 77}, ATTN_E_INDEX, -1, -1, -1},
              {{ATTN_E_LENGTH, ARG_KLEN, -1, 77}, ATTN_E_LENGTH, ARG_KLEN, -1, -1},
              {{ATTN_E_FACT, ARG_KLEN, 0, 77}, ATTN_E_FACT, ARG_KLEN, 0, B}};
  gpu_fixture g;
  gpu_fixture_open(&g);
  attn_status status = ATTN_OK;
  memset(words_there, 0, sizeof words_there);
  CHECK(attn_gpu_faults(&g.f.call, &g.info, read_words, &status) == ATTN_OK && reads == 1 &&
            read_from == device_address(N_ARGS),
        "nothing was found");
  for (size_t n = 0; n < sizeof rows / sizeof *rows; ++n) {
    const attn_error *e = &g.f.error;
    memcpy(words_there, rows[n].words, sizeof words_there);
    const attn_status got = attn_gpu_faults(&g.f.call, &g.info, read_words, &status);
    CHECK(got == rows[n].status && e->arg == rows[n].arg && e->axis == rows[n].axis && e->found == 77 &&
              e->expected == rows[n].expected,
          "row %zu: %s, arg %d axis %d expected %ld", n, attn_status_name(got), e->arg, e->axis, (long)e->expected);
  }
  status = ATTN_E_ISA;
  CHECK(attn_gpu_faults(&g.f.call, &g.info, read_words, &status) == ATTN_E_ISA, "what cannot be read");
  fixture_resize(&g.f, B, H, G, 0, J);
  reads = 0;
  CHECK(attn_gpu_faults(&g.f.call, &g.info, read_words, &status) == ATTN_OK && !reads, "nothing ran: nothing is read");
  g.f.call.n_args = 1;
  CHECK(attn_gpu_faults(&g.f.call, &g.info, read_words, &status) == ATTN_E_ARGUMENT, "a call that is wrong");
  gpu_fixture_close(&g);
}

int main(void) {
  launches();
  sizes_of_grids();
  rows_together();
  variants();
  refusals();
  workspace_is_enough();
  elementwise();
  faults();
  return check_report();
}
