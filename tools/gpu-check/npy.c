/* npy.c - reads numpy's files: versions 1 to 3, little-endian, C order. */
#include "gpu_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number(const char **p, int64_t *n) {
  if (**p < '0' || **p > '9')
    return 0;
  for (*n = 0; **p >= '0' && **p <= '9'; ++*p)
    if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, **p - '0', n))
      return 0;
  return 1;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } */
static const char *parse(const char *header, array *a) {
  const char *descr = strstr(header, "'descr':"), *order = strstr(header, "'fortran_order':");
  const char *shape = strstr(header, "'shape':");
  int64_t bytes;
  if (!descr || !order || !shape)
    return "has no header of numpy";
  descr += strlen("'descr':");
  descr += strspn(descr, " '");
  if (*descr != '<' && *descr != '|')
    return "is not little-endian";
  a->kind = descr[1];
  descr += 2;
  if (!strchr("fiub", a->kind) || !number(&descr, &bytes) || bytes < 1 || bytes > 8)
    return "has an element type that is not read";
  a->bytes = (int)bytes;
  order += strlen("'fortran_order':");
  if (strncmp(order + strspn(order, " "), "False", 5) != 0)
    return "is in Fortran order";
  shape += strlen("'shape':");
  shape += strspn(shape, " (");
  a->count = 1;
  for (a->rank = 0; *shape && *shape != ')'; ++a->rank) {
    if (a->rank == ATTN_MAX_RANK || !number(&shape, &a->shape[a->rank]) ||
        __builtin_mul_overflow(a->count, a->shape[a->rank], &a->count) || a->count > INT64_C(1) << 32)
      return "has a shape that is not read";
    shape += strspn(shape, ", ");
  }
  return NULL;
}

static const char *read_file(FILE *f, array *a) {
  unsigned char head[12];
  char header[4096];
  if (fread(head, 1, 10, f) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
    return "is no file of numpy";
  size_t length = (size_t)head[8] | (size_t)head[9] << 8;
  if (head[6] > 1) {
    if (fread(head + 10, 1, 2, f) != 2)
      return "is cut short";
    length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
  }
  if (length >= sizeof header || fread(header, 1, length, f) != length)
    return "is cut short";
  header[length] = 0;
  const char *wrong = parse(header, a);
  if (wrong)
    return wrong;
  const size_t bytes = (size_t)a->count * (size_t)a->bytes;
  if (!(a->data = malloc(bytes + 1)))
    return "does not fit in memory";
  if (fread(a->data, 1, bytes, f) != bytes)
    return "is cut short";
  return NULL;
}

int array_read(const char *path, array *a, char *why, size_t why_bytes) {
  FILE *f = fopen(path, "rb");
  *a = (array){0};
  const char *wrong = f ? read_file(f, a) : "cannot be read";
  if (f)
    fclose(f);
  if (!wrong)
    return 1;
  array_free(a);
  snprintf(why, why_bytes, "%s %s", path, wrong);
  return 0;
}

void array_free(array *a) {
  free(a->data);
  a->data = NULL;
}
