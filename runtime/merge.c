/* merge.c - attn_merge: attention over a union of key sets from attention over each of them.
 *
 * Everything is computed in f64, also for parts of 16 and 32 bits, with an exp and a log of our own, for libm is not
 * libc. Rows are independent, so tasks are blocks of rows; a row's sums go over the parts in order.
 */
#include "internal.h"

#include <math.h>
#include <string.h>

enum { ROWS = 64, CHUNK = 128 }; /* rows of a task; features accumulated together */

static double double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* e^x for x <= 0; NaN stays. x = k log 2 + y with |y| <= log 2 / 2, where the first 14 terms of the series are exact to
 * rounding; log 2 in two parts, the first of which has zeros enough for k times it to be exact. */
static double exp_down(double x) {
  if (!(x >= -746)) /* e^-746 rounds to 0 */
    return x != x ? x : 0;
  const double shift = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
  const double k = (x * 1.4426950408889634 + shift) - shift;
  const double y = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
  double p = 1.0 / 6227020800.0;
  static const double terms[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                 1.0 / 5040,      1.0 / 720,      1.0 / 120,     1.0 / 24,     1.0 / 6};
  for (unsigned n = 0; n < sizeof terms / sizeof *terms; ++n)
    p = p * y + terms[n];
  p = 1 + (y + y * y * (0.5 + y * p));
  /* 2^k in two factors: below 2^-1022 the second rounds once, to a denormal. */
  const int64_t e = (int64_t)k, half = e / 2;
  return p * double_of((uint64_t)(1023 + half) << 52) * double_of((uint64_t)(1023 + e - half) << 52);
}

/* log x for finite x > 0 that is no denormal: x = 2^k m with m near 1, log m = 2 atanh((m - 1) / (m + 1)) by its
 * series.
 */
static double log_normal(double x) {
  const uint64_t bits = bits_of(x);
  int64_t k = (int64_t)(bits >> 52) - 1023;
  double m = double_of((bits & 0xfffffffffffffu) | (uint64_t)1023 << 52);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++k;
  }
  const double f = m - 1, s = f / (2 + f), z = s * s;
  double p = 0;
  for (int n = 23; n >= 3; n -= 2)
    p = (p + 1.0 / n) * z;
  /* log m = f - s (f - 2 p): the rounding of s, p is felt only in the small second part. */
  return (double)k * 0x1.62e42feep-1 + (f - (s * (f - 2 * p) - (double)k * 0x1.a39ef35793c76p-33));
}

/* ---- elements ---- */

static double load_half(uint16_t h) {
  const uint64_t sign = (uint64_t)(h & 0x8000u) << 48, exponent = h >> 10 & 31, fraction = h & 1023u;
  if (exponent == 31)
    return double_of(sign | (uint64_t)0x7ff << 52 | fraction << 42);
  if (exponent == 0)
    return double_of(sign | bits_of((double)fraction * 0x1p-24));
  return double_of(sign | (exponent + 1008) << 52 | fraction << 42);
}

/* Round to nearest even once, from f64. */
static uint16_t store_half(double x) {
  const uint16_t sign = (uint16_t)(bits_of(x) >> 48 & 0x8000u);
  const double a = double_of(bits_of(x) & INT64_MAX);
  if (a != a)
    return sign | 0x7e00u;
  if (a >= 65520)
    return sign | 0x7c00u;
  if (a < 0x1p-14) /* multiples of 2^-24; 2^28 has ulps of that */
    return sign | (uint16_t)(((a + 0x1p28) - 0x1p28) * 0x1p24);
  uint64_t bits = bits_of(a);
  bits += (((uint64_t)1 << 41) - 1) + (bits >> 42 & 1);
  return sign | (uint16_t)((bits >> 42) - ((uint64_t)1008 << 10));
}

static uint16_t store_bfloat(double x) {
  const uint16_t sign = (uint16_t)(bits_of(x) >> 48 & 0x8000u);
  const double a = double_of(bits_of(x) & INT64_MAX);
  if (a != a)
    return sign | 0x7fc0u;
  if (a >= 0x1.ffp127)
    return sign | 0x7f80u;
  if (a < 0x1p-126) /* multiples of 2^-133; 2^-81 has ulps of that */
    return sign | (uint16_t)(((a + 0x1p-81) - 0x1p-81) * 0x1p133);
  uint64_t bits = bits_of(a);
  bits += (((uint64_t)1 << 44) - 1) + (bits >> 45 & 1);
  return sign | (uint16_t)((bits >> 45) - ((uint64_t)896 << 7));
}

static double load(const attn_tensor *t, int64_t offset) {
  if (t->bits == 64)
    return ((const double *)t->data)[offset];
  if (t->bits == 32)
    return ((const float *)t->data)[offset];
  const uint16_t half = ((const uint16_t *)t->data)[offset];
  if (t->code == ATTN_FLOAT)
    return load_half(half);
  const uint32_t wide = (uint32_t)half << 16;
  float x;
  memcpy(&x, &wide, sizeof x);
  return x;
}

static void store(const attn_tensor *t, int64_t offset, double x) {
  if (t->bits == 64)
    ((double *)t->data)[offset] = x;
  else if (t->bits == 32)
    ((float *)t->data)[offset] = (float)x;
  else
    ((uint16_t *)t->data)[offset] = t->code == ATTN_FLOAT ? store_half(x) : store_bfloat(x);
}

/* ---- rows ---- */

typedef struct job {
  const attn_merge_call *call;
  int64_t rows;
  unsigned fp_control;
} job;

/* Element offset of a row's first element, in a tensor with the axes of lse. */
static int64_t row_offset(const attn_tensor *t, int32_t axes, int64_t row) {
  int64_t offset = 0;
  for (int32_t x = axes - 1; x >= 0; --x) {
    offset += row % t->shape[x] * t->stride[x];
    row /= t->shape[x];
  }
  return offset;
}

/* w_p; 0 and not looked at: the part is empty. */
static double weight(const attn_merge_call *c, int32_t p, int64_t row, double reference) {
  const attn_tensor *lse = &c->parts[2 * p + 1];
  const double x = load(lse, row_offset(lse, lse->rank, row));
  return x == -INFINITY ? 0 : exp_down(x - reference);
}

static void merge_features(const attn_merge_call *c, int64_t row, int64_t from, int64_t count, double reference,
                           double sum) {
  double acc[CHUNK] = {0};
  for (int32_t p = 0; p < c->n_parts; ++p) {
    const attn_tensor *o = &c->parts[2 * p], *lse = &c->parts[2 * p + 1];
    const double w = weight(c, p, row, reference);
    if (load(lse, row_offset(lse, lse->rank, row)) == -INFINITY)
      continue;
    const int64_t base = row_offset(o, lse->rank, row), stride = o->stride[lse->rank];
    for (int64_t e = 0; e < count; ++e)
      acc[e] += w * load(o, base + (from + e) * stride);
  }
  const int64_t base = row_offset(c->o, c->lse->rank, row), stride = c->o->stride[c->lse->rank];
  for (int64_t e = 0; e < count; ++e)
    store(c->o, base + (from + e) * stride, sum == 0 ? 0 : acc[e] / sum);
}

static void merge_row(const attn_merge_call *c, int64_t row) {
  double reference = -INFINITY, sum = 0;
  int broken = 0; /* NaN or +inf among the references */
  for (int32_t p = 0; p <= c->n_parts; ++p) {
    const attn_tensor *t = p < c->n_parts ? &c->parts[2 * p + 1] : c->sink;
    if (!t)
      continue;
    const double x = load(t, row_offset(t, t->rank, row));
    broken |= x != x || x == INFINITY;
    reference = x > reference ? x : reference;
  }
  for (int32_t p = 0; p < c->n_parts && reference > -INFINITY; ++p)
    sum += weight(c, p, row, reference);
  if (c->sink && reference > -INFINITY)
    sum += exp_down(load(c->sink, row_offset(c->sink, c->sink->rank, row)) - reference);
  if (broken)
    sum = reference = NAN;
  if (c->lse->data)
    store(c->lse, row_offset(c->lse, c->lse->rank, row), sum > 0 ? reference + log_normal(sum) : reference);
  if (!c->o->data)
    return;
  const int64_t features = c->o->shape[c->lse->rank];
  for (int64_t from = 0; from < features; from += CHUNK)
    merge_features(c, row, from, features - from < CHUNK ? features - from : CHUNK, reference, sum);
}

static void merge_rows(void *ctx, int64_t task, int32_t worker) {
  const job *j = ctx;
  (void)worker;
  const unsigned own = attn_rt_get_fp_control();
  if (own != j->fp_control)
    attn_rt_set_fp_control(j->fp_control);
  for (int64_t row = task * ROWS; row < j->rows && row < (task + 1) * ROWS; ++row)
    merge_row(j->call, row);
  if (own != j->fp_control)
    attn_rt_set_fp_control(own);
}

/* ---- checks: each part beside the sink and the results, as if they were the arguments of a kernel ---- */

enum { PART_O, PART_LSE, SINK, OUT_O, OUT_LSE, N_CHECKED };

static attn_status fail(const attn_merge_call *c, attn_status status, int32_t arg, int32_t axis, int64_t expected,
                        int64_t found) {
  if (c->error)
    *c->error = (attn_error){arg, axis, expected, found};
  return status;
}

/* The arguments of the part's check: all of them, or without the sink. */
static attn_status check_part(const attn_merge_call *c, int32_t p) {
  const attn_tensor *const given[N_CHECKED] = {&c->parts[2 * p], &c->parts[2 * p + 1], c->sink, c->o, c->lse};
  const int32_t rows = c->lse->rank,
                numbers[N_CHECKED] = {2 * p, 2 * p + 1, 2 * c->n_parts, 2 * c->n_parts + 1, 2 * c->n_parts + 2};
  attn_dim_info dims[ATTN_MAX_DIMS] = {{0}};
  attn_arg_info infos[N_CHECKED];
  attn_tensor args[N_CHECKED];
  int32_t number[N_CHECKED], n = 0;
  for (int32_t d = 0; d <= rows; ++d)
    dims[d].kind = ATTN_DIM_FEATURE; /* of any extent */
  for (int32_t a = 0; a < N_CHECKED; ++a) {
    const attn_tensor *t = given[a];
    const int features = a == PART_O || a == OUT_O;
    if (!t)
      continue;
    attn_arg_info *info = &infos[n];
    *info = (attn_arg_info){.code = ATTN_FLOAT, .bits = c->lse->bits, .rank = rows + features, .length_of = -1};
    info->role = a >= OUT_O ? ATTN_ARG_OUTPUT : ATTN_ARG_INPUT;
    info->optional = a >= OUT_O;
    if (features && info->bits == 32 && t->bits == 16) { /* an o of 16 bits beside an lse of 32 */
      info->bits = 16;
      info->code = t->code == ATTN_BFLOAT ? ATTN_BFLOAT : ATTN_FLOAT;
    }
    for (int32_t x = 0; x < info->rank; ++x)
      info->axis[x] = (attn_axis_info){.dim = x, .also = -1, .divisor = 1, .extent = -1};
    args[n] = *t;
    number[n++] = numbers[a];
  }
  const attn_kernel_info kernel = {.abi_version = ATTN_RT_ABI_VERSION,
                                   .size = sizeof kernel,
                                   .dims = dims,
                                   .n_dims = rows + 1,
                                   .args = infos,
                                   .n_args = n};
  attn_error error = {-1, -1, -1, -1};
  const attn_call call = {.abi_version = ATTN_RT_ABI_VERSION,
                          .size = sizeof call,
                          .args = args,
                          .n_args = n,
                          .workers = c->workers,
                          .error = &error};
  int64_t extents[ATTN_MAX_DIMS];
  const attn_status status = attn_rt_check(&call, &kernel, 1, extents);
  if (!status)
    return ATTN_OK;
  if (status == ATTN_E_ALIAS)
    error.found = number[error.found];
  return fail(c, status, error.arg >= 0 ? number[error.arg] : -1, error.axis, error.expected, error.found);
}

attn_status attn_merge(const attn_merge_call *call) {
  if (!call)
    return ATTN_E_ARGUMENT;
  if (call->abi_version != ATTN_RT_ABI_VERSION || call->size != sizeof *call)
    return ATTN_E_VERSION;
  if (call->n_parts < 1 || call->n_parts > INT32_MAX / 2 - 2)
    return fail(call, ATTN_E_ARGUMENT, -1, -1, 1, call->n_parts);
  if (!call->parts || !call->o || !call->lse)
    return fail(call, ATTN_E_ARGUMENT, -1, -1, 1, 0);
  if (call->lse->rank < 0 || call->lse->rank >= ATTN_MAX_RANK)
    return fail(call, ATTN_E_RANK, 2 * call->n_parts + 2, -1, ATTN_MAX_RANK - 1, call->lse->rank);
  if (call->lse->code != ATTN_FLOAT || (call->lse->bits != 32 && call->lse->bits != 64))
    return fail(call, ATTN_E_DTYPE, 2 * call->n_parts + 2, -1, ATTN_FLOAT * 256 + 32,
                call->lse->code * 256 + call->lse->bits);
  for (int32_t p = 0; p < call->n_parts; ++p) {
    const attn_status status = check_part(call, p);
    if (status)
      return status;
  }
  job j = {.call = call, .rows = 1, .fp_control = attn_rt_get_fp_control()};
  for (int32_t x = 0; x < call->lse->rank; ++x)
    if (call->lse->shape[x] == 0)
      return ATTN_OK;
  for (int32_t x = 0; x < call->lse->rank; ++x)
    if (__builtin_mul_overflow(j.rows, call->lse->shape[x], &j.rows))
      return fail(call, ATTN_E_OVERFLOW, 2 * call->n_parts + 2, x, INT64_MAX, call->lse->shape[x]);
  attn_parallel_for_fn parallel_for = call->parallel_for ? call->parallel_for : attn_rt_parallel_for;
  parallel_for(call->pool, attn_rt_ceil_div(j.rows, ROWS), call->workers ? call->workers : 1, merge_rows, &j);
  return ATTN_OK;
}
