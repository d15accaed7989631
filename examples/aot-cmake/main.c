/* Calls a kernel that attnc compiled ahead of time (gallery/causal.mlir) and checks every value of it with plain loops.
 */
#include "causal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 1, HEADS = 2, QUERIES = 37, KEYS = 50, WIDTH = 64 };

static float q[BATCH][HEADS][QUERIES][WIDTH], k[BATCH][HEADS][KEYS][WIDTH], v[BATCH][HEADS][KEYS][WIDTH];
static float o[BATCH][HEADS][QUERIES][WIDTH], lse[BATCH][HEADS][QUERIES];

static void fill(float *x, size_t n, uint32_t state) {
  for (size_t i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    x[i] = (float)(state >> 8) / (1 << 23) - 1.0f;
  }
}

/* A dense float tensor. */
static attn_tensor tensor(void *data, int32_t rank, const int64_t *shape) {
  attn_tensor t = {.data = data, .code = ATTN_FLOAT, .bits = 32, .lanes = 1, .rank = rank};
  int64_t stride = 1;
  for (int32_t axis = rank - 1; axis >= 0; --axis) {
    t.shape[axis] = shape[axis];
    t.stride[axis] = stride;
    stride *= shape[axis];
  }
  return t;
}

/* The largest difference from the definition: the last query sees the last key. */
static double largest_error(void) {
  double worst = 0;
  for (int h = 0; h < HEADS; ++h)
    for (int i = 0; i < QUERIES; ++i) {
      int visible = i + (KEYS - QUERIES) + 1;
      double p[KEYS], max = -INFINITY, sum = 0;
      for (int j = 0; j < visible; ++j) {
        double s = 0;
        for (int c = 0; c < WIDTH; ++c)
          s += (double)q[0][h][i][c] * k[0][h][j][c];
        p[j] = s / sqrt(WIDTH);
        max = fmax(max, p[j]);
      }
      for (int j = 0; j < visible; ++j)
        sum += p[j] = exp(p[j] - max);
      for (int e = 0; e < WIDTH; ++e) {
        double expected = 0;
        for (int j = 0; j < visible; ++j)
          expected += p[j] / sum * v[0][h][j][e];
        worst = fmax(worst, fabs(expected - o[0][h][i][e]));
      }
      worst = fmax(worst, fabs(max + log(sum) - lse[0][h][i]));
    }
  return worst;
}

int main(void) {
  fill(&q[0][0][0][0], sizeof q / sizeof(float), 1);
  fill(&k[0][0][0][0], sizeof k / sizeof(float), 2);
  fill(&v[0][0][0][0], sizeof v / sizeof(float), 3);

  int64_t queries[] = {BATCH, HEADS, QUERIES, WIDTH}, keys[] = {BATCH, HEADS, KEYS, WIDTH};
  attn_tensor args[attn_causal_num_args];
  args[attn_causal_arg_q] = tensor(q, 4, queries);
  args[attn_causal_arg_k] = tensor(k, 4, keys);
  args[attn_causal_arg_v] = tensor(v, 4, keys);
  args[attn_causal_arg_o] = tensor(o, 4, queries);
  args[attn_causal_arg_lse] = tensor(lse, 3, queries);

  attn_error error = {.arg = -1, .axis = -1};
  attn_call call = {.abi_version = ATTN_RT_ABI_VERSION,
                    .size = sizeof call,
                    .args = args,
                    .n_args = attn_causal_num_args,
                    .variant = -1,
                    .error = &error};
  attn_status status = attn_causal_workspace(&call, &call.workspace_bytes);
  if (status == ATTN_OK) {
    call.workspace = malloc(call.workspace_bytes);
    status = attn_causal(&call);
    free(call.workspace);
  }
  if (status != ATTN_OK) {
    fprintf(stderr, "%s: %s (argument %d, axis %d)\n", attn_status_name(status), attn_status_string(status), error.arg,
            error.axis);
    return 1;
  }
  double worst = largest_error();
  printf("%d heads, %d queries, %d keys: the largest error is %.2g\n", HEADS, QUERIES, KEYS, worst);
  return worst < 1e-5 ? 0 : 1;
}
