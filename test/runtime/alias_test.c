/* alias_test.c - strides.c against brute force: random views of one buffer, every element visited. */
#include "check.h"
#include "fixture.h"

static uint32_t seed = 12345;
static int64_t roll(int64_t n) {
  seed = seed * 1664525u + 1013904223u;
  return (int64_t)(seed >> 8) % n;
}

/* Marks every byte of t inside memory[4096]; nonzero if one of them already had a bit of `bad`. */
static int mark_bytes(const attn_tensor *t, const unsigned char *memory, unsigned char *marks, unsigned char mark,
                      unsigned char bad) {
  int met = 0;
  int64_t n[4] = {t->shape[0], t->shape[1], t->shape[2], t->rank > 3 ? t->shape[3] : 1};
  for (int64_t i = 0; i < n[0] * n[1] * n[2] * n[3]; ++i) {
    int64_t rest = i, at = 0;
    for (int x = 3; x >= 0; rest /= n[x--])
      at += x < t->rank ? rest % n[x] * t->stride[x] : 0;
    for (int64_t byte = 0; byte < t->bits / 8; ++byte) {
      unsigned char *m = &marks[(const unsigned char *)t->data - memory + at * (t->bits / 8) + byte];
      met |= *m & bad;
      *m |= mark;
    }
  }
  return met;
}

static void random_type(fixture *f, int arg) {
  f->arg_infos[arg].code = f->args[arg].code = ATTN_INT;
  f->arg_infos[arg].bits = f->args[arg].bits = (uint8_t)(8 << roll(3));
}

/* Random q and lse in one buffer against brute force: overlap is decided exactly, and no accepted output overlaps
 * itself. Elements of 1, 2 and 4 bytes, at addresses that may be odd: alignment is judged after overlap. */
static void random_views(void) {
  int seen[3] = {0}, wrong = 0;
  fixture f;
  fixture_open(&f);
  f.info.n_variants = 0; /* a call that passes the checks ends with ATTN_E_VARIANT */
  for (int n = 0; n < 60000; ++n) {
    unsigned char marks[4096] = {0};
    attn_tensor *q = &f.args[ARG_Q], *lse = &f.args[ARG_LSE];
    random_type(&f, ARG_Q);
    random_type(&f, ARG_LSE);
    fixture_resize(&f, 1 + roll(3), 1 + roll(3), 1, 1 + roll(4), J);
    for (int x = 0; x < 4; ++x) {
      q->stride[x] = roll(x == 3 ? 4 : 40);
      if (x < 3) /* often the same strides, as views of one buffer have */
        lse->stride[x] = roll(3) ? q->stride[x] : roll(40);
    }
    q->data = f.owned[ARG_Q] + roll(120);
    lse->data = f.owned[ARG_Q] + roll(120);
    const attn_status status = attn_rt_run(&f.call, &f.info);
    if (status == ATTN_E_STRIDE) {
      ++seen[0];
      continue;
    }
    const int self = mark_bytes(lse, f.owned[ARG_Q], marks, 1, 1), met = mark_bytes(q, f.owned[ARG_Q], marks, 2, 1);
    ++seen[met ? 1 : 2];
    wrong += self || (status == ATTN_E_ALIAS) != !!met;
  }
  CHECK(!wrong, "%d of 60000 random views were judged wrong", wrong);
  CHECK(seen[0] > 1000 && seen[1] > 1000 && seen[2] > 1000, "random views: %d %d %d", seen[0], seen[1], seen[2]);
  fixture_close(&f);
}

int main(void) {
  random_views();
  return check_report();
}
