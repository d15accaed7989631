/* run_test.c - run.c hands out every task exactly once, with the right indices, slots and scratch, inside its
 * workspace. */
#define _GNU_SOURCE
#include "check.h"
#include "fixture.h"

#include <sched.h>
#include <stdatomic.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum {
  KEY_BLOCK = 3,
  QUERY_BLOCK = 2,
  PANEL = 4,
  SLOT_BASE = 40,
  SLOT_PANEL = 24,
  SCRATCH = 100,
  MAX_B = 4,
  MAX_H = 9,
  BLOCKS = 8
};

/* What the tasks saw. */
static atomic_int packs[MAX_B][MAX_H][BLOCKS], mains[MAX_B][MAX_H][BLOCKS], wrong, tasks_run;
static _Atomic int64_t order[4096]; /* blocks of MAIN in the order of their start */
static int64_t key_blocks, slot_used, share_b, share_h, bad_block;
static unsigned want_fp;

static int64_t group_of(int64_t x, int64_t share) { return share ? x / share : 0; }
static unsigned char tag_of(const attn_task *t) {
  return (unsigned char)(1 + group_of(t->index[DIM_B], share_b) * 16 + group_of(t->index[DIM_H], share_h));
}

static void expect(int ok) {
  if (!ok)
    atomic_fetch_add(&wrong, 1);
}

/* Scratch is this worker's alone: nobody else writes between two looks at it. */
static void use_scratch(const attn_task *t) {
  const unsigned char mine = (unsigned char)atomic_fetch_add(&tasks_run, 1);
  expect((uintptr_t)t->scratch % 64 == 0 && (uintptr_t)t->slot % 64 == 0);
  memset(t->scratch, mine, SCRATCH);
  sched_yield();
  for (int n = 0; n < SCRATCH; ++n)
    expect(t->scratch[n] == mine);
#if defined(__x86_64__)
  expect((_mm_getcsr() & 0x8040u) == want_fp);
#endif
}

/* Writes the unit's tag: all of the slot together with the other blocks of the unit. */
static void pack_run(const attn_task *t) {
  const int64_t block = t->block / KEY_BLOCK;
  expect(t->block % KEY_BLOCK == 0 && block < key_blocks);
  atomic_fetch_add(&packs[t->index[DIM_B]][t->index[DIM_H]][block], 1);
  for (int64_t n = block; n < slot_used; n += key_blocks)
    t->slot[n] = tag_of(t);
  t->counters[0] += 1;
  use_scratch(t);
}

static void main_run(const attn_task *t) {
  expect(t->block % QUERY_BLOCK == 0 && t->block < t->extents[DIM_I]);
  expect(t->index[DIM_I] == 0 && t->index[DIM_J] == 0);
  order[atomic_load(&tasks_run) % 4096] = t->block;
  atomic_fetch_add(&mains[t->index[DIM_B]][t->index[DIM_H]][t->block / QUERY_BLOCK], 1);
  for (int64_t n = 0; n < slot_used && key_blocks; ++n)
    expect(t->slot[n] == tag_of(t)); /* every PACK of this unit is done, no PACK of another has begun */
  t->counters[1] += 1;
  t->counters[3] += 10;
  t->counters[4] += 2;
  int64_t none = 0;
  if (t->block == bad_block &&
      __atomic_compare_exchange_n(&t->bad[0], &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    t->bad[1] = ARG_X;
    t->bad[2] = 3;
    t->bad[3] = 77;
  }
  use_scratch(t);
}

static int32_t few_queries(const attn_task *t) { return t->extents[DIM_I] <= 2 && t->params[0].i != 5; }

static void open_kernel(fixture *f, int64_t b, int64_t h, int64_t i, int64_t j, int32_t descending) {
  fixture_open(f);
  f->dims[DIM_B].share = share_b;
  f->dims[DIM_H].share = share_h;
  for (int a = ARG_K; a <= ARG_V; ++a) {
    f->arg_infos[a].axis[0] = share_b ? axis_div(DIM_B, share_b) : axis_free();
    f->arg_infos[a].axis[1] = share_h ? axis_div(DIM_H, share_h) : axis_free();
  }
  fixture_resize(f, b, h, share_h ? (h + share_h - 1) / share_h : 1, i, j);
  if (share_b != 1)
    for (int a = ARG_K; a <= ARG_V; ++a)
      f->args[a].shape[0] = share_b ? (b + share_b - 1) / share_b : 1;
  f->phases[0] = (attn_phase_info){pack_run, ATTN_PHASE_PACK, 0, KEY_BLOCK, 0, 0};
  f->phases[1] = (attn_phase_info){main_run, ATTN_PHASE_MAIN, descending, QUERY_BLOCK, 0, 0};
  f->variants[0] = (attn_variant_info){.name = "packed",
                                       .phases = f->phases,
                                       .n_phases = 2,
                                       .slot_base = SLOT_BASE,
                                       .slot_per_panel = SLOT_PANEL,
                                       .panel = PANEL,
                                       .scratch_bytes = SCRATCH,
                                       .tile_rows = 6,
                                       .tile_keys = 16,
                                       .block_rows = QUERY_BLOCK,
                                       .block_keys = KEY_BLOCK};
  memset(packs, 0, sizeof packs);
  memset(mains, 0, sizeof mains);
  atomic_store(&wrong, 0);
  atomic_store(&tasks_run, 0);
  key_blocks = (j + KEY_BLOCK - 1) / KEY_BLOCK;
  slot_used = SLOT_BASE + SLOT_PANEL * ((j + PANEL - 1) / PANEL);
  bad_block = -1;
}

/* Runs with exactly the workspace asked for, at an odd address, and checks that nothing around it was written. */
static attn_status run_guarded(fixture *f) {
  enum { PAD = 96 };
  uint64_t bytes = 0;
  void *data[N_ARGS];
  for (int a = 0; a < N_ARGS; ++a) { /* the size does not depend on pointers */
    data[a] = f->args[a].data;
    f->args[a].data = NULL;
  }
  attn_status status = attn_rt_workspace(&f->call, &f->info, &bytes);
  for (int a = 0; a < N_ARGS; ++a)
    f->args[a].data = data[a];
  if (status)
    return status;
  free(f->workspace);
  f->workspace = malloc(bytes + 2 * PAD);
  memset(f->workspace, 0xa5, bytes + 2 * PAD);
  f->call.workspace = (unsigned char *)f->workspace + PAD + 1 + bytes % 7;
  f->call.workspace_bytes = bytes;
  status = attn_rt_run(&f->call, &f->info);
  const unsigned char *at = f->workspace, *lo = f->call.workspace;
  for (const unsigned char *p = at; p < at + bytes + 2 * PAD; ++p)
    if (p < lo || p >= lo + bytes)
      expect(*p == 0xa5);
  if (bytes) {
    f->call.workspace_bytes = bytes - 1;
    expect(attn_rt_run(&f->call, &f->info) == ATTN_E_WORKSPACE);
  }
  return status;
}

/* Every pair of head and block once; PACK only at first members of units. */
static int all_once(int64_t b, int64_t h, int64_t i) {
  int errors = 0;
  for (int64_t x = 0; x < MAX_B; ++x)
    for (int64_t y = 0; y < MAX_H; ++y)
      for (int64_t n = 0; n < BLOCKS; ++n) {
        const int inside = x < b && y < h && i > 0;
        const int first = (share_b ? x % share_b : x) == 0 && (share_h ? y % share_h : y) == 0;
        errors += mains[x][y][n] != (inside && n * QUERY_BLOCK < i);
        errors += packs[x][y][n] != (inside && first && n < key_blocks);
      }
  return errors;
}

static void every_task_once(void) {
  static const int64_t shares[][2] = {{1, 1}, {1, 3}, {1, 8}, {1, 0}, {2, 3}, {0, 0}, {0, 1}, {3, 0}, {1, 20}};
  static const int64_t sizes[][4] = {{3, 8, 5, 7}, {1, 9, 1, 12}, {4, 1, 6, 1}, {2, 7, 9, 0},
                                     {0, 8, 5, 7}, {2, 0, 3, 3},  {2, 8, 0, 7}};
  attn_pool *pools[3] = {NULL, attn_pool_create(2), attn_pool_create(4)};
  for (size_t s = 0; s < sizeof shares / sizeof *shares; ++s)
    for (size_t z = 0; z < sizeof sizes / sizeof *sizes; ++z)
      for (int32_t workers = 0; workers <= 5; ++workers)
        for (int mode = 0; mode < 6; ++mode) {
          const int64_t b = sizes[z][0], h = sizes[z][1], i = sizes[z][2], j = sizes[z][3];
          fixture f;
          share_b = shares[s][0], share_h = shares[s][1];
          open_kernel(&f, b, h, i, j, mode % 2);
          f.call.workers = workers;
          f.call.pool = pools[mode / 2];
          const attn_status status = run_guarded(&f);
          int64_t done = 0;
          for (int64_t *p = &f.stats.blocks_full; p <= &f.stats.blocks_partial; ++p)
            done += *p;
          CHECK(!status && !wrong && !all_once(b, h, i) && done == tasks_run &&
                    f.stats.tiles == 10 * f.stats.blocks_partial && f.stats.guarded == 2 * f.stats.blocks_partial &&
                    f.stats.workers == (workers ? workers : 1),
                "share %ld %ld, extents %ld %ld %ld %ld, workers %d, mode %d: %s, %d wrong, %d not once, %ld of %d "
                "counted",
                (long)share_b, (long)share_h, (long)b, (long)h, (long)i, (long)j, workers, mode,
                attn_status_name(status), (int)wrong, all_once(b, h, i), (long)done, (int)tasks_run);
          fixture_close(&f);
        }
  for (int n = 0; n < 3; ++n)
    attn_pool_destroy(pools[n]);
}

/* Serial, so that the order is that of the hand-out: within a wave later blocks of every head come before earlier ones.
 */
static void descending_order(void) {
  fixture f;
  share_b = 1, share_h = 3;
  open_kernel(&f, 2, 8, 9, 0, 1);
  f.call.workers = 2;
  CHECK(!run_guarded(&f) && !wrong, "descending runs");
  /* 6 units in waves of 2: heads 3+3, 2+3, 3+2; 5 blocks each */
  static const int heads[3] = {6, 5, 5};
  int at = 0, errors = 0;
  for (int wave = 0; wave < 3; ++wave)
    for (int block = 4; block >= 0; --block)
      for (int n = 0; n < heads[wave]; ++n)
        errors += order[at++] != block * QUERY_BLOCK;
  CHECK(!errors && at == tasks_run, "%d of %d blocks out of order, %d run", errors, at, (int)tasks_run);
  fixture_close(&f);
}

static void variants_and_stats(void) {
  fixture f;
  share_b = share_h = 1;
  open_kernel(&f, 2, 2, 5, 7, 0);
  f.info.n_variants = 2;
  f.variants[1] = f.variants[0];
  f.variants[0].guard = few_queries;
  f.variants[0].tile_rows = 1;
  CHECK(!run_guarded(&f) && f.stats.variant == 1 && f.stats.tile_rows == 6, "5 queries: variant %d", f.stats.variant);
  CHECK(f.stats.tile_keys == 16 && f.stats.block_rows == QUERY_BLOCK && f.stats.block_keys == KEY_BLOCK, "block sizes");
  f.call.variant = 0;
  CHECK(run_guarded(&f) == ATTN_E_VARIANT, "the guard of a forced variant holds");
  fixture_resize(&f, 2, 2, 2, 2, 7);
  CHECK(!run_guarded(&f) && f.stats.variant == 0 && f.stats.tile_rows == 1, "forced variant %d", f.stats.variant);
  f.call.variant = -1;
  CHECK(!run_guarded(&f) && f.stats.variant == 0, "2 queries: variant %d", f.stats.variant);
  f.params[0].i = 5;
  CHECK(!run_guarded(&f) && f.stats.variant == 1, "a guard sees scalars: variant %d", f.stats.variant);
  fixture_resize(&f, 0, 2, 2, 2, 7);
  CHECK(!run_guarded(&f) && f.stats.variant == 1 && f.stats.tiles == 0, "an empty batch has stats");
  uint64_t bytes = 1;
  CHECK(!attn_rt_workspace(&f.call, &f.info, &bytes) && !bytes, "an empty batch needs %lu bytes", (unsigned long)bytes);
  f.call.workspace = NULL;
  f.call.stats = NULL;
  CHECK(!attn_rt_run(&f.call, &f.info), "nothing to do needs no workspace");
  fixture_close(&f);
}

static void bad_index(void) {
  fixture f;
  share_b = share_h = 1;
  open_kernel(&f, 2, 3, 5, 7, 0);
  bad_block = 2;
  attn_pool *pool = attn_pool_create(3);
  f.call.pool = pool;
  f.call.workers = 3;
  CHECK(run_guarded(&f) == ATTN_E_INDEX, "a bad index is reported");
  CHECK(f.error.arg == -1 && f.error.axis == -1, "the last call was the one with too little workspace");
  f.call.workspace_bytes += 1;
  CHECK(attn_rt_run(&f.call, &f.info) == ATTN_E_INDEX, "and again");
  CHECK(f.error.arg == ARG_X && f.error.axis == 3 && f.error.expected == X && f.error.found == 77,
        "error %d %d %ld %ld", f.error.arg, f.error.axis, (long)f.error.expected, (long)f.error.found);
  CHECK(f.stats.blocks_partial == 18, "the rest of the work was done: %ld", (long)f.stats.blocks_partial);
  bad_block = -1;
  CHECK(attn_rt_run(&f.call, &f.info) == ATTN_OK, "the next call starts clean");
  attn_pool_destroy(pool);
  fixture_close(&f);
}

/* Split keys: MAIN runs for every chunk and fills its state, MERGE finds those of its block, chunk by chunk. */
enum { CHUNKS = 5, STATE = 70 };
static atomic_int chunks_seen[MAX_B][MAX_H][BLOCKS][CHUNKS], merges[MAX_B][MAX_H][BLOCKS];

static unsigned char state_tag(const attn_task *t, int64_t chunk) {
  return (unsigned char)(1 + ((t->index[DIM_B] * MAX_H + t->index[DIM_H]) * BLOCKS + t->block / QUERY_BLOCK) * CHUNKS +
                         chunk);
}

static void chunk_run(const attn_task *t) {
  expect(t->chunk >= 0 && t->chunk < CHUNKS && t->chunks == CHUNKS && t->state_bytes == 128);
  expect((uintptr_t)t->state % 64 == 0 && t->state >= t->slot + slot_used);
  atomic_fetch_add(&chunks_seen[t->index[DIM_B]][t->index[DIM_H]][t->block / QUERY_BLOCK][t->chunk], 1);
  for (int64_t n = 0; n < slot_used && key_blocks; ++n)
    expect(t->slot[n] == tag_of(t));
  memset(t->state, state_tag(t, t->chunk), STATE);
  use_scratch(t);
}

static void merge_run(const attn_task *t) {
  expect(t->block % QUERY_BLOCK == 0 && t->block < t->extents[DIM_I] && t->chunk == 0 && t->chunks == 1);
  atomic_fetch_add(&merges[t->index[DIM_B]][t->index[DIM_H]][t->block / QUERY_BLOCK], 1);
  for (int64_t c = 0; c < CHUNKS; ++c)
    for (int n = 0; n < STATE; ++n)
      expect(t->state[c * t->state_bytes + n] == state_tag(t, c));
  use_scratch(t);
}

static void chunk_sizes(const attn_task *t, attn_sizes *sizes) {
  sizes->state_bytes = t->params[0].i == 7 ? -1 : STATE;
}

static void chunks_and_merge(void) {
  static const int64_t shares[][2] = {{1, 1}, {1, 3}, {2, 0}};
  static const int64_t sizes[][4] = {{2, 5, 5, 7}, {1, 9, 1, 12}, {4, 1, 6, 0}, {0, 3, 2, 2}};
  attn_pool *pool = attn_pool_create(3);
  for (size_t s = 0; s < sizeof shares / sizeof *shares; ++s)
    for (size_t z = 0; z < sizeof sizes / sizeof *sizes; ++z)
      for (int32_t workers = 1; workers <= 4; ++workers)
        for (int32_t descending = 0; descending < 2; ++descending) {
          const int64_t b = sizes[z][0], h = sizes[z][1], i = sizes[z][2], j = sizes[z][3];
          fixture f;
          share_b = shares[s][0], share_h = shares[s][1];
          open_kernel(&f, b, h, i, j, 0);
          memset(chunks_seen, 0, sizeof chunks_seen);
          memset(merges, 0, sizeof merges);
          attn_phase_info phases[3] = {f.phases[0],
                                       {chunk_run, ATTN_PHASE_MAIN, descending, QUERY_BLOCK, CHUNKS, 0},
                                       {merge_run, ATTN_PHASE_MERGE, 0, QUERY_BLOCK, 0, 0}};
          f.variants[0].phases = phases;
          f.variants[0].n_phases = 3;
          f.variants[0].sizes = chunk_sizes;
          f.call.workers = workers;
          f.call.pool = pool;
          const attn_status status = run_guarded(&f);
          int errors = 0;
          for (int64_t x = 0; x < MAX_B; ++x)
            for (int64_t y = 0; y < MAX_H; ++y)
              for (int64_t n = 0; n < BLOCKS; ++n) {
                const int inside = x < b && y < h && n * QUERY_BLOCK < i;
                errors += merges[x][y][n] != inside;
                for (int c = 0; c < CHUNKS; ++c)
                  errors += chunks_seen[x][y][n][c] != inside;
              }
          CHECK(!status && !wrong && !errors, "share %ld %ld, extents %ld %ld %ld %ld, workers %d: %s, %d wrong, %d",
                (long)share_b, (long)share_h, (long)b, (long)h, (long)i, (long)j, workers, attn_status_name(status),
                (int)wrong, errors);
          f.params[0].i = 7;
          CHECK(!b || attn_rt_run(&f.call, &f.info) == ATTN_E_OVERFLOW, "states of negative size");
          fixture_close(&f);
        }
  attn_pool_destroy(pool);
}

/* A caller's own parallel_for: last task first, workers in turn. */
static int hook_calls;
static void hook(void *pool, int64_t tasks, int32_t workers, attn_task_fn fn, void *ctx) {
  ++hook_calls;
  expect(pool == &hook_calls && workers == 3);
  while (tasks-- > 0)
    fn(ctx, tasks, (int32_t)(tasks % workers));
}

static void own_parallel_for(void) {
  fixture f;
  share_b = 1, share_h = 3;
  open_kernel(&f, 2, 8, 5, 7, 0);
  f.call.parallel_for = hook;
  f.call.pool = &hook_calls;
  f.call.workers = 3;
  CHECK(!run_guarded(&f) && !wrong && !all_once(2, 8, 5), "a caller's parallel_for");
  CHECK(hook_calls == 4, "2 waves of 2 phases: %d launches", hook_calls);
  /* 16 units: where each worker has 4, all but the last 4 to 6 are tasks of their own, from pack to main */
  fixture_close(&f);
  share_h = 1;
  open_kernel(&f, 2, 8, 5, 7, 0);
  f.call.parallel_for = hook;
  f.call.pool = &hook_calls;
  f.call.workers = 3;
  hook_calls = 0;
  CHECK(!run_guarded(&f) && !wrong && !all_once(2, 8, 5), "whole units");
  CHECK(hook_calls == 5, "one launch, and 2 waves of 2 phases: %d launches", hook_calls);
  /* without slots there is nothing to wait for: all units are in one wave */
  f.variants[0].slot_base = f.variants[0].slot_per_panel = slot_used = 0;
  hook_calls = 0;
  CHECK(!run_guarded(&f) && hook_calls == 2, "without slots: %d launches", hook_calls);
  fixture_close(&f);
}

#if defined(__x86_64__)
static void read_fp(void *ctx, int64_t task, int32_t worker) {
  (void)task, (void)worker;
  atomic_fetch_or((atomic_uint *)ctx, _mm_getcsr() & 0x8040u);
  sched_yield();
}
#endif

/* Tasks run under the caller's denormal mode on every thread; the threads keep their own. */
static void floating_point_modes(void) {
#if defined(__x86_64__)
  fixture f;
  attn_pool *pool = attn_pool_create(4);
  share_b = share_h = 1;
  open_kernel(&f, 4, 8, 5, 7, 0);
  f.call.pool = pool;
  f.call.workers = 4;
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040u);
  want_fp = 0x8040u;
  CHECK(!run_guarded(&f) && !wrong, "flush-to-zero of the caller holds in %d tasks not", (int)wrong);
  CHECK((_mm_getcsr() & 0x8040u) == 0x8040u, "the caller keeps its modes");
  _mm_setcsr(before);
  want_fp = 0;
  atomic_uint seen = 0;
  attn_rt_parallel_for(pool, 200, 4, read_fp, &seen);
  CHECK(!seen, "threads were left with %x", (unsigned)seen);
  attn_pool_destroy(pool);
  fixture_close(&f);
#endif
}

static void isa_levels(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int has[3] = {!!__builtin_cpu_supports("x86-64-v2"), !!__builtin_cpu_supports("x86-64-v3"),
                      !!__builtin_cpu_supports("x86-64-v4")};
  for (int32_t isa = 2; isa <= 4; ++isa) {
    fixture f;
    share_b = share_h = 1;
    open_kernel(&f, 1, 1, 2, 2, 0);
    f.info.isa = isa;
    const attn_status status = run_guarded(&f);
    CHECK(status == (has[isa - 2] ? ATTN_OK : ATTN_E_ISA), "x86-64-v%d: %s, the compiler's runtime says %d", isa,
          attn_status_name(status), has[isa - 2]);
    fixture_close(&f);
  }
#endif
}

int main(void) {
  every_task_once();
  descending_order();
  variants_and_stats();
  chunks_and_merge();
  bad_index();
  own_parallel_for();
  floating_point_modes();
  isa_levels();
  return check_report();
}
