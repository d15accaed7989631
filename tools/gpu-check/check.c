/* check.c - runs a case by every variant and every image of its kernel, and compares. */
#include "gpu_check.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- images: those of the object, its PTX alone, the cubins of images/K ---- */

enum { OBJECT, PTX, O0, SETS, MOST_IMAGES = 32 };
static const char *const set_names[SETS] = {"object", "ptx", "O0"};

typedef struct image_set {
  attn_gpu_image images[MOST_IMAGES + 1];
  int n;
  attn_gpu_info info;
  attn_gpu_info step_infos[ATTN_MAX_STEP_VALUES];
  attn_gpu_step_info steps[ATTN_MAX_STEP_VALUES];
} image_set;

static const attn_gpu_image *images_of(const attn_gpu_info *info) {
  return info->n_steps ? info->steps[0].kernel->images : info->images;
}

static void add_file(image_set *s, const char *folder, const char *file, int sm) {
  char path[1400];
  long bytes;
  unsigned char *data = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, file);
  FILE *f = fopen(path, "rb");
  if (!f)
    return;
  if (!fseek(f, 0, SEEK_END) && (bytes = ftell(f)) > 0 && !fseek(f, 0, SEEK_SET) && (data = malloc((size_t)bytes)) &&
      fread(data, 1, (size_t)bytes, f) == (size_t)bytes)
    s->images[s->n++] = (attn_gpu_image){sm, 0, data, (uint64_t)bytes};
  fclose(f);
}

static void add_files(image_set *s, const char *bundle, const char *kernel) {
  char folder[1024];
  snprintf(folder, sizeof folder, "%s/images/%s", bundle, kernel);
  DIR *all = opendir(folder);
  if (!all)
    return;
  for (struct dirent *entry; (entry = readdir(all)) && s->n < MOST_IMAGES;) {
    int sm, used = 0;
    if (sscanf(entry->d_name, "sm_%d.O0.cubin%n", &sm, &used) == 1 && used && !entry->d_name[used])
      add_file(s, folder, entry->d_name, sm);
  }
  closedir(all);
}

/* The kernel with other images; zero if there are none. */
static int make_set(image_set *s, int which, const char *bundle, const gpu_check_kernel *kernel) {
  memset(s, 0, sizeof *s);
  if (which == O0)
    add_files(s, bundle, kernel->name);
  for (const attn_gpu_image *i = images_of(kernel->info); which == PTX && i && i->data && s->n < MOST_IMAGES; ++i)
    if (i->is_ptx)
      s->images[s->n++] = *i;
  s->info = *kernel->info;
  s->info.images = s->images;
  s->info.steps = s->steps;
  for (int32_t n = 0; n < s->info.n_steps; ++n) {
    s->steps[n] = kernel->info->steps[n];
    s->step_infos[n] = *s->steps[n].kernel;
    s->step_infos[n].images = s->images;
    s->steps[n].kernel = &s->step_infos[n];
  }
  return s->n > 0;
}

static void free_set(image_set *s, int which) {
  attn_rt_gpu_unload(s->images);
  for (int n = 0; which == O0 && n < s->n; ++n)
    free((void *)(uintptr_t)s->images[n].data);
}

/* ---- comparing ---- */

typedef struct verdict {
  int ok;
  double ratio, max_error;
  char what[256];
} verdict;

static int rule_element(const attn_arg_info *info) {
  if (info->code == ATTN_BFLOAT && info->bits == 16)
    return RULE_BF16;
  if (info->code != ATTN_FLOAT)
    return -1;
  return info->bits == 64 ? RULE_F64 : info->bits == 32 ? RULE_F32 : info->bits == 16 ? RULE_F16 : -1;
}

static double number_of(const array *a, int64_t n) {
  if (a->kind == 'f')
    return a->bytes == 8 ? ((const double *)(const void *)a->data)[n] : rule_value(RULE_F32, a->data, n);
  int64_t x = 0;
  memcpy(&x, a->data + n * a->bytes, (size_t)a->bytes);
  const int unused = 64 - 8 * a->bytes;
  return (double)((int64_t)((uint64_t)x << unused) >> unused);
}

static void compare_numbers(verdict *v, const char *name, int element, const loaded_case *c, int32_t a,
                            const unsigned char *got) {
  const array *exact = &c->exact[a], *terms = &c->terms[a];
  const size_t count = (size_t)exact->count;
  double *numbers = malloc(3 * (count + 1) * sizeof *numbers);
  if (!numbers) {
    v->ok = 0;
    snprintf(v->what, sizeof v->what, "%s: not enough memory", name);
    return;
  }
  for (size_t n = 0; n < count; ++n) {
    numbers[n] = rule_value(element, got, (int64_t)n);
    numbers[count + n] = number_of(exact, (int64_t)n);
    numbers[2 * count + n] = terms->data ? number_of(terms, (int64_t)n) : 0;
  }
  const rule_report r = rule_check(element, exact->count, c->rows[a], numbers, numbers + count, &c->plain[a],
                                   terms->data ? numbers + 2 * count : NULL);
  v->ratio = r.ratio > v->ratio ? r.ratio : v->ratio;
  v->max_error = r.max_error > v->max_error ? r.max_error : v->max_error;
  if (!r.ok && v->ok)
    snprintf(v->what, sizeof v->what, "%s: %s, at %lld: %.9g, expected %.9g", name, r.what, (long long)r.worst,
             r.worst < 0 ? 0 : numbers[r.worst], r.worst < 0 ? 0 : numbers[count + (size_t)r.worst]);
  v->ok &= r.ok;
  free(numbers);
}

static void compare(verdict *v, const attn_arg_info *info, const loaded_case *c, int32_t a, const unsigned char *got) {
  const int element = rule_element(info);
  const array *exact = &c->exact[a];
  if (element >= 0) {
    compare_numbers(v, info->name, element, c, a, got);
    return;
  }
  const array ours = {.kind = info->code == ATTN_UINT || info->code == ATTN_BOOL ? 'u' : 'i',
                      .bytes = info->bits < 8 ? 1 : info->bits / 8,
                      .data = (unsigned char *)(uintptr_t)got};
  for (int64_t n = 0; n < exact->count; ++n)
    if (number_of(&ours, n) != number_of(exact, n)) {
      if (v->ok)
        snprintf(v->what, sizeof v->what, "%s: %.0f at %lld, expected %.0f", info->name, number_of(&ours, n),
                 (long long)n, number_of(exact, n));
      v->ok = 0;
      v->ratio = v->max_error = INFINITY;
      return;
    }
}

/* ---- running ---- */

static const char *variant_name(const attn_gpu_info *info, int32_t variant) {
  static char number[16];
  if (variant < 0)
    return "chosen";
  if (!info->n_steps)
    return info->variants[variant].name;
  snprintf(number, sizeof number, "%d", variant); /* of every step its own */
  return number;
}

static int32_t count_variants(const attn_gpu_info *info) {
  int32_t most = info->n_variants;
  for (int32_t n = 0; n < info->n_steps && info->n_variants <= 0; ++n)
    most = info->steps[n].kernel->n_variants > most ? info->steps[n].kernel->n_variants : most;
  return most;
}

static void say_status(verdict *v, attn_status status) {
  int result;
  const char *name;
  const char *function = attn_rt_gpu_error(&result, &name);
  v->ok = 0;
  if (status == ATTN_E_CUDA || status == ATTN_E_NO_DRIVER)
    snprintf(v->what, sizeof v->what, "%s: %s: %s", attn_status_name(status), function, name);
  else
    snprintf(v->what, sizeof v->what, "%s", attn_status_name(status));
}

/* Outputs of the call one after another in `got`. */
static attn_status run_once(loaded_case *c, const attn_gpu_info *info, unsigned char *got) {
  attn_status status = case_workspace(c, info);
  if (status)
    return status;
  for (int32_t a = 0; a < c->call.n_args; ++a)
    if (c->exact[a].data && device_fill(c->args[a].data, 0xff, c->bytes[a]))
      return ATTN_E_CUDA;
  if (c->workspace_bytes && device_fill(c->workspace, 0xff, c->workspace_bytes))
    return ATTN_E_CUDA;
  if ((status = attn_rt_gpu_run(&c->call, info, NULL)) || (status = attn_rt_gpu_finish(&c->call, info, NULL)))
    return status;
  for (int32_t a = 0; a < c->call.n_args; ++a) {
    if (!c->exact[a].data)
      continue;
    if (device_get(got, c->args[a].data, c->bytes[a]))
      return ATTN_E_CUDA;
    got += c->bytes[a];
  }
  return ATTN_OK;
}

static size_t count_unlike(const unsigned char *a, const unsigned char *b, size_t bytes) {
  size_t unlike = 0;
  for (size_t n = 0; n < bytes; ++n)
    unlike += a[n] != b[n];
  return unlike;
}

static int run_set(const char *name, loaded_case *c, const attn_gpu_info *info, int which, unsigned char *got,
                   unsigned char *first, size_t bytes, int *outcome) {
  for (int32_t v = -1; v < count_variants(info); ++v) {
    verdict verdict = {.ok = 1};
    c->call.variant = v;
    const attn_status status = run_once(c, info, got);
    if (v >= 0 && status == ATTN_E_VARIANT)
      continue;
    if (which != OBJECT && status == ATTN_E_DEVICE) /* none of the further images is for this GPU */
      return 1;
    const unsigned char *at = got;
    for (int32_t a = 0; a < c->call.n_args && !status; ++a)
      if (c->exact[a].data) {
        compare(&verdict, &info->kernel->args[a], c, a, at);
        at += c->bytes[a];
      }
    if (status)
      say_status(&verdict, status);
    /* The text fixes each rounding, and sums of products are the same instructions in the same order: two levels of one
       ptxas that differ are a fault of it, or a race. */
    if (!status && verdict.ok && v < 0 && which == O0 && memcmp(got, first, bytes)) {
      verdict.ok = 0;
      snprintf(verdict.what, sizeof verdict.what, "%zu of %zu bytes differ from those of the object's images",
               count_unlike(got, first, bytes), bytes);
    }
    json_begin("check", name);
    json_flag("ok", verdict.ok);
    json_text("images", set_names[which]);
    json_text("variant", variant_name(info, v));
    json_number("ratio", verdict.ratio);
    json_number("max_error", verdict.max_error);
    if (!status && v < 0 && which != OBJECT)
      json_flag("same_bits", !memcmp(got, first, bytes));
    if (!verdict.ok)
      json_text("what", verdict.what);
    json_end();
    if (!verdict.ok)
      *outcome = OUTCOME_FAILED;
    if (status == ATTN_E_CUDA)
      return 0;
    if (!status && v < 0 && which == OBJECT)
      memcpy(first, got, bytes);
  }
  return 1;
}

static int check_case(const char *bundle, const char *name, loaded_case *c) {
  size_t bytes = 0;
  int outcome = OUTCOME_PASSED, alive = 1;
  for (int32_t a = 0; a < c->call.n_args; ++a)
    bytes += c->exact[a].data ? c->bytes[a] : 0;
  unsigned char *got = calloc(2, bytes + 1);
  image_set *s = malloc(sizeof *s);
  if (!got || !s)
    alive = 0;
  for (int which = OBJECT; alive && which < SETS; ++which) {
    if (which == OBJECT) {
      alive = run_set(name, c, c->kernel->info, which, got, got + bytes, bytes, &outcome);
      continue;
    }
    if (!make_set(s, which, bundle, c->kernel))
      continue;
    alive = run_set(name, c, &s->info, which, got, got + bytes, bytes, &outcome);
    free_set(s, which);
  }
  free(got);
  free(s);
  return alive ? outcome : OUTCOME_LOST;
}

int run_case(const char *bundle, const char *name) {
  static loaded_case c;
  char why[512];
  int overruns = 0, outcome;
  if (!case_load(bundle, name, &c, why, sizeof why)) {
    json_begin("check", name);
    json_flag("ok", 0);
    json_text("what", why);
    json_end();
    return OUTCOME_FAILED;
  }
  outcome = c.is_timing ? run_timing(name, &c) : check_case(bundle, name, &c);
  if (outcome == OUTCOME_LOST)
    return outcome;
  if (case_close(&c, &overruns) || overruns) {
    json_begin("check", name);
    json_flag("ok", 0);
    json_text("what", overruns ? "bytes behind a tensor were written" : device_error());
    json_end();
    return overruns ? OUTCOME_FAILED : OUTCOME_LOST;
  }
  return outcome;
}
