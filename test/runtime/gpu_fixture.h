/* gpu_fixture.h - the kernel of fixture.h as one for a GPU. Data lies at addresses that nobody may read. */
#ifndef ATTN_TEST_GPU_FIXTURE_H
#define ATTN_TEST_GPU_FIXTURE_H

#include "fixture.h"

#include "attn-rt/attn_gpu.h"

typedef struct gpu_fixture {
  fixture f;
  attn_gpu_image images[5];
  attn_gpu_phase_info phases[3][2];
  attn_gpu_variant_info variants[3];
  attn_gpu_info info;
} gpu_fixture;

static inline void *device_address(int n) { return (void *)(((uintptr_t)0x7700 + (unsigned)n) << 24); }

/* A kernel of dims and args has three variants:
 *   0 "split"    MAIN with 3 chunks, 2 slices, states of 192 bytes; MERGE by blocks of 4. At least 6 keys, at most 64
 *                CTAs; q, k and v aligned
 *   1 "aligned"  MAIN, blocks of 4 queries; q, k and v aligned
 *   2 "any"      MAIN, blocks of 2 queries */
static inline void gpu_fixture_open(gpu_fixture *g) {
  fixture *f = &g->f;
  memset(g, 0, sizeof *g);
  fixture_open(f);
  for (int a = 0; a < N_ARGS; ++a)
    f->args[a].data = device_address(a);
  f->call.workspace = device_address(N_ARGS);
  f->call.workspace_bytes = 1 << 20;
  f->info.n_variants = 0; /* nothing of the CPU's */
  f->info.variants = NULL;
  f->info.isa = 77;

  g->phases[0][0] = (attn_gpu_phase_info){"split_main", ATTN_GPU_MAIN, 128, 4096, 2, 3, 2, 0};
  g->phases[0][1] = (attn_gpu_phase_info){"split_merge", ATTN_GPU_MERGE, 64, 0, 4, 9, 1, 0};
  g->phases[1][0] = (attn_gpu_phase_info){"aligned_main", ATTN_GPU_MAIN, 128, 99 << 10, 4, 1, 1, 0};
  g->phases[2][0] = (attn_gpu_phase_info){"any_main", ATTN_GPU_MAIN, 96, 0, 2, 0, 0, 0};
  const uint64_t qkv = 1u << ARG_Q | 1u << ARG_K | 1u << ARG_V;
  g->variants[0] = (attn_gpu_variant_info){"split", g->phases[0], 2, 0, qkv, 6, 64, 192};
  g->variants[1] = (attn_gpu_variant_info){"aligned", g->phases[1], 1, 0, qkv, 0, 0, 0};
  g->variants[2] = (attn_gpu_variant_info){"any", g->phases[2], 1, 0, 0, 0, 0, 0};
  g->images[0] = (attn_gpu_image){80, 0, "cubin80", 8};
  g->images[1] = (attn_gpu_image){89, 0, "cubin89", 8};
  g->images[2] = (attn_gpu_image){90, 0, "cubin90", 8};
  g->images[3] = (attn_gpu_image){80, 1, "ptx80", 6};
  g->info = (attn_gpu_info){.abi_version = ATTN_RT_ABI_VERSION,
                            .size = sizeof g->info,
                            .kernel = &f->info,
                            .images = g->images,
                            .variants = g->variants,
                            .n_variants = 3};
  /* rows of v of 6 floats begin at multiples of 16 bytes only with padding */
  memcpy(f->args[ARG_V].stride, (int64_t[]){G * J * 8, J * 8, 8, 1}, 4 * sizeof(int64_t));
}

static inline void gpu_fixture_close(gpu_fixture *g) { fixture_close(&g->f); }
#endif
