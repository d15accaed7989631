/* json.c - lines of JSON. */
#include "gpu_check.h"

#include <math.h>
#include <stdio.h>

static FILE *out;

int json_open(const char *path) {
  out = path ? fopen(path, "a") : stdout;
  return out != NULL;
}

static void text(const char *s) {
  fputc('"', out);
  for (; *s; ++s) {
    const unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      fprintf(out, "\\%c", c);
    else if (c < 0x20)
      fprintf(out, "\\u%04x", c);
    else
      fputc(c, out);
  }
  fputc('"', out);
}

static void key_of(const char *key) {
  fputs(", ", out);
  text(key);
  fputs(": ", out);
}

void json_begin(const char *part, const char *name) {
  fputs("{\"part\": ", out);
  text(part);
  if (name)
    json_text("name", name);
}

void json_text(const char *key, const char *value) {
  key_of(key);
  text(value);
}

void json_number(const char *key, double value) {
  key_of(key);
  if (isfinite(value))
    fprintf(out, "%.9g", value);
  else
    text(isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

void json_flag(const char *key, int value) {
  key_of(key);
  fputs(value ? "true" : "false", out);
}

void json_words(const char *key, const uint32_t *words, size_t n) {
  key_of(key);
  fputc('"', out);
  for (size_t i = 0; i < n; ++i)
    fprintf(out, "%s%08x", i ? " " : "", words[i]);
  fputc('"', out);
}

void json_end(void) {
  fputs("}\n", out);
  fflush(out);
}
