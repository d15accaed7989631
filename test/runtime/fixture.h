/* fixture.h - a kernel like those that the compiler emits: grouped queries, lengths, a captured table, an optional lse.
 *
 *   inputs   q[b, h, i, c]  k[b, h floordiv SHARE, j, c]  v[b, h floordiv SHARE, j, e]  klen[b]  x[b, h + 8, 2, free]
 *   outputs  o[b, h, i, e]  lse[b, h, i]
 */
#ifndef ATTN_TEST_FIXTURE_H
#define ATTN_TEST_FIXTURE_H

#include "attn-rt/attn_rt.h"

#include <stdlib.h>
#include <string.h>

enum { DIM_B, DIM_H, DIM_I, DIM_J, DIM_C, DIM_E, N_DIMS };
enum { ARG_Q, ARG_K, ARG_V, ARG_KLEN, ARG_X, ARG_O, ARG_LSE, N_ARGS };
enum { SHARE = 3, B = 2, H = 8, G = 3, I = 5, J = 7, C = 4, E = 6, X = 9 };

typedef struct fixture {
  attn_dim_info dims[N_DIMS];
  attn_arg_info arg_infos[N_ARGS];
  attn_param_info param_infos[1];
  attn_phase_info phases[2];
  attn_variant_info variants[2];
  attn_kernel_info info;

  attn_tensor args[N_ARGS];
  attn_scalar params[1];
  attn_call call;
  attn_error error;
  attn_stats stats;
  unsigned char *owned[N_ARGS];
  void *workspace;
} fixture;

static inline attn_axis_info axis_of(int32_t dim) { return (attn_axis_info){dim, -1, 1, 0, -1, 0, 0}; }
static inline attn_axis_info axis_div(int32_t dim, int64_t d) { return (attn_axis_info){dim, -1, d, 0, -1, 0, 0}; }
static inline attn_axis_info axis_static(int32_t dim, int64_t n) { return (attn_axis_info){dim, -1, 1, 0, n, 0, 0}; }
static inline attn_axis_info axis_at(int32_t dim, int64_t offset) {
  return (attn_axis_info){dim, -1, 1, offset, -1, 0, 0};
}
static inline attn_axis_info axis_free(void) { return (attn_axis_info){-1, -1, 1, 0, -1, 1, 0}; }

static inline void make_dense(attn_tensor *t, uint8_t code, uint8_t bits, int32_t rank, const int64_t *shape) {
  int64_t stride = 1;
  *t = (attn_tensor){.code = code, .bits = bits, .lanes = 1, .rank = rank};
  for (int32_t x = rank - 1; x >= 0; --x) {
    t->shape[x] = shape[x];
    t->stride[x] = stride;
    stride *= shape[x];
  }
}

/* Room for 4096 elements behind every tensor, filled with zeros. */
static inline void give_data(fixture *f, int32_t a) {
  f->owned[a] = calloc(4096, 8);
  f->args[a].data = f->owned[a];
}

static inline void fixture_open(fixture *f) {
  memset(f, 0, sizeof *f);
  const attn_dim_info dims[N_DIMS] = {
      {"b", ATTN_DIM_BATCH, 0, 1}, {"h", ATTN_DIM_BATCH, 0, SHARE}, {"i", ATTN_DIM_QUERY, 0, 0},
      {"j", ATTN_DIM_KEY, 0, 0},   {"c", ATTN_DIM_FEATURE, 0, 0},   {"e", ATTN_DIM_FEATURE, 0, 0},
  };
  const attn_axis_info b = axis_of(DIM_B), h = axis_of(DIM_H), i = axis_of(DIM_I), j = axis_of(DIM_J);
  const attn_axis_info c = axis_static(DIM_C, C), e = axis_static(DIM_E, E), g = axis_div(DIM_H, SHARE);
  const attn_arg_info infos[N_ARGS] = {
      {"q", ATTN_FLOAT, 32, ATTN_ARG_INPUT, 0, 4, -1, 0, 0, 0, {b, h, i, c}},
      {"k", ATTN_FLOAT, 32, ATTN_ARG_INPUT, 0, 4, -1, 0, 0, 0, {b, g, j, c}},
      {"v", ATTN_FLOAT, 32, ATTN_ARG_INPUT, 0, 4, -1, 0, 0, 0, {b, g, j, e}},
      {"klen", ATTN_INT, 64, ATTN_ARG_INPUT, 0, 1, DIM_J, 0, 0, 0, {b}},
      {"x", ATTN_FLOAT, 32, ATTN_ARG_INPUT, 0, 4, -1, 0, 0, 0, {b, axis_at(DIM_H, 8), axis_at(-1, 2), axis_free()}},
      {"o", ATTN_FLOAT, 32, ATTN_ARG_OUTPUT, 0, 4, -1, 0, 0, 0, {b, h, i, e}},
      {"lse", ATTN_FLOAT, 32, ATTN_ARG_OUTPUT, 1, 3, -1, 0, 0, 0, {b, h, i}},
  };
  memcpy(f->dims, dims, sizeof dims);
  memcpy(f->arg_infos, infos, sizeof infos);
  f->param_infos[0] = (attn_param_info){"w", ATTN_INT, 64, {0}};
  f->info = (attn_kernel_info){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof f->info, .name = "fixture"};
  f->info.dims = f->dims, f->info.n_dims = N_DIMS;
  f->info.args = f->arg_infos, f->info.n_args = N_ARGS;
  f->info.params = f->param_infos, f->info.n_params = 1;
  f->info.variants = f->variants, f->info.n_variants = 1;

  make_dense(&f->args[ARG_Q], ATTN_FLOAT, 32, 4, (int64_t[]){B, H, I, C});
  make_dense(&f->args[ARG_K], ATTN_FLOAT, 32, 4, (int64_t[]){B, G, J, C});
  make_dense(&f->args[ARG_V], ATTN_FLOAT, 32, 4, (int64_t[]){B, G, J, E});
  make_dense(&f->args[ARG_KLEN], ATTN_INT, 64, 1, (int64_t[]){B});
  make_dense(&f->args[ARG_X], ATTN_FLOAT, 32, 4, (int64_t[]){B, H + 8, 3, X});
  make_dense(&f->args[ARG_O], ATTN_FLOAT, 32, 4, (int64_t[]){B, H, I, E});
  make_dense(&f->args[ARG_LSE], ATTN_FLOAT, 32, 3, (int64_t[]){B, H, I});
  for (int32_t a = 0; a < N_ARGS; ++a)
    give_data(f, a);

  f->call = (attn_call){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof f->call, .workers = 1, .variant = -1};
  f->call.args = f->args, f->call.n_args = N_ARGS;
  f->call.params = f->params, f->call.n_params = 1;
  f->call.stats = &f->stats, f->call.error = &f->error;
  f->error = (attn_error){-7, -7, -7, -7};
}

/* Changes the extents of every tensor; all are dense again. */
static inline void fixture_resize(fixture *f, int64_t b, int64_t h, int64_t g, int64_t i, int64_t j) {
  const int64_t shapes[N_ARGS][4] = {{b, h, i, C},     {b, g, j, C}, {b, g, j, E}, {b},
                                     {b, h + 8, 3, X}, {b, h, i, E}, {b, h, i}};
  for (int32_t a = 0; a < N_ARGS; ++a) {
    void *data = f->args[a].data;
    make_dense(&f->args[a], f->args[a].code, f->args[a].bits, f->args[a].rank, shapes[a]);
    f->args[a].data = data;
  }
}

static inline void fixture_close(fixture *f) {
  for (int32_t a = 0; a < N_ARGS; ++a)
    free(f->owned[a]);
  free(f->workspace);
}
#endif
