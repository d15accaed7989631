/* merge_test.c - attn_merge against long double, in parts and at once, and what it refuses. */
#include "check.h"

#include "attn-rt/attn_rt.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { B = 2, I = 37, E = 150, ROWS = B * I, PARTS = 5 };

static uint64_t state = 88172645463325252u;
static double uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (double)(state >> 11) * 0x1p-53;
}

typedef struct kind {
  const char *name;
  uint8_t code, bits, lse_bits;
  double step; /* relative distance of neighbours in o, at most */
} kind;
static const kind f64 = {"f64", ATTN_FLOAT, 64, 64, 0x1p-52}, f32 = {"f32", ATTN_FLOAT, 32, 32, 0x1p-23},
                  f16 = {"f16", ATTN_FLOAT, 16, 32, 0x1p-10}, bf16 = {"bf16", ATTN_BFLOAT, 16, 32, 0x1p-7};

/* A dense tensor: o [B, I, E] or lse [B, I]. */
static attn_tensor make(uint8_t code, uint8_t bits, int32_t rank) {
  attn_tensor t = {.code = code, .bits = bits, .lanes = 1, .rank = rank};
  const int64_t shape[3] = {B, I, E};
  int64_t stride = 1;
  for (int32_t x = rank - 1; x >= 0; --x) {
    t.shape[x] = shape[x];
    t.stride[x] = stride;
    stride *= shape[x];
  }
  t.data = malloc((size_t)stride * 8);
  memset(t.data, 0x5a, (size_t)stride * 8);
  return t;
}
static attn_tensor make_o(kind k) { return make(k.code, k.bits, 3); }
static attn_tensor make_lse(kind k) { return make(ATTN_FLOAT, k.lse_bits, 2); }

static double get(const attn_tensor *t, int64_t n) {
  if (t->bits == 64)
    return ((double *)t->data)[n];
  if (t->bits == 32)
    return ((float *)t->data)[n];
  const uint16_t h = ((uint16_t *)t->data)[n];
  const int exponent_bits = t->code == ATTN_BFLOAT ? 8 : 5, fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1, exponent = h >> fraction_bits & ((1 << exponent_bits) - 1);
  const double fraction = h & ((1 << fraction_bits) - 1), sign = h >> 15 ? -1 : 1;
  if (exponent == 2 * bias + 1)
    return fraction ? NAN : sign * INFINITY;
  return sign * (exponent ? ldexp(1 + ldexp(fraction, -fraction_bits), exponent - bias)
                          : ldexp(fraction, 1 - bias - fraction_bits));
}

/* The nearest of all numbers of 16 bits, ties to even, found by looking at every one. */
static uint16_t nearest(const attn_tensor *type, double x) {
  uint16_t best = 0;
  double distance = INFINITY;
  attn_tensor t = *type;
  for (uint32_t h = 0; h < 0x8000; ++h) {
    uint16_t bits = (uint16_t)h;
    t.data = &bits;
    double y = get(&t, 0);
    if (y != y)
      continue;
    if (y == INFINITY) /* stands where the next number would */
      y = t.code == ATTN_BFLOAT ? 0x1p128 : 65536;
    const double d = fabs(fabs(x) - y);
    if (d < distance || (d == distance && !(h & 1))) {
      distance = d;
      best = bits;
    }
  }
  return signbit(x) ? best | 0x8000u : best;
}

static void set(attn_tensor *t, int64_t n, double x) {
  if (t->bits == 64)
    ((double *)t->data)[n] = x;
  else if (t->bits == 32)
    ((float *)t->data)[n] = (float)x;
  else
    ((uint16_t *)t->data)[n] = x != x ? 0x7fff : nearest(t, x);
}

typedef struct fixture {
  attn_tensor parts[2 * PARTS], sink, o, lse;
  attn_merge_call call;
  attn_error error;
} fixture;

static void open_fixture(fixture *f, kind k, double spread, int with_sink) {
  memset(f, 0, sizeof *f);
  for (int p = 0; p < PARTS; ++p) {
    f->parts[2 * p] = make_o(k);
    f->parts[2 * p + 1] = make_lse(k);
    for (int64_t n = 0; n < ROWS; ++n)
      set(&f->parts[2 * p + 1], n, uniform() < 0.2 ? -INFINITY : (uniform() - 0.5) * spread);
    for (int64_t n = 0; n < ROWS * E; ++n)
      if (k.bits > 16)
        set(&f->parts[2 * p], n, uniform() * 2 - 1);
      else /* normal numbers by their bits: the search is slow */
        ((uint16_t *)f->parts[2 * p].data)[n] =
            (uint16_t)((k.code == ATTN_BFLOAT ? 0x3c00 : 0x2800) + 1024 * uniform());
  }
  f->sink = make_lse(k);
  for (int64_t n = 0; n < ROWS; ++n)
    set(&f->sink, n, (uniform() - 0.5) * spread);
  f->o = make_o(k);
  f->lse = make_lse(k);
  f->call = (attn_merge_call){.abi_version = ATTN_RT_ABI_VERSION, .size = sizeof f->call, .parts = f->parts};
  f->call.sink = with_sink ? &f->sink : NULL;
  f->call.o = &f->o, f->call.lse = &f->lse;
  f->call.n_parts = PARTS;
  f->call.error = &f->error;
}

static void close_fixture(fixture *f) {
  for (int p = 0; p < 2 * PARTS; ++p)
    free(f->parts[p].data);
  free(f->sink.data);
  free(f->o.data);
  free(f->lse.data);
}

/* Largest errors of o and lse, in steps of their type, against long double. Weights that differ by more than 2^12 are
 * compared on that scale: the difference of two references is rounded too. */
static void compare(const fixture *f, kind k, double *o_error, double *lse_error) {
  *o_error = *lse_error = 0;
  for (int64_t row = 0; row < ROWS; ++row) {
    long double r = f->call.sink ? get(&f->sink, row) : -INFINITY, l = 0;
    for (int p = 0; p < PARTS; ++p)
      r = fmaxl(r, get(&f->parts[2 * p + 1], row));
    for (int p = 0; p < PARTS; ++p)
      l += r > -INFINITY ? expl(get(&f->parts[2 * p + 1], row) - r) : 0;
    l += f->call.sink ? expl(get(&f->sink, row) - r) : 0;
    const long double lse = r > -INFINITY ? r + logl(l) : r;
    const double got = get(&f->lse, row);
    const double step = k.lse_bits == 64 ? 0x1p-52 : 0x1p-23;
    const double e = (double)lse == got ? 0 : (double)(fabsl(lse - got) / fmaxl(fabsl(lse), 1)) / step;
    *lse_error = e > *lse_error ? e : *lse_error;
    for (int64_t x = 0; x < E; ++x) {
      long double o = 0, size = 0;
      for (int p = 0; p < PARTS && r > -INFINITY; ++p) {
        const long double term = expl(get(&f->parts[2 * p + 1], row) - r) * get(&f->parts[2 * p], row * E + x) / l;
        o += term;
        size += fabsl(term);
      }
      const double d = (double)(fabsl(o - get(&f->o, row * E + x)) / (size + 0x1p-12L)) / k.step;
      *o_error = d > *o_error ? d : *o_error;
    }
  }
}

static void against_long_double(void) {
  const kind kinds[] = {f64, f32, f16, bf16};
  const double spreads[] = {4, 60, 3000};
  for (int n = 0; n < 4; ++n)
    for (int s = 0; s < 3; ++s)
      for (int with_sink = 0; with_sink < 2; ++with_sink) {
        fixture f;
        double o_error, lse_error;
        open_fixture(&f, kinds[n], spreads[s], with_sink);
        CHECK(attn_merge(&f.call) == ATTN_OK, "%s: arg %d axis %d", kinds[n].name, f.error.arg, f.error.axis);
        compare(&f, kinds[n], &o_error, &lse_error);
        /* Half a step of rounding, and f64's own few. */
        const double limit = kinds[n].lse_bits == 64 ? 16 : 0.5001;
        CHECK(o_error <= limit && lse_error <= limit, "%s spread %g sink %d: o %g, lse %g steps", kinds[n].name,
              spreads[s], with_sink, o_error, lse_error);
        close_fixture(&f);
      }
}

/* Stores of 16 bits round to the nearest, also denormals, overflow and ties. */
static void stores_of_16_bits(void) {
  const kind kinds[] = {f16, bf16};
  const double numbers[] = {0,     -1.5,    1,        1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-8, 1 + 0x3p-8,  65519,
                            65520, -70000,  0x1p-24,  0x1p-25,     0x1.8p-24,   0x1p-14,    0x1.ffcp-15, 0x1.fffp-15,
                            1e-7,  -3.7e-6, 0x1p-133, 0x1p-134,    3e-39,       -1.1e-38,   0x1.fep127,  0x1.fe8p127,
                            1e-45, 7};
  for (int n = 0; n < 2; ++n) {
    fixture f;
    open_fixture(&f, kinds[n], 1, 0);
    free(f.parts[0].data);
    f.parts[0] = make_o(f32);
    for (size_t x = 0; x < sizeof numbers / sizeof *numbers; ++x)
      set(&f.parts[0], (int64_t)x, numbers[x]);
    f.call.n_parts = 1;
    set(&f.parts[1], 0, 0);
    CHECK(!attn_merge(&f.call), "a part of f32 beside a result of %s", kinds[n].name);
    for (size_t x = 0; x < sizeof numbers / sizeof *numbers; ++x) {
      const uint16_t got = ((uint16_t *)f.o.data)[x], want = nearest(&f.o, get(&f.parts[0], (int64_t)x));
      CHECK(got == want, "%s of %a: %04x, expected %04x", kinds[n].name, numbers[x], got, want);
    }
    close_fixture(&f);
  }
}

/* Merges some parts of f into a state of its own. */
static void merge_some(fixture *f, attn_tensor *parts, int n, int with_sink, attn_tensor *o, attn_tensor *lse) {
  attn_merge_call call = f->call;
  call.parts = parts;
  call.n_parts = n;
  call.sink = with_sink ? &f->sink : NULL;
  call.o = o;
  call.lse = lse;
  CHECK(attn_merge(&call) == ATTN_OK, "merging %d", n);
}

static double difference(const attn_tensor *a, const attn_tensor *b, int64_t n, double step) {
  double most = 0;
  for (int64_t x = 0; x < n; ++x) {
    const double p = get(a, x), q = get(b, x);
    const double d = p == q ? 0 : fabs(p - q) / fmax(1, fabs(p)) / step; /* |o| <= 1, so this is the scale of a row */
    most = d > most ? d : most;
  }
  return most;
}

static void associative(void) {
  const kind kinds[] = {f64, f32};
  for (int n = 0; n < 2; ++n)
    for (int with_sink = 0; with_sink < 2; ++with_sink) {
      fixture f;
      const kind k = kinds[n];
      open_fixture(&f, k, 30, with_sink);
      attn_tensor *t = f.parts, ab[4], left[2], right[2], all[2];
      /* ((a, b), c) with the sink in the last merge, (a, (b, c)) with it in the first */
      ab[0] = make_o(k), ab[1] = make_lse(k), left[0] = make_o(k), left[1] = make_lse(k);
      merge_some(&f, t, 2, 0, &ab[0], &ab[1]);
      ab[2] = t[4], ab[3] = t[5];
      merge_some(&f, ab, 2, with_sink, &left[0], &left[1]);
      attn_tensor bc[4] = {t[0], t[1], make_o(k), make_lse(k)};
      right[0] = make_o(k), right[1] = make_lse(k);
      merge_some(&f, t + 2, 2, with_sink, &bc[2], &bc[3]);
      merge_some(&f, bc, 2, 0, &right[0], &right[1]);
      all[0] = make_o(k), all[1] = make_lse(k);
      merge_some(&f, t, 3, with_sink, &all[0], &all[1]);
      const double lse_step = k.lse_bits == 64 ? 0x1p-52 : 0x1p-23;
      const double limit = k.lse_bits == 64 ? 16 : 4;
      CHECK(difference(&left[0], &all[0], ROWS * E, k.step) <= limit, "%s ((a, b), c) of o: %g steps", k.name,
            difference(&left[0], &all[0], ROWS * E, k.step));
      CHECK(difference(&right[0], &all[0], ROWS * E, k.step) <= limit, "%s (a, (b, c)) of o: %g steps", k.name,
            difference(&right[0], &all[0], ROWS * E, k.step));
      CHECK(difference(&left[1], &all[1], ROWS, lse_step) <= limit, "%s ((a, b), c) of lse", k.name);
      CHECK(difference(&right[1], &all[1], ROWS, lse_step) <= limit, "%s (a, (b, c)) of lse", k.name);
      attn_tensor *mine[] = {&ab[0], &ab[1],    &left[0],  &left[1], &bc[2],
                             &bc[3], &right[0], &right[1], &all[0],  &all[1]};
      for (int x = 0; x < 10; ++x)
        free(mine[x]->data);
      close_fixture(&f);
    }
}

static void special_rows(void) {
  fixture f;
  open_fixture(&f, f32, 10, 0);
  f.call.n_parts = 2;
  const double inf = INFINITY;
  /* lse_0, lse_1 of row n; what stands in both o */
  const double rows[][3] = {{-inf, -inf, 1}, {-inf, 2, 1},   {NAN, 2, 1},    {inf, 2, 1},
                            {1, 2, NAN},     {-inf, 2, NAN}, {-2000, 2, NAN}};
  for (int n = 0; n < 7; ++n) {
    set(&f.parts[1], n, rows[n][0]);
    set(&f.parts[3], n, rows[n][1]);
    set(&f.parts[0], n * E, rows[n][2]);
    set(&f.parts[2], n * E, 5);
  }
  CHECK(!attn_merge(&f.call), "special rows");
  CHECK(get(&f.o, 0) == 0 && get(&f.lse, 0) == -inf, "an empty row: %g, %g", get(&f.o, 0), get(&f.lse, 0));
  CHECK(get(&f.o, E) == 5 && get(&f.lse, 1) == 2, "an empty part: %g, %g", get(&f.o, E), get(&f.lse, 1));
  CHECK(isnan(get(&f.o, 2 * E)) && isnan(get(&f.lse, 2)) && isnan(get(&f.o, 2 * E + 1)), "an lse of NaN");
  CHECK(isnan(get(&f.o, 3 * E)) && isnan(get(&f.lse, 3)), "an lse of +inf");
  CHECK(isnan(get(&f.o, 4 * E)) && !isnan(get(&f.o, 4 * E + 1)) && !isnan(get(&f.lse, 4)), "NaN in an o stays there");
  CHECK(get(&f.o, 5 * E) == 5, "an empty part's o is not looked at: %g", get(&f.o, 5 * E));
  CHECK(isnan(get(&f.o, 6 * E)), "NaN under a weight of 0 is NaN");
  f.call.sink = &f.sink;
  set(&f.sink, 0, -3);
  set(&f.sink, 1, NAN);
  CHECK(!attn_merge(&f.call), "special rows with a sink");
  CHECK(get(&f.o, 0) == 0 && get(&f.lse, 0) == -3, "an empty row has the sink's lse: %g", get(&f.lse, 0));
  CHECK(isnan(get(&f.o, E)) && isnan(get(&f.lse, 1)), "a sink of NaN");
  close_fixture(&f);
}

/* Views, broadcast sinks, threads: the same bits. */
static void layouts_and_threads(void) {
  fixture f;
  open_fixture(&f, f32, 10, 1);
  for (int64_t n = 0; n < ROWS; ++n)
    set(&f.sink, n, n / I ? 1.5 : -2);
  CHECK(!attn_merge(&f.call), "dense");
  attn_tensor o = make_o(f32), lse = make_lse(f32), wide = make_o(f32);
  attn_tensor sink = make_lse(f32);
  set(&sink, 0, -2);
  set(&sink, 1, 1.5);
  sink.stride[0] = 1, sink.stride[1] = 0;
  /* o transposed in memory: [E, I, B] */
  o.stride[0] = 1, o.stride[1] = B, o.stride[2] = B * I;
  memcpy(wide.data, f.parts[2].data, (size_t)ROWS * E * 4);
  for (int64_t row = 0; row < ROWS; ++row)
    for (int64_t x = 0; x < E; ++x)
      ((float *)wide.data)[x * ROWS + row] = (float)get(&f.parts[2], row * E + x);
  void *dense = f.parts[2].data;
  f.parts[2].data = wide.data;
  f.parts[2].stride[0] = I, f.parts[2].stride[1] = 1, f.parts[2].stride[2] = ROWS;
  attn_merge_call call = f.call;
  call.sink = &sink;
  call.o = &o, call.lse = &lse;
  attn_pool *pool = attn_pool_create(3);
  call.pool = pool;
  call.workers = 3;
  CHECK(!attn_merge(&call), "strided: arg %d axis %d", f.error.arg, f.error.axis);
  int wrong = 0;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t i = 0; i < I; ++i)
      for (int64_t e = 0; e < E; ++e)
        wrong += ((float *)o.data)[b + i * B + e * B * I] != ((float *)f.o.data)[(b * I + i) * E + e];
  CHECK(!wrong && !memcmp(lse.data, f.lse.data, ROWS * 4), "%d elements differ", wrong);
  call.o = &(attn_tensor){.code = ATTN_FLOAT, .bits = 32, .lanes = 1, .rank = 3, .shape = {B, I, E}};
  memset(lse.data, 0, ROWS * 4);
  CHECK(!attn_merge(&call) && !memcmp(lse.data, f.lse.data, ROWS * 4), "lse alone");
  attn_pool_destroy(pool);
  free(o.data), free(lse.data), free(sink.data), free(dense);
  close_fixture(&f);
}

static void refused(void) {
  fixture f;
  open_fixture(&f, f32, 10, 1);
  CHECK(attn_merge(NULL) == ATTN_E_ARGUMENT, "no call");
#define REFUSED(change, undo, status, a, x)                                                                            \
  do {                                                                                                                 \
    f.error = (attn_error){-7, -7, -7, -7};                                                                            \
    change;                                                                                                            \
    const attn_status got = attn_merge(&f.call);                                                                       \
    CHECK(got == status && f.error.arg == a && f.error.axis == x, #change ": %s, arg %d axis %d",                      \
          attn_status_name(got), f.error.arg, f.error.axis);                                                           \
    undo;                                                                                                              \
  } while (0)
  REFUSED(f.call.abi_version = 2, f.call.abi_version = ATTN_RT_ABI_VERSION, ATTN_E_VERSION, -7, -7);
  REFUSED(f.call.size -= 8, f.call.size += 8, ATTN_E_VERSION, -7, -7);
  REFUSED(f.call.n_parts = 0, f.call.n_parts = PARTS, ATTN_E_ARGUMENT, -1, -1);
  REFUSED(f.call.lse = NULL, f.call.lse = &f.lse, ATTN_E_ARGUMENT, -1, -1);
  REFUSED(f.call.workers = -1, f.call.workers = 0, ATTN_E_ARGUMENT, -1, -1);
  REFUSED(f.lse.bits = 16, f.lse.bits = 32, ATTN_E_DTYPE, 2 * PARTS + 2, -1);
  REFUSED(f.lse.rank = 6, f.lse.rank = 2, ATTN_E_RANK, 2 * PARTS + 2, -1);
  REFUSED(f.parts[4].bits = 64, f.parts[4].bits = 32, ATTN_E_DTYPE, 4, -1);
  REFUSED(f.parts[5].rank = 3, f.parts[5].rank = 2, ATTN_E_RANK, 5, -1);
  REFUSED(f.parts[7].shape[1] = I + 1, f.parts[7].shape[1] = I, ATTN_E_SHAPE, 7, 1);
  REFUSED(f.o.shape[2] = E - 1, f.o.shape[2] = E, ATTN_E_SHAPE, 2 * PARTS + 1, 2);
  REFUSED(f.sink.shape[0] = 1, f.sink.shape[0] = B, ATTN_E_SHAPE, 2 * PARTS, 0);
  REFUSED(f.parts[6].stride[0] = -1, f.parts[6].stride[0] = I * E, ATTN_E_STRIDE, 6, 0);
  REFUSED(f.o.stride[1] = 0, f.o.stride[1] = E, ATTN_E_STRIDE, 2 * PARTS + 1, 1);
  void *data = f.parts[8].data;
  REFUSED(f.parts[8].data = NULL, f.parts[8].data = data, ATTN_E_ARGUMENT, 8, -1);
  data = f.o.data;
  REFUSED(f.o.data = f.parts[2].data, f.o.data = data, ATTN_E_ALIAS, 2 * PARTS + 1, -1);
  f.o.data = f.parts[2].data;
  attn_merge(&f.call);
  CHECK(f.error.found == 2, "the other tensor is %ld", (long)f.error.found);
  f.o.data = data;
  for (int64_t n = 0; n < ROWS; ++n)
    CHECK(((uint32_t *)f.lse.data)[n] == 0x5a5a5a5a, "what is refused writes nothing");
  REFUSED((void)0, (void)0, ATTN_OK, -7, -7);
  for (int t = 0; t < 2 * PARTS; ++t)
    f.parts[t].shape[1] = 0;
  f.o.shape[1] = f.lse.shape[1] = f.sink.shape[1] = 0;
  REFUSED((void)0, (void)0, ATTN_OK, -7, -7);
  close_fixture(&f);
}

int main(void) {
  against_long_double();
  stores_of_16_bits();
  associative();
  special_rows();
  layouts_and_threads();
  refused();
  return check_report();
}
