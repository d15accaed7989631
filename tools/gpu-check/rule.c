/* rule.c - the error rule. It is written down, with its reasons, in include/attn/Support/ErrorRule.h; a test holds the
 * two against each other. */
#include "gpu_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double bf16_value(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &wide, sizeof x);
  return x;
}

static double f16_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31)
    return mantissa ? NAN : sign * INFINITY;
  return sign * (exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24));
}

double rule_value(int element, const void *data, int64_t at) {
  switch (element) {
  case RULE_F32:
    return ((const float *)data)[at];
  case RULE_F64:
    return ((const double *)data)[at];
  case RULE_BF16:
    return bf16_value(((const uint16_t *)data)[at]);
  default:
    return f16_value(((const uint16_t *)data)[at]);
  }
}

/* Digits of the mantissa that are stored, and the exponent of the smallest normal number. */
static const struct {
  int digits, least;
} format[] = {[RULE_F32] = {23, -126}, [RULE_F64] = {52, -1022}, [RULE_BF16] = {7, -126}, [RULE_F16] = {10, -14}};

static double ulp(double x, int element) {
  int exponent = format[element].least;
  if (isfinite(x) && x != 0) {
    frexp(x, &exponent);
    exponent = exponent - 1 > format[element].least ? exponent - 1 : format[element].least;
  }
  return ldexp(1, exponent - format[element].digits);
}

static int same_kind(double a, double b) {
  if (isfinite(a) || isfinite(b))
    return isfinite(a) && isfinite(b);
  return isnan(a) ? isnan(b) : a == b;
}

typedef struct maxima {
  double ours, size;
  int64_t worst;
} maxima;

static maxima maxima_of(int64_t from, int64_t count, const double *got, const double *exact, const double *terms) {
  maxima m = {0, 0, -1};
  for (int64_t n = from; n < from + count; ++n) {
    if (!isfinite(exact[n]))
      continue;
    const double error = fabs(got[n] - exact[n]);
    if (m.worst < 0 || error > m.ours)
      m.worst = n;
    m.ours = fmax(m.ours, error);
    m.size = fmax(m.size, fabs(got[n]));
    if (terms && isfinite(terms[n]))
      m.size = fmax(m.size, fabs(terms[n]));
  }
  return m;
}

static void judge(rule_report *r, double measured, double allowed, int64_t at, const char *rule) {
  const double ratio = measured == 0 ? 0 : allowed > 0 ? measured / allowed : INFINITY;
  if (ratio <= r->ratio)
    return;
  r->ratio = ratio;
  if (ratio > 1) {
    r->ok = 0;
    r->worst = at;
    snprintf(r->what, sizeof r->what, "%s: %.4g exceeds %.4g", rule, measured, allowed);
  }
}

static int is_zero(const double *x, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if (x[i] != 0)
      return 0;
  return 1;
}

/* NaN, infinities and empty rows. */
static void check_kinds(rule_report *r, int64_t count, int64_t length, const double *got, const double *exact) {
  int64_t bad = 0;
  for (int64_t row = 0; length > 0 && row < count; row += length) {
    const int empty = length > 1 && is_zero(exact + row, length);
    for (int64_t n = row; n < row + length; ++n) {
      if (same_kind(got[n], exact[n]) && (!empty || got[n] == 0))
        continue;
      if (!bad++)
        r->worst = n;
    }
  }
  if (!bad)
    return;
  r->ok = 0;
  r->max_error = r->ratio = INFINITY;
  snprintf(r->what, sizeof r->what, "%lld of %lld values differ in NaN, Inf or in an empty row", (long long)bad,
           (long long)count);
}

rule_report rule_check(int element, int64_t count, int64_t row_length, const double *got, const double *exact,
                       const rule_plain *plain, const double *terms) {
  rule_report r = {.ok = 1, .worst = -1};
  check_kinds(&r, count, row_length, got, exact);
  if (!r.ok)
    return r;
  const maxima all = maxima_of(0, count, got, exact, terms);
  r.max_error = all.ours;
  r.worst = all.worst;
  if (element == RULE_F32 || element == RULE_F64) {
    const double eps = ldexp(1, -format[element].digits);
    judge(&r, all.ours, 2 * plain->most + 2 * eps * all.size, all.worst, "max error of the tensor");
    for (int64_t row = 0; row_length > 0 && row < count; row += row_length) {
      const maxima one = maxima_of(row, row_length, got, exact, terms);
      judge(&r, one.ours, 2 * plain->most + 2 * eps * one.size, one.worst, "max error of the row");
    }
    return r;
  }
  judge(&r, all.ours, 1.5 * plain->most + ulp(all.size, element), all.worst, "max error of the tensor");
  double ours = 0, ulps = 0;
  for (int64_t n = 0; n < count; ++n) {
    if (!isfinite(exact[n]))
      continue;
    ours += fabs(got[n] - exact[n]);
    ulps += ulp(got[n], element);
  }
  const double n = count > 0 ? (double)count : 1;
  judge(&r, ours / n, 1.05 * plain->mean + ulps / n, all.worst, "mean error of the tensor");
  return r;
}
