/* probe.c - one instruction on the device: what it gives, and whether that is what is known of it. */
#include "gpu_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_text(const char *path) {
  FILE *f = fopen(path, "rb");
  char *text = NULL;
  long bytes = -1;
  if (f && !fseek(f, 0, SEEK_END) && (bytes = ftell(f)) >= 0 && !fseek(f, 0, SEEK_SET))
    text = malloc((size_t)bytes + 1);
  if (text && fread(text, 1, (size_t)bytes, f) != (size_t)bytes) {
    free(text);
    text = NULL;
  }
  if (text)
    text[bytes] = 0;
  if (f)
    fclose(f);
  return text;
}

static float as_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static int agrees(uint32_t got, uint32_t want, double relative) {
  if (got == want)
    return 1;
  const double a = as_float(got), b = as_float(want);
  return relative > 0 && isfinite(a) && isfinite(b) && fabs(a - b) <= relative * fabs(b);
}

typedef struct probe {
  char name[64], compare[16];
  int threads;
  double relative;
  char *ptx;
  array in, expect;
  void *device_in, *device_out;
  uint32_t *got;
} probe;

static int set_up(probe *p, const char *bundle, const char *line, char *why, size_t why_bytes) {
  char path[1024];
  if (sscanf(line, "%63s %d %15s %lf", p->name, &p->threads, p->compare, &p->relative) < 3) {
    snprintf(why, why_bytes, "probes/list.txt: '%s'", line);
    return 0;
  }
  snprintf(path, sizeof path, "%s/probes/%s.ptx", bundle, p->name);
  if (!(p->ptx = read_text(path))) {
    snprintf(why, why_bytes, "%s cannot be read", path);
    return 0;
  }
  snprintf(path, sizeof path, "%s/probes/%s.in.npy", bundle, p->name);
  if (!array_read(path, &p->in, why, why_bytes))
    return 0;
  snprintf(path, sizeof path, "%s/probes/%s.expect.npy", bundle, p->name);
  if (!array_read(path, &p->expect, why, why_bytes))
    return 0;
  if (p->in.bytes != 4 || p->expect.bytes != 4 || !(p->got = malloc((size_t)p->expect.count * 4))) {
    snprintf(why, why_bytes, "%s: not of 32-bit words", p->name);
    return 0;
  }
  return 1;
}

static int on_device(probe *p) {
  const size_t in = (size_t)p->in.count * 4, out = (size_t)p->expect.count * 4;
  return device_alloc(&p->device_in, in) || device_alloc(&p->device_out, out) ||
         device_put(p->device_in, p->in.data, in) || device_fill(p->device_out, 0xff, out) ||
         device_probe(p->ptx, p->threads, p->device_in, p->device_out) || device_get(p->got, p->device_out, out);
}

int run_probe(const char *bundle, const char *line) {
  probe p = {0};
  char why[1200] = "";
  int outcome = OUTCOME_FAILED, overrun = 0;
  const int found = set_up(&p, bundle, line, why, sizeof why);
  const int ran = found && !on_device(&p);
  if (found && !ran) {
    outcome = OUTCOME_LOST;
    snprintf(why, sizeof why, "%s", device_error());
  }
  if (ran) {
    const uint32_t *want = (const uint32_t *)(const void *)p.expect.data;
    const int record = !strcmp(p.compare, "record");
    int64_t bad = 0, first = -1;
    for (int64_t n = 0; n < p.expect.count && !record; ++n)
      if (!agrees(p.got[n], want[n], p.relative)) {
        first = bad++ ? first : n;
      }
    if (bad)
      snprintf(why, sizeof why, "%lld of %lld words differ, word %lld is %08x, expected %08x", (long long)bad,
               (long long)p.expect.count, (long long)first, p.got[first], want[first]);
    if (device_free(p.device_in, (size_t)p.in.count * 4, &overrun) ||
        device_free(p.device_out, (size_t)p.expect.count * 4, &overrun))
      snprintf(why, sizeof why, "%s", device_error());
    if (overrun)
      snprintf(why, sizeof why, "bytes behind a buffer were written");
    outcome = *why ? OUTCOME_FAILED : OUTCOME_PASSED;
  }
  json_begin("probe", p.name);
  json_flag("ok", outcome == OUTCOME_PASSED);
  json_text("compare", p.compare);
  if (*why)
    json_text("what", why);
  if (ran)
    json_words("words", p.got, (size_t)p.expect.count);
  json_end();
  free(p.ptx);
  free(p.got);
  array_free(&p.in);
  array_free(&p.expect);
  return outcome;
}
