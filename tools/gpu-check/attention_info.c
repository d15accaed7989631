/* attention_info.c - what the compiler would say of attention.cu. ATTN_CHECK_KERNEL and ATTN_CHECK_IMAGES are the names
 * of the kernel's info, and of its images (made beside, by bundle.py). */
#include "attn-rt/attn_gpu.h"

#ifndef ATTN_CHECK_KERNEL
#define ATTN_CHECK_KERNEL attn_by_hand_gpu_info
#endif
#ifndef ATTN_CHECK_IMAGES
#define ATTN_CHECK_IMAGES by_hand_images
#endif

extern const attn_gpu_image ATTN_CHECK_IMAGES[];

enum { B, H, I, J, C, E, N_DIMS };
enum { N_ARGS = 5, ROWS = 32, STATE_BYTES = (2 * ROWS + 64 * ROWS) * 4 };

#define AXIS(dim, extent) {dim, -1, 1, 0, extent, 0, 0}
#define TENSOR(name, role, optional, rank, ...)                                                                        \
  {                                                                                                                    \
    name, ATTN_FLOAT, 32, role, optional, rank, -1, 0, 0, 0, { __VA_ARGS__ }                                           \
  }

static const attn_dim_info dims[N_DIMS] = {{"b", ATTN_DIM_BATCH, 0, 1},   {"h", ATTN_DIM_BATCH, 0, 1},
                                           {"i", ATTN_DIM_QUERY, 0, 0},   {"j", ATTN_DIM_KEY, 0, 0},
                                           {"c", ATTN_DIM_FEATURE, 0, 0}, {"e", ATTN_DIM_FEATURE, 0, 0}};

static const attn_arg_info args[N_ARGS] = {
    TENSOR("q", ATTN_ARG_INPUT, 0, 4, AXIS(B, -1), AXIS(H, -1), AXIS(I, -1), AXIS(C, 64)),
    TENSOR("k", ATTN_ARG_INPUT, 0, 4, AXIS(B, -1), AXIS(H, -1), AXIS(J, -1), AXIS(C, 64)),
    TENSOR("v", ATTN_ARG_INPUT, 0, 4, AXIS(B, -1), AXIS(H, -1), AXIS(J, -1), AXIS(E, 64)),
    TENSOR("o", ATTN_ARG_OUTPUT, 0, 4, AXIS(B, -1), AXIS(H, -1), AXIS(I, -1), AXIS(E, 64)),
    TENSOR("lse", ATTN_ARG_OUTPUT, 1, 3, AXIS(B, -1), AXIS(H, -1), AXIS(I, -1)),
};

static const attn_kernel_info kernel = {.abi_version = ATTN_RT_ABI_VERSION,
                                        .size = sizeof(attn_kernel_info),
                                        .name = "by_hand",
                                        .dims = dims,
                                        .args = args,
                                        .n_dims = N_DIMS,
                                        .n_args = N_ARGS};

static const attn_gpu_phase_info split[] = {{"attention_split", ATTN_GPU_MAIN, ROWS, 0, ROWS, 2, 1, 0},
                                            {"attention_merge", ATTN_GPU_MERGE, ROWS, 0, ROWS, 1, 1, 0}};
static const attn_gpu_phase_info aligned[] = {{"attention_aligned", ATTN_GPU_MAIN, ROWS, 0, ROWS, 1, 1, 0}};
static const attn_gpu_phase_info any[] = {{"attention_any", ATTN_GPU_MAIN, ROWS, 0, ROWS, 1, 1, 0}};

static const attn_gpu_variant_info variants[] = {{"split", split, 2, 0, 0, 128, 16, STATE_BYTES},
                                                 {"aligned", aligned, 1, 0, 7, 0, 0, 0},
                                                 {"any", any, 1, 0, 0, 0, 0, 0}};

const attn_gpu_info ATTN_CHECK_KERNEL = {.abi_version = ATTN_RT_ABI_VERSION,
                                         .size = sizeof(attn_gpu_info),
                                         .kernel = &kernel,
                                         .images = ATTN_CHECK_IMAGES,
                                         .variants = variants,
                                         .n_variants = 3};
