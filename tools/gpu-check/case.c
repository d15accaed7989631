/* case.c - reads a case: the arguments of one call, and what must come out. */
#include "gpu_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gpu_check_kernel *find_kernel(const char *name) {
  for (const gpu_check_kernel *k = gpu_check_kernels; k->name; ++k)
    if (!strcmp(k->name, name))
      return k;
  return NULL;
}

static int element_bytes(const attn_arg_info *info) { return info->bits < 8 ? 1 : info->bits / 8; }

static void set_shape(attn_tensor *t, const attn_arg_info *info, int32_t rank, const int64_t *shape) {
  int64_t stride = 1;
  *t = (attn_tensor){.code = info->code, .bits = info->bits, .lanes = 1, .rank = rank};
  for (int32_t x = rank - 1; x >= 0; --x) {
    t->shape[x] = shape[x];
    t->stride[x] = stride;
    stride *= shape[x];
  }
}

/* Number n of a seed, of mean 0 and variance 1: a sum of three of 21 bits, evenly distributed, between -3 and 3; a
 * float has room for all of its bits. seeded.py says the same. (splitmix64 of Steele, Lea and Flood.) */
static float random_value(uint64_t seed, uint64_t n) {
  uint64_t z = (seed << 32) + (n + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const uint64_t mask = (1 << 21) - 1;
  const int64_t sum = (int64_t)((z & mask) + (z >> 21 & mask) + (z >> 42 & mask));
  return (float)(2 * sum - 3 * (int64_t)mask) * 0x1p-21f;
}

/* 0 of integers. */
static void fill_random(unsigned char *data, const attn_arg_info *info, uint64_t seed, int64_t count) {
  for (int64_t n = 0; n < count; ++n) {
    const float x = random_value(seed, (uint64_t)n);
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (info->code == ATTN_BFLOAT) { /* to nearest, ties to even */
      const uint16_t half = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
      memcpy(data + 2 * n, &half, 2);
    } else if (info->code == ATTN_FLOAT && info->bits == 32) {
      memcpy(data + 4 * n, &x, 4);
    } else if (info->code == ATTN_FLOAT && info->bits == 64) {
      const double wide = x;
      memcpy(data + 8 * n, &wide, 8);
    } else if (info->code == ATTN_FLOAT && info->bits == 16) { /* cut off; |x| < 4: the exponent is in range, or 0 */
      const int exponent = (int)(bits >> 23 & 255) - 112;
      const uint16_t half = (uint16_t)(bits >> 16 & 0x8000) |
                            (uint16_t)(exponent > 0 ? (uint32_t)exponent << 10 | (bits >> 13 & 1023) : 0);
      memcpy(data + 2 * n, &half, 2);
    }
  }
}

typedef struct reader {
  const char *folder;
  loaded_case *c;
  char *why;
  size_t why_bytes;
  int32_t arg, param;
} reader;

static int fails(reader *r, const char *what) {
  snprintf(r->why, r->why_bytes, "%s/case.txt: %s", r->folder, what);
  return 0;
}

static int read_array(reader *r, const char *file, array *a) {
  char path[1200];
  snprintf(path, sizeof path, "%s/%s", r->folder, file);
  return array_read(path, a, r->why, r->why_bytes);
}

/* A tensor whose memory is on the device, with these elements. */
static int place(reader *r, const attn_arg_info *info, int32_t rank, const int64_t *shape, const unsigned char *data) {
  loaded_case *c = r->c;
  attn_tensor *t = &c->args[r->arg];
  int64_t count = 1;
  for (int32_t x = 0; x < rank; ++x)
    count *= shape[x];
  set_shape(t, info, rank, shape);
  c->bytes[r->arg] = (size_t)count * (size_t)element_bytes(info);
  if (device_alloc(&t->data, c->bytes[r->arg]) || (data && device_put(t->data, data, c->bytes[r->arg])))
    return fails(r, device_error());
  return 1;
}

static int read_extents(const char *text, int64_t *shape) {
  int32_t rank = 0;
  char *end;
  for (; rank < ATTN_MAX_RANK; ++rank, text = end) {
    shape[rank] = strtoll(text, &end, 10);
    if (end == text)
      break;
  }
  return rank;
}

static int read_argument(reader *r, const char *word, const char *rest) {
  loaded_case *c = r->c;
  const attn_kernel_info *kernel = c->kernel->info->kernel;
  if (r->arg >= kernel->n_args)
    return fails(r, "more arguments than the kernel has");
  const attn_arg_info *info = &kernel->args[r->arg];
  char first[512] = "", second[512] = "";
  int64_t shape[ATTN_MAX_RANK];
  array a;
  int good;
  if (!strcmp(word, "input")) {
    if (sscanf(rest, "%511s", first) != 1 || !read_array(r, first, &a))
      return *r->why ? 0 : fails(r, "input: no file");
    good = a.bytes == element_bytes(info) && a.rank == info->rank && info->role == ATTN_ARG_INPUT;
    good = good ? place(r, info, a.rank, a.shape, a.data)
                : fails(r, "an input where the kernel has an output, or one of another type or rank");
    array_free(&a);
  } else if (!strcmp(word, "output")) {
    long long row;
    array *exact = &c->exact[r->arg], *terms = &c->terms[r->arg];
    rule_plain *plain = &c->plain[r->arg];
    const int words = sscanf(rest, "%511s %lf %lf %lld %511s", first, &plain->most, &plain->mean, &row, second);
    if (words < 4 || row < 1)
      return fails(r, "output: a file, two errors and the length of a row are needed");
    c->rows[r->arg] = row;
    good = read_array(r, first, exact) && (words < 5 || read_array(r, second, terms));
    good = good && ((exact->rank == info->rank && info->role == ATTN_ARG_OUTPUT &&
                     (!terms->data || terms->count == exact->count)) ||
                    fails(r, "an output where the kernel has an input, or one of another shape"));
    good = good && place(r, info, exact->rank, exact->shape, NULL);
  } else { /* random, unwanted */
    char *after;
    const int is_random = *word == 'r';
    const uint64_t seed = is_random ? strtoull(rest, &after, 10) : 0;
    const int32_t rank = read_extents(is_random ? after : rest, shape);
    if (rank != info->rank)
      return fails(r, "extents of another rank");
    if (!is_random) {
      set_shape(&c->args[r->arg], info, rank, shape);
      good = 1;
    } else {
      int64_t count = 1;
      for (int32_t x = 0; x < rank; ++x)
        count *= shape[x];
      unsigned char *data = calloc((size_t)count + 1, (size_t)element_bytes(info));
      if (!data)
        return fails(r, "not enough memory");
      fill_random(data, info, seed, count);
      good = place(r, info, rank, shape, data);
      free(data);
    }
  }
  ++r->arg;
  return good;
}

static int read_line(reader *r, char *line) {
  loaded_case *c = r->c;
  char word[32], name[256];
  int used = 0;
  if (sscanf(line, "%31s%n", word, &used) != 1 || *word == '#')
    return 1;
  const char *rest = line + used;
  if (!strcmp(word, "time")) {
    c->is_timing = 1;
    c->flops = strtod(rest, NULL);
    return 1;
  }
  if (!strcmp(word, "kernel")) {
    if (sscanf(rest, "%255s", name) != 1 || !(c->kernel = find_kernel(name)))
      return fails(r, "the bundle has no such kernel");
    return 1;
  }
  if (!c->kernel)
    return fails(r, "`kernel` must come first");
  if (!strcmp(word, "integer") || !strcmp(word, "real")) {
    if (r->param >= c->kernel->info->kernel->n_params)
      return fails(r, "more scalars than the kernel has");
    attn_scalar *p = &c->params[r->param++];
    if (*word == 'i')
      p->i = strtoll(rest, NULL, 10);
    else
      p->f = strtod(rest, NULL);
    return 1;
  }
  if (!strcmp(word, "input") || !strcmp(word, "output") || !strcmp(word, "random") || !strcmp(word, "unwanted"))
    return read_argument(r, word, rest);
  return fails(r, "a line that is not understood");
}

int case_load(const char *bundle, const char *name, loaded_case *c, char *why, size_t why_bytes) {
  char folder[900], path[1024], line[2048];
  snprintf(folder, sizeof folder, "%s/cases/%s", bundle, name);
  snprintf(path, sizeof path, "%s/case.txt", folder);
  *why = 0;
  memset(c, 0, sizeof *c);
  reader r = {.folder = folder, .c = c, .why = why, .why_bytes = why_bytes};
  FILE *f = fopen(path, "r");
  if (!f)
    return fails(&r, "cannot be read");
  int good = 1;
  while (good && fgets(line, sizeof line, f))
    good = read_line(&r, line);
  fclose(f);
  if (!good)
    return 0;
  if (!c->kernel || r.arg != c->kernel->info->kernel->n_args || r.param != c->kernel->info->kernel->n_params)
    return fails(&r, "fewer lines than the kernel has arguments");
  c->call = (attn_call){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof c->call, .variant = -1};
  c->call.args = c->args, c->call.n_args = r.arg;
  c->call.params = c->params, c->call.n_params = r.param;
  c->call.error = &c->error;
  return 1;
}

attn_status case_workspace(loaded_case *c, const attn_gpu_info *info) {
  uint64_t bytes = 0;
  int overrun = 0;
  const attn_status status = attn_rt_gpu_workspace(&c->call, info, &bytes);
  if (status || bytes <= c->workspace_bytes)
    return status;
  if (device_free(c->workspace, c->workspace_bytes, &overrun) || device_alloc(&c->workspace, (size_t)bytes))
    return ATTN_E_CUDA;
  c->workspace_bytes = (size_t)bytes;
  c->call.workspace = c->workspace;
  c->call.workspace_bytes = bytes;
  return ATTN_OK;
}

int case_close(loaded_case *c, int *overruns) {
  int failed = 0;
  for (int32_t a = 0; a < ATTN_MAX_STEP_VALUES; ++a) {
    failed |= device_free(c->args[a].data, c->bytes[a], overruns);
    array_free(&c->exact[a]);
    array_free(&c->terms[a]);
  }
  return failed | device_free(c->workspace, c->workspace_bytes, overruns);
}
