/* gpu_check.h - the runner of scripts/gpu-check: what its files share. README.md says what a bundle holds. */
#ifndef ATTN_GPU_CHECK_H
#define ATTN_GPU_CHECK_H

#include "attn-rt/attn_gpu.h"

#include <stddef.h>
#include <stdint.h>

typedef struct gpu_check_kernel {
  const char *name;
  const attn_gpu_info *info;
} gpu_check_kernel;

/* By the bundle's kernels.c. The last has no name. */
extern const gpu_check_kernel gpu_check_kernels[];

/* ---- json.c: one object a line, flushed, so that what was found is there whatever happens next ---- */

int json_open(const char *path); /* appends; NULL: standard output */
void json_begin(const char *part, const char *name);
void json_text(const char *key, const char *value);
void json_number(const char *key, double value);
void json_flag(const char *key, int value);
void json_words(const char *key, const uint32_t *words, size_t n); /* in hex */
void json_end(void);

/* ---- npy.c ---- */

typedef struct array {
  char kind; /* of numpy: f i u b */
  int bytes; /* of an element */
  int32_t rank;
  int64_t shape[ATTN_MAX_RANK], count;
  unsigned char *data;
} array;

/* A little-endian file in C order; 0 and a sentence in `why` if it is none. */
int array_read(const char *path, array *a, char *why, size_t why_bytes);
void array_free(array *a);

/* ---- rule.c: THE error rule, as include/attn/Support/ErrorRule.h says it ---- */

enum { RULE_F32, RULE_F64, RULE_BF16, RULE_F16 };

typedef struct rule_report {
  int ok;
  double max_error, ratio; /* ratio: measured / allowed, the largest of all rules */
  int64_t worst;
  char what[120];
} rule_report;

/* Of |plain - exact| over all values, not finite ones counting as 0: all that the rule asks of the plain program. */
typedef struct rule_plain {
  double most, mean;
} rule_plain;

/* Rows of row_length values one after another; rows of which exact is 0 throughout, where a row is longer than one, are
 * those of empty rows and must be 0. `terms`: of what larger numbers each is a difference, whose size then counts; or
 * NULL. */
rule_report rule_check(int element, int64_t count, int64_t row_length, const double *got, const double *exact,
                       const rule_plain *plain, const double *terms);
double rule_value(int element, const void *data, int64_t at);

/* ---- device.c: the parts of libcuda that libattn_rt does not need ---- */

/* 0: there is no GPU, `why` says so. */
int device_open(char *why, size_t why_bytes);
void device_describe(void);     /* a line "machine" */
const char *device_error(void); /* of the last call that failed */

/* All return nonzero on failure. Memory has bytes of 0xcd behind it, which device_free looks at. */
int device_alloc(void **at, size_t bytes);
int device_free(void *at, size_t bytes, int *overrun);
int device_put(void *at, const void *from, size_t bytes);
int device_get(void *to, const void *at, size_t bytes);
int device_fill(void *at, unsigned char byte, size_t bytes);
int device_wait(void);

/* Seconds on the device of what fn enqueues on the default stream. */
int device_time(int (*fn)(void *), void *ctx, double *seconds);

/* Loads PTX and runs an entry of two pointers. */
int device_probe(const char *ptx, int threads, void *in, void *out);

/* ---- what is run ---- */

enum { OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_LOST /* failed, and the driver may not go on in this process */ };

int run_probe(const char *bundle, const char *line);
int run_case(const char *bundle, const char *name);

/* case.c */
typedef struct loaded_case {
  const gpu_check_kernel *kernel;
  double flops; /* timings only; 0: a check */
  int is_timing;
  attn_tensor args[ATTN_MAX_STEP_VALUES];
  size_t bytes[ATTN_MAX_STEP_VALUES];
  array exact[ATTN_MAX_STEP_VALUES], terms[ATTN_MAX_STEP_VALUES]; /* terms: without data where there are none */
  rule_plain plain[ATTN_MAX_STEP_VALUES];
  int64_t rows[ATTN_MAX_STEP_VALUES]; /* of an output: numbers in a row of the error rule */
  attn_scalar params[ATTN_MAX_STEP_VALUES];
  attn_call call;
  attn_error error;
  void *workspace;
  size_t workspace_bytes;
} loaded_case;

int case_load(const char *bundle, const char *name, loaded_case *c, char *why, size_t why_bytes);
int case_close(loaded_case *c, int *overruns); /* nonzero: memory could not be looked at */
/* Workspace for this call; nonzero: why it could not be. */
attn_status case_workspace(loaded_case *c, const attn_gpu_info *info);
int run_timing(const char *name, loaded_case *c);

#endif
